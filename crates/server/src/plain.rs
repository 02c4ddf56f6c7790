//! Clients that speak plain HTTP where TLS is spoken: they are told so, instead of getting bytes that they can't read.

use std::io;

use sealyard_transport::TlsSlot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

const ANSWER: &str =
    "{\"error_code\":\"BAD_REQUEST\",\"message\":\"this port speaks TLS: write https:// instead of http://\"}";
/// What of a request is read before the connection ends, so that the client gets to read the answer.
const MOST: u64 = 64 * 1024;

/// Agrees on TLS. `None` for a client that spoke plain HTTP, which was answered, and for one that only asked for the proof that a
/// name is ours.
pub(crate) async fn handshake(slot: &TlsSlot, mut stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [0];
    // A handshake begins with 22; a request with its method.
    if stream.peek(&mut first).await? == 1 && first.iter().all(u8::is_ascii_uppercase) {
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            ANSWER.len()
        );
        stream.write_all(format!("{head}{ANSWER}").as_bytes()).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut (&mut stream).take(MOST), &mut tokio::io::sink()).await?;
        return Ok(None);
    }
    // What is used is chosen by the greeting and at that moment: the files may have been exchanged since the last one.
    let begun = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    let (config, challenge) = slot.config_for(&begun.client_hello());
    let mut stream = begun.into_stream(config).await?;
    if challenge {
        stream.shutdown().await?;
        return Ok(None);
    }
    Ok(Some(stream))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn who_speaks_plain_http_is_told_to_write_https() {
        let folder = tempfile::tempdir().unwrap();
        let files = crate::tls::self_signed(folder.path(), &["localhost".to_owned()], &[]).unwrap();
        let slot = TlsSlot::open(files, None).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            handshake(&slot, stream).await
        });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
        assert!(serving.await.unwrap().unwrap().is_none());
    }
}
