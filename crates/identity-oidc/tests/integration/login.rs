//! People log in: the code flow, and attacks on it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use sealyard_core::Redacted;
use sealyard_identity_oidc::{Begun, Finished, OidcError, StateKey};
use serde_json::{Value, json};

use crate::fake::{Fake, Key, NOW, base64};

/// The query of an address, decoded.
fn query(url: &str) -> BTreeMap<String, String> {
    let pairs = url.split_once('?').unwrap().1.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8().unwrap().into_owned()))
        .collect()
}

fn claims(fake: &Fake, begun: &Begun) -> Value {
    json!({
        "iss": fake.issuer, "aud": "sealyard", "sub": "s-ada", "iat": NOW, "exp": NOW + 300,
        "nonce": query(&begun.url)["nonce"], "preferred_username": "ada", "groups": ["ml"], "sid": "p1",
    })
}

fn answer(token: &str) -> (u16, Value) {
    (200, json!({"token_type": "Bearer", "access_token": "at", "id_token": token}))
}

/// What the browser brings back.
fn back(begun: &Begun) -> String {
    format!("code=c1&state={}", query(&begun.url)["state"])
}

async fn finish(fake: &Fake, begun: &Begun, claims: &Value) -> Result<Finished, OidcError> {
    fake.change(|state| state.tokens = [answer(&fake.key.token("ES256", "k1", claims))].into());
    fake.people().finish(&fake.state_key, Some(begun.cookie.expose()), &back(begun)).await
}

/// The rule that refuses an ID token with these claims changed.
async fn changed(changes: Value) -> Option<&'static str> {
    let fake = Fake::start(Key::p256()).await;
    let begun = fake.people().begin(&fake.state_key, "/").await.unwrap();
    let mut claims = claims(&fake, &begun);
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    finish(&fake, &begun, &claims).await.err().map(|error| error.rule().unwrap_or("unavailable"))
}

#[tokio::test]
async fn somebody_logs_in() {
    let fake = Fake::start(Key::p256()).await;
    let provider = fake.people();
    let begun = provider.begin(&fake.state_key, "/#/experiments/7").await.unwrap();
    assert!(begun.url.starts_with(&format!("{}/authorize?", fake.issuer)));
    let asked = query(&begun.url);
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["client_id"], "sealyard");
    assert_eq!(asked["redirect_uri"], "https://ml.example.org/auth/oidc/corp/callback");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["scope"], "openid");
    let finished = finish(&fake, &begun, &claims(&fake, &begun)).await.unwrap();
    assert_eq!((finished.person.name.as_str(), finished.person.subject.as_str()), ("ada", "s-ada"));
    assert_eq!(finished.person.session.as_deref(), Some("p1"));
    assert_eq!(finished.person.groups, Some(["ml".to_owned()].into()));
    assert_eq!(finished.person.administrator, None);
    assert_eq!(finished.next, "/#/experiments/7");
    // The code went with the verifier whose hash was shown before, and with our secret.
    let request =
        fake.state.lock().unwrap().asked.iter().find(|asked| asked.starts_with("POST /token")).cloned().unwrap();
    assert!(request.to_lowercase().contains("authorization: basic c2vhbhlhcmq6cznjcmv0"), "{request}");
    let sent = query(&format!("?{}", request.split_once("\r\n\r\n").unwrap().1));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sent["code_verifier"].as_bytes());
    assert_eq!(base64(hash), asked["code_challenge"]);
    assert_eq!((sent["grant_type"].as_str(), sent["code"].as_str()), ("authorization_code", "c1"));
    // Two log-ins share nothing.
    let other = query(&provider.begin(&fake.state_key, "/").await.unwrap().url);
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(other[name], asked[name], "{name}");
    }
}

