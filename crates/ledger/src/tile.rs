//! Tiles of the tree and bundles of entries (C2SP tlog-tiles).

use std::collections::BTreeMap;
use std::fmt;

use sealyard_core::Digest;

use crate::merkle::{Nodes, node_hash};

/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 256;
/// Above this no log of this world has a tile: 256^8 leaves.
const MAX_LEVEL: u8 = 7;
/// Longest entry that a bundle can hold: its length is written in 16 bits.
pub const MAX_ENTRY: usize = u16::MAX as usize;
/// Most groups of three digits in a path.
const MAX_GROUPS: usize = 7;

/// One tile: hashes of the same height beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Eight heights of the tree are one level; at level 0 are the leaves.
    pub level: u8,
    /// Its place in the level.
    pub index: u64,
    /// How many hashes it has: 256 unless it is the last one of its level.
    pub width: u16,
}

/// What a path below `tile/` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilePath {
    /// `<L>/<N>[.p/<W>]`: hashes.
    Hashes(Tile),
    /// `entries/<N>[.p/<W>]`: what the hashes of that tile of level 0 are of.
    Entries(Tile),
}

impl Tile {
    /// The tile `index` of `level` in a tree of `size` leaves, as wide as it is there; `None` when it has none.
    #[must_use]
    pub fn of(level: u8, index: u64, size: u64) -> Option<Self> {
        if level > MAX_LEVEL {
            return None;
        }
        let hashes = size >> (8 * u32::from(level));
        let width = hashes.checked_sub(index.checked_mul(TILE_WIDTH)?)?.min(TILE_WIDTH);
        (width > 0).then(|| Self { level, index, width: u16::try_from(width).unwrap_or(256) })
    }

    /// Whether a tree of `size` leaves has all of its hashes.
    #[must_use]
    pub fn is_in(&self, size: u64) -> bool {
        Self::of(self.level, self.index, size).is_some_and(|there| there.width >= self.width)
    }

    /// Place of its first hash among those of its level.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    fn place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:03}", self.index);
        let digits = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
        let groups: Vec<&str> = (0..digits.len()).step_by(3).filter_map(|at| digits.get(at..at + 3)).collect();
        for (number, group) in groups.iter().enumerate() {
            let sign = if number + 1 < groups.len() { "x" } else { "" };
            write!(f, "/{sign}{group}")?;
        }
        if u64::from(self.width) < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashes(tile) => {
                write!(f, "{}", tile.level)?;
                tile.place(f)
            }
            Self::Entries(tile) => {
                f.write_str("entries")?;
                tile.place(f)
            }
        }
    }
}

impl TilePath {
    /// Reads what stands behind `tile/`; `None` for anything that is not spelled as the specification wants it.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, place) = path.split_once('/')?;
        let (place, width) = match place.split_once(".p/") {
            None => (place, 256),
            Some((place, width)) => (place, plain(width).and_then(|width| u16::try_from(width).ok())?),
        };
        if !(1..=256).contains(&width) || (width == 256 && path.contains(".p/")) {
            return None;
        }
        let groups: Vec<&str> = place.split('/').take(MAX_GROUPS + 1).collect();
        if groups.len() > MAX_GROUPS {
            return None;
        }
        let mut index = 0_u64;
        for (number, group) in groups.iter().enumerate() {
            let digits = if number + 1 < groups.len() { group.strip_prefix('x')? } else { group };
            if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        // Its last leaf must have a number.
        index.checked_mul(TILE_WIDTH)?.checked_add(TILE_WIDTH)?;
        let parsed = if level == "entries" {
            Self::Entries(Tile { level: 0, index, width })
        } else {
            let level = plain(level).and_then(|level| u8::try_from(level).ok()).filter(|level| *level <= MAX_LEVEL)?;
            Self::Hashes(Tile { level, index, width })
        };
        (parsed.to_string() == path).then_some(parsed)
    }

    /// The tile, whichever of both it is.
    #[must_use]
    pub const fn tile(&self) -> Tile {
        match self {
            Self::Hashes(tile) | Self::Entries(tile) => *tile,
        }
    }
}

fn plain(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Root of a full tile: the hash that stands for it one level up. `None` where there are not 256 hashes.
#[must_use]
pub fn fold(hashes: &[Digest]) -> Option<Digest> {
    (hashes.len() as u64 == TILE_WIDTH).then(|| crate::merkle::root(hashes))
}

/// Puts entries into a bundle; `None` if one is too long for it.
#[must_use]
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bundle = Vec::new();
    for entry in entries {
        bundle.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Some(bundle)
}

/// Nodes of the tree of `size` leaves, out of tiles that `fetch` gives. Each is fetched once.
pub struct TileNodes<F> {
    size: u64,
    fetch: F,
    kept: BTreeMap<(u8, u64), Vec<Digest>>,
}

impl<F> fmt::Debug for TileNodes<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TileNodes({})", self.size)
    }
}

/// A tile can't be had, or has other hashes than it must.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TileError<E> {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(E),
    /// The tree has no such tile, or the one that came is not as wide.
    #[error("the tile {index} of level {level} is not as wide as a tree of {size} leaves has it")]
    Width {
        /// Its level.
        level: u8,
        /// Its place.
        index: u64,
        /// Of the tree.
        size: u64,
    },
}

impl<E, F: FnMut(Tile) -> Result<Vec<Digest>, E>> TileNodes<F> {
    /// The tree of `size` leaves. Nothing that `fetch` gives is trusted: what is made of it must be checked against a root.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch, kept: BTreeMap::new() }
    }
}

impl<E, F: FnMut(Tile) -> Result<Vec<Digest>, E>> Nodes for TileNodes<F> {
    type Error = TileError<E>;

