//! Locks, requirements and verified Python environments.
//!
//! [`Lock`] takes only requirements with one version and SHA-256 hashes. [`build`] makes an environment of one: wheels come
//! from a cache (pip fetches what is missing), each is hashed against the lock before every use, and they are unpacked here,
//! so that no code of a package runs. A built environment is used again only when each of its files still has its hash.
//!
//! The cache is believed in so far as only its owner can have written it: a manifest and files that agree, put there by a program
//! of the same user or by a restored copy (such as a CI cache that others may fill), pass. Keep it where only you write.
#![forbid(unsafe_code)]

mod build;
mod cache;
mod error;
mod interpreter;
mod lock;
mod manifest;
mod own;
mod parallel;
mod progress;
mod record;
mod scratch;
mod scripts;
mod tags;
mod wheel;

pub use build::{BuildRequest, Environment, build};
pub use error::EnvError;
pub use interpreter::Interpreter;
pub use lock::{Lock, Locked};
pub use own::own_directory;
pub use progress::Progress;
pub use record::{InterpreterRecord, Wheel};
pub use scratch::{remove_leftovers, scratch_prefix};
