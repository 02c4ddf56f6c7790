use sealyard_store::import::SourceIssue;
use sealyard_store::model::Issue;
use serde_json::Value;

use super::progress::Place;
use super::{Import, PAGE, json};
use crate::AppError;
use crate::tracking::{check_issue, severity_of_issue};

/// Bytes of a list of causes or categories.
const MAX_LIST: usize = 1024 * 1024;

impl Import {
    pub(super) fn issues(&mut self) -> Result<(), AppError> {
        let mut homes = std::collections::BTreeMap::new();
        loop {
            if self.stopped() {
                return Ok(());
            }
            let some = self.source.issues(&self.place.after, PAGE)?;
            let Some(last) = some.last().map(|last| last.id.clone()) else { return self.next_phase() };
            let mut place = self.place.at(last);
            let mut issues = Vec::new();
            for issue in some {
                let home = self.is_home(issue.experiment, &mut homes)?;
                issues.extend(issue_to_store(issue, home, &mut place));
            }
            self.write(place, move |tx| {
                for issue in &issues {
                    if tx.issue(&issue.id)?.is_none() {
                        tx.create_issue(issue)?;
                    }
                }
                Ok(())
            })?;
            self.say("issues");
        }
    }
}

/// An issue as it is to be here, if it can be.
pub(super) fn issue_to_store(issue: SourceIssue, home: bool, place: &mut Place) -> Option<Issue> {
    let what = format!("issues:/{}", issue.id);
    let made = if home { made(issue) } else { Err("its experiment is not there".to_owned()) };
    match made {
        Ok(issue) => Some(issue),
        Err(why) => {
            place.refuse(&what, "issue.bounds", why);
            None
        }
    }
}

fn made(issue: SourceIssue) -> Result<Issue, String> {
    let id = issue.id.strip_prefix("iss-");
    if !id.is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err("its id is none of an issue".to_owned());
    }
    if issue.too_large {
        return Err("its description or a list of it is larger than an issue's may be".to_owned());
    }
    // SQLite keeps these, PostgreSQL does not.
    if issue.description.contains('\0') || issue.said_by.as_ref().is_some_and(|by| by.contains('\0')) {
        return Err("its description, or who made it, has a NUL character".to_owned());
    }
    let list = |text: Option<String>| match text {
        None => Some(Vec::new()),
        Some(text) => match json::read(&text, MAX_LIST)? {
            Value::Null => Some(Vec::new()),
            Value::Array(items) => items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        },
    };
    let lists = "its causes or categories are no list of texts";
    let issue = Issue {
        severity: issue.severity.map(severity_of_issue).transpose().map_err(|error| error.to_string())?,
        root_causes: list(issue.root_causes).ok_or(lists)?,
        categories: list(issue.categories).ok_or(lists)?,
        source_run_id: issue.source_run.filter(|run| !run.is_empty()),
        id: issue.id,
        experiment_id: issue.experiment.to_string(),
        name: issue.name,
        description: issue.description,
        status: issue.status,
        said_by: issue.said_by,
        created_by: "system".to_owned(),
        created: issue.created,
        updated: issue.updated,
    };
    check_issue(&issue).map_err(|error| error.to_string())?;
    Ok(issue)
}

#[cfg(test)]
mod tests {
    use sealyard_core::Timestamp;

    use super::super::progress::tests::place;
    use super::*;

    #[test]
    fn issues_keep_to_the_bounds_of_new_ones() {
        let issue = || SourceIssue {
            id: format!("iss-{}", "a".repeat(32)),
            experiment: 1,
            name: "slow".into(),
            description: "very".into(),
            status: "pending".into(),
            severity: Some("high".into()),
            root_causes: Some("[\"x\"]".into()),
            categories: None,
            source_run: None,
            said_by: None,
            created: Timestamp::from_millis(1),
            updated: Timestamp::from_millis(2),
            too_large: false,
        };
        let stored = |issue: SourceIssue| issue_to_store(issue, true, &mut place());
        let made = stored(issue()).unwrap();
        assert_eq!((made.severity, made.root_causes), (Some(3), vec!["x".to_owned()]));
        assert!(issue_to_store(issue(), false, &mut place()).is_none());
        for odd in [
            SourceIssue { id: "iss-../x".into(), ..issue() },
            SourceIssue { status: "odd".into(), ..issue() },
            SourceIssue { too_large: true, ..issue() },
            SourceIssue { description: "a\0b".into(), ..issue() },
            SourceIssue { said_by: Some("a\0b".into()), ..issue() },
            SourceIssue { severity: Some("odd".into()), ..issue() },
            SourceIssue { root_causes: Some("[1]".into()), ..issue() },
            SourceIssue { categories: Some("{".into()), ..issue() },
            SourceIssue { source_run: Some("../x".into()), ..issue() },
        ] {
            assert!(stored(odd.clone()).is_none(), "{odd:?}");
        }
    }
}
