//! Looking at all sealed rows, and sealing those that an earlier release wrote.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use aws_lc_rs::hmac;
use sealyard_store::{DamagedRow, Integrity, SEAL_FORM, StoreError};

use super::sets::{PUT_BACK, REMOVED, State, change, member};
use super::{ALL_SEALED, RowSeals, SealedTable, name_of, owned, seal_in, seal_of};
use crate::doors::ALL;
use crate::session::Session;
use crate::sql::{Row, Value, ValueRef};

/// Rows that are looked at, at once.
const STEP: usize = 1000;
/// Rows of a table with one for each file that are looked at in one go: the next goes on behind them.
const FILES_AT_ONCE: usize = 200_000;

impl State {
    /// Counts a row by what stands in its seal's column.
    fn add(&mut self, key: &hmac::Key, table: &SealedTable, seal: ValueRef<'_>) {
        if let (ValueRef::Blob(seal), true) = (seal, table.counted) {
            change(&mut self.sum, &member(key, table, seal), u64::wrapping_add);
            self.members += 1;
        }
    }
}

impl Session<'_> {
    /// Reads the sealed rows behind `after` with what `read` makes of each; says whether there may be more, and behind which.
    fn step<T>(
        &self,
        table: &SealedTable,
        after: &mut Vec<Value<'static>>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<(Vec<T>, bool), StoreError> {
        let keys = table.keys();
        let mut conditions: Vec<String> = table.only.iter().map(|only| (*only).to_owned()).collect();
        if !after.is_empty() {
            let places: Vec<String> = (1..=table.key).map(|place| format!("?{place}")).collect();
            conditions.push(format!("({keys}) > ({})", places.join(", ")));
        }
        let conditions =
            if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        let sql = format!(
            "{ALL} SELECT {} FROM {} AS t {conditions} ORDER BY {keys} LIMIT {STEP}",
            table.list("t"),
            table.name
        );
        let mut last = Vec::new();
        let found = self.all(&sql, after.as_slice(), |row| {
            last = (0..table.key).map(|index| row.value(index).map(owned)).collect::<Result<Vec<_>, _>>()?;
            read(row)
        })?;
        let more = found.len() == STEP;
        *after = last;
        Ok((found, more))
    }

    /// Seals the rows of a table as they are, and notes which there are.
    fn seal_table(&self, key: &hmac::Key, table: &'static SealedTable, form: u32) -> Result<(), StoreError> {
        let anew = table.since > form;
        let mut state = self.set_of(key, table.name)?.unwrap_or_default();
        (state.members, state.sum) = (0, State::default().sum);
        let mut after = Vec::new();
        loop {
            let (rows, more) = self.step(table, &mut after, |row| {
                let there = seal_in(row.value(table.columns.len())?);
                // One that was changed while it had a seal does not get another one.
                let sealed = anew && (form == 0 || table.before == 0 || self.is_sealed(table, row, 0, table.before)?);
                if !sealed {
                    return Ok((None, there));
                }
                let seal = seal_of(key, table, row, 0, table.columns.len())?;
                let mut values =
                    (0..table.key).map(|index| row.value(index).map(owned)).collect::<Result<Vec<_>, _>>()?;
                values.push(Value::Blob(seal.clone().into()));
                Ok((Some(values), Some(seal)))
            })?;
            let mut written = Vec::with_capacity(rows.len());
            for (values, seal) in rows {
                if let Some(seal) = seal {
                    change(&mut state.sum, &member(key, table, &seal), u64::wrapping_add);
                    state.members += 1;
                }
                written.extend(values);
            }
            let sql = format!("{ALL} UPDATE {} SET seal = ?{} WHERE {}", table.name, table.key + 1, table.condition());
            self.execute_many(&sql, written)?;
            if !more {
                break;
            }
        }
        if table.counted {
            state.changes += 1;
            self.put_set(key, table.name, &state)?;
        }
        Ok(())
    }

    /// The rows of a small table. Refuses one from which rows were removed, or to which some were added or put back, also one row of
    /// it that was changed.
    pub(crate) fn all_intact<T>(
        &self,
        table: &'static SealedTable,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        // Before the first row: what others commit meanwhile is not in what is read, but would be known.
        let before = self.seals().map(RowSeals::changes);
        self.settle()?;
        let key = self.seals().and_then(RowSeals::key);
        let (mut state, mut after, mut all) = (State::default(), Vec::new(), Vec::new());
        loop {
            let (rows, more) = self.step(table, &mut after, |row| {
                self.check(table, row, 0)?;
                if let Some(key) = key {
                    state.add(key, table, row.value(table.columns.len())?);
                }
                read(row)
            })?;
            all.extend(rows);
            if !more {
                break;
            }
        }
        let Some(key) = key else { return Ok(all) };
        match self.look_at_set(key, table, &state, &before.unwrap_or_default())? {
            None => Ok(all),
            Some(row) => {
                tracing::error!(table = table.name, "the rows of a table are not those that the server wrote: {row}");
                Err(StoreError::Damaged { table: table.name, row: row.to_owned() })
            }
        }
    }

    /// Whether the set of a table is the one that its rows make, and not one before what `before` knows of.
    fn look_at_set(
        &self,
        key: &hmac::Key,
        table: &SealedTable,
        found: &State,
        before: &BTreeMap<String, i64>,
    ) -> Result<Option<&'static str>, StoreError> {
        let Some(state) = self.set_of(key, table.name)? else { return Ok(Some(REMOVED)) };
        let Some(seals) = self.seals() else { return Ok(None) };
        if before.get(table.name).is_some_and(|before| state.changes < *before) {
            return Ok(Some(PUT_BACK));
        }
        // What is not committed may never be: then nothing would be as high any more.
        if !seals.is_under_way(table.name) {
            seals.know_changes(BTreeMap::from([(table.name.to_owned(), state.changes)]));
        }
        let same = state.members == found.members && state.sum == found.sum;
        Ok(if same { None } else { Some(REMOVED) })
    }
}

