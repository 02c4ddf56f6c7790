use crate::decision::Reason;
use crate::policy::Section;
use crate::request::Request;

pub(crate) const NAME: &str = "policy.stage";

/// A stage that the policy does not speak of lets nothing through.
pub(crate) fn check(request: &Request<'_>, section: Option<&Section>) -> Reason {
    let stage = request.stage;
    match section {
        Some(_) => Reason::new(NAME, true, format!("the policy has a section [{stage}]")),
        None => Reason::new(NAME, false, format!("the policy has no section [{stage}], so nothing passes")),
    }
}