#[tokio::test]
async fn state_missing_mismatched_or_of_another_browser() {
    let fake = Fake::start(Key::p256()).await;
    let provider = fake.people();
    let key = &fake.state_key;
    let (mine, theirs) = (provider.begin(key, "/").await.unwrap(), provider.begin(key, "/").await.unwrap());
    let cookie = mine.cookie.expose().as_str();
    let state = query(&mine.url)["state"].clone();
    for (cookie, back) in [
        (Some(cookie), "code=c1".to_owned()),
        (Some(cookie), "code=c1&state=".to_owned()),
        (Some(cookie), "code=c1&state=x".to_owned()),
        // Somebody wants the victim to log in as themselves.
        (Some(cookie), back(&theirs)),
        (None, back(&mine)),
        (Some(""), back(&mine)),
        (Some("junk"), back(&mine)),
        (Some(cookie), format!("code=c1&state={state}&state={state}")),
        (Some(cookie), format!("code=c1&code=c2&state={state}")),
        (Some(cookie), format!("state={state}")),
    ] {
        let error = provider.finish(key, cookie, &back).await.unwrap_err();
        assert_eq!(error.rule(), Some("oidc.state"), "{back}");
    }
    let other = StateKey::new(Redacted::new([8; 32]));
    assert_eq!(provider.finish(&other, Some(cookie), &back(&mine)).await.unwrap_err().rule(), Some("oidc.state"));
    // The cookie of a log-in at another provider.
    let mut settings = fake.settings();
    settings.name = "second".to_owned();
    let second = fake.provider_with(settings).begin(key, "/").await.unwrap();
    let error = provider.finish(key, Some(second.cookie.expose()), &back(&second)).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.state"));
    assert_eq!(fake.asked("/token"), 0, "no code is sent");
}

#[tokio::test]
async fn a_log_in_ends_after_ten_minutes() {
    let fake = Fake::start(Key::p256()).await;
    let begun = fake.people().begin(&fake.state_key, "/").await.unwrap();
    fake.later(601);
    let error = finish(&fake, &begun, &claims(&fake, &begun)).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.state"));
}

#[tokio::test]
async fn code_replay() {
    let fake = Fake::start(Key::p256()).await;
    let begun = fake.people().begin(&fake.state_key, "/").await.unwrap();
    let first = finish(&fake, &begun, &claims(&fake, &begun)).await.unwrap();
    // The provider takes a code once.
    let provider = fake.people();
    let again = provider.finish(&fake.state_key, Some(begun.cookie.expose()), &back(&begun)).await.unwrap_err();
    assert_eq!(again.rule(), Some("oidc.code"));
    // One that takes it twice does not help: it is the same log-in, which whoever opens sessions can tell.
    let second = finish(&fake, &begun, &claims(&fake, &begun)).await.unwrap();
    assert_eq!(first.once, second.once);
    let other = fake.people().begin(&fake.state_key, "/").await.unwrap();
    assert_ne!(finish(&fake, &other, &claims(&fake, &other)).await.unwrap().once, first.once);
}

#[tokio::test]
async fn nonce_mismatch() {
    for nonce in [json!(null), json!(""), json!("other"), json!(7)] {
        assert_eq!(changed(json!({"nonce": nonce})).await, Some("oidc.nonce"), "{nonce}");
    }
    // The ID token of another log-in of the same person.
    let fake = Fake::start(Key::p256()).await;
    let (one, two) = (
        fake.people().begin(&fake.state_key, "/").await.unwrap(),
        fake.people().begin(&fake.state_key, "/").await.unwrap(),
    );
    assert_eq!(finish(&fake, &one, &claims(&fake, &two)).await.unwrap_err().rule(), Some("oidc.nonce"));
}

#[tokio::test]
async fn id_tokens_of_others() {
    assert_eq!(changed(json!({})).await, None);
    assert_eq!(changed(json!({"azp": "sealyard"})).await, None);
    for (changes, rule) in [
        (json!({"aud": "other"}), "oidc.audience"),
        (json!({"aud": ["sealyard", "other"]}), "oidc.audience"),
        (json!({"aud": ["sealyard", "other"], "azp": "sealyard"}), "oidc.audience"),
        (json!({"azp": "other"}), "oidc.audience"),
        (json!({"azp": 7}), "oidc.audience"),
        (json!({"iss": "https://evil.example"}), "oidc.issuer"),
        (json!({"exp": NOW - 31}), "oidc.time"),
        (json!({"exp": null}), "oidc.time"),
        (json!({"iat": null}), "oidc.time"),
        (json!({"iat": NOW + 31}), "oidc.time"),
        (json!({"nbf": NOW + 31}), "oidc.time"),
        (json!({"sub": null}), "oidc.claims"),
        (json!({"preferred_username": null}), "oidc.claims"),
        (json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}), "oidc.token"),
    ] {
        assert_eq!(changed(changes.clone()).await, Some(rule), "{changes}");
    }
}

