use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Body;
use base64::Engine as _;
use http::Method;
use sealyard_store::StoreError;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::test_app::{Answer, TestApp, User};

/// What a receiver got: its headers, in small letters, and its body.
#[derive(Debug, Clone)]
struct Received {
    head: String,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver on this machine that answers with the given statuses in turn, the last one for ever.
struct Receiver {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    async fn new(statuses: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=s3cret", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let seen = Arc::clone(&received);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = Vec::new();
                let (head, body) = loop {
                    let mut buffer = [0; 4096];
                    let count = stream.read(&mut buffer).await.unwrap();
                    bytes.extend_from_slice(&buffer[..count]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let head = Received { head: head.to_owned(), body: String::new() };
                    if body.len() >= head.header("content-length").unwrap().parse::<usize>().unwrap() {
                        break (head.head, body.to_owned());
                    }
                };
                let turn = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(Received { head, body });
                    seen.len() - 1
                };
                let status = statuses[turn.min(statuses.len() - 1)];
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, received }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..400 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{:?}", self.received());
    }
}

async fn webhook(test: &TestApp, url: &str, events: &[&str], secret: Option<&str>) -> String {
    let events: Vec<_> = events
        .iter()
        .map(|event| {
            let (entity, action) = event.split_once('.').unwrap();
            json!({ "entity": entity, "action": action })
        })
        .collect();
    let mut new = json!({ "name": "w", "url": url, "events": events });
    if let Some(secret) = secret {
        new["secret"] = json!(secret);
    }
    let made = test.mlflow(&test.admin, "webhooks", new).await.ok();
    made["webhook"]["webhook_id"].as_str().unwrap().to_owned()
}

async fn patch(test: &TestApp, id: &str, change: Value) -> Answer {
    test.call(&test.admin, Method::PATCH, &format!("/api/2.0/mlflow/webhooks/{id}"), change.to_string()).await
}

async fn log(test: &TestApp, id: &str) -> Vec<Value> {
    let found = test.get(&test.admin, &format!("/api/sealyard/v1/webhooks/{id}/deliveries")).await.ok();
    found["deliveries"].as_array().unwrap().clone()
}

