use crate::AppError;

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A run of letters, digits and `_ . - / :`; keywords, identifiers and numbers.
    Word(String),
    /// Something in backticks.
    Backticked(String),
    /// Something in single or double quotes.
    Quoted(String),
    /// `= != < <= > >=`.
    Operator(&'static str),
    /// `( ) , .`
    Mark(char),
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || "_.-/:+".contains(character)
}

/// Cuts `text` into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, AppError> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&character) = rest.peek() {
        if character.is_whitespace() {
            rest.next();
        } else if matches!(character, '\'' | '"' | '`') {
            rest.next();
            let mut inside = String::new();
            loop {
                match rest.next() {
                    None => {
                        return Err(AppError::Invalid(format!(
                            "Invalid clause(s) in filter string: a {character} is not closed"
                        )));
                    }
                    // Doubled, it stands for itself.
                    Some(next) if next == character && rest.peek() == Some(&character) => {
                        rest.next();
                        inside.push(character);
                    }
                    Some(next) if next == character => break,
                    Some(next) => inside.push(next),
                }
            }
            tokens.push(if character == '`' { Token::Backticked(inside) } else { Token::Quoted(inside) });
        } else if matches!(character, '=' | '<' | '>' | '!') {
            rest.next();
            let equals = rest.next_if_eq(&'=').is_some();
            let operator = match (character, equals) {
                ('=', _) => "=",
                ('<', false) => "<",
                ('<', true) => "<=",
                ('>', false) => ">",
                ('>', true) => ">=",
                ('!', true) => "!=",
                _ => return Err(AppError::Invalid("Invalid clause(s) in filter string: '!' without '='".to_owned())),
            };
            tokens.push(Token::Operator(operator));
        } else if matches!(character, '(' | ')' | ',') {
            rest.next();
            tokens.push(Token::Mark(character));
        } else if is_word(character) {
            let mut word = String::new();
            while let Some(next) = rest.next_if(|next| is_word(*next)) {
                word.push(next);
            }
            tokens.push(Token::Word(word));
        } else {
            return Err(AppError::Invalid(format!("Invalid clause(s) in filter string: unexpected {character:?}")));
        }
    }
    Ok(tokens)
}
