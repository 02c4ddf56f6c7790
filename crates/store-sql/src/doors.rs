//! Where a row's workspace is asked for.
//!
//! Rows are named from outside in few ways: experiments, registered models, webhooks and data sets by name or id, what hangs on
//! an experiment by its id, files by their owner. Every statement that takes such a name must ask for the session's workspace
//! in the same breath; a statement that takes the number of a row got it from one that did. [`is_guarded`] looks at the text
//! of every statement that runs in a build with debug assertions, which all tests are: one that forgets the workspace
//! fails there.

/// A condition for the end of a statement whose `?1` is a name and whose `?2` is the workspace: the row's experiment is in it.
macro_rules! here {
    ($sql:literal) => {
        concat!(
            $sql,
            " AND EXISTS (SELECT 1 FROM experiments home WHERE home.number = experiment AND home.workspace = ?2)"
        )
    };
}
pub(crate) use here;

/// Whether the row of `$table` whose id is `?1` is in another workspace than `?2`.
macro_rules! elsewhere {
    ($table:literal) => {
        concat!(
            "SELECT 1 FROM ",
            $table,
            " t JOIN experiments home ON home.number = t.experiment WHERE t.id = ?1 AND home.workspace <> ?2"
        )
    };
}
pub(crate) use elsewhere;

/// How a statement begins that is meant to see all workspaces, such as one of the housekeeping.
pub(crate) const ALL: &str = "/* all workspaces */";

/// Tables that have a workspace of their own.
const OWN: [&str; 5] = ["experiments", "registered_models", "webhooks", "evaluation_datasets", "evidence"];
/// Tables whose rows hang on an experiment, and are named from outside by their ids.
const HANGING: [&str; 4] = ["runs", "logged_models", "traces", "issues"];
/// Columns that are named from outside.
const NAMES: [&str; 8] = ["id", "name", "key", "subject", "digest", "owner", "source_run", "client_request_id"];

/// Whether a statement can't reach a row of another workspace by a name from outside.
pub(crate) fn is_guarded(sql: &str) -> bool {
    if sql.starts_with(ALL) || sql.starts_with("EXPLAIN") {
        return true;
    }
    let words: Vec<&str> = sql
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_' || "=<>?".contains(character)))
        .filter(|word| !word.is_empty())
        .collect();
    if words.contains(&"workspace") {
        return true;
    }
    let names_table = |tables: &[&str]| {
        words.windows(2).any(|pair| {
            matches!(pair, [before, table]
                if ["FROM", "JOIN", "INTO", "UPDATE"].contains(before) && tables.contains(table))
        })
    };
    let (own, hanging) = (names_table(&OWN), names_table(&HANGING));
    if !own && !hanging {
        return true;
    }
    let compares_a_name = words.windows(2).any(|pair| {
        matches!(pair, [column, sign]
            if NAMES.contains(column) && ["=", "<", ">", "<=", ">=", "<>", "IN", "LIKE", "like"].contains(sign))
    });
    // `SET name = ?2` is no comparison.
    let sets = words.first() == Some(&"UPDATE");
    let by_number = words.windows(2).any(|pair| {
        matches!(pair, [column, sign]
            if ["number", "experiment", "model", "run", "version", "trace"].contains(column) && ["=", "IN"].contains(sign))
    });
    let inserts = words.first() == Some(&"INSERT");
    match () {
        () if inserts => !own,
        () if sets => by_number,
        () => by_number && !compares_a_name,
    }
}

/// Whether a statement is about the tables of the AI gateway, which have no workspace.
pub(crate) fn is_of_gateway(sql: &str) -> bool {
    sql.contains("gateway_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_takes_a_name_without_the_workspace_is_found() {
        for sql in [
            "SELECT number FROM experiments WHERE name = ?1",
            "SELECT number FROM runs WHERE id = ?1",
            "SELECT count(*) FROM webhooks",
            "SELECT number FROM webhooks WHERE number > ?1 ORDER BY number",
            "DELETE FROM traces WHERE id = ?1",
            "UPDATE webhooks SET url = ?2 WHERE id = ?1",
            "INSERT INTO registered_models (name) VALUES (?1)",
            "SELECT bundle FROM evidence WHERE subject = ?1",
            "SELECT a.version FROM aliases a JOIN registered_models m ON m.number = a.model WHERE m.name = ?1",
        ] {
            assert!(!is_guarded(sql), "{sql}");
        }
    }

    #[test]
    fn the_others_are_let_through() {
        for sql in [
            "SELECT number FROM experiments WHERE key = ?1 AND workspace = ?2",
            here!("SELECT number FROM runs WHERE id = ?1"),
            "SELECT name FROM experiments WHERE number = ?1",
            "SELECT name FROM registered_models WHERE number IN (SELECT value FROM json_each(?1))",
            "INSERT INTO runs (id, experiment) VALUES (?1, ?2)",
            "UPDATE runs SET name = ?2 WHERE number = ?1",
            "SELECT name FROM users WHERE name = ?1",
            "/* all workspaces */ SELECT count(*) FROM webhooks",
        ] {
            assert!(is_guarded(sql), "{sql}");
        }
    }
}
