//! Page tokens, and pages of what a principal may see.

use sealyard_store::model::Page;

use crate::AppError;

/// Where a search goes on. Clients only hand it back; it is no secret and gives nothing, since every page is filtered by
/// what its reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageToken(u64);

impl PageToken {
    /// Reads what [`Self::to_text`] made; an empty text is the beginning.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for any other text.
    pub fn parse(text: Option<&str>) -> Result<Self, AppError> {
        let text = text.unwrap_or_default();
        if text.is_empty() {
            return Ok(Self(0));
        }
        let invalid = || AppError::Invalid("Invalid page token".to_owned());
        let digits = text.strip_prefix("o-").ok_or_else(invalid)?;
        let canonical = !digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !canonical {
            return Err(invalid());
        }
        let offset = u64::from_str_radix(digits, 16).map_err(|_| invalid())?;
        i64::try_from(offset).map_err(|_| invalid())?;
        Ok(Self(offset))
    }

    /// What it stands for.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.0
    }

    /// As clients hold it.
    #[must_use]
    pub fn to_text(offset: u64) -> String {
        format!("o-{offset:x}")
    }
}

/// How many rows are read at a time while looking for visible ones.
const STRIDE: u32 = 1000;

/// Fills a page with what `visible` lets through, reading on until it is full or there is no more. What is hidden leaves
/// no trace but a larger offset.
pub(super) fn visible_page<T>(
    limit: u32,
    from: PageToken,
    mut fetch: impl FnMut(u32, u64) -> Result<Page<T>, AppError>,
    visible: impl Fn(&T) -> bool,
) -> Result<Page<T>, AppError> {
    let mut items = Vec::new();
    let mut offset = from.offset();
    loop {
        let page = fetch(limit.min(STRIDE), offset)?;
        let more = page.next.is_some();
        let count = page.items.len();
        for (position, item) in page.items.into_iter().enumerate() {
            if !visible(&item) {
                continue;
            }
            items.push(item);
            if items.len() as u64 >= u64::from(limit) {
                let last = position + 1 == count && !more;
                return Ok(Page { items, next: (!last).then_some(offset + position as u64 + 1) });
            }
        }
        match page.next {
            // A backend that does not get on must not keep us here.
            Some(next) if next > offset => offset = next,
            _ => return Ok(Page { items, next: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_others_are_refused() {
        for offset in [0, 1, 1000, i64::MAX as u64] {
            assert_eq!(PageToken::parse(Some(&PageToken::to_text(offset))).unwrap(), PageToken(offset));
        }
        assert_eq!(PageToken::parse(None).unwrap(), PageToken(0));
        for text in ["x", "o-", "o--1", "o-+1", "o-ffffffffffffffff", "o-00000000000000001", "1"] {
            assert!(PageToken::parse(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn hidden_rows_do_not_end_a_page_early() {
        let fetch = |limit: u32, offset: u64| {
            let items: Vec<u64> = (offset..5000).take(limit as usize).collect();
            let next = offset + items.len() as u64;
            Ok(Page { items, next: (next < 5000).then_some(next) })
        };
        let first = visible_page(3, PageToken(0), fetch, |n| n % 1000 == 999).unwrap();
        assert_eq!(first.items, [999, 1999, 2999]);
        let rest = visible_page(3, PageToken(first.next.unwrap()), fetch, |n| n % 1000 == 999).unwrap();
        assert_eq!((rest.items, rest.next), (vec![3999, 4999], None));
        let full = visible_page(2, PageToken(4998), fetch, |_| true).unwrap();
        assert_eq!((full.items, full.next), (vec![4998, 4999], None));
    }
}
