use sealyard_core::Severity;
use sealyard_formats::python::{Call, Scope};
use sealyard_scan::{Finding, rule};

use super::{Artifact, is_reader};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports Python source that comes with a model and starts programs, runs texts as code, loads native libraries,
    /// opens connections, unpickles what it decoded, or changes files of the user. What runs as soon as the file is
    /// imported, or when the model is made, loaded or called, weighs more than what waits in a function.
    ///
    /// # Why it matters
    /// The code of a model runs with the rights of whoever loads it. Models describe layers; they need no shell.
    ///
    /// # What to do
    /// Read the lines. Load the model only if you know why they are there.
    id: "python-harmful-call",
    name: "Harmful call in a model's code",
    severity: High,
    summary: "Python source beside a model starts programs, runs texts as code or opens connections.",
    help: "Read the lines, and load the model only if you know why they are there.",
    references: ["https://huggingface.co/docs/transformers/custom_models"],
}

/// Sorts of harm, from the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// Starts a program.
    Program,
    /// Runs a text as code.
    Code,
    /// Loads a native library.
    Native,
    /// Opens a connection of its own making.
    Socket,
    /// Fetches or sends over the network.
    Network,
    /// Unpickles or unmarshals.
    Unpickle,
    /// Removes or changes files.
    Files,
}

/// What is harmful by its whole path; a path that ends with `.` stands for all that is below it.
const HARMS: &[(Harm, &[&str])] = &[
    (
        Harm::Program,
        &[
            "os.system",
            "os.popen",
            "os.exec",
            "os.spawn",
            "os.posix_spawn",
            "os.startfile",
            "os.fork",
            "os.?",
            "posix.",
            "nt.system",
            "subprocess.",
            "pty.",
            "commands.",
            "popen2.",
            "_posixsubprocess.",
            "platform.popen",
            "asyncio.create_subprocess",
            "asyncio.subprocess.",
            "multiprocessing.popen",
            "pexpect.",
            "runpy.",
            "sh.bash",
            "sh.sh",
            "distutils.spawn.",
            "webbrowser.",
            "antigravity",
            "pip.main",
            "pip._internal.",
            "ensurepip.",
            "venv.create",
            "pydoc.pipepager",
            "pydoc.tempfilepager",
            "multiprocessing.util.spawnv_passfds",
            "?.system",
            "?.popen",
        ],
    ),
    (
        Harm::Code,
        &[
            "exec",
            "eval",
            "code.interact",
            "code.Interactive",
            "codeop.",
            "types.FunctionType",
            "types.CodeType",
            "timeit.",
            "cProfile.run",
            "profile.run",
            "trace.Trace",
            "site.addsitedir",
            "site.addpackage",
            "site.execsitecustomize",
            "site.execusercustomize",
            "site.main",
            "logging.config.listen",
            "importlib.metadata.EntryPoint",
            "importlib_metadata.EntryPoint",
            "pkg_resources.EntryPoint",
            "builtins.",
            "imp.load",
            "importlib.util.spec_from",
            "importlib.machinery.",
            "zipimport.",
            "pkgutil.resolve_name",
            "pydoc.locate",
            "bdb.",
            "pdb.",
            "?",
        ],
    ),
    (
        Harm::Native,
        &[
            "ctypes.CDLL",
            "ctypes.WinDLL",
            "ctypes.OleDLL",
            "ctypes.PyDLL",
            "ctypes.cdll",
            "ctypes.windll",
            "ctypes.pythonapi",
            "ctypes.memmove",
            "cffi.",
            "mmap.mmap",
            "torch.utils.cpp_extension.load_inline",
        ],
    ),
    (
        Harm::Socket,
        &[
            "socket.",
            "socketserver.",
            "paramiko.",
            "telnetlib.",
            "ftplib.",
            "smtplib.",
            "xmlrpc.",
            "dns.",
            "websocket.",
            "websockets.",
            "asyncio.open_connection",
            "pyautogui.",
            "pynput.",
            "os.dup2",
        ],
    ),
    (
        Harm::Network,
        &[
            "urllib.request.",
            "urllib2.",
            "urllib3.",
            "urllib.urlopen",
            "http.client.",
            "http.server.",
            "requests.",
            "httpx.",
            "aiohttp.",
            "wget.",
            "pycurl.",
        ],
    ),
    (
        Harm::Unpickle,
        &[
            "pickle.load",
            "pickle.Unpickler",
            "_pickle.load",
            "cPickle.load",
            "dill.load",
            "cloudpickle.load",
            "marshal.load",
            "jsonpickle.decode",
            "shelve.open",
            "yaml.unsafe_load",
        ],
    ),
    (
        Harm::Files,
        &[
            "shutil.rmtree",
            "os.remove",
            "os.unlink",
            "os.rmdir",
            "os.removedirs",
            "os.chmod",
            "os.kill",
            "os.setuid",
            "os.symlink",
            "os.putenv",
        ],
    ),
];

