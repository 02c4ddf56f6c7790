//! Findings, verdicts, the scan engine and its renderers.
