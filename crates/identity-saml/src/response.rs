//! From what a browser brings to the text of the assertion that was signed in it.

use crate::SamlError;
use crate::c14n::exclusive;
use crate::key::Key;
use crate::names::{ASSERTION, PROTOCOL, SUCCESS};
use crate::signature::verify;
use crate::xml::{is, only, parse, text, unique_ids};

/// What a response has to be.
pub(crate) struct Wanted<'a> {
    pub(crate) keys: &'a [Key],
    /// Who sends it.
    pub(crate) idp: &'a str,
    /// Where it is sent to.
    pub(crate) acs: &'a str,
    /// The assertion itself has to be signed, and not only the response around it.
    pub(crate) assertion_signed: bool,
}

/// A response as far as it can be believed.
#[derive(Debug)]
pub(crate) struct Response {
    /// The text of the assertion that a signature was checked over.
    pub(crate) assertion: String,
    /// What it says it answers.
    pub(crate) in_response_to: Option<String>,
}

/// Checks a response's signatures and what is said around the assertion.
pub(crate) fn open(message: &str, wanted: &Wanted<'_>) -> Result<Response, SamlError> {
    let document = parse(message)?;
    unique_ids(&document)?;
    let original = document.root_element();
    if !is(original, PROTOCOL, "Response") {
        return Err(SamlError::document("it is no response"));
    }
    // A signature that is there is checked, also where it is not asked for.
    let signed = verify(original, wanted.keys)?;
    let signed_document = signed.as_deref().map(parse).transpose()?;
    let root = signed_document.as_ref().map_or(original, |document| document.root_element());

    if root.attribute("Version") != Some("2.0") {
        return Err(SamlError::document("it is not of SAML 2.0"));
    }
    match root.attribute("Destination") {
        Some(to) if to == wanted.acs => {}
        // SAML 2.0 bindings, 3.5.5.2: a signed message says where it goes.
        None if signed.is_none() => {}
        _ => return Err(SamlError::document("it was meant for another address")),
    }
    if let Some(issuer) = root.children().find(|child| is(*child, ASSERTION, "Issuer"))
        && text(issuer).as_deref() != Some(wanted.idp)
    {
        return Err(SamlError::document("it comes from somebody else"));
    }
    let status = only(root, PROTOCOL, "Status").and_then(|status| only(status, PROTOCOL, "StatusCode"));
    if status.and_then(|code| code.attribute("Value")) != Some(SUCCESS) {
        return Err(SamlError::new("saml.provider", "the identity provider did not let anybody in"));
    }
    if original.descendants().any(|node| is(node, ASSERTION, "EncryptedAssertion")) {
        return Err(SamlError::document("its assertion is encrypted, which is not read"));
    }
    if original.descendants().filter(|node| is(*node, ASSERTION, "Assertion")).count() != 1 {
        return Err(SamlError::document("it does not hold exactly one assertion"));
    }
    let misplaced = || SamlError::document("its assertion is not where it belongs");
    let own = only(original, ASSERTION, "Assertion").ok_or_else(misplaced)?;
    let around = only(root, ASSERTION, "Assertion").ok_or_else(misplaced)?;
    let in_response_to = root.attribute("InResponseTo").map(str::to_owned);
    let assertion = match verify(own, wanted.keys)? {
        Some(signed) => signed,
        None if wanted.assertion_signed => return Err(SamlError::signature("the assertion is not signed")),
        None if signed.is_none() => return Err(SamlError::signature("nothing is signed")),
        // Part of the text that the response's signature was checked over.
        None => exclusive(around, None, &[])?,
    };
    Ok(Response { assertion, in_response_to })
}
