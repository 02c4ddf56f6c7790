//! Letters that Python takes for plain ones in names: it brings names to the form NFKC before it looks them up.
//!
//! <https://docs.python.org/3/reference/lexical_analysis.html#identifiers>

/// Runs of letters that stand for plain ones: the first, the last, and the plain one of the first.
const RUNS: &[(u32, u32, char)] = &[
    (0x00aa, 0x00aa, 'a'),
    (0x00ba, 0x00ba, 'o'),
    (0x017f, 0x017f, 's'),
    (0x02b0, 0x02b0, 'h'),
    (0x02b2, 0x02b2, 'j'),
    (0x02b3, 0x02b3, 'r'),
    (0x02b7, 0x02b7, 'w'),
    (0x02b8, 0x02b8, 'y'),
    (0x02e1, 0x02e1, 'l'),
    (0x02e2, 0x02e2, 's'),
    (0x02e3, 0x02e3, 'x'),
    (0x1d2c, 0x1d2c, 'A'),
    (0x1d2e, 0x1d2e, 'B'),
    (0x1d30, 0x1d31, 'D'),
    (0x1d33, 0x1d3a, 'G'),
    (0x1d3c, 0x1d3c, 'O'),
    (0x1d3e, 0x1d3e, 'P'),
    (0x1d3f, 0x1d3f, 'R'),
    (0x1d40, 0x1d41, 'T'),
    (0x1d42, 0x1d42, 'W'),
    (0x1d43, 0x1d43, 'a'),
    (0x1d47, 0x1d47, 'b'),
    (0x1d48, 0x1d49, 'd'),
    (0x1d4d, 0x1d4d, 'g'),
    (0x1d4f, 0x1d4f, 'k'),
    (0x1d50, 0x1d50, 'm'),
    (0x1d52, 0x1d52, 'o'),
    (0x1d56, 0x1d56, 'p'),
    (0x1d57, 0x1d58, 't'),
    (0x1d5b, 0x1d5b, 'v'),
    (0x1d62, 0x1d62, 'i'),
    (0x1d63, 0x1d63, 'r'),
    (0x1d64, 0x1d65, 'u'),
    (0x1d9c, 0x1d9c, 'c'),
    (0x1da0, 0x1da0, 'f'),
    (0x1dbb, 0x1dbb, 'z'),
    (0x2071, 0x2071, 'i'),
    (0x207f, 0x207f, 'n'),
    (0x2090, 0x2090, 'a'),
    (0x2091, 0x2091, 'e'),
    (0x2092, 0x2092, 'o'),
    (0x2093, 0x2093, 'x'),
    (0x2095, 0x2095, 'h'),
    (0x2096, 0x2099, 'k'),
    (0x209a, 0x209a, 'p'),
    (0x209b, 0x209c, 's'),
    (0x2102, 0x2102, 'C'),
    (0x210a, 0x210a, 'g'),
    (0x210b, 0x210b, 'H'),
    (0x210c, 0x210c, 'H'),
    (0x210d, 0x210d, 'H'),
    (0x210e, 0x210e, 'h'),
    (0x2110, 0x2110, 'I'),
    (0x2111, 0x2111, 'I'),
    (0x2112, 0x2112, 'L'),
    (0x2113, 0x2113, 'l'),
    (0x2115, 0x2115, 'N'),
    (0x2119, 0x211b, 'P'),
    (0x211c, 0x211c, 'R'),
    (0x211d, 0x211d, 'R'),
    (0x2124, 0x2124, 'Z'),
    (0x2128, 0x2128, 'Z'),
    (0x212a, 0x212a, 'K'),
    (0x212c, 0x212d, 'B'),
    (0x212f, 0x212f, 'e'),
    (0x2130, 0x2131, 'E'),
    (0x2133, 0x2133, 'M'),
    (0x2134, 0x2134, 'o'),
    (0x2139, 0x2139, 'i'),
    (0x2145, 0x2145, 'D'),
    (0x2146, 0x2147, 'd'),
    (0x2148, 0x2149, 'i'),
    (0x2160, 0x2160, 'I'),
    (0x2164, 0x2164, 'V'),
    (0x2169, 0x2169, 'X'),
    (0x216c, 0x216c, 'L'),
    (0x216d, 0x216e, 'C'),
    (0x216f, 0x216f, 'M'),
    (0x2170, 0x2170, 'i'),
    (0x2174, 0x2174, 'v'),
    (0x2179, 0x2179, 'x'),
    (0x217c, 0x217c, 'l'),
    (0x217d, 0x217e, 'c'),
    (0x217f, 0x217f, 'm'),
    (0x2c7c, 0x2c7c, 'j'),
    (0x2c7d, 0x2c7d, 'V'),
    (0xa7f2, 0xa7f2, 'C'),
    (0xa7f3, 0xa7f3, 'F'),
    (0xa7f4, 0xa7f4, 'Q'),
    (0xfe33, 0xfe33, '_'),
    (0xfe34, 0xfe34, '_'),
    (0xfe4d, 0xfe4d, '_'),
    (0xfe4e, 0xfe4e, '_'),
    (0xfe4f, 0xfe4f, '_'),
    (0xff10, 0xff19, '0'),
    (0xff21, 0xff3a, 'A'),
    (0xff3f, 0xff3f, '_'),
    (0xff41, 0xff5a, 'a'),
    (0x107a5, 0x107a5, 'q'),
    (0x1d7ce, 0x1d7d7, '0'),
    (0x1d7d8, 0x1d7e1, '0'),
    (0x1d7e2, 0x1d7eb, '0'),
    (0x1d7ec, 0x1d7f5, '0'),
    (0x1d7f6, 0x1d7ff, '0'),
    (0x1fbf0, 0x1fbf9, '0'),
];