/// What is below a harmful module and does no harm.
const HARMLESS: &[&str] = &[
    "socket.gethostname",
    "socket.getfqdn",
    "subprocess.PIPE",
    "subprocess.DEVNULL",
    "subprocess.CalledProcessError",
    "requests.exceptions.",
    "timeit.default_timer",
    "socket.gaierror",
    "urllib3.disable_warnings",
    "requests.Session",
    "urllib3.util.",
    "requests.adapters.",
    "httpx.Timeout",
    "importlib.util.find_spec",
    "importlib.machinery.ModuleSpec",
    "importlib.machinery.all_suffixes",
    "importlib.metadata.EntryPoints",
    "pdb.set_trace",
];

/// Variables of the environment that make the programs that start next load code.
const LOADING: &[&str] = &[
    "LD_PRELOAD",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "GCONV_PATH",
    "PYTHONSTARTUP",
    "PYTHONBREAKPOINT",
    "BASH_ENV",
    "NODE_OPTIONS",
    "PERL5OPT",
];

/// Functions that run when a model is made, loaded or called.
const RUN_BY_LOADERS: &[&str] = &[
    "__init__",
    "__new__",
    "__call__",
    "__reduce__",
    "__reduce_ex__",
    "__setstate__",
    "__getattr__",
    "__del__",
    "__init_subclass__",
    "__post_init__",
    "__enter__",
    "__class_getitem__",
    "__set_name__",
    "forward",
    "call",
    "build",
    "load_context",
    "predict",
    "from_pretrained",
    "from_config",
    "_load_pyfunc",
    "load_model",
    "load",
    "setup",
    "handle",
    "initialize",
    "init",
    "model_fn",
    "predict_fn",
    "input_fn",
    "run",
];

/// Names of functions that run something, and the beginnings of Python's own names.
const GETTERS: &[&str] = &["system", "popen", "Popen", "exec", "eval", "spawn", "__"];

/// Functions that no code of a model hands on to others.
const HANDED: &[&str] = &[
    "os.system",
    "os.popen",
    "os.execv",
    "os.execve",
    "os.execl",
    "os.execvp",
    "pty.spawn",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.getoutput",
    "subprocess.run",
    "exec",
    "eval",
    "posix.system",
];

/// Functions that run when an object is made, restored or forgotten.
const MADE: &[&str] =
    &["__init__", "__new__", "__reduce__", "__reduce_ex__", "__setstate__", "__del__", "__init_subclass__"];

/// What tells about the host as a whole.
const KEPT: &[&str] = &[
    "os.environ",
    "os.environ.copy",
    "os.environ.items",
    "getpass.getuser",
    "socket.gethostname",
    "platform.node",
    "os.uname",
    "platform.uname",
    "os.getlogin",
    "os.listdir",
    "os.walk",
];

