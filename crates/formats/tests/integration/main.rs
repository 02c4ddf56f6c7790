//! Tests of the parsers through their public faces.

mod fuzz;
mod pickle;
mod pickle_joblib;
mod zip;
