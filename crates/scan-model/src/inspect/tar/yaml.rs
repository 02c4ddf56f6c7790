use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A YAML document of which only texts matter. It takes what JSON has no words for: infinities, and keys of any kind.
#[derive(Debug)]
pub(super) enum Yaml {
    Text(String),
    /// A number, a truth value, or nothing.
    Other,
    List(Vec<Yaml>),
    Table(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Reads a document; none if it is no YAML, or no one could tell which of two values a key has.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let options = serde_saphyr::options! { non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough };
        serde_saphyr::from_str_with_options(text, options).ok()
    }

    /// The text at a key of a table.
    pub(super) fn text(&self, wanted: &str) -> Option<&str> {
        let Self::Table(entries) = self else { return None };
        entries.iter().find_map(|(key, value)| match value {
            Self::Text(text) if key == wanted => Some(text.as_str()),
            _ => None,
        })
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Yaml;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("YAML")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Yaml>()? {
            let key = if let Yaml::Text(key) = key { key } else { String::new() };
            entries.push((key, map.next_value()?));
        }
        Ok(Yaml::Table(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Yaml, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Yaml::List(list))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_none<E: Error>(self) -> Result<Yaml, E> {
        Ok(Yaml::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_has_no_words_for_is_read() {
        let text = "a: .inf\nb: .nan\n0: x\nnull: y\n1.5: [1, null, ~]\ndate: 2024-01-01\nt: text\nbig: 12345678901234567890123\n";
        let document = Yaml::parse(text).unwrap();
        assert_eq!(document.text("t"), Some("text"));
        assert!(Yaml::parse("a: [").is_none() && Yaml::parse("a: 1\na: 2\n").is_none());
    }
}
