use std::sync::Arc;

use proptest::prelude::*;
use sealyard_store::Store;
use sealyard_store_sql::{PostgresOptions, PostgresStore};

use super::server::Server;
use crate::search::{agree, cases};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_search_finds_what_a_look_at_every_run_finds(case in cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = runtime.block_on(Server::shared().empty());
        let options = PostgresOptions { readers: 1, ..PostgresOptions::default() };
        let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url, options).unwrap());
        agree(&store, case)?;
    }
}
