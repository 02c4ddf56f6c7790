use std::collections::BTreeMap;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use sealyard_app::AppError;
use sealyard_formats::json_bounds::{JsonBounds, is_shallow};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ApiError;

/// Bytes of a usual request body.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Bytes of a request that carries data set profiles.
const MAX_LARGE_BODY: usize = 32 * 1024 * 1024;
/// Deeper JSON is refused, also in fields that mean nothing.
const DEEPEST: usize = 127;
/// A body this small is not looked through before it is read.
const SMALL: usize = 64 * 1024;
/// Query parameters of a request.
const MAX_PARAMETERS: usize = 2000;

/// A request in the way of MLflow's clients: JSON in the body, or query parameters for GET and a DELETE without body.
/// Unknown fields are passed over and absent ones have their default, as in protobuf.
///
/// It is read once, from one place, and both the authorizer and the act use what was read: a value in the query can't
/// say one thing to the first and the body another thing to the second.
#[derive(Debug)]
pub(crate) struct Input<T>(pub(crate) T);

/// Like [`Input`], with the request's size, for endpoints with a bound of their own.
#[derive(Debug)]
pub(crate) struct Inputs<T> {
    /// What was read.
    pub(crate) value: T,
    /// Bytes of the body.
    pub(crate) size: usize,
}

/// Like [`Input`], for bodies that may be large.
#[derive(Debug)]
pub(crate) struct LargeInput<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Self(read(request, MAX_BODY).await?.value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Inputs<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read(request, MAX_BODY).await
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for LargeInput<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Self(read(request, MAX_LARGE_BODY).await?.value))
    }
}

/// A request whose path names what it is about: its body is read once that is authorized. Who may not is told so at once, and no
/// memory is taken for what they send.
#[derive(Debug)]
pub(crate) struct Unread<T>(Request, PhantomData<T>);

impl<S: Send + Sync, T> FromRequest<S> for Unread<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Self(request, PhantomData))
    }
}

impl<T: DeserializeOwned> Unread<T> {
    /// The request, as [`Input`] has it, and what `authorize` gives. It is asked before the body is read and once more after: a
    /// body may be long in coming, and what was allowed at its begin may be so no longer.
    pub(crate) async fn read<P, F>(self, authorize: impl Fn() -> F) -> Result<(T, P), ApiError>
    where
        F: Future<Output = Result<P, AppError>>,
    {
        self.read_within(MAX_BODY, authorize).await
    }

    /// The same of what [`LargeInput`] has.
    pub(crate) async fn read_large<P, F>(self, authorize: impl Fn() -> F) -> Result<(T, P), ApiError>
    where
        F: Future<Output = Result<P, AppError>>,
    {
        self.read_within(MAX_LARGE_BODY, authorize).await
    }

    async fn read_within<P, F>(self, limit: usize, authorize: impl Fn() -> F) -> Result<(T, P), ApiError>
    where
        F: Future<Output = Result<P, AppError>>,
    {
        authorize().await?;
        let value = read(self.0, limit).await?.value;
        Ok((value, authorize().await?))
    }
}

/// A request of Sealyard's own API: a JSON object as its type says, nothing missing and nothing more.
#[derive(Debug)]
pub(crate) struct Strict<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Strict<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Self(read(request, MAX_BODY).await?.value))
    }
}

async fn read<T: DeserializeOwned>(request: Request, limit: usize) -> Result<Inputs<T>, ApiError> {
    let (parts, body) = request.into_parts();
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(Inputs { value: query_parameters(&parts.uri)?, size: 0 });
    }
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(ApiError::invalid(format!("the request's body is larger than {limit} bytes")));
        }
        Err(_) => return Err(ApiError::invalid("the request's body broke off")),
    };
    let size = bytes.len();
    if bytes.is_empty() && parts.method == Method::DELETE {
        return Ok(Inputs { value: query_parameters(&parts.uri)?, size });
    }
    // Smaller ones make little of anything.
    if size > SMALL && !JsonBounds::REQUEST.hold(&bytes) {
        return Err(ApiError::invalid("the request's body holds too many values"));
    }
    let value = direct(&parts.headers, &bytes).map_or_else(|| parse(|| from_body(&parts.headers, &bytes)), Ok)?;
    Ok(Inputs { value, size })
}

/// Most requests are as their type says, and need no tree of values in between.
fn direct<T: DeserializeOwned>(headers: &HeaderMap, bytes: &Bytes) -> Option<T> {
    if is_json(headers) && is_object(bytes) && is_shallow(bytes, DEEPEST) {
        serde_json::from_slice(bytes).ok()
    } else {
        None
    }
}

/// A form that a page of another origin sends without asking has another type.
fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|value| {
        let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case("application/scim+json")
    })
}

/// Whether JSON, if it is that, is an object; a list would do for a struct, too.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

fn from_body(headers: &HeaderMap, bytes: &Bytes) -> Result<Value, ApiError> {
    if !is_json(headers) {
        return Err(ApiError::invalid("the request's body must be application/json"));
    }
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    // serde_json ends at a depth of 128.
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| ApiError::invalid(format!("the body is not JSON: {error}")))?;
    if !value.is_object() {
        return Err(ApiError::invalid("the request's body must be a JSON object"));
    }
    Ok(value)
}

