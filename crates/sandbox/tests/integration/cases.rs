//! One case for each wall.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lasting::{
    a_link_in_the_place_of_a_writable_bind_gives_nothing_away, connections_that_are_over_cost_nothing,
    nothing_with_a_set_id_bit_is_left_behind, what_is_said_to_hold_is_what_held,
};
use sealyard_core::{Digest, SystemClock};
use sealyard_sandbox::{Bind, Exit, Network, Outcome, Relay, Sandbox, SandboxError, Spec};

/// A test.
pub(crate) type Case = fn();

/// Every case and its name.
pub(crate) const ALL: [(&str, Case); 24] = [
    ("a_command_runs_and_its_output_is_kept", a_command_runs_and_its_output_is_kept),
    ("host_files_are_out_of_sight", host_files_are_out_of_sight),
    ("the_system_can_not_be_written", the_system_can_not_be_written),
    ("binds_are_read_only_unless_writable", binds_are_read_only_unless_writable),
    ("nothing_but_scratch_is_mounted_writable", nothing_but_scratch_is_mounted_writable),
    ("no_descriptor_is_inherited", no_descriptor_is_inherited),
    (
        "a_name_can_not_be_looked_up_and_the_attempt_is_recorded",
        a_name_can_not_be_looked_up_and_the_attempt_is_recorded,
    ),
    ("the_host_can_be_probed", the_host_can_be_probed),
    ("where_a_part_is_missing_nothing_runs", where_a_part_is_missing_nothing_runs),
    ("proc_sys_can_not_be_written", proc_sys_can_not_be_written),
    ("no_privilege_is_left", no_privilege_is_left),
    ("ptrace_and_namespaces_are_denied", ptrace_and_namespaces_are_denied),
    ("a_connection_is_refused_and_recorded", a_connection_is_refused_and_recorded),
    ("there_is_no_route_even_without_connect", there_is_no_route_even_without_connect),
    ("the_relay_reaches_its_target_and_counts", the_relay_reaches_its_target_and_counts),
    ("time_is_bounded_for_children_too", time_is_bounded_for_children_too),
    ("limits_hold", limits_hold),
    ("the_environment_is_clean_and_secrets_are_masked", the_environment_is_clean_and_secrets_are_masked),
    ("what_can_not_be_started_is_an_error", what_can_not_be_started_is_an_error),
    ("it_dies_with_its_launcher", it_dies_with_its_launcher),
    ("nothing_with_a_set_id_bit_is_left_behind", nothing_with_a_set_id_bit_is_left_behind),
    (
        "a_link_in_the_place_of_a_writable_bind_gives_nothing_away",
        a_link_in_the_place_of_a_writable_bind_gives_nothing_away,
    ),
    ("connections_that_are_over_cost_nothing", connections_that_are_over_cost_nothing),
    ("what_is_said_to_hold_is_what_held", what_is_said_to_hold_is_what_held),
];

pub(crate) fn shell(script: &str) -> Spec {
    let mut spec = Spec::new(vec!["/bin/sh".into(), "-c".into(), script.into()]);
    spec.environment.insert("PATH".into(), "/usr/bin:/bin".into());
    spec.limits.wall_seconds = 20;
    spec
}

/// A script for the host's Python, whose prefix is shown inside.
pub(crate) fn python(script: &str) -> Spec {
    let asked = std::process::Command::new("python3")
        .args([
            "-I",
            "-c",
            "import os, sys; print(os.path.realpath(sys.executable)); print(os.path.realpath(sys.base_prefix))",
        ])
        .output()
        .unwrap();
    let answer = String::from_utf8(asked.stdout).unwrap();
    let (executable, prefix) = answer.trim().split_once('\n').unwrap();
    let mut spec = shell("");
    spec.command = [executable, "-I", "-c", script].map(str::to_owned).to_vec();
    spec.binds.push(Bind::read_only(prefix, prefix));
    spec
}

pub(crate) fn run(spec: Spec) -> Outcome {
    Sandbox::strict(spec, Arc::new(SystemClock))
        .run(|_| {})
        .unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()))
}

pub(crate) fn text(outcome: &Outcome) -> &str {
    outcome.output.text.trim()
}

fn a_command_runs_and_its_output_is_kept() {
    let mut lines = Vec::new();
    let sandbox = Sandbox::strict(shell("echo one; echo two >&2; exit 3"), Arc::new(SystemClock));
    let outcome = sandbox.run(|line| lines.push(line.to_owned())).unwrap();
    assert_eq!(outcome.exit, Exit::Code(3));
    assert_eq!(lines, ["one", "two"]);
    assert_eq!(outcome.output.digest, Digest::of(b"one\ntwo\n"));
    assert_eq!(outcome.held.network, Network::None);
    assert_eq!(outcome.egress, []);
    assert_eq!(run(shell("kill -9 $$")).exit, Exit::Signal(9));
}

