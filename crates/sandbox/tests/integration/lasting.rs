//! What a run may leave behind, cost its launcher, or be said to have held.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use sealyard_core::SystemClock;
use sealyard_sandbox::{Bind, Relay, Sandbox, SandboxError};

use crate::cases::{open, python, run, shell, text};

/// A writable bind is the one place where the command can leave something for the host's users.
pub(crate) fn nothing_with_a_set_id_bit_is_left_behind() {
    let given = tempfile::tempdir().unwrap();
    open(given.path());
    let script = "
import os
def attempt(call, *arguments):
    try:
        call(*arguments)
        print('done')
    except OSError as error:
        print(error.errno)
open('/out/a', 'w').close()
attempt(os.chmod, '/out/a', 0o4755)
attempt(os.fchmod, os.open('/out/a', os.O_RDONLY), 0o2755)
attempt(os.open, '/out/b', os.O_CREAT | os.O_WRONLY, 0o6755)
attempt(os.open, '/out', os.O_TMPFILE | os.O_RDWR, 0o4755)
attempt(os.mknod, '/out/c', 0o104755)
attempt(os.chmod, '/out/a', 0o755)
";
    let mut spec = python(script);
    spec.binds.push(Bind::writable(given.path(), "/out"));
    let outcome = run(spec);
    assert_eq!(text(&outcome), "1\n1\n1\n1\n1\ndone");
    for entry in std::fs::read_dir(given.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o6000, 0);
    }
}

pub(crate) fn a_link_in_the_place_of_a_writable_bind_gives_nothing_away() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(folder.path());
    let before = std::fs::metadata(target.path()).unwrap().uid();
    std::os::unix::fs::symlink(target.path(), folder.path().join("out")).unwrap();
    let mut spec = shell("true");
    spec.binds.push(Bind::writable(folder.path().join("out"), "/out"));
    let result = Sandbox::strict(spec, Arc::new(SystemClock)).run(|_| {});
    // An ordinary caller gives nothing away, so for it a link is as good as its target.
    assert!(before != 0 || matches!(result, Err(SandboxError::Bind { .. })), "{result:?}");
    assert_eq!(std::fs::metadata(target.path()).unwrap().uid(), before);
}

/// More of them, one after the other, than the launcher may have files open.
pub(crate) fn connections_that_are_over_cost_nothing() {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit { current: Some(256), maximum: most.maximum },
    )
    .unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = server.accept() {
            let _ = stream.write_all(b"x");
        }
    });
    let script = "
import socket
seen = 0
for _ in range(300):
    connection = socket.create_connection(('127.0.0.1', 5999))
    seen += len(connection.recv(1)); connection.close()
print(seen)
";
    let mut spec = python(script);
    spec.relay = Some(Relay { port: 5999, names: Vec::new(), target });
    let outcome = run(spec);
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most).unwrap();
    assert_eq!(text(&outcome), "300");
}

pub(crate) fn what_is_said_to_hold_is_what_held() {
    let kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];
    let mut spec = shell(&format!(
        "ulimit -n; ulimit -v; cat /proc/self/oom_score_adj; for kind in {}; do readlink /proc/self/ns/$kind; done",
        kinds.join(" ")
    ));
    spec.limits.open_files = u64::MAX >> 1;
    let outcome = run(spec);
    let said = text(&outcome).lines().collect::<Vec<_>>();
    assert_eq!(
        said[0],
        outcome.held.limits.open_files.to_string(),
        "the launcher's own bound is lower than was asked for"
    );
    assert_eq!(said[1], (outcome.held.limits.address_space / 1024).to_string());
    assert_eq!(said[2], "1000", "memory is taken from the sandbox first");
    assert_eq!((said.len(), outcome.held.namespaces.len()), (3 + kinds.len(), kinds.len()));
    for (kind, inside) in kinds.iter().zip(&said[3..]) {
        let outside = std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        assert!(inside.starts_with(kind) && *inside != outside.to_str().unwrap(), "{inside}");
    }
}
