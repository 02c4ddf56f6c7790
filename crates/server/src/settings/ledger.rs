use std::collections::BTreeMap;
use std::time::Duration;

use sealyard_app::{Witness, Witnesses};
use sealyard_ledger::WitnessVerifier;
use sealyard_outbound::{AllowList, Outbound};
use serde::Deserialize;

use super::{ExportSettings, SettingsError, SettingsPath};
use crate::tls;

/// A witness that takes longer is asked again later.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than anybody has.
const MOST: usize = 16;

/// `[ledger]`: who watches the log.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSettings {
    /// Witnesses that cosign the checkpoints.
    pub witnesses: Vec<WitnessSettings>,
    /// How many of them make a checkpoint a cosigned one; all, unless it says otherwise.
    pub quorum: Option<u32>,
    /// Where entries are sent on to, by name.
    pub export: BTreeMap<String, ExportSettings>,
}

/// One witness.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSettings {
    /// What it is called here.
    pub name: String,
    /// Its submission prefix: `https://…`, or `http://` on this machine.
    pub url: String,
    /// Its verifier key, `NAME+HEX+BASE64`. It is public.
    pub key: String,
    /// The certificate to trust in place of the system's, as PEM: a self-signed one.
    pub ca: Option<SettingsPath>,
}

impl LedgerSettings {
    /// The witnesses.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`].
    pub fn witnesses(&self, folder: &std::path::Path) -> Result<Witnesses, SettingsError> {
        let invalid = |problem: String| SettingsError::invalid("ledger", problem);
        if self.witnesses.len() > MOST {
            return Err(invalid(format!("there are more than {MOST} witnesses")));
        }
        let mut list: Vec<Witness> = Vec::new();
        for WitnessSettings { name, url, key, ca } in &self.witnesses {
            let key: WitnessVerifier =
                key.parse().map_err(|_| invalid(format!("the key of the witness {name:?} is none of a witness")))?;
            if name.is_empty()
                || name.len() > 200
                || list.iter().any(|other| other.name == *name || other.key.is_same_key(&key))
            {
                return Err(invalid(format!("the witness {name:?} has no name, or is there twice")));
            }
            // The operator names this one host; its address may be an inner one.
            let host = host_of(url).ok_or_else(|| invalid(format!("the witness {name:?} has no https URL")))?;
            let allow = AllowList::parse([host]).map_err(|error| invalid(error.to_string()))?;
            let mut client = Outbound::new(allow).with_time_limit(PATIENCE);
            if let Some(ca) = ca {
                let path = ca.resolve(folder);
                client = client.with_roots(tls::roots(&path).map_err(|error| invalid(error.to_string()))?);
            }
            client.check(url).map_err(|error| invalid(format!("the witness {name:?}: {error}")))?;
            list.push(Witness { name: name.clone(), url: url.clone(), key, client });
        }
        let all = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let quorum = self.quorum.unwrap_or(all);
        if quorum > all || (quorum == 0 && all > 0) {
            return Err(invalid(format!("quorum is {quorum}, but there are {all} witnesses")));
        }
        Ok(Witnesses::new(list, quorum))
    }
}

/// The host of a URL, without its port.
pub(super) fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use sealyard_core::FixedRng;
    use sealyard_ledger::WitnessKey;

    use super::*;

    fn parse(text: &str) -> Result<Witnesses, String> {
        let settings: LedgerSettings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.witnesses(std::path::Path::new("/")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_not_be_is_refused() {
        let key = WitnessKey::generate("w.example", &FixedRng::seeded(1)).unwrap().verifier();
        let renamed = WitnessKey::generate("x.example", &FixedRng::seeded(1)).unwrap().verifier();
        let one = |url: &str| format!("witnesses = [{{ name = \"w\", url = \"{url}\", key = \"{key}\" }}]\n");
        assert!(parse("").is_ok());
        for url in
            ["https://witness.example", "https://10.0.0.9:8443/prefix", "https://[::1]:8443/", "http://127.0.0.1:5002"]
        {
            assert!(parse(&one(url)).is_ok(), "{url}: {:?}", parse(&one(url)));
        }
        for text in [
            one("ftp://witness.example"),
            one("witness.example"),
            format!("{}quorum = 2\n", one("https://w.example")),
            format!("{}quorum = 0\n", one("https://w.example")),
            "witnesses = [{ name = \"w\", url = \"https://w.example\", key = \"w+00000000+AAAA\" }]".to_owned(),
            "witness = []".to_owned(),
            // One key of two names is one witness.
            format!(
                "witnesses = [{{ name = \"a\", url = \"https://a.example\", key = \"{key}\" }}, \
                 {{ name = \"b\", url = \"https://b.example\", key = \"{renamed}\" }}]"
            ),
            format!(
                "witnesses = [{0}, {0}]",
                one("https://w.example").trim_start_matches("witnesses = [").trim_end_matches("]\n")
            ),
        ] {
            assert!(parse(&text).is_err(), "{text}");
        }
    }
}
