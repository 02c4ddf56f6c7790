mod info;

use crate::http::Takes::Somebody;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new().route("/server-info", get(Somebody, info::handler))
}
