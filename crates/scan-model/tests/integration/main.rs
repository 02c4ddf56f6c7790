//! The rules against their fixtures, and files of real libraries against all rules.

mod allow;
mod archives;
mod benign;
mod corpus;
mod folders;
mod graphs;
mod hostile;
mod models;
