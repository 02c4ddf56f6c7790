use serde::Deserialize;

use super::{SecretFile, SettingsPath};

/// `[vault]`: what protects the vault's keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct VaultSettings {
    /// Where the master key is.
    pub provider: MasterKeyKind,
    /// `[vault.transit]`: OpenBao or HashiCorp Vault.
    pub transit: Option<TransitSettings>,
    /// `[vault.aws-kms]`: AWS, or who speaks as it does.
    pub aws_kms: Option<AwsKmsSettings>,
    /// `[vault.pkcs11]`: a token or HSM.
    pub pkcs11: Option<Pkcs11Settings>,
}

/// Where the master key is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MasterKeyKind {
    /// There is none: the vault's keys lie in `keys/master.key`, plain, for the owner of the data directory.
    #[default]
    File,
    /// In the variable `SEALYARD_MASTER_KEY`.
    Environment,
    /// In a transit engine.
    Transit,
    /// In a KMS with Amazon's API.
    AwsKms,
    /// On a token.
    Pkcs11,
}

/// `[vault.transit]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransitSettings {
    /// Such as `https://bao.example:8200`.
    pub url: String,
    /// The key's name.
    pub key: String,
    /// The engine's path.
    #[serde(default = "transit")]
    pub mount: String,
    /// The namespace, where there are such.
    pub namespace: Option<String>,
    /// A file with a token that may encrypt and decrypt with the key.
    pub token_file: SecretFile,
    /// Whom to trust for the server's certificate: a PEM file, in place of the system's authorities.
    pub ca_file: Option<SettingsPath>,
}

/// `[vault.aws-kms]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsKmsSettings {
    /// Such as `eu-central-1`.
    pub region: String,
    /// A key's id, ARN or `alias/…`.
    pub key: String,
    /// In place of Amazon's own.
    pub endpoint: Option<String>,
    /// A file with two or three lines: the access key's id, the access key, a session's token. Without it they come from
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    pub credentials_file: Option<SecretFile>,
    /// Whom to trust for the server's certificate: a PEM file, in place of the system's authorities.
    pub ca_file: Option<SettingsPath>,
}

/// `[vault.pkcs11]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Settings {
    /// The vendor's library.
    pub module: SettingsPath,
    /// The token's label.
    pub token: String,
    /// The label of an AES key on it.
    pub key: String,
    /// A file with the user's PIN.
    pub pin_file: SecretFile,
}

fn transit() -> String {
    "transit".to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn every_provider_can_be_described_and_what_is_not_known_is_an_error() {
        let parse = |text: &str| Settings::parse(text, Path::new("/etc/sealyard")).map(|settings| settings.vault);
        assert_eq!(parse("").unwrap().provider, MasterKeyKind::File);
        let transit = "[vault]\nprovider = \"transit\"\n[vault.transit]\nurl = \"https://bao:8200\"\nkey = \"k\"\ntoken_file = \"t\"\n";
        assert_eq!(parse(transit).unwrap().transit.unwrap().mount, "transit");
        let kms = "[vault]\nprovider = \"aws-kms\"\n[vault.aws-kms]\nregion = \"eu-central-1\"\nkey = \"alias/k\"\n";
        assert_eq!(parse(kms).unwrap().provider, MasterKeyKind::AwsKms);
        let token = "[vault]\nprovider = \"pkcs11\"\n[vault.pkcs11]\nmodule = \"/lib/m.so\"\ntoken = \"t\"\nkey = \"k\"\npin_file = \"p\"\n";
        assert!(parse(token).unwrap().pkcs11.is_some());
        for text in [
            "[vault]\nprovider = \"kms\"\n",
            "[vault]\nkey = \"secret\"\n",
            &transit.replace("token_file = \"t\"", "token = \"t\""),
            &transit.replace("url", "uri"),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
