//! Everything through the public interface, and through the files an attacker can reach.

mod common;
mod crash;
mod read;
mod rotation;
mod tampering;
