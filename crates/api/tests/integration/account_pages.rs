//! The pages on which people look after their own account.

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::browser::{Browser, text};
use crate::second_factor::{code, from_base32};
use crate::test_app::{NOBODY, PASSWORD, TestApp};

const PAGES: [&str; 4] = ["/account", "/account/second-factor", "/account/sessions", "/account/tokens"];
const FORMS: [&str; 6] = [
    "/account/second-factor",
    "/account/second-factor/confirm",
    "/account/second-factor/disable",
    "/account/sessions/end",
    "/account/tokens/create",
    "/account/tokens/revoke",
];

/// What stands in a page between two marks.
fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    html.split(before).nth(1).unwrap_or_else(|| panic!("no {before} in {html}")).split(after).next().unwrap()
}

async fn form_token(browser: &mut Browser<'_>) -> String {
    let html = text(&browser.get("/account/tokens").await);
    between(&html, "name=\"token\" value=\"", "\"").to_owned()
}

#[tokio::test]
async fn the_pages_are_for_who_logged_in_on_one() {
    let test = TestApp::with_pages(true).await;
    for path in PAGES {
        let answer = test.get(&NOBODY, path).await;
        assert_eq!((answer.status.as_u16(), answer.headers["location"].as_bytes()), (303, &b"/login"[..]), "{path}");
        // A token or a password is for programs; pages are for sessions.
        let answer = test.get(&test.admin, path).await;
        assert_eq!(answer.status, 303, "{path}");
    }
    for path in FORMS {
        let post = |user| test.call(user, Method::POST, path, String::new());
        post(&NOBODY).await.error(401, "UNAUTHENTICATED");
        post(&test.admin).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    let mut browser = Browser::new(&test);
    browser.log_in().await;
    for path in PAGES {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_form_without_the_token_of_its_page_does_nothing() {
    let test = TestApp::with_pages(true).await;
    let (mut mine, mut theirs) = (Browser::new(&test), Browser::new(&test));
    mine.log_in().await;
    theirs.log_in().await;
    let other = form_token(&mut theirs).await;
    let own = form_token(&mut mine).await;
    assert_ne!(own, other);
    let before = text(&mine.get("/account/tokens").await).matches("Revoke</button>").count();
    for path in FORMS {
        for token in ["", "token=", &format!("token={other}")] {
            let body = format!("{token}&scopes=read&days=1&password={}&code=123456", PASSWORD.replace(' ', "+"));
            assert_eq!(mine.submit(path, &body).await.status, 403, "{path} {token}");
        }
        // Nor does one that a page of another server sends, whatever it holds.
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ];
        let body = format!("token={own}&scopes=read&days=1");
        assert_eq!(mine.ask(Method::POST, path, &headers, &body).await.status, 403, "{path}");
    }
    assert_eq!(text(&mine.get("/account/tokens").await).matches("Revoke</button>").count(), before);
    assert_eq!(text(&mine.get("/account/sessions").await).matches("End</button>").count(), 2);
}

#[tokio::test]
async fn a_second_factor_is_set_up_on_a_page() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    browser.log_in().await;
    let token = form_token(&mut browser).await;
    let wrong = browser.submit("/account/second-factor", &format!("token={token}&password=not+it")).await;
    assert_eq!(wrong.status, 400);
    assert!(!text(&wrong).contains("<svg"));
    let begin = format!("token={token}&password={}", PASSWORD.replace(' ', "+"));
    let begun = browser.submit("/account/second-factor", &begin).await;
    let html = text(&begun);
    assert_eq!(begun.status, 200, "{html}");
    assert!(html.contains("<svg xmlns="));
    let secret = from_base32(between(&html, "<code id=\"secret\">", "</code>"));
    let wrong = browser.submit("/account/second-factor/confirm", &format!("token={token}&code=000000")).await;
    assert_eq!(wrong.status, 400);
    let now = code(&test, &secret);
    let done = browser.submit("/account/second-factor/confirm", &format!("token={token}&code={now}")).await;
    let html = text(&done);
    assert_eq!(done.status, 200, "{html}");
    assert_eq!(between(&html, "<ul id=\"codes\">", "</ul>").matches("<code>").count(), 10);
    let recovery = between(between(&html, "<ul id=\"codes\">", "</ul>"), "<code>", "</code>").to_owned();

    // The session has ended, and the next one takes a code.
    assert_eq!(browser.get("/account").await.status, 303);
    assert_eq!(browser.log_in().await.status, 401);
    let fields = text(&browser.get("/login").await);
    let login = between(&fields, "name=\"token\" value=\"", "\"").to_owned();
    let name = format!("name=admin&password={}&token={login}&code={recovery}", PASSWORD.replace(' ', "+"));
    assert_eq!(browser.submit("/login", &name).await.status, 303);
    assert!(text(&browser.get("/account").await).contains("on, 9 codes to recover with"));

    // It is turned off by a code alone.
    let token = form_token(&mut browser).await;
    let wrong = browser.submit("/account/second-factor/disable", &format!("token={token}&code=000000")).await;
    assert_eq!(wrong.status, 400);
    let recovery = between(between(&html, "<ul id=\"codes\">", "</ul>"), "</li><li><code>", "</code>").to_owned();
    let off = browser.submit("/account/second-factor/disable", &format!("token={token}&code={recovery}")).await;
    assert!(text(&off).contains("The second factor is off."));
}

#[tokio::test]
async fn tokens_are_made_once_shown_and_revoked_on_a_page() {
    let test = TestApp::with_pages(true).await;
    let mut browser = Browser::new(&test);
    browser.log_in().await;
    let token = form_token(&mut browser).await;
    for bad in
        ["scopes=&days=1", "scopes=moon&days=1", "scopes=read&days=0", "scopes=read&days=367", "scopes=read&days=x"]
    {
        let answer = browser.submit("/account/tokens/create", &format!("token={token}&{bad}")).await;
        assert_eq!(answer.status, 400, "{bad}");
    }
    let hostile = "scopes=%3Cscript%3Ealert(1)%3C/script%3E&days=1";
    let answer = browser.submit("/account/tokens/create", &format!("token={token}&{hostile}")).await;
    assert!(answer.status == 400 && !text(&answer).contains("<script>alert"));
    let made = browser.submit("/account/tokens/create", &format!("token={token}&scopes=read+ledger:read&days=3")).await;
    let html = text(&made);
    assert_eq!(made.status, 200, "{html}");
    let secret = between(&html, "<code id=\"made\">", "</code>").to_owned();
    let use_it = async || {
        let request = Request::get("/api/sealyard/v1/whoami").header("host", "localhost");
        let request = request.header("authorization", format!("Bearer {secret}"));
        test.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(use_it().await.status, 200);
    let list = text(&browser.get("/account/tokens").await);
    assert!(list.contains("read ledger:read") && !list.contains(&secret));
    let row = list.split("<tr>").find(|row| row.contains("read ledger:read")).unwrap();
    let id = between(row, "name=\"id\" value=\"", "\"").to_owned();
    let revoked = browser.submit("/account/tokens/revoke", &format!("token={token}&id={id}")).await;
    assert_eq!(revoked.status, 303);
    assert_eq!(use_it().await.status, 401);
    assert!(!text(&browser.get("/account/tokens").await).contains("read ledger:read"));
}

#[tokio::test]
async fn sessions_are_seen_and_ended_on_a_page() {
    let test = TestApp::with_pages(true).await;
    let (mut one, mut two) = (Browser::new(&test), Browser::new(&test));
    one.log_in().await;
    two.log_in().await;
    let token = form_token(&mut one).await;
    let own = test.get(&test.admin, "/api/sealyard/v1/sessions").await.ok();
    assert_eq!(own["sessions"].as_array().unwrap().len(), 2);
    let none = one.submit("/account/sessions/end", &format!("token={token}&id=none")).await;
    assert_eq!(none.status, 404);
    let id = own["sessions"][1]["id"].as_str().unwrap();
    one.submit("/account/sessions/end", &format!("token={token}&id={id}")).await;
    let left = [one.get("/account").await.status.as_u16(), two.get("/account").await.status.as_u16()];
    assert!(left == [200, 303] || left == [303, 200], "{left:?}");
    let mut rest = if left[0] == 200 { one } else { two };
    let token = form_token(&mut rest).await;
    assert_eq!(rest.submit("/account/sessions/end", &format!("token={token}")).await.status, 303);
    assert_eq!(rest.get("/account").await.status, 303);
    let own = test.get(&test.admin, "/api/sealyard/v1/sessions").await.ok();
    assert_eq!(own["sessions"], json!([]));
}

/// A command line gets a token by what is allowed on the page, and nobody else does by what comes by on the way.
#[tokio::test]
async fn a_command_line_logs_in_by_the_page() {
    let test = TestApp::with_pages(true).await;
    let verifier = "a".repeat(64);
    let (challenge, state) = (sealyard_core::Digest::of(verifier.as_bytes()).to_hex(), "b".repeat(64));
    let path = format!("/account/command-line?port=40000&challenge={challenge}&state={state}");
    assert_eq!(test.get(&NOBODY, &path).await.status, 303);
    let mut browser = Browser::new(&test);
    browser.log_in().await;
    for bad in [
        "/account/command-line".to_owned(),
        path.replace("40000", "80"),
        path.replace("40000", "evil.example"),
        path.replace("40000", "40000@evil.example"),
        path.replace(&challenge, "x"),
        path.replace(&state, "%3Cscript%3E"),
        format!("{path}&port=40001"),
    ] {
        assert_eq!(browser.get(&bad).await.status, 400, "{bad}");
    }
    let page = text(&browser.get(&path).await);
    let shown = format!("{}-{}", &challenge[..4], &challenge[4..8]);
    assert!(page.contains("<b>admin</b>") && !page.contains(&shown), "{page}");
    let token = between(&page, "name=\"token\" value=\"", "\"").to_owned();
    let fields = format!("port=40000&challenge={challenge}&state={state}");
    assert_eq!(browser.submit("/account/command-line", &fields).await.status, 403);
    let tokens =
        async || test.get(&test.admin, "/api/sealyard/v1/tokens").await.ok()["tokens"].as_array().unwrap().len();
    let before = tokens().await;
    // A link of somebody else's command line, and a click, are not enough.
    for typed in [String::new(), "&shown=".to_owned(), "&shown=0000-0000".to_owned(), format!("&shown={}", &shown[..8])]
    {
        let refused = browser.submit("/account/command-line", &format!("token={token}&{fields}{typed}")).await;
        assert_eq!((refused.status.as_u16(), tokens().await), (400, before), "{typed}");
        assert!(!text(&refused).contains(&shown));
    }
    let typed = shown.replace('-', "+").to_uppercase();
    let allowed = browser.submit("/account/command-line", &format!("token={token}&{fields}&shown={typed}")).await;
    assert_eq!((allowed.status.as_u16(), tokens().await), (200, before + 1));
    let to = allowed.headers["refresh"].to_str().unwrap();
    let code = to.strip_prefix(&format!("0; url=http://127.0.0.1:40000/?state={state}&code=")).unwrap().to_owned();
    let redeem = async |code: &str, verifier: &str| {
        let body = json!({"code": code, "verifier": verifier});
        test.call(&NOBODY, Method::POST, "/api/sealyard/v1/account/command-line", body.to_string()).await
    };
    let changed = format!("{}0", &code[..code.len() - 1]);
    let changed = if changed == code { format!("{}1", &code[..code.len() - 1]) } else { changed };
    let long = "0".repeat(10_000);
    for (code, verifier) in [
        (code.as_str(), "c".repeat(64)),
        (code.as_str(), challenge.clone()),
        (code.as_str(), String::new()),
        (changed.as_str(), verifier.clone()),
        ("", verifier.clone()),
        ("zz", verifier.clone()),
        (long.as_str(), verifier.clone()),
    ] {
        redeem(code, &verifier).await.error(401, "UNAUTHENTICATED");
    }
    let made = redeem(&code, &verifier).await.ok();
    let request = Request::get("/api/sealyard/v1/whoami").header("host", "localhost");
    let request = request.header("authorization", format!("Bearer {}", made["token"].as_str().unwrap()));
    assert_eq!(test.send(request.body(Body::empty()).unwrap()).await.ok()["name"], "admin");
    use sealyard_core::Clock as _;
    test.clock.set(test.clock.now().plus_seconds(121));
    redeem(&code, &verifier).await.error(401, "UNAUTHENTICATED");
}
