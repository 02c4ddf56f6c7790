//! Bounded, panic-free parsers of model files: pickle, joblib, zip, tar, 7z, npy, npz, skops, sniffing by content; and of the
//! trace exports of OpenTelemetry.
//!
//! Nothing in here decides whether a file is good. Each parser takes bounds, treats every input as hostile, never
//! allocates what a length field claims, and says exactly where it stopped.
#![forbid(unsafe_code)]

pub mod columnar;
pub mod coreml;
mod cursor;
pub mod decompress;
pub mod embedded;
mod flat;
pub mod gguf;
pub mod hdf5;
pub mod image;
pub mod jinja;
pub mod joblib;
pub mod json_bounds;
pub mod mat;
pub mod message;
pub mod msgpack;
pub mod names;
pub mod npy;
pub mod npz;
pub mod numeric;
pub mod objects;
pub mod onnx;
pub mod otlp;
pub mod pickle;
pub mod protobuf;
pub mod python;
pub mod rdata;
mod section;
pub mod sevenz;
pub mod skops;
pub mod sniff;
pub mod sqlite;
pub mod tar;
pub mod tensorflow;
#[cfg(test)]
mod testing;
pub mod tflite;
mod thrift;
pub mod ubjson;
mod window;
pub mod xml;
pub mod zip;

pub use flat::FlatError;
pub use section::Section;
