//! Whoever may do nothing can't fill the ledger.

use sealyard_app::AppError;
use sealyard_identity::{Edit, ExperimentId, GatewaySecretId, Read, Scope};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{PASSWORD, TestApp, password, refused_by, start};

const MANY: u64 = 2000;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_makes_few_entries_that_count_all_of_it() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let eve = test.user("eve", &[]).await;
    for number in 0..MANY {
        // Things that are not there must not be a way around it.
        let named = if number == 0 { experiment.clone() } else { ExperimentId::new(format!("9{number:05}")).unwrap() };
        refused_by(test.app.authorize(&eve, Read, named).await, "authorization");
    }
    refused_by(test.app.authorize(&eve, Edit, experiment.clone()).await, "authorization");
    let denied = |act: &Act| matches!(act, Act::AccessDenied { .. });
    let entries = test.count(Outcome::Refused, denied).await as u64;
    assert!(entries < 100, "{entries} entries");
    let first = format!("experiment:{experiment}");
    let named = |wanted: &str, act: &Act| matches!(act, Act::AccessDenied { action, resource, .. } if action == wanted && *resource == first);
    assert_eq!(test.count(Outcome::Refused, |act| named("read", act)).await, 1, "the first is written");
    assert_eq!(test.count(Outcome::Refused, |act| named("edit", act)).await, 1, "so is the first of another kind");
    let counted = async || {
        let events = test.events().await;
        let count = |act: &Act| match act {
            Act::RefusalsCounted { of, resource_kind, count, .. } => {
                assert_eq!((of.as_str(), resource_kind.as_str()), ("access-denied", "experiment"));
                *count
            }
            _ => 0,
        };
        events.iter().filter(|event| event.actor == "eve").map(|event| count(&event.act)).sum::<u64>()
    };
    assert_eq!(counted().await, 0);
    // Whoever reads the ledger finds all that was refused before.
    let may = test.app.authorize(&test.admin, Read, sealyard_identity::LedgerLog).await.unwrap();
    let _ = test.app.ledger_status(&may).await.unwrap();
    assert_eq!(entries + counted().await, MANY + 1);
    // And so does whoever waits.
    for _ in 0..100 {
        refused_by(test.app.authorize(&eve, Read, experiment.clone()).await, "authorization");
    }
    test.clock.set(start().plus_seconds(3600));
    let sequencing = tokio::spawn(std::sync::Arc::clone(&test.app).run_sequencer());
    let begun = std::time::Instant::now();
    while (test.count(Outcome::Refused, denied).await as u64) + counted().await != MANY + 101 {
        assert!(begun.elapsed().as_secs() < 20, "the counts are not written");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    sequencing.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_that_are_counted_are_written_when_the_server_stops() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let eve = test.user("eve", &[]).await;
    for _ in 0..100 {
        refused_by(test.app.authorize(&eve, Read, experiment.clone()).await, "authorization");
    }
    test.app.write_counted_refusals().await.unwrap();
    let written = test.count(Outcome::Refused, |act| matches!(act, Act::AccessDenied { .. })).await as u64;
    let told = |act: &Act| matches!(act, Act::RefusalsCounted { count, .. } if count + written == 100);
    assert_eq!(test.count(Outcome::Refused, told).await, 1);
}

/// Counts that can't be written are no reason not to show what is.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_read_while_nothing_can_be_written() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let eve = test.user("eve", &[]).await;
    for _ in 0..100 {
        refused_by(test.app.authorize(&eve, Read, experiment.clone()).await, "authorization");
    }
    let known = test.entries().await.len();
    test.take_no_events();
    let may = test.app.authorize(&test.admin, Read, sealyard_identity::LedgerLog).await.unwrap();
    assert_eq!(test.app.ledger_status(&may).await.unwrap().size, known as u64);
    test.take_events_again();
    // They are kept until they can be.
    assert_eq!(test.app.ledger_status(&may).await.unwrap().size, known as u64 + 1);
}

/// Of one that is there the refusal is written; by its time nobody may tell that it is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_refused_with_an_entry_as_well() {
    let test = TestApp::new().await;
    let eve = test.user("eve", &[]).await;
    let (hex, app) = ("0123456789abcdef0123456789abcdef", &test.app);
    let (trace, model, dataset) = (format!("tr-{hex}"), format!("m-{hex}"), format!("d-{hex}"));
    refused_by(app.authorize_run(&eve, Read, hex).await, "authorization");
    refused_by(app.authorize_run(&eve, Edit, "no id").await, "authorization");
    refused_by(app.authorize_trace(&eve, Read, &trace).await, "authorization");
    refused_by(app.authorize_logged_model(&eve, Read, &model).await, "authorization");
    refused_by(app.authorize_issue(&eve, Read, "iss-1").await, "authorization");
    refused_by(app.authorize_dataset_read(&eve, &dataset).await, "authorization");
    refused_by(app.authorize_gateway::<_, GatewaySecretId>(&eve, Read, "no id").await, "authorization");
    let mut named = Vec::new();
    for event in test.events().await {
        match event.act {
            Act::AccessDenied { resource, .. } if event.actor == "eve" => named.push(resource),
            _ => {}
        }
    }
    let wanted = [
        format!("run {hex:?}"),
        format!("run {:?}", "no id"),
        format!("trace {trace:?}"),
        format!("logged model {model:?}"),
        "issue \"iss-1\"".to_owned(),
        format!("evaluation dataset {dataset:?}"),
        "GatewaySecret \"no id\"".to_owned(),
    ];
    assert_eq!(named, wanted);
}

/// A data set that is there, of an experiment that one may not read.
#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_that_is_not_seen_is_refused_with_an_entry() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let eve = test.user("eve", &[]).await;
    let may = test.app.authorize_dataset_creation(&test.admin, &[experiment.to_string()]).await.unwrap();
    let made = test.app.create_evaluation_dataset(&test.admin, &may, "set", Vec::new()).await.unwrap();
    refused_by(test.app.authorize_dataset_read(&eve, &made.id).await, "authorization");
    assert_eq!(test.count(Outcome::Refused, |act| matches!(act, Act::AccessDenied { .. })).await, 1);
}

/// A new session, a new token: everybody may, and each is an entry.
#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_right_can_not_be_done_without_end() {
    let test = TestApp::new().await;
    let eve = test.user("eve", &[]).await;
    let new = || sealyard_app::NewToken { scopes: vec![Scope::All], expires: None };
    let mut made = 0;
    let error = loop {
        match test.app.create_token(&eve, new()).await {
            Ok((_, token)) => test.app.revoke_token(&eve, &token.id).await.unwrap(),
            Err(error) => break error,
        }
        made += 1;
        assert!(made < 1000, "a thousand tokens, and no end");
    };
    assert!(matches!(error, AppError::TooOften(1..)), "{error:?}");
    let session = test.app.log_in("eve".to_owned(), password(PASSWORD), None, None, None).await;
    assert!(matches!(session, Err(AppError::TooOften(_))), "{session:?}");
    let ended = |act: &Act| matches!(act, Act::TokenRevoked { .. });
    assert_eq!(test.count(Outcome::Done, ended).await, made);
    // One that is ended is not ended again.
    let last = test.app.tokens(&eve).await.unwrap().pop().unwrap();
    test.app.revoke_token(&eve, &last.id).await.unwrap();
    assert_eq!(test.count(Outcome::Done, ended).await, made);
    test.clock.set(start().plus_seconds(60));
    let _ = test.app.log_in("eve".to_owned(), password(PASSWORD), None, None, None).await.unwrap();
}
