//! CSV with a line of names, as pandas reads it: commas, double quotes doubled inside quotes.

use super::request::{Cell, Table};
use super::{InvokeError, Limits};

pub(super) fn parse(body: &[u8], limits: &Limits) -> Result<Table, InvokeError> {
    let text = std::str::from_utf8(body).map_err(|_| InvokeError::Malformed("the body is not UTF-8"))?;
    let mut records = Records { rest: text.trim_start_matches('\u{feff}'), limits };
    let columns = records.next()?.ok_or(InvokeError::Malformed("the body has no line of column names"))?;
    let mut rows = Vec::new();
    while let Some(record) = records.next()? {
        if rows.len() >= limits.rows {
            return Err(InvokeError::Bound { what: "rows", limit: limits.rows });
        }
        if record.len() != columns.len() {
            return Err(InvokeError::Malformed("a line has another number of values than the first"));
        }
        rows.push(record.iter().map(|text| cell(text)).collect());
    }
    Ok(Table { columns: Some(columns), rows })
}

fn cell(text: &str) -> Cell {
    let text = text.trim();
    if let Ok(value) = text.parse::<i64>() {
        return Cell::Int(value);
    }
    match text {
        "" => Cell::Missing,
        "True" | "true" | "TRUE" => Cell::Bool(true),
        "False" | "false" | "FALSE" => Cell::Bool(false),
        _ => text.parse::<f64>().ok().filter(|value| value.is_finite()).map_or(Cell::Other, Cell::Float),
    }
}

struct Records<'t> {
    rest: &'t str,
    limits: &'t Limits,
}

impl Records<'_> {
    /// The next line that is not blank.
    fn next(&mut self) -> Result<Option<Vec<String>>, InvokeError> {
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut record = Vec::new();
        loop {
            if record.len() >= self.limits.columns {
                return Err(InvokeError::Bound { what: "columns", limit: self.limits.columns });
            }
            record.push(self.value()?);
            match self.rest.chars().next() {
                Some(',') => self.rest = self.rest.get(1..).unwrap_or_default(),
                None | Some('\r' | '\n') => return Ok(Some(record)),
                Some(_) => return Err(InvokeError::Malformed("a value has text behind its closing quote")),
            }
        }
    }

    fn value(&mut self) -> Result<String, InvokeError> {
        let Some(mut inner) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\r', '\n']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(value.to_owned());
        };
        let mut value = String::new();
        loop {
            let (before, after) = inner.split_once('"').ok_or(InvokeError::Malformed("a quoted value does not end"))?;
            value.push_str(before);
            match after.strip_prefix('"') {
                Some(rest) => {
                    value.push('"');
                    inner = rest;
                }
                None => {
                    self.rest = after;
                    return Ok(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_types() {
        let table = parse(b"a,\"b,\"\"c\"\n1,\"2.5\"\r\n\n,x\n", &Limits::default()).unwrap();
        assert_eq!(table.columns.unwrap(), ["a", "b,\"c"]);
        assert_eq!(table.rows, [vec![Cell::Int(1), Cell::Float(2.5)], vec![Cell::Missing, Cell::Other]]);
        for broken in ["a,b\n1\n", "a\n\"1\n", "a\n\"1\"2\n", ""] {
            assert!(parse(broken.as_bytes(), &Limits::default()).is_err(), "{broken:?}");
        }
    }
}