/// Waits until the newest delivery is in this state.
async fn settled(test: &TestApp, id: &str, state: &str, attempts: u64) -> Value {
    // While an attempt is under way, the error is that of the one before, and the next is when its lease of a minute ends.
    let leased = json!(test.app.now().as_millis() + 60_000);
    for _ in 0..400 {
        if let Some(newest) = log(test, id).await.first()
            && newest["state"] == state
            && newest["attempts"] == attempts
            && (state != "waiting" || !newest["error"].is_null() && newest["next_attempt"] != leased)
        {
            return newest.clone();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?}", log(test, id).await);
}

async fn deliver(test: &TestApp) -> usize {
    test.app.begin_deliveries().await.unwrap()
}

/// A registered model with a version, so that there is something to be told.
async fn registry(test: &TestApp, name: &str) {
    let experiment = test.experiment(&test.admin, name).await;
    let model = test.logged_model(&test.admin, &experiment).await;
    test.version(&test.admin, name, &model).await;
}

#[tokio::test]
async fn webhooks_are_made_changed_listed_and_deleted() {
    let test = TestApp::new().await;
    let url = "https://hooks.example.org/services/x";
    let id = webhook(&test, url, &["MODEL_VERSION_ALIAS.CREATED", "MODEL_VERSION.CREATED"], Some("s3cret-key")).await;
    let path = format!("webhooks/{id}");
    let read = test.ask(&test.admin, &path).await.ok();
    assert_eq!(
        read["webhook"]["events"],
        json!([{"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}, {"entity": "MODEL_VERSION", "action": "CREATED"}])
    );
    assert_eq!((&read["webhook"]["status"], &read["webhook"]["url"]), (&json!("ACTIVE"), &json!(url)));
    assert!(!read.to_string().contains("s3cret-key"));
    let changed = patch(&test, &id, json!({"name": "other", "status": "DISABLED"})).await.ok();
    assert_eq!((&changed["webhook"]["name"], &changed["webhook"]["status"]), (&json!("other"), &json!("DISABLED")));
    assert_eq!((&changed["webhook"]["url"], &changed["webhook"]["events"]), (&json!(url), &read["webhook"]["events"]));
    assert!(changed["webhook"]["last_updated_timestamp"].as_i64() > read["webhook"]["last_updated_timestamp"].as_i64());
    for _ in 0..4 {
        webhook(&test, url, &["PROMPT.CREATED"], None).await;
    }
    let first = test.ask(&test.admin, "webhooks?max_results=2").await.ok();
    let token = first["next_page_token"].as_str().unwrap();
    let second = test.ask(&test.admin, &format!("webhooks?max_results=3&page_token={token}")).await.ok();
    assert_eq!((first["webhooks"].as_array().unwrap().len(), second["webhooks"].as_array().unwrap().len()), (2, 3));
    assert_ne!(first["webhooks"][1]["webhook_id"], second["webhooks"][0]["webhook_id"]);
    assert!(second["next_page_token"].is_null());
    test.call(&test.admin, Method::DELETE, &format!("/api/2.0/mlflow/{path}"), Body::empty()).await.ok();
    let message = test.ask(&test.admin, &path).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(message, format!("Webhook with ID {id} not found."));
    let ledger = test.ledger().await;
    for act in ["webhook-created", "webhook-updated", "webhook-deleted"] {
        assert!(TestApp::has(&ledger, &json!({"act": act, "id": id, "actor": "admin"})), "{act}");
    }
    // Paths of such URLs are secrets.
    assert!(!json!(ledger).to_string().contains("services/x"));
    assert!(
        !std::fs::read(test.folder().join("catalog.db")).unwrap().windows(10).any(|window| window == b"s3cret-key")
    );
}

#[tokio::test]
async fn what_makes_no_webhook_is_refused_in_mlflows_words() {
    let test = TestApp::new().await;
    let make = async |change: Value| {
        let mut new =
            json!({"name": "w", "url": "https://h.example/", "events": [{"entity": "PROMPT", "action": "CREATED"}]});
        for (key, value) in change.as_object().unwrap() {
            new[key] = value.clone();
        }
        test.mlflow(&test.admin, "webhooks", new).await.error(400, "INVALID_PARAMETER_VALUE")
    };
    for (change, says) in [
        (json!({"url": "   "}), "Webhook URL cannot be empty or just whitespace"),
        (json!({"url": "ftp://example.com"}), "Invalid webhook URL scheme"),
        (json!({"url": "http://example.com"}), "Invalid webhook URL scheme"),
        (json!({"url": "http://[invalid"}), "Invalid webhook URL"),
        (json!({"url": "https://user:pw@example.com/"}), "outgoing.userinfo"),
        (json!({"url": "https://10.0.0.1/"}), "Webhook URL must not resolve to a non-public IP address"),
        (
            json!({"url": "https://2852039166/latest/meta-data"}),
            "Webhook URL must not resolve to a non-public IP address",
        ),
        (json!({"url": "https://[::ffff:10.0.0.1]/"}), "Webhook URL must not resolve to a non-public IP address"),
        (json!({"url": "https://example.com:22/"}), "outgoing.port"),
        (json!({"events": []}), "Webhook events must be a non-empty list"),
        (
            json!({"events": [{"entity": "PROMPT", "action": "DELETED"}]}),
            "Invalid action 'deleted' for entity 'prompt'",
        ),
        (json!({"events": [{"entity": "RUN", "action": "CREATED"}]}), "Invalid entity or action"),
        (json!({"name": "-x"}), "Webhook name '-x' is invalid"),
        (json!({"name": "x".repeat(64)}), "is invalid"),
        (json!({"name": ""}), "Missing value for required parameter 'name'"),
        (json!({"status": "BROKEN"}), "neither ACTIVE nor DISABLED"),
        (json!({"secret": "x".repeat(2000)}), "at most 1000 bytes"),
        (json!({"description": "x".repeat(2000)}), "at most 1000 characters"),
    ] {
        let message = make(change.clone()).await;
        assert!(message.contains(says), "{change}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_once_it_is_done_and_signed() {
    let test = TestApp::new().await;
    let receiver = Receiver::new(&["200 OK"]).await;
    let events = [
        "REGISTERED_MODEL.CREATED",
        "MODEL_VERSION.CREATED",
        "MODEL_VERSION_TAG.SET",
        "MODEL_VERSION_TAG.DELETED",
        "MODEL_VERSION_ALIAS.CREATED",
        "MODEL_VERSION_ALIAS.DELETED",
    ];
    let id = webhook(&test, &receiver.url, &events, Some("key")).await;
    registry(&test, "m").await;
    let tag = json!({"name": "m", "version": "1", "key": "k", "value": "ü"});
    test.mlflow(&test.admin, "model-versions/set-tag", tag.clone()).await.ok();
    test.call(&test.admin, Method::DELETE, "/api/2.0/mlflow/model-versions/delete-tag", tag.to_string()).await.ok();
    let alias = json!({"name": "m", "alias": "a", "version": "1"});
    test.mlflow(&test.admin, "registered-models/alias", alias.clone()).await.ok();
    test.call(&test.admin, Method::DELETE, "/api/2.0/mlflow/registered-models/alias", alias.to_string()).await.ok();
    // What was refused never happened.
    let missing = json!({"name": "m", "alias": "b", "version": "9"});
    test.mlflow(&test.admin, "registered-models/alias", missing).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(log(&test, &id).await.len(), 6);
    assert_eq!(receiver.received().len(), 0, "no request waits for a receiver");
    let worker = tokio::spawn(Arc::clone(&test.app).run_deliveries());
    let received = receiver.wait_for(6).await;
    settled(&test, &id, "delivered", 1).await;
    worker.abort();
    let mut told: Vec<_> = received.iter().map(Received::json).collect();
    told.sort_by_key(|one| {
        events.iter().position(|event| {
            event.eq_ignore_ascii_case(&format!(
                "{}.{}",
                one["entity"].as_str().unwrap(),
                one["action"].as_str().unwrap()
            ))
        })
    });
    let data: Vec<_> = told.iter().map(|one| one["data"].clone()).collect();
    assert_eq!(data[0], json!({"name": "m", "tags": {}, "description": ""}));
    assert_eq!(
        (&data[1]["name"], &data[1]["version"], &data[1]["description"]),
        (&json!("m"), &json!("1"), &Value::Null)
    );
    assert!(data[1]["source"].as_str().unwrap().starts_with("models:/m-"));
    assert_eq!(data[2], json!({"name": "m", "version": "1", "key": "k", "value": "ü"}));
    assert_eq!(data[3], json!({"name": "m", "version": "1", "key": "k"}));
    assert_eq!(data[4], json!({"name": "m", "alias": "a", "version": "1"}));
    assert_eq!(data[5], json!({"name": "m", "alias": "a"}));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
    for one in &received {
        let (id, time) = (one.header("x-mlflow-delivery-id").unwrap(), one.header("x-mlflow-timestamp").unwrap());
        assert_eq!((time, one.header("content-type")), ("1800000000", Some("application/json")));
        let expected = hmac::sign(&key, format!("{id}.{time}.{}", one.body).as_bytes());
        let expected = base64::engine::general_purpose::STANDARD.encode(expected.as_ref());
        assert_eq!(one.header("x-mlflow-signature"), Some(format!("v1,{expected}").as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_are_told_as_prompts() {
    let test = TestApp::new().await;
    let receiver = Receiver::new(&["200 OK"]).await;
    let id = webhook(&test, &receiver.url, &["PROMPT.CREATED", "PROMPT_TAG.SET", "PROMPT_TAG.DELETED"], None).await;
    let other = webhook(&test, &receiver.url, &["REGISTERED_MODEL.CREATED"], None).await;
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "team", "value": "x"}]);
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "p", "tags": tags})).await.ok();
    let tag = json!({"name": "p", "key": "k", "value": "v"});
    test.mlflow(&test.admin, "registered-models/set-tag", tag.clone()).await.ok();
    test.call(&test.admin, Method::DELETE, "/api/2.0/mlflow/registered-models/delete-tag", tag.to_string()).await.ok();
    // A model's own tags are told to nobody.
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "m"})).await.ok();
    test.mlflow(&test.admin, "registered-models/set-tag", json!({"name": "m", "key": "k", "value": "v"})).await.ok();
    let events: Vec<_> = log(&test, &id).await.iter().map(|one| one["event"].clone()).collect();
    assert_eq!(events, ["prompt_tag.deleted", "prompt_tag.set", "prompt.created"]);
    assert_eq!(log(&test, &other).await.len(), 1);
    deliver(&test).await;
    let received = receiver.wait_for(4).await;
    let created = received.iter().map(Received::json).find(|one| one["entity"] == "prompt").unwrap();
    assert_eq!(created["data"], json!({"name": "p", "tags": {"team": "x"}, "description": ""}));
    assert!(received.iter().all(|one| one.header("x-mlflow-signature").is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_is_asked_again_later_with_the_same_id() {
    let test = TestApp::new().await;
    let receiver = Receiver::new(&["503 Busy", "503 Busy", "204 Fine"]).await;
    let id = webhook(&test, &receiver.url, &["REGISTERED_MODEL.CREATED"], None).await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "m"})).await.ok();
    for attempt in 1..=2 {
        assert_eq!(deliver(&test).await, 1);
        let waiting = settled(&test, &id, "waiting", attempt).await;
        assert_eq!((&waiting["status"], &waiting["error"]), (&json!(503), &json!("the receiver answered 503")));
        assert_eq!(deliver(&test).await, 0, "not before it is due");
        let next = waiting["next_attempt"].as_i64().unwrap();
        assert!(next > test.app.now().as_millis());
        test.clock.set(sealyard_core::Timestamp::from_millis(next));
    }
    assert_eq!(deliver(&test).await, 1);
    let done = settled(&test, &id, "delivered", 3).await;
    assert_eq!((&done["status"], &done["error"], &done["next_attempt"]), (&json!(204), &Value::Null, &Value::Null));
    let ids: Vec<_> =
        receiver.received().iter().map(|one| one.header("x-mlflow-delivery-id").unwrap().to_owned()).collect();
    assert_eq!(ids, vec![done["id"].as_str().unwrap(); 3]);
    let times: Vec<_> =
        receiver.received().iter().map(|one| one.header("x-mlflow-timestamp").unwrap().to_owned()).collect();
    assert!(times[0] < times[1], "signed anew for each attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_never_work_is_given_up_at_once_and_told_in_the_log() {
    let test = TestApp::new().await;
    let gone = Receiver::new(&["410 Gone"]).await;
    let moved = Receiver::new(&["307 Moved\r\nlocation: http://127.0.0.1:1/"]).await;
    for receiver in [&gone, &moved] {
        let id = webhook(&test, &receiver.url, &["REGISTERED_MODEL.CREATED"], None).await;
        test.mlflow(&test.admin, "registered-models/create", json!({"name": format!("m{id}")})).await.ok();
        deliver(&test).await;
        settled(&test, &id, "given_up", 1).await;
    }
    // Its name means an inner address: the guard refuses when it is sent, and the log does not say which address it has.
    let id = webhook(&test, "https://inner.example.org:8443/x", &["REGISTERED_MODEL.CREATED"], None).await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "last"})).await.ok();
    deliver(&test).await;
    let refused = settled(&test, &id, "given_up", 1).await;
    assert!(refused["error"].as_str().unwrap().contains("outgoing.address"), "{refused}");
    assert!(!refused["error"].as_str().unwrap().contains("10.0.0.1"), "{refused}");
}

