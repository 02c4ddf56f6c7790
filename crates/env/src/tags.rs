//! Wheel file names and whether an interpreter takes them (PEP 425, 600).

use std::str::FromStr as _;

use pep440_rs::Version;
use pep508_rs::PackageName;

/// Platform tags older than PEP 600, with the glibc they mean.
const LEGACY: [(&str, (u32, u32)); 3] =
    [("manylinux2014", (2, 17)), ("manylinux2010", (2, 12)), ("manylinux1", (2, 5))];

/// A wheel's file name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WheelName {
    pub(crate) name: String,
    pub(crate) version: Version,
    pythons: Vec<String>,
    abis: Vec<String>,
    platforms: Vec<String>,
}

impl WheelName {
    /// `name-version(-build)?-python-abi-platform.whl`
    pub(crate) fn parse(filename: &str) -> Option<Self> {
        let parts: Vec<&str> = filename.strip_suffix(".whl")?.split('-').collect();
        let (name, version, pythons, abis, platforms) = match parts.as_slice() {
            [name, version, pythons, abis, platforms] | [name, version, _, pythons, abis, platforms] => {
                (*name, *version, *pythons, *abis, *platforms)
            }
            _ => return None,
        };
        let split = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        Some(Self {
            name: PackageName::from_str(name).ok()?.to_string(),
            version: Version::from_str(&version.replace('_', "-")).ok()?,
            pythons: split(pythons),
            abis: split(abis),
            platforms: split(platforms),
        })
    }
}

/// What one interpreter takes.
#[derive(Debug, Clone)]
pub(crate) struct Tags {
    minor: u32,
    abi: Option<String>,
    glibc: Option<(u32, u32)>,
    machine: String,
}

impl Tags {
    pub(crate) fn new(minor: u32, cpython: bool, abiflags: &str, glibc: Option<(u32, u32)>, machine: String) -> Self {
        Self { minor, abi: cpython.then(|| format!("cp3{minor}{abiflags}")), glibc, machine }
    }

    /// How well `wheel` fits, higher is better; none when the interpreter can't take it.
    pub(crate) fn rank(&self, wheel: &WheelName) -> Option<u32> {
        let platform = wheel.platforms.iter().filter_map(|platform| self.platform(platform)).max()?;
        let mut best = None;
        for python in &wheel.pythons {
            for abi in &wheel.abis {
                best = best.max(self.code(python, abi));
            }
        }
        Some(best? * 1000 + platform)
    }

    fn code(&self, python: &str, abi: &str) -> Option<u32> {
        if let Some(own) = &self.abi
            && let Some(minor) = python.strip_prefix("cp3").and_then(|minor| minor.parse::<u32>().ok())
        {
            return match abi {
                abi if abi == own && minor == self.minor => Some(300),
                // The stable ABI is not there in free-threaded builds.
                "abi3" if minor <= self.minor && !own.ends_with('t') => Some(100 + minor),
                "none" if minor == self.minor => Some(90),
                _ => None,
            };
        }
        if abi != "none" {
            return None;
        }
        match python.strip_prefix("py3") {
            Some("") => Some(1),
            Some(minor) => minor.parse().ok().filter(|minor| *minor <= self.minor).map(|minor: u32| 2 + minor),
            None => None,
        }
    }

    fn platform(&self, platform: &str) -> Option<u32> {
        if platform == "any" {
            return Some(1);
        }
        let rest = platform.strip_suffix(&self.machine)?.strip_suffix('_')?;
        if rest == "linux" {
            return Some(2);
        }
        let needs = match rest.strip_prefix("manylinux_") {
            Some(version) => {
                let (major, minor) = version.split_once('_')?;
                (major.parse().ok()?, minor.parse().ok()?)
            }
            None => LEGACY.iter().find(|(name, _)| *name == rest)?.1,
        };
        let has = self.glibc?;
        (needs.0 == has.0 && needs.1 <= has.1).then_some(3 + needs.1.min(900))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_taken_as_pip_takes_them() {
        let tags = Tags::new(11, true, "", Some((2, 36)), "x86_64".into());
        let rank = |name: &str| tags.rank(&WheelName::parse(name).unwrap());
        for name in [
            "a-1-py3-none-any.whl",
            "a-1-py2.py3-none-any.whl",
            "a-1-1-py3-none-any.whl",
            "a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "a-1-cp37-abi3-manylinux_2_28_x86_64.whl",
            "a-1-py3-none-manylinux1_x86_64.whl",
            "a-1-py310-none-any.whl",
        ] {
            assert!(rank(name).is_some(), "{name}");
        }
        for name in [
            "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
            "a-1-cp312-abi3-manylinux_2_17_x86_64.whl",
            "a-1-cp311-cp311-manylinux_2_17_aarch64.whl",
            "a-1-cp311-cp311-manylinux_2_39_x86_64.whl",
            "a-1-cp311-cp311-musllinux_1_2_x86_64.whl",
            "a-1-cp311-cp311t-manylinux_2_17_x86_64.whl",
            "a-1-cp311-cp311-macosx_11_0_arm64.whl",
            "a-1-cp311-cp311-win_amd64.whl",
            "a-1-py2-none-any.whl",
            "a-1-py312-none-any.whl",
            "a-1-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl",
        ] {
            assert_eq!(rank(name), None, "{name}");
        }
        assert!(rank("a-1-cp311-cp311-manylinux_2_17_x86_64.whl") > rank("a-1-py3-none-any.whl"));
    }

    #[test]
    fn names_are_normalised() {
        let name = WheelName::parse("Flask_Cors-1.0.post1-py3-none-any.whl").unwrap();
        assert_eq!((name.name.as_str(), name.version.to_string()), ("flask-cors", "1.0.post1".into()));
        assert_eq!(WheelName::parse("a-1.tar.gz"), None);
        assert_eq!(WheelName::parse("a-1.whl"), None);
    }
}
