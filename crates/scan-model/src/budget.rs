/// Most bytes that everything inside one file expands to, archives inside archives included.
const EXPANDED: u64 = 2 << 30;
/// Most bytes of content that are held in memory at once.
const HELD: u64 = 2 << 30;
/// Most opcodes of pickles that are interpreted, nested ones and second readings included.
const OPCODES: u64 = 80_000_000;
/// Most elements of other formats that are walked over: fields, items, nodes, instructions.
const STEPS: u64 = 50_000_000;
/// Most files inside one file that are looked at.
const NESTED: u64 = 200_000;

/// How much may still be done for one file. Everything inside it, at any depth, takes from the same budget: many small
/// pickles, archives or graphs end where one large one would. Nothing here depends on the machine, so that a verdict
/// does not either: in place of time, what takes time is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) expanded: u64,
    pub(crate) opcodes: u64,
    pub(crate) steps: u64,
    pub(crate) nested: u64,
    /// Bytes that are held now.
    pub(crate) held: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { expanded: EXPANDED, opcodes: OPCODES, steps: STEPS, nested: NESTED, held: 0 }
    }
}

impl Budget {
    /// How many bytes may come out of an expansion now.
    pub(crate) fn bytes(&self) -> u64 {
        self.expanded.min(self.memory())
    }

    /// How many bytes may be read into memory now.
    pub(crate) fn memory(&self) -> u64 {
        HELD.saturating_sub(self.held)
    }

    /// Takes opcodes that were interpreted.
    pub(crate) fn spend_opcodes(&mut self, count: u64) {
        self.opcodes = self.opcodes.saturating_sub(count);
    }

    /// Takes bytes that came out of an expansion.
    pub(crate) fn spend_bytes(&mut self, count: u64) {
        self.expanded = self.expanded.saturating_sub(count);
    }

    /// Takes `count` steps; false if there are not so many.
    pub(crate) fn step(&mut self, count: u64) -> bool {
        take(&mut self.steps, count)
    }

    /// Takes one nested file; false if there may be no more.
    pub(crate) fn nest(&mut self) -> bool {
        take(&mut self.nested, 1)
    }

    /// Holds bytes until [`Budget::release`].
    pub(crate) fn hold(&mut self, count: u64) {
        self.held = self.held.saturating_add(count);
    }

    /// Gives back bytes that were held.
    pub(crate) fn release(&mut self, count: u64) {
        self.held = self.held.saturating_sub(count);
    }
}

fn take(left: &mut u64, count: u64) -> bool {
    let rest = left.checked_sub(count);
    // What was refused once is refused from then on.
    *left = rest.unwrap_or(0);
    rest.is_some()
}