/// A process that was killed in the middle of an attempt leaves a delivery that nobody finishes.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_died_is_made_up_for() {
    let test = TestApp::new().await;
    let receiver = Receiver::new(&["200 OK"]).await;
    let id = webhook(&test, &receiver.url, &["REGISTERED_MODEL.CREATED"], None).await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "m"})).await.ok();
    let now = test.app.now();
    let claimed = test
        .store
        .write(move |tx| {
            let webhook = tx.waiting_webhooks()?.remove(0);
            tx.claim_deliveries(webhook.number, now, now.plus_seconds(60), 10)
        })
        .await;
    assert_eq!(claimed.map_err(|error: StoreError| error.to_string()).unwrap().len(), 1);
    assert_eq!(deliver(&test).await, 0, "somebody is at it");
    test.clock.set(now.plus_seconds(60));
    assert_eq!(deliver(&test).await, 1);
    settled(&test, &id, "delivered", 2).await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_disabled_or_deleted_is_told_nothing() {
    let test = TestApp::new().await;
    let receiver = Receiver::new(&["200 OK"]).await;
    let id = webhook(&test, &receiver.url, &["REGISTERED_MODEL.CREATED"], None).await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "a"})).await.ok();
    patch(&test, &id, json!({"status": "DISABLED"})).await.ok();
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "b"})).await.ok();
    assert_eq!(deliver(&test).await, 0);
    let all = log(&test, &id).await;
    assert_eq!(
        (all.len(), &all[0]["state"], &all[0]["error"]),
        (1, &json!("given_up"), &json!("the webhook was disabled"))
    );
    patch(&test, &id, json!({"status": "ACTIVE"})).await.ok();
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "c"})).await.ok();
    test.call(&test.admin, Method::DELETE, &format!("/api/2.0/mlflow/webhooks/{id}"), Body::empty()).await.ok();
    assert_eq!(deliver(&test).await, 0);
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn trying_out_sends_an_example_and_tells_what_came_back() {
    let test = TestApp::new().await;
    let receiver = Receiver::new(&["200 OK", "500 Broken"]).await;
    let id = webhook(&test, &receiver.url, &["MODEL_VERSION.CREATED", "PROMPT.CREATED"], Some("key")).await;
    let path = format!("webhooks/{id}/test");
    let good = test.mlflow(&test.admin, &path, json!({})).await.ok();
    assert_eq!(good["result"], json!({"success": true, "response_status": 200, "response_body": "ok"}));
    let event = json!({"event": {"entity": "PROMPT_TAG", "action": "SET"}});
    let bad = test.mlflow(&test.admin, &path, event).await.ok();
    assert_eq!((&bad["result"]["success"], &bad["result"]["response_status"]), (&json!(false), &json!(500)));
    let received = receiver.received();
    assert_eq!(received[0].json()["data"]["source"], "models:/123");
    assert_eq!(received[1].json()["entity"], "prompt_tag");
    assert!(received[0].header("x-mlflow-signature").is_some());
    let inner = webhook(&test, "https://inner.example.org:8443/", &["PROMPT.CREATED"], None).await;
    let refused = test.mlflow(&test.admin, &format!("webhooks/{inner}/test"), json!({})).await.ok();
    assert_eq!(refused["result"]["success"], false);
    assert!(refused["result"]["error_message"].as_str().unwrap().contains("outgoing.address"), "{refused}");
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "webhook-tested", "id": id, "event": "prompt_tag.set"})));
}

