//! Whether a query is one of this schema, and not too much. Nothing is read before the whole of it is.

use super::ParseError;
use super::document::{Field, Kind, Operation};
use super::schema::{EXPERIMENT, MODEL_VERSION, MUTATION, QUERY, Root, Shape, Type};

/// MLflow's own bounds: of fields at the top, and of aliases beside each other.
const MOST_ROOTS: usize = 10;
const MOST_ALIASES: usize = 10;

/// Refuses what asks for many answers at once.
pub(super) fn bounds(operations: &[Operation]) -> Result<(), ParseError> {
    let mut roots = 0;
    let mut aliases = 0;
    let mut levels: Vec<&[Field]> = Vec::new();
    for operation in operations {
        roots += operation.selection.len();
        levels.push(&operation.selection);
    }
    while let Some(level) = levels.pop() {
        aliases = aliases.max(level.iter().filter(|field| field.alias.is_some()).count());
        levels.extend(level.iter().map(|field| field.selection.as_slice()).filter(|fields| !fields.is_empty()));
    }
    for (what, most, found) in [("root fields", MOST_ROOTS, roots), ("aliases", MOST_ALIASES, aliases)] {
        if found > most {
            let message = format!("GraphQL queries should have at most {most} {what}, got {found} {what}.");
            return Err(ParseError::TooMuch(message));
        }
    }
    Ok(())
}

/// The fields of the operation's kind.
pub(super) const fn roots(kind: Kind) -> (&'static str, &'static [Root]) {
    match kind {
        Kind::Query => ("Query", QUERY),
        Kind::Mutation => ("Mutation", MUTATION),
    }
}

/// The field of `Query` or `Mutation` that is named.
pub(super) fn root(kind: Kind, name: &str) -> Result<&'static Root, ParseError> {
    let (kind, roots) = roots(kind);
    roots.iter().find(|root| root.field == name).ok_or_else(|| unknown(name, kind))
}

/// Checks every field of the operation, and merges those of the same name in the answer.
pub(super) fn operation(operation: Operation) -> Result<Operation, ParseError> {
    let selection = merge(operation.selection)?;
    for field in selection.iter().filter(|field| field.name != "__typename") {
        fields(root(operation.kind, &field.name)?.answer, field)?;
    }
    Ok(Operation { selection, ..operation })
}

fn fields(of: &'static Type, parent: &Field) -> Result<(), ParseError> {
    if parent.selection.is_empty() {
        return Err(invalid(format!(
            "Field '{}' of type '{}' must have a selection of subfields.",
            shown(&parent.name),
            of.name
        )));
    }
    for field in parent.selection.iter().filter(|field| field.name != "__typename") {
        if !field.arguments.is_empty() {
            return Err(invalid(format!("Field '{}' takes no arguments.", shown(&field.name))));
        }
        let (_, shape) = of.field(&field.name).ok_or_else(|| unknown(&field.name, of.name))?;
        match shape {
            Shape::Object(inner) | Shape::Objects(inner) | Shape::Nothing(inner) => fields(inner, field)?,
            Shape::ExperimentOfRun => fields(&EXPERIMENT, field)?,
            Shape::VersionsOfRun => fields(&MODEL_VERSION, field)?,
            _ if !field.selection.is_empty() => {
                return Err(invalid(format!("Field '{}' must not have a selection.", shown(&field.name))));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Fields that have one name in the answer become one, if they are one.
fn merge(selection: Vec<Field>) -> Result<Vec<Field>, ParseError> {
    let mut merged: Vec<Field> = Vec::with_capacity(selection.len());
    for field in selection {
        match merged.iter_mut().find(|known| known.key() == field.key()) {
            Some(known) if known.name == field.name && known.arguments == field.arguments => {
                known.selection.extend(field.selection);
            }
            Some(_) => {
                return Err(invalid(format!("Fields '{}' conflict. Use different aliases.", shown(field.key()))));
            }
            None => merged.push(field),
        }
    }
    for field in &mut merged {
        field.selection = merge(std::mem::take(&mut field.selection))?;
    }
    Ok(merged)
}

fn unknown(name: &str, of: &str) -> ParseError {
    invalid(format!("Cannot query field '{}' on type '{of}'.", shown(name)))
}

fn invalid(message: String) -> ParseError {
    ParseError::Invalid(message)
}

fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::*;

    fn check(text: &str) -> Result<Operation, ParseError> {
        let document = parse(text)?;
        bounds(&document.operations)?;
        operation(document.operations.into_iter().next().unwrap())
    }

    #[test]
    fn batches_are_bounded() {
        let many = |count: usize, field: &str| (0..count).map(|n| format!("a{n}: {field} ")).collect::<String>();
        let roots = |count| check(&format!("{{{}}}", many(count, "test { output }")));
        assert!(roots(10).is_ok());
        assert_eq!(
            roots(12),
            Err(ParseError::TooMuch("GraphQL queries should have at most 10 root fields, got 12 root fields.".into()))
        );
        let aliases = |count| check(&format!("{{mlflowGetExperiment {{{}}}}}", many(count, "experiment { name }")));
        assert!(aliases(10).is_ok());
        assert!(matches!(aliases(11), Err(ParseError::TooMuch(message)) if message.contains("at most 10 aliases")));
    }

    #[test]
    fn only_fields_of_the_schema_pass() {
        assert!(
            check("{mlflowGetRun {run {info {runId} experiment {name} modelVersions {version}} apiError {code}}}")
                .is_ok()
        );
        for text in [
            "{nothing {a}}",
            "{mlflowGetRun}",
            "{mlflowGetRun {nothing}}",
            "{mlflowGetRun {run}}",
            "{mlflowGetRun {run {info {runId {a}}}}}",
            "{mlflowGetRun {run {info(a: 1) {runId}}}}",
            "{mlflowGetRun {run {experiment {tokens}}}}",
            "{mlflowSearchDatasets {datasetSummaries {name}}}",
            "mutation {mlflowGetRun {run {info {runId}}}}",
            "{__schema {types {name}}}",
        ] {
            assert!(matches!(check(text), Err(ParseError::Invalid(_))), "{text}");
        }
    }

    #[test]
    fn fields_of_one_name_are_one() {
        let checked = check("{test {output} test {output x: output}}").unwrap();
        assert_eq!(checked.selection.len(), 1);
        assert_eq!(checked.selection[0].selection.len(), 2);
        assert!(check("{x: test {output} x: mlflowGetRun {run {info {runId}}}}").is_err());
        assert!(check("{test(inputString: \"a\") {output} test(inputString: \"b\") {output}}").is_err());
    }
}
