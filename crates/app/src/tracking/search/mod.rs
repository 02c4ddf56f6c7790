//! MLflow's search language: conditions joined by AND, and sort orders.
//!
//! The text becomes [`Condition`]s over a closed vocabulary; nothing of it ever reaches a database but as a bound
//! value.

mod lexer;
mod logged_models;
mod parser;
mod registry;
mod vocabulary;

pub use logged_models::{LoggedModelOrder, logged_models};
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
    /// `datasets/search`.
    EvaluationDatasets,
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

/// The beginning of what a client wrote, for an error.
fn shown(text: &str) -> String {
    text.chars().take(120).collect()
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
            "1 = 1",
            "params.a = 'x'; DROP TABLE runs",
            "params.a = 'x' -- ",
            "(params.a = 'x')",
            "metrics.a = nan",
            "metrics.a = 1e999",
            "params.a = x",
            "datasets.schema = 'x'",
            "status IN ('RUNNING')",
            "datasets.name IS NULL",
            "run_id IN ('a', 1)",
        ];
        for text in refused {
            assert!(filter(Searched::Runs, text).is_err(), "{text}");
        }
        assert!(filter(Searched::RegisteredModels, "metrics.a = 1").is_err());
        assert!(filter(Searched::Experiments, "params.a = '1'").is_err());
    }

    fn refusal(searched: Searched, text: &str) -> String {
        filter(searched, text).unwrap_err().to_string()
    }

    /// What MLflow's clients and tests look for in an error.
    #[test]
    fn refusals_are_in_the_words_that_clients_know() {
        let known = [
            ("metric.acc >= 0.94; metrics.rmse < 1", "Search filter contained multiple expression"),
            ("m.acc >= 0.94", "Invalid entity type"),
            ("acc >= 0.94", "Invalid attribute key"),
            ("p.model >= 'LR'", "Invalid entity type"),
            ("model >= 'LR'", "Invalid attribute key"),
            ("metrics.A > 0.1 OR params.B = 'LR'", "Invalid clause(s) in filter string"),
            ("metrics.A > 0.1 NAND params.B = 'LR'", "Invalid clause(s) in filter string"),
            ("metrics.A > 0.1 AND (params.B = 'LR')", "Invalid clause(s) in filter string"),
            ("`metrics.A > 0.1", "Invalid clause(s) in filter string"),
            ("param`.A > 0.1", "Invalid clause(s) in filter string"),
            ("attribute.start != 1", "Invalid attribute key"),
            ("attribute.experiment_id != 1", "Invalid attribute key"),
            ("attribute.status = true", "Invalid clause(s) in filter string"),
            ("dataset.status = 'true'", "Invalid dataset key"),
            ("metrics.acc IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params"),
            ("attribute.status IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params"),
            ("metric.model = 'LR'", "Expected numeric value type for metric"),
            ("params.acc = 5", "Expected a quoted string value for param"),
            ("tags.acc = 5", "Expected a quoted string value for tag"),
            ("metrics.acc != metrics.acc", "Expected numeric value type for metric"),
            ("1.0 > metrics.acc", "Expected 'Identifier' found"),
            ("1==2", "Expected 'Identifier' found"),
            ("attribute.status = 1", "Expected a quoted string value for attributes"),
            ("params.acc = LR", "value is either not quoted or unidentified quote types"),
            ("params.acc = `LR`", "value is either not quoted or unidentified quote types"),
            ("params.'acc = LR", "Invalid clause(s) in filter string"),
            ("params.acc = 'LR", "Invalid clause(s) in filter string"),
            ("params.acc = LR'", "Invalid clause(s) in filter string"),
            ("tags.acc = = 'LR'", "Invalid clause(s) in filter string"),
            ("attribute.status IS 'RUNNING'", "Invalid clause(s) in filter string"),
            ("params.acc LR !=", "Invalid clause(s) in filter string"),
            ("metric.acc !=", "Invalid clause(s) in filter string"),
            ("foo is null", "Invalid attribute key"),
            ("metrics.abc ~ 1.0", "Invalid comparator"),
            ("params.abc ~= 'x'", "Invalid comparator"),
            ("tags.abc > 'x'", "Invalid comparator"),
            ("attributes.start_time LIKE 1234", "Invalid comparator"),
            ("datasets.name >= 'x'", "Invalid comparator"),
            ("attributes.status IN ('x')", "Only the 'run_id' attribute supports comparison with a list"),
            ("run_id IN ()", "expected a non-empty list of string values, but got empty list"),
            ("run_id IN (1, 'a')", "got different type in list"),
        ];
        for (text, words) in known {
            let found = refusal(Searched::Runs, text);
            assert!(found.contains(words), "{text}: {found}");
        }
        for (searched, text, words) in [
            (Searched::Experiments, "metrics.a = 1", "Valid entity types are ('attribute', 'tag', 'tags')"),
            (Searched::Experiments, "name IS NULL", "only supported for tags, not for attribute 'name'"),
            (Searched::RegisteredModels, "run_id = 'a'", "Invalid attribute key 'run_id'"),
            (Searched::RegisteredModels, "name > 'a'", "Invalid comparator for attribute: >"),
            (Searched::ModelVersions, "tags.a > 'a'", "Invalid comparator for tag: >"),
            (Searched::LoggedModels, "metrics.a LIKE 1", "Invalid comparison operator for metrics.a"),
            (Searched::LoggedModels, "x.a = 1", "Invalid entity type: 'x'"),
            (
                Searched::LoggedModels,
                "metrics.a > 1 OR metrics.b > 1",
                "Expected a list of comparisons separated by 'AND'",
            ),
        ] {
            let found = refusal(searched, text);
            assert!(found.contains(words), "{text}: {found}");
        }
        for (text, words) in [
            ("`metrics.A`", "Invalid entity type"),
            ("`metrics.A", "Invalid order_by clause"),
            ("metrics.A != 1", "Invalid order_by clause"),
            ("attribute.run_id ACS", "Invalid ordering key"),
            ("attribute.experiment_id", "Invalid attribute key"),
        ] {
            let found = order(Searched::Runs, [text]).unwrap_err().to_string();
            assert!(found.contains(words), "{text}: {found}");
        }
    }

    #[test]
    fn keys_are_quoted_in_every_way() {
        for text in ["metric.\"legit name\" > 1", "metrics.`legit name`> 1", "`metrics`.'legit name' > 1"] {
            assert_eq!(one(Searched::Runs, text).field, Field::Metric("legit name".into()), "{text}");
        }
        let odd = one(Searched::Runs, "metrics.\"X//Y#$$@&Z\" = 3");
        assert_eq!(odd.field, Field::Metric("X//Y#$$@&Z".into()));
        assert_eq!(one(Searched::LoggedModels, "params.a NOT IN ('x')").comparison, Comparison::NotIn);
        assert_eq!(one(Searched::ModelVersions, "version_number <= 3").operand, Operand::Number(3.0));
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

    const ALL: [Searched; 6] = [
        Searched::Runs,
        Searched::Experiments,
        Searched::LoggedModels,
        Searched::RegisteredModels,
        Searched::ModelVersions,
        Searched::EvaluationDatasets,
    ];

    const PIECES: &[&str] = &[
        "metrics",
        "params",
        "tags",
        "attributes",
        "dataset",
        ".",
        "`",
        "'",
        "\"",
        "a",
        "name",
        "run_id",
        "start_time",
        "=",
        "!=",
        "<",
        ">=",
        "~",
        "LIKE",
        "ilike",
        "IN",
        "NOT",
        "IS",
        "NULL",
        "(",
        ")",
        ",",
        ";",
        "AND",
        "OR",
        "1",
        "-2.5e3",
        "ASC",
        "DESC",
        "'x'",
        "`k`",
        "\u{0}",
        "é",
    ];

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            for searched in ALL {
                let _ = filter(searched, &text);
                let _ = order(searched, [text.as_str()]);
            }
        }

        /// Texts that are nearly filters find more than random ones.
        #[test]
        fn no_heap_of_pieces_panics(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..24),
            spaced in proptest::bool::ANY,
        ) {
            let text = pieces.join(if spaced { " " } else { "" });
            for searched in ALL {
                if let Ok(conditions) = filter(searched, &text) {
                    proptest::prop_assert!(conditions.len() <= MAX_CONDITIONS);
                }
                let _ = order(searched, [text.as_str()]);
            }
        }

        /// What a value holds comes out as it went in, whatever it is, and never ends the condition.
        #[test]
        fn a_quoted_value_is_only_a_value(value in "\\PC{0,60}") {
            let text = format!("params.a = '{}'", value.replace('\'', "''"));
            let found = filter(Searched::Runs, &text).unwrap();
            proptest::prop_assert_eq!(found.len(), 1);
            proptest::prop_assert_eq!(&found[0].operand, &Operand::Text(value));
        }

        #[test]
        fn a_quoted_key_is_only_a_key(key in "[^`]{1,60}", ascending in proptest::bool::ANY) {
            let text = format!("metrics.`{key}` {}", if ascending { "ASC" } else { "DESC" });
            let found = order(Searched::Runs, [text.as_str()]).unwrap();
            proptest::prop_assert_eq!(&found[0], &OrderBy { field: Field::Metric(key), ascending });
        }
    }
}
