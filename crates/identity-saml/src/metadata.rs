//! An identity provider's metadata (SAML 2.0 metadata). It is the operator's own file, so its signature, if it has one, is not
//! what makes it trusted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::SamlSettingsError;
use crate::key::Key;
use crate::names::{METADATA, PROTOCOL, REDIRECT, SIGNATURE};
use crate::xml::{children, is, parse, text};

/// What is needed of an identity provider.
#[derive(Debug, Clone)]
pub(crate) struct IdentityProvider {
    pub(crate) entity_id: String,
    /// Where browsers are sent by the redirect binding.
    pub(crate) sso_url: String,
    pub(crate) keys: Vec<Key>,
}

/// Reads an `EntityDescriptor`.
pub(crate) fn read(xml: &str) -> Result<IdentityProvider, SamlSettingsError> {
    let bad = |what: &str| SamlSettingsError::value("metadata_file", what);
    let document = parse(xml).map_err(|error| bad(&error.what))?;
    let root = document.root_element();
    if !is(root, METADATA, "EntityDescriptor") {
        return Err(bad("it is no EntityDescriptor"));
    }
    let entity_id = root.attribute("entityID").filter(|id| !id.is_empty()).ok_or_else(|| bad("it has no entityID"))?;
    let descriptor = children(root, METADATA, "IDPSSODescriptor").find(|descriptor| {
        let protocols = descriptor.attribute("protocolSupportEnumeration").unwrap_or_default();
        protocols.split_ascii_whitespace().any(|protocol| protocol == PROTOCOL)
    });
    let descriptor = descriptor.ok_or_else(|| bad("it describes no identity provider of SAML 2.0"))?;
    let sso = children(descriptor, METADATA, "SingleSignOnService")
        .find(|service| service.attribute("Binding") == Some(REDIRECT))
        .and_then(|service| service.attribute("Location"));
    let sso_url = sso.ok_or_else(|| bad("it has no SingleSignOnService for HTTP-Redirect"))?;
    let mut keys = Vec::new();
    for key in children(descriptor, METADATA, "KeyDescriptor") {
        if key.attribute("use").unwrap_or("signing") != "signing" {
            continue;
        }
        for certificate in key.descendants().filter(|node| is(*node, SIGNATURE, "X509Certificate")) {
            let encoded: String = text(certificate).unwrap_or_default().split_ascii_whitespace().collect();
            let key = STANDARD.decode(encoded).ok().and_then(|der| Key::of_certificate(&der));
            keys.push(key.ok_or_else(|| bad("a certificate can't be read, or its key is of no use"))?);
        }
    }
    if keys.is_empty() {
        return Err(bad("it has no certificate that signs"));
    }
    Ok(IdentityProvider { entity_id: entity_id.to_owned(), sso_url: sso_url.to_owned(), keys })
}
