use std::collections::BTreeMap;

use sealyard_app::{AppError, Caller, Credentials, ExternalIdentity, MappedIdentity, NewToken};
use sealyard_identity::{Edit, ExperimentId, Read, Scope, Via};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{PASSWORD, TestApp, password, start};

fn ada(groups: &[&str]) -> ExternalIdentity {
    ExternalIdentity {
        provider: "corp".into(),
        method: "oidc",
        subject: "subject-1".into(),
        name: "ada".into(),
        groups: Some(groups.iter().map(ToString::to_string).collect()),
        administrator: None,
        expires: None,
    }
}

async fn enter(test: &TestApp, identity: ExternalIdentity) -> Result<Caller, AppError> {
    test.app.sign_in_external(identity, None, None).await
}

fn rule(refused: Result<Caller, AppError>) -> String {
    match refused {
        Err(AppError::Refused { rule, .. }) => rule,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_time_makes_an_account_and_the_next_is_the_same() {
    let test = TestApp::new().await;
    let first = enter(&test, ada(&[])).await.unwrap();
    let principal = first.principal().unwrap();
    assert_eq!(principal.via, Via::External { provider: "corp".into(), expires: None });
    assert!(!principal.admin);
    // Whatever it is called at the provider now.
    let second = enter(&test, ExternalIdentity { name: "lovelace".into(), ..ada(&[]) }).await.unwrap();
    assert_eq!(second.principal(), Some(principal));
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::UserCreated { name, .. } if name == "ada")).await, 1);
    assert_eq!(
        test.count(Outcome::Done, |act| matches!(act, Act::LoggedIn { method } if method == "oidc:corp")).await,
        2
    );
    // It has no password, and none is right for it.
    let basic = Credentials::Password { name: "ada".into(), password: password("") };
    assert!(matches!(test.app.authenticate(basic, None, None).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_somebody_by_their_name() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    assert_eq!(rule(enter(&test, ada(&[])).await), "identity.name-taken");
    // Nor by one that looks like it.
    assert_eq!(rule(enter(&test, ExternalIdentity { name: "ADA".into(), ..ada(&[]) }).await), "identity.name-taken");
    // Nor by the same subject at another provider.
    enter(&test, ExternalIdentity { name: "bob".into(), ..ada(&[]) }).await.unwrap();
    let other = ExternalIdentity { provider: "other".into(), name: "bob".into(), ..ada(&[]) };
    assert_eq!(rule(enter(&test, other).await), "identity.name-taken");
    for odd in ["", "system", "Anonymous", "a b", "ada\n", "local-administrator", "a:b"] {
        let identity = ExternalIdentity { subject: "2".into(), name: odd.into(), ..ada(&[]) };
        assert_eq!(rule(enter(&test, identity).await), "identity.name", "{odd:?}");
    }
    let failed = test.count(Outcome::Refused, |act| matches!(act, Act::LoginFailed { .. })).await;
    assert!(failed >= 3, "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_what_the_provider_says_each_time() {
    let test = TestApp::new().await;
    let roles = BTreeMap::from([("corp".to_owned(), BTreeMap::from([("ml".to_owned(), vec!["trainers".to_owned()])]))]);
    test.app.declare_group_roles(roles).await.unwrap();
    let id = test.experiment("one").await;
    let role = test.app.roles(&test.admin, Some("default".into())).await.unwrap().remove(0);
    assert_eq!(role.name, "trainers");
    let permission = sealyard_app::NewRolePermission {
        resource_type: "experiment".into(),
        resource_pattern: id.as_str().to_owned(),
        permission: "EDIT".into(),
    };
    test.app.add_role_permission(&test.admin, role.id, permission).await.unwrap();
    let may = async |caller: &Caller| test.app.authorize(caller, Edit, id.clone()).await.is_ok();
    let caller = enter(&test, ada(&["other"])).await.unwrap();
    assert!(!may(&caller).await);
    let caller = enter(&test, ada(&["ml", "other", "ml"])).await.unwrap();
    assert!(may(&caller).await);
    // A provider that was not asked changes nothing.
    let caller = enter(&test, ExternalIdentity { groups: None, ..ada(&[]) }).await.unwrap();
    assert!(may(&caller).await);
    // Another provider's group of the same name is another group.
    let other = ExternalIdentity { provider: "other".into(), name: "eve".into(), ..ada(&["ml"]) };
    assert!(!may(&enter(&test, other).await.unwrap()).await);
    let caller = enter(&test, ada(&[])).await.unwrap();
    assert!(!may(&caller).await);
    // What the settings say no more is taken away from whoever is in the group.
    let caller = enter(&test, ada(&["ml"])).await.unwrap();
    assert!(may(&caller).await);
    test.app.declare_group_roles(BTreeMap::new()).await.unwrap();
    assert!(!may(&caller).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_can_make_and_unmake_administrators_where_it_decides() {
    let test = TestApp::new().await;
    let administrator = |says| ExternalIdentity { administrator: says, ..ada(&[]) };
    let admin = async |says| enter(&test, administrator(says)).await.unwrap().principal().unwrap().admin;
    assert!(!admin(None).await);
    assert!(admin(Some(true)).await);
    assert!(admin(None).await);
    assert!(!admin(Some(false)).await);
    let said = |act: &Act| matches!(act, Act::UserUpdated { change, .. } if change == "administrator, by corp");
    assert_eq!(test.count(Outcome::Done, said).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_anybody_is_in_is_refused_and_not_cut_short() {
    let test = TestApp::new().await;
    let many: Vec<String> = (0..1001).map(|number| format!("g{number}")).collect();
    let odd = [
        ExternalIdentity { groups: Some(many), ..ada(&[]) },
        ExternalIdentity { groups: Some(vec![String::new()]), ..ada(&[]) },
        ExternalIdentity { groups: Some(vec!["a\nb".into()]), ..ada(&[]) },
        ExternalIdentity { groups: Some(vec!["x".repeat(256)]), ..ada(&[]) },
        ExternalIdentity { subject: String::new(), ..ada(&[]) },
        ExternalIdentity { subject: "x".repeat(513), ..ada(&[]) },
    ];
    for identity in odd {
        assert_eq!(rule(enter(&test, identity).await), "identity.bounds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_is_nobody_by_whatever_proof() {
    let test = TestApp::new().await;
    let caller = enter(&test, ada(&[])).await.unwrap();
    let session = test.app.open_session(&caller, None, None, None).await.unwrap();
    let new = NewToken { scopes: vec![Scope::All], expires: None };
    let (token, _) = test.app.create_token(&caller, new.clone()).await.unwrap();
    test.user("bob", &[]).await;
    for user in ["ada", "bob"] {
        test.write(move |tx| tx.set_user_disabled(user, true)).await;
    }
    assert!(matches!(enter(&test, ada(&[])).await, Err(AppError::Unauthenticated)));
    assert!(matches!(test.app.create_token(&caller, new).await, Err(AppError::Unauthenticated)));
    assert!(matches!(test.app.open_session(&caller, None, None, None).await, Err(AppError::Unauthenticated)));
    let mapped = MappedIdentity { provider: "ci".into(), method: "oidc", account: "bob".into(), expires: None };
    assert!(matches!(test.app.sign_in_mapped(mapped, true, None, None).await, Err(AppError::Unauthenticated)));
    let proofs = [
        Credentials::Session(session.secret),
        Credentials::Token(token),
        Credentials::Password { name: "bob".into(), password: password(PASSWORD) },
    ];
    for proof in proofs {
        assert!(matches!(test.app.authenticate(proof, None, None).await, Err(AppError::Unauthenticated)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proof_gives_ends_with_it() {
    let test = TestApp::new().await;
    let ends = start().plus_seconds(600);
    let caller = enter(&test, ExternalIdentity { expires: Some(ends), ..ada(&[]) }).await.unwrap();
    let new = NewToken { scopes: vec![Scope::All], expires: None };
    let (_, token) = test.app.create_token(&caller, new.clone()).await.unwrap();
    assert_eq!(token.expires, Some(ends), "a token made with a proof does not outlive it");
    test.clock.set(ends);
    let experiment = ExperimentId::new("0").unwrap();
    assert!(matches!(test.app.authorize(&caller, Read, experiment).await, Err(AppError::Unauthenticated)));
    assert!(matches!(test.app.create_token(&caller, new).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_ends_its_own_sessions_and_no_others() {
    let test = TestApp::new().await;
    let caller = enter(&test, ada(&[])).await.unwrap();
    let eve = ExternalIdentity { subject: "2".into(), name: "eve".into(), ..ada(&[]) };
    let eve = enter(&test, eve).await.unwrap();
    let other = ExternalIdentity { provider: "other".into(), name: "bob".into(), ..ada(&[]) };
    let other = enter(&test, other).await.unwrap();
    let open = async |caller: &Caller, external: &str| {
        test.app.open_session(caller, None, Some(external.to_owned()), None).await.unwrap().secret
    };
    let sessions = [open(&caller, "x").await, open(&caller, "y").await, open(&eve, "x").await, open(&other, "x").await];
    let valid = async || {
        let mut found = Vec::new();
        for secret in &sessions {
            found.push(test.app.authenticate(Credentials::Session(secret.clone()), None, None).await.is_ok());
        }
        found
    };
    let end = async |subject, external| {
        test.app.end_sessions_by("corp", subject, external, None, None, None).await.unwrap().unwrap()
    };
    assert_eq!(end(None, None).await, 0);
    assert_eq!(end(Some("nobody"), None).await, 0);
    assert_eq!(end(Some("subject-1"), Some("x")).await, 1);
    assert_eq!(valid().await, [false, true, true, true]);
    assert_eq!(end(None, Some("x")).await, 1);
    assert_eq!(end(Some("subject-1"), None).await, 1);
    assert_eq!(valid().await, [false, false, false, true]);
    // A session is for whom a provider vouched for, not for any other proof.
    assert!(matches!(test.app.open_session(&test.admin, None, None, None).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_the_account_that_the_settings_say() {
    let test = TestApp::new().await;
    test.user("ci", &[]).await;
    let mapped = |account: &str| MappedIdentity {
        provider: "github".into(),
        method: "oidc",
        account: account.into(),
        expires: Some(start().plus_seconds(60)),
    };
    let caller = test.app.sign_in_mapped(mapped("ci"), true, None, None).await.unwrap();
    test.app.sign_in_mapped(mapped("ci"), false, None, None).await.unwrap();
    assert_eq!(caller.actor(), "ci");
    let method = |act: &Act| matches!(act, Act::LoggedIn { method } if method == "oidc:github");
    assert_eq!(test.count(Outcome::Done, method).await, 1);
    assert!(matches!(
        test.app.sign_in_mapped(mapped("nobody"), true, None, None).await,
        Err(AppError::Unauthenticated)
    ));
}
