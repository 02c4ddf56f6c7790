//! The connection to a directory: TCP, TLS, and a guard over what comes back.
//!
//! The LDAP library talks through a socket pair. On the other side of it messages of the server are let through one by one,
//! when they are short enough, sanely built and not too many; else the connection ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::LdapError;
use crate::ber::{LONGEST_MESSAGE, MESSAGE, Malformed, check_message, length_of, long_form, split};
use crate::server::{Secrecy, Server};

/// All that a server may say in one sign-in.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// For one address to answer.
const CONNECT_TIME: Duration = Duration::from_secs(3);
/// `ExtendedRequest` with the name 1.3.6.1.4.1.1466.20037 and the message id 1 (RFC 4511, 4.14.1).
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Opens a connection; the library's end of it.
pub(crate) async fn open(
    server: &Server,
    tls: &Arc<ClientConfig>,
) -> Result<std::os::unix::net::UnixStream, LdapError> {
    let mut tcp = connect(server).await?;
    let (ours, theirs) = UnixStream::pair().map_err(LdapError::unavailable)?;
    match server.secrecy {
        Secrecy::Plain => drop(tokio::spawn(pump(tcp, theirs))),
        secrecy => {
            if secrecy == Secrecy::StartTls {
                start_tls(&mut tcp).await?;
            }
            let secure = TlsConnector::from(Arc::clone(tls)).connect(server.tls_name.clone(), tcp).await;
            let secure = secure.map_err(|error| LdapError::unavailable(format_args!("TLS failed: {error}")))?;
            drop(tokio::spawn(pump(secure, theirs)));
        }
    }
    ours.into_std().map_err(LdapError::unavailable)
}

async fn connect(server: &Server) -> Result<TcpStream, LdapError> {
    let addresses = lookup_host((server.host.as_str(), server.port)).await;
    let addresses = addresses.map_err(|error| LdapError::unavailable(format_args!("no address: {error}")))?;
    let mut last = LdapError::unavailable("the name has no address");
    for address in addresses.take(8) {
        if server.secrecy == Secrecy::Plain && !address.ip().to_canonical().is_loopback() {
            last = LdapError::unavailable("plain LDAP is for this machine only");
            continue;
        }
        match tokio::time::timeout(CONNECT_TIME, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = LdapError::unavailable(format_args!("no connection: {error}")),
            Err(_) => last = LdapError::unavailable("it does not answer in time"),
        }
    }
    Err(last)
}

/// Asks for TLS. What the server says before TLS begins is not to be trusted: anything but "yes" ends it, and not one byte
/// beyond the answer is read, so that nothing said in the clear is taken for something said in secret.
async fn start_tls(stream: &mut TcpStream) -> Result<(), LdapError> {
    stream.write_all(START_TLS).await.map_err(LdapError::unavailable)?;
    let message = read_message(stream).await.map_err(LdapError::unavailable)?;
    let message = message.ok_or_else(|| LdapError::unavailable("it hung up when asked for TLS"))?;
    let refused = || LdapError::unavailable("it does not do StartTLS");
    let success = (|| {
        let (_, contents, _) = split(&message).ok()?;
        let (_, id, rest) = split(contents).ok()?;
        let (tag, response, _) = split(rest).ok()?;
        let (kind, code, _) = split(response).ok()?;
        Some(id == [1] && tag == 0x78 && kind == 0x0a && code == [0])
    })();
    if success == Some(true) { Ok(()) } else { Err(refused()) }
}

async fn pump<S: AsyncRead + AsyncWrite>(server: S, library: UnixStream) {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_library, mut to_library) = library.into_split();
    let answers = async {
        let mut left = MOST_BYTES;
        while let Some(message) = read_message(&mut from_server).await? {
            left = left.checked_sub(message.len()).ok_or_else(|| broken(Malformed("it says too much")))?;
            to_library.write_all(&message).await?;
        }
        Ok::<(), io::Error>(())
    };
    let requests = async {
        tokio::io::copy(&mut from_library, &mut to_server).await?;
        to_server.shutdown().await
    };
    // Whichever side ends first, both do: dropping the ends is what tells the library.
    let ended = tokio::select! { ended = answers => ended, ended = requests => ended };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to a directory ended");
    }
}

/// The next whole message; `None` at the end.
async fn read_message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 2];
    if from.read(head.get_mut(..1).unwrap_or_default()).await? == 0 {
        return Ok(None);
    }
    from.read_exact(head.get_mut(1..).unwrap_or_default()).await?;
    let [tag, first] = head;
    if tag != MESSAGE {
        return Err(broken(Malformed("no message")));
    }
    let mut message = head.to_vec();
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        let mut digits = vec![0; long_form(first).map_err(broken)?];
        from.read_exact(&mut digits).await?;
        message.extend_from_slice(&digits);
        length_of(&digits)
    };
    if length > LONGEST_MESSAGE {
        return Err(broken(Malformed("too long")));
    }
    let start = message.len();
    // As it comes, not as it claims.
    (&mut *from).take(u64::try_from(length).unwrap_or_default()).read_to_end(&mut message).await?;
    let contents = message.get(start..).unwrap_or_default();
    if contents.len() != length {
        return Err(broken(Malformed("it ends early")));
    }
    check_message(contents).map_err(broken)?;
    Ok(Some(message))
}

fn broken(error: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
