use sealyard_store::StoreError;
use sealyard_store::model::{SortValue, TraceField, TraceOrder, TracePage, TraceQuery};

use super::builder::Builder;
use super::filter::{attribute, unsupported};
use crate::session::Session;
use crate::sql::{FromValue, ValueRef};

/// Most sort keys of one search.
const MAX_ORDER: usize = 20;

/// A page of traces ends early when it holds so much.
const PAGE_BYTES: u64 = 48 << 20;

/// A key of the whole order, the caller's and what makes it total.
#[derive(Debug)]
struct Key {
    expression: String,
    ascending: bool,
}

impl Session<'_> {
    pub(super) fn find_traces(&self, query: &TraceQuery) -> Result<TracePage, StoreError> {
        if query.order.len() > MAX_ORDER {
            return Err(StoreError::Invalid(format!("a search may have {MAX_ORDER} sort keys at most")));
        }
        let mut builder = Builder::new(self.dialect(), "");
        let keys = keys(&mut builder, &query.order)?;
        let columns: Vec<&str> = keys.iter().map(|key| key.expression.as_str()).collect();
        builder.begin(&format!("SELECT t.number, {} FROM traces t WHERE ", columns.join(", ")));
        self.trace_bounds(&mut builder, query)?;
        if let Some(after) = &query.after {
            let condition = behind(&mut builder, &keys, after)?;
            builder.and(&condition);
        }
        let order: Vec<String> = keys
            .iter()
            .map(|key| {
                let direction = if key.ascending { "ASC" } else { "DESC" };
                let last = if is_never_null(&key.expression) { "" } else { " NULLS LAST" };
                format!("{} {direction}{last}", key.expression)
            })
            .collect();
        let limit = builder.bind(i64::from(query.limit) + 1);
        builder.push(&format!(" ORDER BY {} LIMIT {limit}", order.join(", ")));
        let count = keys.len();
        let mut found: Vec<(i64, Vec<SortValue>)> = builder.all(self, |row| {
            let values = (1..=count).map(|index| row.get::<SortValue>(index)).collect::<Result<_, _>>()?;
            Ok((row.get(0)?, values))
        })?;
        let limit = query.limit as usize;
        let more = found.len() > limit;
        found.truncate(limit);
        let mut next = if more { found.last().map(|(_, values)| values.clone()) } else { None };
        let (mut items, mut bytes) = (Vec::new(), 0_u64);
        let last = found.len();
        for (position, (number, values)) in found.into_iter().enumerate() {
            let trace = self.load_trace(number)?;
            bytes = bytes.saturating_add(trace.size());
            items.push(trace);
            // A shorter page says where to go on, as every page does.
            if bytes >= PAGE_BYTES && position + 1 < last {
                next = Some(values);
                break;
            }
        }
        Ok(TracePage { items, next })
    }

    pub(super) fn count_found_traces(&self, query: &TraceQuery) -> Result<u64, StoreError> {
        let mut builder = Builder::new(self.dialect(), "SELECT count(*) FROM traces t WHERE ");
        self.trace_bounds(&mut builder, query)?;
        let counted: Vec<i64> = builder.all(self, |row| row.get(0))?;
        Ok(counted.first().and_then(|count| u64::try_from(*count).ok()).unwrap_or(0))
    }

    /// Experiments and filter of a search.
    fn trace_bounds(&self, builder: &mut Builder, query: &TraceQuery) -> Result<(), StoreError> {
        let experiments = self.experiments_here(&query.experiments)?;
        match experiments.as_slice() {
            [one] => {
                let name = builder.bind(*one);
                builder.and(&format!("t.experiment = {name}"));
            }
            many => {
                let list = builder.bind_numbers(many)?;
                builder.and(&format!("t.experiment IN {list}"));
            }
        }
        self.trace_conditions(builder, &query.filter)?;
        self.trace_conditions(builder, &query.and_also)
    }
}

impl FromValue for SortValue {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Null => Some(Self::None),
            ValueRef::Integer(number) => Some(Self::Integer(number)),
            ValueRef::Text(text) => Some(Self::Text(text.to_owned())),
            _ => None,
        }
    }
}

fn is_never_null(expression: &str) -> bool {
    matches!(expression, "t.id" | "t.started" | "t.state" | "t.experiment" | "(t.started + coalesce(t.duration, 0))")
}

