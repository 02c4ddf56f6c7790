//! Passwords that a directory checks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sealyard_app::{AccountRules, App, AppError, Caller, Credentials, SecondFactorRule};
use sealyard_core::Redacted;
use sealyard_identity::{Answer, DirectoryError, DirectoryPerson, PasswordDirectory, Via};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{PASSWORD, TestApp, password, start};

const THEIRS: &str = "Plover-Gneiss-Ampersand-21";

/// Knows people who all have the same password; what they are called there may be another name.
#[derive(Debug, Default)]
struct Fake {
    people: Mutex<Vec<(&'static str, DirectoryPerson)>>,
    down: std::sync::atomic::AtomicBool,
    asked: Mutex<Vec<String>>,
    pretended: AtomicUsize,
}

fn person(name: &str) -> DirectoryPerson {
    DirectoryPerson {
        subject: format!("id-of-{name}"),
        name: name.to_owned(),
        groups: Some(vec!["cn=ml,dc=x".to_owned()]),
        administrator: None,
    }
}

impl PasswordDirectory for Fake {
    fn name(&self) -> &'static str {
        "corp"
    }

    fn check<'a>(
        &'a self,
        name: &'a str,
        password: &'a Redacted<String>,
    ) -> Answer<'a, Result<DirectoryPerson, DirectoryError>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let found = self.people.lock().unwrap().iter().find(|(known, _)| *known == name).map(|(_, who)| who.clone());
        let answer = match found {
            _ if self.down.load(Ordering::SeqCst) => Err(DirectoryError::Unavailable("down".to_owned())),
            Some(found) if password.expose() == THEIRS => Ok(found),
            _ => Err(DirectoryError::Refused("no".to_owned())),
        };
        Box::pin(async move { answer })
    }

    fn pretend(&self) -> Answer<'_, ()> {
        self.pretended.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {})
    }
}

struct Test {
    test: TestApp,
    app: App,
    fake: Arc<Fake>,
}

impl Test {
    async fn new() -> Self {
        let test = TestApp::new().await;
        let fake = Arc::new(Fake::default());
        fake.people.lock().unwrap().push(("ada", person("ada")));
        let app = (*test.app).clone().with_directories(vec![Arc::clone(&fake) as Arc<dyn PasswordDirectory>]);
        Self { test, app, fake }
    }

    async fn basic(&self, name: &str, secret: &str) -> Result<Caller, AppError> {
        self.app
            .authenticate(Credentials::Password { name: name.to_owned(), password: password(secret) }, None, None)
            .await
    }

