//! Runs in the order of an index.
//!
//! The order falls into pieces that are each one range of one index: runs that have the metric, then those where it is NaN,
//! then those that lack it; within the first, those that share the last page's last value, then those beyond it. The pieces
//! are read one after the other until the page is full, so that none is begun in vain and no page sorts what it does
//! not show (but for runs of the same value, where the index has them the other way round, and for runs of the same start).

use sealyard_store::StoreError;
use sealyard_store::model::{Comparison, Condition, CursorValue, Field, OrderBy};

use super::Statement;
use super::condition::head_of;
use super::few::named;
use super::keys::{Key, order_by, stale};
use super::query::Search;
use super::target::{Side, is_nullable};
use crate::sql::Dialect;

/// Most ranges that are merged; a search of more experiments than that walks all runs by their start, or sorts.
const MAX_RANGES: usize = 64;

/// The classes of what may be absent, in their order.
const THERE_OR_NOT: &[i64] = &[0, 1];
/// The classes of a metric, in their order.
const NUMBER_NAN_OR_NOT: &[i64] = &[0, 1, 2];

/// What a piece reads from.
#[derive(Debug, Clone, Copy)]
enum Source<'q> {
    /// The runs themselves.
    Runs,
    /// A table of runs' values, for this key.
    Side(Side, &'q str),
}

