use std::fmt;
use std::str::FromStr;

/// How people name a registered model's version: `models:/name/3` or `models:/name@alias`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelUri {
    /// By number.
    Version {
        /// Name of the registered model.
        name: String,
        /// Which version.
        version: u32,
    },
    /// By alias.
    Alias {
        /// Name of the registered model.
        name: String,
        /// Which alias.
        alias: String,
    },
}

/// The text names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no model version: expected models:/NAME/VERSION or models:/NAME@ALIAS")]
pub struct ModelUriError(String);

impl FromStr for ModelUri {
    type Err = ModelUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ModelUriError(text.chars().take(120).collect());
        let rest = text.strip_prefix("models:/").ok_or_else(wrong)?;
        let plain =
            |part: &str| !part.is_empty() && !part.contains(['/', ':', '@', '\\']) && part != "." && part != "..";
        if let Some((name, version)) = rest.split_once('/') {
            let canonical = !version.is_empty() && !version.starts_with(['0', '+', '-']);
            let version = version.parse().ok().filter(|_| canonical).ok_or_else(wrong)?;
            if plain(name) {
                return Ok(Self::Version { name: name.to_owned(), version });
            }
        } else if let Some((name, alias)) = rest.split_once('@')
            && plain(name)
            && plain(alias)
        {
            return Ok(Self::Alias { name: name.to_owned(), alias: alias.to_owned() });
        }
        Err(wrong())
    }
}

impl fmt::Display for ModelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { name, version } => write!(f, "models:/{name}/{version}"),
            Self::Alias { name, alias } => write!(f, "models:/{name}@{alias}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_read_strictly() {
        for text in ["models:/diabetes/1", "models:/diabetes@champion", "models:/a b/12"] {
            assert_eq!(text.parse::<ModelUri>().unwrap().to_string(), text);
        }
        for text in [
            "models:/",
            "models:/a",
            "models:/a/01",
            "models:/a/0",
            "models:/a/x",
            "models:/../1",
            "models:/a@",
            "a/1",
            "models:/a/1/2",
            "models:/a@b@c",
            "models:/a@b/c",
        ] {
            assert!(text.parse::<ModelUri>().is_err(), "{text}");
        }
    }
}
