use sealyard_core::Digest;

use super::{empty_root, node_hash};

/// The right edge of the tree: all that is needed to append leaves and to give the root. Its size is logarithmic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees from left to right: one for each bit that is set in `size`.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The tree's root.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }

    /// One line of text, for keeping it beside the log.
    #[must_use]
    pub fn to_text(&self) -> String {
        let peaks: Vec<String> = self.peaks.iter().map(Digest::to_hex).collect();
        format!("{} {}", self.size, peaks.join(","))
    }

    /// Reads what [`Frontier::to_text`] wrote; `None` for anything else. Whether it belongs to a log, only the root tells.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (size, peaks) = text.split_once(' ')?;
        let size: u64 = size.parse().ok()?;
        let count = size.count_ones() as usize;
        if peaks.len() > 64 * 65 {
            return None;
        }
        let peaks = peaks.split(',').filter(|peak| !peak.is_empty()).map(|peak| Digest::from_hex(peak).ok());
        let peaks = peaks.collect::<Option<Vec<_>>>()?;
        (peaks.len() == count).then_some(Self { size, peaks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::vectors::{ROOTS, leaves};

    #[test]
    fn roots_are_those_of_the_vectors() {
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root(), empty_root());
        for (leaf, root) in leaves().into_iter().zip(ROOTS) {
            frontier.push(leaf);
            assert_eq!(frontier.root().to_hex(), root);
        }
    }

    #[test]
    fn text_round_trips_and_other_text_is_refused() {
        let mut frontier = Frontier::default();
        for leaf in leaves().into_iter().take(7) {
            assert_eq!(Frontier::from_text(&frontier.to_text()).as_ref(), Some(&frontier));
            frontier.push(leaf);
        }
        for text in ["", "1", "1 ", "2 00,00", "x ", "0 00", &frontier.to_text().replace('7', "8")] {
            assert_eq!(Frontier::from_text(text), None, "{text}");
        }
    }
}
