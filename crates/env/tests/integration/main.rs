//! Environments built from small wheels that the tests make, without a network.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod wheels;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealyard_core::Digest;
use sealyard_env::{BuildRequest, EnvError, Environment, Interpreter, Lock, Progress, build};
use wheels::{Record, wheel};

struct Bench {
    cache: tempfile::TempDir,
    interpreter: Interpreter,
    lock: String,
}

impl Bench {
    fn new() -> Self {
        Self { cache: tempfile::tempdir().unwrap(), interpreter: Interpreter::find(None).unwrap(), lock: String::new() }
    }

    /// Puts a wheel in the cache and into the lock.
    fn add(&mut self, name: &str, bytes: &[u8]) -> PathBuf {
        let digest = Digest::of(bytes);
        let home = self.cache.path().join("wheels/sha256").join(digest.to_hex());
        fs::create_dir_all(&home).unwrap();
        let path = home.join(format!("{name}-1.0-py3-none-any.whl"));
        fs::write(&path, bytes).unwrap();
        self.lock.push_str(&format!("{name}==1.0 --hash={digest}\n"));
        path
    }

    fn build(&self, prefix: &str) -> Result<Environment, EnvError> {
        let lock = Lock::parse("requirements.txt", self.lock.as_bytes()).unwrap();
        let request = BuildRequest { lock: &lock, interpreter: &self.interpreter, cache: self.cache.path(), prefix };
        let mut steps = Vec::new();
        let built = build(&request, &mut |step| steps.push(step));
        if built.as_ref().is_ok_and(|built| built.reused) {
            assert!(steps.iter().any(|step| matches!(step, Progress::Checking { .. })));
        }
        built
    }

    fn refusal(&self) -> (Option<&'static str>, String) {
        let error = self.build("/env").unwrap_err();
        let left = self.cache.path().join("environments");
        let left = fs::read_dir(left).map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing half-built is left");
        (error.rule(), error.to_string())
    }

    fn packages(&self, environment: &Environment) -> PathBuf {
        environment.root.join("lib").join(self.interpreter.library_name()).join("site-packages")
    }
}

