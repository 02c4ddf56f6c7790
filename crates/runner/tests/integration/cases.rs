//! One case for each promise of the runner.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use sealyard_core::{Digest, FixedClock, Subject, SystemClock, Timestamp};
use sealyard_runner::{
    BUILDER_ID, Experiment, Progress, RunError, RunRequest, Runner, Source, Tracking, TrainingRecord,
};

/// A test.
pub(crate) type Case = fn();

/// Every case and its name.
pub(crate) const ALL: [(&str, Case); 9] = [
    ("a_run_reaches_the_tracking_server_and_is_recorded", a_run_reaches_the_tracking_server_and_is_recorded),
    ("provenance_is_complete_and_claims_no_more_than_is_true", provenance_is_complete_and_claims_no_more_than_is_true),
    ("the_token_is_in_no_log_and_no_command_line", the_token_is_in_no_log_and_no_command_line),
    ("a_connection_elsewhere_fails_the_run_by_its_rule", a_connection_elsewhere_fails_the_run_by_its_rule),
    ("changed_data_stops_the_run_before_it_starts", changed_data_stops_the_run_before_it_starts),
    ("a_changed_wheel_stops_the_run_before_it_starts", a_changed_wheel_stops_the_run_before_it_starts),
    ("a_loose_lock_stops_the_run_before_it_starts", a_loose_lock_stops_the_run_before_it_starts),
    ("a_command_that_fails_gives_its_last_lines", a_command_that_fails_gives_its_last_lines),
    ("project_and_data_can_not_be_written", project_and_data_can_not_be_written),
];

const TOKEN: &str = "sy_aToKeNtHaTnObOdYsEeS";
const SCRIPT: &str = "
import json, os, urllib.request, a
request = urllib.request.Request(os.environ['MLFLOW_TRACKING_URI'] + '/ping', headers={'Authorization': 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN']})
print(urllib.request.urlopen(request).read().decode())
print(json.dumps(dict(os.environ), sort_keys=True))
print('value', a.VALUE, open(os.environ['SEALYARD_DATA_SET_1']).read())
";

/// A project, a cache with its one wheel, and a server.
struct Bench {
    folder: tempfile::TempDir,
    requests: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Bench {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        fs::create_dir_all(project.join("data")).unwrap();
        let wheel = wheel();
        let digest = Digest::of(&wheel);
        let home = folder.path().join("cache/wheels/sha256").join(digest.to_hex());
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("a-1.0-py3-none-any.whl"), wheel).unwrap();
        let files = [
            ("MLproject", "name: small\npython_env: python_env.yaml\nentry_points:\n  main:\n    parameters: {rate: {type: float, default: 0.5}}\n    command: python train.py {rate}\n".to_owned()),
            ("python_env.yaml", "dependencies: [-r requirements.txt]\n".to_owned()),
            ("requirements.txt", format!("a==1.0 --hash={digest}\n")),
            ("sealyard.toml", format!("[data.set-1]\npath = \"data/set.csv\"\nsha256 = \"{}\"\n", Digest::of(b"1,2").to_hex())),
            ("data/set.csv", "1,2".to_owned()),
            ("train.py", script.to_owned()),
        ];
        for (path, text) in files {
            fs::write(project.join(path), text).unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&requests);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &heard)));
        Self { folder, requests, url }
    }

    fn project(&self) -> std::path::PathBuf {
        self.folder.path().join("project")
    }

    fn request(&self) -> RunRequest {
        RunRequest {
            project_directory: self.project(),
            entry_point: "main".into(),
            parameters: BTreeMap::new(),
            data: BTreeMap::new(),
            tracking: Tracking {
                url: self.url.clone(),
                ca_pem: Some("certificate".into()),
                token: Some(TOKEN.to_owned().into()),
                experiment: Experiment::Name("small".into()),
            },
            cache_directory: self.folder.path().join("cache"),
            interpreter: None,
            invocation: "run-1".into(),
            limits: sealyard_sandbox::Limits { wall_seconds: 60, ..Default::default() },
        }
    }

    fn run(&self) -> Result<TrainingRecord, RunError> {
        Runner::new(Arc::new(SystemClock)).run(&self.request(), &mut |_| {})
    }

    /// The refusal of a run that must not have started its command.
    fn refusal(&self) -> RunError {
        let mut started = false;
        let runner = Runner::new(Arc::new(SystemClock));
        let error =
            runner.run(&self.request(), &mut |step| started |= matches!(step, Progress::Starting { .. })).unwrap_err();
        assert!(!started && self.requests.lock().unwrap().is_empty());
        error
    }
}

