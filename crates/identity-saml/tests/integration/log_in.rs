use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::idp::{self, EC, Says, Signing, Sp, around, response};

#[test]
fn a_signed_assertion_says_who_it_is() {
    let sp = Sp::new();
    let finished = sp.finish_assertion(&sp.says("Ada@example.org").signed()).unwrap();
    assert_eq!(finished.person.subject, "Ada@example.org");
    assert_eq!(finished.person.name, "ada@example.org");
    assert_eq!(finished.person.groups, Some(vec!["ml".to_owned()]));
    assert_eq!(finished.person.administrator, Some(false));
    assert_eq!((finished.next.as_str(), finished.session.as_deref()), ("/#/models", Some("s1")));
}

#[test]
fn keys_on_curves_and_sha_512_are_known() {
    let sp = Sp::new();
    let says = sp.says("ada");
    assert!(sp.finish_assertion(&Signing::by(&EC).sign(&says.xml(), &says.id)).is_ok());
    let strong = Signing {
        algorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512".to_owned(),
        digest: "http://www.w3.org/2001/04/xmlenc#sha512".to_owned(),
        ..Signing::by(&idp::RSA)
    };
    assert!(sp.finish_assertion(&strong.sign(&says.xml(), &says.id)).is_ok());
}

#[test]
fn groups_make_administrators() {
    let sp = Sp::new();
    let with = |group: &str| Says { groups: vec!["ml".to_owned(), group.to_owned()], ..sp.says("ada") }.signed();
    assert_eq!(sp.finish_assertion(&with("root")).unwrap().person.administrator, Some(true));
    assert_eq!(sp.finish_assertion(&with("Root")).unwrap().person.administrator, Some(false));
}

#[test]
fn a_response_that_answers_nothing_is_refused() {
    let message = around(&Says::about("ada", None).signed(), None);
    Sp::new().refuses(&message, "saml.state");
    // Where the operator allows it, it goes where it says, on this server.
    let sp = Sp::with("allow_idp_initiated = true");
    let finish = |relay| sp.provider.finish(&sp.key, None, &STANDARD.encode(&message), relay).map(|ended| ended.next);
    assert_eq!(finish(Some("/#/x")).unwrap(), "/#/x");
    assert_eq!(finish(Some("https://evil.example/")).unwrap(), "/");
    // The assertion answers something although the response does not.
    let mixed = around(&Says::about("ada", Some(&sp.request)).signed(), None);
    sp.refuses(&mixed, "saml.assertion");
    // Then it needs the browser that asked.
    let answer = around(&sp.says("ada").signed(), Some(&sp.request));
    assert!(sp.provider.finish(&sp.key, None, &STANDARD.encode(answer), None).is_err());
}

#[test]
fn it_ends_in_the_browser_in_which_it_began() {
    let (sp, other) = (Sp::new(), Sp::with("leeway_seconds = 1"));
    let message = STANDARD.encode(around(&sp.says("ada").signed(), Some(&sp.request)));
    let finish = |cookie: Option<&str>, relay: Option<&str>| sp.provider.finish(&sp.key, cookie, &message, relay);
    assert!(finish(Some(&sp.cookie), Some(&sp.relay)).is_ok());
    let again = sp.provider.begin(&sp.key, "/").unwrap();
    let forged = format!("{}A", sp.cookie);
    for cookie in [None, Some(""), Some(forged.as_str()), Some(again.cookie.expose().as_str())] {
        assert_eq!(finish(cookie, Some(&sp.relay)).unwrap_err().rule, "saml.state");
    }
    for relay in [None, Some(""), Some("x"), Some(idp::read_redirect(&again.url).1.as_str())] {
        assert_eq!(finish(Some(&sp.cookie), relay).unwrap_err().rule, "saml.state");
    }
    // Another server's key makes no cookie for this one.
    let key = sealyard_identity_saml::StateKey::new(sealyard_core::Redacted::new([4; 32]));
    assert_eq!(
        other.provider.finish(&key, Some(&sp.cookie), &message, Some(&sp.relay)).unwrap_err().rule,
        "saml.state"
    );
    sp.clock.set(idp::at(601));
    assert_eq!(finish(Some(&sp.cookie), Some(&sp.relay)).unwrap_err().what, "the log-in took too long");
}

#[test]
fn a_log_in_ends_on_this_server() {
    let sp = Sp::new();
    for (next, goes) in
        [("/a?b#c", "/a?b#c"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/")]
    {
        let begun = sp.provider.begin(&sp.key, next).unwrap();
        let (request, relay) = idp::read_redirect(&begun.url);
        let message = STANDARD.encode(around(&Says::about("ada", Some(&request)).signed(), Some(&request)));
        let cookie = begun.cookie.expose();
        assert_eq!(sp.provider.finish(&sp.key, Some(cookie), &message, Some(&relay)).unwrap().next, goes);
    }
}

#[test]
fn a_replayed_assertion_is_the_same_one() {
    let sp = Sp::new();
    let (first, second) = (sp.says("ada").signed(), sp.says("ada").signed());
    let (one, two) = (sp.finish_assertion(&first).unwrap(), sp.finish_assertion(&second).unwrap());
    assert_eq!(one.once, two.once);
    // It must be remembered for as long as it would be taken.
    sp.clock.set(one.once_until);
    assert_eq!(sp.finish_assertion(&first).unwrap_err().what, "the assertion has expired");
    let other = Says { id: "_other".to_owned(), ..sp.says("ada") }.signed();
    sp.clock.set(idp::at(0));
    assert_ne!(sp.finish_assertion(&other).unwrap().once, one.once);
}

#[test]
fn what_is_no_success_is_refused() {
    let sp = Sp::new();
    let status = "urn:oasis:names:tc:SAML:2.0:status:Responder";
    sp.refuses(&response(&sp.says("ada").signed(), Some(&sp.request), idp::ACS, status), "saml.provider");
    sp.refuses(&around("", Some(&sp.request)), "saml.document");
    let sealed = "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>";
    assert!(sp.refuses(&around(sealed, Some(&sp.request)), "saml.document").contains("encrypted"));
    for junk in ["", "x", "<a/>", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", "\u{0}"] {
        sp.refuses(junk, "saml.document");
    }
    let bomb = format!("<!DOCTYPE a [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;\">]>", "x".repeat(1000));
    let inside = around(&sp.says("&b;").signed(), Some(&sp.request));
    assert_eq!(sp.refuses(&format!("{bomb}{inside}"), "saml.document"), "it has a DTD");
    for junk in ["!", "AAAA\u{fffd}", &"A".repeat(2_000_000), "/w=="] {
        assert_eq!(sp.provider.finish(&sp.key, Some(&sp.cookie), junk, None).unwrap_err().rule, "saml.document");
    }
}
