//! What is still read of a request that was refused: a client that is writing when its connection is closed never sees why.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt as _, stream};
use http::Request;

use crate::test_app::{TestApp, User};

const PIECE: usize = 16 << 10;
const ANYBODY: usize = 64 << 10;

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

async fn put(test: &TestApp, user: &User, path: &str, expect: bool, pieces: usize) -> (u16, usize) {
    let (body, taken) = body(pieces);
    let mut request = Request::put(path).header("host", "localhost");
    if expect {
        request = request.header("expect", "100-continue");
    }
    request = request.header("authorization", user.authorization());
    let status = test.send(request.body(Body::from_stream(body)).unwrap()).await.status.as_u16();
    (status, taken.load(Ordering::SeqCst) * PIECE)
}

#[tokio::test]
async fn a_refused_client_gets_to_read_why() {
    let test = TestApp::new().await;
    let nobody = User::with_token("none");
    let path = "/api/2.0/mlflow-artifacts/artifacts/a/b";
    // Nobody knows who sends it: as much as is on its way anyway, and not a whole file.
    assert_eq!(put(&test, &nobody, path, false, 4).await, (401, ANYBODY));
    let (status, read) = put(&test, &nobody, path, false, 1000).await;
    assert!(status == 401 && read <= ANYBODY + PIECE, "{read}");
    // Who may send gets to the end of it; a path that can't be is refused before a byte of the file is read.
    let bad = "/api/2.0/mlflow-artifacts/artifacts/a/%2e%2e/b";
    let (status, read) = put(&test, &test.admin, bad, false, 200).await;
    assert_eq!((status, read), (400, 200 * PIECE));
    let (status, read) = put(&test, &test.admin, bad, false, 4000).await;
    assert!(status == 400 && read <= (32 << 20) + PIECE, "{read}");
    // Who waits to be asked for it is not asked.
    assert_eq!(put(&test, &test.admin, bad, true, 4).await, (400, 0));
}

#[tokio::test]
async fn who_stops_sending_is_answered_all_the_same() {
    let test = TestApp::new().await;
    let never = stream::pending::<Result<Bytes, std::io::Error>>();
    let request = Request::put("/api/2.0/mlflow-artifacts/artifacts/a/b").header("host", "localhost");
    let answer = test.send(request.body(Body::from_stream(never)).unwrap());
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await.unwrap();
    assert_eq!(answer.status, 401);
}
