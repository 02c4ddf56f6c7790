use crate::decision::Reason;
use crate::request::Request;

pub(crate) const NAME: &str = "subject.tree-digest";

/// The subject must be the files before us, not only be called so.
pub(crate) fn check(request: &Request<'_>) -> Reason {
    let (claimed, found) = (request.subject.digest, request.tree.digest());
    if claimed == found {
        Reason::new(NAME, true, format!("the files are {found}"))
    } else {
        Reason::new(NAME, false, format!("the files are {found}, but the subject is {claimed}"))
    }
}
