//! The one way out: bytes between the loopback port inside and one real address.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Scope;
use std::time::Duration;

use super::egress::{Direction, EgressLog};

const CONNECT: Duration = Duration::from_secs(10);
const MAX_OPEN: usize = 128;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Accepts inside until `stop`; each connection goes to `target` and nowhere else.
pub(super) fn serve<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    listener: OwnedFd,
    target: SocketAddr,
    egress: &'env EgressLog,
    stop: &'env AtomicBool,
) {
    let listener = TcpListener::from(listener);
    if listener.set_nonblocking(true).is_err() {
        return;
    }
    while !stop.load(Ordering::SeqCst) {
        match super::readable(&listener) {
            Some(true) => {}
            Some(false) => continue,
            None => return,
        }
        let Ok((inside, _)) = listener.accept() else { continue };
        if OPEN.load(Ordering::SeqCst) >= MAX_OPEN || inside.set_nonblocking(false).is_err() {
            continue;
        }
        OPEN.fetch_add(1, Ordering::SeqCst);
        scope.spawn(move || {
            // A connection that breaks is the client's to notice.
            let _ = connect(scope, inside, target, egress);
            OPEN.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn connect<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    inside: TcpStream,
    target: SocketAddr,
    egress: &'env EgressLog,
) -> io::Result<()> {
    let number = egress.record(target.to_string(), true);
    let outside = TcpStream::connect_timeout(&target, CONNECT)?;
    for stream in [&inside, &outside] {
        stream.set_nodelay(true)?;
    }
    let (from, to) = (outside.try_clone()?, inside.try_clone()?);
    let Some(handle) = egress.keep([inside.try_clone()?, outside.try_clone()?]) else { return Ok(()) };
    let back = scope.spawn(move || pump(from, to, egress, number, Direction::In));
    pump(inside, outside, egress, number, Direction::Out);
    let _ = back.join();
    egress.release(handle);
    Ok(())
}

/// Copies until the end of `from`, then says so to `to`.
fn pump(mut from: TcpStream, mut to: TcpStream, egress: &EgressLog, number: Option<usize>, direction: Direction) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        egress.count(number, direction, read as u64);
        if to.write_all(buffer.get(..read).unwrap_or_default()).is_err() {
            let _ = from.shutdown(Shutdown::Read);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
