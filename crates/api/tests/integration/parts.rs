//! Uploads in parts: what a client of MLflow does, and what somebody with no right, or with another one, tries.

use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Method, Request};
use sealyard_store::model::UploadState;
use serde_json::{Value, json};

use crate::test_app::{Answer, NOBODY, TestApp, User};

const MPU: &str = "/api/2.0/mlflow-artifacts/mpu";
const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";

struct Begun {
    test: TestApp,
    root: String,
    id: String,
    credentials: Vec<Value>,
}

impl Begun {
    async fn new(parts: usize) -> Self {
        let test = TestApp::new().await;
        let experiment = test.experiment(&test.admin, "x").await;
        let run = test.run(&test.admin, &experiment).await;
        let root = format!("{experiment}/{run}/artifacts");
        let body = json!({ "path": "/home/somebody/big.bin", "num_parts": parts });
        let made = test.post(&test.admin, &format!("{MPU}/create/{root}/folder"), body).await.ok();
        let id = made["upload_id"].as_str().unwrap().to_owned();
        let credentials = made["credentials"].as_array().unwrap().clone();
        assert_eq!(credentials.len(), parts);
        Self { test, root, id, credentials }
    }

    fn path(&self, index: usize) -> String {
        let url = self.credentials[index]["url"].as_str().unwrap();
        url.strip_prefix("http://localhost:5000").unwrap().to_owned()
    }

    fn capability(&self, index: usize) -> String {
        self.credentials[index]["headers"]["x-sealyard-capability"].as_str().unwrap().to_owned()
    }

    async fn send(&self, path: &str, capability: Option<&str>, content: impl Into<Body>) -> Answer {
        let mut request = Request::put(path).header("host", "localhost:5000");
        if let Some(capability) = capability {
            request = request.header("x-sealyard-capability", capability);
        }
        self.test.send(request.body(content.into()).unwrap()).await
    }

    /// Sends a part as the client does; gives its ETag.
    async fn part(&self, index: usize, content: Vec<u8>) -> String {
        let answer = self.send(&self.path(index), Some(&self.capability(index)), content).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.headers["etag"].to_str().unwrap().to_owned()
    }

    async fn end(&self, user: &User, act: &str, parts: Value) -> Answer {
        let body = json!({ "path": "/home/somebody/big.bin", "upload_id": self.id, "parts": parts });
        self.test.post(user, &format!("{MPU}/{act}/{}/folder", self.root), body).await
    }

    async fn file(&self) -> Answer {
        self.test.get(&self.test.admin, &format!("{PROXY}/{}/folder/big.bin", self.root)).await
    }

    fn stored(&self) -> usize {
        let mut count = 0;
        let mut folders = vec![self.test.folder().join("vault/objects")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { count += 1 }
            }
        }
        count
    }
}

#[tokio::test]
async fn parts_come_in_any_order_and_are_seen_together() {
    let begun = Begun::new(3).await;
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let mut parts = Vec::new();
    for index in [2, 0, 1] {
        let etag = begun.part(index, content[index * 100_000..(index + 1) * 100_000].to_vec()).await;
        parts.push(json!({ "part_number": index + 1, "etag": etag, "url": "x" }));
    }
    begun.file().await.error(404, "RESOURCE_DOES_NOT_EXIST");
    parts.sort_by_key(|part| part["part_number"].as_u64());
    begun.end(&begun.test.admin, "complete", json!(parts)).await.ok();
    assert_eq!(begun.file().await.bytes.unwrap(), content);
    assert_eq!(begun.stored(), 1, "the parts are gone");
    // A client that got no answer asks again.
    begun.end(&begun.test.admin, "complete", json!(parts)).await.ok();
    begun.end(&begun.test.admin, "abort", Value::Null).await.error(400, "INVALID_PARAMETER_VALUE");
    begun.send(&begun.path(0), Some(&begun.capability(0)), "late").await.error(400, "INVALID_PARAMETER_VALUE");
    assert_eq!(begun.file().await.bytes.unwrap(), content);
}

