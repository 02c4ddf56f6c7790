use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};

/// More names in one certificate are not looked at: it has none then.
const MOST_NAMES: usize = 100;
/// A longer name is no account's.
const LONGEST: usize = 512;
/// A larger certificate is not read.
const LARGEST: usize = 64 * 1024;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// id-kp-clientAuth of RFC 5280.
const CLIENT_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// Where in a certificate a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateField {
    /// A URI among the subject's alternative names, such as a SPIFFE ID.
    Uri,
    /// An e-mail address among them.
    Email,
    /// A DNS name among them.
    Dns,
    /// The common name of the subject.
    CommonName,
}

/// The names that a certificate says its holder has. They are the issuer's word; whether that is believed was decided by
/// whoever verified the certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateNames {
    names: Vec<(CertificateField, String)>,
    begins: i64,
    expires: i64,
    client: bool,
}

impl CertificateNames {
    /// Whether it has this name there.
    pub(crate) fn has(&self, field: CertificateField, name: &str) -> bool {
        self.names.iter().any(|(there, text)| *there == field && text == name)
    }

    /// Reads them; `None` for what is no certificate, or not one that can be read without doubt.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        if der.len() > LARGEST {
            return None;
        }
        let certificate = Certificate::from_der(der).ok()?.tbs_certificate;
        let expires = i64::try_from(certificate.validity.not_after.to_unix_duration().as_secs()).ok()?;
        let begins = i64::try_from(certificate.validity.not_before.to_unix_duration().as_secs()).ok()?;
        let mut found = Self { names: Vec::new(), begins, expires, client: false };
        let (mut alternatives, mut usages) = (0, 0);
        for extension in certificate.extensions.as_deref().unwrap_or_default() {
            let value = extension.extn_value.as_bytes();
            if extension.extn_id == SubjectAltName::OID {
                alternatives += 1;
                for name in SubjectAltName::from_der(value).ok()?.0 {
                    match name {
                        GeneralName::UniformResourceIdentifier(text) => {
                            found.add(CertificateField::Uri, text.as_str())?;
                        }
                        GeneralName::Rfc822Name(text) => found.add(CertificateField::Email, text.as_str())?,
                        GeneralName::DnsName(text) => found.add(CertificateField::Dns, text.as_str())?,
                        _ => {}
                    }
                }
            } else if extension.extn_id == ExtendedKeyUsage::OID {
                usages += 1;
                found.client = ExtendedKeyUsage::from_der(value).ok()?.0.contains(&CLIENT_AUTHENTICATION);
            }
        }
        // Of two extensions of a kind some readers take the first and some the last.
        if alternatives > 1 || usages > 1 {
            return None;
        }
        for name in &certificate.subject.0 {
            for attribute in name.0.iter().filter(|attribute| attribute.oid == COMMON_NAME) {
                let value = &attribute.value;
                let text = match value.tag() {
                    Tag::Utf8String => Utf8StringRef::try_from(value).ok()?.as_str().to_owned(),
                    Tag::PrintableString => PrintableStringRef::try_from(value).ok()?.as_str().to_owned(),
                    Tag::Ia5String => Ia5StringRef::try_from(value).ok()?.as_str().to_owned(),
                    Tag::TeletexString => TeletexStringRef::try_from(value).ok()?.as_str().to_owned(),
                    _ => return None,
                };
                found.add(CertificateField::CommonName, &text)?;
            }
        }
        Some(found)
    }

    fn add(&mut self, field: CertificateField, text: &str) -> Option<()> {
        // A NUL or line break in a name once fooled those who compared only what stands before it.
        if self.names.len() >= MOST_NAMES || text.len() > LONGEST || text.chars().any(char::is_control) {
            return None;
        }
        self.names.push((field, text.to_owned()));
        Some(())
    }

    /// The names of one kind.
    pub fn of(&self, field: CertificateField) -> impl Iterator<Item = &str> {
        self.names.iter().filter(move |(one, _)| *one == field).map(|(_, name)| name.as_str())
    }

    /// Whether it says of itself that it is for clients. One that says nothing is for anything, and with it nothing was meant.
    #[must_use]
    pub const fn is_for_clients(&self) -> bool {
        self.client
    }

    /// The second, since 1970, with which it begins.
    #[must_use]
    pub const fn begins(&self) -> i64 {
        self.begins
    }

    /// The second, since 1970, with which it ends.
    #[must_use]
    pub const fn expires(&self) -> i64 {
        self.expires
    }
}

