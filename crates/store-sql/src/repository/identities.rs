use sealyard_identity::{Grant, Right};
use sealyard_store::model::{TokenRecord, UserKind, UserRecord};
use sealyard_store::{Identities, StoreError};

use super::convert::{Columns as _, already_exists, not_found};
use crate::error::{backend, corrupt};
use crate::people;
use crate::seals::{
    EXTERNAL_IDENTITIES, GRANTS, GROUP_MEMBERS, RECOVERY_CODES, ROLE_MEMBERS, SECOND_FACTORS, SESSIONS, TOKENS, USERS,
};
use crate::session::Session;
use crate::sql::{Row, ToValue as _};

/// In the order of [`USERS`], with the seal.
const USER: &str = "SELECT number, name, password, admin, created, kind, disabled, seal FROM users";
/// In the order of [`TOKENS`], with the seal and the owner's name and the last use.
const TOKEN: &str = "SELECT tokens.id, tokens.\"user\", tokens.hash, tokens.scopes, tokens.created, tokens.expires,
         tokens.revoked, tokens.seal, users.name, tokens.used
     FROM tokens JOIN users ON users.number = tokens.\"user\"";

impl Identities for Session<'_> {
    fn create_user(&mut self, user: &UserRecord) -> Result<UserRecord, StoreError> {
        people::note();
        let id = self
            .insert(
                "INSERT INTO users (name, password, admin, created, kind, disabled) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING RETURNING number",
                (&user.name, &user.password, user.admin, user.created.as_millis(), user.kind.as_str(), user.disabled),
            )?
            .ok_or_else(|| already_exists("user", &user.name))?;
        let (created, kind) = (user.created.as_millis(), user.kind.as_str());
        self.seal(&USERS, (id, &user.name, &user.password, user.admin, created, kind, user.disabled))?;
        Ok(UserRecord { id, ..user.clone() })
    }

    fn user(&mut self, name: &str) -> Result<Option<UserRecord>, StoreError> {
        self.optional(&format!("{USER} WHERE name = ?1"), [name], |row| {
            self.check_asked(&USERS, row, 1, name)?;
            read_user(row)
        })
    }

    fn user_numbered(&mut self, id: i64) -> Result<Option<UserRecord>, StoreError> {
        self.optional(&format!("{USER} WHERE number = ?1"), [id], |row| {
            self.check(&USERS, row, 0)?;
            read_user(row)
        })
    }

    fn users(&mut self) -> Result<Vec<UserRecord>, StoreError> {
        // One that was changed behind our back is nobody; the others are still there.
        let users = self.all(&format!("{USER} ORDER BY name"), [], |row| {
            Ok(if self.is_intact(&USERS, row, 0)? { Some(read_user(row)?) } else { None })
        })?;
        Ok(users.into_iter().flatten().collect())
    }

    fn set_user_password(&mut self, name: &str, password: Option<&str>) -> Result<(), StoreError> {
        people::note();
        let user = self.user(name)?.ok_or_else(|| not_found("user", name))?;
        // Whoever knew the old password, or stole a session made with it, is out.
        self.remove(&SESSIONS, "\"user\" = ?1", [user.id])?;
        self.change(&USERS, [user.id], &[("password", password.to_value())]).map(drop)
    }

    fn set_user_admin(&mut self, name: &str, admin: bool) -> Result<(), StoreError> {
        people::note();
        let user = self.user(name)?.ok_or_else(|| not_found("user", name))?;
        self.change(&USERS, [user.id], &[("admin", admin.to_value())]).map(drop)
    }

    fn set_user_disabled(&mut self, name: &str, disabled: bool) -> Result<(), StoreError> {
        people::note();
        let user = self.user(name)?.ok_or_else(|| not_found("user", name))?;
        if disabled {
            self.remove(&SESSIONS, "\"user\" = ?1", [user.id])?;
        }
        self.change(&USERS, [user.id], &[("disabled", disabled.to_value())]).map(drop)
    }

    fn delete_user(&mut self, name: &str) -> Result<(), StoreError> {
        people::note();
        // Also one that was changed behind our back: it must be possible to be rid of it.
        let id: i64 = self
            .optional("SELECT number FROM users WHERE name = ?1", [name], |row| row.get(0))?
            .ok_or_else(|| not_found("user", name))?;
        self.remove(&GRANTS, "grantee = ?1", [format!("principal:u{id}")])?;
        for table in [&ROLE_MEMBERS, &GROUP_MEMBERS, &EXTERNAL_IDENTITIES, &SECOND_FACTORS, &RECOVERY_CODES] {
            self.remove(table, "member = ?1", [id])?;
        }
        for table in [&TOKENS, &SESSIONS] {
            self.remove(table, "\"user\" = ?1", [id])?;
        }
        self.remove(&USERS, "number = ?1", [id])?;
        Ok(())
    }

    fn create_token(&mut self, token: &TokenRecord) -> Result<(), StoreError> {
        people::note();
        let user = self.user(&token.owner)?.ok_or_else(|| not_found("user", &token.owner))?;
        let scopes = serde_json::to_string(&token.scopes).map_err(backend)?;
        let inserted = self.execute(
            "INSERT INTO tokens (id, \"user\", hash, scopes, created, expires, revoked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            (
                &token.id,
                user.id,
                &token.hash,
                &scopes,
                token.created.as_millis(),
                token.expires.map(|time| time.as_millis()),
                token.revoked,
            ),
        )?;
        if inserted == 0 {
            return Err(already_exists("token", &token.id));
        }
        let (created, expires) = (token.created.as_millis(), token.expires.map(|time| time.as_millis()));
        self.seal(&TOKENS, (&token.id, user.id, &token.hash, scopes, created, expires, token.revoked))
    }

    fn token_by_hash(&mut self, hash: &str) -> Result<Option<TokenRecord>, StoreError> {
        self.optional(&format!("{TOKEN} WHERE tokens.hash = ?1"), [hash], |row| {
            self.check_asked(&TOKENS, row, 2, hash)?;
            read_token(row)
        })
    }

    fn tokens_of(&mut self, owner: &str) -> Result<Vec<TokenRecord>, StoreError> {
        let sql = format!("{TOKEN} WHERE users.name = ?1 ORDER BY tokens.created, tokens.id");
        let tokens = self.all(&sql, [owner], |row| {
            Ok(if self.is_intact(&TOKENS, row, 0)? { Some(read_token(row)?) } else { None })
        })?;
        Ok(tokens.into_iter().flatten().collect())
    }

    fn revoke_token(&mut self, id: &str) -> Result<(), StoreError> {
        people::note();
        // One that was changed behind our back ends too, but does not become a good one by that.
        let intact =
            self.optional(&format!("{TOKEN} WHERE tokens.id = ?1"), [id], |row| self.is_intact(&TOKENS, row, 0))?;
        if intact == Some(true) {
            return self.change(&TOKENS, [id], &[("revoked", true.to_value())]).map(drop);
        }
        match self.execute("UPDATE tokens SET revoked = 1 WHERE id = ?1", [id])? {
            0 => Err(not_found("token", id)),
            _ => Ok(()),
        }
    }

    fn set_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        let (grantee, pattern) = (grant.grantee.to_string(), grant.pattern.to_string());
        self.write_over(&GRANTS, (&grantee, &pattern, slot(grant.right)))?;
        self.execute(
            "INSERT INTO grants (grantee, pattern, slot, permission) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (grantee, pattern, slot) DO UPDATE SET permission = excluded.permission",
            (&grantee, &pattern, slot(grant.right), grant.right.to_string()),
        )?;
        self.seal(&GRANTS, (grantee, pattern, slot(grant.right), grant.right.to_string()))
    }

    fn remove_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        let removed = self.remove(
            &GRANTS,
            "grantee = ?1 AND pattern = ?2 AND slot = ?3",
            (grant.grantee.to_string(), grant.pattern.to_string(), slot(grant.right)),
        )?;
        match removed {
            0 => Err(not_found("grant", grant.to_string())),
            _ => Ok(()),
        }
    }

    fn grants(&mut self) -> Result<Vec<Grant>, StoreError> {
        let sql = "SELECT grantee, pattern, slot, permission, seal FROM grants ORDER BY grantee, pattern, slot";
        let found = self.all(sql, [], |row| {
            let read = || {
                Ok(Grant {
                    grantee: row.text(0)?.parse().map_err(|_| corrupt("grantee"))?,
                    pattern: row.text(1)?.parse().map_err(|_| corrupt("resource pattern"))?,
                    right: row.text(3)?.parse().map_err(|_| corrupt("right"))?,
                })
            };
            if self.is_intact(&GRANTS, row, 0)? {
                return read().map(Some);
            }
            // It gives nothing any more. It may have been a denial, so it is one: of what it speaks of now.
            tracing::error!(grant = row.text(0)?, on = row.text(1)?, "a grant was changed behind the server's back");
            Ok(read().ok().map(|grant| Grant { right: Right::Deny, ..grant }))
        })?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// A principal has one level or denial on a pattern, and beside it any acts.
fn slot(right: Right) -> String {
    match right {
        Right::Act(_) => right.to_string(),
        Right::Level(_) | Right::Deny => "level".to_owned(),
    }
}

fn read_user(row: &Row<'_>) -> Result<UserRecord, StoreError> {
    Ok(UserRecord {
        id: row.get(0)?,
        name: row.get(1)?,
        password: row.get(2)?,
        admin: row.get(3)?,
        created: row.timestamp(4)?,
        kind: row.named(5, UserKind::from_text)?,
        disabled: row.get(6)?,
    })
}

fn read_token(row: &Row<'_>) -> Result<TokenRecord, StoreError> {
    Ok(TokenRecord {
        id: row.get(0)?,
        owner: row.get(8)?,
        hash: row.get(2)?,
        scopes: row.named(3, |text| serde_json::from_str(text).ok())?,
        created: row.timestamp(4)?,
        expires: row.optional_timestamp(5)?,
        revoked: row.get(6)?,
        used: row.optional_timestamp(9)?,
    })
}