    fn node(&mut self, height: u8, index: u64) -> Result<Digest, TileError<E>> {
        let (level, above) = (height / 8, u32::from(height % 8));
        let first = index << above;
        let place = first / TILE_WIDTH;
        let wrong = TileError::Width { level, index: place, size: self.size };
        if !self.kept.contains_key(&(level, place)) {
            let Some(tile) = Tile::of(level, place, self.size) else { return Err(wrong) };
            let hashes = (self.fetch)(tile).map_err(TileError::Fetch)?;
            if hashes.len() != usize::from(tile.width) {
                return Err(wrong);
            }
            self.kept.insert((level, place), hashes);
        }
        #[allow(clippy::cast_possible_truncation, reason = "both are at most 256")]
        let (from, count) = ((first % TILE_WIDTH) as usize, 1_usize << above);
        let hashes = self.kept.get(&(level, place)).and_then(|hashes| hashes.get(from..from + count));
        let Some(hashes) = hashes else { return Err(wrong) };
        let mut row = hashes.to_vec();
        while row.len() > 1 {
            row = row.chunks(2).filter_map(|pair| Some(node_hash(pair.first()?, pair.get(1)?))).collect();
        }
        row.first().copied().ok_or(wrong)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::merkle::{
        consistency_path, inclusion_path, leaf_hash, root, root_of, verify_consistency, verify_inclusion,
    };

    #[test]
    fn paths_are_those_of_the_specification() {
        for (path, level, index, width) in [
            ("0/000", 0, 0, 256),
            ("0/x001/x234/067", 0, 1_234_067, 256),
            ("1/999.p/17", 1, 999, 17),
            ("7/x001/000.p/255", 7, 1000, 255),
        ] {
            let parsed = TilePath::parse(path).unwrap();
            assert_eq!(parsed, TilePath::Hashes(Tile { level, index, width }));
            assert_eq!(parsed.to_string(), path);
        }
        let entries = TilePath::parse("entries/x012/345.p/6").unwrap();
        assert_eq!(entries, TilePath::Entries(Tile { level: 0, index: 12_345, width: 6 }));
    }

    #[test]
    fn other_spellings_are_refused() {
        for path in [
            "",
            "0",
            "0/",
            "0/0",
            "0/0000",
            "0/x000/001",
            "0/001/002",
            "00/000",
            "8/000",
            "-1/000",
            "+1/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/",
            "0/000.p/01",
            "0/000.p/1.p/1",
            "entries/x001",
            "entries",
            "data/000",
            "0/00a",
            "0/x999/x999/x999/x999/x999/x999/999",
            "0/x001/x001/x001/x001/x001/x001/x001/x001/001",
            "0/000/",
        ] {
            assert_eq!(TilePath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn widths_are_those_of_the_specification() {
        // Its example: 70,000 leaves are 273 full tiles and one of 112; one full and one of 17; one of 1.
        let width = |level, index| Tile::of(level, index, 70_000).map(|tile| tile.width);
        assert_eq!([width(0, 272), width(0, 273), width(0, 274)], [Some(256), Some(112), None]);
        assert_eq!([width(1, 0), width(1, 1), width(1, 2)], [Some(256), Some(17), None]);
        assert_eq!([width(2, 0), width(2, 1), width(3, 0)], [Some(1), None, None]);
        assert_eq!(Tile::of(1, 0, 256).map(|tile| tile.width), Some(1));
        assert!(Tile { level: 0, index: 273, width: 100 }.is_in(70_000));
        assert!(!Tile { level: 0, index: 273, width: 113 }.is_in(70_000));
    }

    #[test]
    fn proofs_can_be_made_of_tiles() {
        let leaves: Vec<Digest> = (0..66_500_u32).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
        let mut levels = vec![leaves.clone()];
        for level in 0..2 {
            let up = levels[level].chunks_exact(256).map(|tile| fold(tile).unwrap()).collect();
            levels.push(up);
        }
        for size in [1_usize, 2, 255, 256, 257, 65_535, 65_536, 65_537, 66_500] {
            let mut fetched = 0;
            let whole = root(&leaves[..size]);
            let mut nodes = TileNodes::new(size as u64, |tile: Tile| {
                fetched += 1;
                let first = tile.first() as usize;
                Ok::<_, Infallible>(levels[usize::from(tile.level)][first..first + usize::from(tile.width)].to_vec())
            });
            assert_eq!(root_of(&mut nodes, size as u64).unwrap(), whole);
            for index in [0, size / 2, size - 1] {
                let path = inclusion_path(&mut nodes, index as u64, size as u64).unwrap().unwrap();
                assert_eq!(verify_inclusion(leaves[index], index as u64, size as u64, &path, whole), Ok(()));
                let from = index + 1;
                let path = consistency_path(&mut nodes, from as u64, size as u64).unwrap().unwrap();
                let old = root(&leaves[..from]);
                assert_eq!(verify_consistency(from as u64, old, size as u64, whole, &path), Ok(()));
            }
            assert!(fetched < 10, "{fetched} tiles for {size}");
        }
        let mut narrow = TileNodes::new(300, |_| Ok::<_, Infallible>(vec![leaves[0]; 3]));
        assert!(matches!(root_of(&mut narrow, 300), Err(TileError::Width { .. })));
    }

    #[test]
    fn a_bundle_has_lengths() {
        let long = vec![0; MAX_ENTRY + 1];
        assert_eq!(bundle([b"ab".as_slice(), b""]).unwrap(), b"\0\x02ab\0\0");
        assert_eq!(bundle([long.as_slice()]), None);
    }
}
