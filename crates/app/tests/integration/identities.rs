use std::sync::Arc;

use sealyard_app::{AppError, Caller, Credentials, NewToken, NewUser, ServerKeys};
use sealyard_core::{FixedRng, Redacted};
use sealyard_identity::{Administer, Read, ServerWide, UserDirectory};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::UserRecord;

use crate::harness::{PASSWORD, TestApp, bare, name, password, refused_by, start};

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_first_administrator() {
    let bare = bare(None).await;
    let call = |who: &'static str| {
        let app = Arc::clone(&bare.app);
        tokio::spawn(async move { app.first_administrator(name(who), None).await.unwrap() })
    };
    let calls = [call("first"), call("second"), call("third")];
    let mut made = Vec::new();
    for call in calls {
        made.extend(call.await.unwrap());
    }
    assert_eq!(made.len(), 1, "{made:?}");
    bare.app.first_start_done().await.unwrap();
    assert!(bare.app.first_administrator(name("late"), None).await.unwrap().is_none());
    let shown = format!("{:?}", made[0]);
    assert!(!shown.contains(made[0].password.expose().as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_gave_nobody_a_way_in_is_made_up_for() {
    let bare = bare(None).await;
    let first = bare.app.first_administrator(name("admin"), None).await.unwrap().unwrap();
    let all = || NewToken { scopes: vec!["all".parse().unwrap()], expires: None };
    let lost = bare.app.bootstrap_token(&first, all()).await.unwrap();
    let second = bare.app.first_administrator(name("admin"), None).await.unwrap().unwrap();
    let log_in = |with: &Redacted<String>| Credentials::Password { name: "admin".into(), password: with.clone() };
    assert!(bare.app.authenticate(log_in(&first.password), None, None).await.is_err());
    assert!(bare.app.authenticate(Credentials::Token(lost), None, None).await.is_err());
    bare.app.authenticate(log_in(&second.password), None, None).await.unwrap();
    bare.app.first_start_done().await.unwrap();
    assert!(bare.app.first_administrator(name("admin"), None).await.unwrap().is_none());
    bare.app.authenticate(log_in(&second.password), None, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_makes_no_account() {
    let bare = bare(None).await;
    for weak in ["", "short", "passwordpassword"] {
        let result = bare.app.first_administrator(name("admin"), Some(password(weak))).await;
        assert!(matches!(result, Err(AppError::Invalid(_))), "{weak}: {result:?}");
    }
    assert!(bare.app.first_administrator(name("admin"), Some(password(PASSWORD))).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_made_once_by_those_who_administer() {
    let test = TestApp::new().await;
    let eve = test.user("eve", &[("server", "MANAGE")]).await;
    refused_by(test.app.authorize(&eve, Administer, UserDirectory).await, "authorization");
    let may = test.administer().await;
    let new = NewUser { name: name("eve"), password: password(PASSWORD), admin: true };
    let result = test.app.create_user(&test.admin, &may, new).await;
    assert!(matches!(result, Err(AppError::AlreadyExists { .. })), "{result:?}");
    assert!(!test.log_in("eve", PASSWORD).await.unwrap().principal().unwrap().admin);
    let told = |act: &Act| matches!(act, Act::UserCreated { name, admin: false } if name == "eve");
    assert_eq!(test.count(Outcome::Done, told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_itself_is_authorized_for_nothing() {
    let test = TestApp::new().await;
    let result = test.app.authorize(&Caller::system(), Read, ServerWide).await;
    assert!(matches!(result, Err(AppError::Unauthenticated)));
    assert!(!test.app.may(&Caller::system(), Read, ServerWide));
}

#[test]
fn keys_are_private_and_their_public_halves_are_theirs() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let rng = FixedRng::seeded(3);
    let public = directory.path().join("gate.pub");
    let keys = ServerKeys::open_or_create(directory.path(), &rng).unwrap();
    std::fs::write(&public, crate::harness::key("stranger").public_key().to_pem()).unwrap();
    let again = ServerKeys::open_or_create(directory.path(), &rng).unwrap();
    assert_eq!(again.gate.public_key().to_pem(), keys.gate.public_key().to_pem());
    assert_eq!(std::fs::read_to_string(&public).unwrap(), keys.gate.public_key().to_pem());
    let private = directory.path().join("gate.key");
    assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(ServerKeys::open_or_create(directory.path(), &rng).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_is_one_who_can_log_in() {
    let test = TestApp::new().await;
    let imported = UserRecord {
        id: 0,
        name: "ada".into(),
        password: None,
        admin: true,
        kind: sealyard_store::model::UserKind::Person,
        disabled: false,
        created: start(),
    };
    test.write(move |tx| tx.create_user(&imported)).await;
    let may = test.administer().await;
    let error = test.app.set_administrator(&test.admin, &may, "admin", false).await.unwrap_err();
    assert!(matches!(error, AppError::Conflict(_)), "{error:?}");
    let error = test.app.delete_user(&test.admin, &may, "admin").await.unwrap_err();
    assert!(matches!(error, AppError::Conflict(_)), "{error:?}");
    test.app.delete_user(&test.admin, &may, "ada").await.unwrap();
}