/// Letters that stand for several plain ones.
const LIGATURES: &[(u32, &str)] = &[
    (0x0132, "IJ"),
    (0x0133, "ij"),
    (0x01c7, "LJ"),
    (0x01c8, "Lj"),
    (0x01c9, "lj"),
    (0x01ca, "NJ"),
    (0x01cb, "Nj"),
    (0x01cc, "nj"),
    (0x01f1, "DZ"),
    (0x01f2, "Dz"),
    (0x01f3, "dz"),
    (0x2161, "II"),
    (0x2162, "III"),
    (0x2163, "IV"),
    (0x2165, "VI"),
    (0x2166, "VII"),
    (0x2167, "VIII"),
    (0x2168, "IX"),
    (0x216a, "XI"),
    (0x216b, "XII"),
    (0x2171, "ii"),
    (0x2172, "iii"),
    (0x2173, "iv"),
    (0x2175, "vi"),
    (0x2176, "vii"),
    (0x2177, "viii"),
    (0x2178, "ix"),
    (0x217a, "xi"),
    (0x217b, "xii"),
    (0xfb00, "ff"),
    (0xfb01, "fi"),
    (0xfb02, "fl"),
    (0xfb03, "ffi"),
    (0xfb04, "ffl"),
    (0xfb05, "st"),
    (0xfb06, "st"),
];

/// Whether a letter may stand in a name.
pub(super) fn is_in_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || (!letter.is_ascii() && plain(letter).is_some())
}

/// A name as Python looks it up, as far as its letters stand for plain ones.
pub(super) fn normal(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        let code = u32::from(letter);
        match LIGATURES.binary_search_by_key(&code, |(ligature, _)| *ligature) {
            Ok(found) => out.push_str(LIGATURES.get(found).map_or("", |(_, plain)| plain)),
            Err(_) => out.push(plain(letter).unwrap_or(letter)),
        }
    }
    out
}

/// The plain letter of one in another width, place or style.
fn plain(letter: char) -> Option<char> {
    let code = u32::from(letter);
    // Thirteen mathematical styles of capital and small letters, one behind another.
    if (0x1d400..=0x1d6a3).contains(&code) {
        let folded = match (code - 0x1d400) % 52 {
            capital @ 0..=25 => capital + 65,
            small => small - 26 + 97,
        };
        return char::from_u32(folded);
    }
    let place = RUNS.partition_point(|(_, last, _)| *last < code);
    let (first, _, plain) = RUNS.get(place).filter(|(first, _, _)| *first <= code)?;
    char::from_u32(u32::from(*plain) + (code - first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_other_styles_are_plain() {
        for (name, plain) in [
            ("\u{ba}s", "os"),
            ("o\u{17f}", "os"),
            ("\u{ff4f}\u{1d42c}", "os"),
            ("\u{fb01}le", "file"),
            ("\u{fe33}_import_\u{ff3f}", "__import__"),
            ("\u{24}", "$"),
            ("caf\u{e9}", "caf\u{e9}"),
            ("e\u{1d65}al", "eval"),
        ] {
            assert_eq!(normal(name), plain);
        }
        assert!(RUNS.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(LIGATURES.is_sorted());
    }
}
