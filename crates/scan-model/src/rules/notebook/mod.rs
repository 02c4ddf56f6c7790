//! Rules of notebooks: they look at the outputs that are kept in them. Their code is looked at by the rules of its language.

/// An output that a browser would run.
#[derive(Debug)]
pub(crate) struct Artifact<'o> {
    /// The number of the cell, from 1.
    pub(crate) cell: u64,
    /// HTML or a drawing, or else JavaScript.
    pub(crate) is_markup: bool,
    pub(crate) text: &'o str,
}

group! { Artifact<'_>;
    notebook_active_output,
}
