//! Resources as people type them: as they are written in grants, or by the URI under which clients know them.

use sealyard_identity::ResourcePattern;

/// URIs of clients, and the kind that each names.
const URIS: [(&str, &str); 3] = [("models:/", "registered-model"), ("prompts:/", "prompt"), ("datasets:/", "dataset")];

/// A URI in the words of grants; other text as it is. A version or an alias is its model's or prompt's.
pub(crate) fn named(text: &str) -> String {
    let found = URIS.iter().find_map(|(scheme, kind)| Some((text.strip_prefix(scheme)?, kind)));
    match found {
        Some((rest, kind)) => format!("{kind}:{}", rest.split(['/', '@']).next().unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The pattern of a grant. One that speaks of a version would give more than it says, so a URI ends with the name here.
pub(crate) fn pattern(text: &str) -> Result<ResourcePattern, String> {
    let rest = URIS.iter().find_map(|(scheme, _)| text.strip_prefix(scheme));
    if rest.is_some_and(|rest| rest.contains(['/', '@'])) {
        return Err(format!("{text:?} names a version or an alias; rights are given on all of a name"));
    }
    named(text).parse().map_err(|error: sealyard_identity::ResourcePatternError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_resources_too() {
        for (text, wanted) in [
            ("prompts:/greeting", "prompt:greeting"),
            ("prompts:/team-*", "prompt:team-*"),
            ("models:/fraud", "registered-model:fraud"),
            ("datasets:/d-1f", "dataset:d-1f"),
            ("experiment:7", "experiment:7"),
            ("team-a/prompt:*", "team-a/prompt:*"),
        ] {
            assert_eq!(pattern(text).unwrap().to_string(), wanted, "{text}");
        }
        for text in ["prompts:/greeting/3", "models:/fraud@champion", "prompts:/", "datasets:/a b", "runs:/x"] {
            assert!(pattern(text).is_err(), "{text}");
        }
        assert_eq!(named("prompts:/greeting@latest"), "prompt:greeting");
    }
}
