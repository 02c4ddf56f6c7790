//! The schema is the one that the steps make: a trigger, rule, default or function that somebody else put there would change what
//! the server writes.
//!
//! What the steps make differs a little with the server's version, so they are taken in a schema of their own beside the
//! catalog, and undone, to compare with.

use std::collections::BTreeSet;

use sealyard_store::StoreError;

use super::connection::Connection;
use super::migrate::{MIGRATIONS, begin_catalog};

/// Where the steps are taken to see what they make.
const REFERENCE: &str = "sealyard_reference";

/// What can have a say in what is written or read, one line each. What is of the schema that is looked at stands without its name, as
/// that is the only one in which names are looked for; what is of another one has it. What belongs to an extension is not the catalog's.
const OBJECTS: &str = "
WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = current_schema()),
     foreign_ones AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
     relations AS (SELECT c.* FROM pg_class c JOIN own ON own.oid = c.relnamespace
         WHERE (CAST('pg_class' AS regclass), c.oid) NOT IN (SELECT classid, objid FROM foreign_ones))
SELECT concat_ws(' ', 'relation', relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity, relispartition,
        EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = relations.oid OR i.inhparent = relations.oid))
    FROM relations WHERE relkind NOT IN ('S', 'i', 'I', 't')
UNION ALL SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull,
        attidentity, attgenerated, (SELECT collname FROM pg_collation WHERE oid = attcollation),
        (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum))
    FROM relations JOIN pg_attribute ON attrelid = relations.oid
    WHERE attnum > 0 AND NOT attisdropped AND relkind NOT IN ('S', 'i', 'I', 't')
UNION ALL SELECT concat_ws(' ', 'index', relname, pg_get_indexdef(oid, 0, true))
    FROM relations WHERE relkind IN ('i', 'I')
UNION ALL SELECT concat_ws(' ', 'constraint', relname, conname, contype, pg_get_constraintdef(o.oid))
    FROM pg_constraint o JOIN relations ON relations.oid = o.conrelid
UNION ALL SELECT concat_ws(' ', 'trigger', relname, tgname, tgenabled, pg_get_triggerdef(g.oid, true))
    FROM pg_trigger g JOIN relations ON relations.oid = g.tgrelid WHERE NOT tgisinternal
UNION ALL SELECT concat_ws(' ', 'rule', relname, rulename) FROM pg_rewrite r JOIN relations ON relations.oid = r.ev_class
UNION ALL SELECT concat_ws(' ', 'policy', relname, polname) FROM pg_policy p JOIN relations ON relations.oid = p.polrelid
UNION ALL SELECT concat_ws(' ', 'function', proname, pg_get_function_arguments(p.oid),
        prokind, prosecdef, provolatile, proconfig, lanname,
        CASE WHEN proname = 'fold_case' AND btrim(prosrc) IN ('SELECT lower(value COLLATE \"und-x-icu\") COLLATE \"C\"',
            'SELECT lower(value COLLATE \"default\") COLLATE \"C\"') THEN 'either' ELSE md5(prosrc) END)
    FROM pg_proc p JOIN own ON own.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE (CAST('pg_proc' AS regclass), p.oid) NOT IN (SELECT classid, objid FROM foreign_ones)
UNION ALL SELECT concat_ws(' ', 'operator', oprname) FROM pg_operator o JOIN own ON own.oid = o.oprnamespace
    WHERE (CAST('pg_operator' AS regclass), o.oid) NOT IN (SELECT classid, objid FROM foreign_ones)
UNION ALL SELECT concat_ws(' ', 'type', typname) FROM pg_type t JOIN own ON own.oid = t.typnamespace
    WHERE typtype <> 'c' AND typelem = 0 AND (CAST('pg_type' AS regclass), t.oid) NOT IN (SELECT classid, objid FROM foreign_ones)
