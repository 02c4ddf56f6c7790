//! Which sealed rows a table has, all together. A row's seal can't tell that the row is gone, or that another one it once had was
//! put in its place; the digest of the set of all seals can.
//!
//! A set's digest is the sum of a keyed digest of each seal in it, so that a row that comes or goes changes it without a look at the
//! others, in the transaction that writes the row. It is a sum and not an exclusive or, so that taking a row out twice is not putting
//! it back. It is kept under a mask that only the key gives and that is never
//! the same for two states: who has the database sees neither it nor what a row adds to it. `tag` authenticates it together
//! with how often it was changed; that number is also kept where the database is not, so that a catalog that was put back as a
//! whole is known.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use sealyard_store::StoreError;

use super::{ALL_SEALED, RowSeals, SealedTable, add};
use crate::session::Session;
use crate::sql::{Row, Value, ValueRef};

const MEMBER: &[u8] = b"sealyard member of a row set\0";
const STATE: &[u8] = b"sealyard row set\0";
const MASK: &[u8] = b"sealyard row set mask\0";

/// What is told where a set is not what it should be.
pub(super) const REMOVED: &str = "(rows were removed, added or put back)";
pub(super) const PUT_BACK: &str = "(all of it was put back as it was earlier)";

/// What a set's digest is.
pub(super) type Sum = [u8; 32];

/// What came and went in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Changes(pub(super) BTreeMap<&'static str, Change>);

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Change {
    pub(super) sum: Sum,
    pub(super) members: i64,
    touched: bool,
}

impl Changes {
    pub(crate) const fn none() -> Self {
        Self(BTreeMap::new())
    }
}

/// A set as the database has it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) changes: i64,
    pub(super) members: i64,
    pub(super) sum: Sum,
}

