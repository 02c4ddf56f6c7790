use std::time::{Duration, Instant};

use sealyard_store::StoreError;

use super::connection::Connection;
use super::migrate;
use super::url::PostgresUrl;

/// How long after a failed attempt to connect the next one is made; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One thread's way to the database: a connection, and how it is got again.
#[derive(Debug)]
pub(crate) struct Link {
    url: PostgresUrl,
    patience: Duration,
    connection: Option<Connection>,
    pause: Duration,
    /// No attempt is made before this.
    next: Option<Instant>,
}

impl Link {
    pub(crate) const fn new(url: PostgresUrl, patience: Duration) -> Self {
        Self { url, patience, connection: None, pause: FIRST_PAUSE, next: None }
    }

    /// Gives a connection in whose transaction work can be done: one that ran `begin`. A connection that went away while
    /// nobody used it is made again; while the database is away, this fails at once between two attempts.
    pub(crate) fn begin(&mut self, begin: &str) -> Result<&Connection, StoreError> {
        if let Some(connection) = self.connection.take_if(|connection| !connection.is_lost()) {
            match connection.batch(begin) {
                Ok(()) => {
                    connection.take_failed();
                    return Ok(self.connection.insert(connection));
                }
                Err(_) if connection.is_lost() => {}
                Err(error) => {
                    // Whatever state it is in, the next piece of work shall not meet it.
                    return Err(error);
                }
            }
        }
        self.connection = None;
        let connection = self.connect()?;
        connection.batch(begin)?;
        Ok(self.connection.insert(connection))
    }

    /// Forgets the connection: the server undoes what it had not committed.
    pub(crate) fn close(&mut self) {
        self.connection = None;
    }

    fn connect(&mut self) -> Result<Connection, StoreError> {
        if self.next.is_some_and(|next| Instant::now() < next) {
            return Err(StoreError::Unavailable);
        }
        let opened = Connection::open(&self.url, self.patience).and_then(|connection| {
            // It may be another database by now, or one that a newer release has changed.
            migrate::check(&connection)?;
            Ok(connection)
        });
        match &opened {
            Ok(_) => {
                self.pause = FIRST_PAUSE;
                self.next = None;
            }
            Err(_) => {
                self.next = Instant::now().checked_add(self.pause);
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
        opened
    }
}