fn host_files_are_out_of_sight() {
    let secret = tempfile::tempdir().unwrap();
    std::fs::write(secret.path().join("secret"), "x").unwrap();
    let script = format!(
        "ls -A /root /home {} /proc/1/root/ 2>/dev/null; ls -d /sys /var /boot /etc/shadow /run 2>/dev/null; ls -A /tmp; ls /proc | grep -c '^[0-9]'",
        secret.path().display()
    );
    let outcome = run(shell(&script));
    let count: u32 = text(&outcome).parse().unwrap_or_else(|_| panic!("{}", text(&outcome)));
    assert!(count < 8, "only its own processes are seen: {count}");
}

fn the_system_can_not_be_written() {
    for path in ["/usr/x", "/x", "/etc/x", "/bin/x", "/dev/x", "/etc/passwd"] {
        let outcome = run(shell(&format!("echo x > {path}")));
        assert_ne!(outcome.exit, Exit::Code(0), "{path}");
        assert!(
            text(&outcome).contains("Read-only file system") || text(&outcome).contains("ermission denied"),
            "{}",
            text(&outcome)
        );
    }
    let written = run(shell("echo x > /tmp/x && cat /tmp/x && echo y > /dev/shm/y && echo z > /dev/null"));
    assert_eq!(written.exit, Exit::Code(0), "{}", text(&written));
}

fn binds_are_read_only_unless_writable() {
    let (shown, given) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(shown.path().join("file"), "content").unwrap();
    let mut spec = shell("cat /project/file && echo more > /out/file; echo x > /project/file");
    spec.binds = vec![Bind::read_only(shown.path(), "/project"), Bind::writable(given.path(), "/out")];
    // The folder of a temporary directory is private; only the caller's own user may pass, the sandbox sees the bind alone.
    open(shown.path());
    let outcome = run(spec);
    assert!(text(&outcome).starts_with("content") && text(&outcome).contains("Read-only"), "{}", text(&outcome));
    assert_eq!(std::fs::read(given.path().join("file")).unwrap(), b"more\n");
    let owner = std::fs::metadata(given.path().join("file")).unwrap().uid();
    assert_ne!(owner, 0, "what it writes does not belong to root");
    assert_eq!(owner, outcome.held.host_uid);
    assert_eq!(std::fs::read(shown.path().join("file")).unwrap(), b"content");
}

pub(crate) fn open(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn nothing_but_scratch_is_mounted_writable() {
    let outcome = run(shell("cat /proc/self/mountinfo"));
    let mut seen = Vec::new();
    for line in text(&outcome).lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (place, options) = (fields[4], fields[5]);
        let writable = ["/tmp", "/dev/shm", "/proc"].contains(&place) || place.starts_with("/dev/");
        assert_eq!(options.starts_with("ro"), !writable, "{line}");
        assert!(options.contains("nosuid"), "{line}");
        assert!(options.contains("nodev") || place.starts_with("/dev/") || line.contains(" /null "), "{line}");
        seen.push(place);
    }
    assert!(["/", "/usr", "/proc", "/proc/sys", "/tmp"].iter().all(|place| seen.contains(place)), "{seen:?}");
}

fn no_descriptor_is_inherited() {
    let file = std::fs::File::open("/etc/hostname").unwrap();
    // A copy without close-on-exec, as a careless library leaves one.
    let careless = rustix::io::dup(&file).unwrap();
    let outcome = run(shell("ls -l /proc/self/fd"));
    assert!(!text(&outcome).contains("hostname"), "{}", text(&outcome));
    assert_eq!(text(&outcome).lines().filter(|line| line.contains("->")).count(), 4, "{}", text(&outcome));
    drop(careless);
}

fn a_name_can_not_be_looked_up_and_the_attempt_is_recorded() {
    let outcome = run(python(
        "import socket\ntry:\n    socket.getaddrinfo('example.org', 443)\nexcept OSError as error:\n    print('no')\n",
    ));
    assert_eq!(text(&outcome), "no");
    assert!(
        outcome.egress.iter().any(|entry| !entry.allowed && entry.destination.ends_with(":53")),
        "{:?}",
        outcome.egress
    );
}

fn the_host_can_be_probed() {
    let held = Sandbox::probe(Arc::new(SystemClock)).unwrap();
    assert_eq!((held.mode.as_str(), held.namespaces.len(), held.network), ("strict", 7, Network::None));
}

