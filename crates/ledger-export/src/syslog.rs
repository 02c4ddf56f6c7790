use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use sealyard_core::Timestamp;
use sealyard_ledger::Facets;
use socket2::TcpKeepalive;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Entry, SinkError};

/// A server that takes longer for anything is away.
const PATIENCE: Duration = Duration::from_secs(15);
/// What is asked of the connection's buffer; the kernel makes it twice as much.
const SEND_BUFFER: usize = 128 * 1024;
/// So much that was written is kept at least: several times what the buffers of a connection hold.
const KEPT: usize = 1024 * 1024;
/// A connection whose other side says nothing of what was sent for so long has ended.
const UNANSWERED: Duration = Duration::from_secs(30);
/// The id of our structured data. We have no enterprise number; 32473 is the one for examples (RFC 5612).
const DATA_ID: &str = "sealyard@32473";
/// Facility 13, "log audit" (RFC 5424, table 1).
const FACILITY: u8 = 13;
/// Longest value of one parameter.
const MAX_VALUE: usize = 512;

/// Where a syslog server is.
#[derive(Debug, Clone)]
pub struct SyslogAddress {
    /// Name or address.
    pub host: String,
    /// Such as 6514 with TLS, 601 or 514 without.
    pub port: u16,
    /// Whom to trust; `None` is no TLS.
    pub tls: Option<RootCertStore>,
}

/// Messages of RFC 5424 over TCP, or TLS as in RFC 5425, each with its length before it. Syslog has no answers: what a server
/// took off the connection and lost is lost. What may have been under way when a connection ended is sent again on the next.
pub struct SyslogSink {
    address: SyslogAddress,
    host: String,
    connection: Option<Connection>,
    /// What was written last, the oldest first: more than the connection's buffers hold, so that all of which nobody knows whether
    /// the server has it is here.
    last: VecDeque<Vec<u8>>,
    patience: Duration,
}

enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl std::fmt::Debug for SyslogSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SyslogSink({}:{})", self.address.host, self.address.port)
    }
}

impl SyslogSink {
    /// Sends to `address`, as the machine `host`.
    #[must_use]
    pub fn new(address: SyslogAddress, host: &str) -> Self {
        let host: String = host.chars().filter(char::is_ascii_graphic).take(255).collect();
        Self {
            address,
            host: if host.is_empty() { "-".to_owned() } else { host },
            connection: None,
            last: VecDeque::new(),
            patience: PATIENCE,
        }
    }

    pub(crate) fn address(&self) -> String {
        let SyslogAddress { host, port, tls } = &self.address;
        format!("{host}:{port} ({})", if tls.is_some() { "TLS" } else { "no TLS" })
    }

    pub(crate) async fn send(&mut self, entries: &[Entry]) -> Result<(), SinkError> {
        let mut bytes = Vec::new();
        for entry in entries {
            let message = message(entry, &self.host);
            bytes.extend_from_slice(format!("{} ", message.len()).as_bytes());
            bytes.extend_from_slice(&message);
        }
        let sent = tokio::time::timeout(self.patience, self.write(&bytes)).await;
        let sent = sent.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        match &sent {
            Ok(()) => self.keep(bytes),
            Err(_) => self.connection = None,
        }
        sent
    }

    fn keep(&mut self, bytes: Vec<u8>) {
        self.last.push_back(bytes);
        let mut all: usize = self.last.iter().map(Vec::len).sum();
        while let Some(oldest) = self.last.front().map(Vec::len)
            && all - oldest >= KEPT
        {
            self.last.pop_front();
            all -= oldest;
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        // One that the server has ended takes bytes all the same; they would be lost.
        if let Some(connection) = &mut self.connection
            && connection.is_over().await
        {
            self.connection = None;
        }
        if self.connection.is_none() {
            let connection = self.connection.insert(connect(&self.address).await?);
            for piece in &self.last {
                connection.write(piece).await?;
            }
        }
        match &mut self.connection {
            Some(connection) => connection.write(bytes).await,
            None => Ok(()),
        }
    }
}

async fn write_all(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), SinkError> {
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

impl Connection {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        match self {
            Self::Plain(stream) => write_all(stream, bytes).await,
            Self::Tls(stream) => write_all(stream.as_mut(), bytes).await,
        }
    }

    /// Whether the server ended it. It never says anything else.
    async fn is_over(&mut self) -> bool {
        let mut byte = [0];
        let read = async {
            match self {
                Self::Plain(stream) => stream.read(&mut byte).await,
                Self::Tls(stream) => stream.read(&mut byte).await,
            }
        };
        matches!(tokio::time::timeout(Duration::from_millis(1), read).await, Ok(Ok(0) | Err(_)))
    }
}

async fn connect(address: &SyslogAddress) -> Result<Connection, SinkError> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(&stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    // A server that is cut off takes what is written into this machine's buffers alone, and for minutes nothing would tell.
    socket.set_tcp_user_timeout(Some(UNANSWERED))?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(UNANSWERED).with_interval(UNANSWERED / 3))?;
    let Some(roots) = &address.tls else { return Ok(Connection::Plain(stream)) };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| SinkError::Tls(error.to_string()))?
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    let name = ServerName::try_from(address.host.clone()).map_err(|error| SinkError::Tls(error.to_string()))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(Connection::Tls(Box::new(stream)))
}

