mod explanation;

use crate::http::Takes::Somebody;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new().route("/access/explanation", get(Somebody, explanation::handler))
}
