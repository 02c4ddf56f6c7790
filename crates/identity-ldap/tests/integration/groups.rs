use crate::fake::{Answer, Fake, Request, SEARCH, ada, bound, entry, found, refused, sign_in, unavailable};

const SETTINGS: &str = "group_base = \"ou=groups,dc=example\"\nadministrators = [\"CN=Root, ou=groups,dc=example\"]";

fn dns(numbers: std::ops::Range<usize>) -> Option<Vec<String>> {
    Some(numbers.map(|number| format!("cn=g{number},ou=groups,dc=example")).collect())
}

fn group(number: usize) -> Answer {
    entry(&format!("cn=g{number},ou=groups,dc=example"), &[("cn", &format!("g{number}"))])
}

/// Ada is in g0, which is in g1, and so on; the last one is in g`back`.
fn chain(length: usize, back: usize) -> impl Fn(&Request) -> Vec<Answer> {
    move |request| {
        if request.operation != SEARCH || !request.holds("ou=groups") {
            return ada(request);
        }
        if request.holds("uid=ada,") {
            return found(vec![group(0)], 0);
        }
        let at = (0..length).rev().find(|number| request.holds(&format!("cn=g{number},"))).unwrap();
        let next = if at + 1 < length { at + 1 } else { back };
        found(if next < length { vec![group(next)] } else { vec![] }, 0)
    }
}

#[tokio::test]
async fn groups_of_groups_count() {
    let fake = Fake::start(chain(4, 99)).await;
    let person = sign_in(&fake.directory(SETTINGS), "ada", "right").await.unwrap();
    assert_eq!(person.groups, dns(0..4));
    assert_eq!(person.administrator, Some(false));
    let off = format!("nested_groups = \"off\"\n{SETTINGS}");
    assert_eq!(sign_in(&fake.directory(&off), "ada", "right").await.unwrap().groups, dns(0..1));
}

#[tokio::test]
async fn who_is_not_asked_says_nothing_of_groups() {
    let fake = Fake::start(chain(2, 99)).await;
    let person = sign_in(&fake.directory(""), "ada", "right").await.unwrap();
    assert_eq!((person.groups, person.administrator), (None, None));
    let person = sign_in(&fake.directory("group_base = \"ou=groups,dc=example\""), "ada", "right").await.unwrap();
    assert_eq!((person.groups, person.administrator), (dns(0..2), None));
}

#[tokio::test]
async fn a_circle_of_groups_ends() {
    let fake = Fake::start(chain(4, 1)).await;
    assert_eq!(sign_in(&fake.directory(SETTINGS), "ada", "right").await.unwrap().groups, dns(0..4));
}

#[tokio::test]
async fn groups_have_bounds() {
    let fake = Fake::start(chain(50, 99)).await;
    assert!(unavailable(sign_in(&fake.directory(SETTINGS), "ada", "right").await).contains("deep"));
    let many = Fake::start(|request| match request.operation {
        SEARCH if request.holds("ou=groups") => found((0..600).map(group).collect(), 0),
        _ => ada(request),
    })
    .await;
    assert!(unavailable(sign_in(&many.directory(SETTINGS), "ada", "right").await).contains("groups"));
}

#[tokio::test]
async fn a_group_elsewhere_with_the_same_short_name_is_another() {
    let fake = Fake::start(|request| match request.operation {
        SEARCH if request.holds("uid=ada,") => {
            found(vec![entry("cn=root,ou=mine,ou=groups,dc=example", &[("cn", "cn=root,ou=groups,dc=example")])], 0)
        }
        SEARCH if request.holds("ou=groups") => found(vec![], 0),
        _ => ada(request),
    })
    .await;
    assert_eq!(sign_in(&fake.directory(SETTINGS), "ada", "right").await.unwrap().administrator, Some(false));
}

#[tokio::test]
async fn members_of_a_named_group_are_administrators() {
    let fake = Fake::start(|request| match request.operation {
        SEARCH if request.holds("uid=ada,") => found(vec![entry("cn=root,OU=groups,dc=example", &[])], 0),
        SEARCH if request.holds("ou=groups") => found(vec![], 0),
        _ => ada(request),
    })
    .await;
    assert!(sign_in(&fake.directory(SETTINGS), "ada", "right").await.unwrap().administrator == Some(true));
    refused(sign_in(&fake.directory(SETTINGS), "ada", "wrong").await);
}

#[tokio::test]
async fn groups_that_can_not_be_read_let_nobody_in() {
    let fake = Fake::start(|request| match request.operation {
        SEARCH if request.holds("ou=groups") => found(vec![], 50),
        _ => ada(request),
    })
    .await;
    unavailable(sign_in(&fake.directory(SETTINGS), "ada", "right").await);
    let fake = Fake::start(|request| if request.operation == SEARCH { ada(request) } else { bound(50) }).await;
    unavailable(sign_in(&fake.directory(SETTINGS), "ada", "right").await);
}