/// Inside a sandbox there are no namespaces to be had: the test starts itself there.
fn where_a_part_is_missing_nothing_runs() {
    if std::env::var_os("SANDBOX_NESTED").is_some() {
        let spec = shell("echo it ran");
        let error = Sandbox::strict(spec, Arc::new(SystemClock)).run(|line| println!("{line}")).unwrap_err();
        println!("{error}: {}", error.hint().unwrap());
        return;
    }
    let program = std::env::current_exe().unwrap();
    let mut spec = shell("/program --exact where_a_part_is_missing_nothing_runs");
    spec.environment.insert("SANDBOX_NESTED".into(), "1".into());
    spec.binds.push(Bind::read_only(program, "/program"));
    let outcome = run(spec);
    assert_eq!(outcome.exit, Exit::Code(0), "{}", text(&outcome));
    assert!(text(&outcome).contains("namespaces of its own is missing: Operation not permitted"), "{}", text(&outcome));
    assert!(
        text(&outcome).contains("allow user namespaces") && !text(&outcome).contains("it ran"),
        "{}",
        text(&outcome)
    );
}

fn proc_sys_can_not_be_written() {
    for path in ["/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/shmmax"] {
        let outcome = run(shell(&format!("cat {path} > /tmp/old && cat /tmp/old > {path}")));
        assert!(
            text(&outcome).contains("Read-only") || text(&outcome).contains("ermission"),
            "{path}: {}",
            text(&outcome)
        );
    }
}

fn no_privilege_is_left() {
    let outcome = run(shell(
        "grep -E '^(Uid|Gid|Cap|NoNewPrivs|Seccomp):?' /proc/self/status; grep '' /proc/self/uid_map; ls /proc/self/fd | wc -l",
    ));
    let text = text(&outcome);
    assert!(text.contains("Uid:\t1000\t1000\t1000\t1000"), "{text}");
    assert!(text.contains("NoNewPrivs:\t1") && text.contains("Seccomp:\t2"), "{text}");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(text.contains(&format!("{set}:\t0000000000000000")), "{set}: {text}");
    }
    assert_ne!(outcome.held.host_uid, 0);
    let map: Vec<&str> = text.lines().rev().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(map[0], "1000", "{text}");
    assert!(text.ends_with('4') || text.ends_with('3'), "0, 1, 2 and the folder itself: {text}");
    assert!(outcome.held.capabilities_dropped && outcome.held.no_new_privileges);
}

fn ptrace_and_namespaces_are_denied() {
    let script = "
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    print(name, result, os.strerror(ctypes.get_errno()) if result < 0 else '')
call('ptrace', 0, 0, 0, 0)
call('unshare', 0x10000000)
call('mount', b'none', b'/tmp', b'tmpfs', 0, None)
call('chroot', b'/tmp')
call('syscall', 321, 0, 0, 0)
call('syscall', 425, 1, 0)
call('syscall', 250, 0, 0)
call('socket', 16, 3, 0)
call('socket', 17, 3, 0)
try:
    open('/proc/1/mem', 'rb'); print('init is open')
except OSError as error:
    print('closed', error.errno)
";
    let outcome = run(python(script));
    let lines: Vec<&str> = text(&outcome).lines().collect();
    assert_eq!(lines.len(), 10, "{}", text(&outcome));
    assert!(lines[..9].iter().all(|line| line.contains(" -1 ")), "{}", text(&outcome));
    assert!(lines[9].starts_with("closed"), "{}", text(&outcome));
}

fn a_connection_is_refused_and_recorded() {
    let script = "
import socket
for kind, address in ((socket.SOCK_STREAM, ('203.0.113.7', 443)), (socket.SOCK_DGRAM, ('192.0.2.1', 53)), (socket.SOCK_STREAM, ('127.0.0.1', 9))):
    try:
        socket.socket(socket.AF_INET, kind).connect(address)
        print('open')
    except OSError as error:
        print(error.errno)
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('198.51.100.1', 99))
except OSError as error:
    print(error.errno)
";
    let outcome = run(python(script));
    assert_eq!(text(&outcome), "13\n13\n13\n13");
    let refused: Vec<&str> = outcome.egress.iter().map(|entry| entry.destination.as_str()).collect();
    assert_eq!(refused, ["203.0.113.7:443", "192.0.2.1:53", "127.0.0.1:9", "198.51.100.1:99"]);
    assert!(outcome.egress.iter().all(|entry| !entry.allowed && entry.bytes_sent == 0));
}

fn there_is_no_route_even_without_connect() {
    let script = "
import socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('198.51.100.1', 99))
    print('sent')
except OSError as error:
    print(error.errno)
