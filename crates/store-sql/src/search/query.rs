use std::cell::RefCell;

use sealyard_store::StoreError;
use sealyard_store::model::{Comparison, Condition, Cursor, CursorValue, Operand, OrderBy, Page, ViewType};

use super::few::named;
use super::keys::{order_by, stale};
use super::{FEW, Statement, Target};
use crate::session::Session;

/// Most conditions and sort keys of one search; the databases have limits of their own far above.
const MAX_CONDITIONS: usize = 100;
const MAX_ORDER: usize = 20;

/// What a search may find at all.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// In these experiments only, which are in the session's workspace.
    pub(crate) experiments: Option<Vec<i64>>,
    /// In this workspace only; [`Search::new`] sets it to the session's.
    pub(crate) workspace: i64,
    pub(crate) view: ViewType,
    /// Whether the main table has a bin.
    pub(crate) has_bin: bool,
    /// Rows of these numbers only.
    pub(crate) numbers: Option<Vec<i64>>,
    /// Rows with these texts in an expression only.
    pub(crate) texts: Option<(&'static str, Vec<String>)>,
}

impl Scope {
    /// The flags of the bin that are asked for.
    pub(super) const fn flags(&self) -> &'static [i64] {
        match self.view {
            ViewType::ActiveOnly => &[0],
            ViewType::DeletedOnly => &[1],
            ViewType::All => &[0, 1],
        }
    }

    /// That the row `alias` is on the asked side of the bin, as the beginning of a condition.
    pub(super) fn deleted_of(&self, alias: &str) -> String {
        match (self.has_bin, self.flags()) {
            (true, [flag]) => format!("{alias}.deleted = {flag} AND "),
            (true, _) => format!("{alias}.deleted IN (0, 1) AND "),
            (false, _) => String::new(),
        }
    }

    /// All of it, asked of the main table's row `t`.
    pub(super) fn conditions(&self, statement: &mut Statement) -> Result<Vec<String>, StoreError> {
        let mut all = Vec::new();
        if let Some(column) = statement.target.workspace {
            all.push(format!("{column} = {}", statement.bind(self.workspace)));
        }
        if let Some(experiments) = &self.experiments {
            all.push(statement.number_in("t.experiment", experiments)?);
        }
        all.extend(self.bin());
        if let Some(numbers) = &self.numbers {
            all.push(statement.number_in("t.number", numbers)?);
        }
        if let Some((expression, texts)) = &self.texts {
            all.push(statement.text_in(expression, texts)?);
        }
        Ok(all)
    }

    pub(super) fn bin(&self) -> Option<String> {
        match (self.has_bin, self.flags()) {
            (true, [flag]) => Some(format!("t.deleted = {flag}")),
            _ => None,
        }
    }
}

/// One search.
#[derive(Debug)]
pub(crate) struct Search<'q> {
    pub(super) session: &'q Session<'q>,
    pub(super) target: Target,
    pub(super) scope: Scope,
    pub(super) filter: &'q [Condition],
    pub(super) order: &'q [OrderBy],
    pub(super) limit: u32,
    pub(super) after: Option<&'q Cursor>,
    notes: Option<RefCell<Vec<String>>>,
}

impl<'q> Search<'q> {
    pub(crate) fn new(
        session: &'q Session<'q>,
        target: Target,
        scope: Scope,
        (filter, order): (&'q [Condition], &'q [OrderBy]),
        limit: u32,
        after: Option<&'q Cursor>,
    ) -> Result<Self, StoreError> {
        if filter.len() > MAX_CONDITIONS {
            return Err(StoreError::Invalid(format!("a search may have {MAX_CONDITIONS} conditions at most")));
        }
        if order.len() > MAX_ORDER {
            return Err(StoreError::Invalid(format!("a search may have {MAX_ORDER} sort keys at most")));
        }
        if target.workspace.is_none() && scope.experiments.is_none() {
            return Err(StoreError::Invalid("a search of what hangs on experiments names them".to_owned()));
        }
        let scope = Scope { workspace: session.workspace(), ..scope };
        Ok(Self { session, target, scope, filter, order, limit, after, notes: None })
    }

    pub(super) fn statement(&self) -> Statement {
        Statement::new(self.session.dialect(), self.target)
    }

    /// The numbers of the rows found, and where the next page begins.
    pub(crate) fn run(&self) -> Result<Page<i64>, StoreError> {
        if let Some(cursor) = self.after
            && self.statement().keys(self.order)?.len() != cursor.0.len()
        {
            return Err(stale());
        }
        let mut items = self.numbers()?;
        let more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        let next = match items.last() {
            Some(last) if more => Some(self.place(*last)?),
            _ => None,
        };
        Ok(Page { items, next })
    }