#[tokio::test]
async fn a_capability_is_for_one_part_of_one_upload_and_a_while() {
    let begun = Begun::new(2).await;
    let (path, good) = (begun.path(0), begun.capability(0));
    let (expires, mac) = good.split_once('.').unwrap();
    let later = expires.parse::<u64>().unwrap() + 1000;
    let bad = [
        String::new(),
        ".".to_owned(),
        begun.capability(1),
        format!("{later}.{mac}"),
        format!("{expires}."),
        format!("{expires}.{}", "0".repeat(64)),
        format!("{good}0"),
        "é".to_owned(),
    ];
    for capability in &bad {
        begun.send(&path, Some(capability), "x").await.error(401, "UNAUTHENTICATED");
    }
    begun.send(&path, None, "x").await.error(401, "UNAUTHENTICATED");
    // A login, even an administrator's, is no capability.
    begun.test.call(&begun.test.admin, Method::PUT, &path, "x").await.error(401, "UNAUTHENTICATED");
    let other = format!("{MPU}/parts/{}/1", "0".repeat(32));
    begun.send(&other, Some(&good), "x").await.error(401, "UNAUTHENTICATED");
    for number in ["01", "+1", "0", "3", "x", "4294967297", "-1"] {
        let path = format!("{MPU}/parts/{}/{number}", begun.id);
        begun.send(&path, Some(&good), "x").await.error(401, "UNAUTHENTICATED");
    }
    assert_eq!(begun.stored(), 0);
    begun.test.clock.set(begun.test.app.now().plus_seconds(60 * 60));
    begun.send(&path, Some(&good), "x").await.error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn each_act_on_an_upload_is_authorized_and_its_own() {
    let begun = Begun::new(1).await;
    let etag = begun.part(0, b"content".to_vec()).await;
    let parts = json!([{ "part_number": 1, "etag": etag }]);
    let reader = begun.test.user("reader", &[("experiment:*", "READ")]).await;
    let editor = begun.test.user("editor", &[("experiment:*", "EDIT")]).await;
    for act in ["create", "complete", "abort"] {
        begun.end(&NOBODY, act, parts.clone()).await.error(401, "UNAUTHENTICATED");
        begun.end(&reader, act, parts.clone()).await.error(403, "PERMISSION_DENIED");
    }
    for act in ["complete", "abort"] {
        begun.end(&editor, act, parts.clone()).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    }
    // Nor for another file than the one it was begun for.
    let elsewhere = json!({ "path": "other.bin", "upload_id": begun.id, "parts": parts });
    for act in ["complete", "abort"] {
        let path = format!("{MPU}/{act}/{}/folder", begun.root);
        begun.test.post(&begun.test.admin, &path, elsewhere.clone()).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    }
    begun.end(&begun.test.admin, "complete", parts).await.ok();
}

#[tokio::test]
async fn only_all_parts_in_order_make_a_file() {
    let begun = Begun::new(2).await;
    let one = begun.part(0, b"one".to_vec()).await;
    let missing = json!([{ "part_number": 1, "etag": one }]);
    let message = begun.end(&begun.test.admin, "complete", missing).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("artifact.parts"), "{message}");
    let two = begun.part(1, b"two".to_vec()).await;
    let part = |number: u32, etag: &str| json!({ "part_number": number, "etag": etag });
    for wrong in [
        json!([part(2, &two), part(1, &one)]),
        json!([part(1, &one), part(1, &one)]),
        json!([part(1, &two), part(2, &one)]),
        json!([part(1, &one), part(2, "")]),
        json!([part(1, &one), part(2, &two), part(3, &two)]),
        json!([]),
    ] {
        let answer = begun.end(&begun.test.admin, "complete", wrong.clone()).await;
        let message = answer.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains("artifact.parts"), "{wrong}: {message}");
        begun.file().await.error(404, "RESOURCE_DOES_NOT_EXIST");
    }
    // A part can be sent once more, and the last one counts.
    let again = begun.part(1, b"TWO".to_vec()).await;
    begun.end(&begun.test.admin, "complete", json!([part(1, &one), part(2, &again)])).await.ok();
    assert_eq!(begun.file().await.bytes.unwrap(), "oneTWO");
}

#[tokio::test]
async fn an_unsafe_file_is_found_whatever_parts_it_comes_in() {
    let begun = Begun::new(2).await;
    // A pickle that calls os.system("id"), cut in its middle.
    let pickle = b"cposix\nsystem\n(S'id'\ntR.";
    let one = begun.part(0, pickle[..9].to_vec()).await;
    let two = begun.part(1, pickle[9..].to_vec()).await;
    let parts = json!([{ "part_number": 1, "etag": one }, { "part_number": 2, "etag": two }]);
    let message = begun.end(&begun.test.admin, "complete", parts.clone()).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("refused by scan:"), "{message}");
    begun.file().await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(begun.stored(), 0, "nothing of it is left");
    begun.end(&begun.test.admin, "complete", parts).await.error(404, "RESOURCE_DOES_NOT_EXIST");
}

