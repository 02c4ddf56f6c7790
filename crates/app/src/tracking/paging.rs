//! Page tokens, and pages of what a principal may see.
//!
//! A token says what the next page comes after: the values by which the last thing on this page is sorted. It is signed with
//! a key of the catalog together with the query, so that one that was changed, made up, or given by another query is
//! refused. It is no secret: it holds what its reader was shown.

use std::fmt::Debug;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealyard_core::{Digest, Redacted, Rng};
use sealyard_store::Store;
use sealyard_store::model::{Cursor, CursorValue, Page};
use sealyard_vault::{Sealer, Vault};

use crate::AppError;

/// Longest token that is looked at: a sort value is a tag's at most.
const MAX_TOKEN: usize = 64 * 1024;
/// Most values of a cursor.
const MAX_VALUES: usize = 64;
/// The first byte of a token: how the rest is to be read.
const VERSION: u8 = 2;
const MAC: usize = 16;
/// Where the catalog keeps the key, so that every replica of the server has the same.
const SETTING: &str = "page-token-key";
const PURPOSE: &[u8] = b"sealyard page token 1\0";

/// A page token as a client gave it; empty at the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageToken(String);

impl PageToken {
    /// Takes what a client sent.
    #[must_use]
    pub fn new(text: Option<&str>) -> Self {
        Self(text.unwrap_or_default().to_owned())
    }
}

/// One page of a search, as clients get it.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// What was found.
    pub items: Vec<T>,
    /// The token of the next page, if there is one.
    pub next_page_token: Option<String>,
}

/// The query that a token belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query(Digest);

impl Query {
    /// Of all that decides what is found in which order, but not of how many of it.
    pub(crate) fn of(query: &impl Debug) -> Self {
        Self(Digest::of(format!("{query:?}").as_bytes()))
    }
}

/// Makes and reads page tokens.
pub(crate) struct PageTokens(hmac::Key);

impl Debug for PageTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokens")
    }
}

impl PageTokens {
    /// With the catalog's key, which is kept sealed; the first one to ask makes it. One that a release before this one kept
    /// plain is not used again: the tokens of its pages, which are good for minutes, are refused then.
    pub(crate) async fn open(store: &dyn Store, vault: &Vault, rng: &dyn Rng) -> Result<Self, AppError> {
        let sealer = vault.sealer("setting");
        let known = store.read(|tx| Ok::<_, AppError>(tx.setting(SETTING)?)).await?;
        let sealed = match known.filter(|known| Sealer::from_text(known).is_some()) {
            Some(sealed) => sealed,
            None => {
                let fresh = Redacted::new(hex::encode(rng.bytes::<32>()));
                let fresh = sealer.seal_text(SETTING, fresh.expose())?;
                store
                    .write(move |tx| {
                        if let Some(key) = tx.setting(SETTING)?.filter(|known| Sealer::from_text(known).is_some()) {
                            return Ok(key);
                        }
                        tx.put_setting(SETTING, &fresh)?;
                        Ok::<_, AppError>(fresh)
                    })
                    .await?
            }
        };
        let key = sealer.open_text(SETTING, &sealed)?;
        let bytes =
            hex::decode(key.expose()).map_err(|error| AppError::internal("the page token key can't be read", error))?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, Redacted::new(bytes).expose())))
    }

    fn mac(&self, query: Query, payload: &[u8]) -> [u8; MAC] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(PURPOSE);
        context.update(query.0.as_bytes());
        context.update(payload);
        let mut mac = [0; MAC];
        for (to, from) in mac.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        mac
    }

    /// What clients hold.
    pub(crate) fn seal(&self, query: Query, cursor: &Cursor) -> String {
        let payload = encode(cursor);
        let mut bytes = Vec::with_capacity(1 + MAC + payload.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.mac(query, &payload));
        bytes.extend_from_slice(&payload);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Where `query` goes on; `None` is at its beginning.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for anything that [`Self::seal`] did not give for this very query.
    pub(crate) fn open_token(&self, query: Query, token: &PageToken) -> Result<Option<Cursor>, AppError> {
        if token.0.is_empty() {
            return Ok(None);
        }
        self.read(query, &token.0)
            .map(Some)
            .ok_or_else(|| AppError::Invalid("Invalid page token: it is not one that this search gave".to_owned()))
    }

    fn read(&self, query: Query, token: &str) -> Option<Cursor> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (mac, payload) = rest.split_at_checked(MAC)?;
        constant_time::verify_slices_are_equal(mac, &self.mac(query, payload)).ok()?;
        decode(payload)
    }

    /// The number that a page comes after, for lists that are sorted by nothing else.
    pub(crate) fn open_number(&self, query: Query, token: &PageToken) -> Result<Option<i64>, AppError> {
        match self.open_token(query, token)?.map(|cursor| cursor.0).as_deref() {
            None => Ok(None),
            Some([CursorValue::Integer(number)]) => Ok(Some(*number)),
            Some(_) => Err(AppError::Invalid("Invalid page token: the list must begin anew".to_owned())),
        }
    }

    /// A page that ends with the thing of this number, if there are more behind it.
    pub(crate) fn numbered<T>(&self, query: Query, items: Vec<T>, last: Option<i64>) -> Listing<T> {
        let next = last.map(|number| Cursor(vec![CursorValue::Integer(number)]));
        self.listing(query, Page { items, next })
    }

    /// The page as clients get it.
    pub(crate) fn listing<T>(&self, query: Query, page: Page<T>) -> Listing<T> {
        let next_page_token = page.next.map(|cursor| self.seal(query, &cursor));
        Listing { items: page.items, next_page_token }
    }
}

