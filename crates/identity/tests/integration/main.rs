//! Everything through the public interface.

#[cfg(test)]
mod authorization;