fn answer(mut stream: TcpStream, heard: &Mutex<Vec<String>>) {
    let mut text = String::new();
    for line in
        BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok).take_while(|line| !line.is_empty())
    {
        text.push_str(&line);
        text.push('\n');
    }
    heard.lock().unwrap().push(text);
    stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\npong").unwrap();
}

/// The wheel of a project `a` with one module.
fn wheel() -> Vec<u8> {
    let files = [
        ("a.py", "VALUE = 42\n"),
        ("a-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n"),
        ("a-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ];
    let mut record = String::new();
    for (path, content) in files {
        let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Digest::of(content.as_bytes()).as_bytes());
        record.push_str(&format!("{path},sha256={digest},{}\n", content.len()));
    }
    record.push_str("a-1.0.dist-info/RECORD,,\n");
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, content) in files.into_iter().chain([("a-1.0.dist-info/RECORD", record.as_str())]) {
        writer.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn a_run_reaches_the_tracking_server_and_is_recorded() {
    let bench = Bench::new(SCRIPT);
    let record = bench.run().unwrap();
    let requests = bench.requests.lock().unwrap();
    assert!(requests[0].starts_with("GET /ping") && requests[0].contains(&format!("Bearer {TOKEN}")), "{requests:?}");
    let text = &record.output.text;
    assert!(text.contains("pong") && text.contains("value 42 1,2"), "{text}");
    let variables: BTreeMap<String, String> = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(variables["MLFLOW_EXPERIMENT_NAME"], "small");
    assert_eq!(variables["MLFLOW_TRACKING_URI"], bench.url);
    assert_eq!(variables["MLFLOW_TRACKING_SERVER_CERT_PATH"], "/sealyard/ca.pem");
    let context: BTreeMap<String, String> = serde_json::from_str(&variables["MLFLOW_RUN_CONTEXT"]).unwrap();
    assert_eq!(context["sealyard.invocation"], "run-1");
    assert_eq!(context["sealyard.data.set-1"], Digest::of(b"1,2").to_string());
    assert!(variables.keys().all(|name| !name.starts_with("CARGO")), "nothing is inherited");
    assert_eq!(record.command, "python train.py 0.5");
    assert_eq!(record.parameters["rate"], "0.5");
    assert_eq!((record.wheels.len(), record.wheels[0].name.as_str()), (1, "a"));
    assert!(matches!(record.source, Source::Unversioned { .. }));
    assert_eq!(record.egress.len(), 1);
    assert!(record.egress[0].allowed && record.egress[0].bytes_sent > 0 && record.egress[0].bytes_received > 0);
    let left = fs::read_dir(bench.folder.path().join("cache")).unwrap().flatten();
    assert!(
        left.map(|entry| entry.file_name()).all(|name| name == "wheels" || name == "environments"),
        "no copy is left"
    );
}

fn provenance_is_complete_and_claims_no_more_than_is_true() {
    let bench = Bench::new(SCRIPT);
    let clock = FixedClock::at(Timestamp::from_millis(1_700_000_000_000));
    let record = Runner::new(Arc::new(clock)).run(&bench.request(), &mut |_| {}).unwrap();
    let provenance = record.provenance();
    assert_eq!(provenance.run_details.builder.id, BUILDER_ID);
    assert_eq!(provenance.run_details.metadata.started_on, Some(Timestamp::from_millis(1_700_000_000_000)));
    let dependencies = &provenance.build_definition.resolved_dependencies;
    for name in ["project", "lock", "data:set-1", "a-1.0-py3-none-any.whl"] {
        assert!(dependencies.iter().any(|resource| resource.name == name), "{name}");
    }
    assert!(dependencies.iter().any(|resource| resource.name.starts_with("cpython-")));
    assert!(dependencies.iter().all(sealyard_evidence::predicate::ResourceDescriptor::is_pinned));
    let internal = &provenance.build_definition.internal_parameters;
    assert_eq!(internal.get("hermetic"), None, "it could reach the tracking server");
    assert_eq!(internal["sandbox"]["mode"], "strict");
    let byproducts: Vec<&str> =
        provenance.run_details.byproducts.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(byproducts, ["training.log", "egress.json"]);
    let subject = Subject { name: "models:/small/1".into(), digest: Digest::of(b"model") };
    let statement = record.into_statement(&subject).unwrap();
    assert_eq!(statement.predicate_type(), "https://slsa.dev/provenance/v1");
    assert_eq!(statement.subjects().unwrap(), [subject]);
}

fn the_token_is_in_no_log_and_no_command_line() {
    let bench = Bench::new(
        "import os, glob\nprint(os.environ['MLFLOW_TRACKING_TOKEN'])\nfor path in glob.glob('/proc/[0-9]*/cmdline'):\n    print(open(path).read())\n",
    );
    let mut lines = Vec::new();
    let mut request = bench.request();
    request.parameters.insert("rate".into(), "1".into());
    let record = Runner::new(Arc::new(SystemClock)).run(&request, &mut |step| lines.push(format!("{step:?}"))).unwrap();
    let all = format!("{} {lines:?} {request:?}", serde_json::to_string(&record).unwrap());
    assert!(!all.contains(TOKEN), "{all}");
    assert!(record.output.text.starts_with("[redacted]"));
}

fn a_connection_elsewhere_fails_the_run_by_its_rule() {
    let bench = Bench::new("import socket\nsocket.create_connection(('203.0.113.7', 443), 5)\n");
    let error = bench.run().unwrap_err();
    assert_eq!(error.rule(), Some("sandbox.egress"));
    assert!(error.to_string().contains("203.0.113.7:443"), "{error}");
}

fn changed_data_stops_the_run_before_it_starts() {
    let bench = Bench::new(SCRIPT);
    fs::write(bench.project().join("data/set.csv"), "1,3").unwrap();
    assert_eq!(bench.refusal().rule(), Some("data.digest"));
}

fn a_changed_wheel_stops_the_run_before_it_starts() {
    let bench = Bench::new(SCRIPT);
    let mut pending = vec![bench.folder.path().join("cache/wheels")];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
        } else {
            flip(&path);
        }
    }
    assert_eq!(bench.refusal().rule(), Some("environment.wheel-digest"));
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn a_loose_lock_stops_the_run_before_it_starts() {
    let bench = Bench::new(SCRIPT);
    for (lock, rule) in [("a>=1.0\n", "environment.unpinned"), ("a==1.0\n", "environment.unhashed")] {
        fs::write(bench.project().join("requirements.txt"), lock).unwrap();
        assert_eq!(bench.refusal().rule(), Some(rule));
    }
}

fn a_command_that_fails_gives_its_last_lines() {
    let bench = Bench::new("print('before')\nraise SystemExit('the reason')\n");
    let error = bench.run().unwrap_err();
    assert_eq!(error.rule(), None);
    let RunError::Failed { last_lines, egress, .. } = error else { panic!("{error}") };
    assert_eq!(last_lines, ["before", "the reason"]);
    assert_eq!(egress, []);
    let mut request = bench.request();
    request.entry_point = "other".into();
    let error = Runner::new(Arc::new(SystemClock)).run(&request, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("only main"), "{error}");
}

fn project_and_data_can_not_be_written() {
    let script = "
import os
for path in ('/project/train.py', '/project/new', '/data/set-1', '/project/data/set.csv', '/env/bin/python', '/env/new', '/sealyard/ca.pem'):
    try:
        open(path, 'a')
        print('written', path)
    except OSError as error:
        print(error.errno)
print(open('/project/data/set.csv').read())
";
    let record = Bench::new(script).run().unwrap();
    assert!(!record.output.text.contains("written") && record.output.text.ends_with("1,2\n"), "{}", record.output.text);
}
