mod deliveries;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new().route("/webhooks/{id}/deliveries", get(Administrator, deliveries::handler))
}