/// What all runs of a piece have in common in the first key of the order.
#[derive(Debug, Clone, Copy)]
enum First<'q> {
    /// The order begins with the start, or is the usual one.
    Start,
    /// A column of the runs.
    Column(&'static str, bool),
    /// A metric, parameter or tag, and whether it ascends.
    Value(&'q Field, bool),
}

/// Where in the first key a piece lies.
#[derive(Debug, Clone, Copy)]
enum Part<'q> {
    /// All of it.
    Whole,
    /// The last page's last value, and what comes after it in the rest of the order.
    At(&'q CursorValue, &'q [CursorValue]),
    /// Beyond that value.
    Beyond(&'q CursorValue),
    /// As [`Part::Whole`], after this place in the rest of the order: the first key is the same for all.
    Rest(&'q [CursorValue]),
}

/// One range of one experiment.
#[derive(Debug, Clone, Copy)]
enum Group<'g> {
    One(i64, Option<i64>),
    /// All of them, where there are too many to merge.
    Many(&'g [i64], i64),
}

impl<'q> Search<'q> {
    /// The page in the asked order, if there is an index of it.
    pub(super) fn walk(&self) -> Result<Option<Vec<i64>>, StoreError> {
        if !self.target.walks {
            return Ok(None);
        }
        let first = match self.order.first() {
            None => First::Start,
            Some(OrderBy { field: Field::Attribute(name), ascending }) => match self.statement().attribute(name)? {
                "t.started" => First::Start,
                column if self.target.indexed.contains(&column) && column != "t.id" => {
                    First::Column(column, *ascending)
                }
                _ => return Ok(None),
            },
            Some(OrderBy { field: field @ (Field::Metric(_) | Field::Parameter(_) | Field::Tag(_)), ascending }) => {
                First::Value(field, *ascending)
            }
            Some(_) => return Ok(None),
        };
        let many = self.scope.experiments.as_ref().is_none_or(|all| all.len() * self.scope.flags().len() > MAX_RANGES);
        if many && !matches!(first, First::Start) {
            return Ok(None);
        }
        self.note(|| format!("plan: walk; in the order of {first:?}"));
        self.pieces(first).map(Some)
    }

    /// The newest runs with the value that `condition` asks for: an index has just those, in that order.
    pub(super) fn walk_by_value(&self, condition: &Condition) -> Result<Option<Vec<i64>>, StoreError> {
        let few = self.scope.experiments.as_ref().is_some_and(|all| all.len() <= MAX_RANGES);
        let pair = matches!(condition.field, Field::Parameter(_) | Field::Tag(_));
        if !self.target.walks || !few || !pair || condition.comparison != Comparison::Equal || !self.order.is_empty() {
            return Ok(None);
        }
        let (side, key) = self.statement().pair_side(&condition.field)?;
        self.note(|| format!("plan: walk; the newest of {}", named(condition)));
        let mut found = Vec::new();
        for part in self.parts(self.after.map(|cursor| cursor.0.as_slice()))? {
            let piece =
                Piece { from: Source::Side(side, key), class: None, first: First::Start, value: Some(condition), part };
            self.read(&piece, &mut found)?;
        }
        Ok(Some(found))
    }

    fn pieces(&self, first: First<'q>) -> Result<Vec<i64>, StoreError> {
        let cursor = self.after.map(|cursor| cursor.0.as_slice());
        let mut found = Vec::new();
        let (classes, from) = match first {
            First::Column(column, _) if is_nullable(column) => (THERE_OR_NOT, Source::Runs),
            First::Start | First::Column(..) => {
                // It is always there, and has no key in front that says so.
                for part in self.parts(cursor)? {
                    self.read(&Piece { from: Source::Runs, class: None, first, value: None, part }, &mut found)?;
                }
                return Ok(found);
            }
            First::Value(field @ Field::Metric(key), _) => {
                let side = self.target.metrics.ok_or_else(stale)?;
                (self.classes(field, NUMBER_NAN_OR_NOT), Source::Side(side, key))
            }
            First::Value(field, _) => {
                let (side, key) = self.statement().pair_side(field)?;
                (self.classes(field, THERE_OR_NOT), Source::Side(side, key))
            }
        };
        let last = match cursor.map(<[_]>::split_first) {
            None => None,
            Some(Some((CursorValue::Integer(class), rest))) => Some((*class, rest)),
            Some(_) => return Err(stale()),
        };
        let metric = matches!(first, First::Value(Field::Metric(_), _));
        for class in classes {
            let absent = *class == if metric { 2 } else { 1 };
            let from = if absent { Source::Runs } else { from };
            let parts = match last {
                Some((before, _)) if *class < before => continue,
                // All runs of these classes have the same first key.
                Some((same, rest)) if same == *class && (absent || (metric && same == 1)) => {
                    let (_, rest) = rest.split_first().ok_or_else(stale)?;
                    vec![Part::Rest(rest)]
                }
                Some((same, rest)) if same == *class => self.parts(Some(rest))?,
                _ => vec![Part::Whole],
            };
            for part in parts {
                self.read(&Piece { from, class: Some(*class), first, value: None, part }, &mut found)?;
            }
        }
        Ok(found)
    }

    /// A key's range, cut at the last page's last value.
    fn parts(&self, cursor: Option<&'q [CursorValue]>) -> Result<Vec<Part<'q>>, StoreError> {
        match cursor.map(<[_]>::split_first) {
            None => Ok(vec![Part::Whole]),
            Some(Some((value, rest))) => Ok(vec![Part::At(value, rest), Part::Beyond(value)]),
            Some(None) => Err(stale()),
        }
    }

    /// Those of `all` classes in which runs can be that pass the filter: where it compares the very thing that sorts, whoever
    /// lacks that need not be looked at.
    fn classes(&self, field: &Field, all: &'static [i64]) -> &'static [i64] {
        let mut classes = all;
        for condition in self.filter.iter().filter(|condition| condition.field == *field) {
            let kept = match condition.comparison {
                Comparison::IsNull | Comparison::Without => all.len(),
                // NaN is there, and unequal to every number.
                Comparison::NotEqual | Comparison::IsNotNull => all.len() - 1,
                _ => 1,
            };
            classes = classes.get(..kept.min(classes.len())).unwrap_or(classes);
        }
        classes
    }

    /// Reads a piece until the page is full.
    fn read(&self, piece: &Piece<'q>, found: &mut Vec<i64>) -> Result<(), StoreError> {
        let wanted = (self.limit as usize + 1).saturating_sub(found.len());
        let Ok(wanted) = i64::try_from(wanted) else { return Ok(()) };
        if wanted == 0 {
            return Ok(());
        }
        let experiments = self.scope.experiments.as_deref().unwrap_or_default();
        let flags = self.scope.flags();
        let by_bin = matches!(piece.from, Source::Runs);
        let mut groups = Vec::new();
        if experiments.len() * flags.len() > MAX_RANGES {
            groups.extend(flags.iter().map(|flag| Group::Many(experiments, *flag)));
        } else {
            for experiment in experiments {
                if by_bin {
                    groups.extend(flags.iter().map(|flag| Group::One(*experiment, Some(*flag))));
                } else {
                    groups.push(Group::One(*experiment, None));
                }
            }
        }
        let mut statement = self.statement();
        let limit = statement.bind(wanted);
        let text = match groups.as_slice() {
            [] => return Ok(()),
            [group] => self.range(&mut statement, piece, *group, &limit)?.0,
            _ => {
                let mut ranges = Vec::with_capacity(groups.len());
                let mut merged = Vec::new();
                for (index, group) in groups.iter().enumerate() {
                    let (range, keys) = self.range(&mut statement, piece, *group, &limit)?;
                    ranges.push(format!("SELECT * FROM ({range}) AS r{index}"));
                    merged = keys;
                }
                for (index, key) in merged.iter_mut().enumerate() {
                    key.expression = format!("k{index}");
                }
                format!(
                    "SELECT n FROM ({}) AS u ORDER BY {} LIMIT {limit}",
                    ranges.join(" UNION ALL "),
                    order_by(&merged)
                )
            }
        };
        found.extend(self.rows(&text, statement)?);
        Ok(())
    }

    /// The query of one range, and what it is sorted by.
    fn range(
        &self,
        statement: &mut Statement,
        piece: &Piece<'q>,
        group: Group<'_>,
        limit: &str,
    ) -> Result<(String, Vec<Key>), StoreError> {
        let mut conditions = Vec::new();
        let (from, alias) = match piece.from {
            Source::Runs => (format!("runs t{}", piece.hint(statement)), "t"),
            Source::Side(side, _) => {
                conditions.push("t.number = o.run".to_owned());
                (format!("{} o CROSS JOIN runs t", side.table), "o")
            }
        };
        match group {
            Group::One(experiment, deleted) => {
                conditions.push(format!("{alias}.experiment = {}", statement.bind(experiment)));
                if let Some(deleted) = deleted {
                    conditions.push(format!("t.deleted = {deleted}"));
                } else {
                    conditions.extend(self.scope.bin());
                }
            }
            Group::Many(experiments, deleted) => {
                // The sign keeps the database from looking for each experiment and sorting.
                conditions.push(statement.number_in("+t.experiment", experiments)?);
                conditions.push(format!("t.deleted = {deleted}"));
            }
        }
        let keys = piece.keys(statement, self.order)?;
        piece.conditions(statement, &keys, &mut conditions)?;
        for condition in self.filter {
            let compared = match (piece.from, &condition.field) {
                (Source::Side(..), _) if piece.value == Some(condition) => continue,
                // The same row has both the order and the condition.
                (Source::Side(..), field) if piece.sorts_by(field) => piece.on_row(statement, condition)?,
                _ => None,
            };
            conditions.push(match compared {
                Some(compared) => compared,
                None => statement.condition(condition)?,
            });
        }
        // Where all have the same value there is nothing to sort by it.
        let sorted = if matches!(piece.part, Part::At(..)) { keys.rest() } else { keys.sorted() };
        let columns: Vec<_> =
            sorted.iter().enumerate().map(|(index, key)| format!(", {} AS k{index}", key.expression)).collect();
        let text = format!(
            "SELECT t.number AS n{} FROM {from} WHERE {} ORDER BY {} LIMIT {limit}",
            columns.concat(),
            conditions.join(" AND "),
            order_by(sorted)
        );
        Ok((text, sorted.to_vec()))
    }
}

#[derive(Debug)]
struct Piece<'q> {
    from: Source<'q>,
    /// 0: there; 1: NaN of a metric, absent otherwise; 2: absent metric. `None` where the order has no such key.
    class: Option<i64>,
    first: First<'q>,
    /// The one value that all runs of the piece have.
    value: Option<&'q Condition>,
    part: Part<'q>,
}

/// The keys of a piece: its first one, if runs of the piece differ in it, and the rest.
#[derive(Debug)]
struct PieceKeys {
    all: Vec<Key>,
    has_first: bool,
}

impl PieceKeys {
    fn sorted(&self) -> &[Key] {
        &self.all
    }

    fn first(&self) -> Option<&Key> {
        self.all.first().filter(|_| self.has_first)
    }

    fn rest(&self) -> &[Key] {
        self.all.get(usize::from(self.has_first)..).unwrap_or_default()
    }
}

impl<'q> Piece<'q> {
    /// Whether `field` is what the piece's own table holds.
    fn sorts_by(&self, field: &Field) -> bool {
        matches!(self.first, First::Value(first, _) if first == field)
    }

    /// Whether all runs of the piece are the same in the first key.
    fn is_flat(&self) -> bool {
        match (self.first, self.class) {
            (First::Start, _) => false,
            (First::Column(..), class) => class == Some(1),
            (First::Value(..), class) => class != Some(0),
        }
    }

    /// Without statistics SQLite would as soon look at each run of the experiment by its start.
    fn hint(&self, statement: &Statement) -> &'static str {
        match (statement.dialect, self.first) {
            (Dialect::Sqlite, First::Column("t.ended", _)) => " INDEXED BY runs_by_end",
            (Dialect::Sqlite, First::Column("t.name", _)) => " INDEXED BY runs_by_name",
            (Dialect::Sqlite, First::Column("t.status", _)) => " INDEXED BY runs_by_status",
            (Dialect::Sqlite, First::Column("t.\"user\"", _)) => " INDEXED BY runs_by_user",
            _ => "",
        }
    }

    /// The whole order's keys, in terms of the tables of this piece, without what is the same for all.
    fn keys(&self, statement: &mut Statement, order: &[OrderBy]) -> Result<PieceKeys, StoreError> {
        let skipped = usize::from(!matches!(self.first, First::Start));
        let mut all = statement.keys_from(order, skipped)?;
        if matches!(self.from, Source::Side(..))
            && let Some(first) = all.first_mut()
            && first.expression == "t.started"
        {
            // The index has it too. Runs of the same start are sorted by their id as they come.
            first.expression = "o.started".to_owned();
        }
        let has_first = !self.is_flat();
        if has_first && !matches!(self.first, First::Start) {
            let first = match self.first {
                First::Column(column, ascending) => Key::new(column, ascending),
                First::Value(Field::Metric(_), ascending) => Key::new("o.value", ascending),
                First::Value(_, ascending) => Key::new(head_of("o"), ascending),
                First::Start => return Err(stale()),
            };
            all.insert(0, first);
        }
        Ok(PieceKeys { all, has_first })
    }

    /// What makes a run belong to the piece.
    fn conditions(
        &self,
        statement: &mut Statement,
        keys: &PieceKeys,
        conditions: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        if let Source::Side(side, key) = self.from {
            conditions.push(format!("o.key = {}", statement.bind(key.to_owned())));
            if side.table == "latest_metrics" {
                match self.class {
                    Some(1) => conditions.push("o.nan = 1 AND o.value = 0".to_owned()),
                    _ => conditions.push("o.nan = 0".to_owned()),
                }
            }
        }
        if let Some(condition) = self.value {
            conditions.extend(self.on_row(statement, condition)?);
        }
        match (self.first, self.class, self.from) {
            (First::Column(column, _), Some(0), _) => conditions.push(format!("{column} IS NOT NULL")),
            (First::Column(column, _), Some(1), _) => conditions.push(format!("{column} IS NULL")),
            (First::Value(field, _), Some(_), Source::Runs) => {
                let absent = Condition {
                    field: field.clone(),
                    comparison: Comparison::IsNull,
                    operand: sealyard_store::model::Operand::None,
                };
                conditions.push(statement.condition(&absent)?);
            }
            _ => {}
        }
        match (self.part, keys.first()) {
            (Part::Whole, _) => {}
            (Part::Rest(values), _) => conditions.push(statement.after(keys.rest(), values)?),
            (Part::At(value, rest), Some(first)) => {
                conditions.push(statement.at(first, value));
                conditions.push(statement.after(keys.rest(), rest)?);
            }
            (Part::Beyond(value), Some(first)) => match statement.beyond(first, value) {
                Some(beyond) => conditions.push(beyond),
                None => conditions.push("1 = 0".to_owned()),
            },
            (Part::At(..) | Part::Beyond(_), None) => return Err(stale()),
        }
        Ok(())
    }

    /// `condition`, asked of the piece's own row, if it can be.
    fn on_row(&self, statement: &mut Statement, condition: &Condition) -> Result<Option<String>, StoreError> {
        let Condition { field, comparison, operand } = condition;
        match (field, comparison) {
            (_, Comparison::IsNull | Comparison::IsNotNull | Comparison::Without) => Ok(None),
            (Field::Metric(_), _) => statement.metric_value("o", *comparison, operand).map(Some),
            _ => match statement.indexed_pair_value("o", *comparison, operand)? {
                Some((compared, true)) => Ok(Some(compared)),
                Some((compared, false)) => {
                    Ok(Some(format!("{compared} AND {}", statement.pair_value("o", *comparison, operand)?)))
                }
                None => statement.pair_value("o", *comparison, operand).map(Some),
            },
        }
    }
}
