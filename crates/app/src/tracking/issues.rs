//! Issues: what people or programs found wrong in an experiment.

use sealyard_core::Timestamp;
use sealyard_identity::{Action, ActsOn, Authorized, Edit, ExperimentId, Read};
use sealyard_store::model::{FoundIssue, Issue, IssuePlace, IssueQuery, IssueUpdate};

use super::experiments::experiment_id;
use super::limits;
use super::runs::{is_run_id, of_experiment};
use crate::{App, AppError, Caller};

/// The states of an issue.
const STATUSES: [&str; 3] = ["pending", "rejected", "resolved"];
/// The severities, least first.
pub const SEVERITIES: [&str; 4] = ["not_an_issue", "low", "medium", "high"];
/// Issues of one page.
const PAGE: u32 = 1000;
/// A page ends early when it has so many bytes.
const PAGE_BYTES: usize = 48 << 20;
/// Issues that are read together.
const AT_ONCE: usize = 25;
/// Elements of a list, and characters of one.
const MOST_CAUSES: usize = 100;
const LONGEST_CAUSE: usize = 10_000;

/// An issue to be written down.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewIssue {
    pub name: String,
    pub description: String,
    pub status: Option<String>,
    pub severity: Option<String>,
    pub root_causes: Vec<String>,
    pub categories: Vec<String>,
    pub source_run_id: Option<String>,
    pub said_by: Option<String>,
}

/// Changes to an issue; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct ChangeIssue {
    pub name: Option<String>,
    pub description: Option<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
}

/// A search for issues.
#[derive(Debug, Default)]
pub struct SearchIssues {
    /// The proof for the one experiment that is searched; without one, what the caller may read is.
    pub experiment: Option<Authorized<Read, ExperimentId>>,
    /// Conditions on `status` and `source_run_id`, joined by AND.
    pub filter: String,
    /// Page size as asked for.
    pub max_results: Option<i64>,
    /// What the page before gave.
    pub page_token: String,
}

