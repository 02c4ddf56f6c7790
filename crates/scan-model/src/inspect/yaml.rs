//! YAML that makes objects when it is loaded, and descriptions of Keras models written as YAML.

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

/// The ways to write the tags of Python.
const MARKS: &[&str] = &["!!python/", "tag:yaml.org,2002:python/"];

/// Tags where a value may be; prose that quotes one is no document.
fn tags(text: &str) -> Vec<PythonTag> {
    let mut tags = Vec::new();
    for mark in MARKS {
        for (place, _) in text.match_indices(mark) {
            let before = text.get(..place).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            if line.trim_start().starts_with('#') {
                continue;
            }
            let before = line.trim_end_matches("!<").trim_end();
            let is_value =
                before.is_empty() || before.ends_with([':', '-', '[', ',', '{', '?']) || before.starts_with("%TAG");
            // Anchors stand before tags.
            let is_anchored = before.rsplit([' ', '[', '{']).next().is_some_and(|word| word.starts_with('&'));
            if is_value || is_anchored {
                let rest = text.get(place + mark.len()..).unwrap_or_default();
                let end = rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '>' | ',' | ']' | '}'));
                let tag = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                tags.push(PythonTag { tag: tag.to_owned(), offset: place as u64 });
            }
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_where_a_value_may_be() {
        let found = |text: &str| tags(text).into_iter().map(|tag| tag.tag).collect::<Vec<_>>();
        assert_eq!(found("a: !!python/object/apply:os.system [id]"), ["object/apply:os.system"]);
        assert_eq!(found("- !<tag:yaml.org,2002:python/name:os.system>\n"), ["name:os.system"]);
        assert_eq!(found("!!python/object:x.Y {}"), ["object:x.Y"]);
        assert_eq!(found("[1, !!python/tuple [1]]"), ["tuple"]);
        assert_eq!(found("a: &b !!python/module:os"), ["module:os"]);
        assert!(found("Tags such as !!python/object run code.\n# a: !!python/object:x.Y\n").is_empty());
    }
}
