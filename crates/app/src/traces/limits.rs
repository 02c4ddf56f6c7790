//! The bounds of what clients may say of traces. Where MLflow's own clients cut a text, it is cut here too: a trace is
//! worth more than the end of its longest value.

use sealyard_store::model::Pair;

use crate::AppError;

/// Traces on one page of a search.
pub(super) const TRACES_PER_PAGE: i64 = 500;
/// Characters of an id.
const ID: usize = 50;
/// Tags or metadata of a trace or an assessment.
const PAIRS: usize = 1000;
/// Bytes of a key.
const KEY: usize = 250;
/// Characters of a tag's value.
const TAG: usize = 4096;
/// Characters of a value of metadata.
const METADATA: usize = 8000;
/// Characters of what a trace was asked or answered, as lists show it.
const PREVIEW: usize = 10_000;
/// The last millisecond of the year 9999.
const LATEST: i64 = 253_402_300_799_999;

/// Whether a text can be a trace's id. It stands in paths, so that only plain characters are let in.
pub(super) fn is_trace_id(id: &str) -> bool {
    (1..=ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

pub(super) fn trace_id(id: &str) -> Result<(), AppError> {
    if is_trace_id(id) {
        return Ok(());
    }
    let shown: String = id.chars().take(80).collect();
    Err(AppError::Invalid(format!(
        "Invalid trace ID: {shown:?}. It must be 1 to {ID} letters, digits, dashes or underscores"
    )))
}

/// Ids of a request, none of them twice.
pub(super) fn trace_ids(ids: Vec<String>, most: usize) -> Result<Vec<String>, AppError> {
    if ids.len() > most {
        return Err(AppError::Invalid(format!("a request names at most {most} traces; it names {}", ids.len())));
    }
    let mut found: Vec<String> = Vec::with_capacity(ids.len());
    let mut seen = std::collections::HashSet::with_capacity(ids.len());
    for id in ids {
        trace_id(&id)?;
        if seen.insert(id.clone()) {
            found.push(id);
        }
    }
    Ok(found)
}

pub(super) fn time(what: &str, millis: i64) -> Result<i64, AppError> {
    if (0..=LATEST).contains(&millis) {
        return Ok(millis);
    }
    Err(AppError::Invalid(format!("Invalid value {millis} for parameter '{what}' supplied: it is no time since 1970")))
}

pub(super) fn cut(text: &str, most: usize) -> String {
    // PostgreSQL's texts have no NUL.
    text.chars().filter(|character| *character != '\0').take(most).collect()
}

pub(super) fn preview(text: Option<String>) -> Option<String> {
    text.map(|text| cut(&text, PREVIEW))
}

pub(super) fn text(what: &str, text: &str, most: usize) -> Result<(), AppError> {
    if text.chars().count() > most {
        return Err(AppError::Invalid(format!("'{what}' exceeds the maximum length of {most} characters")));
    }
    Ok(())
}

pub(super) fn tags(given: Vec<Pair>) -> Result<Vec<Pair>, AppError> {
    pairs("tags", given, TAG)
}

pub(super) fn metadata(given: Vec<Pair>) -> Result<Vec<Pair>, AppError> {
    pairs("metadata", given, METADATA)
}

/// Tags or metadata that another server kept: its bound is that of metadata for both.
pub(super) fn stored(what: &str, given: Vec<Pair>) -> Result<Vec<Pair>, AppError> {
    pairs(what, given, METADATA)
}

pub(super) fn is_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= KEY && !key.chars().any(char::is_control)
}

/// One tag that is set by itself: its key is held to MLflow's rule for names.
pub(super) fn tag(given: Pair) -> Result<Pair, AppError> {
    let Pair { key, value } = given;
    crate::tracking::check_tag(&Pair::new(key.clone(), ""))?;
    if key == ARTIFACT_LOCATION {
        return Err(AppError::Invalid(format!(
            "the tag {ARTIFACT_LOCATION} can't be changed: clients believe it when they download"
        )));
    }
    Ok(Pair { key, value: cut(&value, TAG) })
}

/// The tag that the catalog writes itself.
pub(super) const ARTIFACT_LOCATION: &str = "mlflow.artifactLocation";

fn pairs(what: &str, given: Vec<Pair>, most: usize) -> Result<Vec<Pair>, AppError> {
    if given.len() > PAIRS {
        return Err(AppError::Invalid(format!("a trace has at most {PAIRS} {what}")));
    }
    let mut found = Vec::with_capacity(given.len());
    for Pair { key, value } in given {
        if !is_key(&key) {
            return Err(AppError::Invalid(format!(
                "a key of {what} has 1 to {KEY} bytes, none of them a control character: {:?}",
                cut(&key, 80)
            )));
        }
        if key != ARTIFACT_LOCATION {
            found.push(Pair { key, value: cut(&value, most) });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain() {
        for good in ["tr-1234", "tr-0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c"] {
            assert!(is_trace_id(good), "{good}");
        }
        for bad in ["", "a/b", "..", "trace:/a.b/c", "tr 1", "tr-é", "a\0", &"a".repeat(51)] {
            assert!(!is_trace_id(bad), "{bad:?}");
            assert!(trace_id(bad).is_err());
        }
    }

    #[test]
    fn a_clients_artifact_location_is_passed_over_or_refused() {
        let given = vec![Pair::new(ARTIFACT_LOCATION, "file:///etc"), Pair::new("a", "b")];
        assert_eq!(tags(given).unwrap(), [Pair::new("a", "b")]);
        assert!(tag(Pair::new(ARTIFACT_LOCATION, "file:///etc")).is_err());
        assert!(tags((0..=PAIRS).map(|n| Pair::new(n.to_string(), "")).collect()).is_err());
        assert!(tags(vec![Pair::new("k".repeat(251), "")]).is_err());
        assert_eq!(tag(Pair::new("k", "x".repeat(5000))).unwrap().value.len(), TAG);
    }

    #[test]
    fn times_lie_in_the_era() {
        assert!(time("t", LATEST).is_ok() && time("t", LATEST + 1).is_err());
        assert!(time("t", -1).is_err() && time("t", i64::MAX).is_err() && time("t", 5).is_ok());
    }
}
