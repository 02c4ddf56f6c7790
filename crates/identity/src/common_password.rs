use sealyard_core::Digest;

/// Passwords that head lists of leaked ones, and words among them: the sorted first bytes of the SHA-256 of each, written by
/// `dev/generate/common_passwords.py`.
static LISTED: &[u8] = include_bytes!("common_passwords.bin");
const ENTRY: usize = 5;

/// Words that, with digits or punctuation around them, head every list of leaked passwords; and the ones that people
/// choose for a product like this.
const WORDS: &[&str] = &[
    "abcdefgh",
    "access",
    "account",
    "admin",
    "administrator",
    "asdfghjkl",
    "baseball",
    "batman",
    "changeme",
    "changeit",
    "charlie",
    "computer",
    "correcthorsebatterystaple",
    "default",
    "dragon",
    "experiment",
    "football",
    "freedom",
    "guest",
    "hello",
    "helloworld",
    "hunter",
    "iloveyou",
    "jennifer",
    "jordan",
    "letmein",
    "login",
    "machinelearning",
    "manager",
    "master",
    "mlflow",
    "mlops",
    "model",
    "monkey",
    "mypassword",
    "ninja",
    "pass",
    "passphrase",
    "passw",
    "passwd",
    "password",
    "passwordadmin",
    "princess",
    "pwd",
    "qazwsx",
    "qazwsxedc",
    "qwer",
    "qwerty",
    "qwertyuiop",
    "registry",
    "root",
    "sealyard",
    "secret",
    "server",
    "service",
    "shadow",
    "soccer",
    "starwars",
    "summer",
    "spring",
    "autumn",
    "winter",
    "sunshine",
    "superman",
    "superuser",
    "supersecret",
    "system",
    "temp",
    "temporary",
    "test",
    "testing",
    "testtest",
    "thisismypassword",
    "training",
    "trustno",
    "user",
    "username",
    "welcome",
    "whatever",
    "zaqwsx",
    "zxcvbnm",
];

/// Rows that fingers and minds run along.
const ROWS: &[&str] = &[
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
];

/// Whether `password` is one that is tried first. Deliberately small and offline: it catches what a length rule
/// provokes (`Password1234`, `qwertyuiop12`), not every leak.
pub(crate) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 || is_row(&lower) || is_repetition(&lower) {
        return true;
    }
    // `P@ssw0rd-2026!` is `password` in disguise.
    let plain: String = trim(&lower).chars().filter_map(undisguise).collect();
    let bare: String = trim(&lower).chars().filter(char::is_ascii_alphabetic).collect();
    let undisguised: String = lower.chars().filter_map(undisguise).collect();
    is_listed(&lower)
        || [plain, bare, undisguised]
            .iter()
            .any(|word| WORDS.contains(&word.as_str()) || is_words(word) || is_listed(word))
}

fn is_listed(word: &str) -> bool {
    let digest = Digest::of(word.as_bytes());
    let (entries, _) = LISTED.as_chunks::<ENTRY>();
    digest.as_bytes().first_chunk::<ENTRY>().is_some_and(|wanted| entries.binary_search(wanted).is_ok())
}

fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| !character.is_alphabetic() && !"@$".contains(character))
}

fn undisguise(character: char) -> Option<char> {
    match character {
        'a'..='z' => Some(character),
        '0' => Some('o'),
        '1' | '!' => Some('i'),
        '3' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' => Some('t'),
        _ => None,
    }
}

/// `text` runs along a row, forwards or backwards, for all but a few characters.
fn is_row(text: &str) -> bool {
    let backwards: String = text.chars().rev().collect();
    let longest = |text: &str| {
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let starts: Vec<usize> = ends.clone().collect();
        ends.flat_map(|end| starts.iter().filter(move |start| **start < end).map(move |start| (*start, end)))
            .filter_map(|(start, end)| text.get(start..end))
            .filter(|part| ROWS.iter().any(|row| row.contains(part)))
            .map(str::len)
            .max()
            .unwrap_or_default()
    };
    // Longer texts are no rows; this also bounds the work.
    text.len() <= 32 && longest(text).max(longest(&backwards)) + 4 >= text.len()
}

/// One piece again and again.
fn is_repetition(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=bytes.len() / 2).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(one, other)| one == other))
}

/// Two common words in a row.
fn is_words(text: &str) -> bool {
    WORDS.iter().any(|word| text.strip_prefix(word).is_some_and(|rest| WORDS.contains(&rest)))
}

#[cfg(test)]
mod tests {
    use super::is_common;

    #[test]
    fn what_is_tried_first_is_common() {
        for password in [
            "password1234",
            "Password123!",
            "P@ssw0rd2026!",
            "123456789012",
            "qwertyuiop12",
            "abcdefghijkl",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "hunter22hunter22",
            "adminadmin12",
            "administrator",
            "mlflow-server",
            "2026-Changeme!",
            "lkjhgfdsapoi",
            "1q2w3e4r5t6y",
            "121212121212",
            "ADMINPASSWORD",
            "098765432109",
            // From the list: whole, and as a word with digits around it.
            "finalfantasy",
            "leavemealone",
            "gfhjkmgfhjkm",
            "Liverpool2026!",
            "2026-$unshine-2026",
            "justinbieber",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_whole() {
        let (entries, rest) = super::LISTED.as_chunks::<{ super::ENTRY }>();
        assert!(rest.is_empty() && entries.len() > 10_000, "{}", entries.len());
        assert!(entries.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn ordinary_good_ones_are_not() {
        for password in [
            "correct horse battery",
            "m4kp7d-xqz3rf-29hjkw-utv8ab",
            "diabetes-at-midnight",
            "wölfe jagen nachts im wald",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }
}
