//! Tests on a real PostgreSQL server, which they start themselves: `--features postgres-server`.

mod conformance;
mod migrations;
mod restart;
mod search;
mod server;
mod store;
mod tls;
