//! Search filters with places for what a client sent, or for a DN that the directory sent.

use crate::LdapSettingsError;

/// A filter with `{name}` or `{dn}` in it.
#[derive(Debug, Clone)]
pub(crate) struct Template(String);

impl Template {
    /// Takes a filter that holds one of `places` at least, no other, and is one when they are filled.
    pub(crate) fn new(key: &'static str, text: &str, places: &[&str]) -> Result<Self, LdapSettingsError> {
        if !places.iter().any(|place| text.contains(place)) {
            return Err(LdapSettingsError::value(key, format!("it holds no {}", places.join(" or "))));
        }
        let rest = places.iter().fold(text.to_owned(), |rest, place| rest.replace(place, "x"));
        if rest.contains(['{', '}']) {
            return Err(LdapSettingsError::value(key, format!("only {} may stand in braces", places.join(" and "))));
        }
        if ldap3::parse_filter(&rest).is_err() {
            return Err(LdapSettingsError::value(key, "it is no search filter (RFC 4515)"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The filter for a name and the DN that it was found under.
    pub(crate) fn fill(&self, name: &str, dn: &str) -> String {
        let (name, dn) = (escape(name), escape(dn));
        let mut filled = String::with_capacity(self.0.len() + name.len() + dn.len());
        // In one go: a name that is "{dn}" is text.
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find('{') {
            let (before, place) = rest.split_at(at);
            filled.push_str(before);
            rest = if let Some(after) = place.strip_prefix("{name}") {
                filled.push_str(&name);
                after
            } else if let Some(after) = place.strip_prefix("{dn}") {
                filled.push_str(&dn);
                after
            } else {
                // `new` lets none through.
                break;
            };
        }
        filled.push_str(rest);
        filled
    }
}

/// RFC 4515, section 3: what has a meaning in a filter, and whatever is no printable ASCII, as `\hh`.
pub(crate) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'*' | b'(' | b')' | b'\\' | b'&' | b'|' | b'!' | b'=' | b'<' | b'>' | b'~' | b'{' | b'}' => {
                escaped.push_str(&format!("\\{byte:02x}"));
            }
            b' '..=b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\{byte:02x}")),
        }
    }
    escaped
}

/// RFC 4514, section 2.4: a value inside of a DN.
pub(crate) fn escape_dn(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("\\{byte:02x}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_can_not_be_injected() {
        let filter = Template::new("user_filter", "(&(objectClass=person)(uid={name}))", &["{name}"]).unwrap();
        assert_eq!(filter.fill("ada", ""), "(&(objectClass=person)(uid=ada))");
        for attack in ["*", "ada)(uid=*", "*)(|(uid=*", "ada\\2a", "a\0b", "x)(!(uid=x)", "{dn}", "é"] {
            let filled = filter.fill(attack, "cn=other");
            let inner = filled.strip_prefix("(&(objectClass=person)(uid=").unwrap().strip_suffix("))").unwrap();
            assert!(!inner.contains(['*', '(', ')', '=', '{', '\0']), "{filled}");
            assert!(inner.is_ascii() && ldap3::parse_filter(&filled).is_ok(), "{filled}");
            // And what the server compares with is what was typed.
            assert_eq!(ldap3::ldap_unescape(inner.to_owned()).unwrap(), attack);
        }
    }

    #[test]
    fn a_dn_can_not_be_injected() {
        assert_eq!(escape_dn("ada"), "ada");
        assert_eq!(escape_dn("x,ou=admins"), "x\\2cou\\3dadmins");
        for attack in ["a+b=c", " a", "a ", "#a", "a\\", "a\"", "a;b", "a<b>", "a\0", "é"] {
            let escaped = escape_dn(attack);
            assert!(escaped.is_ascii() && !escaped.contains([',', '+', '=', '"', ';', '<', '>', '#', ' ', '\0']));
        }
    }

    #[test]
    fn templates_are_checked() {
        let new = |text| Template::new("user_filter", text, &["{name}"]);
        for bad in ["(uid=ada)", "(uid={name}", "uid {name}", "(&(uid={name})(cn={cn}))", "(uid={name}}"] {
            assert!(new(bad).is_err(), "{bad}");
        }
        let both = Template::new("group_filter", "(|(member={dn})(memberUid={name}))", &["{dn}", "{name}"]).unwrap();
        assert_eq!(both.fill("ada", "uid=ada,dc=x"), "(|(member=uid\\3dada,dc\\3dx)(memberUid=ada))");
    }
}
