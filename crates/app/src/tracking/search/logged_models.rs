use sealyard_store::model::{Comparison, Condition, DatasetRef, Field, Operand, OrderBy};

use super::{MAX_LIST, MAX_ORDER_KEYS, Searched, filter, order, shown};
use crate::AppError;

/// One key of a search for logged models, as MLflow's protocol has it.
#[derive(Debug, Clone, Default)]
pub struct LoggedModelOrder {
    /// `creation_timestamp`, `metrics.rmse`, …
    pub field: String,
    /// Smallest first.
    pub ascending: bool,
    /// For a metric: its value on this data set only.
    pub dataset_name: Option<String>,
    /// And with this digest.
    pub dataset_digest: Option<String>,
}

/// Reads a search for logged models: what must hold and the order. With data sets, the metrics of the filter are those on one
/// of them; without such metrics, models are found that have any metric on one of them.
///
/// # Errors
/// [`AppError::Invalid`].
pub fn logged_models(
    text: &str,
    datasets: Vec<DatasetRef>,
    keys: &[LoggedModelOrder],
) -> Result<(Vec<Condition>, Vec<OrderBy>), AppError> {
    if datasets.iter().any(|dataset| dataset.name.is_empty()) {
        return Err(AppError::Invalid("`dataset_name` in the `datasets` clause must be specified.".to_owned()));
    }
    if datasets.len() > MAX_LIST.min(100) {
        return Err(AppError::Invalid("a search names at most 100 data sets".to_owned()));
    }
    let mut conditions = filter(Searched::LoggedModels, text)?;
    if !datasets.is_empty() {
        let mut on_metrics = false;
        for condition in &mut conditions {
            if let Field::Metric(key) = &condition.field {
                condition.field = Field::MetricOn(Some(key.clone()), datasets.clone());
                on_metrics = true;
            }
        }
        if !on_metrics {
            let field = Field::MetricOn(None, datasets);
            conditions.push(Condition { field, comparison: Comparison::IsNotNull, operand: Operand::None });
        }
    }
    if keys.len() > MAX_ORDER_KEYS {
        return Err(AppError::Invalid(format!("a search can be ordered by at most {MAX_ORDER_KEYS} keys")));
    }
    let mut orders = Vec::with_capacity(keys.len());
    for key in keys {
        orders.push(order_key(key)?);
    }
    Ok((conditions, orders))
}

fn order_key(key: &LoggedModelOrder) -> Result<OrderBy, AppError> {
    // A metric's key is all that follows, whatever it holds.
    let field = match key.field.split_once('.') {
        Some((entity, metric)) if !matches!(entity, "metrics" | "metric") || metric.is_empty() => {
            return Err(AppError::Invalid(format!(
                "Invalid order by field name: {}. Only metrics are supported.",
                shown(&key.field)
            )));
        }
        Some((_, metric)) => {
            let metric = metric.trim_matches('`').to_owned();
            let dataset = key.dataset_name.clone().filter(|name| !name.is_empty());
            match dataset {
                None => Field::Metric(metric),
                Some(name) => {
                    let digest = key.dataset_digest.clone().filter(|digest| !digest.is_empty());
                    Field::MetricOn(Some(metric), vec![DatasetRef { name, digest }])
                }
            }
        }
        None => return Ok(OrderBy { ascending: key.ascending, ..attribute(&key.field)? }),
    };
    Ok(OrderBy { field, ascending: key.ascending })
}

fn attribute(name: &str) -> Result<OrderBy, AppError> {
    let mut found = order(Searched::LoggedModels, [name])?;
    found.pop().ok_or_else(|| AppError::Invalid(format!("Invalid order by field name: {}", shown(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(field: &str) -> LoggedModelOrder {
        LoggedModelOrder { field: field.to_owned(), ascending: true, ..LoggedModelOrder::default() }
    }

    #[test]
    fn data_sets_bind_the_metrics_of_the_filter() {
        let datasets = vec![DatasetRef { name: "d".into(), digest: None }];
        let (conditions, _) = logged_models("metrics.a > 1 AND params.b = 'x'", datasets.clone(), &[]).unwrap();
        assert_eq!(conditions[0].field, Field::MetricOn(Some("a".into()), datasets.clone()));
        assert_eq!(conditions.len(), 2);
        let (conditions, _) = logged_models("params.b = 'x'", datasets.clone(), &[]).unwrap();
        assert_eq!(conditions[1].field, Field::MetricOn(None, datasets));
    }

    #[test]
    fn orders_by_attributes_and_metrics_only() {
        let on = LoggedModelOrder { dataset_name: Some("d".into()), ..by("metrics.a b.c") };
        let (_, orders) = logged_models("", vec![], &[on, by("creation_time"), by("metrics.x")]).unwrap();
        let dataset = DatasetRef { name: "d".into(), digest: None };
        assert_eq!(orders[0].field, Field::MetricOn(Some("a b.c".into()), vec![dataset]));
        assert_eq!(orders[1].field, Field::Attribute("creation_timestamp"));
        assert_eq!(orders[2].field, Field::Metric("x".into()));
        for (bad, words) in [("params.a", "Only metrics are supported"), ("nothing", "Invalid order by field name")] {
            let refused = logged_models("", vec![], &[by(bad)]).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
        let nameless = vec![DatasetRef { name: String::new(), digest: None }];
        assert!(logged_models("", nameless, &[]).is_err());
    }
}
