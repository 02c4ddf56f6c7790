//! The groups that somebody is in, also by way of other groups.

use std::collections::BTreeSet;

use crate::LdapError;
use crate::session::Session;
use crate::settings::{GroupSearch, NestedGroups};

/// Groups in groups in groups … are followed so far.
const DEEPEST: usize = 8;
/// Groups that somebody can be in.
const MOST: usize = 512;
/// Groups that one search asks about.
const AT_ONCE: usize = 32;

/// Finds each group once, so a circle of groups ends. More groups than the bounds allow are an error and not a part of them:
/// a part could miss the group that takes a right away. The answer holds DNs and, beside them, short names.
pub(crate) async fn find(
    session: &mut Session,
    search: &GroupSearch,
    name: &str,
    dn: &str,
) -> Result<BTreeSet<String>, LdapError> {
    let mut known = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut filters = vec![search.filter.fill(name, dn)];
    for depth in 0.. {
        let mut found = vec![];
        for some in filters.chunks(AT_ONCE) {
            let filter = if let [one] = some { one.clone() } else { format!("(|{})", some.concat()) };
            let attributes = [search.name_attribute.as_str()];
            let answer = session.search(&search.base, &filter, &attributes, MOST).await?;
            if answer.cut {
                return Err(too_many());
            }
            found.extend(answer.entries);
        }
        filters.clear();
        for group in found {
            if !known.insert(group.dn().to_lowercase()) {
                continue;
            }
            if known.len() > MOST {
                return Err(too_many());
            }
            names.insert(group.dn().to_owned());
            // A short name that looks like a DN must not pass for one.
            names.extend(group.only(&search.name_attribute).filter(|name| !name.contains('=')));
            filters.push(search.nested_filter.fill("", group.dn()));
        }
        if filters.is_empty() || search.nested != NestedGroups::Search {
            break;
        }
        if depth >= DEEPEST {
            return Err(LdapError::unavailable(format_args!("groups are nested more than {DEEPEST} deep")));
        }
    }
    Ok(names)
}

fn too_many() -> LdapError {
    LdapError::unavailable(format_args!("somebody is in more than {MOST} groups"))
}
