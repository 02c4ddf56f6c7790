//! Assertions that are signed well and are not for us, not now, or not an answer.

use crate::idp::{ACS, RSA, Says, Signing, Sp, around, at, response};

fn refused(sp: &Sp, change: impl Fn(&mut Says)) -> String {
    let mut says = sp.says("ada");
    change(&mut says);
    sp.refuses(&around(&says.signed(), Some(&sp.request)), "saml.assertion")
}

#[test]
fn an_expired_assertion_is_refused() {
    let sp = Sp::new();
    assert!(refused(&sp, |says| says.ends = Some(-31)).contains("expired"));
    assert!(refused(&sp, |says| says.ends = Some(-30)).contains("expired"));
    assert!(refused(&sp, |says| says.ends = None).contains("no end"));
    assert!(refused(&sp, |says| says.ends = Some(90_000)).contains("longer than a day"));
    // Clocks differ a little.
    let mut says = sp.says("ada");
    says.ends = Some(-29);
    assert!(sp.finish_assertion(&says.signed()).is_ok());
}

#[test]
fn an_assertion_from_the_future_is_refused() {
    let sp = Sp::new();
    assert!(refused(&sp, |says| says.begins = 31).contains("not valid yet"));
    assert!(refused(&sp, |says| says.issued = 31).contains("future"));
    let mut says = sp.says("ada");
    (says.begins, says.issued) = (30, 30);
    assert!(sp.finish_assertion(&says.signed()).is_ok());
}

#[test]
fn times_that_can_not_be_read_are_refused() {
    let sp = Sp::new();
    let ends = at(300).to_string();
    for odd in ["", "soon", "2099-01-01", "9999999999"] {
        let xml = sp.says("ada").xml().replace(&ends, odd);
        let signed = Signing::by(&RSA).sign(&xml, "_assertion");
        sp.refuses(&around(&signed, Some(&sp.request)), "saml.assertion");
    }
}

#[test]
fn an_assertion_for_another_audience_is_refused() {
    let sp = Sp::new();
    assert!(refused(&sp, |says| says.audience = Some("https://other.example".to_owned())).contains("audience"));
    assert!(refused(&sp, |says| says.audience = None).contains("audience"));
    // Each restriction has to be met.
    let another =
        "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>";
    assert!(refused(&sp, |says| says.condition = another.to_owned()).contains("audience"));
    assert!(refused(&sp, |says| says.condition = "<saml:Condition></saml:Condition>".to_owned()).contains("not known"));
}

#[test]
fn an_assertion_for_another_recipient_is_refused() {
    let sp = Sp::new();
    assert!(refused(&sp, |says| says.recipient = "https://other.example/acs".to_owned()).contains("recipient"));
    let sent = response(&sp.says("ada").signed(), Some(&sp.request), "https://other.example/acs", crate::idp::SUCCESS);
    assert!(sp.refuses(&sent, "saml.document").contains("another address"));
    // A signed response has to say where it goes.
    let without = around(&sp.says("ada").signed(), Some(&sp.request)).replace(&format!(" Destination=\"{ACS}\""), "");
    assert!(sp.finish(&without).is_ok());
    sp.refuses(&Signing::by(&RSA).sign(&without, "_response"), "saml.document");
}

#[test]
fn an_assertion_by_another_issuer_is_refused() {
    let sp = Sp::new();
    assert!(
        refused(&sp, |says| says.issuer = "https://evil.example/".to_owned()).contains("another identity provider")
    );
    let from =
        around(&sp.says("ada").signed(), Some(&sp.request)).replacen(crate::idp::IDP, "https://evil.example/", 1);
    assert!(sp.refuses(&from, "saml.document").contains("somebody else"));
}

#[test]
fn an_assertion_that_answers_another_request_is_refused() {
    let sp = Sp::new();
    assert!(refused(&sp, |says| says.request = Some("_other".to_owned())).contains("another request"));
    assert!(refused(&sp, |says| says.request = None).contains("another request"));
    sp.refuses(&around(&sp.says("ada").signed(), Some("_other")), "saml.state");
}

#[test]
fn only_a_bearer_with_a_log_in_is_let_in() {
    let sp = Sp::new();
    let holder = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";
    assert!(refused(&sp, |says| says.method = holder.to_owned()).contains("bearer"));
    assert!(refused(&sp, |says| says.statement = String::new()).contains("log-in"));
    let over = format!("<saml:AuthnStatement SessionNotOnOrAfter=\"{}\"></saml:AuthnStatement>", at(-60));
    assert!(refused(&sp, |says| says.statement = over.clone()).contains("session"));
    let soon = format!("<saml:AuthnStatement SessionNotOnOrAfter=\"{}\"></saml:AuthnStatement>", at(60));
    let finished = sp.finish_assertion(&Says { statement: soon, ..sp.says("ada") }.signed()).unwrap();
    assert_eq!(finished.until, Some(at(60)));
}

#[test]
fn a_name_that_is_nobodys_is_refused() {
    let sp = Sp::new();
    assert!(refused(&sp, |says| says.name = String::new()).contains("nobody"));
    assert!(refused(&sp, |says| says.name = "  ".to_owned()).contains("nobody"));
    assert!(refused(&sp, |says| says.name = "a<saml:b></saml:b>".to_owned()).contains("nobody"));
    let transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    assert!(refused(&sp, |says| says.format = transient.to_owned()).contains("transient"));
    let sp = Sp::with("id_attribute = \"groups\"\nname_attribute = \"groups\"");
    let says = Says { groups: vec!["ada".to_owned()], format: transient.to_owned(), ..sp.says("x") };
    assert_eq!(sp.finish_assertion(&says.signed()).unwrap().person.subject, "ada");
    assert!(refused(&sp, |says| says.groups = vec!["ada".to_owned(), "admin".to_owned()]).contains("no single"));
    assert!(refused(&sp, |says| says.groups = vec![]).contains("no single"));
}
