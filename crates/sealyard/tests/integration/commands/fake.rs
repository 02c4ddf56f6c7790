//! A server that answers what a test tells it to, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method and path, such as `GET /version`.
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Answer = (&'static str, u16, String);

impl Fake {
    /// Answers a request with the first of `answers` whose method and path it begins with, else with 404.
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &answers, &log);
            }
        });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

fn serve(stream: TcpStream, answers: &[Answer], log: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        head.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let line = head.first().cloned().unwrap_or_default().replace(" HTTP/1.1", "");
    let body = String::from_utf8_lossy(&body).into_owned();
    log.lock().unwrap().push(Asked { line: line.clone(), authorization: header("authorization"), body });
    let missing = ("", 404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no such thing"}"#.to_owned());
    let (_, status, body) = answers.iter().find(|(start, ..)| line.starts_with(start)).unwrap_or(&missing);
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// A decision of the gate as the server words it.
pub(crate) fn decision(stage: &str, reasons: &[(&str, bool)]) -> Value {
    let allowed = reasons.iter().all(|(_, ok)| *ok);
    let digest = format!("sha256:{}", "0".repeat(64));
    let reasons: Vec<_> = reasons
        .iter()
        .map(|(rule, ok)| serde_json::json!({"rule": rule, "ok": ok, "detail": format!("detail of {rule}")}))
        .collect();
    serde_json::json!({
        "schema": "sealyard.decision/1", "stage": stage, "subject": {"name": "models:/diabetes/3", "digest": digest},
        "decision": if allowed { "allow" } else { "deny" }, "reasons": reasons, "policy": {"digest": digest}, "evidence": [],
    })
}
