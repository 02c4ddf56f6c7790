use sealyard_core::Timestamp;
use sealyard_identity::{Grantee, Membership, PrincipalId, RoleName};
use sealyard_store::model::{AccessRules, GroupRecord, RoleMember, RolePermissionRecord, RoleRecord};
use sealyard_store::{Identities as _, Roles, StoreError};

use super::convert::{already_exists, not_found};
use crate::error::corrupt;
use crate::session::Session;
use crate::sql::Row;

const ROLE: &str = "SELECT roles.number, roles.workspace, roles.name, roles.description FROM roles";
const PERMISSION: &str = "SELECT number, role, resource_type, resource_pattern, permission FROM role_permissions";
const MEMBER: &str = "SELECT number, member, role FROM role_members";

impl Roles for Session<'_> {
    fn create_role(
        &mut self,
        workspace: &str,
        name: &str,
        description: Option<&str>,
        now: Timestamp,
    ) -> Result<RoleRecord, StoreError> {
        let id: Option<i64> = self.optional(
            "INSERT INTO roles (workspace, name, description, created) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING RETURNING number",
            (workspace, name, description, now.as_millis()),
            |row| row.get(0),
        )?;
        let id = id.ok_or_else(|| already_exists("role", name))?;
        Ok(RoleRecord {
            id,
            workspace: workspace.to_owned(),
            name: name.to_owned(),
            description: description.map(str::to_owned),
            permissions: Vec::new(),
        })
    }

    fn role(&mut self, id: i64) -> Result<Option<RoleRecord>, StoreError> {
        let found = self.optional(&format!("{ROLE} WHERE roles.number = ?1"), [id], read_role)?;
        found.map(|role| self.with_permissions(role)).transpose()
    }

    fn roles(&mut self, workspace: Option<&str>) -> Result<Vec<RoleRecord>, StoreError> {
        let found = match workspace {
            Some(workspace) => {
                self.all(&format!("{ROLE} WHERE roles.workspace = ?1 ORDER BY roles.number"), [workspace], read_role)?
            }
            None => self.all(&format!("{ROLE} ORDER BY roles.number"), [], read_role)?,
        };
        found.into_iter().map(|role| self.with_permissions(role)).collect()
    }

    fn update_role(&mut self, id: i64, name: &str, description: Option<&str>) -> Result<(), StoreError> {
        let taken = self.exists(
            "SELECT 1 FROM roles WHERE name = ?2 AND number <> ?1
               AND workspace = (SELECT workspace FROM roles WHERE number = ?1)",
            (id, name),
        )?;
        if taken {
            return Err(already_exists("role", name));
        }
        match self.execute("UPDATE roles SET name = ?2, description = ?3 WHERE number = ?1", (id, name, description))? {
            0 => Err(not_found("role", id.to_string())),
            _ => Ok(()),
        }
    }

    fn delete_role(&mut self, id: i64) -> Result<(), StoreError> {
        match self.execute("DELETE FROM roles WHERE number = ?1", [id])? {
            0 => Err(not_found("role", id.to_string())),
            _ => Ok(()),
        }
    }

    fn add_role_permission(&mut self, permission: &RolePermissionRecord) -> Result<RolePermissionRecord, StoreError> {
        if !self.exists("SELECT 1 FROM roles WHERE number = ?1", [permission.role])? {
            return Err(not_found("role", permission.role.to_string()));
        }
        let id: Option<i64> = self.optional(
            "INSERT INTO role_permissions (role, resource_type, resource_pattern, permission) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING RETURNING number",
            (permission.role, &permission.resource_type, &permission.resource_pattern, &permission.permission),
            |row| row.get(0),
        )?;
        let what = || format!("{}:{}", permission.resource_type, permission.resource_pattern);
        let id = id.ok_or_else(|| already_exists("role permission", what()))?;
        Ok(RolePermissionRecord { id, ..permission.clone() })
    }

    fn role_permission(&mut self, id: i64) -> Result<Option<RolePermissionRecord>, StoreError> {
        self.optional(&format!("{PERMISSION} WHERE number = ?1"), [id], read_permission)
    }

    fn update_role_permission(&mut self, id: i64, permission: &str) -> Result<(), StoreError> {
        match self.execute("UPDATE role_permissions SET permission = ?2 WHERE number = ?1", (id, permission))? {
            0 => Err(not_found("role permission", id.to_string())),
            _ => Ok(()),
        }
    }

    fn remove_role_permission(&mut self, id: i64) -> Result<(), StoreError> {
        match self.execute("DELETE FROM role_permissions WHERE number = ?1", [id])? {
            0 => Err(not_found("role permission", id.to_string())),
            _ => Ok(()),
        }
    }

    fn assign_role(&mut self, user: i64, role: i64) -> Result<RoleMember, StoreError> {
        if !self.exists("SELECT 1 FROM roles WHERE number = ?1", [role])? {
            return Err(not_found("role", role.to_string()));
        }
        let id: Option<i64> = self.optional(
            "INSERT INTO role_members (member, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING number",
            (user, role),
            |row| row.get(0),
        )?;
        let id = id.ok_or_else(|| already_exists("role assignment", role.to_string()))?;
        Ok(RoleMember { id, user, role })
    }

    fn unassign_role(&mut self, user: i64, role: i64) -> Result<(), StoreError> {
        match self.execute("DELETE FROM role_members WHERE member = ?1 AND role = ?2", (user, role))? {
            0 => Err(not_found("role assignment", role.to_string())),
            _ => Ok(()),
        }
    }

    fn role_members(&mut self, role: i64) -> Result<Vec<RoleMember>, StoreError> {
        self.all(&format!("{MEMBER} WHERE role = ?1 ORDER BY number"), [role], read_member)
    }

    fn roles_of(&mut self, user: i64) -> Result<Vec<RoleRecord>, StoreError> {
        let sql = format!(
            "{ROLE} JOIN role_members ON role_members.role = roles.number
             WHERE role_members.member = ?1 ORDER BY roles.number"
        );
        let found = self.all(&sql, [user], read_role)?;
        found.into_iter().map(|role| self.with_permissions(role)).collect()
    }

    fn access_rules(&mut self) -> Result<AccessRules, StoreError> {
        let mut grants = self.grants()?;
        let permissions = self.all(
            "SELECT p.number, p.role, p.resource_type, p.resource_pattern, p.permission, roles.workspace
             FROM role_permissions AS p JOIN roles ON roles.number = p.role ORDER BY p.number",
            [],
            |row| Ok((read_permission(row)?, row.get::<String>(5)?)),
        )?;
        for (permission, workspace) in permissions {
            grants.extend(permission.grants(&workspace).ok_or_else(|| corrupt("role permission"))?);
        }
        let mut memberships = Vec::new();
        for member in self.all(&format!("{MEMBER} ORDER BY number"), [], read_member)? {
            memberships.push(Membership { principal: principal_id(member.user)?, of: role_grantee(member.role)? });
        }
        let belongs = "SELECT member, group_number FROM group_members ORDER BY member, group_number";
        for (member, group) in self.all(belongs, [], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))? {
            let of = GroupRecord::grantee_of(group).map_err(|_| corrupt("group member"))?;
            memberships.push(Membership { principal: principal_id(member)?, of });
        }
        let through_groups = "SELECT DISTINCT m.member, r.role FROM group_members AS m
             JOIN group_roles AS r ON r.group_number = m.group_number ORDER BY m.member, r.role";
        for (member, role) in self.all(through_groups, [], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))? {
            memberships.push(Membership { principal: principal_id(member)?, of: role_grantee(role)? });
        }
        Ok(AccessRules { grants, memberships })
    }
}

