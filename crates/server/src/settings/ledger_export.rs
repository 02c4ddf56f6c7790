use std::path::Path;
use std::time::Duration;

use sealyard_ledger_export::{FileSink, OtlpSink, Rotation, Sink, SyslogAddress, SyslogSink, WebhookSink};
use sealyard_outbound::{AllowList, Outbound};
use serde::Deserialize;

use super::ledger::host_of;
use super::{SecretFile, SettingsError, SettingsPath};
use crate::tls;

/// A receiver that takes longer is sent to again later.
const PATIENCE: Duration = Duration::from_secs(30);
const DAY: i64 = 86_400;

/// `[ledger.export.NAME]`: where entries are sent on to.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExportSettings {
    /// JSON lines in a file.
    File {
        /// The file.
        path: SettingsPath,
        /// A file this large is full; 100 unless it says otherwise.
        max_megabytes: Option<u32>,
        /// And one this old; 1 unless it says otherwise.
        max_days: Option<u32>,
        /// So many full ones stay; 100 unless it says otherwise.
        keep_files: Option<u32>,
        /// And none that is older than this.
        keep_days: Option<u32>,
        /// Whether what entries have of persons, which is the address they came from, goes with them. It can't be erased there.
        #[serde(default)]
        personal: bool,
    },
    /// A syslog server: RFC 5424 over TCP, with TLS as in RFC 5425.
    Syslog {
        /// `HOST:PORT`.
        address: String,
        /// TLS is on unless it says otherwise.
        tls: Option<bool>,
        /// The authority to trust in place of the system's, as PEM.
        ca: Option<SettingsPath>,
        /// This machine's name in the messages.
        hostname: Option<String>,
        /// Whether what entries have of persons, which is the address they came from, goes with them. It can't be erased there.
        #[serde(default)]
        personal: bool,
    },
    /// An OpenTelemetry collector: OTLP over HTTP, as JSON.
    Otlp {
        /// Such as `https://collector.example/v1/logs`.
        url: String,
        /// A file with the value of the header `Authorization`.
        authorization_file: Option<SecretFile>,
        /// The authority to trust in place of the system's, as PEM.
        ca: Option<SettingsPath>,
        /// Whether what entries have of persons, which is the address they came from, goes with them. It can't be erased there.
        #[serde(default)]
        personal: bool,
    },
    /// A POST for each batch, signed as other webhooks are.
    Webhook {
        /// Where to.
        url: String,
        /// A file with the secret that signs.
        secret_file: SecretFile,
        /// The authority to trust in place of the system's, as PEM.
        ca: Option<SettingsPath>,
        /// Whether what entries have of persons, which is the address they came from, goes with them. It can't be erased there.
        #[serde(default)]
        personal: bool,
    },
}

impl ExportSettings {
    /// Whether the receiver is to have what entries have of persons.
    #[must_use]
    pub const fn personal(&self) -> bool {
        match self {
            Self::File { personal, .. }
            | Self::Syslog { personal, .. }
            | Self::Otlp { personal, .. }
            | Self::Webhook { personal, .. } => *personal,
        }
    }