#[tokio::test]
async fn sizes_and_numbers_are_bounded() {
    let begun = Begun::new(2).await;
    let too_much = vec![0_u8; (1 << 20) + 1];
    begun.send(&begun.path(0), Some(&begun.capability(0)), too_much).await.error(400, "INVALID_PARAMETER_VALUE");
    begun.part(0, vec![0; 700_000]).await;
    let sum = begun.send(&begun.path(1), Some(&begun.capability(1)), vec![0_u8; 700_000]).await;
    sum.error(400, "INVALID_PARAMETER_VALUE");
    assert_eq!(begun.stored(), 1, "what was refused is gone");
    for parts in [json!(0), json!(10_001), json!(-1), json!(1_u64 << 40)] {
        let body = json!({ "path": "x", "num_parts": parts });
        let path = format!("{MPU}/create/{}", begun.root);
        begun.test.post(&begun.test.admin, &path, body).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    for path in ["..", "a/..", "", "/", "%2e%2e", "x\u{0}"] {
        let body = json!({ "path": path, "num_parts": 1 });
        let at = format!("{MPU}/create/{}", begun.root);
        begun.test.post(&begun.test.admin, &at, body).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

#[tokio::test]
async fn what_is_aborted_or_over_is_gone() {
    let begun = Begun::new(2).await;
    begun.part(0, b"one".to_vec()).await;
    assert_eq!(begun.stored(), 1);
    begun.end(&begun.test.admin, "abort", Value::Null).await.ok();
    assert_eq!(begun.stored(), 0);
    begun.send(&begun.path(1), Some(&begun.capability(1)), "two").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let begun = Begun::new(2).await;
    begun.part(0, b"one".to_vec()).await;
    begun.test.clock.set(begun.test.app.now().plus_seconds(25 * 60 * 60));
    begun.end(&begun.test.admin, "complete", json!([])).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    begun.test.app.remove_leftovers().await.unwrap();
    assert_eq!(begun.stored(), 1, "not taken away from under somebody who completes it");
    begun.test.clock.set(begun.test.app.now().plus_seconds(25 * 60 * 60));
    begun.test.app.remove_leftovers().await.unwrap();
    assert_eq!(begun.stored(), 0);
}

/// Whenever the client hangs up while its file is put together, it can ask again, and finds it done before long.
#[tokio::test(flavor = "multi_thread")]
async fn a_completion_survives_its_client() {
    for patience in 0..12 {
        let begun = Begun::new(2).await;
        let one = begun.part(0, b"one".to_vec()).await;
        let two = begun.part(1, b"two".to_vec()).await;
        let parts = json!([{ "part_number": 1, "etag": one }, { "part_number": 2, "etag": two }]);
        let patience = Duration::from_micros(200 << patience);
        let _ = tokio::time::timeout(patience, begun.end(&begun.test.admin, "complete", parts.clone())).await;
        let end = Instant::now() + Duration::from_secs(20);
        while begun.end(&begun.test.admin, "complete", parts.clone()).await.status != 200 {
            assert!(Instant::now() < end, "stuck after {patience:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(begun.file().await.bytes.unwrap(), "onetwo");
    }
}

/// As a server leaves it that was killed meanwhile.
#[tokio::test]
async fn a_completion_that_was_cut_off_can_be_begun_again() {
    let begun = Begun::new(1).await;
    let one = begun.part(0, b"one".to_vec()).await;
    let parts = json!([{ "part_number": 1, "etag": one }]);
    let id = begun.id.clone();
    let taken = begun.test.store.write(move |tx| tx.set_upload_state(&id, UploadState::Open, UploadState::Completing));
    assert!(taken.await.unwrap());
    begun.end(&begun.test.admin, "complete", parts.clone()).await.error(400, "INVALID_PARAMETER_VALUE");
    begun.test.app.reopen_uploads().await.unwrap();
    begun.end(&begun.test.admin, "complete", parts).await.ok();
    assert_eq!(begun.file().await.bytes.unwrap(), "one");
}
