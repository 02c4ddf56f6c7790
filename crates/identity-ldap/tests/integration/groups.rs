use crate::fake::{Answer, Fake, Request, SEARCH, ada, bound, entry, found, refused, sign_in, unavailable};

const SETTINGS: &str = "group_base = \"ou=groups,dc=example\"\nadministrators = [\"root\"]\n\
    groups = { \"cn=g2,ou=groups,dc=example\" = [\"trainers\"], g0 = [\"readers\"] }";

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
    assert_eq!(person.groups, ["readers", "trainers"]);
    assert!(!person.administrator);
    let off = format!("nested_groups = \"off\"\n{SETTINGS}");
    assert_eq!(sign_in(&fake.directory(&off), "ada", "right").await.unwrap().groups, ["readers"]);
}

#[tokio::test]
async fn without_a_map_groups_are_called_by_their_dn() {
    let fake = Fake::start(chain(2, 99)).await;
    let person = sign_in(&fake.directory("group_base = \"ou=groups,dc=example\""), "ada", "right").await.unwrap();
    assert_eq!(person.groups, ["cn=g0,ou=groups,dc=example", "cn=g1,ou=groups,dc=example"]);
}

#[tokio::test]
async fn a_circle_of_groups_ends() {
    let fake = Fake::start(chain(4, 1)).await;
    assert_eq!(sign_in(&fake.directory(SETTINGS), "ada", "right").await.unwrap().groups, ["readers", "trainers"]);
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
async fn a_short_name_is_no_dn() {
    // Whoever may name groups somewhere below the base must not give one the DN of another.
    let fake = Fake::start(|request| match request.operation {
        SEARCH if request.holds("uid=ada,") => {
            found(vec![entry("cn=x,ou=mine,ou=groups", &[("cn", "cn=g2,ou=groups,dc=example")])], 0)
        }
        SEARCH if request.holds("ou=groups") => found(vec![], 0),
        _ => ada(request),
    })
    .await;
    assert!(sign_in(&fake.directory(SETTINGS), "ada", "right").await.unwrap().groups.is_empty());
}

#[tokio::test]
async fn members_of_a_named_group_are_administrators() {
    let fake = Fake::start(|request| match request.operation {
        SEARCH if request.holds("uid=ada,") => found(vec![entry("cn=root,ou=groups", &[("cn", "Root")])], 0),
        SEARCH if request.holds("ou=groups") => found(vec![], 0),
        _ => ada(request),
    })
    .await;
    assert!(sign_in(&fake.directory(SETTINGS), "ada", "right").await.unwrap().administrator);
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