#[tokio::test]
async fn several_audiences_need_to_be_known_and_to_say_who_got_the_token() {
    let fake = Fake::start(Key::p256()).await;
    let mut settings = fake.settings();
    settings.audiences = vec!["api".to_owned()];
    let provider = fake.provider_with(settings);
    for (azp, rule) in
        [(json!("sealyard"), None), (json!("api"), Some("oidc.audience")), (json!(null), Some("oidc.audience"))]
    {
        let begun = provider.begin(&fake.state_key, "/").await.unwrap();
        let mut claims = claims(&fake, &begun);
        claims["aud"] = json!(["sealyard", "api"]);
        if !azp.is_null() {
            claims["azp"] = azp.clone();
        }
        fake.change(|state| state.tokens = [answer(&fake.key.token("ES256", "k1", &claims))].into());
        let found = provider.finish(&fake.state_key, Some(begun.cookie.expose()), &back(&begun)).await;
        assert_eq!(found.err().and_then(|error| error.rule()), rule, "{azp}");
    }
}

#[tokio::test]
async fn required_claims() {
    let fake = Fake::start(Key::p256()).await;
    let mut settings = fake.settings();
    settings.require = [("hd".to_owned(), json!("example.org")), ("amr".to_owned(), json!("otp"))].into();
    let provider = fake.provider_with(settings);
    for (hd, amr, rule) in [
        (json!("example.org"), json!(["pwd", "otp"]), None),
        (json!("example.org"), json!(["pwd"]), Some("oidc.claims")),
        (json!("evil.example"), json!(["otp"]), Some("oidc.claims")),
        (json!(null), json!(["otp"]), Some("oidc.claims")),
    ] {
        let begun = provider.begin(&fake.state_key, "/").await.unwrap();
        let mut claims = claims(&fake, &begun);
        (claims["hd"], claims["amr"]) = (hd.clone(), amr.clone());
        fake.change(|state| state.tokens = [answer(&fake.key.token("ES256", "k1", &claims))].into());
        let found = provider.finish(&fake.state_key, Some(begun.cookie.expose()), &back(&begun)).await;
        assert_eq!(found.err().and_then(|error| error.rule()), rule, "{hd} {amr}");
    }
}

#[tokio::test]
async fn access_token_of_another() {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"at");
    assert_eq!(changed(json!({"at_hash": base64(&hash.as_ref()[..16])})).await, None);
    for wrong in [json!("x"), json!(base64(hash)), json!(base64(&hash.as_ref()[16..])), json!(7)] {
        assert_eq!(changed(json!({"at_hash": wrong})).await, Some("oidc.at-hash"), "{wrong}");
    }
}

