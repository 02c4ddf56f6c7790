//! Everything through the public interface.

mod authorization;
