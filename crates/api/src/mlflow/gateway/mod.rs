//! The AI gateway's registry: keys of model providers, models, endpoints. Asking a model is not part of it.

mod bindings;
mod endpoints;
mod model_definitions;
mod providers;
mod secrets;

use crate::http::routes::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(secrets::routes())
        .merge(model_definitions::routes())
        .merge(endpoints::routes())
        .merge(bindings::routes())
        .merge(providers::routes())
}

/// What is empty was not given.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