print(sorted(name for _, name in socket.if_nameindex()) if hasattr(socket, 'x') else open('/proc/net/dev').read().count(':'))
";
    let outcome = run(python(script));
    assert_eq!(text(&outcome), "101\n1", "ENETUNREACH, and `lo` is the only interface");
}

fn the_relay_reaches_its_target_and_counts() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        stream.write_all(&bytes.repeat(2)).unwrap();
    });
    let script = "
import socket
connection = socket.create_connection(('tracking.example', 5999))
connection.sendall(b'hello'); connection.shutdown(socket.SHUT_WR)
data = b''
while chunk := connection.recv(100): data += chunk
print(data.decode())
try:
    socket.create_connection(('127.0.0.1', 6000))
except OSError as error:
    print(error.errno)
";
    let mut spec = python(script);
    spec.relay = Some(Relay { port: 5999, names: vec!["tracking.example".into()], target });
    let outcome = run(spec);
    thread.join().unwrap();
    assert_eq!(text(&outcome), "hellohello\n13");
    let allowed: Vec<_> = outcome.egress.iter().filter(|entry| entry.allowed).collect();
    assert_eq!(allowed.len(), 1);
    assert_eq!((allowed[0].bytes_sent, allowed[0].bytes_received), (5, 10));
    assert_eq!(allowed[0].destination, target.to_string());
    assert_eq!(outcome.egress.iter().filter(|entry| !entry.allowed).count(), 1);
    assert_eq!(outcome.held.network, Network::Relay { port: 5999, target: target.to_string() });
}

fn time_is_bounded_for_children_too() {
    let mut spec = shell("(setsid sh -c 'trap \"\" TERM HUP; sleep 60') & sleep 60");
    spec.limits.wall_seconds = 1;
    let start = Instant::now();
    let outcome = run(spec);
    assert_eq!(outcome.exit, Exit::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

fn limits_hold() {
    let mut spec = shell("dd if=/dev/zero of=/tmp/big bs=1M count=8 2>&1; ulimit -n; ulimit -c; ulimit -n 9999");
    spec.limits.file_size = 1 << 20;
    spec.limits.open_files = 128;
    let outcome = run(spec);
    assert!(!text(&outcome).contains("8388608 bytes"), "{}", text(&outcome));
    assert!(text(&outcome).contains("128\n0\n"), "{}", text(&outcome));
    assert_ne!(outcome.exit, Exit::Code(0));
}

fn the_environment_is_clean_and_secrets_are_masked() {
    let mut spec = shell("env | sort; hostname; cat /etc/hosts; echo $SECRET; tr '\\0' '\\n' < /proc/self/cmdline");
    spec.secret_environment.insert("SECRET".into(), "sy_0123456789abcdef".to_owned().into());
    spec.files.insert(PathBuf::from("/sealyard/ca.pem"), b"pem".to_vec());
    let outcome = run(spec);
    let text = text(&outcome);
    assert!(text.contains("SECRET=[redacted]") && !text.contains("sy_0123456789abcdef"), "{text}");
    assert!(!text.contains("CARGO") && !text.contains("HOME="), "{text}");
    assert!(text.contains("sandbox"), "{text}");
}

fn what_can_not_be_started_is_an_error() {
    let start = |spec| Sandbox::strict(spec, Arc::new(SystemClock)).run(|_| {}).unwrap_err();
    let mut spec = shell("");
    spec.command = vec!["/no/such/program".into()];
    assert!(matches!(start(spec), SandboxError::Command { .. }));
    let mut spec = shell("true");
    spec.binds.push(Bind::read_only("/no/such/folder", "/data"));
    assert!(matches!(start(spec), SandboxError::Bind { .. }));
    for inside in ["data", "/a/../b", "/proc/x", "/"] {
        let mut spec = shell("true");
        spec.binds.push(Bind::read_only("/usr", inside));
        assert!(matches!(start(spec), SandboxError::Spec(_)), "{inside}");
    }
}

fn it_dies_with_its_launcher() {
    if std::env::var_os("SANDBOX_LAUNCHER").is_some() {
        run(shell("while :; do sleep 0.2; done # launched-by-test"));
        return;
    }
    let mut launcher = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "it_dies_with_its_launcher"])
        .env("SANDBOX_LAUNCHER", "1")
        .spawn()
        .unwrap();
    wait_until(|| !descendants_of_the_test().is_empty());
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    wait_until(|| descendants_of_the_test().is_empty());
}

fn wait_until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "it did not come to that");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn descendants_of_the_test() -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes
        .filter(|path| {
            std::fs::read(path.join("cmdline"))
                .is_ok_and(|line| line.windows(16).any(|part| part == b"launched-by-test"))
        })
        .collect()
}
