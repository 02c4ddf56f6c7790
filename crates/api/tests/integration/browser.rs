//! A browser: logs in on the page, shows its cookie, and is not fooled by pages of others.

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::test_app::{Answer, NOBODY, PASSWORD, TestApp};

const STRICT: &str = "frame-ancestors 'none'";

/// What a browser remembers, and what it says of where a request comes from.
pub(crate) struct Browser<'a> {
    test: &'a TestApp,
    cookies: std::collections::BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(test: &'a TestApp) -> Self {
        Self { test, cookies: std::collections::BTreeMap::new() }
    }

    pub(crate) async fn ask(&mut self, method: Method, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:5000");
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let answer = self.test.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")], "").await
    }

    async fn token(&mut self) -> String {
        let page = self.get("/login").await;
        assert_eq!(page.status, 200);
        let html = text(&page);
        html.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    /// The answer to the form of the page that ends the session.
    async fn log_out(&mut self) -> Answer {
        let html = text(&self.get("/logout").await);
        let token = html.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        self.send_log_out(token).await
    }

    async fn send_log_out(&mut self, token: &str) -> Answer {
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
        self.ask(Method::POST, "/logout", &headers, &format!("token={token}")).await
    }

    async fn send(&mut self, password: &str, token: &str, more: &[(&str, &str)]) -> Answer {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(more);
        let form = format!("name=admin&password={}&token={token}", password.replace(' ', "+"));
        self.ask(Method::POST, "/login", &headers, &form).await
    }

    /// Sends a form as the page of this server does.
    pub(crate) async fn submit(&mut self, path: &str, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://localhost:5000"),
        ];
        self.ask(Method::POST, path, &headers, body).await
    }

    pub(crate) async fn log_in(&mut self) -> Answer {
        let token = self.token().await;
        self.send(PASSWORD, &token, &[("sec-fetch-site", "same-origin"), ("origin", "https://localhost:5000")]).await
    }
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.as_ref().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn nobody_sees_anything_but_the_log_in_page() {
    let test = TestApp::with_pages(true).await;
    let root = test.get(&NOBODY, "/").await;
    assert_eq!((root.status.as_u16(), root.headers["location"].as_bytes()), (303, &b"/login"[..]));
    for path in ["/static-files/static/js/main.js", "/static-files/index.html", "/static-files/none"] {
        test.get(&NOBODY, path).await.error(401, "UNAUTHENTICATED");
    }
    let login = test.get(&NOBODY, "/login").await;
    assert_eq!(login.status, 200);
    assert!(!text(&login).contains("the UI"));
    for path in ["/login", "/login/style.css", "/login/page.js", "/logout"] {
        let answer = test.get(&NOBODY, path).await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains(STRICT) && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn a_log_in_gives_the_pages_and_a_log_out_takes_them() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    let answer = browser.log_in().await;
    assert_eq!((answer.status.as_u16(), answer.headers["location"].as_bytes()), (303, &b"/"[..]));
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-sealyard-session="), "{set}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
        assert!(set.contains(part), "{set}");
    }
    let index = browser.get("/").await;
    assert_eq!(text(&index), "<!doctype html>the UI");
    assert_eq!(index.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(index.headers["cache-control"], "private, no-cache");
    let policy = index.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self' 'unsafe-eval';") && policy.contains(STRICT), "{policy}");
    let main = browser.get("/static-files/static/js/main.js").await;
    assert_eq!((main.status.as_u16(), text(&main).as_str()), (200, "run()"));
    assert_eq!(main.headers["content-type"], "text/javascript; charset=utf-8");
    assert!(main.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let tag = main.headers["etag"].to_str().unwrap().to_owned();
    let again = browser.ask(Method::GET, "/static-files/static/js/main.js", &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status.as_u16(), text(&again).as_str()), (304, ""));
    for path in ["..%2findex.html", "static/../index.html", "%2e%2e/x", "static", "none", "index.html%00"] {
        browser.get(&format!("/static-files/{path}")).await.error(404, "ENDPOINT_NOT_FOUND");
    }
    browser.get("/ajax-api/2.0/mlflow/experiments/get?experiment_id=0").await.ok();
    assert_eq!(browser.get("/login").await.status, 303);

    let old = browser.cookies.clone();
    let out = browser.log_out().await;
    assert_eq!((out.status.as_u16(), out.headers["location"].as_bytes()), (303, &b"/login"[..]));
    assert!(browser.cookies.is_empty());
    browser.cookies = old;
    assert_eq!(browser.get("/").await.status, 303, "the cookie is worth nothing any more");
    let ledger = test.ledger().await;
    for act in ["session-started", "session-ended"] {
        assert!(TestApp::has(&ledger, &json!({ "act": act, "actor": "admin", "outcome": "done" })), "{act}");
    }
}

#[tokio::test]
async fn without_tls_the_cookie_has_another_name() {
    let test = TestApp::with_pages(false).await;
    let mut browser = Browser::new(&test);
    browser.log_in().await;
    assert!(browser.cookies.contains_key("sealyard-session"));
    assert_eq!(text(&browser.get("/").await), "<!doctype html>the UI");
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing_with_the_cookie() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    browser.log_in().await;
    let (path, body) = ("/ajax-api/2.0/mlflow/experiments/create", r#"{"name":"x"}"#);
    for from in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://localhost:5001")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://localhost:5000")],
    ] {
        let message = browser.ask(Method::POST, path, from, body).await.error(403, "PERMISSION_DENIED");
        assert!(message.contains("http.origin"), "{message}");
        let out = browser.ask(Method::POST, "/logout", from, "").await.error(403, "PERMISSION_DENIED");
        assert!(out.contains("http.origin"), "{out}");
    }
    let reads = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")];
    browser
        .ask(Method::GET, "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0", &reads, "")
        .await
        .error(403, "PERMISSION_DENIED");
    browser.ask(Method::POST, path, &[("sec-fetch-site", "same-origin")], body).await.ok();
}

#[tokio::test]
async fn a_form_of_another_page_logs_nobody_in() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    let token = browser.token().await;
    let here = [("sec-fetch-site", "same-origin")];
    for from in [&[][..], &[("sec-fetch-site", "cross-site")], &[("origin", "https://evil.example")]] {
        browser.send(PASSWORD, &token, from).await.error(403, "PERMISSION_DENIED");
    }
    for token in ["", "x", &"0".repeat(64)] {
        let answer = browser.send(PASSWORD, token, &here).await;
        assert_eq!(answer.status, 403);
        assert!(text(&answer).contains("too old"));
    }
    let cookie = browser.cookies.remove("__Host-sealyard-form").unwrap();
    assert_eq!(browser.send(PASSWORD, &token, &here).await.status, 403, "the token without its cookie");
    browser.cookies.insert("__Host-sealyard-form".to_owned(), cookie);
    assert!(!browser.cookies.contains_key("__Host-sealyard-session"));
    let json = browser.ask(Method::POST, "/login", &[here[0], ("content-type", "application/json")], "{}").await;
    json.error(400, "INVALID_PARAMETER_VALUE");
    assert_eq!(browser.send(PASSWORD, &token, &here).await.status, 303);
}

