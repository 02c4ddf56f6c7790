use std::io::{BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use sealyard_store_sql::PostgresUrl;

/// A server of this test's own. It ends with the process, whose end of the pipe is its sign.
pub(crate) struct Server {
    url: String,
    _child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    schemas: AtomicU32,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::run(&[])
    }

    /// With the certificate and key in `directory`.
    pub(crate) fn start_with_tls(directory: &std::path::Path) -> Self {
        Self::run(&[("POSTGRES_TLS", directory)])
    }

    fn run(variables: &[(&str, &std::path::Path)]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dev/test/postgres.sh");
        let mut child = Command::new(script)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let url = line(&mut stdout);
        assert_eq!(line(&mut stdout), "ready", "a PostgreSQL server is needed: apt-get install postgresql");
        Self { url, _child: child, pipes: Mutex::new((stdin, stdout)), schemas: AtomicU32::new(0) }
    }

    /// The one that most tests share, each in a schema of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(crate) fn command(&self, command: &str) {
        let (stdin, stdout) = &mut *self.pipes.lock().unwrap();
        writeln!(stdin, "{command}").unwrap();
        assert_eq!(line(stdout), "ok", "{command}");
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where an empty catalog can be made.
    pub(crate) async fn empty(&self) -> PostgresUrl {
        PostgresUrl::parse(&self.empty_url().await).unwrap()
    }

    pub(crate) async fn empty_url(&self) -> String {
        let name = format!("case_{}", self.schemas.fetch_add(1, Ordering::Relaxed));
        self.sql(&self.url, &format!("CREATE SCHEMA {name}")).await.unwrap();
        format!("{}?options=-csearch_path%3D{name}", self.url)
    }

    /// Runs SQL beside every store.
    pub(crate) async fn sql(&self, url: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let (client, moves) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let moving = tokio::spawn(moves);
        let answer = client.simple_query(sql).await?;
        drop(client);
        let _ = moving.await;
        let rows = answer.into_iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        Ok(rows.collect())
    }
}

fn line(stdout: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
