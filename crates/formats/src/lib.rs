//! Bounded, panic-free parsers of model files: pickle, joblib, zip, npy, npz, skops, sniffing by content; and of the trace
//! exports of OpenTelemetry.
//!
//! Nothing in here decides whether a file is good. Each parser takes bounds, treats every input as hostile, never
//! allocates what a length field claims, and says exactly where it stopped.
#![forbid(unsafe_code)]

pub mod columnar;
pub mod coreml;
mod cursor;
pub mod decompress;
pub mod gguf;
pub mod hdf5;
pub mod embedded;
mod flat;
pub mod image;
pub mod jinja;
pub mod joblib;
pub mod json_bounds;
pub mod names;
pub mod msgpack;
pub mod message;
pub mod npy;
pub mod npz;
pub mod numeric;
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
pub mod tensorflow;
pub mod tflite;
mod thrift;
pub mod tar;
pub mod ubjson;
pub mod xml;
mod window;
pub mod zip;

pub use flat::FlatError;
pub use section::Section;
