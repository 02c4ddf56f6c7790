//! Values as protobuf's JSON has them: 64-bit integers as numbers or text, floats with `NaN` and infinities as text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// A 64-bit integer, read from a number or from decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Integer(pub(crate) i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a 64-bit integer")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Integer, E> {
                Ok(Integer(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Integer, E> {
                i64::try_from(value).map(Integer).map_err(|_| E::custom("an integer is out of range"))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Integer, E> {
                // Up to here, every whole double is that integer.
                const EXACT: f64 = 9_007_199_254_740_992.0;
                if value.fract() == 0.0 && value.abs() <= EXACT {
                    #[allow(clippy::cast_possible_truncation, reason = "whole and within ±2^53")]
                    return Ok(Integer(value as i64));
                }
                Err(E::custom("a number is not an integer"))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Integer, E> {
                let digits = value.strip_prefix('-').unwrap_or(value);
                let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let parsed = if plain { value.parse().ok() } else { None };
                parsed.map(Integer).ok_or_else(|| E::custom("a text is not an integer"))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A double, with what JSON has no number for as text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }

            #[allow(clippy::cast_precision_loss, reason = "a metric is a double")]
            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            #[allow(clippy::cast_precision_loss, reason = "a metric is a double")]
            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Number, E> {
                match value {
                    "NaN" => Ok(Number(f64::NAN)),
                    "Infinity" => Ok(Number(f64::INFINITY)),
                    "-Infinity" => Ok(Number(f64::NEG_INFINITY)),
                    text => {
                        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
                        let number: Option<f64> = if plain { text.parse().ok() } else { None };
                        let finite = number.filter(|number| number.is_finite());
                        finite.map(Number).ok_or_else(|| E::custom("a text is not a number"))
                    }
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            value => serializer.serialize_f64(value),
        }
    }
}

/// A flag, read from a flag or from the text that a query has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Given {
            Flag(bool),
            Text(String),
        }
        match Given::deserialize(deserializer)? {
            Given::Flag(flag) => Ok(Self(flag)),
            Given::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Self(true)),
            Given::Text(text) if text.eq_ignore_ascii_case("false") || text.is_empty() => Ok(Self(false)),
            Given::Text(_) => Err(D::Error::custom("expected true or false")),
        }
    }
}

/// A list of texts; a query parameter that occurs once is a list of one.
#[derive(Debug, Default)]
pub(crate) struct Texts(Vec<String>);

impl Texts {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            Many(Vec<String>),
            One(String),
        }
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::Many(texts) => Self(texts),
            OneOrMany::One(text) => Self(vec![text]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_as_numbers_and_as_text() {
        for (text, expected) in
            [("5", 5), ("\"5\"", 5), ("5.0", 5), ("\"-7\"", -7), ("9223372036854775807", i64::MAX), ("-1", -1)]
        {
            assert_eq!(serde_json::from_str::<Integer>(text).unwrap().0, expected, "{text}");
        }
        for text in ["5.5", "\"5.0\"", "\" 5\"", "\"+5\"", "\"\"", "9223372036854775808", "1e300", "true", "[1]"] {
            assert!(serde_json::from_str::<Integer>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_number_is_text() {
        for text in ["\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "1.5", "-0.25"] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&number).unwrap(), text);
        }
        for text in ["\"nan\"", "\"inf\"", "\"1e999\"", "\"\"", "true", "null"] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
    }
}
