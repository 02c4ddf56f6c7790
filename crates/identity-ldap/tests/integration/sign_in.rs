use crate::fake::{self, BIND, Fake, SEARCH, ada, refused, sign_in, unavailable};

#[tokio::test]
async fn a_right_password_says_who_it_is() {
    let fake = Fake::start(ada).await;
    let person = sign_in(&fake.directory(""), "ada", "right").await.unwrap();
    assert_eq!((person.subject.as_str(), person.name.as_str()), ("Ada", "ada"));
}

#[tokio::test]
async fn unknown_names_and_wrong_passwords_take_the_same_steps() {
    let fake = Fake::start(ada).await;
    let directory = fake.directory("");
    let known = refused(sign_in(&directory, "ada", "wrong").await);
    let steps = |asked: Vec<fake::Request>| asked.iter().map(|request| request.operation).collect::<Vec<_>>();
    let first = steps(fake.asked());
    let unknown = refused(sign_in(&directory, "bob", "wrong").await);
    assert_eq!(first, [BIND, SEARCH, BIND]);
    assert_eq!(steps(fake.asked()).split_off(first.len()), first);
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_down() {
    let fake = Fake::start(ada).await;
    let directory = |first: &str| {
        fake::directory(&format!("insecure = true\nurl = [\"{first}\", \"ldap://127.0.0.1:{}\"]", fake.port))
    };
    assert!(sign_in(&directory("ldap://127.0.0.1:1"), "ada", "right").await.is_ok());
    // One that says no has said it: a password is not tried at every server.
    let no =
        Fake::start(
            |request| {
                if request.operation == BIND && request.holds("uid=ada") { fake::bound(49) } else { ada(request) }
            },
        )
        .await;
    let before = fake.asked().len();
    refused(sign_in(&directory(&format!("ldap://127.0.0.1:{}", no.port)), "ada", "right").await);
    assert_eq!(fake.asked().len(), before);
}

#[tokio::test]
async fn plain_ldap_leaves_no_machine() {
    // An address that is no loopback one is not even tried.
    let directory = fake::directory("insecure = true\nurl = \"ldap://192.0.2.1\"");
    assert!(unavailable(sign_in(&directory, "ada", "right").await).contains("this machine only"));
}
