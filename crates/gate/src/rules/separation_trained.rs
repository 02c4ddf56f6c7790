use crate::decision::Reason;
use crate::policy::Policy;
use crate::request::Request;
use crate::rules::NOT_REQUIRED;

pub(crate) const NAME: &str = "separation.trained";

/// Whoever made the run, the logged model or the version may not do what the policy keeps apart from training. `None` for
/// stages that nobody's own acts lead to.
pub(crate) fn check(request: &Request<'_>, policy: &Policy) -> Option<Reason> {
    let duty = request.duty()?;
    if !policy.is_apart_from_training(duty) {
        return Some(Reason::new(NAME, true, NOT_REQUIRED));
    }
    let (ok, detail) = match (&request.context.principal, &request.context.trained_by) {
        (None, _) => (false, "it is not known who asks".to_owned()),
        (_, None) => (false, "it is not known who trained the model".to_owned()),
        (Some(who), Some(trained)) if trained.contains(who) => {
            (false, format!("{who} trained the model or registered it, and may not {duty} it"))
        }
        (Some(who), Some(_)) => (true, format!("{who} neither trained the model nor registered it")),
    };
    Some(Reason::new(NAME, ok, detail))
}
