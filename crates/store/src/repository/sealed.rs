use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// A column whose values the vault has sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedColumn {
    /// Its table.
    pub table: &'static str,
    /// The column that names a row, unique and never changed: what the values are bound to.
    pub row: &'static str,
    /// The column itself.
    pub column: &'static str,
    /// What the values are sealed for.
    pub purpose: &'static str,
    /// Whether it holds texts; else bytes.
    pub text: bool,
}

/// Every column with sealed values: a change of keys wraps what stands in them anew. Whoever seals another column adds it.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    SealedColumn { table: "webhooks", row: "id", column: "secret", purpose: "webhook", text: false },
    SealedColumn { table: "webhooks", row: "id", column: "url", purpose: "webhook-url", text: true },
    SealedColumn { table: "gateway_secrets", row: "id", column: "sealed", purpose: "gateway-secret", text: false },
    SealedColumn { table: "second_factors", row: "id", column: "secret", purpose: "second-factor", text: false },
    SealedColumn { table: "workspace_keys", row: "id", column: "sealed", purpose: "workspace-key", text: false },
    SealedColumn { table: "settings", row: "key", column: "value", purpose: "setting", text: true },
];

/// A row's name, and what stands in a sealed column of it.
pub type SealedValue = (String, Vec<u8>);

/// What is sealed in the catalog, in whatever table.
#[allow(clippy::missing_errors_doc, reason = "each does what its name says and fails as `StoreError` says")]
pub trait SealedValues {
    /// Up to `limit` values of the rows behind `after`, in the order of the rows' names. Of a column of texts, the texts.
    fn sealed_values(&mut self, column: &SealedColumn, after: &str, limit: u32) -> Result<Vec<SealedValue>>;
    /// Puts `new` in the place of `old`; says whether that was still there.
    fn replace_sealed(&mut self, column: &SealedColumn, row: &str, old: &[u8], new: &[u8]) -> Result<bool>;
}
