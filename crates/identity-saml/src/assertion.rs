//! What an assertion says, and whether it says it to us, now, in answer to what we asked (SAML 2.0 profiles, 4.1.4.3).

use std::collections::BTreeMap;

use roxmltree::Node;
use sealyard_core::Timestamp;

use crate::SamlError;
use crate::names::{ASSERTION, BEARER};
use crate::xml::{children, is, only, parse, text};

/// An assertion that is good for longer would have to be remembered for longer.
const LONGEST_SECONDS: i64 = 24 * 60 * 60;
/// Values of one attribute; bytes of one.
const MOST_VALUES: usize = 2000;
const LONGEST_VALUE: usize = 1024;

/// What an assertion has to be.
pub(crate) struct Wanted<'a> {
    pub(crate) now: Timestamp,
    /// Clocks may differ by so much.
    pub(crate) leeway: i64,
    pub(crate) idp: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) acs: &'a str,
    /// The request that it answers; `None` for one that answers none.
    pub(crate) request: Option<&'a str>,
}

/// What an assertion says.
#[derive(Debug)]
pub(crate) struct Assertion {
    pub(crate) id: String,
    pub(crate) name_id: String,
    pub(crate) name_id_format: Option<String>,
    /// The identity provider's name of its session.
    pub(crate) session: Option<String>,
    /// When a session that rests on it ends at the latest.
    pub(crate) session_ends: Option<Timestamp>,
    /// After this it is refused for its age.
    pub(crate) ends: Timestamp,
    pub(crate) attributes: BTreeMap<String, Vec<String>>,
}

/// Reads the text of an assertion that was signed.
pub(crate) fn read(signed: &str, wanted: &Wanted<'_>) -> Result<Assertion, SamlError> {
    let document = parse(signed)?;
    let root = document.root_element();
    let wrong = SamlError::assertion;
    if !is(root, ASSERTION, "Assertion") || root.attribute("Version") != Some("2.0") {
        return Err(wrong("what is signed is no assertion of SAML 2.0"));
    }
    let id = root.attribute("ID").filter(|id| !id.is_empty() && id.len() <= LONGEST_VALUE);
    let id = id.ok_or_else(|| wrong("the assertion has no ID"))?.to_owned();
    let moment = Moment { now: wanted.now, leeway: wanted.leeway };
    let issued =
        moment.of(root, "IssueInstant")?.ok_or_else(|| wrong("the assertion does not say when it was made"))?;
    if moment.is_ahead(issued) {
        return Err(wrong("the assertion comes from the future"));
    }
    if only(root, ASSERTION, "Issuer").and_then(text).as_deref() != Some(wanted.idp) {
        return Err(wrong("the assertion is by another identity provider"));
    }
    let subject = only(root, ASSERTION, "Subject").ok_or_else(|| wrong("the assertion is about nobody"))?;
    let name_id = only(subject, ASSERTION, "NameID").ok_or_else(|| wrong("the assertion names nobody"))?;
    let name_id_format = name_id.attribute("Format").map(str::to_owned);
    let name_id = text(name_id).filter(|name| !name.is_empty() && name.len() <= LONGEST_VALUE);
    let name_id = name_id.ok_or_else(|| wrong("the assertion names nobody"))?;

    let confirmed = confirmed(subject, wanted, moment)?;
    let valid = conditions(root, wanted, moment)?;
    let ends = confirmed.min(valid.unwrap_or(confirmed));
    if ends > wanted.now.plus_seconds(LONGEST_SECONDS) {
        return Err(wrong("the assertion is good for longer than a day"));
    }
    let mut statements = children(root, ASSERTION, "AuthnStatement").peekable();
    if statements.peek().is_none() {
        return Err(wrong("the assertion says nothing of a log-in"));
    }
    let (mut session, mut session_ends) = (None, None);
    for statement in statements {
        session = session.or_else(|| statement.attribute("SessionIndex").map(str::to_owned));
        if let Some(end) = moment.of(statement, "SessionNotOnOrAfter")? {
            if moment.is_over(end) {
                return Err(wrong("the identity provider's session has ended"));
            }
            session_ends = Some(session_ends.map_or(end, |before: Timestamp| before.min(end)));
        }
    }
    let attributes = attributes(root)?;
    let ends = ends.plus_seconds(wanted.leeway);
    Ok(Assertion { id, name_id, name_id_format, session, session_ends, ends, attributes })
}

