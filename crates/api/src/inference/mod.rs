//! The model server's routes.
