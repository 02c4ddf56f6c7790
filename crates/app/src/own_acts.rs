//! Acts that nobody needs a right for: logging in, and tokens and a password of one's own. Each makes an entry in the ledger,
//! so that they can't be done without end.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sealyard_core::Timestamp;
use sealyard_identity::{Principal, PrincipalId};

use crate::{App, AppError};

/// Such acts that a user can do at once.
const AT_ONCE: i64 = 200;
/// One more after so long.
const EACH_MILLIS: i64 = 2000;
/// Users that are remembered before those are forgotten that have all acts again.
const REMEMBERED: usize = 1000;

/// For each user, when all of their acts are theirs again.
#[derive(Debug, Default)]
pub(crate) struct OwnActs(Mutex<HashMap<PrincipalId, i64>>);

impl OwnActs {
    /// # Errors
    /// Seconds to wait.
    fn spend(&self, user: &PrincipalId, now: Timestamp) -> Result<(), u64> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_millis();
        if users.len() >= REMEMBERED && !users.contains_key(user) {
            users.retain(|_, full| *full > now);
        }
        let full = users.entry(user.clone()).or_insert(now);
        // A clock that was set back must not lock anyone out for longer.
        *full = (*full).clamp(now, now.saturating_add(AT_ONCE * EACH_MILLIS));
        let spent = full.saturating_add(EACH_MILLIS);
        let over = spent.saturating_sub(now).saturating_sub(AT_ONCE * EACH_MILLIS);
        if over > 0 {
            return Err(u64::try_from(over / 1000).unwrap_or(1).max(1));
        }
        *full = spent;
        Ok(())
    }
}

impl App {
    /// Takes one of the acts that a user has without any right. An administrator has no end of them: they may fill the
    /// ledger with anything.
    ///
    /// # Errors
    /// [`AppError::TooOften`].
    pub(crate) fn spend_own_act(&self, principal: &Principal) -> Result<(), AppError> {
        if principal.admin {
            return Ok(());
        }
        self.own_acts.spend(&principal.id, self.now()).map_err(AppError::TooOften)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_come_back_with_time_and_to_each_their_own() {
        let acts = OwnActs::default();
        let at = |millis| Timestamp::from_millis(1_000_000 + millis);
        let user = |name: &str| PrincipalId::new(name).unwrap();
        for _ in 0..AT_ONCE {
            acts.spend(&user("u1"), at(0)).unwrap();
        }
        assert_eq!(acts.spend(&user("u1"), at(0)), Err(2));
        assert_eq!(acts.spend(&user("u2"), at(0)), Ok(()));
        assert_eq!(acts.spend(&user("u1"), at(EACH_MILLIS)), Ok(()));
        assert!(acts.spend(&user("u1"), at(EACH_MILLIS)).is_err());
        // Set back by hours: no longer than from none at all.
        assert!(acts.spend(&user("u1"), at(-900_000)).is_err());
        assert_eq!(acts.spend(&user("u1"), at(EACH_MILLIS - 900_000)), Ok(()));
    }
}
