//! Policies and the one pure function that decides.
