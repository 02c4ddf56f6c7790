//! The same facts for people and for programs.

mod cyclonedx;
mod explained;
mod json;
mod junit;
mod sarif;
mod text;

use serde_json::Value;

pub use cyclonedx::cyclonedx;
pub use explained::explained;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use text::text;

/// Sets a key of an object.
fn set(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(entries) = object {
        entries.insert(key.to_owned(), value.into());
    }
}
