//! One training run, from the project's folder to the record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_core::Clock;
use sealyard_env::{BuildRequest, Environment, Interpreter};
use sealyard_sandbox::{Bind, Outcome, Relay, Sandbox, Spec};

use crate::files::{self, io};
use crate::project::{self, Project};
use crate::staging::{self, Staged};
use crate::{Experiment, RunError, RunRequest, Source, TrainingRecord, parameters, source, tracking};

/// Where a run sees its environment inside the sandbox: the prefix that it is built for.
pub const ENVIRONMENT: &str = "/env";
const PROJECT: &str = "/project";
const CERTIFICATE: &str = "/sealyard/ca.pem";
const LAST_LINES: usize = 20;

/// What the runner is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The project and its pinned data are being hashed.
    Checking,
    /// The environment is being built or checked.
    Environment(sealyard_env::Progress),
    /// The command is being started in the sandbox.
    Starting {
        /// The command, for a terminal; the record has it as it is.
        command: String,
    },
    /// The command printed a line; secrets are masked.
    Output(String),
}

/// Runs MLprojects.
#[derive(Debug)]
pub struct Runner {
    clock: Arc<dyn Clock>,
    init: Option<PathBuf>,
}

/// All that is settled before the command starts.
struct Prepared {
    project: String,
    command: String,
    parameters: BTreeMap<String, String>,
    staged: Staged,
    source: Source,
    environment: Environment,
    interpreter: Interpreter,
    relay: Relay,
}

