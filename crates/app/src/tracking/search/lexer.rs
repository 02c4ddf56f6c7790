/// A piece of a filter, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// With its quotes.
    pub(super) text: String,
    /// Whether it follows the one before without a space.
    pub(super) adjacent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A run of letters, digits and `_ . - / : + @ #`: keywords, identifiers and numbers.
    Word,
    /// In backticks.
    Backticked,
    /// In double quotes: a key or a value.
    DoubleQuoted,
    /// In single quotes: a value.
    Quoted,
    /// `= == != <> < <= > >= ~ ~=` and other combinations of these signs.
    Operator,
    /// `(`, `)` or `,`.
    Mark,
    /// `;`.
    End,
    /// What means nothing here, such as a quote that is never closed.
    Other,
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || "_.-/:+@#$".contains(character)
}

/// Cuts `text` into tokens; what can't be understood becomes a token too, so that an error can show it.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    let mut adjacent = false;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
            adjacent = false;
            continue;
        }
        let (kind, length) = match first {
            '\'' => closed(rest, first, TokenKind::Quoted),
            '"' => closed(rest, first, TokenKind::DoubleQuoted),
            '`' => closed(rest, first, TokenKind::Backticked),
            '=' | '<' | '>' | '!' | '~' => (TokenKind::Operator, length_of(rest, |next| "=<>!~".contains(next))),
            '(' | ')' | ',' => (TokenKind::Mark, 1),
            ';' => (TokenKind::End, 1),
            _ if is_word(first) => (TokenKind::Word, length_of(rest, is_word)),
            _ => (TokenKind::Other, first.len_utf8()),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(Token { kind, text: token.to_owned(), adjacent });
        rest = after;
        adjacent = true;
    }
    tokens
}

fn length_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|next| !belongs(next)).unwrap_or(text.len())
}

/// What begins with `quote`, up to the one that closes it. Doubled, a quote stands for itself.
fn closed(text: &str, quote: char, kind: TokenKind) -> (TokenKind, usize) {
    let mut inside = text.char_indices().skip(1).peekable();
    while let Some((position, character)) = inside.next() {
        if character != quote {
            continue;
        }
        if inside.next_if(|(_, next)| *next == quote).is_none() {
            return (kind, position + 1);
        }
    }
    (TokenKind::Other, text.len())
}

/// What stands between a token's quotes.
pub(super) fn unquoted(text: &str) -> String {
    for quote in ['\'', '"', '`'] {
        if let Some(inside) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            let doubled: String = [quote, quote].iter().collect();
            return inside.replace(&doubled, quote.encode_utf8(&mut [0; 4]));
        }
    }
    text.to_owned()
}
