//! Seals of rows: a keyed digest (HMAC-SHA256) of each row that decides something, so that one that was changed behind the
//! server's back decides nothing any more, and is told.
//!
//! A seal is of the table's name and the values of the sealed columns, each with its type and length before it. It is made of what
//! the server means to write, never of what the database says it wrote: a trigger that changes a row on its way makes a row
//! without a right seal. That a row was removed, or put back as it once was, is known by the [sets](sets).

mod look;
mod sets;
mod tables;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::hmac;
use sealyard_store::StoreError;

use crate::doors::ALL;
use crate::session::Session;
use crate::sql::{Dialect, Parameters, Row, Value, ValueRef};

pub(crate) use sets::Changes;
pub(crate) use tables::*;

/// The first byte of each seal: how it was made.
const FORM: u8 = 1;
/// What is authenticated begins with this, so that no other use of a key gives a seal.
const DOMAIN: &[u8] = b"sealyard row seal\0";

/// The key of the seals, which comes after the catalog was opened: it lies in the catalog, sealed by the vault. Before it is
/// there, rows are written without seals, and none is looked at.
#[derive(Debug, Clone, Default)]
pub struct RowSeals(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    key: OnceLock<Key>,
    /// How often each set of rows had been changed when this process looked at it or changed it last: it is never less.
    changes: Mutex<BTreeMap<String, i64>>,
    /// The same for what is written and not yet committed: of the work under way, and of work that is kept.
    settled: Mutex<[BTreeMap<&'static str, i64>; 2]>,
    /// Behind which row of a large table the next look begins.
    places: Mutex<BTreeMap<&'static str, Vec<Value<'static>>>>,
}

struct Key(hmac::Key);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl RowSeals {
    /// From now on rows are sealed with this key, and looked at. Once it is set it stays.
    pub fn set(&self, key: &[u8; 32]) {
        let _ = self.0.key.set(Key(hmac::Key::new(hmac::HMAC_SHA256, key)));
    }

    /// How often each table's set of rows had been changed, as far as is known: kept where the catalog is not, it shows that a
    /// catalog was put back as it was before.
    #[must_use]
    pub fn changes(&self) -> BTreeMap<String, i64> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What [`Self::changes`] were known earlier. Less than that is told as damage.
    pub fn know_changes(&self, known: BTreeMap<String, i64>) {
        let mut changes = self.0.changes.lock().unwrap_or_else(PoisonError::into_inner);
        for (table, count) in known {
            let entry = changes.entry(table).or_default();
            *entry = count.max(*entry);
        }
    }

    fn known_of(&self, table: &str) -> i64 {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner).get(table).copied().unwrap_or_default()
    }

    /// The work under way changed the set of a table so often.
    fn settled(&self, table: &'static str, changes: i64) {
        let [under_way, _] = &mut *self.0.settled.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.insert(table, changes);
    }

    /// The work under way ended, and is kept or undone.
    pub(crate) fn work_ended(&self, kept: bool) {
        let [under_way, all] = &mut *self.0.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = std::mem::take(under_way);
        if kept {
            all.extend(ended);
        }
    }

    /// The transaction ended. What was committed is known from now on, so that nobody can put an earlier state in its place.
    pub(crate) fn transaction_ended(&self, committed: bool) {
        let [under_way, all] = std::mem::take(&mut *self.0.settled.lock().unwrap_or_else(PoisonError::into_inner));
        drop(under_way);
        if committed {
            self.know_changes(all.into_iter().map(|(table, count)| (table.to_owned(), count)).collect());
        }
    }

    /// Whether work that is not committed yet changed the set of a table.
    fn is_under_way(&self, table: &str) -> bool {
        let settled = self.0.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.iter().any(|settled| settled.contains_key(table))
    }

    fn key(&self) -> Option<&hmac::Key> {
        self.0.key.get().map(|key| &key.0)
    }
}

/// Puts one value under the digest, so that no two rows give the same bytes.
fn add(context: &mut hmac::Context, value: ValueRef<'_>) {
    let (kind, length) = match value {
        ValueRef::Null => (0_u8, 0),
        ValueRef::Integer(_) => (1, 8),
        ValueRef::Real(_) => (2, 8),
        ValueRef::Text(text) => (3, text.len()),
        ValueRef::Blob(bytes) => (4, bytes.len()),
    };
    context.update(&[kind]);
    context.update(&(length as u64).to_be_bytes());
    match value {
        ValueRef::Null => {}
        ValueRef::Integer(number) => context.update(&number.to_be_bytes()),
        ValueRef::Real(number) => context.update(&number.to_bits().to_be_bytes()),
        ValueRef::Text(text) => context.update(text.as_bytes()),
        ValueRef::Blob(bytes) => context.update(bytes),
    }
}

fn begin(key: &hmac::Key, table: &SealedTable) -> hmac::Context {
    let mut context = hmac::Context::with_key(key);
    context.update(DOMAIN);
    add(&mut context, ValueRef::Text(table.name));
    context
}

