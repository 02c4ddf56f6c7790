//! The model-file scanner: rules and allow-lists.
