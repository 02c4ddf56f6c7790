use sealyard_outbound::{Ask, Outbound};

use crate::{Claims, Kind, OidcError, ProviderSettings};

/// Bytes of the longest document.
const LONGEST: usize = 256 * 1024;

/// Where the provider has what.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub(crate) authorization: String,
    pub(crate) token: String,
    pub(crate) keys: String,
    pub(crate) userinfo: Option<String>,
    pub(crate) end_session: Option<String>,
    /// It says who it is when it sends a browser back (RFC 9207).
    pub(crate) says_issuer: bool,
}

/// Asks the issuer about itself (OpenID Connect Discovery 1.0).
pub(crate) async fn discover(
    settings: &ProviderSettings,
    outbound: &Outbound,
    headers: Vec<(&'static str, String)>,
) -> Result<Metadata, OidcError> {
    let unavailable = |reason: &str| OidcError::unavailable(&settings.name, format!("its description {reason}"));
    let url = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
    let answer = outbound
        .ask(Ask { url: &url, headers, body: None, most: LONGEST })
        .await
        .map_err(|error| OidcError::outgoing(&settings.name, "its description could not be fetched", &error))?;
    if answer.status != 200 {
        return Err(unavailable(&format!("was answered with status {}", answer.status)));
    }
    let document = Claims::parse(&answer.body).map_err(|error| unavailable(&format!("can't be read: {error}")))?;
    // Exactly: whoever answers at that address must claim to be the issuer, or tokens would be taken for another's.
    if document.text("issuer") != Some(settings.issuer.as_str()) {
        return Err(unavailable("names another issuer"));
    }
    let address = |name: &str| -> Result<Option<String>, OidcError> {
        let Some(value) = document.get(name) else { return Ok(None) };
        let text = value.as_str().filter(|text| !text.contains('#') && text.is_ascii());
        let text = text.ok_or_else(|| unavailable(&format!("has no address as `{name}`")))?;
        outbound.check(text).map_err(|error| unavailable(&format!("has a `{name}` that can't be used: {error}")))?;
        Ok(Some(text.to_owned()))
    };
    let people = settings.kind == Kind::People;
    let needed = |name: &str, needed: bool| match address(name)? {
        Some(address) => Ok(address),
        None if needed => Err(unavailable(&format!("has no `{name}`"))),
        None => Ok(String::new()),
    };
    Ok(Metadata {
        authorization: needed("authorization_endpoint", people)?,
        token: needed("token_endpoint", people)?,
        keys: needed("jwks_uri", true)?,
        userinfo: if people { address("userinfo_endpoint")? } else { None },
        end_session: if people { address("end_session_endpoint")? } else { None },
        says_issuer: document
            .get("authorization_response_iss_parameter_supported")
            .is_some_and(|value| *value == serde_json::Value::Bool(true)),
    })
}
