//! The groups that somebody is in, also by way of other groups.

use std::collections::BTreeSet;

use crate::LdapError;
use crate::session::Session;
use crate::settings::{GroupSearch, NestedGroups, plain_dn};

/// Groups in groups in groups … are followed so far.
const DEEPEST: usize = 8;
/// Groups that somebody can be in.
const MOST: usize = 512;
/// Groups that one search asks about.
const AT_ONCE: usize = 32;

/// Finds each group once, so a circle of groups ends. More groups than the bounds allow are an error and not a part of them:
/// a part could miss the group that takes a right away. Groups are called by their DN.
pub(crate) async fn find(
    session: &mut Session,
    search: &GroupSearch,
    name: &str,
    dn: &str,
) -> Result<BTreeSet<String>, LdapError> {
    let mut known = BTreeSet::new();
    let mut filters = vec![search.filter.fill(name, dn)];
    for depth in 0.. {
        let mut found = vec![];
        for some in filters.chunks(AT_ONCE) {
            let filter = if let [one] = some { one.clone() } else { format!("(|{})", some.concat()) };
            // 1.1 is "no attributes" (RFC 4511, 4.5.1.8).
            let answer = session.search(&search.base, &filter, &["1.1"], MOST).await?;
            if answer.cut {
                return Err(too_many());
            }
            found.extend(answer.entries);
        }
        filters.clear();
        for group in found {
            if !known.insert(plain_dn(group.dn())) {
                continue;
            }
            if known.len() > MOST {
                return Err(too_many());
            }
            filters.push(search.nested_filter.fill("", group.dn()));
        }
        if filters.is_empty() || search.nested != NestedGroups::Search {
            break;
        }
        if depth >= DEEPEST {
            return Err(LdapError::unavailable(format_args!("groups are nested more than {DEEPEST} deep")));
        }
    }
    Ok(known)
}

fn too_many() -> LdapError {
    LdapError::unavailable(format_args!("somebody is in more than {MOST} groups"))
}