impl Integrity for Session<'_> {
    fn seal_rows_since(&mut self, form: u32) -> Result<(), StoreError> {
        let Some(key) = self.seals().and_then(RowSeals::key) else { return Ok(()) };
        self.settle()?;
        // An upgrade counts what it seals: what is amiss in the other tables stays amiss. Sets came with the second form.
        let counts = |table: &SealedTable| table.since > form || form < 2 || form == SEAL_FORM;
        ALL_SEALED.iter().filter(|table| counts(table)).try_for_each(|table| self.seal_table(key, table, form))
    }

    fn check_schema(&mut self) -> Result<(), StoreError> {
        Session::check_schema(self)
    }

    fn damaged_rows(&mut self, limit: u32) -> Result<Vec<DamagedRow>, StoreError> {
        let Some(seals) = self.seals() else { return Ok(Vec::new()) };
        let Some(key) = seals.key() else { return Ok(Vec::new()) };
        self.settle()?;
        let limit = limit as usize;
        // Before the first row of any table: what others commit meanwhile is not in what is read.
        let before = seals.changes();
        let mut damaged = Vec::new();
        for table in ALL_SEALED {
            let mut places = seals.0.places.lock().unwrap_or_else(PoisonError::into_inner);
            let mut after = places.remove(table.name).unwrap_or_default();
            drop(places);
            let (mut state, mut seen) = (State::default(), 0);
            loop {
                let (rows, more) = self.step(table, &mut after, |row| {
                    state.add(key, table, row.value(table.columns.len())?);
                    let intact = self.is_intact(table, row, 0)?;
                    Ok(if intact { None } else { Some(name_of(table, row, 0)?) })
                })?;
                seen += rows.len();
                let named = rows.into_iter().flatten().map(|row| DamagedRow { table: table.name, row });
                damaged.extend(named.take(limit.saturating_sub(damaged.len())));
                if !more {
                    break;
                }
                if !table.counted && seen >= FILES_AT_ONCE {
                    places = seals.0.places.lock().unwrap_or_else(PoisonError::into_inner);
                    places.insert(table.name, after);
                    break;
                }
            }
            if table.counted
                && let Some(row) = self.look_at_set(key, table, &state, &before)?
                && damaged.len() < limit
            {
                damaged.push(DamagedRow { table: table.name, row: row.to_owned() });
            }
        }
        Ok(damaged)
    }
}