/// Even where a browser, or something between, said that the request comes from here.
#[tokio::test]
async fn a_form_without_the_sessions_own_token_ends_no_session() {
    let test = TestApp::with_pages(true).await;
    let (mut browser, mut other) = (Browser::new(&test), Browser::new(&test));
    browser.log_in().await;
    other.log_in().await;
    let html = text(&other.get("/logout").await);
    let of_other = html.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let session = browser.cookies["__Host-sealyard-session"].clone();
    for token in ["", "x", &"0".repeat(64), &of_other, &session] {
        assert_eq!(browser.send_log_out(token).await.status, 403, "{token}");
        assert_eq!(browser.get("/").await.status, 200, "the session goes on");
    }
    assert!(!html.contains(&session));
    assert_eq!(browser.log_out().await.status, 303);
    assert_eq!(browser.get("/").await.status, 303);
    assert_eq!(other.get("/").await.status, 200);
}

#[tokio::test]
async fn guessing_on_the_page_is_throttled_and_echoes_nothing() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    let token = browser.token().await;
    let here = [("sec-fetch-site", "same-origin")];
    let wrong = browser.send("<script>guess", &token, &here).await;
    assert_eq!(wrong.status, 401);
    assert!(!text(&wrong).contains("guess") && wrong.headers.get("www-authenticate").is_none());
    let mut last = wrong;
    for _ in 0..20 {
        last = browser.send("wrong", &token, &here).await;
        if last.status == 429 {
            break;
        }
    }
    assert_eq!(last.status, 429);
    assert!(last.headers.contains_key("retry-after"));
    assert_eq!(browser.send(PASSWORD, &token, &here).await.status, 429, "the right one has to wait too");
    test.get(&test.admin, "/").await;
}

