//! Second factors, sessions of one's own, locked accounts and uses of tokens.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use base64::Engine as _;
use http::{Method, Request};
use sealyard_identity::TotpSecret;
use serde_json::{Value, json};

use crate::test_app::{Answer, PASSWORD, TestApp, User};

const ROOT: &str = "/api/sealyard/v1";

/// A request with Basic, from an address, with a code if there is one.
async fn basic(test: &TestApp, name: &str, password: &str, from: &str, code: Option<&str>) -> Answer {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    let address: SocketAddr = format!("{from}:4000").parse().unwrap();
    let mut request = Request::get(format!("{ROOT}/whoami"))
        .header("host", "localhost")
        .header("authorization", format!("Basic {basic}"))
        .extension(ConnectInfo(address));
    if let Some(code) = code {
        request = request.header("x-sealyard-code", code);
    }
    test.send(request.body(Body::empty()).unwrap()).await
}

async fn call(test: &TestApp, user: &User, method: Method, path: &str, body: Value) -> Answer {
    test.call(user, method, &format!("{ROOT}/{path}"), body.to_string()).await
}

/// Reads base 32 back, as an authenticator app does.
pub(crate) fn from_base32(text: &str) -> TotpSecret {
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|one| *one == letter).unwrap();
        bits = ((bits << 5) | value as u32) & 0xffff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    TotpSecret::from_bytes(&bytes).unwrap()
}

pub(crate) fn code(test: &TestApp, secret: &TotpSecret) -> String {
    use sealyard_core::Clock as _;
    secret.code(TotpSecret::step_at(test.clock.now())).expose().clone()
}

fn later(test: &TestApp, seconds: i64) {
    use sealyard_core::Clock as _;
    test.clock.set(test.clock.now().plus_seconds(seconds));
}

/// Sets one up; gives the secret and codes to recover with.
async fn enable(test: &TestApp, user: &User) -> (TotpSecret, Vec<String>) {
    let begun = call(test, user, Method::POST, "account/second-factor", json!({"password": PASSWORD})).await.ok();
    let secret = from_base32(begun["secret"].as_str().unwrap());
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Sealyard:"), "{begun}");
    let confirm = json!({"code": code(test, &secret)});
    let confirmed = call(test, user, Method::POST, "account/second-factor/confirm", confirm).await.ok();
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn with_a_second_factor_a_password_alone_is_refused_and_a_code_is_good_once() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let here = "192.0.2.1";
    basic(&test, "ada", PASSWORD, here, None).await.ok();
    // The password once more, and a code, before it counts.
    let wrong = json!({"password": "wrong horse battery"});
    call(&test, &ada, Method::POST, "account/second-factor", wrong).await.error(400, "INVALID_PARAMETER_VALUE");
    let begun = call(&test, &ada, Method::POST, "account/second-factor", json!({"password": PASSWORD})).await.ok();
    assert!(begun["secret"].as_str().unwrap().len() == 32);
    basic(&test, "ada", PASSWORD, here, None).await.ok();
    let odd = json!({"code": "000000"});
    call(&test, &ada, Method::POST, "account/second-factor/confirm", odd).await.error(400, "INVALID_PARAMETER_VALUE");
    let (secret, recovery) = enable(&test, &ada).await;
    assert_eq!(recovery.len(), 10);
    let status = call(&test, &ada, Method::GET, "account/second-factor", json!({})).await.ok();
    assert_eq!(status, json!({"enabled": true, "recovery_codes": 10}));
    // Also the one that was remembered a moment ago.
    let refused = basic(&test, "ada", PASSWORD, here, None).await;
    assert_eq!(refused.json()["rules"], json!(["identity.second-factor"]));
    refused.error(403, "PERMISSION_DENIED");
    // Tokens go on working.
    call(&test, &ada, Method::GET, "whoami", json!({})).await.ok();
    later(&test, 60);
    let now = code(&test, &secret);
    basic(&test, "ada", PASSWORD, here, Some(&now)).await.ok();
    basic(&test, "ada", PASSWORD, here, Some(&now)).await.error(401, "UNAUTHENTICATED");
    // A wrong password with a right code tells nothing of the code.
    later(&test, 60);
    basic(&test, "ada", "wrong horse battery", here, Some(&code(&test, &secret))).await.error(401, "UNAUTHENTICATED");
    basic(&test, "ada", PASSWORD, here, Some(&recovery[0])).await.ok();
    basic(&test, "ada", PASSWORD, here, Some(&recovery[0])).await.error(401, "UNAUTHENTICATED");
    // Another one is only set up when this one has ended, by a code of it.
    let again = json!({"password": PASSWORD});
    call(&test, &ada, Method::POST, "account/second-factor", again).await.error(400, "INVALID_PARAMETER_VALUE");
    call(&test, &ada, Method::DELETE, "account/second-factor", odd_code()).await.error(400, "INVALID_PARAMETER_VALUE");
    let end = json!({"code": recovery[1]});
    call(&test, &ada, Method::DELETE, "account/second-factor", end).await.ok();
    basic(&test, "ada", PASSWORD, here, None).await.ok();
    let ledger = test.ledger().await;
    for change in ["second factor enabled", "second factor disabled"] {
        assert!(TestApp::has(&ledger, &json!({"act": "user-updated", "name": "ada", "change": change})), "{change}");
    }
    let refused = json!({"act": "login-failed", "name": "ada", "reason": "identity.second-factor"});
    assert!(TestApp::has(&ledger, &refused));
    let text = serde_json::to_string(&ledger).unwrap();
    assert!(!text.contains(&recovery[0]) && !text.contains(secret.to_base32().expose().as_str()));
}

