//! YAML that makes objects when it is loaded, and descriptions of Keras models written as YAML.

use std::collections::BTreeMap;

use super::keras_json::{self, Form};
use crate::context::Context;
use crate::rules;

/// Largest description that is parsed.
const MAX_BYTES: usize = 16 << 20;

/// A tag of Python in a YAML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonTag {
    /// The tag behind `python/`, such as `object/apply:os.system`.
    pub(crate) tag: String,
    /// Where it is in the text.
    pub(crate) offset: u64,
}

/// Looks at a text for what loaders of YAML act on; gives the kind of model that it is, if it may be and is one.
pub(super) fn inspect_model(text: &str, may_be_model: bool, context: &mut Context) -> Option<&'static str> {
    let tags = tags(text);
    rules::yaml::run(&tags, context.sink());
    targets(text, context);
    let has = |key: &str| text.lines().any(|line| line.trim_start_matches([' ', '-']).starts_with(key));
    if !may_be_model || !has("class_name:") || !has("config:") {
        return None;
    }
    if text.len() >= MAX_BYTES {
        context.miss("the description of the model is too long");
        return Some("keras");
    }
    match serde_saphyr::from_str(text) {
        Ok(document) => keras_json::look(&document, Form::Legacy, context),
        // What has such tags is no plain document, and has been reported.
        Err(_) if !tags.is_empty() => {}
        Err(_) => context.miss("the description of the model is not the YAML that Keras writes"),
    }
    Some("keras")
}

/// Looks at what Hydra calls: it takes YAML for what JSON says.
fn targets(text: &str, context: &mut Context) {
    // That of NeMo has a rule of its own.
    if context.sink().depth() > 0 && context.name().ends_with("model_config.yaml") {
        return;
    }
    for line in text.lines() {
        let Some(target) = line.trim_start_matches([' ', '\t', '-', '{']).strip_prefix("_target_:") else { continue };
        let target = target.split(['#', ',', '}']).next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        rules::hugging_face::run(&serde_json::json!({"_target_": target}), context.sink());
    }
}

/// What the tags of Python stand for.
const PYTHON: &str = "tag:yaml.org,2002:python/";
/// Most tags of one text that are told.
const MAX_TAGS: usize = 1000;
/// The longest tag, and how much before one is looked at.
const MAX_TAG: usize = 512;
/// Where lines end for PyYAML.
const ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Looks at a text for the tags of Python alone.
pub(super) fn inspect_tags(text: &str, context: &mut Context) {
    rules::yaml::run(&tags(text), context.sink());
}

/// Tags where a value may be; prose that quotes one is no document.
fn tags(text: &str) -> Vec<PythonTag> {
    let mut tags = Vec::new();
    let mut handles = BTreeMap::from([("!!", "tag:yaml.org,2002:"), ("!", "!")]);
    let mut start = 0;
    for line in text.split_inclusive(ENDS) {
        let offset = start;
        start += line.len();
        if line.trim_start().starts_with('#') {
            continue;
        }
        if let Some(directive) = line.strip_prefix("%TAG") {
            let mut words = directive.split_whitespace();
            if let (Some(handle), Some(prefix)) = (words.next(), words.next()) {
                handles.insert(handle, prefix);
            }
            continue;
        }
        let mut from = 0;
        while let Some(place) = line.get(from..).and_then(|rest| rest.find('!')).map(|place| from + place) {
            let word = word(line.get(place..).unwrap_or_default());
            from = place + word.len().max(1);
            let Some(tag) = resolve(word, &handles) else { continue };
            if is_value(line.get(..place).unwrap_or_default()) && tags.len() < MAX_TAGS {
                tags.push(PythonTag { tag, offset: (offset + place) as u64 });
            }
        }
    }
    tags
}

/// A tag up to where it ends.
fn word(text: &str) -> &str {
    let end = if text.starts_with("!<") {
        text.find('>').map(|end| end + 1)
    } else {
        text.find(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '[' | ']' | '{' | '}'))
    };
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// What a tag stands for behind `python/`, if it is one of Python's.
fn resolve(word: &str, handles: &BTreeMap<&str, &str>) -> Option<String> {
    if word.len() > MAX_TAG {
        return None;
    }
    let full = match word.strip_prefix("!<") {
        Some(verbatim) => verbatim.trim_end_matches('>').to_owned(),
        None => {
            let end = word.get(1..)?.find('!').map_or(1, |end| end + 2);
            let (handle, rest) = (word.get(..end)?, word.get(end..)?);
            format!("{}{rest}", handles.get(handle)?)
        }
    };
    let decoded = percent_encoding::percent_decode_str(&full).decode_utf8_lossy();
    decoded.strip_prefix(PYTHON).map(str::to_owned)
}

/// Whether a value may begin behind this part of a line.
fn is_value(before: &str) -> bool {
    let mut from = before.len().saturating_sub(MAX_TAG);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    let before = before.get(from..).unwrap_or_default().trim_end();
    // Anchors stand before tags.
    let is_anchored = before.rsplit([' ', '[', '{']).next().is_some_and(|word| word.starts_with('&'));
    before.is_empty() || before.ends_with([':', '-', '[', ',', '{', '?']) || is_anchored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmful_targets_are_found() {
        for (text, count) in [
            ("model:\n  _target_: subprocess.check_output\n  args: [id]\n", 1),
            ("- _target_: 'os.system' # runs\n", 1),
            ("model:\n  _target_: torch.nn.Linear\n  in_features: 3\n# _target_: os.system\n", 0),
        ] {
            let mut context = Context::new("config.yaml");
            inspect_model(text, true, &mut context);
            assert_eq!(context.sink().findings.len(), count, "{text}");
        }
    }

    #[test]
    fn tags_are_found_where_a_value_may_be() {
        let found = |text: &str| tags(text).into_iter().map(|tag| tag.tag).collect::<Vec<_>>();
        assert_eq!(found("a: !!python/object/apply:os.system [id]"), ["object/apply:os.system"]);
        assert_eq!(found("- !<tag:yaml.org,2002:python/name:os.system>\n"), ["name:os.system"]);
        assert_eq!(found("!!python/object:x.Y {}"), ["object:x.Y"]);
        assert_eq!(found("[1, !!python/tuple [1]]"), ["tuple"]);
        assert_eq!(found("a: &b !!python/module:os"), ["module:os"]);
        for written in [
            "a: !!%70ython/object/apply:os.system [id]",
            "a: !<tag:yaml.org,2002:%70ython/object/apply:os.system> [id]",
            "%TAG !p! tag:yaml.org,2002:py\n---\na: !p!thon/object/apply:os.system [id]",
            "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system [id]",
            "# x\r- !!python/object/apply:os.system [id]",
            "# x\u{2028}- !!python/object/apply:os.system [id]",
            "[!!python/object/apply:os.system [id]]",
            "{\"a\": !!python/object/apply:os.system [id]}",
        ] {
            assert_eq!(found(written), ["object/apply:os.system"], "{written}");
        }
        assert_eq!(found(&format!("a: {}", "!!python/".repeat(300_000))).len(), 0);
        assert_eq!(found(&"- !!python/x\n".repeat(5000)).len(), MAX_TAGS);
        assert!(found("Tags such as !!python/object run code.\n# a: !!python/object:x.Y\n").is_empty());
    }
}