/// A slow receiver takes its own places, and no one else's.
#[tokio::test(flavor = "multi_thread")]
async fn one_webhook_does_not_hold_up_another() {
    let test = TestApp::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", listener.local_addr().unwrap());
    let slow = webhook(&test, &silent, &["REGISTERED_MODEL.CREATED"], None).await;
    let receiver = Receiver::new(&["200 OK"]).await;
    let quick = webhook(&test, &receiver.url, &["REGISTERED_MODEL.CREATED"], None).await;
    for number in 0..20 {
        test.mlflow(&test.admin, "registered-models/create", json!({"name": format!("m{number}")})).await.ok();
    }
    let worker = tokio::spawn(Arc::clone(&test.app).run_deliveries());
    receiver.wait_for(20).await;
    worker.abort();
    let begun = log(&test, &slow).await.iter().filter(|one| one["attempts"] == 1).count();
    assert_eq!(begun, 4);
    settled(&test, &quick, "delivered", 1).await;
}

#[tokio::test]
async fn webhooks_are_for_administrators() {
    let test = TestApp::new().await;
    let everything = [("server", "MANAGE"), ("experiment:*", "MANAGE"), ("registered-model:*", "MANAGE")];
    let ada: User = test.user("ada", &everything).await;
    let id = webhook(&test, "https://h.example/", &["PROMPT.CREATED"], None).await;
    for path in ["webhooks".to_owned(), format!("webhooks/{id}")] {
        test.ask(&ada, &path).await.error(403, "PERMISSION_DENIED");
    }
    test.mlflow(&ada, &format!("webhooks/{id}/test"), json!({})).await.error(403, "PERMISSION_DENIED");
    let limited = test.token_of("admin", "server:manage").await;
    test.ask(&limited, "webhooks").await.error(403, "PERMISSION_DENIED");
}