    fn asked(&self) -> usize {
        self.fake.asked.lock().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_lets_somebody_in() {
    let t = Test::new().await;
    let caller = t.basic("ada", THEIRS).await.unwrap();
    let who = caller.principal().unwrap();
    assert_eq!(who.name.as_str(), "ada");
    assert_eq!(who.via, Via::External { provider: "corp".into(), expires: None });
    let told = |act: &Act| matches!(act, Act::LoggedIn { method } if method == "ldap:corp");
    assert_eq!(t.test.count(Outcome::Done, told).await, 1);
    // And at the page.
    let session = t.app.log_in("ada".into(), password(THEIRS), None, None, None).await.unwrap();
    let back = t.app.authenticate(Credentials::Session(session.secret), None, None).await.unwrap();
    assert_eq!(back.principal().unwrap().id, who.id);
    for (name, secret) in [("ada", "wrong"), ("bob", THEIRS), ("ada", "")] {
        assert!(matches!(t.basic(name, secret).await, Err(AppError::Unauthenticated)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_this_server_is_never_asked_about_elsewhere() {
    let t = Test::new().await;
    t.test.user("ada", &[]).await;
    assert!(matches!(t.basic("ada", THEIRS).await, Err(AppError::Unauthenticated)));
    assert_eq!((t.asked(), t.fake.pretended.load(Ordering::SeqCst)), (0, 1));
    assert_eq!(t.basic("ada", PASSWORD).await.unwrap().principal().unwrap().via, Via::Password);
    assert_eq!((t.asked(), t.fake.pretended.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_directory_becomes_an_account_of_this_server() {
    let t = Test::new().await;
    t.test.user("bob", &[]).await;
    // A name that finds an entry which is called as the account is.
    t.fake.people.lock().unwrap().push(("bob@example.org", person("bob")));
    let refused = t.basic("bob@example.org", THEIRS).await;
    assert!(matches!(&refused, Err(AppError::Refused { rule, .. }) if rule == "identity.name-taken"), "{refused:?}");
    assert!(t.app.log_in("bob@example.org".into(), password(THEIRS), None, None, None).await.is_err());
}

/// Once an account has a password of this server, the directory's lets nobody in, whatever the spelling or the memory of before.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_password_of_its_own_is_not_let_in_by_the_directory() {
    let t = Test::new().await;
    t.fake.people.lock().unwrap().push(("ADA", person("ada")));
    t.basic("ADA", THEIRS).await.unwrap();
    t.basic("ada", THEIRS).await.unwrap();
    let administrator = t.test.log_in("admin", PASSWORD).await.unwrap();
    t.app.set_password(&administrator, "ada", password(PASSWORD), None).await.unwrap();
    for name in ["ada", "ADA"] {
        assert!(matches!(t.basic(name, THEIRS).await, Err(AppError::Unauthenticated)), "{name}");
        t.test.clock.set(start().plus_seconds(60));
        assert!(matches!(t.basic(name, THEIRS).await, Err(AppError::Unauthenticated)), "{name}, later");
    }
    assert_eq!(t.basic("ada", PASSWORD).await.unwrap().principal().unwrap().via, Via::Password);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_at_a_directory_is_no_second_factor() {
    let t = Test::new().await;
    let administrator = DirectoryPerson { administrator: Some(true), ..person("root2") };
    t.fake.people.lock().unwrap().push(("root2", administrator));
    assert!(t.basic("root2", THEIRS).await.unwrap().principal().unwrap().admin);
    let rules = AccountRules { second_factor: SecondFactorRule::Administrators, ..AccountRules::default() };
    let app = t.app.clone().with_account_rules(rules);
    let t = Test { app, ..t };
    // Asked, and remembered.
    for _ in 0..2 {
        assert!(!t.basic("root2", THEIRS).await.unwrap().principal().unwrap().admin);
    }
    let session = t.app.log_in("root2".into(), password(THEIRS), None, None, None).await.unwrap();
    let back = t.app.authenticate(Credentials::Session(session.secret), None, None).await.unwrap();
    assert!(!back.principal().unwrap().admin);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_a_directory_is_slowed_down_too() {
    let t = Test::new().await;
    // Whatever the case: a directory does not tell it apart.
    for name in ["ada", "ADA", "Ada", "aDa", "adA"] {
        assert!(matches!(t.basic(name, "wrong").await, Err(AppError::Unauthenticated)));
    }
    let asked = t.asked();
    assert!(matches!(t.basic("ada", THEIRS).await, Err(AppError::Throttled(_))));
    assert_eq!(t.asked(), asked);
    t.test.clock.set(start().plus_seconds(2));
    t.basic("ada", THEIRS).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_directory_said_holds_for_seconds() {
    let t = Test::new().await;
    for _ in 0..3 {
        t.basic("ada", THEIRS).await.unwrap();
    }
    assert_eq!(t.asked(), 1);
    assert!(t.basic("ada", "wrong").await.is_err());
    t.test.clock.set(start().plus_seconds(29));
    t.basic("ada", THEIRS).await.unwrap();
    assert_eq!(t.asked(), 2);
    // Gone from the directory.
    t.fake.people.lock().unwrap().clear();
    t.test.clock.set(start().plus_seconds(30));
    assert!(matches!(t.basic("ada", THEIRS).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_is_out_at_once() {
    let t = Test::new().await;
    t.basic("ada", THEIRS).await.unwrap();
    t.test.write(|tx| tx.set_user_disabled("ada", true)).await;
    assert!(matches!(t.basic("ada", THEIRS).await, Err(AppError::Unauthenticated)));
    t.test.clock.set(start().plus_seconds(60));
    assert!(matches!(t.basic("ada", THEIRS).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_does_not_answer_locks_nobody_out() {
    let t = Test::new().await;
    t.test.user("bob", &[]).await;
    t.fake.down.store(true, Ordering::SeqCst);
    for _ in 0..8 {
        assert!(matches!(t.basic("ada", THEIRS).await, Err(AppError::Unavailable(_))));
    }
    t.basic("bob", PASSWORD).await.unwrap();
    t.fake.down.store(false, Ordering::SeqCst);
    t.basic("ada", THEIRS).await.unwrap();
}
