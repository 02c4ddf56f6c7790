use sealyard_identity::{ExperimentId, Grant, Grantee, ModelName, PrincipalName, RegistryEntry};
use sealyard_ledger::Act;
use sealyard_store::import::SourceUser;
use sealyard_store::model::UserRecord;

use super::Import;
use super::progress::{Phase, Place};
use crate::AppError;
use crate::access::PermissionLevel;
use crate::authentication::principal_id;

/// Where the catalog keeps that users were given, and are in.
const USERS: &str = "import.users";

impl Import {
    /// Users without a password and without being administrators: both are for somebody to give who is here. What they had on
    /// single experiments and models comes as grants.
    pub(super) fn users(&mut self) -> Result<(), AppError> {
        for user in self.users.clone() {
            if self.stopped() {
                return Ok(());
            }
            if user.name > self.place.after {
                self.user(user)?;
            }
        }
        let place = self.place.next_phase();
        let given = !self.users.is_empty();
        self.write(place, move |tx| if given { Ok(tx.put_setting(USERS, "imported")?) } else { Ok(()) })
    }

    /// Users that are given when the import is past them would stay out without a word.
    pub(super) fn users_not_too_late(&self) -> Result<(), AppError> {
        let past = matches!(self.place.phase, Phase::Verification | Phase::Lifecycles | Phase::Done);
        if self.users.is_empty() || !past || self.has_users()? {
            return Ok(());
        }
        Err(AppError::Conflict(
            "this import is past the users, and none were given to it then; make them by hand, or import into a new data \
             directory and give the users from the first call on"
                .to_owned(),
        ))
    }

    /// Whether the users that were given are in.
    fn has_users(&self) -> Result<bool, AppError> {
        self.read(|tx| Ok(tx.setting(USERS)?.is_some()))
    }

    fn user(&mut self, user: SourceUser) -> Result<(), AppError> {
        let mut place = self.place.at(user.name.clone());
        let Some(name) = user_name(&user, &mut place) else { return self.write(place, |_| Ok(())) };
        let wanted = self.rights_of(&user, &mut place)?;
        let record = UserRecord {
            id: 0,
            name,
            password: None,
            admin: false,
            kind: sealyard_store::model::UserKind::Person,
            disabled: false,
            created: self.app.now(),
        };
        let made = self.event(Act::UserCreated { name: record.name.clone(), admin: false });
        let events: Vec<_> = wanted
            .iter()
            .map(|(pattern, level)| {
                let (resource, permission) = (pattern.to_string(), level.as_str().to_owned());
                self.event(Act::GrantSet { principal: record.name.clone(), resource, permission })
            })
            .collect();
        self.write(place, move |tx| {
            let known = tx.user(&record.name)?;
            let user = match known {
                Some(user) => user,
                None => {
                    tx.record(&made)?;
                    tx.create_user(&record)?
                }
            };
            let grantee = Grantee::Principal(principal_id(user.id)?);
            for ((pattern, level), event) in wanted.into_iter().zip(&events) {
                tx.set_grant(&Grant { grantee: grantee.clone(), pattern, right: level.right() })?;
                tx.record(event)?;
            }
            Ok(())
        })
    }

    /// What a user is to have on what is here.
    fn rights_of(
        &self,
        user: &SourceUser,
        place: &mut Place,
    ) -> Result<Vec<(sealyard_identity::ResourcePattern, PermissionLevel)>, AppError> {
        let mut wanted = Vec::new();
        for (id, level) in &user.experiments {
            let what = format!("users:/{}/experiments/{id}", user.name);
            let (Ok(experiment), Ok(level)) = (ExperimentId::new(id.as_str()), PermissionLevel::parse(level)) else {
                place.refuse(&what, "grant.bounds", "it names no experiment, or a permission that is not known");
                continue;
            };
            let asked = id.clone();
            if self.read(move |tx| Ok(tx.experiment(&asked)?))?.is_none() {
                place.refuse(&what, "grant.resource", "there is no such experiment");
                continue;
            }
            wanted.push((self.app.only(&experiment), level));
        }
        for (name, level) in &user.models {
            let what = format!("users:/{}/models/{name}", user.name);
            let (Ok(model), Ok(level)) = (ModelName::new(name.as_str()), PermissionLevel::parse(level)) else {
                place.refuse(&what, "grant.bounds", "it names no model, or a permission that is not known");
                continue;
            };
            let asked = name.clone();
            if self.read(move |tx| Ok(tx.registered_model(&asked)?))?.is_none() {
                place.refuse(&what, "grant.resource", "there is no such model");
                continue;
            }
            // Of a prompt too: theirs speaks of any name of the registry.
            wanted.push((self.app.only(&RegistryEntry::new(model, false)), level));
        }
        for (workspace, thing) in &user.elsewhere {
            let what = format!("users:/{}/workspaces/{workspace}/{thing}", user.name);
            place.refuse(&what, "grant.workspace", "it is in another workspace, which is not imported");
        }
        Ok(wanted)
    }

    /// What somebody has to do for the users that came.
    pub(super) fn to_do_for_users(&self) -> Result<Vec<String>, AppError> {
        let users = self.read(|tx| Ok(tx.users()?))?;
        let without = users.iter().filter(|user| user.password.is_none()).count();
        let mut to_do = Vec::new();
        if without > 0 {
            to_do.push(format!(
                "{without} users came without a password and can't log in: set one for each (`sealyard users`, or MLflow's API)"
            ));
        }
        let admins: Vec<&str> = self.users.iter().filter(|user| user.admin).map(|user| user.name.as_str()).collect();
        if !admins.is_empty() && self.has_users()? {
            let shown: Vec<String> = admins.iter().take(20).map(|name| format!("{name:?}")).collect();
            to_do.push(format!("{} were administrators and are not any more: {}", admins.len(), shown.join(", ")));
        }
        Ok(to_do)
    }
}

/// A name that a user can have here.
fn user_name(user: &SourceUser, place: &mut Place) -> Option<String> {
    let own = ["system", "anonymous", crate::LOCAL_ADMINISTRATOR];
    match PrincipalName::new(user.name.as_str()) {
        Ok(name) if !own.iter().any(|own| name.as_str().eq_ignore_ascii_case(own)) => Some(name.into()),
        _ => {
            place.refuse(&format!("users:/{}", user.name), "user.name", "it is a name that no user can have here");
            None
        }
    }
}
