use sealyard_store::StoreError;
use sealyard_store::model::{Field, OrderBy};

use super::Statement;
use super::condition::unsupported;

impl Statement {
    /// Adds the sort keys of the caller, then the target's own, then what makes the order total. Values that are not
    /// there come last in either direction; NaN comes between them and the numbers.
    pub(super) fn order(&mut self, keys: &[OrderBy]) -> Result<(), StoreError> {
        let mut clauses = Vec::with_capacity(keys.len() * 2 + 3);
        let mut named = Vec::new();
        for OrderBy { field, ascending } in keys {
            let direction = if *ascending { "ASC" } else { "DESC" };
            match field {
                Field::Attribute(name) => {
                    let expression = (self.target.attribute)(name).ok_or_else(|| unsupported("attribute", name))?;
                    named.push(expression);
                    clauses.push(format!("{expression} {direction} NULLS LAST"));
                }
                Field::Metric(key) => {
                    let side = self.target.metrics.ok_or_else(|| unsupported("metric", key))?;
                    let key = self.bind(key.clone());
                    // A logged model has a value for each data set; the latest one counts.
                    let from = format!(
                        "FROM {} s WHERE s.{} = t.number AND s.key = {key} ORDER BY s.step DESC, s.timestamp DESC LIMIT 1",
                        side.table, side.owner
                    );
                    clauses.push(format!("coalesce((SELECT s.nan {from}), 2)"));
                    clauses.push(format!("(SELECT s.value {from}) {direction}"));
                }
                Field::Parameter(key) | Field::Tag(key) => {
                    let side = if matches!(field, Field::Tag(_)) { self.target.tags } else { self.target.params };
                    let side = side.ok_or_else(|| unsupported("tag or parameter", key))?;
                    let key = self.bind(key.clone());
                    clauses.push(format!(
                        "(SELECT s.value FROM {} s WHERE s.{} = t.number AND s.key = {key}) {direction} NULLS LAST",
                        side.table, side.owner
                    ));
                }
                Field::Dataset(name) => return Err(unsupported("order by dataset field", name)),
            }
        }
        for (name, ascending) in self.target.fallback {
            if let Some(expression) = (self.target.attribute)(name)
                && !named.contains(&expression)
            {
                clauses.push(format!("{expression} {}", if *ascending { "ASC" } else { "DESC" }));
            }
        }
        clauses.push(self.target.tie.to_owned());
        self.text.push_str(" ORDER BY ");
        self.text.push_str(&clauses.join(", "));
        Ok(())
    }
}
