/// Something that an import did not take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRefusal {
    /// Such as `runs:/<id>/model.pkl`.
    pub what: String,
    /// The rule that refused it.
    pub rule: String,
    /// Why.
    pub reason: String,
}
