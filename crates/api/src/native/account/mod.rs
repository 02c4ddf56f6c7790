mod command_line;
mod second_factor;

use crate::http::Takes::{Nobody, Somebody};
use crate::http::routes::{Routes, get, post};

pub(super) fn routes() -> Routes {
    let factor = get(Somebody, second_factor::status).post(Somebody, second_factor::begin);
    Routes::new()
        // The code that is shown is what counts.
        .route("/account/command-line", post(Nobody, command_line::redeem))
        .route("/account/second-factor", factor.delete(Somebody, second_factor::disable))
        .route("/account/second-factor/confirm", post(Somebody, second_factor::confirm))
}