/// Modules that turn one text into another, as what hides code does.
const DECODERS: &[&str] = &[
    "base64.",
    "binascii.",
    "codecs.decode",
    "zlib.decompress",
    "bz2.decompress",
    "gzip.decompress",
    "lzma.decompress",
    "bytes.fromhex",
    "bytearray.fromhex",
    "marshal.",
    "urllib.request.",
    "requests.",
    "chr",
    "rot13",
];

/// Texts that name what belongs to the user or the system.
const PRIVATE: &[&str] = &[
    "/.ssh",
    ".ssh/",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/cron",
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".aws/",
    ".aws/credentials",
    ".kube/config",
    ".netrc",
    "authorized_keys",
    "/dev/tcp/",
    "crontab",
    "sitecustomize",
    "CurrentVersion\\Run",
    ".git-credentials",
    "/proc/self/mem",
    "id_rsa",
];

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    let source = artifact.source;
    let harms: Vec<(Harm, &Call)> =
        source.calls.iter().filter_map(|call| harm(&call.path).map(|harm| (harm, call))).collect();
    let has = |harm| harms.iter().any(|(other, _)| *other == harm);
    // A socket together with a program is a shell for somebody else.
    let is_remote_shell = has(Harm::Socket) && has(Harm::Program);
    for (harm, call) in &harms {
        let Some(severity) = severity(*harm, call, is_remote_shell, artifact.is_notebook) else { continue };
        let when = match &call.scope {
            Scope::Module => "when it is imported".to_owned(),
            Scope::Main => "when it is run".to_owned(),
            Scope::Function(name) => format!("in {name}"),
        };
        push(sink, severity, call.line, format!("{} {when}", call.path), call);
    }
    // Handed on to something else that calls it.
    for (name, line) in source.names.iter().filter(|(name, _)| HANDED.contains(&name.as_str()) && !artifact.is_notebook)
    {
        let mut location = sink.location();
        location.line = Some(*line);
        sink.push(Finding::new(&METADATA, location, format!("{name} is handed on")).severity(Severity::Medium));
    }
    for (name, line) in &source.assigned {
        if name.strip_prefix("os.environ.").is_some_and(|name| LOADING.contains(&name)) {
            let mut location = sink.location();
            location.line = Some(*line);
            sink.push(Finding::new(&METADATA, location, format!("{name} is set")).severity(Severity::High));
        }
    }
    for call in &source.calls {
        let is_setter = matches!(
            call.path.as_str(),
            "os.putenv" | "os.environ.update" | "os.environ.setdefault" | "os.environ.__setitem__"
        );
        if let Some(name) = call.texts.iter().find(|text| is_setter && LOADING.contains(&text.as_str())) {
            push(sink, Severity::High, call.line, format!("{} sets {name}", call.path), call);
        }
        // Settings of logs name what is to be called.
        let is_settings = call.path.ends_with("dictConfig");
        if let Some(text) = call.texts.iter().find(|text| is_settings && is_harmful_name(text)) {
            push(sink, Severity::Critical, call.line, format!("{} calls {text:?}", call.path), call);
        }
        let is_getter = matches!(call.path.as_str(), "operator.attrgetter" | "operator.methodcaller");
        if is_getter && call.texts.iter().any(|text| GETTERS.iter().any(|name| text.contains(name))) {
            push(sink, Severity::High, call.line, format!("{} names a harmful function", call.path), call);
        }
        let is_open = matches!(call.path.as_str(), "open" | "io.open" | "os.open" | "codecs.open")
            || call.path.ends_with(".write_text");
        let private = call.texts.iter().find(|text| PRIVATE.iter().any(|mark| text.contains(mark)));
        if let (true, Some(text)) = (is_open, private) {
            push(sink, Severity::High, call.line, format!("{} reaches {text:?}", call.path), call);
        }
    }
}

fn push(sink: &mut Sink, severity: Severity, line: u64, message: String, call: &Call) {
    let mut location = sink.location();
    location.line = Some(line);
    let texts: Vec<String> = call.texts.iter().take(4).map(|text| format!("{text:?}")).collect();
    let trace = format!("{}({})", call.path, texts.join(", "));
    sink.push(Finding::new(&METADATA, location, message).severity(severity).trace([trace]));
}