fn encode(cursor: &Cursor) -> Vec<u8> {
    let mut bytes = Vec::new();
    for value in &cursor.0 {
        match value {
            CursorValue::Null => bytes.push(0),
            CursorValue::Integer(number) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            CursorValue::Real(number) => {
                bytes.push(2);
                bytes.extend_from_slice(&number.to_bits().to_be_bytes());
            }
            CursorValue::Text(text) => {
                bytes.push(3);
                bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
        }
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Option<Cursor> {
    let mut values = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        if values.len() == MAX_VALUES {
            return None;
        }
        bytes = rest;
        values.push(match kind {
            0 => CursorValue::Null,
            1 => CursorValue::Integer(i64::from_be_bytes(take(&mut bytes)?)),
            2 => CursorValue::Real(f64::from_bits(u64::from_be_bytes(take(&mut bytes)?))),
            3 => {
                let length = u32::from_be_bytes(take(&mut bytes)?) as usize;
                let (text, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                CursorValue::Text(std::str::from_utf8(text).ok()?.to_owned())
            }
            _ => return None,
        });
    }
    Some(Cursor(values))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

/// How many rows are read at a time while looking for visible ones.
const STRIDE: u32 = 1000;

/// Fills a page with what `visible` lets through, reading on until it is full or there is no more. What is hidden leaves
/// no trace: the next page comes after something that was shown, or there is none.
pub(super) fn visible_page<T>(
    limit: u32,
    after: Option<Cursor>,
    mut fetch: impl FnMut(u32, Option<Cursor>) -> Result<Page<T>, AppError>,
    visible: impl Fn(&T) -> bool,
) -> Result<Page<T>, AppError> {
    let mut items = Vec::new();
    let mut from = after;
    let mut hidden = false;
    loop {
        let wanted = limit.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
        // Where much is hidden, reading little by little would never end.
        let ask = if hidden { wanted.max(STRIDE) } else { wanted };
        let page = fetch(ask, from.clone())?;
        let count = page.items.len();
        for (position, item) in page.items.into_iter().enumerate() {
            if !visible(&item) {
                hidden = true;
                continue;
            }
            items.push(item);
            if items.len() as u64 >= u64::from(limit) {
                if position + 1 == count {
                    return Ok(Page { items, next: page.next });
                }
                // The place right behind this one is what a page that ends with it is followed by.
                let exact = fetch(u32::try_from(position).unwrap_or(u32::MAX).saturating_add(1), from)?;
                return Ok(Page { items, next: exact.next });
            }
        }
        match page.next {
            // A backend that does not get on must not keep us here.
            Some(next) if count > 0 && Some(&next) != from.as_ref() => from = Some(next),
            _ => return Ok(Page { items, next: None }),
        }
    }
}

/// `bytes` as what a client sent, and as what is in a token that another release signed.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_token(bytes: &[u8]) {
    let tokens = PageTokens(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
    let query = Query::of(&"fuzzed");
    let given = PageToken(String::from_utf8_lossy(bytes).into_owned());
    assert!(bytes.is_empty() || tokens.open_token(query, &given).is_err(), "a made up token was taken");
    let Some(cursor) = decode(bytes) else { return };
    assert_eq!(encode(&cursor), bytes, "a cursor has one form");
    let sealed = PageToken(tokens.seal(query, &cursor));
    if sealed.0.len() <= MAX_TOKEN {
        // Bytes, as no real number that is none equals itself.
        let opened = tokens.open_token(query, &sealed).ok().flatten();
        assert_eq!(opened.as_ref().map(encode).as_deref(), Some(bytes), "a token gives back its cursor");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens() -> PageTokens {
        PageTokens(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))
    }

    fn value() -> impl Strategy<Value = CursorValue> {
        prop_oneof![
            Just(CursorValue::Null),
            any::<i64>().prop_map(CursorValue::Integer),
            (-1e300..1e300).prop_map(CursorValue::Real),
            ".{0,80}".prop_map(CursorValue::Text),
        ]
    }

    proptest! {
        #[test]
        fn a_token_gives_back_its_cursor(values in proptest::collection::vec(value(), 0..6)) {
            let (cursor, query) = (Cursor(values), Query::of(&"q"));
            let token = PageToken(tokens().seal(query, &cursor));
            prop_assert_eq!(tokens().open_token(query, &token).unwrap(), Some(cursor));
        }

        #[test]
        fn one_bit_changed_is_refused(values in proptest::collection::vec(value(), 1..4), bit in any::<prop::sample::Index>()) {
            let query = Query::of(&"q");
            let mut bytes = URL_SAFE_NO_PAD.decode(tokens().seal(query, &Cursor(values))).unwrap();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let token = PageToken(URL_SAFE_NO_PAD.encode(bytes));
            prop_assert!(matches!(tokens().open_token(query, &token), Err(AppError::Invalid(_))));
        }

        #[test]
        fn no_text_is_a_token(text in "[ -~]{1,120}") {
            prop_assert!(tokens().open_token(Query::of(&"q"), &PageToken(text)).is_err());
        }

        /// Also what is signed must be read with care: another release may have written it.
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn a_token_of_another_query_or_another_server_is_refused() {
        let cursor = Cursor(vec![CursorValue::Integer(4)]);
        let token = PageToken(tokens().seal(Query::of(&("runs", "a")), &cursor));
        assert!(tokens().open_token(Query::of(&("runs", "a")), &token).is_ok());
        assert!(tokens().open_token(Query::of(&("runs", "b")), &token).is_err());
        let other = PageTokens(hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]));
        assert!(other.open_token(Query::of(&("runs", "a")), &token).is_err());
        assert_eq!(tokens().open_token(Query::of(&"x"), &PageToken::new(None)).unwrap(), None);
        let long = PageToken("A".repeat(MAX_TOKEN + 4));
        assert!(tokens().open_token(Query::of(&"x"), &long).is_err());
    }

    fn place(number: u64) -> Cursor {
        Cursor(vec![CursorValue::Integer(i64::try_from(number).unwrap())])
    }

    fn fetch(limit: u32, after: Option<Cursor>) -> Result<Page<u64>, AppError> {
        let from = match after.as_ref().and_then(|cursor| cursor.0.first()) {
            Some(CursorValue::Integer(last)) => u64::try_from(*last).unwrap() + 1,
            _ => 0,
        };
        let items: Vec<u64> = (from..5000).take(limit as usize).collect();
        let next = items.last().filter(|last| **last < 4999).map(|last| place(*last));
        Ok(Page { items, next })
    }

    #[test]
    fn hidden_rows_do_not_end_a_page_early() {
        let first = visible_page(3, None, fetch, |n| n % 1000 == 999).unwrap();
        assert_eq!(first.items, [999, 1999, 2999]);
        assert_eq!(first.next, Some(place(2999)), "what is hidden behind it shows nowhere");
        let rest = visible_page(3, first.next, fetch, |n| n % 1000 == 999).unwrap();
        assert_eq!((rest.items, rest.next), (vec![3999, 4999], None));
        let full = visible_page(2, Some(place(4997)), fetch, |_| true).unwrap();
        assert_eq!((full.items, full.next), (vec![4998, 4999], None));
        let none = visible_page(2, None, fetch, |_| false).unwrap();
        assert_eq!((none.items, none.next), (vec![], None));
    }
}