    /// How the search goes about it and what that costs, in words and as the database says it.
    pub(crate) fn explain(mut self) -> Result<Vec<String>, StoreError> {
        self.notes = Some(RefCell::default());
        let found = self.run()?;
        let more = if found.next.is_some() { "there are more" } else { "that is all" };
        self.note(|| format!("{} on this page, {more}", found.items.len()));
        Ok(self.notes.map(RefCell::into_inner).unwrap_or_default())
    }

    pub(super) fn note(&self, what: impl FnOnce() -> String) {
        if let Some(notes) = &self.notes {
            notes.borrow_mut().push(what());
        }
    }

    fn numbers(&self) -> Result<Vec<i64>, StoreError> {
        for condition in self.filter.iter().filter(|condition| is_slow(condition)) {
            self.note(|| {
                format!(
                    "{}: no index answers it; each row that is looked at is compared, at most as long as a read may take",
                    named(condition)
                )
            });
        }
        // One value in the newest-first order is a range of an index, however many rows there are.
        if let [only] = self.filter
            && let Some(walk) = self.walk_by_value(only)?
        {
            return Ok(walk);
        }
        let candidates = self.candidates()?;
        let fewest = candidates.iter().min_by_key(|candidate| candidate.rows);
        if let Some(fewest) = fewest
            && (fewest.rows <= FEW || !self.target.walks)
        {
            let few = (fewest.rows <= FEW).then_some(fewest.condition);
            match few {
                Some(few) => self.note(|| format!("plan: few; the rows of {} are sorted", named(few))),
                None => self.note(|| "plan: all; the database chooses".to_owned()),
            }
            return self.sorted(few);
        }
        for candidate in &candidates {
            if let Some(walk) = self.walk_by_value(candidate.condition)? {
                return Ok(walk);
            }
        }
        match self.walk()? {
            Some(walk) => Ok(walk),
            None => {
                self.note(|| "plan: all; the database chooses".to_owned());
                self.sorted(None)
            }
        }
    }

    /// One statement: all conditions, sorted. With a condition that holds for `few` rows, only these are looked at.
    fn sorted(&self, few: Option<&Condition>) -> Result<Vec<i64>, StoreError> {
        let mut statement = self.statement();
        let mut conditions = Vec::new();
        let from = match few {
            None => self.target.from.to_owned(),
            Some(condition) => {
                let source = self.source(&mut statement, condition)?.unwrap_or_default();
                conditions.push("t.number = f.n".to_owned());
                // The join's order is part of the plan: these rows first.
                format!("(SELECT DISTINCT n FROM ({source}) AS e) AS f CROSS JOIN {}", self.target.from)
            }
        };
        conditions.extend(self.scope.conditions(&mut statement)?);
        for condition in self.filter {
            conditions.push(statement.condition(condition)?);
        }
        let keys = statement.keys(self.order)?;
        if let Some(cursor) = self.after {
            conditions.push(statement.after(&keys, &cursor.0)?);
        }
        if conditions.is_empty() {
            conditions.push("1 = 1".to_owned());
        }
        let limit = statement.bind(i64::from(self.limit) + 1);
        let text = format!(
            "SELECT t.number FROM {from} WHERE {} ORDER BY {} LIMIT {limit}",
            conditions.join(" AND "),
            order_by(&keys)
        );
        self.rows(&text, statement)
    }

    /// Runs a query of numbers.
    pub(super) fn rows(&self, text: &str, statement: Statement) -> Result<Vec<i64>, StoreError> {
        if self.notes.is_some() {
            let (explain, column) = statement.explanation();
            let plan: Vec<String> =
                self.session.all(&format!("{explain}{text}"), statement.values.as_slice(), |row| row.get(column))?;
            self.note(|| format!("statement: {text}"));
            for step in plan {
                self.note(|| format!("  {step}"));
            }
        }
        self.session.all_in_scope(text, statement.values, |row| row.get(0))
    }

    /// The place of a row in the order.
    pub(crate) fn place(&self, number: i64) -> Result<Cursor, StoreError> {
        let mut statement = self.statement();
        let keys = statement.keys(self.order)?;
        let number = statement.bind(number);
        let columns: Vec<_> = keys.iter().map(|key| key.expression.as_str()).collect();
        let text = format!("SELECT {} FROM {} WHERE t.number = {number}", columns.join(", "), self.target.from);
        let found = self.session.optional_in_scope(&text, statement.values, |row| {
            (0..keys.len()).map(|index| row.get::<CursorValue>(index)).collect::<Result<Vec<_>, _>>()
        })?;
        found.map(Cursor).ok_or(StoreError::Undone)
    }
}

/// Whether a condition's comparison makes no use of an index, whatever it compares.
fn is_slow(condition: &Condition) -> bool {
    match (condition.comparison, &condition.operand) {
        (Comparison::ILike, _) => true,
        (Comparison::Like, Operand::Text(pattern)) => pattern.starts_with(['%', '_']),
        _ => false,
    }
}
