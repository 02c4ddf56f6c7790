use crate::decision::Reason;
use crate::policy::Policy;
use crate::request::Request;

pub(crate) const NAME: &str = "policy.break-glass";

/// The fewest and the most characters of a reason: one that somebody can be asked about, and no essay.
const REASON: std::ops::RangeInclusive<usize> = 10..=1000;

/// Whether glass may be broken at this stage, for this reason. `None` when nobody asks for it.
pub(crate) fn check(request: &Request<'_>, policy: &Policy) -> Option<Reason> {
    let why = request.context.break_glass.as_deref()?;
    let written = why.trim().chars().count();
    let duty = request.duty();
    let (ok, detail) = if !duty.is_some_and(|duty| policy.may_break_glass(duty)) {
        let what = duty.map_or_else(|| request.stage.to_string(), |duty| duty.to_string());
        (false, format!("the policy lets nobody break glass to {what}"))
    } else if request.context.principal.is_none() {
        (false, "it is not known who asks".to_owned())
    } else if !REASON.contains(&written) || why.chars().any(char::is_control) {
        let (fewest, most) = (REASON.start(), REASON.end());
        (false, format!("it takes a reason of {fewest} to {most} characters, without control characters"))
    } else {
        (true, why.trim().to_owned())
    };
    Some(Reason::new(NAME, ok, detail))
}
