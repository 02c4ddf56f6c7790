//! Times in statements are RFC 3339 text, where a `Timestamp` by itself is a number.

use sealyard_core::Timestamp;
use serde::{Deserialize as _, Deserializer, Serializer};

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

fn parse<E: serde::de::Error>(text: &str) -> Result<Timestamp, E> {
    Timestamp::from_rfc3339(text).ok_or_else(|| E::custom(format_args!("{text:?} is not a time as RFC 3339 writes it")))
}

/// The same for a time that may be absent.
pub(crate) mod option {
    use super::{Deserializer, Serializer, Timestamp};
    use serde::Deserialize as _;

    #[allow(clippy::ref_option, reason = "serde gives a reference")]
    pub(crate) fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(time),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| super::parse(&text)).transpose()
    }
}
