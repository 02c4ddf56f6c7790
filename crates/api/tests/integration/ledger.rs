//! Searching the ledger, its proofs and its tiles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::Digest;
use sealyard_ledger::merkle::{leaf_hash, root};
use sealyard_ledger::{Checkpoint, ConsistencyProof, InclusionProof, VerifierKey};
use serde_json::Value;

use crate::test_app::TestApp;

const LEDGER: &str = "/api/sealyard/v1/ledger";

async fn search(test: &TestApp, query: &str) -> Vec<(String, String)> {
    let found = test.get(&test.admin, &format!("{LEDGER}/search?{query}")).await.ok();
    assert_eq!(found["mismatches"], serde_json::json!([]));
    let entries = found["entries"].as_array().unwrap().iter();
    entries.map(|entry| (text(&entry["event"]["act"]), text(&entry["event"]["actor"]))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_was_just_done_is_found() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let experiment = test.experiment(&ada, "x").await;
    test.run(&ada, &experiment).await;
    test.get(&ada, &format!("{LEDGER}/entries")).await.error(403, "PERMISSION_DENIED");

    let acts = |found: Vec<(String, String)>| found.into_iter().map(|(act, _)| act).collect::<Vec<_>>();
    let about = acts(search(&test, &format!("subject=experiment:{experiment}&actor=ada")).await);
    assert!(about.contains(&"run-created".to_owned()) && about.contains(&"experiment-created".to_owned()), "{about:?}");
    assert_eq!(acts(search(&test, "rule=authorization&subject=ledger").await), ["access-denied"]);
    assert_eq!(acts(search(&test, "outcome=refused&actor=ada&act=access-denied").await), ["access-denied"]);
    assert!(search(&test, "actor=ada&act=user-created").await.is_empty());
    assert!(search(&test, "actor=nobody").await.is_empty());
    assert!(search(&test, "since=2040-01-01T00:00:00Z").await.is_empty());

    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let page = test.get(&test.admin, &format!("{LEDGER}/search?limit=2{token}")).await.ok();
        paged.extend(page["entries"].as_array().unwrap().iter().map(|entry| entry["index"].as_u64().unwrap()));
        let Some(next) = page["next_page_token"].as_str() else { break };
        token = format!("&page_token={next}");
    }
    let size = test.get(&test.admin, &format!("{LEDGER}/checkpoint")).await.ok()["size"].as_u64().unwrap();
    paged.sort_unstable();
    assert_eq!(paged, (0..size).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_refused() {
    let test = TestApp::new().await;
    let long = "a".repeat(1025);
    for query in [
        "outcome=perhaps",
        "since=yesterday",
        "page_token=x",
        "page_token=1-99999999999999999999",
        "who=ada",
        &format!("actor={long}"),
    ] {
        test.get(&test.admin, &format!("{LEDGER}/search?{query}")).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    for query in ["", "index=0&request_id=x", "index=-1"] {
        test.get(&test.admin, &format!("{LEDGER}/proof?{query}")).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    for path in [
        "proof?index=99999",
        "proof?request_id=none",
        "tlog/tile/0/001",
        "tlog/tile/0/0",
        "tlog/tile/0/000",
        "tlog/tile/x",
    ] {
        test.get(&test.admin, &format!("{LEDGER}/{path}")).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    }
    test.get(&test.admin, &format!("{LEDGER}/consistency?from=99999")).await.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn proofs_hold_for_whoever_has_the_key() {
    let test = TestApp::new().await;
    let early = test.get(&test.admin, &format!("{LEDGER}/checkpoint")).await.ok();
    let key: VerifierKey = early["verifier_key"].as_str().unwrap().parse().unwrap();
    let early = Checkpoint::open(early["checkpoint"].as_str().unwrap(), &key).unwrap();
    let experiment = test.experiment(&test.admin, "x").await;
    let found = test.get(&test.admin, &format!("{LEDGER}/search?subject=experiment:{experiment}")).await.ok();
    let (index, request) = (&found["entries"][0]["index"], &found["entries"][0]["event"]["request_id"]);
    let by_index = test.get(&test.admin, &format!("{LEDGER}/proof?index={index}")).await.ok();
    let by_request = test.get(&test.admin, &format!("{LEDGER}/proof?request_id={}", text(request))).await.ok();
    assert_eq!(by_index["index"], by_request["index"]);
    let proof: InclusionProof = serde_json::from_value(by_index).unwrap();
    let (entry, newest) = proof.check(&key).unwrap();
    assert_eq!(STANDARD.encode(&entry), found["entries"][0]["bytes"].as_str().unwrap());
    let growth = test.get(&test.admin, &format!("{LEDGER}/consistency?from={}", early.size)).await.ok();
    let growth: ConsistencyProof = serde_json::from_value(growth).unwrap();
    assert!(growth.check(&early, &key).unwrap().size >= newest.size);
}

#[tokio::test]
async fn the_log_can_be_read_as_tiles() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    for _ in 0..260 {
        test.run(&test.admin, &experiment).await;
    }
    let answer = test.get(&test.admin, &format!("{LEDGER}/tlog/checkpoint")).await;
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    let note = String::from_utf8(answer.bytes.unwrap().to_vec()).unwrap();
    let status = test.get(&test.admin, &format!("{LEDGER}/checkpoint")).await.ok();
    let key: VerifierKey = status["verifier_key"].as_str().unwrap().parse().unwrap();
    let Checkpoint { size, root: signed, .. } = Checkpoint::open(&note, &key).unwrap();
    assert!(size > 256 && size < 512);

    let mut leaves = Vec::new();
    for (place, width) in [("000".to_owned(), 256), (format!("001.p/{}", size - 256), size - 256)] {
        let hashes = test.get(&test.admin, &format!("{LEDGER}/tlog/tile/0/{place}")).await;
        assert_eq!(hashes.headers["content-type"], "application/octet-stream");
        let hashes = hashes.bytes.unwrap();
        let bundle = test.get(&test.admin, &format!("{LEDGER}/tlog/tile/entries/{place}")).await.bytes.unwrap();
        let (mut rest, mut of_entries) = (bundle.as_ref(), Vec::new());
        while let Some((length, more)) = rest.split_first_chunk::<2>() {
            let (entry, more) = more.split_at(usize::from(u16::from_be_bytes(*length)));
            of_entries.push(leaf_hash(entry));
            rest = more;
        }
        let hashes: Vec<Digest> = hashes.chunks(32).map(|hash| Digest::from_bytes(hash.try_into().unwrap())).collect();
        assert_eq!((hashes.len() as u64, &hashes), (width, &of_entries));
        leaves.extend(hashes);
    }
    assert_eq!(root(&leaves), signed);
    let upper = test.get(&test.admin, &format!("{LEDGER}/tlog/tile/1/000.p/1")).await.bytes.unwrap();
    assert_eq!(upper.as_ref(), root(&leaves[..256]).as_bytes());
}

#[tokio::test]
async fn the_index_can_be_made_anew() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let query = format!("subject=experiment:{experiment}");
    let before = search(&test, &query).await;
    test.post(&test.admin, &format!("{LEDGER}/reindex"), serde_json::json!({})).await.ok();
    let found = test.get(&test.admin, &format!("{LEDGER}/search?{query}")).await.ok();
    assert!(found["indexed"].as_u64().unwrap() < found["size"].as_u64().unwrap());
    while test.app.fill_ledger_index().await.unwrap() {}
    assert_eq!(search(&test, &query).await, before);
    assert_eq!(search(&test, "act=ledger-reindexed").await.len(), 1);
}

#[tokio::test]
async fn an_export_is_whole_and_on_record() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    for _ in 0..260 {
        test.run(&test.admin, &experiment).await;
    }
    let answer = test.get(&test.admin, &format!("{LEDGER}/export?from=3")).await;
    let text = String::from_utf8(answer.bytes.unwrap().to_vec()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 250);
    assert!(lines.iter().zip(3_u64..).all(|(line, index)| line["index"] == index));
    assert_eq!(search(&test, "act=ledger-exported").await.len(), 1);
    let some = test.get(&test.admin, &format!("{LEDGER}/export?from=3&to=5")).await.bytes.unwrap();
    assert_eq!(some.iter().filter(|byte| **byte == b'\n').count(), 2);
}

#[tokio::test]
async fn what_entries_have_of_persons_can_be_erased() {
    let test = TestApp::new().await;
    let typed = "a password in the field of the name";
    let attempt = |name: &str| {
        let basic = STANDARD.encode(format!("{name}:wrong"));
        http::Request::get("/api/sealyard/v1/whoami")
            .header("host", "localhost")
            .header("authorization", format!("Basic {basic}"))
            .body(axum::body::Body::empty())
            .unwrap()
    };
    for name in [typed, "admin"] {
        test.send(attempt(name)).await.error(401, "UNAUTHENTICATED");
    }
    let failed = || async {
        let entries = test.get(&test.admin, &format!("{LEDGER}/entries?limit=500")).await.ok();
        let all = entries["entries"].as_array().unwrap().clone();
        let failed = all.into_iter().filter(|entry| entry["event"]["act"] == "login-failed").collect::<Vec<_>>();
        assert_eq!(failed.len(), 2);
        failed
    };
    let before = failed().await;
    assert!(!before[0]["event"].to_string().contains(typed), "the log itself has it not: {}", before[0]);
    assert_eq!(before[0]["personal"]["name"], typed);
    assert_eq!(before[1]["event"]["name"], "admin", "the name of an account is no secret of the ledger");

    let erase = |body: Value| test.post(&test.admin, "/api/sealyard/v1/ledger/erase", body);
    erase(serde_json::json!({"before": i64::MAX})).await.error(400, "INVALID_PARAMETER_VALUE");
    let now = test.app.now().as_millis();
    assert_eq!(erase(serde_json::json!({"before": now})).await.ok()["erased"], 0, "nothing is older than now");
    test.clock.set(sealyard_core::Timestamp::from_millis(now + 5000));
    assert_eq!(erase(serde_json::json!({"actor": "nobody", "before": now + 1})).await.ok()["erased"], 0);
    assert_ne!(erase(serde_json::json!({"before": now + 1})).await.ok()["erased"], 0);
    let after = failed().await;
    assert_eq!(after[0]["personal"], "erased");
    assert_eq!(after[0]["bytes"], before[0]["bytes"], "the entry stays");
    let ada = test.user("ada", &[("ledger", "MANAGE")]).await;
    test.post(&ada, "/api/sealyard/v1/ledger/erase", serde_json::json!({"before": 1}))
        .await
        .error(403, "PERMISSION_DENIED");
}
