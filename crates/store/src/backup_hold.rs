//! What the setting [`crate::BACKUP_HOLD`] says: for each backup under way until when it holds, in milliseconds of Unix time, and its
//! name; one to a line. Each backup changes its own line alone, so that the end of one does not end the hold of another.

/// Until when the last of them holds.
#[must_use]
pub fn held_until(text: &str) -> Option<i64> {
    text.lines().filter_map(|line| Some(parse(line)?.0)).max()
}

/// With the hold of this backup until then, and without those that were over at `now`.
#[must_use]
pub fn with_hold(text: &str, name: &str, until: i64, now: i64) -> String {
    let others = text.lines().filter(|line| parse(line).is_some_and(|(end, other)| end > now && other != name));
    let mut lines: Vec<String> = others.map(str::to_owned).collect();
    lines.push(format!("{until} {name}"));
    lines.join("\n")
}

/// Without the hold of this backup.
#[must_use]
pub fn without_hold(text: &str, name: &str) -> String {
    let others = text.lines().filter(|line| parse(line).is_some_and(|(_, other)| other != name));
    others.collect::<Vec<_>>().join("\n")
}

/// A line without a name is of a release that knew one hold only.
fn parse(line: &str) -> Option<(i64, &str)> {
    let (until, name) = line.split_once(' ').unwrap_or((line, ""));
    Some((until.parse().ok()?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_backup_has_its_own_hold() {
        let one = with_hold("0", "one", 100, 10);
        assert_eq!((one.as_str(), held_until(&one)), ("100 one", Some(100)));
        let both = with_hold(&one, "two", 120, 20);
        assert_eq!(held_until(&both), Some(120));
        assert_eq!(held_until(&without_hold(&both, "two")), Some(100), "the other one goes on");
        assert_eq!(without_hold(&without_hold(&both, "two"), "one"), "");
        assert_eq!(with_hold(&both, "two", 300, 110), "300 two", "what is over goes");
        assert_eq!((held_until("9000"), held_until(""), held_until("x y")), (Some(9000), None, None));
        assert_eq!(with_hold("9000", "one", 100, 10), "9000\n100 one", "an older release's");
    }
}