fn odd_code() -> Value {
    json!({"code": "999999"})
}

/// Who knows the password and not the code guesses codes; the password alone in between must not give them new tries.
#[tokio::test]
async fn a_right_password_does_not_make_wrong_codes_forgotten() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    enable(&test, &ada).await;
    let mut last = 0;
    for _ in 0..12 {
        last = basic(&test, "ada", PASSWORD, "192.0.2.9", Some("999999")).await.status.as_u16();
        if last == 429 {
            break;
        }
        basic(&test, "ada", PASSWORD, "192.0.2.9", None).await;
    }
    assert_eq!(last, 429);
}

/// Ending a second factor is another door for guesses, and locks as the log-in does.
#[tokio::test]
async fn wrong_codes_at_the_end_of_a_second_factor_count() {
    let rules = sealyard_app::AccountRules { lockout_failures: 4, ..sealyard_app::AccountRules::default() };
    let test = TestApp::new().await.with_account_rules(rules);
    let ada = test.user("ada", &[]).await;
    let limited = test.token_of("ada", "read").await;
    let again = json!({"password": PASSWORD});
    call(&test, &limited, Method::POST, "account/second-factor", again).await.error(403, "PERMISSION_DENIED");
    enable(&test, &ada).await;
    for _ in 0..10 {
        later(&test, 60);
        call(&test, &ada, Method::DELETE, "account/second-factor", odd_code()).await;
        if TestApp::has(
            &test.ledger().await,
            &json!({"act": "user-updated", "change": "locked after too many wrong codes"}),
        ) {
            return;
        }
    }
    panic!("nothing was locked");
}

#[tokio::test]
async fn the_secret_is_kept_encrypted_and_administrators_reset_it() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let eve = test.user("eve", &[]).await;
    let (secret, recovery) = enable(&test, &ada).await;
    for entry in std::fs::read_dir(test.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("catalog.db") {
            let bytes = std::fs::read(&path).unwrap();
            let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!has(secret.as_bytes()) && !has(recovery[0].as_bytes()), "{}", path.display());
        }
    }
    let path = "users/ada/second-factor";
    call(&test, &eve, Method::DELETE, path, json!({})).await.error(403, "PERMISSION_DENIED");
    basic(&test, "ada", PASSWORD, "192.0.2.1", None).await.error(403, "PERMISSION_DENIED");
    call(&test, &test.admin, Method::DELETE, path, json!({})).await.ok();
    basic(&test, "ada", PASSWORD, "192.0.2.1", None).await.ok();
    // A limited token can't touch it, and codes can't be guessed without end.
    let limited = test.token_of("ada", "read").await;
    call(&test, &limited, Method::GET, "account/second-factor", json!({})).await.error(403, "PERMISSION_DENIED");
    call(&test, &ada, Method::POST, "account/second-factor", json!({"password": PASSWORD})).await.ok();
    let mut last = 0;
    for _ in 0..8 {
        last = call(&test, &ada, Method::POST, "account/second-factor/confirm", odd_code()).await.status.as_u16();
    }
    assert_eq!(last, 429);
}

/// A stranger with many addresses is stopped, and the owner, from where they always are, is not.
#[tokio::test]
async fn many_wrong_passwords_lock_an_account_for_strangers_alone() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let home = "198.51.100.7";
    basic(&test, "ada", PASSWORD, home, None).await.ok();
    for number in 0..20 {
        basic(&test, "ada", "wrong horse battery", &format!("192.0.2.{number}"), None)
            .await
            .error(401, "UNAUTHENTICATED");
    }
    // Even the right one, from where the owner never was; it looks as a wrong one does.
    let stranger = basic(&test, "ada", PASSWORD, "203.0.113.9", None).await.error(401, "UNAUTHENTICATED");
    let unknown = basic(&test, "nobody", PASSWORD, "203.0.113.10", None).await.error(401, "UNAUTHENTICATED");
    assert_eq!(stranger, unknown);
    basic(&test, "ada", PASSWORD, home, None).await.ok();
    basic(&test, "ada", PASSWORD, "127.0.0.1", None).await.ok();
    let shown = call(&test, &test.admin, Method::GET, "users/ada", json!({})).await.ok();
    assert!(shown["locked_until"].is_string() || shown["locked_until"].is_number(), "{shown}");
    let ledger = test.ledger().await;
    let locked = json!({"act": "user-updated", "name": "ada", "change": "locked after too many wrong passwords"});
    assert!(TestApp::has(&ledger, &locked));
    assert!(TestApp::has(&ledger, &json!({"act": "login-failed", "name": "ada", "reason": "identity.locked"})));
    // An administrator lifts it, or time does.
    call(&test, &test.admin, Method::DELETE, "users/ada/lock", json!({})).await.ok();
    basic(&test, "ada", PASSWORD, "203.0.113.11", None).await.ok();
    for number in 30..50 {
        basic(&test, "ada", "wrong horse battery", &format!("192.0.2.{number}"), None)
            .await
            .error(401, "UNAUTHENTICATED");
    }
    basic(&test, "ada", PASSWORD, "203.0.113.12", None).await.error(401, "UNAUTHENTICATED");
    later(&test, 15 * 60);
    basic(&test, "ada", PASSWORD, "203.0.113.13", None).await.ok();
}

