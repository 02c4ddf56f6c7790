//! The sandbox's own side: builds it around itself, then becomes the command.
//!
//! `init` is the launcher's child. It makes itself an ordinary user, makes the namespaces and forks the first process in
//! them, which shows the file system, gives up every privilege and forks the command.

mod mounts;
mod privileges;

use std::ffi::CString;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions};

use crate::protocol::{self, Facts, Message, Order};
use crate::{filter, sys};

/// The hidden first argument that makes a program the sandbox's init.
pub const INIT_ARGUMENT: &str = "__sandbox-init";

/// What could not be done, as a message for the supervisor.
type Refusal = Message;

pub(crate) fn missing(what: &'static str, hint: &'static str) -> impl FnOnce(io::Error) -> Refusal {
    move |error| Message::Missing { what: what.to_owned(), detail: error.to_string(), hint: hint.to_owned() }
}

const KERNEL_HINT: &str = "the strict sandbox needs Linux 5.14 or newer";

/// Runs the sandbox's init. A program that launches sandboxes calls it first of all when its first argument is
/// [`INIT_ARGUMENT`], before it starts a thread.
pub fn init_main() -> ! {
    let Ok(control) = take_control() else { sys::exit(2) };
    let code = match run(&control) {
        Ok(()) => 0,
        Err(refusal) => {
            let _ = protocol::send(&control, &refusal, None);
            1
        }
    };
    sys::exit(code)
}

/// Standard input is the supervisor's socket; it becomes descriptor 3, everything above is closed.
fn take_control() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    sys::close_from(3)?;
    let control = rustix::io::fcntl_dupfd_cloexec(stdin.as_fd(), 3)?;
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(control)
}

fn run(control: &OwnedFd) -> Result<(), Refusal> {
    die_with(control).map_err(missing("death with the launcher", KERNEL_HINT))?;
    let lost =
        || Message::Missing { what: "the order".into(), detail: "the launcher sent none".into(), hint: String::new() };
    let received = protocol::receive::<()>(control).map_err(missing("the order", ""))?;
    let descriptor = received.and_then(|(_, descriptor)| descriptor).ok_or_else(lost)?;
    let order = protocol::read_order(descriptor).map_err(missing("the order", ""))?;
    let host = privileges::Host::new();
    // A privileged caller opens what it shows while it still may; an ordinary one can only do so in its own namespace.
    let mut plan = None;
    privileges::volunteer().map_err(missing("a place at the end of the queue for memory", ""))?;
    if host.is_root {
        for bind in order.binds.iter().filter(|bind| bind.writable) {
            host.own(&bind.host)
                .map_err(|error| Message::Bind { path: bind.host.clone(), detail: error.to_string() })?;
        }
        plan = Some(mounts::Plan::open(&order)?);
    }
    host.become_ordinary().map_err(missing("an ordinary user", "root must be allowed to switch users"))?;
    die_with(control).map_err(missing("death with the launcher", KERNEL_HINT))?;
    privileges::new_namespaces(&host)?;
    let plan = match plan {
        Some(plan) => plan,
        None => mounts::Plan::open(&order)?,
    };
    // Its other end is closed when this process ends.
    let (parent, own) = io::pipe().map_err(missing("a pipe", ""))?;
    match sys::fork().map_err(missing("a process", ""))? {
        sys::Fork::Child => {
            drop(own);
            first_process(control, &parent.into(), &order, plan, &host)
        }
        sys::Fork::Parent(child) => {
            wait_for(child).map_err(missing("the first process", ""))?;
            Ok(())
        }
    }
}

/// SIGKILL when the parent ends; credentials that change clear it, so it is asked for anew after that. A parent that ended
/// before has closed its end of `connection`.
fn die_with(connection: &OwnedFd) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut watched = [PollFd::new(connection, PollFlags::empty())];
    poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    if watched.iter().any(|watched| watched.revents().contains(PollFlags::HUP)) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}

/// Process 1 of the sandbox. When it ends, the kernel kills all others in there.
fn first_process(control: &OwnedFd, parent: &OwnedFd, order: &Order, plan: mounts::Plan, host: &privileges::Host) -> ! {
    let alive = die_with(parent).map_err(missing("death with the launcher", KERNEL_HINT));
    match alive.and_then(|()| set_up(control, order, plan, host)) {
        Ok(child) => {
            let (code, signal) = match wait_for(child) {
                Ok(ended) => ended,
                Err(_) => sys::exit(1),
            };
            let _ = protocol::send(control, &Message::Exit { code, signal }, None);
            sys::exit(0)
        }
        Err(refusal) => {
            let _ = protocol::send(control, &refusal, None);
            sys::exit(1)
        }
    }
}

