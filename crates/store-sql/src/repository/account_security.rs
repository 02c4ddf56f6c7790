use sealyard_core::Timestamp;
use sealyard_store::model::{LoginFailures, SecondFactorRecord};
use sealyard_store::{AccountSecurity, StoreError};

use super::convert::{Columns as _, not_found};
use crate::error::corrupt;
use crate::people;
use crate::seals::{RECOVERY_CODES, SECOND_FACTORS};
use crate::session::Session;
use crate::sql::ToValue as _;

impl AccountSecurity for Session<'_> {
    fn second_factor(&mut self, user: i64) -> Result<Option<SecondFactorRecord>, StoreError> {
        let columns = SECOND_FACTORS.list("t");
        let sql = format!("SELECT {columns}, t.created FROM second_factors AS t WHERE member = ?1");
        self.optional(&sql, [user], |row| {
            self.check(&SECOND_FACTORS, row, 0)?;
            Ok(SecondFactorRecord {
                user,
                secret: row.get(2)?,
                confirmed: row.get(3)?,
                used_step: row.get(4)?,
                created: row.timestamp(SECOND_FACTORS.width())?,
            })
        })
    }

    fn put_second_factor(&mut self, factor: &SecondFactorRecord) -> Result<(), StoreError> {
        people::note();
        self.remove(&RECOVERY_CODES, "member = ?1", [factor.user])?;
        self.remove(&SECOND_FACTORS, "member = ?1", [factor.user])?;
        self.execute(
            "INSERT INTO second_factors (member, id, secret, confirmed, used_step, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                factor.user,
                SecondFactorRecord::row(factor.user),
                factor.secret.as_slice(),
                factor.confirmed,
                factor.used_step,
                factor.created.as_millis(),
            ),
        )?;
        let (id, secret) = (SecondFactorRecord::row(factor.user), factor.secret.as_slice());
        self.seal(&SECOND_FACTORS, (factor.user, id, secret, factor.confirmed, factor.used_step))
    }

    fn confirm_second_factor(&mut self, user: i64, step: i64, recovery: &[String]) -> Result<(), StoreError> {
        people::note();
        if !self.change(&SECOND_FACTORS, [user], &[("confirmed", true.to_value()), ("used_step", step.into())])? {
            return Err(not_found("second factor", user.to_string()));
        }
        self.remove(&RECOVERY_CODES, "member = ?1", [user])?;
        for hash in recovery {
            self.execute("INSERT INTO recovery_codes (member, hash) VALUES (?1, ?2)", (user, hash))?;
            self.seal(&RECOVERY_CODES, (user, hash))?;
        }
        Ok(())
    }

    fn use_second_factor_step(&mut self, user: i64, step: i64) -> Result<bool, StoreError> {
        people::note();
        if self.exists("SELECT 1 FROM second_factors WHERE member = ?1 AND used_step < ?2", (user, step))? {
            return self.change(&SECOND_FACTORS, [user], &[("used_step", step.into())]);
        }
        Ok(false)
    }

    fn use_recovery_code(&mut self, user: i64, hash: &str) -> Result<bool, StoreError> {
        people::note();
        if !self.check_row(&RECOVERY_CODES, (user, hash))? {
            return Ok(false);
        }
        Ok(self.remove(&RECOVERY_CODES, "member = ?1 AND hash = ?2", (user, hash))? > 0)
    }

    fn recovery_codes_left(&mut self, user: i64) -> Result<u64, StoreError> {
        let counted: Option<i64> =
            self.optional("SELECT count(*) FROM recovery_codes WHERE member = ?1", [user], |row| row.get(0))?;
        u64::try_from(counted.unwrap_or_default()).map_err(|_| corrupt("count"))
    }

    fn remove_second_factor(&mut self, user: i64) -> Result<bool, StoreError> {
        people::note();
        self.remove(&RECOVERY_CODES, "member = ?1", [user])?;
        Ok(self.remove(&SECOND_FACTORS, "member = ?1", [user])? > 0)
    }

    fn login_failures(&mut self, user: i64) -> Result<Option<LoginFailures>, StoreError> {
        self.optional("SELECT failures, last FROM login_failures WHERE member = ?1", [user], |row| {
            let count: i64 = row.get(0)?;
            Ok(LoginFailures { count: u32::try_from(count).unwrap_or(u32::MAX), last: row.timestamp(1)? })
        })
    }

    fn note_login_failure(&mut self, user: i64, now: Timestamp, since: Timestamp) -> Result<LoginFailures, StoreError> {
        people::note();
        self.execute(
            "INSERT INTO login_failures (member, failures, last) VALUES (?1, 1, ?2)
             ON CONFLICT (member) DO UPDATE SET
                 failures = CASE WHEN login_failures.last < ?3 THEN 1 ELSE login_failures.failures + 1 END,
                 last = excluded.last",
            (user, now.as_millis(), since.as_millis()),
        )?;
        self.login_failures(user)?.ok_or_else(|| corrupt("login failures"))
    }

    fn forget_login_failures(&mut self, user: i64) -> Result<bool, StoreError> {
        people::note();
        Ok(self.execute("DELETE FROM login_failures WHERE member = ?1", [user])? > 0)
    }

    fn note_login_network(&mut self, user: i64, network: &str, now: Timestamp, most: u32) -> Result<(), StoreError> {
        people::note();
        self.execute(
            "INSERT INTO login_networks (member, network, last) VALUES (?1, ?2, ?3)
             ON CONFLICT (member, network) DO UPDATE SET last = excluded.last",
            (user, network, now.as_millis()),
        )?;
        self.execute(
            "DELETE FROM login_networks WHERE member = ?1 AND network NOT IN (
                 SELECT network FROM login_networks WHERE member = ?1 ORDER BY last DESC, network LIMIT ?2)",
            (user, i64::from(most)),
        )?;
        Ok(())
    }

    fn knows_login_network(&mut self, user: i64, network: &str, since: Timestamp) -> Result<bool, StoreError> {
        self.exists(
            "SELECT 1 FROM login_networks WHERE member = ?1 AND network = ?2 AND last >= ?3",
            (user, network, since.as_millis()),
        )
    }

    fn tokens_used(&mut self, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
        for (id, at) in uses {
            let sql = "UPDATE tokens SET used = ?2 WHERE id = ?1 AND (used IS NULL OR used < ?2)";
            self.execute(sql, (id, at.as_millis()))?;
        }
        Ok(())
    }
}