#[tokio::test]
async fn people_see_and_end_their_sessions() {
    use sealyard_core::Redacted;
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let eve = test.user("eve", &[]).await;
    let begin = async || {
        test.app.log_in("ada".to_owned(), Redacted::new(PASSWORD.to_owned()), None, None, None).await.unwrap().secret
    };
    let (first, second) = (begin().await, begin().await);
    let listed = call(&test, &ada, Method::GET, "sessions", json!({})).await.ok();
    let ids: Vec<_> =
        listed["sessions"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2);
    assert!(!listed.to_string().contains(first.expose().as_str()));
    let path = format!("sessions/{}", ids[0]);
    call(&test, &eve, Method::DELETE, &path, json!({})).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    test.get(&eve, &format!("{ROOT}/sessions?user=ada")).await.error(403, "PERMISSION_DENIED");
    let end =
        async |user: &User, path: &str| test.call(user, Method::DELETE, &format!("{ROOT}/{path}"), Body::empty()).await;
    assert_eq!(end(&ada, &path).await.ok()["ended"], 1);
    // Both began in the same moment, so either may be listed first.
    let mut valid = 0;
    for secret in [first, second] {
        let session = sealyard_app::Credentials::Session(secret);
        valid += usize::from(test.app.authenticate(session, None, None).await.is_ok());
    }
    assert_eq!(valid, 1);
    begin().await;
    assert_eq!(end(&ada, "sessions").await.ok()["ended"], 2);
    begin().await;
    assert_eq!(
        test.get(&test.admin, &format!("{ROOT}/sessions?user=ada")).await.ok()["sessions"].as_array().unwrap().len(),
        1
    );
    assert_eq!(end(&test.admin, "sessions?user=ada").await.ok()["ended"], 1);
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "session-ended", "actor": "ada", "reason": "logged out everywhere"})));
}

#[tokio::test]
async fn the_last_use_of_a_token_is_noted() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    later(&test, 60);
    call(&test, &ada, Method::GET, "whoami", json!({})).await.ok();
    let mut used = Value::Null;
    for _ in 0..200 {
        used = test.get(&test.admin, &format!("{ROOT}/tokens?user=ada")).await.ok()["tokens"][0]["used"].clone();
        if !used.is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!used.is_null());
}

#[tokio::test]
async fn a_server_can_ask_administrators_for_a_second_factor_and_tokens_for_an_end() {
    use sealyard_app::{AccountRules, SecondFactorRule};
    let rules = AccountRules {
        second_factor: SecondFactorRule::Administrators,
        longest_token_seconds: Some(30 * 86_400),
        shortest_password: 25,
        ..AccountRules::default()
    };
    let test = TestApp::new().await.with_account_rules(rules);
    // By a password alone they are no administrator, and can't make themselves a token that is one.
    let who = basic(&test, "admin", PASSWORD, "192.0.2.1", None).await.ok();
    assert_eq!((&who["name"], &who["admin"]), (&json!("admin"), &json!(false)));
    let basic_header =
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}")));
    let request = Request::post(format!("{ROOT}/tokens"))
        .header("host", "localhost")
        .header("authorization", &basic_header)
        .body(Body::from(r#"{"scopes":["all"],"expires":"2027-01-20T00:00:00Z"}"#))
        .unwrap();
    let refused = test.send(request).await;
    assert_eq!(refused.json()["rules"], json!(["identity.second-factor"]), "{}", refused.json());
    let admin = test.admin.clone();
    let (secret, _) = enable(&test, &admin).await;
    later(&test, 60);
    let who = basic(&test, "admin", PASSWORD, "192.0.2.1", Some(&code(&test, &secret))).await.ok();
    assert_eq!(who["admin"], true);
    // Tokens end.
    for (expires, fine) in [(None, false), (Some("2028-01-01T00:00:00Z"), false), (Some("2027-01-20T00:00:00Z"), true)]
    {
        let answer = call(&test, &admin, Method::POST, "tokens", json!({"scopes": ["read"], "expires": expires})).await;
        if fine { drop(answer.ok()) } else { assert_eq!(answer.json()["rules"], json!(["token.expiry"])) }
    }
    let short = json!({"name": "eve", "password": PASSWORD});
    let message = call(&test, &admin, Method::POST, "users", short).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("fewer than 25"), "{message}");
}
