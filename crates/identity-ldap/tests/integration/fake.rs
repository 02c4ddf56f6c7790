//! A server that answers what a test says.

use std::sync::{Arc, Mutex};

use sealyard_core::{Redacted, SystemRng};
use sealyard_identity::DirectoryPerson;
use sealyard_identity_ldap::{Directory, LdapError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

pub(crate) const BIND: u8 = 0x60;
pub(crate) const SEARCH: u8 = 0x63;

/// What a client asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) operation: u8,
    pub(crate) bytes: Vec<u8>,
}

impl Request {
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// A server on this machine, and all that it was asked.
pub(crate) struct Fake {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    /// `answer` gives the bytes after the message id of each answer; `raw` ones are sent as they are.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Vec<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, answer) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::new(answer));
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                tokio::spawn(async move {
                    loop {
                        let mut head = [0; 2];
                        if stream.read_exact(&mut head).await.is_err() {
                            return;
                        }
                        let mut length = usize::from(head[1]);
                        if head[1] >= 0x80 {
                            let mut digits = vec![0; usize::from(head[1] & 0x7f)];
                            stream.read_exact(&mut digits).await.unwrap();
                            length = digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit));
                        }
                        let mut bytes = vec![0; length];
                        if stream.read_exact(&mut bytes).await.is_err() {
                            return;
                        }
                        let id = bytes[..2 + usize::from(bytes[1])].to_vec();
                        let request = Request { operation: bytes[id.len()], bytes };
                        noted.lock().unwrap().push(request.clone());
                        for answer in answer(&request) {
                            let bytes = match answer {
                                Answer::Message(operation) => tlv(0x30, &[id.clone(), operation].concat()),
                                Answer::Raw(bytes) => bytes,
                            };
                            if stream.write_all(&bytes).await.is_err() {
                                return;
                            }
                        }
                    }
                });
            }
        });
        Self { port, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// A directory that asks this server, with `more` settings.
    pub(crate) fn directory(&self, more: &str) -> Directory {
        directory(&format!("url = \"ldap://127.0.0.1:{}\"\ninsecure = true\n{more}", self.port))
    }
}

pub(crate) fn directory(settings: &str) -> Directory {
    let settings =
        format!("user_base = \"ou=people,dc=example\"\nid_attribute = \"uid\"\ntimeout_seconds = 2\n{settings}");
    Directory::open("test", toml::from_str(&settings).unwrap(), Arc::new(SystemRng)).unwrap()
}

pub(crate) async fn sign_in(directory: &Directory, name: &str, password: &str) -> Result<DirectoryPerson, LdapError> {
    directory.authenticate(name, &Redacted::new(password.to_owned())).await
}

pub(crate) fn unavailable(result: Result<DirectoryPerson, LdapError>) -> String {
    match result {
        Err(LdapError::Unavailable(what)) => what,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refused(result: Result<DirectoryPerson, LdapError>) -> &'static str {
    match result {
        Err(LdapError::Refused(what)) => what,
        other => panic!("{other:?}"),
    }
}

pub(crate) enum Answer {
    Message(Vec<u8>),
    Raw(Vec<u8>),
}

pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, value].concat()
}

fn result(operation: u8, code: u8) -> Answer {
    Answer::Message(tlv(operation, &[tlv(0x0a, &[code]), tlv(4, b""), tlv(4, b"")].concat()))
}

pub(crate) fn bound(code: u8) -> Vec<Answer> {
    vec![result(0x61, code)]
}

pub(crate) fn entry(dn: &str, attributes: &[(&str, &str)]) -> Answer {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, value)| tlv(0x30, &[tlv(4, name.as_bytes()), tlv(0x31, &tlv(4, value.as_bytes()))].concat()))
        .collect();
    Answer::Message(tlv(0x64, &[tlv(4, dn.as_bytes()), tlv(0x30, &attributes)].concat()))
}

pub(crate) fn found(mut entries: Vec<Answer>, code: u8) -> Vec<Answer> {
    entries.push(result(0x65, code));
    entries
}

/// Somebody called ada with the password "right".
pub(crate) fn ada(request: &Request) -> Vec<Answer> {
    match request.operation {
        BIND if request.holds("uid=ada,") => bound(if request.holds("right") { 0 } else { 49 }),
        BIND if request.holds("cn=") => bound(49),
        BIND => bound(0),
        SEARCH if request.holds("ada") => found(vec![entry("uid=ada,ou=people,dc=example", &[("uid", "Ada")])], 0),
        SEARCH => found(vec![], 0),
        _ => vec![],
    }
}