UNION ALL SELECT concat_ws(' ', 'collation', collname) FROM pg_collation c JOIN own ON own.oid = c.collnamespace";

/// Kinds that act by themselves, and that no step makes.
const ACTIVE: [&str; 4] = ["rule", "policy", "operator", "type"];

fn objects(connection: &Connection) -> Result<BTreeSet<String>, StoreError> {
    Ok(connection.all(OBJECTS, &[], |row| row.get::<String>(0))?.into_iter().collect())
}

/// Refuses a database whose schema is not what its first `steps` steps make. To be called in a transaction.
pub(super) fn check(connection: &Connection, steps: u32) -> Result<(), StoreError> {
    let found = objects(connection)?;
    let may = "SELECT 1 WHERE has_database_privilege(current_database(), 'CREATE')";
    if connection.optional(may, &[], |_| Ok(()))?.is_none() {
        tracing::warn!(
            "the database's user may not make a schema: it is only looked for triggers, rules and functions, not for other changes of the tables"
        );
        return by_name(connection, &found, steps);
    }
    connection
        .batch(&format!("SAVEPOINT reference; CREATE SCHEMA {REFERENCE}; SET LOCAL search_path = {REFERENCE}"))?;
    begin_catalog(connection)?;
    for step in MIGRATIONS.iter().take(steps as usize) {
        connection.batch(step)?;
    }
    let right = objects(connection)?;
    connection.batch("ROLLBACK TO SAVEPOINT reference; RELEASE SAVEPOINT reference")?;
    match right.symmetric_difference(&found).next() {
        None => Ok(()),
        Some(line) => Err(StoreError::Schema(line.split(' ').take(3).collect::<Vec<_>>().join(" "))),
    }
}

/// Refuses a database whose schema is not what this release makes. To be called in a transaction.
pub(crate) fn check_now(connection: &Connection) -> Result<(), StoreError> {
    check(connection, MIGRATIONS.len() as u32)
}

/// The same where the steps can't be taken beside the catalog: what acts by itself is compared with their text.
fn by_name(connection: &Connection, found: &BTreeSet<String>, steps: u32) -> Result<(), StoreError> {
    let text: String = MIGRATIONS.iter().take(steps as usize).copied().collect();
    let mut right: BTreeSet<String> = text.split(';').filter_map(trigger).collect();
    for step in text.split("CREATE FUNCTION ").skip(1) {
        let (name, body) = (step.split('(').next().unwrap_or_default(), step.split("$$").nth(1).unwrap_or_default());
        let digest = connection.optional("SELECT md5(?1)", &[body.into()], |row| row.get::<String>(0))?;
        right.insert(format!("function {name}  f f v plpgsql {}", digest.unwrap_or_default()));
    }
    for line in found {
        let words: Vec<&str> = line.split(' ').collect();
        let known = match words.as_slice() {
            ["trigger", _, _, enabled, statement @ ..] => {
                *enabled == "O" && trigger(&statement.join(" ")).is_some_and(|line| right.remove(&line))
            }
            ["function", ..] => line == "function fold_case value text f f i sql either" || right.remove(line),
            [kind, ..] => !ACTIVE.contains(kind),
            [] => true,
        };
        if !known {
            return Err(StoreError::Schema(words.into_iter().take(3).collect::<Vec<_>>().join(" ")));
        }
    }
    // The ledger's own triggers are as much missed.
    match right.pop_first() {
        None => Ok(()),
        Some(line) => Err(StoreError::Schema(line)),
    }
}

/// The words of a statement that makes a trigger, in an order of their own: the database says `DELETE OR UPDATE` as it likes.
fn trigger(statement: &str) -> Option<String> {
    let (_, rest) = statement.split_once("CREATE TRIGGER ")?;
    let mut words: Vec<&str> = rest.split_ascii_whitespace().collect();
    words.get_mut(1..)?.sort_unstable();
    Some(format!("trigger {}", words.join(" ")))
}