fn digest(key: &hmac::Key, domain: &[u8], table: &str, parts: &[ValueRef<'_>]) -> Sum {
    let mut context = hmac::Context::with_key(key);
    context.update(domain);
    add(&mut context, ValueRef::Text(table));
    parts.iter().for_each(|part| add(&mut context, *part));
    let mut sum = Sum::default();
    sum.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
    sum
}

/// Adds to a sum, or takes out of it: four numbers of 64 bits, each modulo 2^64.
pub(super) fn change(sum: &mut Sum, by: &Sum, how: fn(u64, u64) -> u64) {
    for (to, from) in sum.chunks_exact_mut(8).zip(by.chunks_exact(8)) {
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        let changed = how(number(to), number(from));
        to.copy_from_slice(&changed.to_le_bytes());
    }
}

fn mask(sum: &mut Sum, other: &Sum) {
    sum.iter_mut().zip(other).for_each(|(to, from)| *to ^= *from);
}

/// What a row with this seal is in its table's set.
pub(super) fn member(key: &hmac::Key, table: &SealedTable, seal: &[u8]) -> Sum {
    digest(key, MEMBER, table.name, &[ValueRef::Blob(seal)])
}

impl State {
    fn tag(&self, key: &hmac::Key, table: &str) -> Sum {
        let parts = [ValueRef::Integer(self.changes), ValueRef::Integer(self.members), ValueRef::Blob(&self.sum)];
        digest(key, STATE, table, &parts)
    }

    /// The mask is of the tag, which is another one for each state.
    fn masked(&self, key: &hmac::Key, table: &str, tag: &Sum) -> Sum {
        let parts = [ValueRef::Integer(self.changes), ValueRef::Integer(self.members), ValueRef::Blob(tag)];
        let mut masked = digest(key, MASK, table, &parts);
        mask(&mut masked, &self.sum);
        masked
    }

    /// The state in a row of `changes, members, tag, masked`, if it is one that this server wrote.
    fn read(key: &hmac::Key, table: &str, row: &Row<'_>) -> Result<Option<Self>, StoreError> {
        let (changes, members): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (tag, masked): (Option<Sum>, Option<Sum>) = (row.get(2)?, row.get(3)?);
        let (Some(tag), Some(masked)) = (tag, masked) else { return Ok(None) };
        // Twice masked is not masked.
        let sum = Self { changes, members, sum: masked }.masked(key, table, &tag);
        let state = Self { changes, members, sum };
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(&state.tag(key, table), &tag).is_ok();
        Ok(same.then_some(state))
    }
}

impl Session<'_> {
    /// A row with this seal came to be in the table.
    pub(super) fn came(&self, table: &'static SealedTable, seal: &[u8]) {
        self.note(table, seal, 1, u64::wrapping_add);
    }

    /// A row with this seal is there no more.
    pub(super) fn left(&self, table: &'static SealedTable, seal: &[u8]) {
        self.note(table, seal, -1, u64::wrapping_sub);
    }

    fn note(&self, table: &'static SealedTable, seal: &[u8], by: i64, how: fn(u64, u64) -> u64) {
        let Some(key) = self.seals().and_then(RowSeals::key) else { return };
        let mut changes = self.changes().borrow_mut();
        let change = changes.0.entry(table.name).or_default();
        self::change(&mut change.sum, &member(key, table, seal), how);
        change.members += by;
        change.touched = true;
    }

    /// The set of a table; `None` for one that was changed behind the server's back.
    pub(super) fn set_of(&self, key: &hmac::Key, table: &str) -> Result<Option<State>, StoreError> {
        let sql = "SELECT changes, members, tag, masked FROM row_sets WHERE name = ?1";
        Ok(self.optional(sql, [table], |row| State::read(key, table, row))?.unwrap_or(Some(State::default())))
    }

    pub(super) fn put_set(&self, key: &hmac::Key, table: &str, state: &State) -> Result<(), StoreError> {
        let tag = state.tag(key, table);
        self.execute(
            "INSERT INTO row_sets (name, changes, members, tag, masked) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (name) DO UPDATE SET changes = excluded.changes, members = excluded.members,
                 tag = excluded.tag, masked = excluded.masked",
            (table, state.changes, state.members, Value::Blob(tag.as_slice().into()), state.masked(key, table, &tag)),
        )?;
        Ok(())
    }

    /// Writes what came and went, before the transaction ends.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        let changes = std::mem::take(&mut *self.changes().borrow_mut());
        let Some(seals) = self.seals() else { return Ok(()) };
        let Some(key) = seals.key() else { return Ok(()) };
        for (table, change) in changes.0.into_iter().filter(|(_, change)| change.touched) {
            // A set that is no set of ours stays as it is: it is told until somebody has looked into it.
            // So does one that was put back as it was earlier, or its number would soon be as high as it was.
            let found = self.set_of(key, table)?.filter(|state| state.changes >= seals.known_of(table));
            let Some(mut state) = found else {
                // Nothing comes to be in a table that is shut, or goes, without being counted.
                if ALL_SEALED.iter().any(|sealed| sealed.name == table && sealed.shut) {
                    return Err(StoreError::Damaged { table, row: PUT_BACK.to_owned() });
                }
                continue;
            };
            self::change(&mut state.sum, &change.sum, u64::wrapping_add);
            state.members += change.members;
            state.changes += 1;
            self.put_set(key, table, &state)?;
            seals.settled(table, state.changes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_of_one_state_alone() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let first = State { changes: 3, members: 2, sum: [1; 32] };
        let second = State { sum: [2; 32], ..first };
        let mut both = first.masked(&key, "grants", &first.tag(&key, "grants"));
        mask(&mut both, &second.masked(&key, "grants", &second.tag(&key, "grants")));
        assert_ne!(both, [3; 32], "two states of one number show what is between them");
    }

    #[test]
    fn what_is_added_and_taken_out_again_is_as_if_it_never_was() {
        let (one, other) = (Sum::from(std::array::from_fn(|at| at as u8 * 7 + 3)), [0xff; 32]);
        let mut sum = [0xfe; 32];
        change(&mut sum, &one, u64::wrapping_add);
        change(&mut sum, &other, u64::wrapping_add);
        change(&mut sum, &one, u64::wrapping_sub);
        change(&mut sum, &other, u64::wrapping_sub);
        assert_eq!(sum, [0xfe; 32]);
        change(&mut sum, &one, u64::wrapping_sub);
        change(&mut sum, &one, u64::wrapping_sub);
        assert_ne!(sum, [0xfe; 32], "twice is not never");
    }
}
