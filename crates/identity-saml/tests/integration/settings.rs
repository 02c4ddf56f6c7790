use std::sync::Arc;

use sealyard_core::{SystemClock, SystemRng};
use sealyard_identity_saml::{Provider, SamlSettingsError};

use crate::idp::{ACS, IDP, RSA, SP, Sp};

fn open(settings: &str) -> Result<Provider, SamlSettingsError> {
    let settings = toml::from_str(settings).unwrap();
    Provider::open("corp", settings, Arc::new(SystemClock), Arc::new(SystemRng))
}

fn metadata(use_: &str, binding: &str) -> String {
    let body: String = RSA.certificate.lines().filter(|line| !line.starts_with('-')).collect();
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{IDP}\">\
         <IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <KeyDescriptor{use_}><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>\n{body}\n\
         </X509Certificate></X509Data></KeyInfo></KeyDescriptor>\
         <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:{binding}\" Location=\"https://idp.example.org/sso?x=1\"/>\
         </IDPSSODescriptor></EntityDescriptor>"
    )
}

#[test]
fn metadata_of_a_provider_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("idp.xml");
    let settings = format!("metadata_file = {path:?}\nentity_id = \"{SP}\"\nacs_url = \"{ACS}\"");
    for use_ in ["", " use=\"signing\""] {
        std::fs::write(&path, metadata(use_, "HTTP-Redirect")).unwrap();
        let key = Sp::new().key;
        let begun = open(&settings).unwrap().begin(&key, "/").unwrap();
        assert!(begun.url.starts_with("https://idp.example.org/sso?x=1&SAMLRequest="), "{}", begun.url);
    }
    let other = metadata("", "HTTP-Redirect").replace("IDPSSODescriptor", "SPSSODescriptor");
    let dtd = format!("<!DOCTYPE a>{}", metadata("", "HTTP-Redirect"));
    let bad = metadata("", "HTTP-Redirect").replace("MII", "MIA");
    for bad in
        [metadata(" use=\"encryption\"", "HTTP-Redirect"), metadata("", "HTTP-POST"), other, dtd, bad, String::new()]
    {
        std::fs::write(&path, bad).unwrap();
        assert!(open(&settings).is_err());
    }
}

#[test]
fn our_metadata_says_where_we_are() {
    let metadata = Sp::new().provider.metadata();
    let document = roxmltree::Document::parse(&metadata).unwrap();
    assert_eq!(document.root_element().attribute("entityID"), Some(SP));
    let service = document.descendants().find(|node| node.tag_name().name() == "AssertionConsumerService").unwrap();
    assert_eq!(service.attribute("Location"), Some(ACS));
    assert!(metadata.contains("WantAssertionsSigned=\"true\""));
}

#[test]
fn settings_that_can_not_be_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("idp.pem");
    std::fs::write(&path, &RSA.certificate).unwrap();
    let with = |sso: &str, acs: &str, more: &str| {
        open(&format!(
            "idp_entity_id = \"{IDP}\"\nsso_url = \"{sso}\"\ncertificates_file = {path:?}\nentity_id = \"{SP}\"\n\
             acs_url = \"{acs}\"\n{more}"
        ))
    };
    let sso = "https://idp.example.org/sso";
    assert!(with(sso, ACS, "").is_ok());
    assert!(with(sso, "http://127.0.0.1:5000/auth/saml/corp/acs", "").is_ok());
    assert!(with(sso, "http://sealyard.example.org/auth/saml/corp/acs", "").is_err());
    assert!(with(sso, "http://127.0.0.1.evil.example/auth/saml/corp/acs", "").is_err());
    assert!(with(sso, "https://sealyard.example.org/auth/saml/other/acs", "").is_err());
    assert!(with("http://idp.example.org/sso", ACS, "").is_err());
    assert!(with("javascript:alert(1)", ACS, "").is_err());
    assert!(with(sso, ACS, "leeway_seconds = 301").is_err());
    assert!(with(sso, ACS, "administrators = [\"x\"]").is_err());
    assert!(with(sso, ACS, "metadata_file = \"x\"").is_err());
    std::fs::write(&path, "").unwrap();
    assert!(with(sso, ACS, "").is_err());
}
