use std::sync::Arc;

use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use sealyard_transport::{CertificateField, ClientAuthentication, TlsSlot};

use crate::authority::{Authority, Place, client_config, shake};

const TRAINER: &str = "spiffe://corp/trainer";

fn slot(
    place: &Place,
    authority: &Authority,
    list: Option<&str>,
    authentication: ClientAuthentication,
) -> Arc<TlsSlot> {
    let files = place.pair(&authority.server());
    TlsSlot::open(files, Some(place.clients(authority, list, authentication))).unwrap()
}

#[tokio::test]
async fn a_good_certificate_is_taken_and_none_is_refused_where_one_is_required() {
    let (authority, place) = (Authority::new("one"), Place::new());
    let required = slot(&place, &authority, None, ClientAuthentication::Require);
    let client = authority.client(TRAINER, 7);
    let (_, shown) = shake(&required, client_config(&authority, Some(&client))).await.unwrap();
    let shown = shown.unwrap();
    assert_eq!(shown.names().of(CertificateField::Uri).collect::<Vec<_>>(), [TRAINER]);
    assert!(required.still_good(&shown));
    assert!(shake(&required, client_config(&authority, None)).await.is_err());
    let asked = slot(&place, &authority, None, ClientAuthentication::Request);
    assert!(shake(&asked, client_config(&authority, None)).await.unwrap().1.is_none());
}

#[tokio::test]
async fn certificates_that_are_not_good_are_refused_also_where_none_is_required() {
    let (authority, other, place) = (Authority::new("one"), Authority::new("one"), Place::new());
    let client = |purposes: Vec<ExtendedKeyUsagePurpose>, until: i32| {
        authority.issue(|params| {
            params.extended_key_usages = purposes;
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(until, 1, 1);
        })
    };
    let for_clients = || vec![ExtendedKeyUsagePurpose::ClientAuth];
    for authentication in [ClientAuthentication::Request, ClientAuthentication::Require] {
        let slot = slot(&place, &authority, None, authentication);
        let good = client(for_clients(), 2090);
        assert!(shake(&slot, client_config(&authority, Some(&good))).await.unwrap().1.is_some());
        for (what, issued) in [
            ("expired", client(for_clients(), 2021)),
            ("of a server", client(vec![ExtendedKeyUsagePurpose::ServerAuth], 2090)),
            ("for nothing in particular", client(Vec::new(), 2090)),
            ("of another authority of the same name", other.client(TRAINER, 7)),
        ] {
            assert!(shake(&slot, client_config(&authority, Some(&issued))).await.is_err(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_and_its_open_connection_is_nobodys() {
    let (authority, place) = (Authority::new("one"), Place::new());
    let slot = slot(&place, &authority, Some(&authority.revoked(&[1], 2090)), ClientAuthentication::Require);
    let (revoked, client) = (authority.client(TRAINER, 1), authority.client(TRAINER, 7));
    assert!(shake(&slot, client_config(&authority, Some(&revoked))).await.is_err());
    let config = client_config(&authority, Some(&client));
    let (_, shown) = shake(&slot, Arc::clone(&config)).await.unwrap();
    let shown = shown.unwrap();
    assert!(slot.still_good(&shown));
    place.write("revoked.crl", &authority.revoked(&[1, 7], 2090), 0o644);
    slot.reload().unwrap();
    assert!(!slot.still_good(&shown), "the connection that is open");
    // The same client, with whatever it remembers of its session.
    assert!(shake(&slot, config).await.is_err());
}

#[tokio::test]
async fn a_revocation_list_that_says_nothing_lets_nobody_in() {
    let (authority, other, place) = (Authority::new("one"), Authority::new("two"), Place::new());
    let client = authority.client(TRAINER, 7);
    for list in [authority.revoked(&[], 2021), other.revoked(&[], 2090)] {
        let slot = slot(&place, &authority, Some(&list), ClientAuthentication::Request);
        assert!(shake(&slot, client_config(&authority, Some(&client))).await.is_err());
    }
    let good = slot(&place, &authority, Some(&authority.revoked(&[], 2090)), ClientAuthentication::Request);
    assert!(shake(&good, client_config(&authority, Some(&client))).await.is_ok());
    // A list that can't be read keeps the one in use.
    place.write("revoked.crl", "nothing", 0o644);
    assert!(good.reload().is_err());
    assert!(shake(&good, client_config(&authority, Some(&client))).await.is_ok());
}

#[tokio::test]
async fn a_session_is_not_resumed_past_its_certificate() {
    let (authority, place) = (Authority::new("one"), Place::new());
    let slot = slot(&place, &authority, None, ClientAuthentication::Require);
    let config = client_config(&authority, Some(&authority.client(TRAINER, 7)));
    for _ in 0..2 {
        let (_, shown) = shake(&slot, Arc::clone(&config)).await.unwrap();
        assert!(shown.is_some());
    }
    assert!(!slot.config().session_storage.can_cache());
    assert_eq!(slot.config().send_tls13_tickets, 0);
}