#[tokio::test]
async fn a_second_log_in_ends_the_first_session() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    browser.log_in().await;
    let first = browser.cookies["__Host-sealyard-session"].clone();
    let mut planted = Browser::new(&test);
    planted.token().await;
    planted.cookies.insert("__Host-sealyard-session".to_owned(), first.clone());
    let token = planted.cookies["__Host-sealyard-form"].clone();
    planted.send(PASSWORD, &token, &[("sec-fetch-site", "same-origin")]).await;
    assert_ne!(planted.cookies["__Host-sealyard-session"], first);
    assert_eq!(browser.get("/").await.status, 303);
    assert_eq!(planted.get("/").await.status, 200);
}

#[tokio::test]
async fn an_api_refusal_puts_no_box_over_the_page() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    browser.cookies.insert("__Host-sealyard-session".to_owned(), "x".repeat(43));
    let answer = browser.get("/ajax-api/2.0/mlflow/experiments/get?experiment_id=0").await;
    assert!(answer.headers.get("www-authenticate").is_none());
    answer.error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn without_pages_there_is_no_log_in_and_no_cookie() {
    let with = TestApp::with_pages(false).await;
    let mut browser = Browser::new(&with);
    browser.log_in().await;
    let without = TestApp::new().await;
    for path in ["/", "/login", "/static-files/index.html"] {
        without.get(&without.admin, path).await.error(404, "ENDPOINT_NOT_FOUND");
    }
    let mut same = Browser { test: &without, cookies: browser.cookies.clone() };
    same.get("/ajax-api/2.0/mlflow/experiments/get?experiment_id=0").await.error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_page_of_the_ledger_is_for_who_may_read_it() {
    let test = TestApp::with_pages(true).await;
    let nobody = test.get(&NOBODY, "/ledger").await;
    assert_eq!((nobody.status.as_u16(), nobody.headers["location"].as_bytes()), (303, &b"/login"[..]));
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let refused = test.get(&ada, "/ledger").await;
    assert_eq!(refused.status, 403);
    assert!(!text(&refused).contains("/ledger/page.js") && text(&refused).contains("may not read"));
    let denied = json!({ "act": "access-denied", "actor": "ada", "outcome": "refused" });
    assert!(TestApp::has(&test.ledger().await, &denied));
    let auditor = test.user("auditor", &[("ledger", "READ")]).await;
    assert_eq!(test.get(&auditor, "/ledger").await.status, 200);

    let mut browser = Browser::new(&test);
    browser.log_in().await;
    let page = browser.get("/ledger").await;
    assert_eq!((page.status.as_u16(), &page.headers["cache-control"]), (200, &"no-store".parse().unwrap()));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(STRICT) && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let html = text(&page);
    assert!(!html.contains("http:") && !html.contains("https:"), "nothing from elsewhere");
    assert!(!html.contains("<script>") && !html.contains("style=") && !html.contains(" onclick"), "nothing inline");
    for (path, kind) in [
        ("/ledger/page.js", "text/javascript; charset=utf-8"),
        ("/ledger/proof.js", "text/javascript; charset=utf-8"),
        ("/ledger/style.css", "text/css; charset=utf-8"),
    ] {
        assert!(html.contains(path) || path.ends_with("proof.js"), "{path}");
        let answer = browser.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.headers["content-type"].as_bytes()), (200, kind.as_bytes()));
        assert!(!text(&answer).contains("innerHTML"), "{path}");
    }
    test.ledger().await;
    for path in ["checkpoint", "search?limit=1", "proof?index=0"] {
        assert_eq!(browser.get(&format!("/api/sealyard/v1/ledger/{path}")).await.status, 200, "{path}");
    }
}
