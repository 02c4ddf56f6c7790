//! What is remembered, and to whom it is shown.

use serde_json::{Value, json};

use super::fake::Fake;
use super::{Home, mode, mode_of};

const TOKEN: &str = "sy_abcdefghijklmnopqrstuvwxyz0123456789abc";

fn server() -> Fake {
    let who = json!({"name": "alice", "admin": false, "scopes": ["all"]}).to_string();
    let made =
        json!({"token": TOKEN, "id": "t1", "scopes": ["all"], "expires": "2030-01-01T00:00:00.000Z"}).to_string();
    let listed =
        json!({"tokens": [{"id": "t1", "scopes": ["all"], "expires": 1_900_000_000_000_i64, "revoked": false}]});
    Fake::start(vec![
        ("GET /api/sealyard/v1/whoami", 200, who),
        ("POST /api/sealyard/v1/tokens", 200, made),
        ("GET /api/sealyard/v1/tokens", 200, listed.to_string()),
        ("DELETE /api/sealyard/v1/tokens/t1", 200, "{}".into()),
        ("POST /api/sealyard/v1/users", 200, "{}".into()),
        ("POST /api/sealyard/v1/grants", 200, "{}".into()),
        ("DELETE /api/sealyard/v1/grants", 200, "{}".into()),
    ])
}

#[test]
fn a_token_file_is_remembered_by_its_place_only() {
    let home = Home::new();
    let fake = server();
    let file = home.secret("admin.token", format!("{TOKEN}\n"));
    home.run(&["login", &fake.url, "--token-file", &file]).fine().says("alice");
    let remembered = std::fs::read_to_string(home.configuration("login.json")).unwrap();
    assert!(!remembered.contains(TOKEN) && remembered.contains("admin.token"), "{remembered}");
    assert_eq!(mode_of(&home.configuration("login.json")), 0o600);
    home.run(&["whoami"]).fine().prints("alice");
    assert!(fake.asked().iter().all(|asked| asked.authorization == Some(format!("Bearer {TOKEN}"))));
    home.run(&["logout"]).fine();
    assert!(!home.configuration("login.json").exists() && home.join("admin.token").exists());
    assert!(!fake.lines().iter().any(|line| line.starts_with("DELETE")));
    home.run(&["whoami"]).ends(2);
}

#[test]
fn a_password_becomes_a_token_that_the_log_out_ends() {
    let home = Home::new();
    let fake = server();
    let password = home.secret("password", "correct horse\n");
    home.run(&["login", &fake.url, "--user", "alice", "--password-file", &password]).fine();
    assert_eq!(mode_of(&home.configuration("token")), 0o600);
    let asked = fake.asked();
    assert!(asked[0].authorization.as_ref().unwrap().starts_with("Basic "));
    let body: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(body["scopes"], json!(["all"]));
    assert!(body["expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(asked[1].authorization, Some(format!("Bearer {TOKEN}")));
    home.run(&["logout"]).fine();
    assert!(fake.lines().contains(&"DELETE /api/sealyard/v1/tokens/t1".to_owned()));
    assert!(!home.configuration("token").exists());
}

#[test]
fn a_password_may_come_from_standard_input() {
    let home = Home::new();
    let fake = server();
    home.run_with(&["login", &fake.url, "--user", "alice", "--password-file", "-"], "correct horse\n").fine();
}

#[test]
fn what_is_remembered_of_one_server_is_not_shown_to_another() {
    let home = Home::new();
    let (fake, other) = (server(), server());
    let file = home.secret("admin.token", TOKEN);
    home.run(&["login", &fake.url, "--token-file", &file]).fine();
    home.run(&["whoami", "--server", &other.url]).fine();
    assert_eq!(other.asked()[0].authorization, None);
    home.run(&["whoami", "--server", &format!("{}/", fake.url)]).fine();
    assert_eq!(fake.asked().last().unwrap().authorization, Some(format!("Bearer {TOKEN}")));
}

#[test]
fn a_log_in_that_does_not_work_is_not_remembered() {
    let home = Home::new();
    let fake =
        Fake::start(vec![("GET", 401, json!({"error_code": "UNAUTHENTICATED", "message": "not valid"}).to_string())]);
    let file = home.secret("admin.token", TOKEN);
    home.run(&["login", &fake.url, "--token-file", &file]).ends(2).says("not valid");
    home.run(&["login", &fake.url]).ends(2).says("nothing to log in with");
    let wide = home.file("wide.token", TOKEN);
    mode(std::path::Path::new(&wide), 0o644);
    home.run(&["login", &fake.url, "--token-file", &wide]).ends(2).says("can be read by others");
    let two = home.secret("two.token", "one\ntwo\n");
    home.run(&["login", &fake.url, "--token-file", &two]).ends(2).says("one line");
    home.run(&["login", "http://sealyard.example.org", "--token-file", &file]).ends(2).says("use https://");
    home.run(&["login", "https://alice:pw@sealyard.example.org", "--token-file", &file]).ends(2);
    assert!(!home.configuration("login.json").exists());
}

#[test]
fn a_damaged_log_in_says_so_and_can_be_forgotten() {
    let home = Home::new();
    home.secret("config/sealyard/login.json", "{");
    home.run(&["whoami"]).ends(2).says("sealyard logout");
    home.run(&["logout"]).fine();
    home.run(&["whoami"]).ends(2).says("no server is named");
}

#[test]
fn tokens_users_and_grants() {
    let home = Home::new();
    let fake = server();
    let file = home.secret("admin.token", TOKEN);
    home.run(&["login", &fake.url, "--token-file", &file]).fine();
    let create = ["tokens", "create", "--scope", "read", "--scope", "experiment:7:edit", "--expires", "1h"];
    let made = home.run(&[&create[..], &["--format", "json"]].concat()).fine().json();
    assert_eq!(made, json!({"token": TOKEN, "id": "t1", "scopes": ["all"], "expires": "2030-01-01T00:00:00.000Z"}));
    let quiet = home.run(&[&create[..], &["--output", "ci.token"]].concat()).fine();
    assert!(!quiet.stdout.contains(TOKEN) && !quiet.stderr.contains(TOKEN));
    assert_eq!(mode_of(&home.join("ci.token")), 0o600);
    home.run(&["tokens", "list"]).fine().prints("t1").prints("2030-");
    home.run(&["tokens", "revoke", "t1"]).fine();
    home.run(&["tokens", "revoke", "t2"]).ends(2);
    let password = home.run(&["users", "create", "bob"]).fine().stdout;
    let sent: Value = serde_json::from_str(&fake.asked().last().unwrap().body).unwrap();
    assert_eq!(sent, json!({"name": "bob", "password": password.trim_end(), "admin": false}));
    home.run(&["grants", "set", "bob", "act:publish", "registered-model:fraud-*"]).fine();
    let sent: Value = serde_json::from_str(&fake.asked().last().unwrap().body).unwrap();
    let right = json!({"user": "bob", "right": "act:publish", "resource": "registered-model:fraud-*", "absent": false});
    assert_eq!(sent, right);
    home.run(&["grants", "remove", "bob", "act:publish", "registered-model:fraud-*"]).fine();
    assert_eq!(fake.lines().last().unwrap(), "DELETE /api/sealyard/v1/grants");
}
