use glob::{MatchOptions, Pattern, PatternError};

/// Names and paths below a folder that are left out. A pattern without a slash is for names at any depth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exclude {
    names: Vec<Pattern>,
    paths: Vec<Pattern>,
}

const BY_FOLDER: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Exclude {
    pub(crate) fn parse(patterns: &[String]) -> Result<Self, PatternError> {
        let (mut names, mut paths) = (Vec::new(), Vec::new());
        for pattern in patterns {
            let text = pattern.trim_end_matches('/');
            if text.contains('/') {
                paths.push(Pattern::new(text.trim_start_matches("./").trim_start_matches('/'))?);
            } else {
                names.push(Pattern::new(text)?);
            }
        }
        Ok(Self { names, paths })
    }

    /// Whether the file or folder at this path below the one that is scanned is left out.
    pub(crate) fn is_out(&self, relative: &str) -> bool {
        let name = relative.rsplit('/').next().unwrap_or_default();
        let of = |patterns: &[Pattern], text| patterns.iter().any(|pattern| pattern.matches_with(text, BY_FOLDER));
        of(&self.names, name) || of(&self.paths, relative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_for_any_depth_and_paths_begin_at_the_folder() {
        let exclude = Exclude::parse(&["*.md".into(), ".git/".into(), "data/*.csv".into(), "/top".into()]).unwrap();
        for out in ["a.md", "x/y/b.md", ".git", "x/.git", "data/a.csv", "top"] {
            assert!(exclude.is_out(out), "{out}");
        }
        for within in ["a.mdx", "a.md/b", "x/data/a.csv", "data/x/a.csv", "x/top/y"] {
            assert!(!exclude.is_out(within), "{within}");
        }
        assert!(Exclude::parse(&["***".into()]).is_err());
    }
}
