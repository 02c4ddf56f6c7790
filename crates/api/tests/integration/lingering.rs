//! What is still read of a request that failed: a client that is writing when its connection is closed never sees why.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt as _, stream};
use http::Request;
use sealyard_api::RouterConfig;

use crate::test_app::{TestApp, User};

const PIECE: usize = 16 << 10;

/// A body of `pieces`, with the count of those that were taken.
fn body(pieces: usize) -> (impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let endless = stream::repeat_with(move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Bytes::from_static(&[b'x'; PIECE]))
    });
    (endless.take(pieces), taken)
}

async fn put(test: &TestApp, user: &User, path: &str, pieces: usize) -> (u16, usize) {
    let (body, taken) = body(pieces);
    let request = Request::put(path).header("host", "localhost").header("authorization", user.authorization());
    let status = test.send(request.body(Body::from_stream(body)).unwrap()).await.status.as_u16();
    (status, taken.load(Ordering::SeqCst) * PIECE)
}

#[tokio::test]
async fn a_client_that_failed_gets_to_read_why() {
    let limit = 20 * PIECE as u64;
    let test = TestApp::with_config(RouterConfig::loopback().with_max_artifact_bytes(limit)).await;
    let experiment = test.experiment(&test.admin, "e").await;
    let run = test.run(&test.admin, &experiment).await;
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a");
    // Too large is only known when more than enough of it has come: the rest is taken out of the way, if it is not endless.
    assert_eq!(put(&test, &test.admin, &path, 200).await, (400, 200 * PIECE));
    let (status, read) = put(&test, &test.admin, &path, 4000).await;
    assert!(status == 400 && read <= 34 << 20, "{read}");
    // Nobody began to take it.
    assert_eq!(put(&test, &User::with_token("none"), &path, 4).await, (401, 0));
    assert_eq!(put(&test, &test.admin, &format!("{path}/%2e%2e/b"), 4).await, (400, 0));
}