/// Until when a bearer may show it at the latest; one confirmation has to be right in all.
fn confirmed(subject: Node<'_, '_>, wanted: &Wanted<'_>, moment: Moment) -> Result<Timestamp, SamlError> {
    let mut reason = SamlError::assertion("the assertion is for no bearer");
    // The last of them: so long it must be remembered that it was shown.
    let mut until: Option<Timestamp> = None;
    for confirmation in children(subject, ASSERTION, "SubjectConfirmation") {
        if confirmation.attribute("Method") != Some(BEARER) {
            continue;
        }
        let Some(data) = only(confirmation, ASSERTION, "SubjectConfirmationData") else { continue };
        let what = if data.attribute("Recipient") != Some(wanted.acs) {
            "the assertion was meant for another recipient"
        } else if data.attribute("InResponseTo") != wanted.request {
            "the assertion answers another request"
        } else {
            let begins = moment.of(data, "NotBefore")?;
            match moment.of(data, "NotOnOrAfter")? {
                None => "the assertion has no end",
                Some(end) if moment.is_over(end) => "the assertion has expired",
                Some(_) if begins.is_some_and(|begins| moment.is_ahead(begins)) => "the assertion is not valid yet",
                Some(end) => {
                    until = Some(until.map_or(end, |before| before.max(end)));
                    continue;
                }
            }
        };
        reason = SamlError::assertion(what);
    }
    until.ok_or(reason)
}

/// Until when the conditions hold. A condition that is not known is not met.
fn conditions(root: Node<'_, '_>, wanted: &Wanted<'_>, moment: Moment) -> Result<Option<Timestamp>, SamlError> {
    let wrong = SamlError::assertion;
    let conditions = only(root, ASSERTION, "Conditions").ok_or_else(|| wrong("the assertion is for no audience"))?;
    if moment.of(conditions, "NotBefore")?.is_some_and(|begins| moment.is_ahead(begins)) {
        return Err(wrong("the assertion is not valid yet"));
    }
    let end = moment.of(conditions, "NotOnOrAfter")?;
    if end.is_some_and(|end| moment.is_over(end)) {
        return Err(wrong("the assertion has expired"));
    }
    let mut for_us = false;
    for condition in conditions.children().filter(Node::is_element) {
        if is(condition, ASSERTION, "AudienceRestriction") {
            let named =
                children(condition, ASSERTION, "Audience").any(|one| text(one).as_deref() == Some(wanted.audience));
            if !named {
                return Err(wrong("the assertion is for another audience"));
            }
            for_us = true;
        } else if !is(condition, ASSERTION, "OneTimeUse") && !is(condition, ASSERTION, "ProxyRestriction") {
            return Err(wrong("the assertion has a condition that is not known"));
        }
    }
    if for_us { Ok(end) } else { Err(wrong("the assertion is for no audience")) }
}

fn attributes(root: Node<'_, '_>) -> Result<BTreeMap<String, Vec<String>>, SamlError> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for statement in children(root, ASSERTION, "AttributeStatement") {
        if only(statement, ASSERTION, "EncryptedAttribute").is_some() {
            return Err(SamlError::assertion("the assertion has encrypted attributes, which are not read"));
        }
        for attribute in children(statement, ASSERTION, "Attribute") {
            let Some(name) = attribute.attribute("Name") else { continue };
            let values = all.entry(name.to_owned()).or_default();
            for value in children(attribute, ASSERTION, "AttributeValue") {
                let value = text(value).filter(|value| value.len() <= LONGEST_VALUE);
                values.push(value.ok_or_else(|| SamlError::assertion("an attribute's value is no text"))?);
                if values.len() > MOST_VALUES {
                    return Err(SamlError::assertion("an attribute has too many values"));
                }
            }
        }
    }
    Ok(all)
}

#[derive(Clone, Copy)]
struct Moment {
    now: Timestamp,
    leeway: i64,
}

impl Moment {
    /// An attribute that is a time; one that can't be read is an error and not "none".
    fn of(self, node: Node<'_, '_>, attribute: &str) -> Result<Option<Timestamp>, SamlError> {
        let Some(text) = node.attribute(attribute) else { return Ok(None) };
        Timestamp::from_rfc3339(text).map(Some).ok_or_else(|| SamlError::assertion(format!("{attribute} is no time")))
    }

    fn is_ahead(self, begins: Timestamp) -> bool {
        begins > self.now.plus_seconds(self.leeway)
    }

    fn is_over(self, ends: Timestamp) -> bool {
        ends.plus_seconds(self.leeway) <= self.now
    }
}
