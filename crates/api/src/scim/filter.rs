//! `filter`, `startIndex` and `count`: what directories ask for, which is one attribute being equal to a text.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::ScimError;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// Resources of one page.
pub(super) const MOST_RESULTS: usize = 200;
const MOST_FILTER: usize = 1000;

/// A request for a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    filter: Option<String>,
    #[serde(rename = "startIndex")]
    start_index: Option<String>,
    count: Option<String>,
    #[serde(rename = "excludedAttributes")]
    pub(super) excluded: Option<String>,
}

/// `attribute eq "text"`, the attribute in small letters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Equal {
    pub(super) attribute: String,
    pub(super) text: String,
}

impl Query {
    /// What is asked for; `None` for everything.
    pub(super) fn filter(&self) -> Result<Option<Equal>, ScimError> {
        self.filter.as_deref().filter(|text| !text.trim().is_empty()).map(equal).transpose()
    }

    /// The page of what was found.
    pub(super) fn page(&self, found: Vec<Value>) -> Result<Value, ScimError> {
        let number = |name: &str, text: &Option<String>, default: i64| match text {
            None => Ok(default),
            Some(text) => {
                text.parse::<i64>().map_err(|_| ScimError::invalid("invalidValue", format!("{name} is no number")))
            }
        };
        // RFC 7644, 3.4.2.4: what is less than one is one, and less than none is none.
        let start = number("startIndex", &self.start_index, 1)?.max(1);
        let count = number("count", &self.count, MOST_RESULTS as i64)?.max(0);
        let (start, total) = (usize::try_from(start).unwrap_or(usize::MAX), found.len());
        let count = usize::try_from(count).unwrap_or(MOST_RESULTS).min(MOST_RESULTS);
        let page: Vec<Value> = found.into_iter().skip(start - 1).take(count).collect();
        Ok(json!({
            "schemas": [LIST], "totalResults": total, "startIndex": start, "itemsPerPage": page.len(), "Resources": page,
        }))
    }
}

/// Reads `userName eq "ada"`; the text is JSON's.
pub(super) fn equal(text: &str) -> Result<Equal, ScimError> {
    let wrong = || ScimError::invalid("invalidFilter", "only ATTRIBUTE eq \"TEXT\" is understood");
    if text.len() > MOST_FILTER {
        return Err(wrong());
    }
    let text = text.trim();
    let (attribute, rest) = text.split_once(char::is_whitespace).ok_or_else(wrong)?;
    let (operator, value) = rest.trim_start().split_once(char::is_whitespace).ok_or_else(wrong)?;
    let value: String = serde_json::from_str(value.trim()).map_err(|_| wrong())?;
    if !operator.eq_ignore_ascii_case("eq") {
        return Err(wrong());
    }
    // The whole name of an attribute has its schema in front.
    let attribute = attribute.rsplit(':').next().unwrap_or(attribute);
    Ok(Equal { attribute: attribute.to_ascii_lowercase(), text: value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_equality_is_read_and_nothing_else() {
        let read = |text: &str| equal(text).ok().map(|found| (found.attribute, found.text));
        assert_eq!(read("userName eq \"a\\\"b\""), Some(("username".to_owned(), "a\"b".to_owned())));
        assert_eq!(read(" displayName EQ  \"x y\" "), Some(("displayname".to_owned(), "x y".to_owned())));
        let whole = "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada\"";
        assert_eq!(read(whole), Some(("username".to_owned(), "ada".to_owned())));
        for text in [
            "",
            "userName",
            "userName eq",
            "userName eq ada",
            "userName co \"a\"",
            "userName eq \"a\" and active eq true",
            "userName eq \"a",
            "not (userName eq \"a\")",
            "active eq true",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&format!("userName eq \"{}\"", "a".repeat(MOST_FILTER))).is_none());
    }

    #[test]
    fn pages_begin_at_one_and_end() {
        let page = |start: Option<&str>, count: Option<&str>| {
            let query =
                Query { start_index: start.map(str::to_owned), count: count.map(str::to_owned), ..Query::default() };
            query.page((0..5).map(Value::from).collect()).ok().map(|page| page["Resources"].clone())
        };
        assert_eq!(page(None, None), Some(json!([0, 1, 2, 3, 4])));
        assert_eq!(page(Some("2"), Some("2")), Some(json!([1, 2])));
        for start in ["0", "-7"] {
            assert_eq!(page(Some(start), Some("1")), Some(json!([0])));
        }
        assert_eq!(page(Some("6"), None), Some(json!([])));
        assert_eq!(page(Some("9223372036854775807"), Some("9223372036854775807")), Some(json!([])));
        assert_eq!(page(None, Some("0")), Some(json!([])));
        assert_eq!(page(None, Some("-1")), Some(json!([])));
        assert!(page(Some("x"), None).is_none());
    }
}
