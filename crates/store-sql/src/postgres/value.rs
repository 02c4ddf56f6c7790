//! Values and columns in PostgreSQL's binary form.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::sql::{Value, ValueRef};

/// A value that its column or comparison can't take.
#[derive(Debug, thiserror::Error)]
#[error("a value is of another kind than what it is compared with")]
pub(crate) struct Mismatch;

impl ToSql for Value<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Integer(number) => match *wanted {
                Type::INT8 => out.put_i64(*number),
                Type::INT4 => out.put_i32(i32::try_from(*number).map_err(|_| Mismatch)?),
                Type::INT2 => out.put_i16(i16::try_from(*number).map_err(|_| Mismatch)?),
                Type::FLOAT8 => out.put_f64(*number as f64),
                _ if is_text(wanted) => out.put_slice(number.to_string().as_bytes()),
                _ => return Err(Mismatch.into()),
            },
            Self::Real(number) => match *wanted {
                Type::FLOAT8 => out.put_f64(*number),
                Type::INT8 => out.put_i64(whole(*number).ok_or(Mismatch)?),
                _ => return Err(Mismatch.into()),
            },
            Self::Text(text) => match *wanted {
                Type::INT8 => out.put_i64(text.parse().map_err(|_| Mismatch)?),
                Type::JSON => out.put_slice(text.as_bytes()),
                _ if is_text(wanted) => out.put_slice(text.as_bytes()),
                _ => return Err(Mismatch.into()),
            },
            Self::Blob(bytes) if *wanted == Type::BYTEA => out.put_slice(bytes),
            Self::Blob(_) => return Err(Mismatch.into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn is_text(wanted: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME, Type::UNKNOWN].contains(wanted)
}

/// `number` as an integer, if it is one.
fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number)).then_some(number as i64)
}

/// A column as this crate sees it.
pub(crate) struct Column<'r>(pub(crate) ValueRef<'r>);

impl<'r> FromSql<'r> for Column<'r> {
    fn from_sql(found: &Type, bytes: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *found {
            Type::INT8 => ValueRef::Integer(i64::from_be_bytes(bytes.try_into()?)),
            Type::INT4 => ValueRef::Integer(i32::from_be_bytes(bytes.try_into()?).into()),
            Type::INT2 => ValueRef::Integer(i16::from_be_bytes(bytes.try_into()?).into()),
            Type::BOOL => ValueRef::Integer(i64::from(bytes != [0])),
            Type::FLOAT8 => ValueRef::Real(f64::from_be_bytes(bytes.try_into()?)),
            Type::FLOAT4 => ValueRef::Real(f32::from_be_bytes(bytes.try_into()?).into()),
            Type::NUMERIC => numeric(bytes).ok_or("a decimal number that is too large")?,
            Type::BYTEA => ValueRef::Blob(bytes),
            _ if is_text(found) => ValueRef::Text(std::str::from_utf8(bytes)?),
            _ => return Err(format!("a column of type {found}").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A decimal number, which PostgreSQL makes of the sum of integers: digits to the base 10,000.
fn numeric(bytes: &[u8]) -> Option<ValueRef<'_>> {
    let mut words = bytes.chunks_exact(2).map(|word| Some(i16::from_be_bytes(word.try_into().ok()?)));
    let mut word = || words.next().flatten();
    let (count, weight, sign, _scale) = (word()?, word()?, word()?, word()?);
    if sign != 0 && sign != 0x4000 {
        return None;
    }
    let mut sum = 0_i64;
    for position in 0..i16::max(count, weight.checked_add(1)?) {
        let digit = if position < count { word()? } else { 0 };
        if position > weight {
            // A fraction: nothing here counts in them.
            return (digit == 0).then_some(ValueRef::Integer(sum));
        }
        sum = sum.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    Some(ValueRef::Integer(if sign == 0 { sum } else { -sum }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &Value<'_>, wanted: &Type) -> Option<Vec<u8>> {
        let mut out = BytesMut::new();
        value.to_sql(wanted, &mut out).ok().map(|_| out.to_vec())
    }

    #[test]
    fn a_value_never_changes_on_its_way() {
        assert_eq!(sent(&Value::Integer(i64::MIN), &Type::INT8), Some(i64::MIN.to_be_bytes().to_vec()));
        assert_eq!(sent(&Value::Integer(1 << 40), &Type::INT4), None);
        assert_eq!(sent(&Value::Real(3.0), &Type::INT8), Some(3_i64.to_be_bytes().to_vec()));
        for odd in [0.5, f64::INFINITY, 9.3e18, -1e300] {
            assert_eq!(sent(&Value::Real(odd), &Type::INT8), None, "{odd}");
        }
        assert_eq!(sent(&Value::from("17"), &Type::INT8), Some(17_i64.to_be_bytes().to_vec()));
        assert_eq!(sent(&Value::from("17x"), &Type::INT8), None);
        assert_eq!(sent(&Value::from("x"), &Type::BYTEA), None);
    }

    #[test]
    fn sums_are_integers() {
        let words = |words: &[i16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        assert_eq!(numeric(&words(&[0, 0, 0, 0])), Some(ValueRef::Integer(0)));
        assert_eq!(numeric(&words(&[2, 1, 0x4000, 0, 12, 3456])), Some(ValueRef::Integer(-123_456)));
        assert_eq!(numeric(&words(&[1, 1, 0, 0, 7])), Some(ValueRef::Integer(70_000)));
        assert_eq!(numeric(&words(&[2, 0, 0, 1, 7, 5000])), None);
        assert_eq!(numeric(&words(&[1, 5, 0, 0, 7])), None);
        assert_eq!(numeric(&[1]), None);
    }
}
