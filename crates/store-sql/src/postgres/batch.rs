//! Many rows in one statement: the server plans and runs it once, however many rows there are.

use std::error::Error;
use std::fmt;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

use super::value::Mismatch;
use crate::sql::Value;

/// The `INSERT` of one row made one of many: `VALUES (?1, …)` becomes a `SELECT` from one array for each parameter, whose types
/// are `types`. `None` where the statement has another form.
pub(crate) fn of_many(sql: &str, types: &[Type]) -> Option<String> {
    let (head, rest) = sql.split_once("VALUES (")?;
    let end = closing(rest)?;
    let (row, tail) = rest.split_at_checked(end)?;
    let tail = tail.strip_prefix(')')?;
    if types.is_empty() || head.contains('?') || tail.contains('?') || tail.contains("RETURNING") {
        return None;
    }
    let mut arrays = Vec::with_capacity(types.len());
    let mut names = Vec::with_capacity(types.len());
    for (position, of) in types.iter().enumerate() {
        arrays.push(format!("CAST(${} AS {}[])", position + 1, name(of)?));
        names.push(format!("p{}", position + 1));
    }
    // A parameter's number follows its sign, so that the sign alone can be replaced.
    let row = row.replace('?', "u.p");
    let (arrays, names) = (arrays.join(", "), names.join(", "));
    Some(format!(
        "{head}SELECT {row} FROM unnest({arrays}) WITH ORDINALITY AS u({names}, place) ORDER BY u.place{tail}"
    ))
}

/// Where the parenthesis ends that is open at the beginning.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_u32;
    for (place, character) in text.char_indices() {
        match character {
            // A quoted sign could be anything: such a statement is not one of these.
            '?' if text.get(..place)?.matches('\'').count() % 2 == 1 => return None,
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(place);
        }
    }
    None
}

fn name(of: &Type) -> Option<&'static str> {
    Some(match *of {
        Type::INT8 => "BIGINT",
        Type::FLOAT8 => "DOUBLE PRECISION",
        Type::TEXT => "TEXT",
        Type::BYTEA => "BYTEA",
        _ => return None,
    })
}

/// The values of one parameter in all rows.
pub(crate) struct Array<'v>(pub(crate) Vec<&'v Value<'v>>);

impl ToSql for Array<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Kind::Array(element) = wanted.kind() else { return Err(Mismatch.into()) };
        out.put_i32(1);
        out.put_i32(i32::from(self.0.iter().any(|value| matches!(value, Value::Null))));
        out.put_u32(element.oid());
        out.put_i32(i32::try_from(self.0.len())?);
        out.put_i32(1);
        let mut one = BytesMut::new();
        for value in &self.0 {
            one.clear();
            match value.to_sql(element, &mut one)? {
                IsNull::Yes => out.put_i32(-1),
                IsNull::No => {
                    out.put_i32(i32::try_from(one.len())?);
                    out.put_slice(&one);
                }
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array of {}", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_many() {
        let sql = "INSERT INTO t (a, b, c) VALUES (?1, 'x', left(?2, 3)) ON CONFLICT (a) DO NOTHING";
        assert_eq!(
            of_many(sql, &[Type::INT8, Type::TEXT]).unwrap(),
            "INSERT INTO t (a, b, c) SELECT u.p1, 'x', left(u.p2, 3) FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[])) \
             WITH ORDINALITY AS u(p1, p2, place) ORDER BY u.place ON CONFLICT (a) DO NOTHING"
        );
    }

    #[test]
    fn other_forms_are_left_alone() {
        for sql in [
            "DELETE FROM t WHERE a = ?1",
            "INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO UPDATE SET a = ?1",
            "INSERT INTO t (a) VALUES (?1) RETURNING number",
            "INSERT INTO t (a, b) VALUES (?1, 'is it ?1')",
            "INSERT INTO t (a) VALUES (?1",
        ] {
            assert_eq!(of_many(sql, &[Type::INT8]), None, "{sql}");
        }
        assert_eq!(of_many("INSERT INTO t (a) VALUES (?1)", &[Type::JSON]), None);
    }
}
