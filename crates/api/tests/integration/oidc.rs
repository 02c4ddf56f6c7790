//! Log-ins at a provider, its word that somebody logged out, and machines: from the request to the session. What is wrong with
//! tokens themselves is tested in `sealyard-identity-oidc`.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Method, Request};
use sealyard_identity_oidc::Providers;
use serde_json::{Value, json};

use crate::oidc_provider::{Fake, Key, NOW};
use crate::test_app::{Answer, NOBODY, TestApp, User};

const SESSION: &str = "__Host-sealyard-session";
const BINDING: &str = "__Host-sealyard-oidc";

struct Setting {
    fake: Fake,
    test: TestApp,
}

/// A browser's cookies.
type Jar = BTreeMap<String, String>;

impl Setting {
    async fn new() -> Self {
        let fake = Fake::start(Key::p256()).await;
        let all = vec![fake.people(), fake.provider_with(fake.machine_settings())];
        let providers = Providers::new(all, fake.state_key.clone(), fake.clock.clone()).unwrap();
        let test = TestApp::with_pages_and(true, Some(providers)).await;
        Self { fake, test }
    }

    async fn get(&self, jar: &mut Jar, path: &str, site: &str) -> Answer {
        let mut request = Request::get(path).header("host", "localhost:5000");
        // What a browser does with `SameSite=Strict`.
        let sent = jar.iter().filter(|(name, _)| site != "cross-site" || name.as_str() == BINDING);
        let cookies: Vec<_> = sent.map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        request = request
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        let answer = self.test.send(request.body(Body::empty()).unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Begins a log-in, and lets the provider hold a token for it; gives the path that the browser comes back to.
    async fn begin(&self, jar: &mut Jar, next: &str, changes: Value) -> String {
        let answer = self.get(jar, &format!("/auth/oidc/corp/login?next={next}"), "same-origin").await;
        assert_eq!(answer.status, 303);
        let location = answer.headers["location"].to_str().unwrap();
        assert!(location.starts_with(&format!("{}/authorize?", self.fake.issuer)));
        let field = |name: &str| {
            let (_, rest) = location.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let mut claims = json!({
            "iss": self.fake.issuer, "aud": "sealyard", "sub": "s-ada", "iat": NOW, "exp": NOW + 300,
            "nonce": field("nonce"), "preferred_username": "ada", "groups": ["ml"], "sid": "p1",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.hold(&claims);
        format!("/auth/oidc/corp/callback?code=c1&state={}", field("state"))
    }

    fn hold(&self, claims: &Value) {
        let token = self.fake.key.token("ES256", "k1", claims);
        let answer = (200, json!({"token_type": "Bearer", "access_token": "at", "id_token": token}));
        // This provider takes a code as often as it is shown.
        self.fake.change(|state| state.tokens = vec![answer; 5].into());
    }

    async fn log_in(&self, jar: &mut Jar, changes: Value) -> Answer {
        let back = self.begin(jar, "/", changes).await;
        self.get(jar, &back, "cross-site").await
    }

    async fn is_in(&self, jar: &Jar) -> bool {
        self.get(&mut jar.clone(), "/", "same-origin").await.status == 200
    }

    async fn log_out_token(&self, changes: Value) -> Answer {
        let mut claims = json!({
            "iss": self.fake.issuer, "aud": "sealyard", "iat": NOW, "exp": NOW + 120, "jti": "l1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.send_log_out(&self.fake.key.token("ES256", "k1", &claims)).await
    }

    async fn send_log_out(&self, token: &str) -> Answer {
        let request = Request::post("/auth/oidc/corp/backchannel")
            .header("host", "localhost:5000")
            .header("content-type", "application/x-www-form-urlencoded");
        self.test.send(request.body(Body::from(format!("logout_token={token}"))).unwrap()).await
    }

    async fn refused(&self, rule: &str) -> bool {
        let ledger = self.test.ledger().await;
        ["corp", "token"].iter().any(|provider| {
            let reason = format!("oidc:{provider}: {rule}");
            TestApp::has(&ledger, &json!({"act": "login-failed", "outcome": "refused", "reason": reason}))
        })
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.as_ref().unwrap().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_at_a_provider_begins_a_session() {
    let setting = Setting::new().await;
    let mut jar = Jar::new();
    let page = setting.get(&mut jar, "/login", "none").await;
    assert!(text(&page).contains("<a href=\"/auth/oidc/corp/login\">Log in with corp</a>"));
    assert!(!text(&page).contains("/auth/oidc/ci/"), "machines don't log in");
    let back = setting.begin(&mut jar, "/x", json!({})).await;
    assert!(jar.contains_key(BINDING));
    let answer = setting.get(&mut jar, &back, "cross-site").await;
    // No redirect: the session's cookie would stay behind.
    assert_eq!((answer.status.as_u16(), &answer.headers["refresh"]), (200, &"0; url=/x".parse().unwrap()));
    assert!(!jar.contains_key(BINDING) && setting.is_in(&jar).await);
    let ledger = setting.test.ledger().await;
    for act in [
        json!({"act": "user-created", "name": "ada", "admin": false}),
        json!({"act": "logged-in", "method": "oidc:corp", "actor": "ada"}),
    ] {
        assert!(TestApp::has(&ledger, &act), "{act}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_fixation() {
    let setting = Setting::new().await;
    // A session of somebody else whose cookie was planted, and one that never was.
    let mut mine = Jar::new();
    setting.log_in(&mut mine, json!({"sub": "s-eve", "preferred_username": "eve"})).await;
    for planted in [mine[SESSION].clone(), "x".repeat(43)] {
        let mut jar = Jar::from([(SESSION.to_owned(), planted.clone())]);
        setting.log_in(&mut jar, json!({})).await;
        assert_ne!(jar[SESSION], planted);
        assert!(setting.is_in(&jar).await);
        assert!(!setting.is_in(&Jar::from([(SESSION.to_owned(), "x".repeat(43))])).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_missing_mismatched_and_replayed() {
    let setting = Setting::new().await;
    let mut jar = Jar::new();
    let back = setting.begin(&mut jar, "/", json!({})).await;
    let kept = jar.clone();
    // Another browser, no state, another state.
    for (mut jar, back) in [
        (Jar::new(), back.clone()),
        (kept.clone(), "/auth/oidc/corp/callback?code=c1".to_owned()),
        (kept.clone(), "/auth/oidc/corp/callback?code=c1&state=x".to_owned()),
        (Jar::from([(BINDING.to_owned(), "junk".to_owned())]), back.clone()),
    ] {
        let answer = setting.get(&mut jar, &back, "cross-site").await;
        assert_eq!(answer.status, 403);
        assert!(!jar.contains_key(SESSION) && text(&answer).contains("oidc.state"));
    }
    assert!(setting.refused("oidc.state").await);
    assert_eq!(setting.get(&mut jar, &back, "cross-site").await.status, 200);
    // Somebody who got hold of both, at a provider that takes a code twice.
    let mut thief = kept;
    let answer = setting.get(&mut thief, &back, "cross-site").await;
    assert_eq!(answer.status, 403);
    assert!(!thief.contains_key(SESSION) && text(&answer).contains("oidc.replay"));
    assert!(setting.refused("oidc.replay").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_redirect() {
    let setting = Setting::new().await;
    for next in
        ["//evil.example", "%2F%2Fevil.example", "/%5Cevil.example", "https://evil.example", "/%09/evil.example"]
    {
        let mut jar = Jar::new();
        let back = setting.begin(&mut jar, next, json!({})).await;
        let answer = setting.get(&mut jar, &back, "cross-site").await;
        assert_eq!(answer.headers["refresh"], "0; url=/", "{next}");
        assert!(!text(&answer).contains("evil"), "{next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_somebody_by_a_name() {
    let setting = Setting::new().await;
    for (name, rule) in [("admin", "identity.name-taken"), ("system", "identity.name"), ("<b>", "identity.name")] {
        let mut jar = Jar::new();
        let answer = setting.log_in(&mut jar, json!({"preferred_username": name, "sub": name})).await;
        assert_eq!(answer.status, 403, "{name}");
        assert!(text(&answer).contains(rule) && !text(&answer).contains("<b>"), "{}", text(&answer));
        assert!(!jar.contains_key(SESSION));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_or_unknown() {
    let setting = Setting::new().await;
    setting.fake.change(|state| state.down = true);
    let mut jar = Jar::new();
    let answer = setting.get(&mut jar, "/auth/oidc/corp/login", "none").await;
    assert_eq!((answer.status.as_u16(), jar.len()), (503, 0));
    assert!(!text(&answer).contains(&setting.fake.issuer), "what went wrong is in the log");
    for path in ["login", "callback"] {
        for name in ["none", "ci"] {
            let answer = setting.get(&mut jar, &format!("/auth/oidc/{name}/{path}"), "none").await;
            assert_eq!(answer.status, 404, "{name} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn back_channel_log_out() {
    let setting = Setting::new().await;
    let (mut one, mut two, mut bob) = (Jar::new(), Jar::new(), Jar::new());
    setting.log_in(&mut one, json!({"sid": "p1"})).await;
    setting.log_in(&mut two, json!({"sid": "p2"})).await;
    setting.log_in(&mut bob, json!({"sid": "p3", "sub": "s-bob", "preferred_username": "bob"})).await;
    // Of a session: that one ends. Of another subject's session: none does.
    assert_eq!(setting.log_out_token(json!({"jti": "a", "sub": "s-bob", "sid": "p1"})).await.status, 200);
    assert!(setting.is_in(&one).await);
    assert_eq!(setting.log_out_token(json!({"jti": "b", "sid": "p1"})).await.status, 200);
    assert!(!setting.is_in(&one).await && setting.is_in(&two).await);
    // Of a subject: all of theirs end.
    setting.log_in(&mut one, json!({"sid": "p4"})).await;
    assert_eq!(setting.log_out_token(json!({"jti": "c", "sub": "s-ada"})).await.status, 200);
    assert!(!setting.is_in(&one).await && !setting.is_in(&two).await && setting.is_in(&bob).await);
    // The same token ends no later session.
    setting.log_in(&mut one, json!({"sid": "p5"})).await;
    assert_eq!(setting.log_out_token(json!({"jti": "c", "sub": "s-ada"})).await.status, 400);
    assert!(setting.is_in(&one).await && setting.refused("oidc.replay").await);
    // Nor does what is none.
    for changes in
        [json!({"jti": "d", "sub": "s-ada", "nonce": "n"}), json!({"jti": "e", "sub": "s-ada", "events": {}})]
    {
        assert_eq!(setting.log_out_token(changes).await.status, 400);
    }
    for token in ["", "x", "e30.e30.e30"] {
        assert_eq!(setting.send_log_out(token).await.status, 400);
    }
    assert!(setting.is_in(&one).await && setting.refused("oidc.logout").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_out_goes_on_to_the_provider() {
    let setting = Setting::new().await;
    let mut jar = Jar::new();
    setting.log_in(&mut jar, json!({})).await;
    let cookie = format!("{SESSION}={}", jar[SESSION]);
    let ask = |request: http::request::Builder| {
        request.header("host", "localhost:5000").header("sec-fetch-site", "same-origin").header("cookie", &cookie)
    };
    let page = setting.test.send(ask(Request::get("/logout")).body(Body::empty()).unwrap()).await;
    let html = String::from_utf8(page.bytes.unwrap().to_vec()).unwrap();
    let token = html.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = ask(Request::post("/logout")).header("content-type", "application/x-www-form-urlencoded");
    let answer = setting.test.send(form.body(Body::from(format!("token={token}"))).unwrap()).await;
    let refresh = answer.headers["refresh"].to_str().unwrap();
    assert!(refresh.starts_with(&format!("0; url={}/logout?", setting.fake.issuer)), "{refresh}");
    assert!(!setting.is_in(&jar).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_its_account_and_no_more() {
    let setting = Setting::new().await;
    let test = &setting.test;
    let machine = |changes: Value| {
        let mut claims = setting.fake.machine_claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        User::with_token(&setting.fake.key.token("ES256", "k1", &claims))
    };
    let whoami = "/api/sealyard/v1/whoami";
    // There is no such account yet.
    test.get(&machine(json!({"jti": "1"})), whoami).await.error(401, "UNAUTHENTICATED");
    test.user("publisher", &[("experiment:0", "READ")]).await;
    let user = machine(json!({"jti": "2"}));
    assert_eq!(test.get(&user, whoami).await.ok()["name"], "publisher");
    let read = "/api/2.0/mlflow/experiments/get?experiment_id=0";
    test.get(&user, read).await.ok();
    let change = json!({"experiment_id": "0", "new_name": "x"});
    test.post(&user, "/api/2.0/mlflow/experiments/update", change).await.error(403, "PERMISSION_DENIED");
    // A token that it makes lives no longer than its own.
    let made = test.post(&user, "/api/sealyard/v1/tokens", json!({"scopes": ["all"]})).await.ok();
    assert_eq!(made["expires"], sealyard_core::Timestamp::from_millis((NOW + 300) * 1000).to_rfc3339(), "{made}");
    for (changes, rule) in [
        (json!({"aud": "other"}), "oidc.audience"),
        (json!({"exp": NOW - 60}), "oidc.time"),
        (json!({"repository": "org/other"}), "oidc.machine"),
        (json!({"nonce": "n"}), "oidc.token"),
    ] {
        test.get(&machine(changes), whoami).await.error(401, "UNAUTHENTICATED");
        assert!(setting.refused(rule).await, "{rule}");
    }
    let forged = setting.fake.machine_claims();
    let forged = User::with_token(&Key::p256().token("ES256", "k1", &forged));
    test.get(&forged, whoami).await.error(401, "UNAUTHENTICATED");
    assert!(setting.refused("oidc.signature").await);
    let ledger = test.ledger().await;
    let logged_in = json!({"act": "logged-in", "method": "oidc:ci", "actor": "publisher"});
    assert!(TestApp::has(&ledger, &logged_in));
    // The account is taken away: the very next request is nobody's.
    test.call(&test.admin, Method::DELETE, "/api/sealyard/v1/users/publisher", Body::empty()).await.ok();
    test.get(&user, read).await.error(401, "UNAUTHENTICATED");
    // A token of ours is never asked about at a provider.
    let asked = setting.fake.asked("GET");
    test.get(&User::with_token("sy_x"), read).await.error(401, "UNAUTHENTICATED");
    test.get(&NOBODY, read).await.error(401, "UNAUTHENTICATED");
    assert_eq!(setting.fake.asked("GET"), asked);
}
