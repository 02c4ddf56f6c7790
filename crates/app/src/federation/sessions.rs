use std::net::IpAddr;

use sealyard_core::{Digest, Redacted, Timestamp};
use sealyard_identity::Via;
use sealyard_ledger::{Act, Event, Outcome};

use crate::sessions::Origin;
use crate::{App, AppError, Caller, NewSession};

impl App {
    /// Begins a browser's session for somebody whom a provider vouched for just now. The one before, if the browser shows its
    /// cookie, ends. `external` is what the provider calls its own session; `until` is when this one ends at the latest.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] for a caller who proved it otherwise; [`AppError::TooOften`].
    pub async fn open_session(
        &self,
        caller: &Caller,
        previous: Option<&Redacted<String>>,
        external: Option<String>,
        until: Option<Timestamp>,
    ) -> Result<NewSession, AppError> {
        let Some(principal) = caller.principal() else { return Err(AppError::Unauthenticated) };
        let Via::External { provider, .. } = &principal.via else { return Err(AppError::Unauthenticated) };
        let origin = Origin { provider: Some(provider.clone()), external, until };
        self.begin_session(caller, previous, origin, |user| !user.disabled).await
    }

    /// Ends the sessions that the provider began: its session of this name, those of this subject, or those that both are true
    /// of. With neither it ends none. Gives how many.
    ///
    /// `once` is a word of the provider's that is good for one time until then; `None` comes back if it came before. It is noted in
    /// one write with the ending: a word that did not end what it was about can be said again.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn end_sessions_by(
        &self,
        provider: &str,
        subject: Option<&str>,
        external: Option<&str>,
        once: Option<(&Digest, Timestamp)>,
        source: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<Option<usize>, AppError> {
        if subject.is_none() && external.is_none() {
            return Ok(Some(0));
        }
        let once = once.map(|(digest, until)| (digest.to_hex(), until));
        let (provider, subject) = (provider.to_owned(), subject.map(str::to_owned));
        let external = external.map(str::to_owned);
        let now = self.now();
        let ended = self
            .store()
            .write(move |tx| {
                if let Some((digest, until)) = once
                    && !tx.use_once(&digest, until, now)?
                {
                    return Ok(None);
                }
                let owner = match subject {
                    None => None,
                    Some(subject) => {
                        let Some(found) = tx.external_identity(&provider, &subject)? else { return Ok(Some(0)) };
                        let Some(owner) = tx.user_numbered(found.user)? else { return Ok(Some(0)) };
                        Some(owner.name)
                    }
                };
                let sessions = tx.sessions_of_provider(&provider, external.as_deref(), owner.as_deref())?;
                for session in &sessions {
                    tx.end_session(&session.hash)?;
                    tx.record(&Event {
                        time: now,
                        actor: "system".to_owned(),
                        source: source.map(|address| address.to_string()),
                        request_id: request_id.clone(),
                        in_workspace: None,
                        outcome: Outcome::Done,
                        act: Act::SessionEnded { session: session.id.clone(), reason: format!("{provider} ended it") },
                    })?;
                }
                Ok::<_, AppError>(Some(sessions.len()))
            })
            .await?;
        self.sequencer.notify();
        Ok(ended)
    }
}