fn python(environment: &Environment, code: &str) -> String {
    let output = Command::new(environment.root.join("bin/python")).args(["-I", "-c", code]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn wheels_become_an_environment_that_python_takes() {
    let mut bench = Bench::new();
    let files = [
        ("a/__init__.py", "VALUE = 41\ndef run():\n    return 3\n"),
        ("a-1.0.dist-info/entry_points.txt", "[console_scripts]\na-run = a:run\n"),
        ("a-1.0.data/scripts/tool", "#!python\nprint(1)\n"),
        ("a-1.0.data/purelib/b.py", "import a\nVALUE = a.VALUE + 1\n"),
        ("a-1.0.data/data/share/a.txt", "text"),
    ];
    bench.add("a", &wheel("a", &files, Record::True));
    let prefix = bench.cache.path().join("seen").display().to_string();
    let environment = bench.build(&prefix).unwrap();
    assert_eq!(python(&environment, "import b, sys; print(b.VALUE, sys.prefix != sys.base_prefix)"), "42 True");
    assert_eq!(python(&environment, "import importlib.metadata as m; print(m.version('a'))"), "1.0");
    assert_eq!(fs::read(environment.root.join("share/a.txt")).unwrap(), b"text");
    for script in ["tool", "a-run"] {
        let path = environment.root.join("bin").join(script);
        assert!(fs::read_to_string(&path).unwrap().starts_with(&format!("#!{prefix}/bin/python\n")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    }
    let compiled = fs::read_dir(bench.packages(&environment).join("a/__pycache__")).unwrap().count();
    assert_eq!(compiled, 1, "byte code is made once, here");
    assert_eq!((environment.wheels.len(), environment.wheels[0].filename.as_str()), (1, "a-1.0-py3-none-any.whl"));
}

#[test]
fn an_environment_is_reused_only_while_every_file_is_as_it_was() {
    let mut bench = Bench::new();
    bench.add("a", &wheel("a", &[("a.py", "VALUE = 1\n")], Record::True));
    let first = bench.build("/env").unwrap();
    let packages = bench.packages(&first);
    assert!(!first.reused);
    let again = bench.build("/env").unwrap();
    assert!(again.reused);
    assert_eq!(again.manifest_digest, first.manifest_digest);
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("a changed file", |packages| fs::write(packages.join("a.py"), "VALUE = 2\n").unwrap()),
        ("an added file", |packages| fs::write(packages.join("sitecustomize.py"), "").unwrap()),
        ("a file that is gone", |packages| fs::remove_file(packages.join("a.py")).unwrap()),
        ("an execute bit", |packages| {
            fs::set_permissions(packages.join("a.py"), fs::Permissions::from_mode(0o755)).unwrap()
        }),
        ("a link", |packages| std::os::unix::fs::symlink("/etc", packages.join("etc")).unwrap()),
        ("another interpreter", |packages| {
            let python = packages.join("../../../bin/python");
            fs::remove_file(&python).unwrap();
            std::os::unix::fs::symlink("/bin/sh", &python).unwrap();
        }),
    ];
    for (what, change) in changes {
        change(&packages);
        let built = bench.build("/env").unwrap();
        assert!(!built.reused, "{what} went unseen");
        assert_eq!(built.manifest_digest, first.manifest_digest, "building twice gives the same, {what}");
        assert_eq!(fs::read_to_string(packages.join("a.py")).unwrap(), "VALUE = 1\n");
    }
    let other = bench.build("/elsewhere").unwrap();
    assert_ne!(other.root, first.root);
}

#[test]
fn a_changed_wheel_is_refused_by_name_also_when_its_environment_is_built() {
    let mut bench = Bench::new();
    let path = bench.add("a", &wheel("a", &[("a.py", "VALUE = 1\n")], Record::True));
    bench.build("/env").unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = bench.build("/env").unwrap_err();
    assert_eq!(error.rule(), Some("environment.wheel-digest"));
    assert!(error.to_string().contains("a-1.0-py3-none-any.whl"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn a_wheel_must_be_what_its_record_says() {
    for record in [Record::WrongDigest, Record::Incomplete, Record::Absent] {
        let mut bench = Bench::new();
        bench.add("a", &wheel("a", &[("a.py", "VALUE = 1\n")], record));
        let (rule, text) = bench.refusal();
        assert_eq!(rule, Some("environment.wheel"), "{record:?}: {text}");
    }
}

#[test]
fn a_wheel_can_not_write_outside_or_over_the_environment() {
    for path in [
        "../x.py",
        "/etc/x",
        "a/../../x",
        "a\\..\\x",
        "a-1.0.data/scripts/python",
        "a-1.0.data/data/pyvenv.cfg",
        "a-1.0.data/scripts/../../x",
        "a-1.0.data/else/x",
    ] {
        let mut bench = Bench::new();
        bench.add("a", &wheel("a", &[(path, "x")], Record::True));
        let (rule, text) = bench.refusal();
        assert_eq!(rule, Some("environment.wheel"), "{path}: {text}");
    }
}

#[test]
fn a_wheel_of_another_project_under_a_locked_name_is_refused() {
    let mut bench = Bench::new();
    bench.add("b", &wheel("a", &[("a.py", "")], Record::True));
    let (rule, text) = bench.refusal();
    assert_eq!(rule, Some("environment.wheel"), "{text}");
}

#[test]
fn code_of_a_package_does_not_run_while_it_is_installed() {
    let mut bench = Bench::new();
    let marker = bench.cache.path().join("ran");
    let code = format!("open({:?}, 'w')\n", marker.display().to_string());
    let line = format!("import os; open({:?}, 'w')\n", marker.display().to_string());
    let files = [("a/__init__.py", code.as_str()), ("a.pth", &line), ("sitecustomize.py", &code), ("setup.py", &code)];
    bench.add("a", &wheel("a", &files, Record::True));
    bench.build("/env").unwrap();
    bench.build("/env").unwrap();
    assert!(!marker.exists());
}

#[test]
fn two_wheels_with_one_path_give_the_same_result_each_time() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c"] {
        bench.add(name, &wheel(name, &[("shared.py", &format!("NAME = {name:?}\n"))], Record::True));
    }
    let environment = bench.build("/env").unwrap();
    assert_eq!(fs::read_to_string(bench.packages(&environment).join("shared.py")).unwrap(), "NAME = \"c\"\n");
}

#[test]
fn a_wheel_that_would_fill_the_disk_is_refused_before_it_is_unpacked() {
    let mut bench = Bench::new();
    let zeros = "0".repeat(40 << 20);
    bench.add("a", &wheel("a", &[("a.py", zeros.as_str()), ("b.py", zeros.as_str())], Record::True));
    let (rule, text) = bench.refusal();
    assert_eq!(rule, Some("environment.wheel"), "{text}");
    assert!(text.contains("would unpack to more"), "{text}");
    // One such file is not out of the ordinary.
    let mut bench = Bench::new();
    bench.add("a", &wheel("a", &[("a.bin", zeros.as_str())], Record::True));
    bench.build("/env").unwrap();
}

#[test]
fn an_environment_that_others_could_change_is_built_anew() {
    let mut bench = Bench::new();
    bench.add("a", &wheel("a", &[("a/__init__.py", "VALUE = 1\n")], Record::True));
    let first = bench.build("/env").unwrap();
    let package = bench.packages(&first).join("a");
    fs::set_permissions(&package, fs::Permissions::from_mode(0o777)).unwrap();
    let again = bench.build("/env").unwrap();
    assert!(!again.reused);
    assert_eq!(fs::metadata(&package).unwrap().permissions().mode() & 0o777, 0o755);
    assert!(bench.build("/env").unwrap().reused);
}

#[test]
fn a_wheel_can_not_bring_links_or_stand_in_for_the_interpreter() {
    use std::io::{Cursor, Write as _};
    use zip::write::SimpleFileOptions;
    let honest = wheel("a", &[("a.py", "")], Record::True);
    let linked = |name: &str, target: &str| {
        let mut writer = zip::ZipWriter::new_append(Cursor::new(honest.clone())).unwrap();
        writer.add_symlink(name, target, SimpleFileOptions::default()).unwrap();
        writer.finish().unwrap().into_inner()
    };
    // What is behind the central directory's back: other names in the local headers than in the directory.
    let mut two_faced = honest.clone();
    let place = two_faced.windows(4).position(|window| window == b"a.py").unwrap();
    two_faced[place..place + 4].copy_from_slice(b"/b.p");
    let mut trailing = honest.clone();
    trailing.write_all(b"PK\x03\x04").unwrap();
    for (what, bytes, refused) in [
        ("a link out", linked("b.py", "/etc/passwd"), true),
        ("a link in", linked("a/b", "../a.py"), true),
        ("the library folder as a file", wheel("a", &[("a-1.0.data/data/lib", "x")], Record::True), true),
        ("a folder's other name", wheel("a", &[("a-1.0.data/data/lib64/x.py", "x")], Record::True), true),
        ("a file and a folder of one name", wheel("a", &[("b", "x"), ("b/c.py", "x")], Record::True), true),
        (
            "a program named as the interpreter",
            wheel("a", &[("a-1.0.dist-info/entry_points.txt", "[console_scripts]\npython3 = a:b\n")], Record::True),
            true,
        ),
        ("other local names, which nobody reads", two_faced, false),
        ("something behind its end", trailing, false),
    ] {
        let mut bench = Bench::new();
        bench.add("a", &bytes);
        let built = bench.build("/env");
        if refused {
            assert!(built.is_err(), "{what}");
        } else if let Ok(environment) = built {
            assert_eq!(fs::read(bench.packages(&environment).join("a.py")).unwrap(), b"", "{what}");
            assert!(!bench.packages(&environment).join("b.p").exists(), "{what}");
        }
    }
}
