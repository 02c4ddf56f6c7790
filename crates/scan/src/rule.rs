use sealyard_core::Severity;

/// What is known about a rule without running it. Made by [`rule!`](crate::rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleMetadata {
    /// Kebab-case, stable: people write it in ignore lists.
    pub id: &'static str,
    /// A short title.
    pub name: &'static str,
    /// Severity of its findings unless a finding says otherwise.
    pub severity: Severity,
    /// One sentence.
    pub summary: &'static str,
    /// What to do about a finding.
    pub help: &'static str,
    /// Where to read on.
    pub references: &'static [&'static str],
    /// The documentation page, Markdown.
    pub docs: &'static str,
}

/// Defines `METADATA` of a rule; the doc comment is the rule's documentation page.
#[macro_export]
macro_rules! rule {
    (
        $(#[doc = $doc:literal])+
        id: $id:literal,
        name: $name:literal,
        severity: $severity:ident,
        summary: $summary:literal,
        help: $help:literal,
        references: [$($reference:literal),* $(,)?] $(,)?
    ) => {
        $(#[doc = $doc])+
        pub(crate) static METADATA: $crate::RuleMetadata = $crate::RuleMetadata {
            id: $id,
            name: $name,
            severity: ::sealyard_core::Severity::$severity,
            summary: $summary,
            help: $help,
            references: &[$($reference),*],
            docs: concat!($($doc, "\n"),+),
        };
    };
}

/// Declares the modules of a scanner's rules and lists them as `RULES: &[(&RuleMetadata, Check)]`. Each module holds a
/// [`rule!`](crate::rule) and a function `check` of the type that is named first.
#[macro_export]
macro_rules! rules {
    ($check:ty; $($module:ident),+ $(,)?) => {
        $(mod $module;)+
        /// Every rule, in the order of their ids.
        pub(crate) static RULES: &[(&$crate::RuleMetadata, $check)] = &[$((&$module::METADATA, $module::check)),+];
    };
}

#[cfg(test)]
mod tests {
    rule! {
        /// # What it does
        /// Nothing.
        id: "example-rule",
        name: "Example",
        severity: Low,
        summary: "An example.",
        help: "Nothing to do.",
        references: ["https://example.org"],
    }

    #[test]
    fn the_doc_comment_is_the_docs_page() {
        assert_eq!(METADATA.docs, " # What it does\n Nothing.\n");
        assert_eq!(METADATA.references, ["https://example.org"]);
    }
}
