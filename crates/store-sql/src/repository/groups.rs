use sealyard_core::Timestamp;
use sealyard_store::model::{ExternalIdentityRecord, GroupRecord, GroupRole};
use sealyard_store::{Groups, StoreError};

use super::convert::{Columns as _, already_exists, not_found};
use crate::seals::{EXTERNAL_IDENTITIES, GRANTS, GROUP_MEMBERS, GROUP_ROLES, GROUPS, ROLES};
use crate::session::Session;
use crate::sql::{Parameters, Row};

/// In the order of [`GROUPS`], with the seal.
const GROUP: &str = "SELECT groups.number, groups.source, groups.name, groups.seal FROM groups";
/// In the order of [`EXTERNAL_IDENTITIES`], with the seal.
const EXTERNAL: &str = "SELECT provider, subject, member, seal, created, seen FROM external_identities";

impl Groups for Session<'_> {
    fn create_group(&mut self, source: &str, name: &str, now: Timestamp) -> Result<GroupRecord, StoreError> {
        let id = self
            .insert(
                "INSERT INTO groups (source, name, created) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING RETURNING number",
                (source, name, now.as_millis()),
            )?
            .ok_or_else(|| already_exists("group", name))?;
        self.seal(&GROUPS, (id, source, name))?;
        Ok(GroupRecord { id, source: source.to_owned(), name: name.to_owned() })
    }

    fn group(&mut self, id: i64) -> Result<Option<GroupRecord>, StoreError> {
        self.optional(&format!("{GROUP} WHERE groups.number = ?1"), [id], |row| self.checked_group(row))
    }

    fn group_named(&mut self, source: &str, name: &str) -> Result<Option<GroupRecord>, StoreError> {
        let sql = format!("{GROUP} WHERE groups.source = ?1 AND groups.name = ?2");
        self.optional(&sql, (source, name), |row| {
            self.check_asked(&GROUPS, row, 2, name)?;
            self.check_asked(&GROUPS, row, 1, source)?;
            read_group(row)
        })
    }

    fn groups(&mut self) -> Result<Vec<GroupRecord>, StoreError> {
        self.intact_groups(&format!("{GROUP} ORDER BY groups.source, groups.name"), [])
    }

    fn rename_group(&mut self, id: i64, name: &str) -> Result<(), StoreError> {
        let taken = self.exists(
            "SELECT 1 FROM groups WHERE name = ?2 AND number <> ?1
               AND source = (SELECT source FROM groups WHERE number = ?1)",
            (id, name),
        )?;
        if taken {
            return Err(already_exists("group", name));
        }
        if self.change(&GROUPS, [id], &[("name", name.into())])? {
            return Ok(());
        }
        Err(not_found("group", id.to_string()))
    }

    fn delete_group(&mut self, id: i64) -> Result<(), StoreError> {
        self.remove(&GRANTS, "grantee = ?1", [format!("group:g{id}")])?;
        self.remove(&GROUP_MEMBERS, "group_number = ?1", [id])?;
        self.remove(&GROUP_ROLES, "group_number = ?1", [id])?;
        match self.remove(&GROUPS, "number = ?1", [id])? {
            0 => Err(not_found("group", id.to_string())),
            _ => Ok(()),
        }
    }

    fn add_group_member(&mut self, group: i64, user: i64) -> Result<bool, StoreError> {
        if !self.check_row(&GROUPS, [group])? {
            return Err(not_found("group", group.to_string()));
        }
        let sql = "INSERT INTO group_members (group_number, member) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let added = self.execute(sql, (group, user))? > 0;
        if added {
            self.seal(&GROUP_MEMBERS, (group, user))?;
        }
        Ok(added)
    }

    fn remove_group_member(&mut self, group: i64, user: i64) -> Result<bool, StoreError> {
        Ok(self.remove(&GROUP_MEMBERS, "group_number = ?1 AND member = ?2", (group, user))? > 0)
    }

    fn group_members(&mut self, group: i64) -> Result<Vec<i64>, StoreError> {
        let columns = GROUP_MEMBERS.list("t");
        let sql = format!("SELECT {columns} FROM group_members AS t WHERE group_number = ?1 ORDER BY member");
        let found = self.all(&sql, [group], |row| {
            Ok(if self.is_intact(&GROUP_MEMBERS, row, 0)? { Some(row.get(1)?) } else { None })
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn groups_of(&mut self, user: i64) -> Result<Vec<GroupRecord>, StoreError> {
        let sql = format!(
            "{GROUP} JOIN group_members ON group_members.group_number = groups.number
             WHERE group_members.member = ?1 ORDER BY groups.source, groups.name"
        );
        self.intact_groups(&sql, [user])
    }

    fn group_roles(&mut self) -> Result<Vec<GroupRole>, StoreError> {
        let columns = GROUP_ROLES.list("t");
        let sql = format!("SELECT {columns} FROM group_roles AS t ORDER BY group_number, role, declared");
        let found = self.all(&sql, [], |row| {
            let intact = self.is_intact(&GROUP_ROLES, row, 0)?;
            let role = GroupRole { group: row.get(0)?, role: row.get(1)?, declared: row.get(2)? };
            Ok(intact.then_some(role))
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn add_group_role(&mut self, role: &GroupRole) -> Result<bool, StoreError> {
        if !self.check_row(&GROUPS, [role.group])? {
            return Err(not_found("group", role.group.to_string()));
        }
        if !self.check_row(&ROLES, [role.role])? {
            return Err(not_found("role", role.role.to_string()));
        }
        let sql = "INSERT INTO group_roles (group_number, role, declared) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let added = self.execute(sql, (role.group, role.role, role.declared))? > 0;
        if added {
            self.seal(&GROUP_ROLES, (role.group, role.role, role.declared))?;
        }
        Ok(added)
    }

    fn remove_group_role(&mut self, role: &GroupRole) -> Result<bool, StoreError> {
        let condition = "group_number = ?1 AND role = ?2 AND declared = ?3";
        Ok(self.remove(&GROUP_ROLES, condition, (role.group, role.role, role.declared))? > 0)
    }

    fn external_identity(
        &mut self,
        provider: &str,
        subject: &str,
    ) -> Result<Option<ExternalIdentityRecord>, StoreError> {
        let sql = format!("{EXTERNAL} WHERE provider = ?1 AND subject = ?2");
        self.optional(&sql, (provider, subject), |row| {
            self.check_asked(&EXTERNAL_IDENTITIES, row, 1, subject)?;
            self.check_asked(&EXTERNAL_IDENTITIES, row, 0, provider)?;
            read_external(row)
        })
    }

    fn external_identities_of(&mut self, user: i64) -> Result<Vec<ExternalIdentityRecord>, StoreError> {
        self.all(&format!("{EXTERNAL} WHERE member = ?1 ORDER BY provider, subject"), [user], read_external)
    }

    fn create_external_identity(&mut self, identity: &ExternalIdentityRecord) -> Result<(), StoreError> {
        let inserted = self.execute(
            "INSERT INTO external_identities (provider, subject, member, created, seen) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            (
                &identity.provider,
                &identity.subject,
                identity.user,
                identity.created.as_millis(),
                identity.seen.as_millis(),
            ),
        )?;
        if inserted == 0 {
            return Err(already_exists("identity", &identity.provider));
        }
        self.seal(&EXTERNAL_IDENTITIES, (&identity.provider, &identity.subject, identity.user))
    }

    fn external_identity_seen(&mut self, provider: &str, subject: &str, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE external_identities SET seen = ?3 WHERE provider = ?1 AND subject = ?2 AND seen < ?3";
        self.execute(sql, (provider, subject, at.as_millis()))?;
        Ok(())
    }

    fn remove_external_identity(&mut self, provider: &str, subject: &str) -> Result<bool, StoreError> {
        Ok(self.remove(&EXTERNAL_IDENTITIES, "provider = ?1 AND subject = ?2", (provider, subject))? > 0)
    }
}

impl Session<'_> {
    fn checked_group(&self, row: &Row<'_>) -> Result<GroupRecord, StoreError> {
        self.check(&GROUPS, row, 0)?;
        read_group(row)
    }

    /// Of the groups that are found, those that are as they were made: what one is called decides who comes to be in it.
    fn intact_groups(&self, sql: &str, parameters: impl Parameters) -> Result<Vec<GroupRecord>, StoreError> {
        let found = self.all(sql, parameters, |row| {
            Ok(if self.is_intact(&GROUPS, row, 0)? { Some(read_group(row)?) } else { None })
        })?;
        Ok(found.into_iter().flatten().collect())
    }
}

fn read_group(row: &Row<'_>) -> Result<GroupRecord, StoreError> {
    Ok(GroupRecord { id: row.get(0)?, source: row.get(1)?, name: row.get(2)? })
}

fn read_external(row: &Row<'_>) -> Result<ExternalIdentityRecord, StoreError> {
    Ok(ExternalIdentityRecord {
        provider: row.get(0)?,
        subject: row.get(1)?,
        user: row.get(2)?,
        created: row.timestamp(4)?,
        seen: row.timestamp(5)?,
    })
}
