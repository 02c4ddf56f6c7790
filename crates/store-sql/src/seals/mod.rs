//! Seals of rows: a keyed digest (HMAC-SHA256) of each row that decides something, so that one that was changed behind the
//! server's back decides nothing any more, and is told.
//!
//! A seal is of the table's name and the values of the sealed columns, each with its type and length before it. It can't tell
//! that a row was removed, or put back as it once was with the seal it had then: that is what the ledger is for, which has
//! the act that made the row and the one that ended it.

mod tables;

use std::sync::{Arc, OnceLock};

use aws_lc_rs::hmac;
use sealyard_store::{DamagedRow, Integrity, StoreError};

use crate::doors::ALL;
use crate::session::Session;
use crate::sql::{Parameters, Row, Value, ValueRef};

pub(crate) use tables::*;

/// The first byte of each seal: how it was made.
const FORM: u8 = 1;
/// What is authenticated begins with this, so that no other use of a key gives a seal.
const DOMAIN: &[u8] = b"sealyard row seal\0";
/// Rows that are looked at, at once.
const STEP: u32 = 1000;

/// The key of the seals, which comes after the catalog was opened: it lies in the catalog, sealed by the vault. Before it is
/// there, rows are written without seals, and none is looked at.
#[derive(Debug, Clone, Default)]
pub struct RowSeals(Arc<OnceLock<Key>>);

struct Key(hmac::Key);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl RowSeals {
    /// From now on rows are sealed with this key, and looked at. Once it is set it stays.
    pub fn set(&self, key: &[u8; 32]) {
        let _ = self.0.set(Key(hmac::Key::new(hmac::HMAC_SHA256, key)));
    }

    fn key(&self) -> Option<&hmac::Key> {
        self.0.get().map(|key| &key.0)
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

/// The seal of a row whose sealed columns begin at `at`.
fn seal_of(key: &hmac::Key, table: &SealedTable, row: &Row<'_>, at: usize) -> Result<Vec<u8>, StoreError> {
    let mut context = hmac::Context::with_key(key);
    context.update(DOMAIN);
    add(&mut context, ValueRef::Text(table.name));
    for index in 0..table.columns.len() {
        add(&mut context, row.value(at + index)?);
    }
    Ok([&[FORM], context.sign().as_ref()].concat())
}

impl Session<'_> {
    /// Seals the row that the values name, after it was written. Where there is none it does nothing.
    pub(crate) fn seal(&self, table: &SealedTable, named: impl Parameters) -> Result<(), StoreError> {
        let Some(key) = self.seals().and_then(RowSeals::key) else { return Ok(()) };
        let values = named.values();
        let condition = table.condition();
        let sql = format!("{ALL} SELECT {} FROM {} AS t WHERE {condition}", table.list("t"), table.name);
        let seal = self.optional(&sql, values.as_ref(), |row| seal_of(key, table, row, 0))?;
        let Some(seal) = seal else { return Ok(()) };
        let mut with_seal: Vec<Value<'_>> = values.as_ref().to_vec();
        with_seal.push(Value::Blob(seal.into()));
        let sql = format!("{ALL} UPDATE {} SET seal = ?{} WHERE {condition}", table.name, table.key + 1);
        self.execute(&sql, with_seal.as_slice())?;
        Ok(())
    }

    /// Whether a row is as it was written, of which the statement asked for [`SealedTable::list`] from column `at` on.
    pub(crate) fn is_intact(&self, table: &SealedTable, row: &Row<'_>, at: usize) -> Result<bool, StoreError> {
        let Some(key) = self.seals().and_then(RowSeals::key) else { return Ok(true) };
        let ValueRef::Blob(there) = row.value(at + table.columns.len())? else { return Ok(false) };
        let right = seal_of(key, table, row, at)?;
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
        if self.is_intact(table, row, at)? {
            return Ok(());
        }
        let row = name_of(table, row, at)?;
        tracing::error!(table = table.name, row, "a row of the catalog was changed behind the server's back");
        Err(StoreError::Damaged { table: table.name, row })
    }
}

/// A row's name, as people see it. No secret names a row.
fn name_of(table: &SealedTable, row: &Row<'_>, at: usize) -> Result<String, StoreError> {
    let mut names = Vec::with_capacity(table.key);
    for index in 0..table.key {
        names.push(match row.value(at + index)? {
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Text(text) => text.chars().take(100).collect(),
            _ => "?".to_owned(),
        });
    }
    Ok(names.join("/"))
}

impl Integrity for Session<'_> {
    fn seal_all_rows(&mut self) -> Result<(), StoreError> {
        for table in ALL_SEALED {
            let columns: Vec<_> = table.columns.iter().take(table.key).copied().collect();
            let sql = format!("{ALL} SELECT {} FROM {}", columns.join(", "), table.name);
            let names = self.all(&sql, [], |row| {
                (0..table.key)
                    .map(|index| {
                        Ok(match row.value(index)? {
                            ValueRef::Integer(number) => Value::Integer(number),
                            ValueRef::Text(text) => Value::Text(text.to_owned().into()),
                            _ => Value::Null,
                        })
                    })
                    .collect::<Result<Vec<_>, StoreError>>()
            })?;
            for name in names {
                self.seal(table, name.as_slice())?;
            }
        }
        Ok(())
    }

    fn damaged_rows(&mut self, limit: u32) -> Result<Vec<DamagedRow>, StoreError> {
        let mut damaged = Vec::new();
        for table in ALL_SEALED {
            let keys = table.columns.iter().take(table.key).copied().collect::<Vec<_>>().join(", ");
            let sql = format!(
                "{ALL} SELECT {} FROM {} AS t ORDER BY {keys} LIMIT {STEP} OFFSET ?1",
                table.list("t"),
                table.name
            );
            for step in 0.. {
                let found = self.all(&sql, [i64::from(STEP) * step], |row| {
                    let intact = self.is_intact(table, row, 0)?;
                    Ok(if intact { None } else { Some(name_of(table, row, 0)?) })
                })?;
                let count = found.len();
                let named = found.into_iter().flatten().map(|row| DamagedRow { table: table.name, row });
                damaged.extend(named.take((limit as usize).saturating_sub(damaged.len())));
                if count < STEP as usize || damaged.len() >= limit as usize {
                    break;
                }
            }
        }
        Ok(damaged)
    }
}
