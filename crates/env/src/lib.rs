//! Locks, requirements and verified Python environments.
