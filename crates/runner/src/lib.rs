//! Runs an MLproject in its verified environment inside the sandbox.
