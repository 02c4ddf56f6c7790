//! The launcher's side: starts init, watches the command, relays and logs its connections.

mod egress;
mod notify;
mod output;
mod relay;

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use sealyard_core::{Clock, TreePath};

use crate::protocol::{self, Facts, Message, Order};
use crate::{Exit, Held, INIT_ARGUMENT, Network, Outcome, SandboxError, Spec};
use egress::EgressLog;
use output::OutputLog;
pub use output::plain;

/// How long the last output may take once all is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How soon threads notice that they shall stop.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// A command and the sandbox around it.
#[derive(Debug)]
pub struct Sandbox {
    spec: Spec,
    clock: Arc<dyn Clock>,
    init: PathBuf,
}

/// What is true of the sandbox while its command runs.
#[derive(Debug, Default)]
struct Watch {
    facts: Option<Facts>,
    exit: Option<Exit>,
    refusal: Option<SandboxError>,
    timed_out: bool,
}

impl Sandbox {
    /// A strict sandbox for `spec`. The running program must call [`init_main`](crate::init_main) when its first
    /// argument is [`INIT_ARGUMENT`]: the sandbox starts it again for that.
    #[must_use]
    pub fn strict(spec: Spec, clock: Arc<dyn Clock>) -> Self {
        Self { spec, clock, init: PathBuf::from("/proc/self/exe") }
    }

    /// Starts `program` instead of the running one for the sandbox's init.
    #[must_use]
    pub fn with_init(mut self, program: impl Into<PathBuf>) -> Self {
        self.init = program.into();
        self
    }

    /// Runs an empty command, to see whether this host can give all parts of the sandbox.
    ///
    /// # Errors
    /// [`SandboxError::Missing`] names the part that it can't give.
    pub fn probe(clock: Arc<dyn Clock>) -> Result<Held, SandboxError> {
        let mut spec = Spec::new(vec!["/bin/true".into()]);
        spec.limits.wall_seconds = 10;
        Self::strict(spec, clock).run(|_| {}).map(|outcome| outcome.held)
    }

