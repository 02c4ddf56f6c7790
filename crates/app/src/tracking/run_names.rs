//! Names for runs that came without one: easier to tell apart, and to say, than ids.

const FIRST: [&str; 64] = [
    "agile", "amber", "ample", "azure", "bold", "brave", "brisk", "calm", "candid", "clear", "clever", "cosmic",
    "crisp", "daring", "deft", "eager", "early", "earnest", "fair", "fleet", "fond", "frank", "fresh", "gentle",
    "glad", "golden", "grand", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind", "lively", "lucid",
    "lucky", "mellow", "merry", "mild", "modest", "neat", "nimble", "noble", "patient", "placid", "plucky", "polite",
    "prompt", "proud", "quick", "quiet", "rapid", "robust", "rosy", "sage", "serene", "silver", "snug", "sunny",
    "swift", "tidy", "vivid", "witty",
];
const SECOND: [&str; 64] = [
    "alder", "auk", "badger", "beaver", "birch", "bison", "brook", "cedar", "chough", "comet", "coot", "crane",
    "curlew", "delta", "dunlin", "eider", "elm", "falcon", "fern", "finch", "fjord", "gannet", "glade", "grebe",
    "grove", "harbor", "hare", "hazel", "heron", "ibis", "island", "jay", "kestrel", "lagoon", "lark", "linnet",
    "lynx", "maple", "marten", "meadow", "merlin", "newt", "oak", "osprey", "otter", "petrel", "pine", "plover",
    "quail", "quarry", "raven", "reef", "ridge", "robin", "seal", "shore", "siskin", "stoat", "swift", "tern",
    "thrush", "tundra", "willow", "wren",
];

/// The name of a run by the first bytes of its id, which is random: `calm-heron-417`.
pub(super) fn of_id(id: &str) -> String {
    let number = id.get(..8).and_then(|head| u32::from_str_radix(head, 16).ok()).unwrap_or(0);
    let word = |words: &[&'static str; 64], number: u32| words.get(number as usize % 64).copied().unwrap_or("run");
    format!("{}-{}-{}", word(&FIRST, number), word(&SECOND, number >> 6), (number >> 12) % 1000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_are_different_and_names_follow_the_id() {
        for words in [&FIRST, &SECOND] {
            assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), 64);
        }
        assert_eq!(of_id("00000000aaaa"), "agile-alder-0");
        assert_eq!(of_id("ffffffff0000"), "witty-wren-575");
        assert_eq!(of_id(""), "agile-alder-0");
    }
}