/// One message: what can be filtered by as structured data, the whole entry as JSON in the text.
fn message(entry: &Entry, host: &str) -> Vec<u8> {
    let Facets { time, actor, act, outcome, subjects, rules, .. } = Facets::of(&entry.bytes);
    let severity = match outcome.as_str() {
        "refused" => 4,
        "failed" => 3,
        _ => 6,
    };
    let priority = FACILITY * 8 + severity;
    let time = Timestamp::from_millis(time).to_rfc3339();
    let kind: String = act.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-').take(32).collect();
    let kind = if kind.is_empty() { "-" } else { &kind };
    let mut data = format!("[{DATA_ID} index=\"{}\"", entry.index);
    let fields = [
        ("actor", &actor),
        ("act", &act),
        ("outcome", &outcome),
        ("subjects", &subjects.join(" ")),
        ("rules", &rules.join(" ")),
        ("source", &entry.source().unwrap_or_default().to_owned()),
    ];
    for (name, value) in fields {
        if !value.is_empty() {
            data.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
    }
    data.push(']');
    let mut message = format!("<{priority}>1 {time} {host} sealyard - {kind} {data} ").into_bytes();
    message.extend_from_slice(b"\xef\xbb\xbf");
    message.extend_from_slice(entry.line().as_bytes());
    message
}

/// A parameter's value (RFC 5424, 6.3.3), without control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for sign in text.chars().take(MAX_VALUE) {
        match sign {
            '"' | '\\' | ']' => {
                escaped.push('\\');
                escaped.push(sign);
            }
            sign if sign.is_control() => escaped.push('\u{fffd}'),
            sign => escaped.push(sign),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn entry(index: u64) -> Entry {
        let event =
            r#"{"time":1000,"actor":"eve\"]x\n","act":"access-denied","outcome":"refused","resource":"ledger"}"#;
        Entry { index, bytes: event.as_bytes().to_vec(), personal: None }
    }

    #[test]
    fn a_message_is_laid_out_as_the_rfc_says() {
        let text = String::from_utf8(message(&entry(7), "host.example")).unwrap();
        let head = "<108>1 1970-01-01T00:00:01.000Z host.example sealyard - access-denied [sealyard@32473 index=\"7\" \
                    actor=\"eve\\\"\\]x\u{fffd}\" act=\"access-denied\" outcome=\"refused\" subjects=\"ledger\"] \u{feff}{";
        assert!(text.starts_with(head), "{text}");
        assert!(!text.contains('\n') && !text.contains(" source="));
        let personal = Some(serde_json::json!({"source": "192.0.2.7\u{2028}"}));
        let text = String::from_utf8(message(&Entry { personal, ..entry(7) }, "host.example")).unwrap();
        assert!(text.contains("subjects=\"ledger\" source=\"192.0.2.7\u{2028}\"] "), "{text}");
        assert!(text.ends_with(r#","personal":{"source":"192.0.2.7\u2028"}}"#), "{text}");
        let erased = Entry { personal: Some("erased".into()), ..entry(7) };
        assert!(String::from_utf8(message(&erased, "h")).unwrap().ends_with(r#","personal":"erased"}"#));
    }

    async fn read_message(stream: &mut TcpStream) -> String {
        let mut length = String::new();
        loop {
            match stream.read_u8().await.unwrap() {
                b' ' => break,
                digit => length.push(char::from(digit)),
            }
        }
        let mut message = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut message).await.unwrap();
        String::from_utf8(message).unwrap()
    }

    #[tokio::test]
    async fn a_server_that_went_away_is_connected_to_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = SyslogAddress { host: "127.0.0.1".into(), port, tls: None };
        let mut sink = SyslogSink::new(address, "h");
        for round in 0..3_u64 {
            // In pieces of their own, as quiet seconds have them.
            sink.send(&[entry(2 * round)]).await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            sink.send(&[entry(2 * round + 1)]).await.unwrap();
            // What the last connections may have lost comes again.
            for index in 0..2 * round + 2 {
                assert!(read_message(&mut stream).await.contains(&format!("index=\"{index}\"")));
            }
            drop(stream);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(listener);
        assert!(sink.send(&[entry(9)]).await.is_err());
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let mut sink = SyslogSink::new(SyslogAddress { host: "h".into(), port: 1, tls: None }, "h");
        for number in 0..64_u8 {
            sink.keep(vec![number; 64 * 1024]);
        }
        assert_eq!((sink.last.len(), sink.last[0][0], sink.last[15][0]), (16, 48, 63));
        sink.keep(vec![0; 4 << 20]);
        assert_eq!(sink.last.len(), 1, "the newest stays, however long");
    }

    #[tokio::test]
    async fn a_server_that_reads_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut sink = SyslogSink::new(SyslogAddress { host: "127.0.0.1".into(), port, tls: None }, "h");
        sink.patience = Duration::from_millis(200);
        let bytes = serde_json::json!({"act": "x".repeat(8 << 20)}).to_string().into_bytes();
        let sent = sink.send(&[Entry { index: 0, bytes, personal: None }]).await;
        assert!(sent.is_err() && sink.connection.is_none() && sink.last.is_empty(), "{sent:?}");
    }

    #[tokio::test]
    async fn with_tls_only_the_right_certificate_is_sent_to() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut bytes = vec![0; 16];
                if stream.read_exact(&mut bytes).await.is_ok() {
                    return bytes;
                }
            }
        });
        let to = |roots| SyslogAddress { host: "localhost".into(), port, tls: Some(roots) };
        let mut stranger = SyslogSink::new(to(RootCertStore::empty()), "h");
        assert!(stranger.send(&[entry(0)]).await.is_err());
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        SyslogSink::new(to(roots), "h").send(&[entry(0)]).await.unwrap();
        assert!(String::from_utf8(got.await.unwrap()).unwrap().contains("<108>1"));
    }
}
