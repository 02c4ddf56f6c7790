use axum::body::Body;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::percent_decode_str;
use sealyard_core::Redacted;

use crate::http::ApiError;

/// Bytes of a form: a name, a password, a token.
const MAX_FORM: usize = 8 * 1024;

/// The fields of a form, each of them once and a secret until it is known to be none.
pub(super) struct Form(Vec<(String, Redacted<String>)>);

impl Form {
    /// Reads the body of a request with these headers. `None` is a form that can't be read.
    pub(super) async fn receive(headers: &HeaderMap, body: Body) -> Result<Option<Self>, ApiError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ApiError::invalid("a form is application/x-www-form-urlencoded"));
        }
        let Ok(body) = Limited::new(body, MAX_FORM).collect().await else {
            let message = format!("the form is larger than {MAX_FORM} bytes, or broke off");
            return Err(ApiError::invalid(message));
        };
        Ok(Self::read(&Redacted::new(body.to_bytes().to_vec())))
    }

    fn read(body: &Redacted<Vec<u8>>) -> Option<Self> {
        let text = std::str::from_utf8(body.expose()).ok()?;
        let mut fields: Vec<(String, Redacted<String>)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            let value = percent_decode_str(&value.replace('+', " ")).decode_utf8().ok()?.into_owned();
            if fields.iter().any(|(known, _)| known == key) {
                return None;
            }
            fields.push((key.to_owned(), Redacted::new(value)));
        }
        Some(Self(fields))
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Option<Redacted<String>> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(place).1)
    }

    /// The same, of a field that is nothing if it is not there.
    pub(super) fn take_or_empty(&mut self, name: &str) -> Redacted<String> {
        self.take(name).unwrap_or_else(|| Redacted::new(String::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Form> {
        Form::read(&Redacted::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn forms_are_decoded_once() {
        let mut form = read("token=t&name=ada+b&password=%2525%26").unwrap();
        let mut take = |name| form.take(name).map(|value| value.expose().clone());
        assert_eq!((take("name").as_deref(), take("password").as_deref()), (Some("ada b"), Some("%25&")));
        assert_eq!((take("name"), take("none")), (None, None));
    }

    #[test]
    fn odd_forms_are_none() {
        for text in ["name=a&name=b&password=c&token=d", "name=%ff&password=b&token=c", "x"] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read("").is_some_and(|mut form| form.take("name").is_none()));
    }
}
