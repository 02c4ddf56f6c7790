//! Statements, predicates, DSSE, bundles, signers and verifiers.
