//! One conversation with a server.

use std::sync::Arc;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry, SearchOptions, StdStream};
use rustls::ClientConfig;
use sealyard_core::Redacted;

use crate::LdapError;
use crate::server::Server;
use crate::tunnel;

const SUCCESS: u32 = 0;
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const REFERRAL: u32 = 10;
const NO_SUCH_OBJECT: u32 = 32;
/// `inappropriateAuthentication`, `invalidCredentials`, `insufficientAccessRights`, `unwillingToPerform` and
/// `constraintViolation`: how servers say no to a bind of somebody wrong, locked or disabled.
const BIND_REFUSED: [u32; 6] = [NO_SUCH_OBJECT, 48, 49, 50, 53, 19];

/// An entry, with the attributes that were asked for.
#[derive(Debug)]
pub(crate) struct Entry(SearchEntry);

impl Entry {
    pub(crate) fn dn(&self) -> &str {
        &self.0.dn
    }

    /// The only value of an attribute; bytes that are no text as hex.
    pub(crate) fn only(&self, attribute: &str) -> Option<String> {
        let named = |name: &str| name.eq_ignore_ascii_case(attribute);
        let mut texts = self.0.attrs.iter().filter(|(name, _)| named(name)).flat_map(|(_, values)| values);
        let mut bytes = self.0.bin_attrs.iter().filter(|(name, _)| named(name)).flat_map(|(_, values)| values);
        match (texts.next(), bytes.next()) {
            (Some(text), None) if texts.next().is_none() => Some(text.clone()),
            (None, Some(value)) if bytes.next().is_none() => Some(hex::encode(value)),
            _ => None,
        }
    }
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// There is more than was asked for.
    pub(crate) cut: bool,
}

/// A connection.
pub(crate) struct Session {
    ldap: Ldap,
}

impl Session {
    pub(crate) async fn open(server: &Server, tls: &Arc<ClientConfig>) -> Result<Self, LdapError> {
        let stream = tunnel::open(server, tls).await?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(stream));
        let opened = LdapConnAsync::with_settings(settings, "ldapi:///").await;
        let (connection, ldap) = opened.map_err(LdapError::unavailable)?;
        // It ends when the last handle is dropped.
        drop(tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "a connection to a directory ended");
            }
        }));
        Ok(Self { ldap })
    }

    /// Binds as the service, or as nobody.
    pub(crate) async fn bind_service(&mut self, service: Option<&(String, Redacted<String>)>) -> Result<(), LdapError> {
        let (dn, password) = service.map_or(("", ""), |(dn, password)| (dn.as_str(), password.expose().as_str()));
        match self.bind(dn, password).await? {
            SUCCESS => Ok(()),
            code => Err(LdapError::unavailable(format_args!("the bind of the service was answered by {code}"))),
        }
    }

    /// Whether the password is that of the entry. Neither may be empty: that would be a bind as nobody.
    pub(crate) async fn bind_as(&mut self, dn: &str, password: &Redacted<String>) -> Result<bool, LdapError> {
        if dn.is_empty() || password.expose().is_empty() {
            return Ok(false);
        }
        match self.bind(dn, password.expose()).await? {
            SUCCESS => Ok(true),
            code if BIND_REFUSED.contains(&code) => Ok(false),
            REFERRAL => Err(LdapError::unavailable("the bind was referred elsewhere; referrals are not followed")),
            code => Err(LdapError::unavailable(format_args!("the bind was answered by {code}"))),
        }
    }

    async fn bind(&mut self, dn: &str, password: &str) -> Result<u32, LdapError> {
        Ok(self.ldap.simple_bind(dn, password).await.map_err(LdapError::unavailable)?.rc)
    }

    /// At most `most` entries below `base`, with `attributes`.
    pub(crate) async fn search(
        &mut self,
        base: &str,
        filter: &str,
        attributes: &[&str],
        most: usize,
    ) -> Result<Found, LdapError> {
        let asked = i32::try_from(most.saturating_add(1)).unwrap_or(i32::MAX);
        self.ldap.with_search_options(SearchOptions::new().sizelimit(asked));
        let stream = self.ldap.streaming_search(base, Scope::Subtree, filter, attributes.to_vec()).await;
        let mut stream = stream.map_err(LdapError::unavailable)?;
        let mut entries = vec![];
        let mut cut = false;
        while let Some(item) = stream.next().await.map_err(LdapError::unavailable)? {
            if item.is_ref() || item.is_intermediate() {
                continue;
            }
            if entries.len() >= most {
                cut = true;
                break;
            }
            entries.push(Entry(SearchEntry::construct(item)));
        }
        if cut {
            return Ok(Found { entries, cut });
        }
        match stream.finish().await.rc {
            SUCCESS => Ok(Found { entries, cut: false }),
            SIZE_LIMIT_EXCEEDED => Ok(Found { entries, cut: true }),
            NO_SUCH_OBJECT => Err(LdapError::unavailable(format_args!("there is no {base:?}"))),
            REFERRAL => Err(LdapError::unavailable("the search was referred elsewhere; referrals are not followed")),
            code => Err(LdapError::unavailable(format_args!("the search was answered by {code}"))),
        }
    }
}
