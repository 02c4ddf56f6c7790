//! The commands against a real server, over TLS.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Home, mode_of};

/// A server in a home of its own; killed when the test ends, however it ends.
struct Server {
    home: Home,
    url: String,
    child: Child,
}

impl Server {
    fn start() -> Self {
        Self::start_with(&["--bootstrap-token-file", "admin.token"])
    }

    fn start_with(options: &[&str]) -> Self {
        let home = Home::new();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealyard"))
            .args(["up", "--data-dir", "data", "--listen", "127.0.0.1:0", "--ready-file", "ready.json"])
            .args(options)
            .arg("--quiet")
            .current_dir(home.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.join("server.log")).unwrap())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let ready: Value = loop {
            match std::fs::read(home.join("ready.json")) {
                Ok(text) => break serde_json::from_slice(&text).unwrap(),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
            assert_eq!(child.try_wait().unwrap(), None, "the server stopped");
            assert!(started.elapsed() < Duration::from_secs(120), "the server did not start");
        };
        let url = ready["url"].as_str().unwrap().to_owned();
        Self { home, url, child }
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn people_log_in_get_rights_and_the_ledger_has_it_all() {
    let mut server = Server::start();
    let Server { home, url, .. } = &server;
    assert_eq!(mode_of(&home.join("admin.token")), 0o600);

    // Only the server's own certificate is trusted, and nothing is remembered of one that is not.
    let login = ["login", url, "--token-file", "admin.token"];
    home.run(&login).ends(2).says("could not be reached");
    let other = home.file("other.pem", include_str!("data/root.pem"));
    home.run(&[&login[..], &["--ca", &other]].concat()).ends(2).says("could not be reached");
    home.run(&["whoami"]).ends(2).says("no server is named");
    home.run(&[&login[..], &["--ca", "data/keys/tls.crt"]].concat()).fine();
    assert_eq!(home.run(&["whoami", "--format", "json"]).fine().json()["admin"], true);

    // A user who may do nothing yet, and a token that may do less than its owner.
    let password = home.run(&["users", "create", "alice"]).fine().stdout;
    home.run(&["users", "create", "alice"]).ends(1).says("already exists");
    home.secret("alice.password", password);
    let alice = Home::new();
    let certificate = home.join("data/keys/tls.crt").to_str().unwrap().to_owned();
    let file = home.join("alice.password").to_str().unwrap().to_owned();
    alice.run(&["login", url, "--ca", &certificate, "--user", "alice", "--password-file", &file]).fine();
    alice.run(&["ledger", "checkpoint"]).ends(1).says("Permission denied");
    home.run(&["grants", "set", "alice", "READ", "ledger"]).fine();
    alice.run(&["ledger", "checkpoint"]).fine();
    alice.run(&["users", "create", "mallory"]).ends(1);
    let token = ["tokens", "create", "--scope", "experiment:0:read", "--expires", "1h", "--format", "json"];
    let token = alice.run(&token).fine().json();
    let limited = alice.secret("limited.token", token["token"].as_str().unwrap());
    alice.run(&["ledger", "checkpoint", "--token-file", &limited]).ends(1);
    alice.run(&["tokens", "revoke", token["id"].as_str().unwrap()]).fine();
    alice.run(&["whoami", "--token-file", &limited]).ends(2);
    alice.run(&["logout"]).fine();
    home.run(&["auth", "explain", "alice", "read", "ledger"])
        .fine()
        .prints("allowed by READ on ledger to the user alice");
    home.run(&["grants", "remove", "alice", "READ", "ledger"]).fine();
    home.run(&["auth", "explain", "alice", "read", "ledger"]).ends(1).prints("alice may not read ledger");

    // A slip is one, and foresight is said to be.
    let slip = home.run(&["grants", "set", "alice", "EDIT", "registered-model:frued"]).ends(2);
    slip.says("Registered Model with name=frued not found").says("--absent-ok");
    home.run(&["grants", "set", "alice", "READ", "registered-model:later", "--absent-ok"]).fine();

    // Roles: made, given rights, given to people.
    home.run(&["roles", "create", "releasers", "--description", "who may promote"]).fine();
    home.run(&["roles", "grant", "releasers", "act:promote", "registered-model:*"]).fine();
    home.run(&["roles", "assign", "releasers", "alice"]).fine();
    home.run(&["roles", "list"]).fine().prints("releasers  who may promote");
    let shown = home.run(&["roles", "show", "releasers", "--format", "json"]).fine().json();
    assert_eq!((&shown["users"][0], &shown["grants"][0]["right"]), (&"alice".into(), &"act:promote".into()));
    let why = home.run(&["auth", "explain", "alice", "promote", "models:/fraud/3", "--format", "json"]).fine().json();
    assert_eq!(why["allowed"], true);
    home.run(&["users", "show", "alice"])
        .fine()
        .prints("has the role releasers")
        .prints("has READ on registered-model:later");
    home.run(&["roles", "revoke", "releasers", "act:promote", "registered-model:*"]).fine();
    home.run(&["auth", "explain", "alice", "promote", "models:/fraud"]).ends(1);
    home.run(&["roles", "unassign", "releasers", "alice"]).fine();
    home.run(&["roles", "delete", "releasers"]).fine();
    home.run(&["roles", "show", "releasers"]).ends(2).says("there is no role");

    // Groups, and a machine's account.
    home.run(&["groups", "create", "risk"]).fine();
    home.run(&["groups", "add", "risk", "alice"]).fine();
    home.run(&["groups", "grant", "risk", "READ", "registered-model:*"]).fine();
    home.run(&["groups", "show", "risk"]).fine().prints("alice is in it").prints("has READ on registered-model:*");
    home.run(&["auth", "explain", "alice", "read", "models:/fraud"]).fine().prints("to the group risk");
    home.run(&["groups", "remove", "risk", "alice"]).fine();
    home.run(&["groups", "delete", "risk"]).fine();
    home.run(&["users", "create", "ci", "--service"]).fine();
    home.run(&["grants", "set", "ci", "READ", "ledger"]).fine();
    let made = ["tokens", "create", "--for", "ci", "--scope", "ledger:read", "--output", "ci.token"];
    home.run(&made).fine();
    home.run(&["ledger", "checkpoint", "--token-file", "ci.token"]).fine();
    home.run(&["users", "disable", "ci"]).fine();
    home.run(&["ledger", "checkpoint", "--token-file", "ci.token"]).ends(2);
    home.run(&["users", "list"]).fine().prints("ci  disabled, a machine");
    home.run(&["users", "enable", "ci"]).fine();

    home.run(&["users", "make-admin", "alice"]).fine();
    home.run(&["users", "list"]).fine().prints("alice  administrator");
    home.run(&["users", "make-admin", "alice", "--revoke"]).fine();
    home.run(&["tokens", "list", "--for", "alice"]).fine();
    home.run(&["grants", "list", "--user", "alice"]).fine().prints("user alice  READ on registered-model:later");
    // A second factor: set up by the password, and from then on a password alone makes no token.
    let begin = ["second-factor", "begin", "--user", "alice", "--password-file", "alice.password"];
    home.run(&begin).fine().prints("otpauth://totp/Sealyard:alice?secret=");
    home.run_with(&["second-factor", "confirm"], "000000\n").ends(1);
    home.run(&["second-factor", "status"]).fine().prints("none");
    home.run(&["users", "unlock", "alice"]).fine();
    home.run(&["users", "reset-second-factor", "alice"]).fine();
    home.run(&["sessions", "list"]).fine();
    home.run(&["sessions", "end", "--all", "--for", "alice"]).fine().says("0 sessions have ended");
    let fresh = home.run(&["users", "set-password", "alice", "--format", "json"]).fine().json();
    assert_eq!(fresh["password"].as_str().unwrap().len(), 27);
    home.run(&["users", "delete", "alice"]).fine();
    home.run(&["users", "show", "alice"]).ends(2);

    // Without a policy nothing passes a gate.
    home.run(&["publish", "models:/diabetes/1"]).ends(1).says("policy.absent");

    let kept = home.run(&["ledger", "checkpoint"]).fine().stdout;
    home.file("kept", kept);
    let online = ["ledger", "verify", "--verifier-key", "data/keys/ledger.pub", "--checkpoint", "kept"];
    home.run(&online).fine();
    let offline = ["ledger", "verify", "--data-dir", "data", "--checkpoint", "kept"];
    server.stop();
    server.home.run(&offline).fine();
    server.home.run(&["whoami"]).ends(2).says("could not be reached");
}

#[test]
fn a_server_without_authentication_says_so_and_stays_on_loopback() {
    let home = Home::new();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let refused = home.run(&["up", "--data-dir", "data", "--listen", listen, "--no-auth"]);
        refused.ends(2).says("--no-auth is only allowed on a loopback address");
    }
    let server = Server::start_with(&["--no-auth"]);
    let Server { home, .. } = &server;
    // --quiet does not silence it.
    let said = std::fs::read_to_string(home.join("server.log")).unwrap();
    assert!(said.contains("authentication is off"), "{said}");
    let ready: Value = serde_json::from_slice(&std::fs::read(home.join("ready.json")).unwrap()).unwrap();
    assert_eq!((&ready["user"], &ready["token_file"]), (&Value::from("local-administrator"), &Value::Null));
}