impl App {
    /// Finds an issue's experiment and asks the authorizer about it.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for an issue that is not there; an administrator gets [`AppError::NotFound`].
    pub async fn authorize_issue<A>(
        &self,
        caller: &Caller,
        action: A,
        id: &str,
    ) -> Result<(Authorized<A, ExperimentId>, Issue), AppError>
    where
        A: ActsOn<ExperimentId>,
    {
        let wanted = id.to_owned();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.issue(&wanted)?)).await?;
        match found {
            Some(issue) => {
                let experiment = experiment_id(&issue.experiment_id)?;
                Ok((self.authorize_below(caller, action, experiment, "issue", id).await?, issue))
            }
            None => Err(self.deny_unseen(caller, <A as Action>::KIND.to_string(), "issue", id).await?),
        }
    }

    /// Writes an issue down.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Denied`] for a run of another experiment.
    pub async fn create_issue(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        new: NewIssue,
    ) -> Result<Issue, AppError> {
        let source_run_id = new.source_run_id.filter(|run| !run.is_empty());
        let now = self.now();
        let issue = Issue {
            id: format!("iss-{}", self.rng().hex_id()),
            experiment_id: may.resource().to_string(),
            name: new.name,
            description: new.description,
            status: new.status.map_or_else(|| Ok(STATUSES[0].to_owned()), status)?,
            severity: new.severity.map(severity).transpose()?,
            root_causes: new.root_causes,
            categories: new.categories,
            source_run_id,
            said_by: new.said_by,
            created_by: caller.actor().to_owned(),
            created: now,
            updated: now,
        };
        check_bounds(&issue)?;
        let experiment = may.resource().clone();
        self.store()
            .write(move |tx| {
                if let Some(run) = &issue.source_run_id {
                    of_experiment(tx, &experiment, run)?;
                }
                tx.create_issue(&issue)?;
                Ok(issue)
            })
            .await
    }

    /// Changes an issue that [`Self::authorize_issue`] gave the proof for.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn update_issue(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        id: &str,
        change: ChangeIssue,
    ) -> Result<Issue, AppError> {
        if let Some(name) = &change.name {
            limits::name("name", name)?;
        }
        if let Some(description) = &change.description {
            limits::description(description)?;
        }
        let update = IssueUpdate {
            name: change.name,
            description: change.description,
            status: change.status.map(status).transpose()?,
            severity: change.severity.map(severity).transpose()?,
        };
        let (id, experiment, now) = (id.to_owned(), may.resource().to_string(), self.now());
        self.store()
            .write(move |tx| match tx.issue(&id)? {
                Some(issue) if issue.experiment_id == experiment => Ok(tx.update_issue(&id, &update, now)?),
                _ => Err(AppError::NotFound { kind: "issue", id }),
            })
            .await
    }

    /// Issues that the caller may read, most severe first, and the token of the next page.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], [`AppError::Invalid`].
    pub async fn search_issues(
        &self,
        caller: &Caller,
        search: SearchIssues,
    ) -> Result<(Vec<Issue>, Option<String>), AppError> {
        let principal = caller.principal().cloned().ok_or(AppError::Unauthenticated)?;
        let limit = limits::page(search.max_results, 100, PAGE)? as usize;
        let mut query = filter(&search.filter)?;
        query.experiment = search.experiment.map(|may| may.resource().to_string());
        query.after = place(&search.page_token)?;
        query.limit = PAGE + 1;
        let rights = self.rights();
        self.store()
            .read(move |tx| {
                let mut found: Vec<FoundIssue> = Vec::new();
                loop {
                    let rows = tx.search_issues(&query)?;
                    let last = rows.len() <= PAGE as usize;
                    query.after = rows.last().map(|row| row.place.clone());
                    let visible = rows.into_iter().filter(|issue| {
                        experiment_id(&issue.experiment_id).is_ok_and(|id| rights.may(&principal, Read, id))
                    });
                    found.extend(visible);
                    if last || found.len() > limit {
                        break;
                    }
                }
                let all = found.len();
                found.truncate(limit);
                let (mut issues, mut bytes) = (Vec::new(), 0_usize);
                for some in found.chunks(AT_ONCE) {
                    let ids: Vec<&str> = some.iter().map(|issue| issue.place.id.as_str()).collect();
                    for issue in tx.issues(&ids)? {
                        // A page ends early when it holds so much, and says where to go on.
                        if bytes < PAGE_BYTES {
                            bytes = bytes.saturating_add(size(&issue));
                            issues.push(issue);
                        }
                    }
                    if bytes >= PAGE_BYTES {
                        break;
                    }
                }
                let next = issues.last().filter(|_| issues.len() < all).map(|last: &Issue| token(&last.place()));
                Ok((issues, next))
            })
            .await
    }
}

/// About how many bytes an issue takes in an answer.
fn size(issue: &Issue) -> usize {
    let lists = [&issue.root_causes, &issue.categories];
    let lists = lists.into_iter().flatten().map(|text| text.len() + 8).sum::<usize>();
    issue.name.len() + issue.description.len() + lists + 512
}

fn status(text: String) -> Result<String, AppError> {
    if STATUSES.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(AppError::Invalid(format!("Invalid issue status; valid ones are {}", STATUSES.join(", "))))
}

/// Refuses names, texts and lists that no issue has.
pub(crate) fn check_bounds(issue: &Issue) -> Result<(), AppError> {
    limits::name("name", &issue.name)?;
    limits::description(&issue.description)?;
    let lists = [("root_causes", &issue.root_causes), ("categories", &issue.categories)];
    for (what, list) in lists {
        if list.len() > MOST_CAUSES || list.iter().any(|one| one.chars().count() > LONGEST_CAUSE) {
            return Err(AppError::Invalid(format!(
                "'{what}' has at most {MOST_CAUSES} elements of {LONGEST_CAUSE} characters"
            )));
        }
    }
    if issue.said_by.as_ref().is_some_and(|by| by.chars().count() > 256) {
        return Err(AppError::Invalid("'created_by' exceeds the maximum length of 256 characters".to_owned()));
    }
    if issue.source_run_id.as_ref().is_some_and(|run| !is_run_id(run)) {
        return Err(AppError::Invalid("'source_run_id' is no run's id".to_owned()));
    }
    status(issue.status.clone()).map(|_| ())
}

/// A severity's rank.
pub(crate) fn severity(text: String) -> Result<u8, AppError> {
    let rank = SEVERITIES.iter().position(|known| *known == text).and_then(|rank| u8::try_from(rank).ok());
    rank.ok_or_else(|| AppError::Invalid(format!("Invalid issue severity; valid ones are {}", SEVERITIES.join(", "))))
}

