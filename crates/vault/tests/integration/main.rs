//! Everything through the public interface, and through the files an attacker can reach.

#[cfg(test)]
mod backends;
#[cfg(test)]
mod common;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod format;
#[cfg(test)]
mod parts;
mod read;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod tampering;
