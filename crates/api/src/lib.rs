//! The HTTP surface: MLflow, native and inference endpoints.