/// `status = 'resolved' AND source_run_id != '…'`.
fn filter(text: &str) -> Result<IssueQuery, AppError> {
    let invalid =
        || AppError::Invalid("Invalid filter: conditions on status and source_run_id, with = or !=".to_owned());
    let mut query = IssueQuery::default();
    if text.len() > 2000 {
        return Err(invalid());
    }
    let mut rest = text.trim();
    while !rest.is_empty() {
        let at = rest.find(['=', '!']).ok_or_else(invalid)?;
        let (field, behind) = rest.split_at(at);
        let (same, behind) = match (behind.strip_prefix("!="), behind.strip_prefix('=')) {
            (Some(behind), _) => (false, behind),
            (_, Some(behind)) => (true, behind),
            _ => return Err(invalid()),
        };
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|quote| matches!(quote, '\'' | '"')).ok_or_else(invalid)?;
        let (value, behind) = behind.strip_prefix(quote).and_then(|rest| rest.split_once(quote)).ok_or_else(invalid)?;
        let list = match field.trim().trim_start_matches("attributes.").trim_start_matches("attribute.") {
            "status" => &mut query.status,
            "source_run_id" => &mut query.source_run,
            _ => return Err(invalid()),
        };
        if list.len() >= 20 {
            return Err(invalid());
        }
        list.push((value.to_owned(), same));
        let behind = behind.trim_start();
        rest = match behind.get(..4) {
            Some(and) if and.eq_ignore_ascii_case("and ") => behind.get(4..).unwrap_or_default().trim_start(),
            _ if behind.is_empty() => "",
            _ => return Err(invalid()),
        };
        if rest.is_empty() && !behind.is_empty() {
            return Err(invalid());
        }
    }
    Ok(query)
}

/// Where a search goes on, as clients hold it. It gives nothing: every page is filtered by what its reader may see.
fn token(place: &IssuePlace) -> String {
    let severity = place.severity.map_or_else(|| "x".to_owned(), |severity| severity.to_string());
    format!("{severity}.{}.{}", place.created.as_millis(), place.id)
}

fn place(token: &str) -> Result<Option<IssuePlace>, AppError> {
    if token.is_empty() {
        return Ok(None);
    }
    let invalid = || AppError::Invalid("Invalid page token".to_owned());
    let mut parts = token.splitn(3, '.');
    let (Some(severity), Some(created), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(invalid());
    };
    let severity = match severity {
        "x" => None,
        text => Some(text.parse().map_err(|_| invalid())?),
    };
    if id.len() > 64 {
        return Err(invalid());
    }
    let created = Timestamp::from_millis(created.parse().map_err(|_| invalid())?);
    Ok(Some(IssuePlace { severity, created, id: id.to_owned() }))
}

/// `bytes` as the token that a client sent.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_token(bytes: &[u8]) {
    if let Ok(Some(found)) = place(&String::from_utf8_lossy(bytes)) {
        assert_eq!(place(&token(&found)).ok().flatten(), Some(found), "a token gives back its place");
    }
}

/// A filter of issues.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_filter(text: &str) {
    let _ = filter(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_few_and_plain() {
        let query = filter("status = 'resolved' AND source_run_id != \"r\" and attributes.status!='pending'").unwrap();
        assert_eq!(query.status, [("resolved".to_owned(), true), ("pending".to_owned(), false)]);
        assert_eq!(query.source_run, [("r".to_owned(), false)]);
        assert!(filter("").unwrap().status.is_empty());
        for text in ["status", "status =", "status = x", "status = 'x", "name = 'x'", "status = 'x' OR status = 'y'"] {
            assert!(filter(text).is_err(), "{text}");
        }
        for text in ["status = 'x' AND ", "status ! 'x'", "status = 'x' é", "= 'x'", "status = 'x'é"] {
            assert!(filter(text).is_err(), "{text}");
        }
        assert!(filter(&"status = 'x' AND ".repeat(999)).is_err());
    }

    #[test]
    fn tokens_round_trip_and_others_are_refused() {
        for severity in [None, Some(3)] {
            let known = IssuePlace { severity, created: Timestamp::from_millis(-5), id: "iss-a.b".to_owned() };
            assert_eq!(place(&token(&known)).unwrap(), Some(known));
        }
        for text in ["a", "1.2", "y.1.id", "1.x.id", "1.99999999999999999999.id", "256.1.id"] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
