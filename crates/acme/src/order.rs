use std::time::Duration;

use instant_acme::{AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus, RetryPolicy};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sealyard_core::{Redacted, durable};
use sealyard_transport::CertificateNames;

use crate::settings::Challenge;
use crate::{Acme, AcmeError, challenge};

/// How long a directory may take to look at a proof, and to sign.
const WAIT: Duration = Duration::from_secs(120);
/// All of an order.
const WHOLE: Duration = Duration::from_secs(600);

impl Acme {
    /// Gets a certificate, keeps it and lets the listeners use it.
    pub(crate) async fn obtain(&self) -> Result<(), AcmeError> {
        let ordered = tokio::time::timeout(WHOLE, self.order()).await;
        // Whatever came of it, nothing is proved any more.
        self.http.clear();
        for slot in &self.slots {
            self.settings.domains.iter().for_each(|domain| slot.forget_challenge(domain));
        }
        let pem = ordered.map_err(|_| AcmeError::Unexpected("did not finish the order in time".to_owned()))??;
        let path = self.settings.certificate();
        durable::write(&path, pem.expose().as_bytes(), 0o600).map_err(|source| AcmeError::File {
            what: "write the certificate",
            path,
            source,
        })?;
        self.install()
    }

    /// The key and the chain.
    async fn order(&self) -> Result<Redacted<String>, AcmeError> {
        let account = self.account().await?;
        let identifiers: Vec<_> = self.settings.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
        self.prove(&mut order).await?;
        let retry = RetryPolicy::new().timeout(WAIT);
        let status = order.poll_ready(&retry).await?;
        if status != OrderStatus::Ready {
            return Err(AcmeError::Unexpected(format!("did not take the proof: the order is {status:?}")));
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.settings.domains.clone())?;
        params.distinguished_name = DistinguishedName::new();
        order.finalize_csr(params.serialize_request(&key)?.der()).await?;
        let chain = order.poll_certificate(&retry).await?;
        let leaf = CertificateDer::pem_slice_iter(chain.as_bytes()).next().and_then(Result::ok);
        let names = leaf.and_then(|leaf| CertificateNames::read(&leaf));
        if !names.is_some_and(|names| self.settings.covers(&names)) {
            return Err(AcmeError::Unexpected("gave a certificate for other names".to_owned()));
        }
        Ok(Redacted::new(format!("{}{chain}", key.serialize_pem())))
    }

    /// Puts up the proof for each name and says so.
    async fn prove(&self, order: &mut Order) -> Result<(), AcmeError> {
        let kind = match self.settings.challenge {
            Challenge::Http => ChallengeType::Http01,
            Challenge::TlsAlpn => ChallengeType::TlsAlpn01,
        };
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                status => return Err(AcmeError::Unexpected(format!("has an authorization that is {status:?}"))),
            }
            let absent = || AcmeError::Unexpected(format!("does not offer {kind:?}"));
            let mut proof = authorization.challenge(kind.clone()).ok_or_else(absent)?;
            let Identifier::Dns(domain) = proof.identifier().identifier.clone() else {
                return Err(AcmeError::Unexpected("asks about something that is no name".to_owned()));
            };
            if !self.settings.domains.contains(&domain) {
                return Err(AcmeError::Unexpected(format!("asks about {domain:?}, which was not ordered")));
            }
            let answer = proof.key_authorization();
            match self.settings.challenge {
                Challenge::Http => self.http.set(&proof.token, answer.as_str()),
                Challenge::TlsAlpn => {
                    let certified = challenge::proof(&domain, &answer)?;
                    self.slots.iter().for_each(|slot| slot.answer_challenge(&domain, certified.clone()));
                }
            }
            proof.set_ready().await?;
        }
        Ok(())
    }
}
