use crate::decision::Reason;
use crate::policy::Section;
use crate::request::{Request, Stage};

pub(crate) const NAME: &str = "policy.environment";

/// With a list, the environment must be named and on it. Without one, publishing must not name any: whoever asks
/// believes in a restriction that isn't there. Later stages are bound by the attestation before them.
pub(crate) fn check(request: &Request<'_>, section: &Section) -> Reason {
    let (ok, detail) = match (&section.environments, &request.context.environment) {
        (Some(listed), Some(asked)) if listed.contains(asked) => (true, format!("{asked} is on the policy's list")),
        (Some(_), Some(asked)) => (false, format!("{asked} is not on the policy's list of environments")),
        (Some(_), None) => (false, "the policy lists environments, and none was named".to_owned()),
        (None, Some(asked)) if request.stage == Stage::Publish => {
            (false, format!("the policy knows no environments, but {asked} was named"))
        }
        (None, _) => (true, "the policy lists no environments for this stage".to_owned()),
    };
    Reason::new(NAME, ok, detail)
}
