//! Signatures inside of what they sign (<https://www.w3.org/TR/xmldsig-core1/>), as SAML 2.0 core, section 5.4, allows them,
//! and no more of what XML Signature can be made to mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use crate::SamlError;
use crate::c14n::exclusive;
use crate::key::{Algorithm, Key, digest};
use crate::names::{ENVELOPED, EXCLUSIVE, SIGNATURE};
use crate::xml::{children, is, only, parse, text};

/// The canonical text of `element` without its signature, if one of `keys` signed it; `None` if it has no signature.
///
/// Read what is signed from this text and from nowhere else.
pub(crate) fn verify(element: Node<'_, '_>, keys: &[Key]) -> Result<Option<String>, SamlError> {
    let mut signatures = children(element, SIGNATURE, "Signature");
    let Some(signature) = signatures.next() else { return Ok(None) };
    if signatures.next().is_some() {
        return Err(SamlError::signature("an element has two signatures"));
    }
    let id = element.attribute("ID").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| SamlError::signature("an element is signed and has no ID"))?;
    let shape = || SamlError::signature("a signature is not built as SAML asks for");
    let signed_info = only(signature, SIGNATURE, "SignedInfo").ok_or_else(shape)?;
    let method = only(signed_info, SIGNATURE, "CanonicalizationMethod").ok_or_else(shape)?;
    let prefixes = canonicalisation(method)?;
    let signed_info = exclusive(signed_info, None, &prefixes)?;
    let value = only(signature, SIGNATURE, "SignatureValue").and_then(text).ok_or_else(shape)?;
    let value = decode(&value).ok_or_else(shape)?;

    // From here on only the text that the signature is over is looked at.
    let document = parse(&signed_info)?;
    let parts: Vec<_> = document.root_element().children().filter(Node::is_element).collect();
    let [method, signature_method, reference] = parts.as_slice() else { return Err(shape()) };
    let named = |node: &Node<'_, '_>, name| is(*node, SIGNATURE, name);
    if !(named(method, "CanonicalizationMethod")
        && named(signature_method, "SignatureMethod")
        && named(reference, "Reference"))
    {
        return Err(shape());
    }
    if canonicalisation(*method)? != prefixes {
        return Err(shape());
    }
    if signature_method.children().any(|child| child.is_element()) {
        return Err(shape());
    }
    let algorithm = Algorithm::named(signature_method.attribute("Algorithm").unwrap_or_default())
        .ok_or_else(|| SamlError::signature("the algorithm of a signature is not allowed"))?;
    if !keys.iter().any(|key| key.signed(algorithm, signed_info.as_bytes(), &value)) {
        return Err(SamlError::signature(
            "a signature is by no key of the identity provider, or what it signs was changed",
        ));
    }

    let uri = reference.attribute("URI").unwrap_or_default();
    if uri.strip_prefix('#') != Some(id) {
        return Err(SamlError::signature("a signature is of another element than the one that holds it"));
    }
    let parts: Vec<_> = reference.children().filter(Node::is_element).collect();
    let [transforms, digest_method, digest_value] = parts.as_slice() else { return Err(shape()) };
    if !(named(transforms, "Transforms") && named(digest_method, "DigestMethod") && named(digest_value, "DigestValue"))
    {
        return Err(shape());
    }
    let steps: Vec<_> = transforms.children().filter(Node::is_element).collect();
    let [enveloped, canonical] = steps.as_slice() else { return Err(shape()) };
    let enveloped_alone =
        enveloped.attribute("Algorithm") == Some(ENVELOPED) && !enveloped.children().any(|child| child.is_element());
    if !(named(enveloped, "Transform") && enveloped_alone && named(canonical, "Transform")) {
        return Err(shape());
    }
    let prefixes = canonicalisation(*canonical)?;
    let content = exclusive(element, Some(signature.id()), &prefixes)?;
    let expected = digest(digest_method.attribute("Algorithm").unwrap_or_default(), content.as_bytes())
        .ok_or_else(|| SamlError::signature("the algorithm of a digest is not allowed"))?;
    let said = text(*digest_value).and_then(|said| decode(&said)).ok_or_else(shape)?;
    if said != expected {
        return Err(SamlError::signature("what is signed was changed"));
    }
    Ok(Some(content))
}

/// The prefixes of exclusive canonicalisation; another one is an error.
fn canonicalisation<'a>(method: Node<'a, '_>) -> Result<Vec<&'a str>, SamlError> {
    let other = || SamlError::signature("only exclusive canonicalisation without comments is allowed");
    if method.attribute("Algorithm") != Some(EXCLUSIVE) {
        return Err(other());
    }
    let parts: Vec<_> = method.children().filter(Node::is_element).collect();
    match parts.as_slice() {
        [] => Ok(Vec::new()),
        [one] if is(*one, EXCLUSIVE, "InclusiveNamespaces") => {
            Ok(one.attribute("PrefixList").unwrap_or_default().split_ascii_whitespace().collect())
        }
        _ => Err(other()),
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let plain: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    // Longer than any signature or digest.
    if plain.len() > 4096 {
        return None;
    }
    STANDARD.decode(plain).ok()
}