impl Runner {
    /// A runner. The program that calls it must be able to start as the sandbox's init, see
    /// [`sealyard_sandbox::init_main`].
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, init: None }
    }

    /// Starts `program` instead of the running one as the sandbox's init.
    #[must_use]
    pub fn with_init(mut self, program: impl Into<PathBuf>) -> Self {
        self.init = Some(program.into());
        self
    }

    /// Trains. Blocks until the command has ended; the calling thread must live as long.
    ///
    /// # Errors
    /// [`RunError`]: nothing is started unless data, lock, wheels and environment are what was pinned.
    pub fn run(&self, request: &RunRequest, progress: &mut dyn FnMut(Progress)) -> Result<TrainingRecord, RunError> {
        let prepared = prepare(request, progress)?;
        progress(Progress::Starting { command: sealyard_sandbox::plain(&prepared.command) });
        let mut sandbox = Sandbox::strict(spec(request, &prepared), Arc::clone(&self.clock));
        if let Some(init) = &self.init {
            sandbox = sandbox.with_init(init);
        }
        let started = self.clock.now();
        let outcome = sandbox.run(|line| progress(Progress::Output(line.to_owned())))?;
        let finished = self.clock.now();
        if !outcome.exit.is_success() {
            return Err(failed(outcome));
        }
        prepared.staged.check_again()?;
        let Prepared { project, command, parameters, staged, source, environment, .. } = prepared;
        Ok(TrainingRecord {
            invocation: request.invocation.clone(),
            project,
            entry_point: request.entry_point.clone(),
            command,
            parameters,
            started,
            finished,
            source,
            project_digest: staged.tree.digest(),
            data: staged.data.iter().map(|(name, data)| (name.clone(), data.record.clone())).collect(),
            lock_digest: environment.lock_digest,
            wheels: environment.wheels,
            interpreter: environment.interpreter,
            environment_digest: environment.manifest_digest,
            sandbox: outcome.held,
            egress: outcome.egress,
            egress_dropped: outcome.egress_dropped,
            output: outcome.output,
            exit: outcome.exit,
            runner_version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}

fn prepare(request: &RunRequest, progress: &mut dyn FnMut(Progress)) -> Result<Prepared, RunError> {
    progress(Progress::Checking);
    let relay = tracking::relay(&request.tracking)?;
    let original = &request.project_directory;
    let pins = project::pins(original)?;
    sealyard_env::own_directory(&request.cache_directory)?;
    let cache = std::path::absolute(&request.cache_directory).map_err(io("find", &request.cache_directory))?;
    sealyard_env::remove_leftovers(&cache);
    let staged = staging::stage(original, &pins, &request.data, &cache)?;
    if project::pins(&staged.root())? != pins {
        let detail = "it was changed while the project was copied".to_owned();
        return Err(RunError::Project { file: original.join("sealyard.toml"), detail });
    }
    // From here on only the copy counts.
    let project = Project::read(&staged.root()).map_err(|error| in_original(error, &staged.root(), original))?;
    let Some(entry_point) = project.entry_point(&request.entry_point, &staged.root()) else {
        let known: Vec<&str> = project.entry_points.keys().map(String::as_str).collect();
        let detail = format!("there is no entry point {:?}, only {}", request.entry_point, known.join(", "));
        return Err(files::project(&original.join("MLproject"), detail));
    };
    let (command, parameters) = parameters::command(&entry_point, &request.parameters)?;
    let source = source::source(original, &staged);
    let interpreter = match &request.interpreter {
        Some(path) => Interpreter::probe(path)?.require(project.python.as_deref())?,
        None => Interpreter::find(project.python.as_deref())?,
    };
    let build = BuildRequest { lock: &project.lock, interpreter: &interpreter, cache: &cache, prefix: ENVIRONMENT };
    let environment = sealyard_env::build(&build, &mut |step| progress(Progress::Environment(step)))?;
    Ok(Prepared { project: project.name, command, parameters, staged, source, environment, interpreter, relay })
}

/// Names the user's file instead of its copy.
fn in_original(error: RunError, copy: &Path, original: &Path) -> RunError {
    match error {
        RunError::Project { file, detail } => {
            let file = file.strip_prefix(copy).map(|file| original.join(file)).unwrap_or(file);
            RunError::Project { file, detail }
        }
        other => other,
    }
}

fn spec(request: &RunRequest, prepared: &Prepared) -> Spec {
    let mut spec = Spec::new(vec!["/bin/sh".into(), "-c".into(), prepared.command.clone()]);
    spec.environment = environment(request, prepared);
    if let Some(token) = &request.tracking.token {
        spec.secret_environment.insert("MLFLOW_TRACKING_TOKEN".into(), token.clone());
    }
    if let Some(pem) = &request.tracking.ca_pem {
        spec.files.insert(CERTIFICATE.into(), pem.clone().into_bytes());
    }
    spec.working_directory = PROJECT.into();
    spec.binds.push(Bind::read_only(prepared.staged.root(), PROJECT));
    spec.binds.push(Bind::read_only(&prepared.environment.root, ENVIRONMENT));
    for folder in interpreter_folders(&prepared.interpreter) {
        spec.binds.push(Bind::read_only(&folder, &folder));
    }
    for (name, data) in &prepared.staged.data {
        spec.binds.push(Bind::read_only(&data.shown, format!("/data/{name}")));
        spec.binds.push(Bind::read_only(&data.shown, Path::new(PROJECT).join(&data.record.path)));
    }
    spec.limits = request.limits.clone();
    spec.relay = Some(prepared.relay.clone());
    spec
}

/// Programs and libraries of the interpreter. Not its whole prefix: that may be somebody's home.
fn interpreter_folders(interpreter: &Interpreter) -> Vec<PathBuf> {
    let of_prefix = |prefix: &PathBuf| ["bin", "lib", "lib64"].map(|folder| prefix.join(folder));
    let folders = interpreter.prefixes().iter().flat_map(of_prefix);
    folders.filter(|folder| folder.is_dir() && !folder.is_symlink() && !folder.starts_with("/usr")).collect()
}

fn environment(request: &RunRequest, prepared: &Prepared) -> BTreeMap<String, String> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).to_string();
    let path = format!("{ENVIRONMENT}/bin:/usr/bin:/bin");
    let mut variables: BTreeMap<String, String> = [
        ("PATH", path.as_str()),
        ("VIRTUAL_ENV", ENVIRONMENT),
        ("HOME", "/tmp"),
        ("TMPDIR", "/tmp"),
        ("USER", "sandbox"),
        ("LOGNAME", "sandbox"),
        ("LANG", "C.UTF-8"),
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONNOUSERSITE", "1"),
        ("MPLCONFIGDIR", "/tmp/.matplotlib"),
        ("XDG_CACHE_HOME", "/tmp/.cache"),
        ("OMP_NUM_THREADS", &threads),
        ("OPENBLAS_NUM_THREADS", &threads),
        ("GIT_PYTHON_REFRESH", "quiet"),
        ("MLFLOW_TRACKING_URI", &request.tracking.url),
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("DO_NOT_TRACK", "true"),
        ("MLFLOW_RUN_CONTEXT", &run_context(request, prepared)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    match &request.tracking.experiment {
        Experiment::Name(name) => variables.insert("MLFLOW_EXPERIMENT_NAME".into(), name.clone()),
        Experiment::Id(id) => variables.insert("MLFLOW_EXPERIMENT_ID".into(), id.clone()),
    };
    if request.tracking.ca_pem.is_some() {
        variables.insert("MLFLOW_TRACKING_SERVER_CERT_PATH".into(), CERTIFICATE.into());
    }
    for name in prepared.staged.data.keys() {
        variables.insert(project::data_variable(name), format!("/data/{name}"));
    }
    variables
}

/// Tags that the client puts on the run by itself.
fn run_context(request: &RunRequest, prepared: &Prepared) -> String {
    let mut tags: BTreeMap<String, String> = BTreeMap::from([
        ("mlflow.source.type".into(), "PROJECT".into()),
        ("mlflow.source.name".into(), prepared.project.clone()),
        ("mlflow.project.entryPoint".into(), request.entry_point.clone()),
        ("sealyard.invocation".into(), request.invocation.clone()),
        ("sealyard.lock".into(), prepared.environment.lock_digest.to_string()),
        ("sealyard.environment".into(), prepared.environment.manifest_digest.to_string()),
        ("sealyard.project".into(), prepared.staged.tree.digest().to_string()),
    ]);
    if let Source::Git { commit, dirty, .. } = &prepared.source {
        tags.insert("mlflow.source.git.commit".into(), commit.clone());
        tags.insert("sealyard.git.dirty".into(), dirty.to_string());
    }
    for (name, data) in &prepared.staged.data {
        tags.insert(format!("sealyard.data.{name}"), data.record.digest.to_string());
    }
    serde_json::to_string(&tags).unwrap_or_default()
}

fn failed(outcome: Outcome) -> RunError {
    let lines: Vec<&str> = outcome.output.text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
    RunError::Failed {
        exit: outcome.exit,
        last_lines: last.iter().map(|line| sealyard_sandbox::plain(line)).collect(),
        egress: outcome.egress.into_iter().filter(|entry| !entry.allowed).collect(),
    }
}