fn end(context: hmac::Context) -> Vec<u8> {
    [&[FORM], context.sign().as_ref()].concat()
}

/// The seal of a row whose first `count` sealed columns begin at `at`.
fn seal_of(
    key: &hmac::Key,
    table: &SealedTable,
    row: &Row<'_>,
    at: usize,
    count: usize,
) -> Result<Vec<u8>, StoreError> {
    let mut context = begin(key, table);
    for index in 0..count {
        add(&mut context, row.value(at + index)?);
    }
    Ok(end(context))
}

fn as_ref<'v>(value: &'v Value<'_>) -> ValueRef<'v> {
    match value {
        Value::Null => ValueRef::Null,
        Value::Integer(number) => ValueRef::Integer(*number),
        Value::Real(number) => ValueRef::Real(*number),
        Value::Text(text) => ValueRef::Text(text),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
    }
}

fn owned(value: ValueRef<'_>) -> Value<'static> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(Cow::Owned(text.to_owned())),
        ValueRef::Blob(bytes) => Value::Blob(Cow::Owned(bytes.to_vec())),
    }
}

/// What stands in the column of a seal.
fn seal_in(value: ValueRef<'_>) -> Option<Vec<u8>> {
    if let ValueRef::Blob(bytes) = value { Some(bytes.to_vec()) } else { None }
}

