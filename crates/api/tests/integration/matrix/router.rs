//! The tables are whole: each route has a row, and there are no others.

use sealyard_api::Takes::Nobody;
use sealyard_api::{Endpoint, endpoints};

use super::{OPEN, REFUSING, Row, routes, whole};

/// How well a pattern such as `/a/{b}/{*rest}` fits a path: more for what is the same, nothing if it does not fit.
fn fit(pattern: &str, path: &str) -> Option<usize> {
    let (mut pattern, mut path, mut score) = (pattern.split('/'), path.split('/').peekable(), 0);
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return Some(score),
            (Some(part), Some(given)) if part.starts_with("{*") => return (!given.is_empty()).then_some(score),
            (Some(part), Some(given)) if part.starts_with('{') && !given.is_empty() => score += 1,
            (Some(part), Some(given)) if part == given => score += 2,
            _ => return None,
        }
    }
}

/// The route that a row of the table asks below a root.
fn endpoint_of<'a>(all: &'a [Endpoint], root: &str, row: &Row) -> Option<&'a Endpoint> {
    let path = whole(root, row.1);
    let path = path.split('?').next().unwrap();
    let fitting = all.iter().filter(|endpoint| endpoint.method == row.0 || endpoint.method == "ANY");
    fitting
        .filter_map(|endpoint| Some((fit(&endpoint.path, path)?, endpoint)))
        .max_by_key(|(score, _)| *score)
        .map(|(_, found)| found)
}

#[test]
fn the_table_has_every_route() {
    let all = endpoints();
    assert!(all.len() > 100, "{}", all.len());
    let mut asked = Vec::new();
    for row in routes() {
        for root in ["/api", "/ajax-api"] {
            let found = endpoint_of(&all, root, row).unwrap_or_else(|| panic!("no route is mounted for {row:?}"));
            assert_eq!(found.takes, row.3, "the router and the table disagree: {found:?}");
            asked.push(found);
        }
    }
    for endpoint in &all {
        match (endpoint.takes, endpoint.method) {
            (Nobody, _) => assert!(OPEN.contains(&endpoint.path.as_str()), "open to everybody: {endpoint:?}"),
            // Refuses whatever the method.
            (_, "ANY") => assert!(REFUSING.iter().any(|end| endpoint.path.ends_with(end)), "{endpoint:?}"),
            _ => assert!(asked.contains(&endpoint), "a route without a row in the table: {endpoint:?}"),
        }
    }
}

/// A route that says what it takes but does not ask is found by the callers of the matrix; one that was mounted past the
/// list would not be. So there is no other way to mount one: here is what would be needed.
#[test]
fn nothing_is_mounted_past_the_list() {
    fn look(folder: &std::path::Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                let whole = [
                    "src/http/routes.rs",
                    "src/http/mod.rs",
                    "src/lib.rs",
                    "src/inference/mod.rs",
                    "src/metrics/mod.rs",
                ];
                let may = whole.iter().any(|may| path.ends_with(may));
                let routing = source.contains("axum::routing") || source.contains("axum::Router");
                assert!(may || !routing, "{} has a router of its own", path.display());
            }
        }
    }
    look(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
}
