use std::sync::Arc;

use sealyard_core::{FixedClock, Timestamp};
use sealyard_store::conformance;
use sealyard_store_sql::{PostgresOptions, PostgresStore};

use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    let server = Server::shared();
    conformance::all(|| async {
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_000)));
        let options = PostgresOptions { readers: 2, ..PostgresOptions::new(clock) };
        options.seals.set(&[7; 32]);
        let url = server.empty().await;
        Arc::new(PostgresStore::open(&url, options).unwrap()) as Arc<dyn sealyard_store::Store>
    })
    .await;
}
