//! Cards of models: what they tell people to run.

use sealyard_core::ReadAt;

use super::script;
use crate::context::Context;

/// How much of a card is looked at.
const MAX_BYTES: u64 = 1 << 20;
/// What people are told to install by a script everywhere, by those who make it.
const INSTALLERS: &[&str] = &[
    "https://astral.sh/uv/",
    "https://deb.nodesource.com/",
    "https://get.docker.com",
    "https://hf.co/cli/",
    "https://install.python-poetry.org",
    "https://ollama.ai/install.sh",
    "https://ollama.com/install.sh",
    "https://packagecloud.io/install/repositories/github/git-lfs/",
    "https://pixi.sh/",
    "https://raw.githubusercontent.com/Homebrew/",
    "https://sh.rustup.rs",
];

/// Whether the name is that of a text that people read beside a model.
pub(super) fn is_named(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".md") || name.ends_with(".markdown")
}

/// Looks at lines of code that hand what they fetch to a shell. Other commands of a card are for people to judge.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) {
    let Some(bytes) = context.head(data, MAX_BYTES) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let mut is_code = false;
    let mut piped = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if is_code && is_piped(line) {
            piped.push_str(line.trim_start().trim_start_matches(['$', '>', ' ']));
            piped.push('\n');
        }
    }
    if !piped.is_empty() {
        script::shell(&piped, context);
    }
}

fn is_piped(line: &str) -> bool {
    let fetches = ["curl ", "wget "].iter().any(|fetcher| line.contains(fetcher)) && line.contains("://");
    let dense: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
    let runs = ["|sh", "|bash", "|zsh", "|sudosh", "|sudobash", "|/bin/sh", "|/bin/bash"];
    let is_known = INSTALLERS.iter().any(|installer| line.contains(installer));
    fetches && runs.iter().any(|run| dense.contains(run)) && !is_known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pipes_of_strangers_into_a_shell_are_found() {
        for (text, count) in [
            ("```sh\ncurl -s http://example.org/install.sh | sh\n```\n", 1),
            ("text\n```\n$ wget -qO- https://example.org/x | sudo bash\n```\n", 1),
            ("Never run `curl https://example.org/x | sh`.\n", 0),
            ("```\ncurl -fsSL https://ollama.com/install.sh | sh\ncurl -O https://example.org/m.bin\n```\n", 0),
            ("```\nsystemctl enable x\ncat ~/.ssh/authorized_keys\n```\n", 0),
        ] {
            let mut context = Context::new("README.md");
            inspect(&text.as_bytes(), &mut context);
            assert_eq!(context.sink().findings.len(), count, "{text}");
        }
    }
}