    /// Runs the command to its end; `on_output` hears each line as it comes, secrets masked.
    ///
    /// The calling thread must live as long as the run: the sandbox is killed when it ends.
    ///
    /// # Errors
    /// [`SandboxError`] when the sandbox could not be had. A command that fails is an [`Outcome`].
    pub fn run(self, mut on_output: impl FnMut(&str)) -> Result<Outcome, SandboxError> {
        self.check()?;
        let doing = |doing| move |source| SandboxError::Supervisor { doing, source };
        let order = protocol::write_order(&self.order()).map_err(doing("writing the order"))?;
        let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| doing("making a socket")(error.into()))?;
        let (reader, writer) = io::pipe().map_err(doing("making a pipe"))?;
        let second = writer.try_clone().map_err(doing("making a pipe"))?;
        let mut child = Command::new(&self.init)
            .arg(INIT_ARGUMENT)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::from(writer))
            .stderr(Stdio::from(second))
            .spawn()
            .map_err(doing("starting the sandbox's init"))?;
        let sent = protocol::send(&control, &(), Some(&order));
        let egress = EgressLog::new(Arc::clone(&self.clock));
        let mut output = OutputLog::new(self.spec.secret_environment.values().cloned().collect());
        let stop = AtomicBool::new(false);
        let watched = std::thread::scope(|scope| {
            let watched = match sent {
                Ok(()) => {
                    self.watch(scope, &mut child, &control, reader.into(), &mut output, &mut on_output, &egress, &stop)
                }
                Err(source) => Err(SandboxError::Supervisor { doing: "sending the order", source }),
            };
            stop.store(true, Ordering::SeqCst);
            egress.hang_up();
            if watched.is_err() {
                let _ = child.kill();
            }
            watched
        });
        let status = child.wait().map_err(doing("waiting for the sandbox"))?;
        let watch = watched?;
        if let Some(refusal) = watch.refusal {
            return Err(refusal);
        }
        let exit = match (watch.timed_out, watch.exit) {
            (true, _) => Exit::TimedOut,
            (false, Some(exit)) => exit,
            (false, None) => {
                return Err(SandboxError::Lost(format!("its init ended with {status} [{}]", output.tail())));
            }
        };
        let Some(facts) = watch.facts else {
            return Err(SandboxError::Lost(format!("{exit} before the command was started")));
        };
        let (entries, dropped) = egress.into_entries();
        Ok(Outcome {
            exit,
            held: self.held(facts),
            egress: entries,
            egress_dropped: dropped,
            output: output.finish(&mut on_output),
        })
    }

    /// Refuses a spec that can't be meant.
    fn check(&self) -> Result<(), SandboxError> {
        let refuse = |text: String| Err(SandboxError::Spec(text));
        if self.spec.command.is_empty() {
            return refuse("there is no command".into());
        }
        if self.spec.limits.wall_seconds == 0 {
            return refuse("it may run for zero seconds".into());
        }
        for path in self.spec.binds.iter().map(|bind| &bind.inside).chain(self.spec.files.keys()) {
            let plain = path.to_str().and_then(|path| path.strip_prefix('/')).and_then(|path| TreePath::new(path).ok());
            let taken = ["/proc", "/sys", "/dev"].iter().any(|taken| path.starts_with(taken));
            if plain.is_none() || taken {
                return refuse(format!("{} can't be a place inside", path.display()));
            }
        }
        if let Some(bind) = self.spec.binds.iter().find(|bind| !bind.host.is_absolute()) {
            return refuse(format!("{} is not an absolute path", bind.host.display()));
        }
        if let Some(relay) = &self.spec.relay
            && (relay.port == 0 || relay.names.iter().any(|name| !is_host_name(name)))
        {
            return refuse("the relay's port or a host name is malformed".into());
        }
        Ok(())
    }

    fn order(&self) -> Order {
        let Spec { command, environment, secret_environment, working_directory, binds, files, limits, relay } =
            self.spec.clone();
        let mut environment = environment;
        environment.extend(secret_environment.into_iter().map(|(name, value)| (name, value.expose().clone())));
        let mut files = files;
        if let Some(relay) = &relay {
            let hosts = format!("127.0.0.1 localhost sandbox {}\n", relay.names.join(" "));
            files.insert(PathBuf::from("/etc/hosts"), hosts.into_bytes());
        }
        Order { command, environment, working_directory, binds, files, limits, port: relay.map(|relay| relay.port) }
    }

    #[allow(clippy::too_many_arguments, reason = "the one caller hands over what the threads share")]
    fn watch<'scope, 'env>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        child: &mut Child,
        control: &OwnedFd,
        reader: OwnedFd,
        output: &mut OutputLog,
        on_output: &mut impl FnMut(&str),
        egress: &'env EgressLog,
        stop: &'env AtomicBool,
    ) -> Result<Watch, SandboxError> {
        let doing = |source| SandboxError::Supervisor { doing: "watching the sandbox", source };
        let mut watch = Watch::default();
        let mut deadline = Instant::now() + Duration::from_secs(self.spec.limits.wall_seconds);
        let (mut listening, mut reading) = (true, true);
        let mut threads: Vec<ScopedJoinHandle<'scope, ()>> = Vec::new();
        while listening || reading {
            let mut watched = Vec::with_capacity(2);
            if listening {
                watched.push(PollFd::new(control, PollFlags::IN));
            }
            if reading {
                watched.push(PollFd::new(&reader, PollFlags::IN));
            }
            match poll(&mut watched, Some(&TICK)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(doing(error.into())),
            }
            let mut ready = watched.iter().map(|watched| !watched.revents().is_empty());
            let control_ready = listening && ready.next().unwrap_or(false);
            let reader_ready = reading && ready.next().unwrap_or(false);
            drop(ready);
            if control_ready {
                match protocol::receive::<Message>(control).map_err(doing)? {
                    None => listening = false,
                    Some((message, descriptor)) => {
                        if let Some(thread) = self.hear(scope, message, descriptor, &mut watch, egress, stop) {
                            threads.push(thread);
                        }
                    }
                }
            }
            if reader_ready {
                reading = output.read(&reader, on_output).map_err(doing)?;
            }
            if Instant::now() >= deadline {
                if watch.timed_out || watch.exit.is_some() {
                    // Killed, and somebody still holds the pipe: nobody inside can.
                    break;
                }
                watch.timed_out = true;
                child.kill().map_err(doing)?;
                deadline = Instant::now() + GRACE;
            }
        }
        stop.store(true, Ordering::SeqCst);
        egress.hang_up();
        for thread in threads {
            let _ = thread.join();
        }
        Ok(watch)
    }

    /// Takes one message of init in.
    fn hear<'scope, 'env>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        message: Message,
        descriptor: Option<OwnedFd>,
        watch: &mut Watch,
        egress: &'env EgressLog,
        stop: &'env AtomicBool,
    ) -> Option<ScopedJoinHandle<'scope, ()>> {
        match (message, descriptor) {
            (Message::Relay, Some(listener)) => {
                let target = self.spec.relay.as_ref()?.target;
                return Some(scope.spawn(move || relay::serve(scope, listener, target, egress, stop)));
            }
            (Message::Ready(facts), Some(listener)) => {
                watch.facts = Some(*facts);
                let port = self.spec.relay.as_ref().map(|relay| relay.port);
                return Some(scope.spawn(move || notify::serve(&listener, port, egress, stop)));
            }
            (Message::Missing { what, detail, hint }, _) => {
                watch.refusal.get_or_insert(SandboxError::Missing { what, detail, hint });
            }
            (Message::Bind { path, detail }, _) => {
                watch.refusal.get_or_insert(SandboxError::Bind { path, detail });
            }
            (Message::Command { detail }, _) => {
                let command = self.spec.command.first().cloned().unwrap_or_default();
                watch.refusal.get_or_insert(SandboxError::Command { command, detail });
            }
            (Message::Exit { code, signal }, _) => {
                watch.exit = Some(match (code, signal) {
                    (Some(code), _) => Exit::Code(code),
                    (None, signal) => Exit::Signal(signal.unwrap_or_default()),
                });
            }
            (Message::Relay | Message::Ready(_), None) => {
                watch.refusal.get_or_insert(SandboxError::Lost("a descriptor did not arrive".into()));
            }
        }
        None
    }

    fn held(&self, facts: Facts) -> Held {
        let network = self
            .spec
            .relay
            .as_ref()
            .map_or(Network::None, |relay| Network::Relay { port: relay.port, target: relay.target.to_string() });
        Held {
            mode: "strict".into(),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            namespaces: ["user", "mount", "pid", "net", "ipc", "uts", "cgroup"].map(str::to_owned).to_vec(),
            inside_uid: facts.inside_uid,
            host_uid: facts.host_uid,
            capabilities_dropped: facts.capabilities_dropped,
            no_new_privileges: facts.no_new_privileges,
            seccomp: facts.seccomp,
            mounts: facts.mounts,
            limits: facts.limits,
            limits_by: "rlimit".into(),
            network,
        }
    }
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// Whether `descriptor` has something to read, seen within a tick.
fn readable(descriptor: impl std::os::fd::AsFd) -> Option<bool> {
    let descriptor = descriptor.as_fd();
    let mut watched = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    match poll(&mut watched, Some(&TICK)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Some(false),
        Ok(_) => {
            let [watched] = watched;
            if watched.revents().contains(PollFlags::IN) { Some(true) } else { None }
        }
        Err(_) => None,
    }
}
