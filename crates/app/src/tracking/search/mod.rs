//! MLflow's search language: conditions joined by AND, and sort orders.
//!
//! The text becomes [`Condition`]s over a closed vocabulary; nothing of it ever reaches a database but as a bound
//! value.

mod lexer;
mod parser;
mod registry;
mod vocabulary;

pub use registry::RegistryFilter;

use sealyard_store::model::{Condition, OrderBy};

use crate::AppError;
use parser::Parser;
use vocabulary::Vocabulary;

/// Bytes of one filter or order.
const MAX_BYTES: usize = 16 * 1024;
/// Conditions of a filter.
const MAX_CONDITIONS: usize = 64;
/// Keys of a sort order.
const MAX_ORDER_KEYS: usize = 16;
/// Values of one IN list.
const MAX_LIST: usize = 10_000;
/// Bytes of a LIKE pattern: matching one costs its length times the text's.
const MAX_PATTERN: usize = 512;

/// What a search looks through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Searched {
    /// `runs/search`.
    Runs,
    /// `experiments/search`.
    Experiments,
    /// `logged-models/search`.
    LoggedModels,
    /// `registered-models/search`.
    RegisteredModels,
    /// `model-versions/search`.
    ModelVersions,
}

/// Reads a filter; an empty one holds for everything.
///
/// # Errors
/// [`AppError::Invalid`] says what can't be understood, and what could.
pub fn filter(searched: Searched, text: &str) -> Result<Vec<Condition>, AppError> {
    Parser::new(Vocabulary::of(searched), text)?.filter()
}

/// Reads a sort order, each text one key with ASC or DESC.
///
/// # Errors
/// [`AppError::Invalid`].
pub fn order<'a>(searched: Searched, texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<OrderBy>, AppError> {
    let mut order = Vec::new();
    for text in texts {
        if order.len() == MAX_ORDER_KEYS {
            return Err(AppError::Invalid(format!("a search can be ordered by at most {MAX_ORDER_KEYS} keys")));
        }
        order.push(Parser::new(Vocabulary::of(searched), text)?.order()?);
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use sealyard_store::model::{Comparison, Field, Operand};

    use super::*;

    fn one(searched: Searched, text: &str) -> Condition {
        let mut conditions = filter(searched, text).unwrap();
        assert_eq!(conditions.len(), 1, "{text}");
        conditions.remove(0)
    }

    #[test]
    fn what_clients_write_is_understood() {
        let text = "metrics.rmse < -5.3e1 and params.`my key` = 'a ''b''' AND attributes.status != \"FINISHED\"";
        let conditions = filter(Searched::Runs, text).unwrap();
        let expected = [
            (Field::Metric("rmse".into()), Comparison::Less, Operand::Number(-53.0)),
            (Field::Parameter("my key".into()), Comparison::Equal, Operand::Text("a 'b'".into())),
            (Field::Attribute("status"), Comparison::NotEqual, Operand::Text("FINISHED".into())),
        ];
        let found: Vec<_> = conditions
            .into_iter()
            .map(|condition| (condition.field, condition.comparison, condition.operand))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn aliases_and_dotted_keys() {
        for text in [
            "tags.mlflow.user = 'a'",
            "tag.`mlflow.user`='a'",
            "tags.\"mlflow.user\" = \"a\"",
            "`tags`.mlflow.user = 'a'",
        ] {
            assert_eq!(one(Searched::Runs, text).field, Field::Tag("mlflow.user".into()), "{text}");
        }
        for text in ["start_time > 1", "attr.created > 1", "run.start_time > 1", "attribute.`start_time` > 1"] {
            assert_eq!(one(Searched::Runs, text).field, Field::Attribute("start_time"), "{text}");
        }
        assert_eq!(one(Searched::Runs, "attributes.`Run name` = 'x'").field, Field::Attribute("run_name"));
        assert_eq!(
            one(Searched::Runs, "dataset.digest IN ('a', 'b')").operand,
            Operand::List(vec!["a".into(), "b".into()])
        );
        assert_eq!(one(Searched::Runs, "run_id not in ('a')").comparison, Comparison::NotIn);
        assert_eq!(one(Searched::Runs, "params.a IS NOT NULL").comparison, Comparison::IsNotNull);
        assert_eq!(one(Searched::Runs, "tags.a is null").comparison, Comparison::IsNull);
        assert_eq!(one(Searched::Runs, "params.a ilike '%x%'").comparison, Comparison::ILike);
        assert_eq!(one(Searched::LoggedModels, "creation_time > 5").field, Field::Attribute("creation_timestamp"));
    }

    #[test]
    fn everything_else_is_refused() {
        let refused = [
            "metrics.a = 'x'",
            "params.a = 1",
            "params.a > 'x'",
            "start_time LIKE 'x'",
            "password = 'x'",
            "secrets.a = 'x'",
            "metrics.a = 1 OR metrics.b = 1",
            "metrics.a = 1 metrics.b = 1",
            "metrics.a = 1 AND",
            "AND metrics.a = 1",
            "metrics.a",
            "metrics. = 1",
            "metrics.a = ",
            "params.a = 'x",
            "params.`a = 'x'",
            "run_id IN ()",
            "run_id IN ('a'",
            "run_id IN ('a',)",
            "1 = 1",
            "params.a = 'x'; DROP TABLE runs",
            "params.a = 'x' -- ",
            "(params.a = 'x')",
            "metrics.a = nan",
            "metrics.a = 1e999",
            "params.a = x",
            "datasets.schema = 'x'",
        ];
        for text in refused {
            assert!(filter(Searched::Runs, text).is_err(), "{text}");
        }
        assert!(filter(Searched::RegisteredModels, "metrics.a = 1").is_err());
        assert!(filter(Searched::Experiments, "params.a = '1'").is_err());
    }

    #[test]
    fn bombs_are_refused() {
        let many = vec!["params.a = 'x'"; MAX_CONDITIONS + 1].join(" AND ");
        assert!(filter(Searched::Runs, &many).is_err());
        assert!(filter(Searched::Runs, &format!("params.a LIKE '{}'", "%".repeat(MAX_PATTERN + 1))).is_err());
        assert!(filter(Searched::Runs, &format!("params.a = '{}'", "x".repeat(MAX_BYTES))).is_err());
        assert!(order(Searched::Runs, vec!["start_time"; MAX_ORDER_KEYS + 1]).is_err());
    }

    #[test]
    fn orders() {
        let found = order(Searched::Runs, ["metrics.`a b` DESC", "start_time", "params.x asc"]).unwrap();
        assert_eq!(found[0], OrderBy { field: Field::Metric("a b".into()), ascending: false });
        assert_eq!(found[1], OrderBy { field: Field::Attribute("start_time"), ascending: true });
        assert_eq!(found[2], OrderBy { field: Field::Parameter("x".into()), ascending: true });
        for text in ["", "start_time down", "start_time DESC DESC", "start_time, end_time", "dataset.name", "nothing"] {
            assert!(order(Searched::Runs, [text]).is_err(), "{text:?}");
        }
        assert!(order(Searched::RegisteredModels, ["timestamp DESC"]).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            for searched in [Searched::Runs, Searched::ModelVersions, Searched::LoggedModels] {
                let _ = filter(searched, &text);
                let _ = order(searched, [text.as_str()]);
            }
        }
    }
}
