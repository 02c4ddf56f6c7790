//! Rules of R's serialization: they look at the code in it.

mod danger;

pub(crate) use sealyard_formats::rdata::RData as Artifact;

group! { Artifact;
    r_active_binding,
    r_dangerous_call,
    r_promise,
    r_startup_function,
}
