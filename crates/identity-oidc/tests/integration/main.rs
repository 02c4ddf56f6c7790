//! Log-ins, tokens of machines and log-outs, against a provider on loopback that makes its own keys; and every attack on
//! them that we know of, by the rule that must refuse it.

mod discovery;
mod fake;
mod login;
mod logout;
mod machines;
mod rotation;
mod tokens;
