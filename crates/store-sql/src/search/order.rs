use sealyard_store::StoreError;
use sealyard_store::model::{Field, OrderBy};

use super::Statement;
use super::condition::{head_of, unsupported};
use super::keys::Key;
use super::target::is_nullable;

impl Statement {
    /// The keys of the caller, then the target's own, then what makes the order total. What is not there comes last in either
    /// direction; NaN comes between that and the numbers. To that end, what may be absent has a key of its own in front.
    pub(super) fn keys(&mut self, order: &[OrderBy]) -> Result<Vec<Key>, StoreError> {
        self.keys_from(order, 0)
    }

    /// The same without those of the first `skipped` of the caller's. Nothing is bound for these: a database may refuse a
    /// parameter that no text names.
    pub(super) fn keys_from(&mut self, order: &[OrderBy], skipped: usize) -> Result<Vec<Key>, StoreError> {
        let mut keys = Vec::with_capacity(order.len() * 2 + 3);
        for OrderBy { field, ascending } in order.iter().skip(skipped) {
            self.push_key(&mut keys, field, *ascending)?;
        }
        let usual: &[_] = if order.is_empty() { self.target.usual } else { &[] };
        for (name, ascending) in usual.iter().chain(self.target.fallback) {
            let expression = self.attribute(name)?;
            if !keys.iter().any(|key: &Key| key.expression == expression) {
                keys.push(Key::new(expression, *ascending));
            }
        }
        // An id is nobody else's.
        if !keys.iter().any(|key| matches!(key.expression.as_str(), "t.id" | "t.number")) {
            keys.push(Key::new("t.number", self.target.tie_ascends));
        }
        Ok(keys)
    }

    fn push_key(&mut self, keys: &mut Vec<Key>, field: &Field, ascending: bool) -> Result<(), StoreError> {
        match field {
            Field::Attribute(name) => {
                let expression = self.attribute(name)?;
                if is_nullable(expression) {
                    keys.push(Key::new(format!("CASE WHEN {expression} IS NULL THEN 1 ELSE 0 END"), true));
                }
                keys.push(Key::new(expression, ascending));
            }
            Field::Metric(_) | Field::MetricOn(..) => {
                let from = self.metric_from(field)?;
                keys.push(Key::new(format!("coalesce((SELECT s.nan {from}), 2)"), true));
                keys.push(Key::new(format!("(SELECT s.value {from})"), ascending));
            }
            Field::Parameter(_) | Field::Tag(_) => {
                let (side, key) = self.pair_side(field)?;
                let key = self.bind(key.to_owned());
                let head = head_of("s");
                let value = format!(
                    "(SELECT {head} FROM {} s WHERE s.{} = t.number AND s.key = {key})",
                    side.table, side.owner
                );
                keys.push(Key::new(format!("CASE WHEN {value} IS NULL THEN 1 ELSE 0 END"), true));
                keys.push(Key::new(value, ascending));
            }
            Field::Dataset(name) => return Err(unsupported("order by dataset field", name)),
        }
        Ok(())
    }

    fn metric_from(&mut self, field: &Field) -> Result<String, StoreError> {
        let (key, datasets) = match field {
            Field::Metric(key) => (key, [].as_slice()),
            Field::MetricOn(Some(key), datasets) => (key, datasets.as_slice()),
            _ => return Err(unsupported("order by", "metric")),
        };
        let side = self.target.metrics.ok_or_else(|| unsupported("metric", key))?;
        if side.knows_run && !datasets.is_empty() {
            return Err(unsupported("metric of a data set", key));
        }
        let key = self.bind(key.clone());
        let on = self.on_datasets("s", datasets);
        // A logged model has a value for each data set; the latest one counts.
        let latest = if side.knows_run { "" } else { " ORDER BY s.timestamp DESC, s.step DESC LIMIT 1" };
        Ok(format!("FROM {} s WHERE s.{} = t.number AND s.key = {key}{on}{latest}", side.table, side.owner))
    }
}
