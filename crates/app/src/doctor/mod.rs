//! Grades a running deployment: each control of the two lists that it is measured by, with what shows it and what to do.
//!
//! A check looks at [`Facts`] that were gathered once and says pass, fail or not assessed. One that can't tell says so: what was not
//! looked at is not well. To add one, write a file in `checks` and a line in its list.

mod checks;
mod facts;

use sealyard_identity::{Administer, Authorized, UserDirectory};
use sealyard_ledger::{Act, Outcome};
use serde::Serialize;

pub use facts::{Deployment, Listening};

use crate::{App, AppError, Caller};
use facts::Facts;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail,
    /// It could not be told.
    NotAssessed,
}

/// One check with its result.
#[derive(Debug, Clone, Serialize)]
pub struct Graded {
    /// Its name, such as `transport`.
    pub id: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Which controls it answers. Approaches to deploying MLflow securely: `A1` HTTPS, `A2` authentication, `A3` users and roles,
    /// `A4` authorization, `A5` audit logging, `A6` network, `A7` storage, `A8` containers, `A9` updates, `A10` least privilege,
    /// `A11` education. Points of a secure pipeline: `C1` isolated training, `C2` signatures, `C3` lineage, `C4` access control,
    /// `C5` scans, `C6` encryption, `C7` verification before deployment.
    pub controls: &'static [&'static str],
    /// How it ended.
    pub grade: Grade,
    /// What was found: the proof, or what is missing.
    pub found: Vec<String>,
    /// What to do, where it is not well.
    pub advice: Vec<String>,
}

/// What the doctor says.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorReport {
    /// `sealyard.doctor/1`.
    pub schema: &'static str,
    /// The server's release.
    pub version: &'static str,
    /// When it looked.
    pub time: sealyard_core::Timestamp,
    /// Whether every check passed.
    pub ok: bool,
    /// How many passed, failed, and could not be told.
    pub summary: Summary,
    /// The checks.
    pub checks: Vec<Graded>,
    /// Why it is not in the ledger that somebody asked, where it could not be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrecorded: Option<String>,
}

/// How many checks ended how.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Summary {
    /// Passed.
    pub pass: usize,
    /// Failed.
    pub fail: usize,
    /// Could not be told.
    pub not_assessed: usize,
}

/// What a check found, as it goes.
#[derive(Debug, Default)]
struct Findings {
    good: Vec<String>,
    bad: Vec<String>,
    unknown: Vec<String>,
    advice: Vec<String>,
}

impl Findings {
    /// Something that is as it should be.
    fn good(&mut self, what: impl Into<String>) {
        self.good.push(what.into());
    }

    /// Something that is not, and what to do about it.
    fn bad(&mut self, what: impl Into<String>, advice: impl Into<String>) {
        self.bad.push(what.into());
        self.advice.push(advice.into());
    }

    /// Something that could not be told, and how it could be.
    fn unknown(&mut self, what: impl Into<String>, advice: impl Into<String>) {
        self.unknown.push(what.into());
        self.advice.push(advice.into());
    }
}

/// A check: what it is called, and how it looks.
struct Check {
    id: &'static str,
    title: &'static str,
    controls: &'static [&'static str],
    look: fn(&Facts, &mut Findings),
}

impl Check {
    fn run(&self, facts: &Facts) -> Graded {
        let mut findings = Findings::default();
        (self.look)(facts, &mut findings);
        let Findings { good, bad, unknown, advice } = findings;
        let grade = match (bad.is_empty(), unknown.is_empty(), good.is_empty()) {
            (false, ..) => Grade::Fail,
            // A check that found nothing at all did not look.
            (true, false, _) | (true, true, true) => Grade::NotAssessed,
            (true, true, false) => Grade::Pass,
        };
        let found = [bad, unknown, good].concat();
        Graded { id: self.id, title: self.title, controls: self.controls, grade, found, advice }
    }
}

impl App {
    /// What the server knows of how it was started; before it is told, what depends on it is not assessed.
    #[must_use]
    pub fn with_deployment(self, deployment: Deployment) -> Self {
        Self { deployment: std::sync::Arc::new(Some(deployment)), ..self }
    }

    /// Looks at the deployment. That somebody asked is in the ledger. Where nothing can be written, since the schema of the database
    /// is not the server's, what was found is said all the same, and that this is not on record.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn examine(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, UserDirectory>,
    ) -> Result<DoctorReport, AppError> {
        let facts = self.gather_facts().await?;
        let checks: Vec<Graded> = checks::ALL.iter().map(|check| check.run(&facts)).collect();
        let count = |grade| checks.iter().filter(|check| check.grade == grade).count();
        let summary =
            Summary { pass: count(Grade::Pass), fail: count(Grade::Fail), not_assessed: count(Grade::NotAssessed) };
        let act = Act::Examined { pass: summary.pass, fail: summary.fail, not_assessed: summary.not_assessed };
        let unrecorded = match self.record(self.event(caller, Outcome::Done, act)).await {
            Ok(()) => None,
            Err(error) => match error.foreign_schema() {
                Some(what) => Some(format!("nothing can be written: the schema of the catalog's database has {what}")),
                None => return Err(error),
            },
        };
        Ok(DoctorReport {
            schema: "sealyard.doctor/1",
            version: env!("CARGO_PKG_VERSION"),
            time: self.now(),
            ok: summary.pass == checks.len(),
            summary,
            checks,
            unrecorded,
        })
    }
}
