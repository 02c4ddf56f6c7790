//! Signature wrapping: the eight of Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (2012), and relatives. Each
//! moves what the provider signed to where its signature still holds, and puts something else where it is read.

use crate::idp::{DS, RSA, Says, Signing, Sp, around};

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

struct Wrapped {
    sp: Sp,
    /// Said and signed by the provider.
    good: String,
    good_unsigned: String,
    signature: String,
    /// What an attacker wants to be read, with another ID.
    evil: String,
}

fn wrapped() -> Wrapped {
    let sp = Sp::with("want_assertions_signed = false");
    let says = sp.says("ada");
    let evil = Says { id: "_evil".to_owned(), ..sp.says("mallory") }.xml();
    let signature = Signing::by(&RSA).signature(&says.xml(), &says.id);
    Wrapped { good: says.signed(), good_unsigned: says.xml(), signature, evil, sp }
}

impl Wrapped {
    /// Refused; or let in as whom the provider spoke of, and never as somebody else.
    fn refuses(&self, message: &str) {
        if let Ok(finished) = self.sp.finish(message) {
            panic!("let in: {:?}", finished.person);
        }
    }

    fn in_response(&self, inner: &str) -> String {
        around(inner, Some(&self.sp.request))
    }

    /// Puts `more` right before the end of the outermost element.
    fn into_end(xml: &str, more: &str) -> String {
        let at = xml.rfind("</").unwrap();
        format!("{}{more}{}", &xml[..at], &xml[at..])
    }

    fn after_issuer(xml: &str, more: &str) -> String {
        xml.replacen("</saml:Issuer>", &format!("</saml:Issuer>{more}"), 1)
    }

    fn signature_with(&self, object: &str) -> String {
        self.signature.replace("</ds:Signature>", &format!("<ds:Object>{object}</ds:Object></ds:Signature>"))
    }
}

#[test]
fn the_signed_assertion_alone_is_fine() {
    let wrapped = wrapped();
    assert_eq!(wrapped.sp.finish(&wrapped.in_response(&wrapped.good)).unwrap().person.name, "ada");
}

#[test]
fn wrapping_1_the_signed_response_inside_of_the_signature_of_another() {
    let w = wrapped();
    let good = w.in_response(&w.good_unsigned);
    let signature = Signing::by(&RSA).signature(&good, "_response");
    let evil = w.in_response(&w.evil).replace("_response", "_evil_response");
    let signature = signature.replace("</ds:Signature>", &format!("<ds:Object>{good}</ds:Object></ds:Signature>"));
    w.refuses(&Wrapped::after_issuer(&evil, &signature));
}

#[test]
fn wrapping_2_the_signed_response_beside_its_signature_in_another() {
    let w = wrapped();
    let good = w.in_response(&w.good_unsigned);
    let signature = Signing::by(&RSA).signature(&good, "_response");
    let evil = w.in_response(&w.evil).replace("_response", "_evil_response");
    w.refuses(&Wrapped::after_issuer(&evil, &format!("{good}{signature}")));
    // The same ID twice.
    let evil = w.in_response(&w.evil);
    w.refuses(&Wrapped::after_issuer(&evil, &format!("{signature}{good}")));
}

#[test]
fn wrapping_3_another_assertion_before_the_signed_one() {
    let w = wrapped();
    w.refuses(&w.in_response(&format!("{}{}", w.evil, w.good)));
    w.refuses(&w.in_response(&format!("{}{}", w.good, w.evil)));
}

#[test]
fn wrapping_4_the_signed_assertion_inside_of_another() {
    let w = wrapped();
    w.refuses(&w.in_response(&Wrapped::into_end(&w.evil, &w.good)));
}

#[test]
fn wrapping_5_another_assertion_with_the_signature_of_one_that_follows() {
    let w = wrapped();
    let evil = Wrapped::after_issuer(&w.evil, &w.signature);
    w.refuses(&w.in_response(&format!("{evil}{}", w.good_unsigned)));
    // With the signed one's ID.
    let same = Wrapped::after_issuer(&w.evil.replace("_evil", "_assertion"), &w.signature);
    w.refuses(&w.in_response(&format!("{same}{}", w.good_unsigned)));
    w.refuses(&w.in_response(&same));
}

#[test]
fn wrapping_6_the_signed_assertion_inside_of_its_signature_inside_of_another() {
    let w = wrapped();
    let signature = w.signature.replace("</ds:Signature>", &format!("{}</ds:Signature>", w.good_unsigned));
    w.refuses(&w.in_response(&Wrapped::after_issuer(&w.evil, &signature)));
}

#[test]
fn wrapping_7_another_assertion_in_extensions() {
    let w = wrapped();
    let extensions = format!("<samlp:Extensions>{}</samlp:Extensions>", w.evil);
    w.refuses(&Wrapped::after_issuer(&w.in_response(&w.good), &extensions));
    let extensions = format!("<samlp:Extensions>{}</samlp:Extensions>", w.good);
    w.refuses(&Wrapped::after_issuer(&w.in_response(&w.evil), &extensions));
}

#[test]
fn wrapping_8_the_signed_assertion_in_an_object_of_its_signature() {
    let w = wrapped();
    w.refuses(&w.in_response(&Wrapped::after_issuer(&w.evil, &w.signature_with(&w.good_unsigned))));
    let same = w.evil.replace("_evil", "_assertion");
    w.refuses(&w.in_response(&Wrapped::after_issuer(&same, &w.signature_with(&w.good_unsigned))));
}

#[test]
fn an_assertion_of_another_namespace_is_none() {
    let w = wrapped();
    let other = w.evil.replace(SAML, "urn:evil");
    // It is not read, wherever it stands.
    let message = w.in_response(&format!("{other}{}", w.good));
    assert_eq!(w.sp.finish(&message).unwrap().person.name, "ada");
    w.refuses(&w.in_response(&other));
    // A prefix that means something else further in.
    let redeclared = w.good.replace("<saml:NameID", "<saml:NameID xmlns:saml=\"urn:evil\"");
    w.refuses(&w.in_response(&redeclared));
}

#[test]
fn a_second_name_can_not_be_slipped_in() {
    let w = wrapped();
    let name = format!("<saml:NameID xmlns:saml=\"{SAML}\">mallory</saml:NameID>");
    for at in ["<saml:Subject>", "</saml:Issuer>", "<ds:SignatureValue>", "<ds:SignedInfo>"] {
        let slipped = w.good.replacen(at, &format!("{at}{name}"), 1);
        if let Ok(finished) = w.sp.finish(&w.in_response(&slipped)) {
            assert_eq!(finished.person.name, "ada", "{at}");
        }
    }
    // What is inside of a signature is not signed, and is not read.
    let inside = w.good.replace("</ds:Signature>", &format!("<ds:Object>{name}</ds:Object></ds:Signature>"));
    assert_eq!(w.sp.finish(&w.in_response(&inside)).unwrap().person.name, "ada");
    // Two SignedInfo, two SignatureValue.
    let info = format!("<ds:SignedInfo xmlns:ds=\"{DS}\"></ds:SignedInfo>");
    w.refuses(&w.in_response(&w.good.replace("<ds:SignedInfo>", &format!("{info}<ds:SignedInfo>"))));
    w.refuses(&w.in_response(
        &w.good.replace("<ds:SignatureValue>", "<ds:SignatureValue>AA==</ds:SignatureValue><ds:SignatureValue>"),
    ));
}