/// Many receivers know their callers by a secret in the path: no file of the catalog has it, nor the secret of the signatures.
/// What an older release kept plain is sealed at the next start.
#[tokio::test]
async fn neither_the_url_nor_the_secret_stands_in_the_catalog() {
    let test = TestApp::new().await;
    let url = "https://hooks.example.org/services/T0CANARY";
    let id = webhook(&test, url, &["REGISTERED_MODEL.CREATED"], Some("s3cret-canary")).await;
    let kept = || {
        let id = id.clone();
        test.store.read(move |tx| Ok::<_, StoreError>(tx.webhook(&id)?.unwrap()))
    };
    let found = kept().await.unwrap();
    assert!(found.url.starts_with("sealed:"), "{}", found.url);
    for entry in std::fs::read_dir(test.folder()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        for canary in [&b"s3cret-canary"[..], b"T0CANARY"] {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary), "{}", path.display());
        }
    }
    let before = found.url.clone();
    let plain = sealyard_store::model::Webhook { url: url.to_owned(), ..found };
    test.store.write(move |tx| tx.update_webhook(&plain)).await.unwrap();
    assert!(test.app.seal_plain_webhook_urls().await.is_ok());
    let sealed = kept().await.unwrap().url;
    assert!(sealed.starts_with("sealed:") && sealed != before, "{sealed}");
}