    /// What entries are given to.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn sink(&self, name: &str, folder: &Path) -> Result<Sink, SettingsError> {
        let invalid = |problem: String| SettingsError::invalid(format!("ledger.export.{name}"), problem);
        if name.is_empty()
            || name.len() > 64
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        {
            return Err(invalid("the name is of letters, digits, - and _".to_owned()));
        }
        let client = |url: &str, ca: &Option<SettingsPath>| {
            // The operator names this one host; its address may be an inner one.
            let host = host_of(url).ok_or_else(|| invalid("url is no https URL".to_owned()))?;
            let allow = AllowList::parse([host]).map_err(|error| invalid(error.to_string()))?;
            let mut client = Outbound::new(allow).with_time_limit(PATIENCE);
            if let Some(ca) = ca {
                let roots = tls::roots(&ca.resolve(folder)).map_err(|error| invalid(error.to_string()))?;
                client = client.with_roots(roots);
            }
            client.check(url).map_err(|error| invalid(error.to_string()))?;
            Ok(client)
        };
        Ok(match self {
            Self::File { path, max_megabytes, max_days, keep_files, keep_days, .. } => {
                let at_least_one = |given: &Option<u32>, usual: u32| i64::from(given.unwrap_or(usual).max(1));
                let rotation = Rotation {
                    bytes: at_least_one(max_megabytes, 100).unsigned_abs() << 20,
                    seconds: at_least_one(max_days, 1) * DAY,
                    keep_files: keep_files.unwrap_or(100) as usize,
                    keep_seconds: keep_days.map(|days| i64::from(days) * DAY),
                };
                Sink::File(FileSink::new(path.resolve(folder), rotation))
            }
            Self::Syslog { address, tls: with_tls, ca, hostname, .. } => {
                let wrong = || invalid("address is HOST:PORT".to_owned());
                let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
                let port: u16 = port.parse().map_err(|_| wrong())?;
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let tls = match (with_tls.unwrap_or(true), ca) {
                    (true, Some(ca)) => {
                        Some(tls::roots(&ca.resolve(folder)).map_err(|error| invalid(error.to_string()))?)
                    }
                    (true, None) => Some(sealyard_outbound::system_roots()),
                    (false, None) => None,
                    (false, Some(_)) => return Err(invalid("ca goes with tls only".to_owned())),
                };
                let hostname = hostname.clone().unwrap_or_else(machine);
                Sink::Syslog(SyslogSink::new(SyslogAddress { host, port, tls }, &hostname))
            }
            Self::Otlp { url, authorization_file, ca, .. } => {
                let authorization = authorization_file.as_ref().map(|file| file.read(folder)).transpose()?;
                Sink::Otlp(OtlpSink::new(url.clone(), authorization, client(url, ca)?))
            }
            Self::Webhook { url, secret_file, ca, .. } => {
                Sink::Webhook(WebhookSink::new(url.clone(), secret_file.read(folder)?, client(url, ca)?))
            }
        })
    }
}

/// This machine's name, as the kernel has it.
fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "-".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(text: &str) -> Result<Sink, String> {
        let settings: ExportSettings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.sink("a", Path::new("/nowhere")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_not_be_is_refused() {
        for good in [
            "kind = \"file\"\npath = \"ledger.jsonl\"\nmax_megabytes = 10\nkeep_days = 400\n",
            "kind = \"syslog\"\naddress = \"siem.example:6514\"\n",
            "kind = \"syslog\"\naddress = \"[::1]:601\"\ntls = false\n",
            "kind = \"otlp\"\nurl = \"https://10.0.0.9:4318/v1/logs\"\n",
        ] {
            assert!(sink(good).is_ok(), "{good}: {:?}", sink(good));
        }
        for bad in [
            "path = \"ledger.jsonl\"\n",
            "kind = \"file\"\n",
            "kind = \"file\"\npath = \"a\"\nmax_megabyte = 10\n",
            "kind = \"pigeon\"\n",
            "kind = \"syslog\"\naddress = \"siem.example\"\n",
            "kind = \"syslog\"\naddress = \"siem.example:99999\"\n",
            "kind = \"syslog\"\naddress = \"a:1\"\ntls = false\nca = \"ca.pem\"\n",
            "kind = \"webhook\"\nurl = \"https://a.example\"\n",
            "kind = \"webhook\"\nurl = \"https://a.example\"\nsecret_file = \"absent\"\n",
        ] {
            assert!(sink(bad).is_err(), "{bad}");
        }
        let file: ExportSettings = toml::from_str("kind = \"file\"\npath = \"a\"\n").unwrap();
        let with: ExportSettings = toml::from_str("kind = \"syslog\"\naddress = \"a:1\"\npersonal = true\n").unwrap();
        assert!(!file.personal() && with.personal(), "only where it is asked for");
        assert!(file.sink("a b", Path::new("/")).is_err());
    }
}