/// What `read` reads, as a `T`. A second time if it is none, to say what is wrong with it.
///
/// Protobuf's JSON takes `null` for "not there".
fn parse<T: DeserializeOwned>(read: impl Fn() -> Result<Value, ApiError>) -> Result<T, ApiError> {
    let read = || {
        let mut value = read()?;
        if let Value::Object(fields) = &mut value {
            fields.retain(|_, value| !value.is_null());
        }
        Ok::<_, ApiError>(value)
    };
    match serde_json::from_value(read()?) {
        Ok(found) => Ok(found),
        Err(error) => Err(blame::<T>(read()?, &error)),
    }
}

/// So many fields are looked at for the one to blame.
const BLAMED: usize = 100;
/// How much of a wrong value is told back.
const SHOWN: usize = 200;

/// In MLflow's words, which parameter is wrong: the one that alone is wrong too.
fn blame<T: DeserializeOwned>(value: Value, error: &serde_json::Error) -> ApiError {
    let fields = if let Value::Object(fields) = value { fields } else { serde_json::Map::new() };
    let found = fields.into_iter().take(BLAMED).find_map(|(name, value)| {
        let one: serde_json::Map<String, Value> = std::iter::once((name.clone(), value.clone())).collect();
        let error = serde_json::from_value::<T>(Value::Object(one)).err()?;
        Some((name, value, error))
    });
    let shorten = |text: String| text.chars().take(SHOWN).collect::<String>();
    match found {
        Some((name, value, error)) => ApiError::invalid(format!(
            "Invalid value {} for parameter '{}' supplied: {}.",
            shorten(value.to_string()),
            shorten(name),
            shorten(error.to_string())
        )),
        None => ApiError::invalid(format!("Invalid parameter: {}", shorten(error.to_string()))),
    }
}

/// Query parameters as an object; a repeated one is a list.
fn from_query(query: &str) -> Result<Value, ApiError> {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MAX_PARAMETERS {
            return Err(ApiError::invalid("the request has too many query parameters"));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, Value::String(decode(value)?));
        match fields.get_mut(&name) {
            None => {
                fields.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(Value::Object(fields.into_iter().collect()))
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| ApiError::invalid("a query parameter is not UTF-8"))
}

/// A query's parameters, where the body is something else.
pub(crate) fn query_parameters<T: DeserializeOwned>(uri: &http::Uri) -> Result<T, ApiError> {
    parse(|| from_query(uri.query().unwrap_or_default()))
}

/// The value of a field that must be there.
pub(crate) fn required<'a>(name: &str, value: &'a str) -> Result<&'a str, ApiError> {
    if value.is_empty() {
        return Err(ApiError::invalid(format!("Missing value for required parameter '{name}'.")));
    }
    Ok(value)
}

/// A body into `T`, as a request's is; both ways of reading it must come to the same. The quicker one looks less closely at
/// fields that mean nothing.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_body<T: DeserializeOwned + std::fmt::Debug>(bytes: &[u8]) -> Option<T> {
    let (headers, bytes) = (HeaderMap::new(), Bytes::copy_from_slice(bytes));
    let parsed: Option<T> = parse(|| from_body(&headers, &bytes)).ok();
    let direct = direct::<T>(&headers, &bytes);
    if let (Some(direct), Some(parsed)) = (&direct, &parsed) {
        assert_eq!(format!("{direct:?}"), format!("{parsed:?}"));
    }
    direct.or(parsed)
}

/// Query parameters into `T`, as a request's are.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_query<T: DeserializeOwned>(text: &str) {
    let _ = parse::<T>(|| from_query(text));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queries_are_decoded_once() {
        assert_eq!(
            from_query("a=x+y%20z&b=%2525&c=1&c=2&d").unwrap(),
            json!({"a": "x y z", "b": "%25", "c": ["1", "2"], "d": ""})
        );
        assert!(from_query("a=%ff").is_err());
        assert!(from_query(&"a=1&".repeat(MAX_PARAMETERS + 1)).is_err());
    }

    #[test]
    fn the_wrong_parameter_is_named() {
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        #[allow(dead_code, reason = "only read")]
        struct Request {
            name: String,
            tags: Vec<String>,
        }
        let message = |value: Value| format!("{:?}", parse::<Request>(|| Ok(value.clone())).unwrap_err());
        assert!(message(json!({"name": 12, "tags": []})).contains("Invalid value 12 for parameter 'name' supplied"));
        let text = message(json!({"name": "x", "tags": "5"}));
        assert!(text.contains(r#"Invalid value \"5\" for parameter 'tags' supplied"#), "{text}");
        assert!(message(json!({"name": "x", "tags": "y".repeat(9999)})).len() < 1000);
        assert!(parse::<Request>(|| Ok(json!({"name": null, "odd": 1}))).is_ok());
    }

    #[test]
    fn bodies_are_objects_in_json() {
        let mut headers = HeaderMap::new();
        let body = |text: &str| Bytes::from(text.to_owned());
        assert!(from_body(&headers, &body("{}")).is_ok());
        assert!(from_body(&headers, &body("[]")).is_err());
        assert!(from_body(&headers, &body(&format!("{{\"a\":{}", "[".repeat(100_000)))).is_err());
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            assert!(from_body(&headers, &body("{}")).is_err(), "{kind}");
        }
        headers.insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        assert!(from_body(&headers, &body("{}")).is_ok());
    }
}