fn keys(builder: &mut Builder, order: &[TraceOrder]) -> Result<Vec<Key>, StoreError> {
    let mut keys: Vec<Key> = Vec::with_capacity(order.len() + 2);
    for TraceOrder { field, ascending } in order {
        let expression = match field {
            TraceField::Attribute(name) => attribute(name).ok_or_else(|| unsupported(name))?.to_owned(),
            TraceField::Tag(key) => {
                let key = builder.bind(key.clone());
                format!("(SELECT s.value FROM trace_tags s WHERE s.trace = t.number AND s.key = {key})")
            }
            TraceField::Metadata(key) => {
                let key = builder.bind(key.clone());
                format!("(SELECT s.value FROM trace_metadata s WHERE s.trace = t.number AND s.key = {key})")
            }
            _ => return Err(StoreError::Invalid("traces can't be ordered by that".to_owned())),
        };
        if keys.iter().any(|key| key.expression == expression) {
            return Err(StoreError::Invalid("`order_by` contains duplicate fields".to_owned()));
        }
        keys.push(Key { expression, ascending: *ascending });
    }
    for (expression, ascending) in [("t.started", false), ("t.id", true)] {
        if !keys.iter().any(|key| key.expression == expression) {
            keys.push(Key { expression: expression.to_owned(), ascending });
        }
    }
    Ok(keys)
}

/// What holds for every trace that comes behind the one with the values `after`. No page reads what earlier ones showed.
fn behind(builder: &mut Builder, keys: &[Key], after: &[SortValue]) -> Result<String, StoreError> {
    if after.len() != keys.len() {
        return Err(StoreError::Invalid("the page token belongs to another search".to_owned()));
    }
    let mut condition = "1 = 0".to_owned();
    for (position, (Key { expression, ascending }, value)) in keys.iter().zip(after).enumerate().rev() {
        let bound = match value {
            SortValue::None => None,
            SortValue::Integer(number) => Some(builder.bind(*number)),
            SortValue::Text(text) => Some(builder.bind(text.clone())),
        };
        let sign = if *ascending { ">" } else { "<" };
        condition = match bound {
            // Nothing comes behind what is not there but what is not there either.
            None => format!("({expression} IS NULL AND {condition})"),
            Some(bound) => {
                let missing =
                    if is_never_null(expression) { String::new() } else { format!(" OR {expression} IS NULL") };
                let step =
                    format!("({expression} {sign} {bound}{missing} OR ({expression} = {bound} AND {condition}))");
                // The same once more as a plain range, for the index.
                if position == 0 && missing.is_empty() {
                    format!("({expression} {sign}= {bound} AND {step})")
                } else {
                    step
                }
            }
        };
    }
    Ok(condition)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use sealyard_core::Timestamp;

    use super::*;

    fn plan(after: Option<Vec<SortValue>>) -> Vec<String> {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::sqlite::migrate::migrate(&mut connection, Timestamp::from_millis(0)).unwrap();
        let session = Session::sqlite(&connection);
        let query = TraceQuery { experiments: vec!["0".into()], after, limit: 10, ..TraceQuery::default() };
        let mut builder = Builder::new(session.dialect(), "");
        let keys = keys(&mut builder, &[]).unwrap();
        builder.begin("EXPLAIN QUERY PLAN SELECT t.number FROM traces t WHERE ");
        session.trace_bounds(&mut builder, &query).unwrap();
        if let Some(after) = &query.after {
            let condition = behind(&mut builder, &keys, after).unwrap();
            builder.and(&condition);
        }
        builder.push(" ORDER BY t.started DESC, t.id ASC LIMIT 10");
        builder.all(&session, |row| row.get::<String>(3)).unwrap()
    }

    /// The newest traces, and those of any later page, come from the index in their order: no sort, no scan.
    #[test]
    fn pages_walk_the_index() {
        for after in [None, Some(vec![SortValue::Integer(5), SortValue::Text("tr-a".into())])] {
            let deep = after.is_some();
            let plan = plan(after);
            assert!(plan.iter().any(|step| step.contains("traces_by_experiment")), "{plan:?}");
            assert!(!plan.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{plan:?}");
            assert_eq!(plan.iter().any(|step| step.contains("started<")), deep, "{plan:?}");
        }
    }
}