/// Whether a text in settings names a function or class that does harm.
fn is_harmful_name(text: &str) -> bool {
    let path = text.strip_prefix("ext://").unwrap_or(text);
    // Names are looked up from module to module: `shutil.os.system` is `os.system`.
    let parts: Vec<&str> = path.split('.').collect();
    let is_name = parts.len() > 1 && parts.iter().all(|part| !part.is_empty() && !part.contains([' ', '/', ':']));
    is_name
        && (0..parts.len() - 1).any(|from| {
            let path = parts.get(from..).unwrap_or_default().join(".");
            let path = path.strip_prefix("builtins.").unwrap_or(&path);
            matches!(harm(path), Some(Harm::Program | Harm::Code | Harm::Native | Harm::Files | Harm::Unpickle))
        })
}

/// What sort of harm a call does, if it does any.
fn harm(path: &str) -> Option<Harm> {
    let is_below = |entry: &&str| match *entry {
        "exec" | "eval" | "?" => path == *entry,
        entry => path.starts_with(entry),
    };
    // From any value to all classes.
    if path.ends_with("__subclasses__")
        && ["__base__", "__bases__", "__mro__", "object."].iter().any(|part| path.contains(part))
    {
        return Some(Harm::Program);
    }
    // A session is harmless to make, and asks as `requests` does.
    if ["requests.Session().", "requests.session()."].iter().any(|session| path.starts_with(session)) {
        return Some(Harm::Network);
    }
    // What a harmful call gave was told with it.
    if path.contains("()") || HARMLESS.iter().any(|entry| path.starts_with(entry)) {
        return None;
    }
    let found = HARMS
        .iter()
        .find(|(_, entries)| entries.iter().any(|entry| matches!(*entry, "?.system" | "?.popen") && path == *entry));
    if let Some((harm, _)) = found {
        return Some(*harm);
    }
    if path.starts_with("?.") {
        return None;
    }
    HARMS.iter().find(|(_, entries)| entries.iter().any(is_below)).map(|(harm, _)| *harm)
}

/// How bad a call is, or none where it is no news.
fn severity(harm: Harm, call: &Call, is_remote_shell: bool, is_notebook: bool) -> Option<Severity> {
    let is_now = call.scope == Scope::Module;
    let is_soon = matches!(&call.scope, Scope::Function(name) if RUN_BY_LOADERS.contains(&name.as_str()));
    let is_decoded = call.inner.iter().any(|inner| DECODERS.iter().any(|decoder| inner.starts_with(decoder)));
    match harm {
        Harm::Code if is_decoded => Some(Severity::Critical),
        Harm::Unpickle if is_decoded => Some(Severity::High),
        Harm::Socket | Harm::Program if is_remote_shell => Some(Severity::Critical),
        _ if is_notebook => None,
        Harm::Program => Some(if is_now || is_soon { Severity::Critical } else { Severity::Medium }),
        Harm::Code => match (is_now || is_soon, call.is_computed || !is_reader(&call.path)) {
            (true, true) => Some(Severity::High),
            // A text that stands there is read on its own.
            (_, false) => None,
            (false, true) => Some(Severity::Medium),
        },
        Harm::Native => Some(if is_now { Severity::High } else { Severity::Medium }),
        Harm::Socket => Some(if is_now || is_soon { Severity::High } else { Severity::Medium }),
        // Code of models fetches pictures and weights, but not when it is imported or made, nor with what the host keeps.
        Harm::Network => {
            let is_made = matches!(&call.scope, Scope::Function(name) if MADE.contains(&name.as_str()));
            let is_told = call.inner.iter().any(|inner| KEPT.contains(&inner.as_str()));
            (is_now || is_made || is_told).then_some(Severity::High)
        }
        Harm::Unpickle => is_now.then_some(Severity::Medium),
        Harm::Files => is_now.then_some(Severity::High),
    }
}
