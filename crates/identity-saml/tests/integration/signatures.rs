//! Signatures that are missing, false, weak, or mean something else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::idp::{DS, EC, EXCLUSIVE, RSA, SHA256, STRANGER, Says, Signing, Sp, around, transforms};

fn refused(sp: &Sp, signing: &Signing) -> String {
    let says = sp.says("ada");
    sp.refuses(&around(&signing.sign(&says.xml(), &says.id), Some(&sp.request)), "saml.signature")
}

#[test]
fn an_unsigned_assertion_in_a_signed_response_is_refused() {
    let sp = Sp::new();
    let message = around(&sp.says("ada").xml(), Some(&sp.request));
    let signed = Signing::by(&RSA).sign(&message, "_response");
    assert!(sp.refuses(&signed, "saml.signature").contains("assertion is not signed"));
    // It is enough where the operator says so, and then only there.
    let sp = Sp::with("want_assertions_signed = false");
    assert_eq!(sp.finish(&signed).unwrap().person.name, "ada");
    assert!(sp.refuses(&message, "saml.signature").contains("nothing is signed"));
    let changed = signed.replace(">ada<", ">eve<");
    sp.refuses(&changed, "saml.signature");
}

#[test]
fn a_signed_assertion_in_a_response_with_a_bad_signature_is_refused() {
    let sp = Sp::new();
    let message = around(&sp.says("ada").signed(), Some(&sp.request));
    assert!(sp.finish(&Signing::by(&RSA).sign(&message, "_response")).is_ok());
    sp.refuses(&Signing::by(&STRANGER).sign(&message, "_response"), "saml.signature");
    // And the other way round, also where the response's signature would be enough.
    let sp = Sp::with("want_assertions_signed = false");
    let says = sp.says("ada");
    let message = around(&Signing::by(&STRANGER).sign(&says.xml(), &says.id), Some(&sp.request));
    sp.refuses(&Signing::by(&RSA).sign(&message, "_response"), "saml.signature");
}

#[test]
fn a_key_that_comes_with_the_message_counts_for_nothing() {
    let sp = Sp::new();
    let body: String = STRANGER.certificate.lines().filter(|line| !line.starts_with('-')).collect();
    let key_info =
        format!("<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>");
    refused(&sp, &Signing { key_info, ..Signing::by(&STRANGER) });
}

#[test]
fn sha_1_is_refused() {
    let sp = Sp::new();
    let says = refused(&sp, &Signing { algorithm: format!("{DS}rsa-sha1"), ..Signing::by(&RSA) });
    assert!(says.contains("algorithm of a signature"));
    let says = refused(&sp, &Signing { digest: format!("{DS}sha1"), ..Signing::by(&RSA) });
    assert!(says.contains("algorithm of a digest"));
}

#[test]
fn a_shared_secret_is_no_signature() {
    // Key confusion: the public key, which everybody has, as the secret of an HMAC.
    fn with_certificate(message: &[u8]) -> Vec<u8> {
        let body: String = RSA.certificate.lines().filter(|line| !line.starts_with('-')).collect();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &STANDARD.decode(body).unwrap());
        aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
    }
    let sp = Sp::new();
    for algorithm in ["http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", &format!("{DS}hmac-sha1"), "", "none"] {
        let signing = Signing { algorithm: algorithm.to_owned(), value: Some(with_certificate), ..Signing::by(&RSA) };
        assert!(refused(&sp, &signing).contains("algorithm of a signature"));
    }
    // A key of one kind is not used as one of another.
    refused(&sp, &Signing { algorithm: EC.algorithm().to_owned(), ..Signing::by(&RSA) });
    refused(&sp, &Signing { value: Some(|_| Vec::new()), ..Signing::by(&RSA) });
}

#[test]
fn only_exclusive_canonicalisation_without_comments_is_done() {
    let sp = Sp::new();
    for other in [
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "",
    ] {
        refused(&sp, &Signing { canonicalisation: other.to_owned(), ..Signing::by(&RSA) });
        refused(&sp, &Signing { transforms: transforms(other), ..Signing::by(&RSA) });
    }
}