impl Session<'_> {
    fn seal_key(&self) -> Option<&hmac::Key> {
        self.seals().and_then(RowSeals::key)
    }

    /// The seal of a row of these values, for the statement that writes it; nothing where no key is there yet.
    pub(crate) fn seal_for(&self, table: &SealedTable, meant: impl Parameters) -> Value<'static> {
        let values = meant.values();
        debug_assert_eq!(values.as_ref().len(), table.columns.len(), "values for a seal of {}", table.name);
        self.seal_key().map_or(Value::Null, |key| {
            let mut context = begin(key, table);
            values.as_ref().iter().for_each(|value| add(&mut context, as_ref(value)));
            Value::Blob(Cow::Owned(end(context)))
        })
    }

    /// Seals a row that was written, by the values of all its sealed columns as they are meant.
    pub(crate) fn seal(&self, table: &'static SealedTable, meant: impl Parameters) -> Result<(), StoreError> {
        if self.seal_key().is_none() {
            return Ok(());
        }
        let meant = meant.values();
        let names = meant.as_ref().get(..table.key).unwrap_or_default();
        let condition = table.condition();
        let seal = self.seal_for(table, meant.as_ref());
        if let (Value::Blob(new), true) = (&seal, table.counted) {
            let sql = format!("{ALL} SELECT seal FROM {} WHERE {condition}", table.name);
            let old = self.optional(&sql, names, |row| Ok(seal_in(row.value(0)?)))?.flatten();
            // The same row once more is one row.
            if old.as_deref() != Some(new.as_ref()) {
                self.came(table, new);
            }
        }
        let mut values: Vec<Value<'_>> = names.to_vec();
        values.push(seal);
        let sql = format!("{ALL} UPDATE {} SET seal = ?{} WHERE {condition}", table.name, table.key + 1);
        self.execute(&sql, values.as_slice())?;
        Ok(())
    }

    /// Before the row that the values name is written over, if there is one: it is missed from then on. One that was changed behind our
    /// back is not the one that was written, which stays missed.
    pub(crate) fn write_over(&self, table: &'static SealedTable, named: impl Parameters) -> Result<(), StoreError> {
        if self.seal_key().is_none() {
            return Ok(());
        }
        let (names, condition) = (named.values(), table.condition());
        let sql = format!("{ALL} SELECT {} FROM {} AS t WHERE {condition}", table.list("t"), table.name);
        let found = self.optional(&sql, names.as_ref(), |row| self.seal_if_intact(table, row))?;
        if let Some(old) = found.flatten() {
            self.left(table, &old);
            self.execute(&format!("{ALL} UPDATE {} SET seal = NULL WHERE {condition}", table.name), names.as_ref())?;
        }
        Ok(())
    }

    /// Changes columns of the row that the values name, and seals it as it is then meant to be. The row is looked at first: one
    /// that was changed behind our back is not made good. Says whether there is one.
    pub(crate) fn change(
        &self,
        table: &'static SealedTable,
        named: impl Parameters,
        changes: &[(&str, Value<'_>)],
    ) -> Result<bool, StoreError> {
        let names = named.values();
        let names = names.as_ref();
        // What is looked at stays so until it is written.
        let lock = if self.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
        let sql =
            format!("{ALL} SELECT {} FROM {} AS t WHERE {}{lock}", table.list("t"), table.name, table.condition());
        let found = self.optional(&sql, names, |row| {
            self.check(table, row, 0)?;
            let values = (0..table.columns.len()).map(|index| row.value(index).map(owned));
            Ok((values.collect::<Result<Vec<_>, _>>()?, seal_in(row.value(table.columns.len())?)))
        })?;
        let Some((mut meant, old)) = found else { return Ok(false) };
        let mut values: Vec<Value<'_>> = names.to_vec();
        let mut set = Vec::with_capacity(changes.len() + 1);
        for (column, value) in changes {
            let place = table.columns.iter().position(|sealed| sealed == column);
            if let Some(sealed) = place.and_then(|place| meant.get_mut(place)) {
                *sealed = owned(as_ref(value));
            }
            values.push(value.clone());
            set.push(format!("{column} = ?{}", values.len()));
        }
        if self.seal_key().is_some() {
            let seal = self.seal_for(table, meant);
            if let (Some(old), Value::Blob(new), true) = (old, &seal, table.counted) {
                self.left(table, &old);
                self.came(table, new);
            }
            values.push(seal);
            set.push(format!("seal = ?{}", values.len()));
        }
        let sql = format!("{ALL} UPDATE {} SET {} WHERE {}", table.name, set.join(", "), table.condition());
        self.execute(&sql, values.as_slice())?;
        Ok(true)
    }

    /// Removes the rows for which the condition is true; says how many there were.
    pub(crate) fn remove(
        &self,
        table: &'static SealedTable,
        condition: &str,
        parameters: impl Parameters,
    ) -> Result<usize, StoreError> {
        let values = parameters.values();
        if table.counted && self.seal_key().is_some() {
            let sql = format!("{ALL} SELECT {} FROM {} WHERE {condition}", table.list(table.name), table.name);
            for seal in self.all(&sql, values.as_ref(), |row| self.seal_if_intact(table, row))?.into_iter().flatten() {
                self.left(table, &seal);
            }
        }
        self.execute(&format!("{ALL} DELETE FROM {} WHERE {condition}", table.name), values.as_ref())
    }

    /// The seal of a row from [`SealedTable::list`], if it is the right one.
    fn seal_if_intact(&self, table: &SealedTable, row: &Row<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        let intact = self.is_intact(table, row, 0)?;
        Ok(if intact { seal_in(row.value(table.columns.len())?) } else { None })
    }

    /// Whether a row is as it was written, of which the statement asked for [`SealedTable::list`] from column `at` on.
    pub(crate) fn is_intact(&self, table: &SealedTable, row: &Row<'_>, at: usize) -> Result<bool, StoreError> {
        self.is_sealed(table, row, at, table.columns.len())
    }

    /// Whether a row has the right seal of the first `count` columns.
    fn is_sealed(&self, table: &SealedTable, row: &Row<'_>, at: usize, count: usize) -> Result<bool, StoreError> {
        let Some(key) = self.seal_key() else { return Ok(true) };
        let ValueRef::Blob(there) = row.value(at + table.columns.len())? else { return Ok(false) };
        let right = seal_of(key, table, row, at, count)?;
        Ok(aws_lc_rs::constant_time::verify_slices_are_equal(&right, there).is_ok())
    }

    /// Looks at the row that the values name before anything is decided by it, written into it or sealed with it; says whether there
    /// is one.
    pub(crate) fn check_row(&self, table: &SealedTable, named: impl Parameters) -> Result<bool, StoreError> {
        let sql = format!("{ALL} SELECT {} FROM {} AS t WHERE {}", table.list("t"), table.name, table.condition());
        Ok(self.optional(&sql, named, |row| self.check(table, row, 0))?.is_some())
    }

    /// Looks at a row of which nothing shall be believed unless it is as it was written.
    pub(crate) fn check(&self, table: &SealedTable, row: &Row<'_>, at: usize) -> Result<(), StoreError> {
        if self.is_intact(table, row, at)? { Ok(()) } else { Err(damaged(table, row, at)?) }
    }

    /// The same for a row that was looked for by what its text at `column` is. An index that was changed behind the server's back
    /// leads to rows that were not asked for.
    pub(crate) fn check_asked(
        &self,
        table: &SealedTable,
        row: &Row<'_>,
        column: usize,
        asked: &str,
    ) -> Result<(), StoreError> {
        if self.seal_key().is_some() && row.text(column)? != asked {
            return Err(damaged(table, row, 0)?);
        }
        self.check(table, row, 0)
    }
}

fn damaged(table: &SealedTable, row: &Row<'_>, at: usize) -> Result<StoreError, StoreError> {
    let row = name_of(table, row, at)?;
    tracing::error!(table = table.name, row, "a row of the catalog was changed behind the server's back");
    Ok(StoreError::Damaged { table: table.name, row })
}

/// A row's name, as people see it. No secret names a row, but the digest of a recovery code does.
fn name_of(table: &SealedTable, row: &Row<'_>, at: usize) -> Result<String, StoreError> {
    let mut names = Vec::with_capacity(table.key);
    for index in 0..table.key {
        names.push(match row.value(at + index)? {
            _ if table.columns.get(index) == Some(&"hash") => "…".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Text(text) => text.chars().take(100).collect(),
            _ => "?".to_owned(),
        });
    }
    Ok(names.join("/"))
}
