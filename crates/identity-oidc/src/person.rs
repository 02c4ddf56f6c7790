use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Claims, OidcError, ProviderSettings};

/// Groups of one person that are looked at.
const MOST_GROUPS: usize = 1000;
/// Bytes of the longest name of a group or person.
const LONGEST_NAME: usize = 256;

/// Somebody whom the provider vouches for.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// What the provider calls them, for ever.
    pub subject: String,
    /// The provider's session, if it names it.
    pub session: Option<String>,
    /// What their account is to be called.
    pub name: String,
    /// The provider's groups that they are in; `None` where it is not asked for them.
    pub groups: Option<BTreeSet<String>>,
    /// Whether one of those makes an administrator; `None` where the provider does not decide that.
    pub administrator: Option<bool>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Makes a person of what the ID token says; what it lacks may be in `more`, from the userinfo endpoint.
pub(crate) fn person(
    settings: &ProviderSettings,
    subject: String,
    token: &Claims,
    more: Option<&Claims>,
) -> Result<Person, OidcError> {
    let claim = |path: &str| token.path(path).or_else(|| more?.path(path));
    let wrong = |reason: String| OidcError::refused("oidc.claims", reason);
    let name = claim(&settings.name_claim).and_then(Value::as_str).map(str::trim);
    let name = name.filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
    let name =
        name.ok_or_else(|| wrong(format!("the token has no `{}` to name the account by", settings.name_claim)))?;
    // An address that nobody verified is what its owner claims it to be.
    if settings.name_claim == "email" && claim("email_verified") != Some(&Value::Bool(true)) {
        return Err(wrong("the provider did not verify the address in `email`".to_owned()));
    }
    let groups = match &settings.groups_claim {
        None => None,
        Some(path) => {
            if claim("hasgroups").is_some() && claim(path).is_none() {
                return Err(wrong("the provider left the groups out because there are too many".to_owned()));
            }
            Some(groups(path, claim(path), claim("_claim_names")).map_err(wrong)?)
        }
    };
    let decides = !settings.administrators.is_empty();
    let administrator = groups.as_ref().filter(|_| decides).map(|groups| !groups.is_disjoint(&settings.administrators));
    Ok(Person {
        subject,
        session: token.text("sid").filter(|id| id.len() <= LONGEST_NAME).map(str::to_owned),
        name: name.to_owned(),
        groups,
        administrator,
    })
}

fn groups(path: &str, found: Option<&Value>, elsewhere: Option<&Value>) -> Result<BTreeSet<String>, String> {
    // Some providers leave the groups out when there are many, and say where they could be asked for.
    if found.is_none() && elsewhere.is_some_and(|elsewhere| elsewhere.get(path).is_some()) {
        return Err("the provider left the groups out because there are too many".to_owned());
    }
    let all: Vec<&Value> = match found {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
    };
    if all.len() > MOST_GROUPS {
        return Err(format!("there are more than {MOST_GROUPS} groups"));
    }
    let name = |group: &Value| group.as_str().filter(|name| name.len() <= LONGEST_NAME).map(str::to_owned);
    all.into_iter().map(name).collect::<Option<_>>().ok_or_else(|| format!("`{path}` holds what is no group"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn settings() -> ProviderSettings {
        let mut settings = ProviderSettings::new("corp", Kind::People, "https://id.example.org");
        settings.groups_claim = Some("groups".to_owned());
        settings
    }

    fn read(settings: &ProviderSettings, token: &str, more: Option<&str>) -> Result<Person, OidcError> {
        let more = more.map(|more| Claims::parse(more.as_bytes()).unwrap());
        person(settings, "s1".to_owned(), &Claims::parse(token.as_bytes()).unwrap(), more.as_ref())
    }

    #[test]
    fn groups_make_administrators_where_the_provider_decides_that() {
        let mut settings = settings();
        let token = r#"{"preferred_username":"ada","groups":["ml","boss"]}"#;
        let found = read(&settings, token, None).unwrap();
        assert_eq!((found.groups.unwrap().len(), found.administrator), (2, None));
        settings.administrators = ["boss".to_owned()].into();
        assert_eq!(read(&settings, token, None).unwrap().administrator, Some(true));
        // What the token says wins over userinfo.
        let more = Some(r#"{"preferred_username":"eve","groups":["boss"]}"#);
        let found = read(&settings, r#"{"preferred_username":"ada","groups":[]}"#, more).unwrap();
        assert_eq!((found.name.as_str(), found.administrator), ("ada", Some(false)));
        let found = read(&settings, "{}", more).unwrap();
        assert_eq!((found.name.as_str(), found.administrator), ("eve", Some(true)));
        settings.groups_claim = None;
        let found = read(&settings, token, None).unwrap();
        assert_eq!((found.groups, found.administrator), (None, None));
    }

    #[test]
    fn odd_claims_are_refused() {
        let settings = settings();
        let many = format!(r#"{{"preferred_username":"a","groups":[{}]}}"#, vec!["\"g\""; 1001].join(","));
        for token in [
            "{}",
            r#"{"preferred_username":7}"#,
            r#"{"preferred_username":" "}"#,
            r#"{"preferred_username":"a","groups":[7]}"#,
            r#"{"preferred_username":"a","groups":{"boss":true}}"#,
            r#"{"preferred_username":"a","_claim_names":{"groups":"src1"}}"#,
            &many,
        ] {
            assert_eq!(read(&settings, token, None).unwrap_err().rule(), Some("oidc.claims"), "{token}");
        }
    }

    #[test]
    fn an_address_that_was_not_verified_names_nobody() {
        let mut settings = settings();
        settings.name_claim = "email".to_owned();
        for token in [
            r#"{"email":"a@x.org"}"#,
            r#"{"email":"a@x.org","email_verified":false}"#,
            r#"{"email":"a@x.org","email_verified":"true"}"#,
        ] {
            assert_eq!(read(&settings, token, None).unwrap_err().rule(), Some("oidc.claims"), "{token}");
        }
        assert!(read(&settings, r#"{"email":"a@x.org","email_verified":true}"#, None).is_ok());
    }
}
