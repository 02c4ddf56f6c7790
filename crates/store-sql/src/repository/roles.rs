use std::collections::{BTreeMap, BTreeSet};

use sealyard_core::Timestamp;
use sealyard_identity::{Grant, Grantee, Membership, PrincipalId, Right, RoleName};
use sealyard_store::model::{AccessRules, GroupRecord, RoleMember, RolePermissionRecord, RoleRecord};
use sealyard_store::{Identities as _, Roles, StoreError};

use super::convert::{already_exists, not_found};
use crate::error::corrupt;
use crate::seals::{GRANTS, GROUP_MEMBERS, GROUP_ROLES, ROLE_MEMBERS, ROLE_PERMISSIONS, ROLES, SealedTable};
use crate::session::Session;
use crate::sql::{Row, ToValue as _};

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
        self.seal(&ROLES, (id, workspace, name))?;
        Ok(RoleRecord {
            id,
            workspace: workspace.to_owned(),
            name: name.to_owned(),
            description: description.map(str::to_owned),
            permissions: Vec::new(),
        })
    }

    fn role(&mut self, id: i64) -> Result<Option<RoleRecord>, StoreError> {
        self.check_row(&ROLES, [id])?;
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
        // One that was changed behind our back is none: its workspace and name decide who has a say in it.
        let intact = self.intact_roles()?;
        found.into_iter().filter(|role| intact.contains(&role.id)).map(|role| self.with_permissions(role)).collect()
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
        if self.change(&ROLES, [id], &[("name", name.into()), ("description", description.to_value())])? {
            return Ok(());
        }
        Err(not_found("role", id.to_string()))
    }

    fn delete_role(&mut self, id: i64) -> Result<(), StoreError> {
        self.remove(&GRANTS, "grantee = 'role:' || ?1", [RoleRecord::grantee_name(id)])?;
        for table in [&ROLE_PERMISSIONS, &ROLE_MEMBERS, &GROUP_ROLES] {
            self.remove(table, "role = ?1", [id])?;
        }
        match self.remove(&ROLES, "number = ?1", [id])? {
            0 => Err(not_found("role", id.to_string())),
            _ => Ok(()),
        }
    }

    fn add_role_permission(&mut self, permission: &RolePermissionRecord) -> Result<RolePermissionRecord, StoreError> {
        if !self.check_row(&ROLES, [permission.role])? {
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
        let (kind, pattern) = (&permission.resource_type, &permission.resource_pattern);
        self.seal(&ROLE_PERMISSIONS, (id, permission.role, kind, pattern, &permission.permission))?;
        Ok(RolePermissionRecord { id, ..permission.clone() })
    }

    fn role_permission(&mut self, id: i64) -> Result<Option<RolePermissionRecord>, StoreError> {
        self.check_row(&ROLE_PERMISSIONS, [id])?;
        self.optional(&format!("{PERMISSION} WHERE number = ?1"), [id], read_permission)
    }

    fn update_role_permission(&mut self, id: i64, permission: &str) -> Result<(), StoreError> {
        if self.change(&ROLE_PERMISSIONS, [id], &[("permission", permission.into())])? {
            return Ok(());
        }
        Err(not_found("role permission", id.to_string()))
    }

    fn remove_role_permission(&mut self, id: i64) -> Result<(), StoreError> {
        match self.remove(&ROLE_PERMISSIONS, "number = ?1", [id])? {
            0 => Err(not_found("role permission", id.to_string())),
            _ => Ok(()),
        }
    }

    fn assign_role(&mut self, user: i64, role: i64) -> Result<RoleMember, StoreError> {
        if !self.check_row(&ROLES, [role])? {
            return Err(not_found("role", role.to_string()));
        }
        let id: Option<i64> = self.optional(
            "INSERT INTO role_members (member, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING number",
            (user, role),
            |row| row.get(0),
        )?;
        let id = id.ok_or_else(|| already_exists("role assignment", role.to_string()))?;
        self.seal(&ROLE_MEMBERS, (id, user, role))?;
        Ok(RoleMember { id, user, role })
    }

    fn unassign_role(&mut self, user: i64, role: i64) -> Result<(), StoreError> {
        match self.remove(&ROLE_MEMBERS, "member = ?1 AND role = ?2", (user, role))? {
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
        let workspaces = self.intact_roles()?;
        let sql = format!(
            "SELECT {}, roles.workspace FROM role_permissions AS p JOIN roles ON roles.number = p.role ORDER BY p.number",
            ROLE_PERMISSIONS.list("p")
        );
        let permissions = self.all(&sql, [], |row| {
            let intact = self.is_intact(&ROLE_PERMISSIONS, row, 0)?;
            Ok((intact, read_permission(row)?, row.get::<String>(ROLE_PERMISSIONS.width())?))
        })?;
        for (intact, permission, workspace) in permissions {
            let gives = permission.grants(&workspace);
            if intact && workspaces.contains(&permission.role) {
                grants.extend(gives.ok_or_else(|| corrupt("role permission"))?);
            } else {
                // As with a grant that was changed behind our back.
                tracing::error!(
                    permission.id,
                    permission.role,
                    "a role's permission was changed behind the server's back"
                );
                grants.extend(gives.into_iter().flatten().map(|grant| Grant { right: Right::Deny, ..grant }));
            }
        }
        Ok(AccessRules { grants, memberships: self.intact_memberships()? })
    }
}

impl Session<'_> {
    /// The roles that are as they were made.
    fn intact_roles(&self) -> Result<BTreeSet<i64>, StoreError> {
        let sql = format!("SELECT {} FROM roles", ROLES.list("roles"));
        let roles = self.all(&sql, [], |row| {
            let intact = self.is_intact(&ROLES, row, 0)?;
            Ok(if intact { Some(row.get(0)?) } else { None })
        })?;
        Ok(roles.into_iter().flatten().collect())
    }

    /// Who is in which role or group, where that is as it was said.
    fn intact_memberships(&self) -> Result<Vec<Membership>, StoreError> {
        let mut memberships = Vec::new();
        let pairs = |table: &'static SealedTable, first: usize, second: usize| {
            let sql = format!("SELECT {} FROM {} AS t ORDER BY 1, 2", table.list("t"), table.name);
            let found = self.all(&sql, [], |row| {
                let intact = self.is_intact(table, row, 0)?;
                Ok(if intact { Some((row.get::<i64>(first)?, row.get::<i64>(second)?)) } else { None })
            })?;
            let damaged = found.iter().filter(|pair| pair.is_none()).count();
            if damaged > 0 {
                tracing::error!(table = table.name, damaged, "rows were changed behind the server's back");
            }
            Ok::<_, StoreError>(found.into_iter().flatten().collect::<Vec<_>>())
        };
        for (member, role) in pairs(&ROLE_MEMBERS, 1, 2)? {
            memberships.push(Membership { principal: principal_id(member)?, of: role_grantee(role)? });
        }
        let mut roles_of: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        for (group, role) in pairs(&GROUP_ROLES, 0, 1)? {
            roles_of.entry(group).or_default().insert(role);
        }
        let mut through_groups = BTreeSet::new();
        let mut members = pairs(&GROUP_MEMBERS, 1, 0)?;
        members.sort_unstable();
        for (member, group) in members {
            let of = GroupRecord::grantee_of(group).map_err(|_| corrupt("group member"))?;
            memberships.push(Membership { principal: principal_id(member)?, of });
            through_groups.extend(roles_of.get(&group).into_iter().flatten().map(|role| (member, *role)));
        }
        for (member, role) in through_groups {
            memberships.push(Membership { principal: principal_id(member)?, of: role_grantee(role)? });
        }
        Ok(memberships)
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
