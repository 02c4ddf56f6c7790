use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The JSON object of a token, in which no name stands twice: two readers could believe two different ones.
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

/// What is personal in them stays out of logs.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// It is not an object, or a name stands twice in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a JSON object in which every name stands once")]
pub struct ClaimsError;

impl Claims {
    /// Reads an object. The caller bounds the bytes.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ClaimsError> {
        match serde_json::from_slice::<Once>(bytes) {
            Ok(Once(Value::Object(map))) => Ok(Self(map)),
            _ => Err(ClaimsError),
        }
    }

    /// A claim by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A claim that may lie within others: `kubernetes.io.serviceaccount.name`. A name with dots in it wins over a path.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<&Value> {
        at(&self.0, path, 8)
    }

    /// A claim that is a time: seconds, whole or not.
    pub(crate) fn seconds(&self, name: &str) -> Option<Seconds> {
        let value = self.get(name)?;
        Some(value.as_i64().or_else(|| value.as_f64().and_then(whole)).map_or(Seconds::Unreadable, Seconds::At))
    }
}

/// A time as a token has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seconds {
    At(i64),
    /// It is there and no time.
    Unreadable,
}

#[allow(clippy::cast_possible_truncation, reason = "the bounds are those of the next line")]
fn whole(seconds: f64) -> Option<i64> {
    (seconds.is_finite() && seconds.abs() < 1e15).then(|| seconds.floor() as i64)
}

fn at<'a>(map: &'a Map<String, Value>, path: &str, depth: usize) -> Option<&'a Value> {
    if let Some(found) = map.get(path) {
        return Some(found);
    }
    if depth == 0 {
        return None;
    }
    path.match_indices('.').rev().find_map(|(position, _)| {
        let (first, rest) = path.split_at_checked(position)?;
        at(map.get(first)?.as_object()?, rest.strip_prefix('.')?, depth - 1)
    })
}

/// A value in which no object has a name twice, at any depth.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Self)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Once(value)) = items.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Once(value))) = entries.next_entry::<String, Once>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_refused_at_any_depth() {
        for text in [
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"sub":"a","\u0073ub":"b"}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
            r#"{"a":1} {"a":1}"#,
            "[]",
            "1",
            "",
            "{",
            "\u{feff}{}",
        ] {
            assert_eq!(Claims::parse(text.as_bytes()), Err(ClaimsError), "{text}");
        }
        assert!(Claims::parse(br#"{"a":{"b":1},"b":[1,{"b":null}]}"#).is_ok());
        assert!(Claims::parse("[".repeat(100_000).as_bytes()).is_err(), "depth is bounded");
    }

    #[test]
    fn paths_find_names_with_dots_in_them() {
        let claims = Claims::parse(
            br#"{"kubernetes.io":{"namespace":"ml","serviceaccount":{"name":"trainer"}},"https://x.org/groups":["a"],
            "realm_access":{"roles":["b"]},"a.b":1,"a":{"b":2}}"#,
        )
        .unwrap();
        assert_eq!(claims.path("kubernetes.io.serviceaccount.name").unwrap(), "trainer");
        assert_eq!(claims.path("kubernetes.io.namespace").unwrap(), "ml");
        assert_eq!(claims.path("https://x.org/groups").unwrap()[0], "a");
        assert_eq!(claims.path("realm_access.roles").unwrap()[0], "b");
        assert_eq!(claims.path("a.b").unwrap(), 1);
        for none in ["", ".", "kubernetes.io.", "kubernetes.io.x", "namespace", "a.c", &".".repeat(500)] {
            assert!(claims.path(none).is_none(), "{none}");
        }
    }

    #[test]
    fn times_are_numbers() {
        let claims = Claims::parse(br#"{"a":7,"b":7.9,"c":"7","d":1e300,"e":-1,"f":18446744073709551615}"#).unwrap();
        assert_eq!(claims.seconds("a"), Some(Seconds::At(7)));
        assert_eq!(claims.seconds("b"), Some(Seconds::At(7)));
        for unreadable in ["c", "d", "f"] {
            assert_eq!(claims.seconds(unreadable), Some(Seconds::Unreadable), "{unreadable}");
        }
        assert_eq!(claims.seconds("g"), None);
    }
}
