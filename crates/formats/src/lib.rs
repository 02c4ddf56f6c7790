//! Bounded, panic-free parsers of model files: pickle, zip, npy, joblib, skops.
