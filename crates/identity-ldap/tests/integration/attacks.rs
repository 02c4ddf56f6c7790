//! What bad clients and bad servers try.

use crate::fake::{self, Answer, BIND, Fake, SEARCH, ada, bound, entry, found, refused, sign_in, tlv, unavailable};

#[tokio::test]
async fn an_empty_password_never_reaches_the_server() {
    // As many servers do: a bind without a password is a success.
    let fake = Fake::start(|request| if request.operation == BIND { bound(0) } else { ada(request) }).await;
    refused(sign_in(&fake.directory(""), "ada", "").await);
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_name_can_not_change_the_filter() {
    let fake = Fake::start(ada).await;
    for name in ["*", "ada)(uid=*", "*)(objectClass=*", "a*", "ada\0", "", "ou=x,uid=ada"] {
        refused(sign_in(&fake.directory(""), name, "right").await);
    }
    for request in fake.asked().iter().filter(|request| request.operation == SEARCH) {
        // A presence or substring filter, or a second comparison with uid, would be how it shows.
        assert!(!request.holds("ada") && !request.holds("*"), "{request:?}");
    }
}

#[tokio::test]
async fn two_entries_are_nobody() {
    let fake = Fake::start(|request| match request.operation {
        SEARCH => found(vec![entry("uid=ada,ou=people,dc=example", &[("uid", "ada")]), entry("uid=ada,ou=x", &[])], 0),
        _ => bound(u8::from(request.holds("cn=")) * 49),
    })
    .await;
    refused(sign_in(&fake.directory(""), "ada", "right").await);
    assert!(!fake.asked().iter().any(|request| request.operation == BIND && request.holds("uid=ada")));
    // Also when the server itself cut the list.
    let fake = Fake::start(|request| match request.operation {
        SEARCH => found(vec![entry("uid=ada,ou=people,dc=example", &[("uid", "ada")])], 4),
        _ => bound(u8::from(request.holds("cn=")) * 49),
    })
    .await;
    refused(sign_in(&fake.directory(""), "ada", "right").await);
}

#[tokio::test]
async fn an_entry_without_a_dn_is_nobody() {
    // A bind with an empty DN is anonymous: with any password it may be answered with success.
    let fake = Fake::start(|request| match request.operation {
        SEARCH => found(vec![entry("", &[("uid", "ada")])], 0),
        _ => bound(u8::from(request.holds("cn=")) * 49),
    })
    .await;
    refused(sign_in(&fake.directory(""), "ada", "right").await);
}

#[tokio::test]
async fn referrals_are_not_followed() {
    let fake = Fake::start(|request| if request.holds("uid=ada,") { bound(10) } else { ada(request) }).await;
    assert!(unavailable(sign_in(&fake.directory(""), "ada", "right").await).contains("referr"));
    let fake = Fake::start(|request| match request.operation {
        SEARCH => found(vec![Answer::Message(tlv(0x73, &tlv(4, b"ldap://127.0.0.1:1/")))], 0),
        _ => bound(u8::from(request.holds("cn=")) * 49),
    })
    .await;
    refused(sign_in(&fake.directory(""), "ada", "right").await);
}

#[tokio::test]
async fn a_server_can_not_exhaust_the_stack_or_the_memory() {
    let nested = || {
        let mut bytes = vec![];
        for _ in 0..100_000 {
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            // In front, so that building is quick: reversed at the end.
            bytes.extend(length.iter().rev().chain(&[0x84, 0x30]));
        }
        bytes.reverse();
        bytes
    };
    let deep = nested();
    let fake = Fake::start(move |_| vec![Answer::Raw(deep.clone())]).await;
    unavailable(sign_in(&fake.directory(""), "ada", "right").await);
    for lie in [
        &b"\x30\x84\xff\xff\xff\xff"[..],
        b"\x30\x80\x02\x01\x01",
        b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff",
        b"HTTP/1.1",
    ] {
        let fake = Fake::start(move |_| vec![Answer::Raw(lie.to_vec())]).await;
        unavailable(sign_in(&fake.directory(""), "ada", "right").await);
    }
    // One message that is sane, and too long.
    let fake = Fake::start(|request| match request.operation {
        SEARCH => {
            let long = "x".repeat(2_000_000);
            found(vec![entry("uid=ada,ou=people,dc=example", &[("uid", "ada"), ("photo", long.as_str())])], 0)
        }
        _ => ada(request),
    })
    .await;
    unavailable(sign_in(&fake.directory(""), "ada", "right").await);
    // Entries without an end.
    let fake = Fake::start(|request| match request.operation {
        SEARCH => (0..9).map(|_| entry("uid=ada", &[("uid", &"x".repeat(1_000_000))])).collect(),
        _ => bound(0),
    })
    .await;
    assert!(sign_in(&fake.directory(""), "ada", "right").await.is_err());
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_none() {
    for odd in [tlv(0x61, b""), tlv(0x61, &tlv(4, b"x")), tlv(0x7e, &tlv(0x0a, &[0])), tlv(0x42, b"")] {
        let fake = Fake::start(move |_| vec![Answer::Message(odd.clone())]).await;
        unavailable(sign_in(&fake.directory(""), "ada", "right").await);
    }
    let silent = Fake::start(|_| vec![]).await;
    assert!(unavailable(sign_in(&silent.directory(""), "ada", "right").await).contains("in time"));
}

#[tokio::test]
async fn nothing_is_said_before_tls() {
    let starttls = |fake: &Fake| fake::directory(&format!("starttls = true\nurl = \"ldap://127.0.0.1:{}\"", fake.port));
    // A server, or who is in between, that says no, or says yes and then speaks in the clear.
    let yes = [tlv(0x0a, &[0]), tlv(4, b""), tlv(4, b"")].concat();
    let no = [tlv(0x0a, &[52]), tlv(4, b""), tlv(4, b"")].concat();
    let clear = tlv(0x30, &[tlv(2, &[1]), tlv(0x61, &yes)].concat());
    for (answer, why) in [
        (tlv(0x78, &no), "does not do StartTLS"),
        (tlv(0x61, &yes), "does not do StartTLS"),
        (tlv(0x78, &yes), "TLS failed"),
    ] {
        let clear = clear.clone();
        let fake = Fake::start(move |_| {
            vec![Answer::Message(answer.clone()), Answer::Raw(clear.clone()), Answer::Raw(clear.clone())]
        })
        .await;
        assert!(unavailable(sign_in(&starttls(&fake), "ada", "right-password").await).contains(why));
        let asked = fake.asked();
        assert!(asked.first().is_some_and(|request| request.operation == 0x77));
        assert!(!asked.iter().any(|request| request.holds("right-password") || request.operation == BIND));
    }
}
