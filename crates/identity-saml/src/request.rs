//! What this server says: that somebody shall be logged in, and who it is.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sealyard_core::Timestamp;

use crate::names::{ASSERTION, METADATA, POST, PROTOCOL};
use crate::xml::escape;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The address that begins a log-in, by the redirect binding (SAML 2.0 bindings, 3.4).
pub(crate) fn redirect(sso: &str, acs: &str, entity_id: &str, id: &str, relay: &str, now: Timestamp) -> Option<String> {
    let request = format!(
        "<samlp:AuthnRequest xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"{}\" Version=\"2.0\" \
         IssueInstant=\"{now}\" Destination=\"{}\" AssertionConsumerServiceURL=\"{}\" ProtocolBinding=\"{POST}\">\
         <saml:Issuer>{}</saml:Issuer><samlp:NameIDPolicy AllowCreate=\"true\"/></samlp:AuthnRequest>",
        escape(id),
        escape(sso),
        escape(acs),
        escape(entity_id),
    );
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(request.as_bytes()).ok()?;
    let encoded = STANDARD.encode(deflate.finish().ok()?);
    let joint = if sso.contains('?') { '&' } else { '?' };
    let request = utf8_percent_encode(&encoded, KEPT);
    Some(format!("{sso}{joint}SAMLRequest={request}&RelayState={}", utf8_percent_encode(relay, KEPT)))
}

/// This server's own metadata.
pub(crate) fn metadata(entity_id: &str, acs: &str, assertions_signed: bool) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<md:EntityDescriptor xmlns:md=\"{METADATA}\" entityID=\"{}\">\n\
         \x20 <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"{assertions_signed}\" \
         protocolSupportEnumeration=\"{PROTOCOL}\">\n\
         \x20   <md:AssertionConsumerService Binding=\"{POST}\" Location=\"{}\" index=\"0\" isDefault=\"true\"/>\n\
         \x20 </md:SPSSODescriptor>\n</md:EntityDescriptor>\n",
        escape(entity_id),
        escape(acs),
    )
}