#[test]
fn transforms_can_not_pick_what_is_signed() {
    let sp = Sp::new();
    let one = |name: &str| format!("<ds:Transform Algorithm=\"{name}\"></ds:Transform>");
    let enveloped = one(&format!("{DS}enveloped-signature"));
    let exclusive = one(EXCLUSIVE);
    let xslt = one("http://www.w3.org/TR/1999/REC-xslt-19991116");
    let xpath = one("http://www.w3.org/TR/1999/REC-xpath-19991116");
    for transforms in [
        String::new(),
        enveloped.clone(),
        exclusive.clone(),
        format!("{exclusive}{enveloped}"),
        format!("{enveloped}{exclusive}{exclusive}"),
        format!("{enveloped}{xslt}{exclusive}"),
        format!("{xpath}{exclusive}"),
        format!("{enveloped}{}", one(&format!("{DS}base64"))),
    ] {
        refused(&sp, &Signing { transforms, ..Signing::by(&RSA) });
    }
}

#[test]
fn a_reference_names_the_element_that_holds_it() {
    let sp = Sp::new();
    for uri in [
        "",
        "#",
        "#_other",
        "_assertion",
        "#xpointer(/)",
        "#xpointer(id('_assertion'))",
        "http://evil.example/",
        "#_response",
    ] {
        refused(&sp, &Signing { uri: Some(uri.to_owned()), ..Signing::by(&RSA) });
    }
    let second = format!(
        "<ds:Reference URI=\"#_assertion\"><ds:Transforms>{}</ds:Transforms><ds:DigestMethod Algorithm=\"{SHA256}\">\
         </ds:DigestMethod><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>",
        transforms(EXCLUSIVE)
    );
    refused(&sp, &Signing { more: second, ..Signing::by(&RSA) });
}

#[test]
fn two_signatures_are_none() {
    let sp = Sp::new();
    let says = sp.says("ada");
    let twice = says
        .signed()
        .replace("</saml:Issuer>", &format!("</saml:Issuer>{}", Signing::by(&RSA).signature(&says.xml(), &says.id)));
    assert!(sp.refuses(&around(&twice, Some(&sp.request)), "saml.signature").contains("two signatures"));
}

#[test]
fn ids_are_unique_in_all_of_a_response() {
    let sp = Sp::new();
    let message = around(&sp.says("ada").signed(), Some(&sp.request));
    let twice = message.replace("<samlp:Status>", "<samlp:Status Id=\"_assertion\">");
    assert!(sp.refuses(&twice, "saml.document").contains("same ID"));
}

#[test]
fn comments_cut_no_name_short() {
    let sp = Sp::new();
    let name = "admin@example.org.evil.example";
    let signed = sp.says(name).signed();
    // Canonicalisation drops comments, so the signature stands; what is read is the whole text.
    for comment in ["<!---->", "<!-- x -->"] {
        let cut = signed.replace(name, &format!("admin@example.org{comment}.evil.example"));
        assert_eq!(sp.finish_assertion(&cut).unwrap().person.name, name);
        let cut = signed.replace("ml<", &format!("m{comment}l<"));
        assert_eq!(sp.finish_assertion(&cut).unwrap().person.groups, Some(vec!["ml".to_owned()]));
    }
    // So does a part in CDATA; a processing instruction does not.
    let cut = signed.replace(name, "admin@example.org<![CDATA[.evil.example]]>");
    assert_eq!(sp.finish_assertion(&cut).unwrap().person.name, name);
    let cut = signed.replace(name, "admin@example.org<?x?>.evil.example");
    sp.refuses(&around(&cut, Some(&sp.request)), "saml.signature");
}

#[test]
fn no_changed_byte_makes_somebody_else() {
    let sp = Sp::new();
    let message = around(&Says { groups: vec![], ..sp.says("ada") }.signed(), Some(&sp.request));
    let good = sp.finish(&message).unwrap().person;
    let mut refusals = 0;
    for at in (0..message.len()).step_by(3) {
        for flip in [0x01, 0x20] {
            let mut bytes = message.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            match sp.finish(&changed) {
                Ok(finished) => assert_eq!(finished.person, good, "byte {at}"),
                Err(_) => refusals += 1,
            }
        }
    }
    assert!(refusals > 1000, "{refusals}");
}
