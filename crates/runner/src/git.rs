//! Reads a repository with git, without letting the repository's own settings run anything and without believing its files.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use aws_lc_rs::digest;

const MAX_OUTPUT: u64 = 64 << 20;
/// A repository can make git wait forever, by a pipe in the place of a file.
const PATIENCE: Duration = Duration::from_secs(60);

/// What git prints for `arguments` in `directory`.
pub(crate) fn run(directory: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("git")
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*"])
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        // Older versions of git fetch what a repository calls missing, by a program that it names; only this is stronger
        // than the repository's own `protocol.<name>.allow`.
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("git can't be run: {error}"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let input = input.to_vec();
    std::thread::spawn(move || stdin.is_none_or(|mut stdin| stdin.write_all(&input).is_ok()));
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.map(|stderr| stderr.take(1 << 16).read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    });
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = Vec::new();
        let read = stdout.map(|stdout| stdout.take(MAX_OUTPUT).read_to_end(&mut output));
        let _ = sender.send(matches!(read, Some(Ok(_))).then_some(output));
    });
    let output = receiver.recv_timeout(PATIENCE);
    if output.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match output {
        Ok(Some(output)) if status.success() => Ok(output),
        Err(_) => Err("git did not answer in time".into()),
        Ok(_) => {
            let errors = errors.join().unwrap_or_default();
            let line = errors.lines().next().unwrap_or("git failed");
            Err(line.chars().filter(|character| !character.is_control()).take(200).collect())
        }
    }
}

/// The contents of the objects `names`, which must be of this `kind`. Each is hashed here: git itself hands out whatever lies
/// under a name.
pub(crate) fn objects(directory: &Path, kind: &str, names: &[String]) -> Result<Vec<Vec<u8>>, String> {
    let input: String = names.iter().map(|name| format!("{name}\n")).collect();
    let output = run(directory, &["cat-file", "--batch"], input.as_bytes())?;
    let mut rest = output.as_slice();
    let mut contents = Vec::with_capacity(names.len());
    for name in names {
        let content = next(&mut rest, name, kind).ok_or_else(|| format!("git has no {kind} {name}"))?;
        if self::name(kind, content, name.len())? != *name {
            return Err(format!("the {kind} {name} of the repository has other content than its name says"));
        }
        contents.push(content.to_vec());
    }
    Ok(contents)
}

/// One answer of `cat-file --batch`: `<name> <kind> <size>`, the content, a newline.
fn next<'a>(rest: &mut &'a [u8], name: &str, kind: &str) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (head, after) = rest.split_at_checked(end)?;
    let size = std::str::from_utf8(head).ok()?.strip_prefix(&format!("{name} {kind} "))?.parse::<usize>().ok()?;
    let (content, after) = after.get(1..)?.split_at_checked(size)?;
    *rest = after.strip_prefix(b"\n")?;
    Some(content)
}

/// The name of an object in a repository whose names are `length` hex digits long.
pub(crate) fn name(kind: &str, content: &[u8], length: usize) -> Result<String, String> {
    let mut context = context(length)?;
    context.update(format!("{kind} {}\0", content.len()).as_bytes());
    context.update(content);
    Ok(hex(context.finish().as_ref()))
}

/// The name that a file of `size` bytes has as a blob.
pub(crate) fn blob(mut file: impl Read, size: u64, length: usize) -> Result<String, String> {
    let mut context = context(length)?;
    context.update(format!("blob {size}\0").as_bytes());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(buffer.get(..read).unwrap_or_default());
    }
}

fn context(length: usize) -> Result<digest::Context, String> {
    match length {
        40 => Ok(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
        64 => Ok(digest::Context::new(&digest::SHA256)),
        _ => Err("git gave a name that is neither SHA-1 nor SHA-256".into()),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_gits() {
        assert_eq!(name("blob", b"", 40).unwrap(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(name("blob", b"", 64).unwrap(), "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
        assert_eq!(blob(&b"x"[..], 1, 40), name("blob", b"x", 40));
        assert!(name("blob", b"", 8).is_err());
    }

    #[test]
    fn answers_are_taken_apart_and_no_length_is_believed() {
        let mut rest = &b"aa tree 3\na\nb\nbb tree 0\n\n"[..];
        assert_eq!(next(&mut rest, "aa", "tree"), Some(&b"a\nb"[..]));
        assert_eq!(next(&mut rest, "bb", "tree"), Some(&b""[..]));
        for bad in ["aa missing\n", "aa tree 9\nx\n", "aa blob 1\nx\n", "aa tree 1\nxy", ""] {
            assert_eq!(next(&mut bad.as_bytes(), "aa", "tree"), None, "{bad}");
        }
    }
}