impl Session<'_> {
    fn with_permissions(&self, role: RoleRecord) -> Result<RoleRecord, StoreError> {
        let permissions =
            self.all(&format!("{PERMISSION} WHERE role = ?1 ORDER BY number"), [role.id], read_permission)?;
        Ok(RoleRecord { permissions, ..role })
    }
}

fn principal_id(user: i64) -> Result<PrincipalId, StoreError> {
    PrincipalId::new(format!("u{user}")).map_err(|_| corrupt("user"))
}

fn role_grantee(role: i64) -> Result<Grantee, StoreError> {
    RoleName::new(RoleRecord::grantee_name(role)).map(Grantee::Role).map_err(|_| corrupt("role"))
}

fn read_role(row: &Row<'_>) -> Result<RoleRecord, StoreError> {
    Ok(RoleRecord {
        id: row.get(0)?,
        workspace: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        permissions: Vec::new(),
    })
}

fn read_permission(row: &Row<'_>) -> Result<RolePermissionRecord, StoreError> {
    Ok(RolePermissionRecord {
        id: row.get(0)?,
        role: row.get(1)?,
        resource_type: row.get(2)?,
        resource_pattern: row.get(3)?,
        permission: row.get(4)?,
    })
}

fn read_member(row: &Row<'_>) -> Result<RoleMember, StoreError> {
    Ok(RoleMember { id: row.get(0)?, user: row.get(1)?, role: row.get(2)? })
}