/// Whose account a certificate stands for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawRule")]
pub struct CertificateRule {
    field: CertificateField,
    what: Match,
    user: Option<String>,
    listener: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Match {
    Exact(String),
    Prefix(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRule {
    field: CertificateField,
    exact: Option<String>,
    prefix: Option<String>,
    user: Option<String>,
    listener: Option<String>,
}

impl TryFrom<RawRule> for CertificateRule {
    type Error = &'static str;

    fn try_from(raw: RawRule) -> Result<Self, Self::Error> {
        let what = match (raw.exact, raw.prefix) {
            (Some(text), None) if !text.is_empty() => Match::Exact(text),
            (None, Some(text)) if !text.is_empty() => Match::Prefix(text),
            _ => return Err("a rule has either `exact` or `prefix`, which is not empty"),
        };
        if raw.user.as_deref() == Some("") {
            return Err("`user` is an account's name, or left out");
        }
        Ok(Self { field: raw.field, what, user: raw.user, listener: raw.listener })
    }
}

impl CertificateRule {
    /// The account that this name stands for. Names are compared byte for byte.
    fn account<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        match &self.what {
            Match::Exact(text) if text == name => Some(self.user.as_deref().unwrap_or(name)),
            Match::Exact(_) => None,
            Match::Prefix(text) => {
                let rest = name.strip_prefix(text.as_str()).filter(|rest| !rest.is_empty())?;
                Some(self.user.as_deref().unwrap_or(rest))
            }
        }
    }
}

/// The rules, in their order. The first that knows a name of the certificate decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct CertificateRules(Vec<CertificateRule>);

impl CertificateRules {
    /// Whether there are none, so that a certificate is nobody's.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that hold at this listener: rules that name it, and rules that name none.
    #[must_use]
    pub fn at(&self, listener: &str) -> Self {
        let here = |rule: &&CertificateRule| rule.listener.as_deref().is_none_or(|name| name == listener);
        Self(self.0.iter().filter(here).cloned().collect())
    }

    /// The listeners that rules name; `None` for a rule that holds everywhere.
    pub fn listeners(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(|rule| rule.listener.as_deref())
    }

    /// The account that a certificate with these names stands for. Where one rule finds two of them in one certificate, it
    /// stands for nobody.
    #[must_use]
    pub fn account<'a>(&'a self, names: &'a CertificateNames) -> Option<&'a str> {
        for rule in &self.0 {
            let mut accounts = names.of(rule.field).filter_map(|name| rule.account(name));
            if let Some(first) = accounts.next() {
                return accounts.all(|other| other == first).then_some(first);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType};

    use super::*;

    fn certificate(common: &[&str], uris: &[&str], emails: &[&str], client: bool) -> CertificateNames {
        let mut params = CertificateParams::new(vec!["job.example".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for name in common {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        for uri in uris {
            params.subject_alt_names.push(SanType::URI((*uri).try_into().unwrap()));
        }
        for email in emails {
            params.subject_alt_names.push(SanType::Rfc822Name((*email).try_into().unwrap()));
        }
        params.extended_key_usages =
            vec![if client { ExtendedKeyUsagePurpose::ClientAuth } else { ExtendedKeyUsagePurpose::ServerAuth }];
        let key = KeyPair::generate().unwrap();
        CertificateNames::read(params.self_signed(&key).unwrap().der()).unwrap()
    }

    fn rule(field: CertificateField, exact: &str, prefix: &str, user: &str) -> CertificateRule {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        CertificateRule::try_from(RawRule {
            field,
            exact: text(exact),
            prefix: text(prefix),
            user: text(user),
            listener: None,
        })
        .unwrap()
    }

    #[test]
    fn names_are_found_where_they_stand() {
        let names = certificate(&["Ada"], &["spiffe://corp/ml/trainer"], &["ada@corp.example"], true);
        assert!(names.is_for_clients() && names.expires() > 0);
        assert_eq!(names.of(CertificateField::CommonName).collect::<Vec<_>>(), ["Ada"]);
        assert_eq!(names.of(CertificateField::Uri).collect::<Vec<_>>(), ["spiffe://corp/ml/trainer"]);
        assert_eq!(names.of(CertificateField::Email).collect::<Vec<_>>(), ["ada@corp.example"]);
        assert_eq!(names.of(CertificateField::Dns).collect::<Vec<_>>(), ["job.example"]);
        assert!(!certificate(&["Ada"], &[], &[], false).is_for_clients());
    }

    #[test]
    fn a_name_of_another_field_is_another_name() {
        let rules = CertificateRules(vec![rule(CertificateField::Email, "ada@corp.example", "", "ada")]);
        let account = |names: &CertificateNames| rules.account(names).map(str::to_owned);
        assert_eq!(account(&certificate(&[], &[], &["ada@corp.example"], true)).as_deref(), Some("ada"));
        assert_eq!(account(&certificate(&["ada@corp.example"], &[], &[], true)), None);
        assert_eq!(account(&certificate(&[], &["ada@corp.example"], &[], true)), None);
        assert_eq!(account(&certificate(&[], &[], &["Ada@corp.example"], true)), None);
        assert_eq!(account(&certificate(&[], &[], &["ada@corp.example.evil"], true)), None);
    }

    #[test]
    fn a_prefix_gives_the_rest_as_the_name() {
        let rules = CertificateRules(vec![
            rule(CertificateField::Uri, "", "spiffe://corp/ns/ci/", "ci"),
            rule(CertificateField::Uri, "", "spiffe://corp/sa/", ""),
        ]);
        let account = |uris: &[&str]| rules.account(&certificate(&[], uris, &[], true)).map(str::to_owned);
        assert_eq!(account(&["spiffe://corp/sa/trainer"]).as_deref(), Some("trainer"));
        assert_eq!(account(&["spiffe://corp/ns/ci/job-7"]).as_deref(), Some("ci"));
        assert_eq!(account(&["spiffe://corp/sa/"]), None, "nothing is left for a name");
        assert_eq!(account(&["spiffe://evil/sa/trainer"]), None);
        assert_eq!(account(&["spiffe://corp/sa/a", "spiffe://corp/sa/b"]), None, "two accounts are none");
    }

    #[test]
    fn odd_certificates_are_not_read() {
        for bytes in [&b""[..], b"x", &[0x30, 0x82, 0xff, 0xff], &[0x30; 70_000]] {
            assert!(CertificateNames::read(bytes).is_none());
        }
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "admin\0.evil");
        let key = KeyPair::generate().unwrap();
        assert!(CertificateNames::read(params.self_signed(&key).unwrap().der()).is_none());
    }

    #[test]
    fn rules_say_one_thing() {
        let raw = |exact: Option<&str>, prefix: Option<&str>| {
            let own = |text: &str| text.to_owned();
            let field = CertificateField::Uri;
            CertificateRule::try_from(RawRule {
                field,
                exact: exact.map(own),
                prefix: prefix.map(own),
                user: None,
                listener: None,
            })
        };
        assert!(raw(None, None).is_err() && raw(Some("a"), Some("b")).is_err() && raw(None, Some("")).is_err());
    }
}
