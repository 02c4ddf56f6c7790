//! Things of a page, read in a few statements for many rows instead of a few for each.

use std::collections::HashMap;

use sealyard_store::StoreError;

use crate::search::{RUNS, Statement};
use crate::session::Session;
use crate::sql::Row;

/// Rows that are read together. A page that holds more comes in several batches.
pub(super) const BATCH: usize = 500;

impl Session<'_> {
    /// The rows that belong to any of `owners`; `text` is given the condition on the owner.
    pub(super) fn all_of<T>(
        &self,
        owners: &[i64],
        text: impl FnOnce(&str) -> String,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        if owners.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = Statement::new(self.dialect(), RUNS);
        let among = statement.number_in("", owners)?;
        self.all(&text(&among), statement.values(), read)
    }
}

/// Things by their number, to be handed out in another order.
#[derive(Debug)]
pub(super) struct ByNumber<T> {
    places: HashMap<i64, usize>,
    things: Vec<Option<T>>,
}

impl<T> ByNumber<T> {
    pub(super) fn new(rows: Vec<(i64, T)>) -> Self {
        let mut places = HashMap::with_capacity(rows.len());
        let mut things = Vec::with_capacity(rows.len());
        for (number, thing) in rows {
            places.insert(number, things.len());
            things.push(Some(thing));
        }
        Self { places, things }
    }

    /// Gives each of `parts` to the thing that it belongs to.
    pub(super) fn add<P>(&mut self, parts: Vec<(i64, P)>, mut add: impl FnMut(&mut T, P)) {
        for (number, part) in parts {
            let thing = self.places.get(&number).and_then(|place| self.things.get_mut(*place));
            if let Some(Some(thing)) = thing {
                add(thing, part);
            }
        }
    }

    /// All of them in the order of `numbers`.
    pub(super) fn in_order(mut self, numbers: &[i64]) -> Vec<T> {
        let mut all = Vec::with_capacity(numbers.len());
        for number in numbers {
            let place = self.places.get(number).and_then(|place| self.things.get_mut(*place));
            all.extend(place.and_then(Option::take));
        }
        all
    }
}