#[tokio::test]
async fn another_provider_sends_the_browser_back() {
    let fake = Fake::start(Key::p256()).await;
    let begun = fake.people().begin(&fake.state_key, "/").await.unwrap();
    let cookie = Some(begun.cookie.expose().as_str());
    let mixed = format!("{}&iss=https%3A%2F%2Fevil.example", back(&begun));
    let error = fake.people().finish(&fake.state_key, cookie, &mixed).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.issuer"));
    // One that says that it always says who it is, and does not.
    fake.change(|state| state.metadata["authorization_response_iss_parameter_supported"] = json!(true));
    let error = fake.people().finish(&fake.state_key, cookie, &back(&begun)).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.issuer"));
    assert_eq!(fake.asked("/token"), 0, "no code is sent");
    let right = format!("{}&iss={}", back(&begun), fake.issuer);
    fake.change(|state| state.tokens = [answer(&fake.key.token("ES256", "k1", &claims(&fake, &begun)))].into());
    assert!(fake.people().finish(&fake.state_key, cookie, &right).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_says_no() {
    let fake = Fake::start(Key::p256()).await;
    let begun = fake.people().begin(&fake.state_key, "/").await.unwrap();
    let said = format!("error=access_denied%0a%1b[31m&state={}", query(&begun.url)["state"]);
    let error = fake.people().finish(&fake.state_key, Some(begun.cookie.expose()), &said).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.provider"));
    assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error}");
    for reply in [
        (500, json!({})),
        (200, json!({"token_type": "Bearer"})),
        (200, json!({"token_type": "mac", "id_token": "x"})),
        (200, json!([])),
        (401, json!({"error": "invalid_client"})),
        (302, json!({})),
    ] {
        fake.change(|state| state.tokens = [reply.clone()].into());
        let found = fake.people().finish(&fake.state_key, Some(begun.cookie.expose()), &back(&begun)).await;
        assert!(
            matches!(found, Err(OidcError::Unavailable { .. } | OidcError::Refused { rule: "oidc.token", .. })),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn open_redirect() {
    let fake = Fake::start(Key::p256()).await;
    for next in ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:x"] {
        let begun = fake.people().begin(&fake.state_key, next).await.unwrap();
        let finished = finish(&fake, &begun, &claims(&fake, &begun)).await.unwrap();
        assert_eq!(finished.next, "/", "{next}");
    }
}

#[tokio::test]
async fn userinfo_adds_and_speaks_of_the_same_person() {
    let fake = Fake::start(Key::p256()).await;
    let mut settings = fake.settings();
    settings.userinfo = true;
    let provider = fake.provider_with(settings);
    for (subject, rule) in [("s-ada", None), ("s-eve", Some("oidc.claims"))] {
        let begun = provider.begin(&fake.state_key, "/").await.unwrap();
        let mut claims = claims(&fake, &begun);
        claims.as_object_mut().unwrap().remove("groups");
        fake.change(|state| {
            state.tokens = [answer(&fake.key.token("ES256", "k1", &claims))].into();
            state.userinfo = json!({"sub": subject, "groups": ["boss"], "preferred_username": "eve"});
        });
        let found = provider.finish(&fake.state_key, Some(begun.cookie.expose()), &back(&begun)).await;
        match rule {
            None => {
                let person = found.unwrap().person;
                assert_eq!((person.name.as_str(), person.groups), ("ada", Some(["boss".to_owned()].into())));
            }
            Some(rule) => assert_eq!(found.unwrap_err().rule(), Some(rule)),
        }
    }
}

#[tokio::test]
async fn secrets_are_in_no_error_and_no_debug_text() {
    let fake = Fake::start(Key::p256()).await;
    let provider = fake.people();
    let begun = provider.begin(&fake.state_key, "/").await.unwrap();
    let shown = format!("{provider:?} {begun:?} {:?}", fake.state_key);
    assert!(!shown.contains("s3cret") && !shown.contains(begun.cookie.expose().as_str()));
    fake.change(|state| state.tokens = [(401, json!({"error": "invalid_client"}))].into());
    let error = provider.finish(&fake.state_key, Some(begun.cookie.expose()), &back(&begun)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret") && !format!("{error:?}").contains("c1"));
}

#[tokio::test]
async fn a_browser_is_sent_to_log_out_too() {
    let fake = Fake::start(Key::p256()).await;
    let url = fake.people().end_session().await.unwrap();
    assert!(url.starts_with(&format!("{}/logout?", fake.issuer)));
    assert_eq!(query(&url)["post_logout_redirect_uri"], "https://ml.example.org/login");
    fake.change(|state| state.metadata["end_session_endpoint"] = json!(null));
    fake.change(|state| drop(state.metadata.as_object_mut().unwrap().remove("end_session_endpoint")));
    assert_eq!(fake.people().end_session().await, None);
}
