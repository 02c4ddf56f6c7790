//! Principals, passwords, tokens, grants and the authorizer.