fn set_up(control: &OwnedFd, order: &Order, plan: mounts::Plan, host: &privileges::Host) -> Result<Pid, Refusal> {
    network(control, order.port).map_err(missing("a network namespace of its own", KERNEL_HINT))?;
    rustix::system::sethostname(b"sandbox")
        .map_err(io::Error::from)
        .map_err(missing("a host name of its own", KERNEL_HINT))?;
    let mounts = plan.build(order)?;
    let limits = privileges::limit(&order.limits)
        .map_err(missing("resource limits", "lower them, or raise the hard limits of your shell"))?;
    let capabilities_dropped = privileges::drop_all().map_err(missing("the dropping of capabilities", KERNEL_HINT))?;
    let no_new_privileges = rustix::thread::no_new_privs().unwrap_or(false);
    if !capabilities_dropped || !no_new_privileges {
        return Err(missing("the dropping of capabilities", KERNEL_HINT)(io::Error::other("some were left")));
    }
    // Nothing inside may look into this process: it holds the supervisor's socket.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(io::Error::from)
        .map_err(missing("a closed first process", KERNEL_HINT))?;
    let program = filter::program();
    let facts = Box::new(Facts {
        inside_uid: privileges::INSIDE_ID,
        host_uid: host.uid,
        capabilities_dropped,
        no_new_privileges,
        limits,
        seccomp: filter::digest(&program),
        mounts,
    });
    match sys::fork().map_err(missing("a process", ""))? {
        sys::Fork::Parent(child) => Ok(child),
        sys::Fork::Child => {
            let refusal = become_command(control, order, &program, facts);
            let _ = protocol::send(control, &refusal, None);
            sys::exit(126)
        }
    }
}

/// Brings `lo` up; binds the relay's port on it and hands the listener out.
fn network(control: &OwnedFd, port: Option<u16>) -> io::Result<()> {
    use rustix::net::{AddressFamily, SocketType, socket};
    let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    sys::loopback_up(any.as_fd())?;
    if let Some(port) = port {
        let listener: OwnedFd = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.into();
        protocol::send(control, &Message::Relay, Some(&listener))?;
    }
    Ok(())
}

/// The last steps in the child; comes back only when one failed.
fn become_command(control: &OwnedFd, order: &Order, program: &[libc::sock_filter], facts: Box<Facts>) -> Refusal {
    let refuse = |detail: String| Message::Command { detail };
    if let Err(error) = rustix::process::setsid() {
        return refuse(error.to_string());
    }
    if let Err(error) = std::env::set_current_dir(&order.working_directory) {
        return refuse(format!("{}: {error}", order.working_directory.display()));
    }
    sys::default_broken_pipe();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let strings = |items: Vec<Vec<u8>>| items.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>();
    let arguments = strings(order.command.iter().map(|argument| argument.clone().into_bytes()).collect());
    let environment =
        strings(order.environment.iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect());
    let executable = order.command.first().and_then(|command| find(command, order.environment.get("PATH")));
    let (Ok(arguments), Ok(environment), Some(executable)) = (arguments, environment, executable) else {
        return refuse("no such program, or a NUL byte in an argument".into());
    };
    let listener = match sys::install_filter(program) {
        Ok(listener) => listener,
        Err(error) => return missing("a seccomp filter with a listener", KERNEL_HINT)(error),
    };
    if let Err(error) = protocol::send(control, &Message::Ready(facts), Some(&listener)) {
        return refuse(error.to_string());
    }
    drop(listener);
    refuse(sys::execute(&executable, &arguments, &environment).to_string())
}

/// The program's path, looked for on `PATH` as a shell does.
fn find(command: &str, path: Option<&String>) -> Option<CString> {
    if command.contains('/') {
        return CString::new(command).ok();
    }
    let folders = path.map_or("/usr/bin:/bin", String::as_str).split(':');
    let found = folders.map(|folder| Path::new(folder).join(command)).find(|candidate| candidate.is_file())?;
    CString::new(found.as_os_str().as_bytes()).ok()
}

/// Waits for `child`, and buries every other process that ends meanwhile.
fn wait_for(child: Pid) -> io::Result<(Option<i32>, Option<i32>)> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child && (status.exited() || status.signaled()) => {
                return Ok((status.exit_status(), status.terminating_signal()));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
