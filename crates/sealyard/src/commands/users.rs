use std::path::PathBuf;

use clap::Subcommand;
use reqwest::Method;
use sealyard_client::{Client, segment};
use sealyard_core::{Redacted, SystemRng};
use sealyard_identity::{PrincipalName, generate_password};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Makes, shows, changes and deletes users. Takes an administrator.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a user, who may do nothing until `sealyard grants set` says otherwise.
    #[command(after_help = "Examples:
  sealyard users create alice                          a random password, shown once
  sealyard users create bob --password-file bob.txt    the file must be readable by you alone")]
    Create {
        /// What they log in with.
        name: PrincipalName,
        /// They may do everything, also make users.
        #[arg(long)]
        admin: bool,
        /// It is a machine: it has no password, and you make its tokens with `sealyard tokens create --for NAME`.
        #[arg(long, conflicts_with_all = ["admin", "password_file"])]
        service: bool,
        /// The file with the password, mode 0600; `-` is standard input [default: a random one].
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// List all users.
    List,
    /// Show a user with its roles and what it was given by name. Anybody may show themselves.
    Show {
        /// Which.
        name: PrincipalName,
    },
    /// Disable a user: nobody can be it any more, its sessions and tokens end at once. What it was given stays.
    Disable {
        /// Which.
        name: PrincipalName,
    },
    /// Enable a user that was disabled.
    Enable {
        /// Which.
        name: PrincipalName,
    },
    /// Let a user in from everywhere again that too many wrong passwords locked.
    Unlock {
        /// Which.
        name: PrincipalName,
    },
    /// Take the second factor from a user who has lost it.
    ResetSecondFactor {
        /// Which.
        name: PrincipalName,
    },
    /// Delete a user with its tokens, sessions, roles and grants.
    Delete {
        /// Which.
        name: PrincipalName,
    },
    /// Give a user another password. Its sessions and tokens end.
    SetPassword {
        /// Which.
        name: PrincipalName,
        /// The file with the password, mode 0600; `-` is standard input [default: a random one, shown once].
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// The file with your present password: your own is changed with it.
        #[arg(long, value_name = "FILE")]
        current_password_file: Option<PathBuf>,
    },
    /// Make a user an administrator, or end that. The last one stays.
    MakeAdmin {
        /// Which.
        name: PrincipalName,
        /// Be none any more.
        #[arg(long)]
        revoke: bool,
    },
}

const ROOT: &str = "/api/sealyard/v1/users";

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        match self.command {
            Command::Create { name, service: true, .. } => {
                let client = remote::connect(common)?;
                let body = json!({"name": name.as_str(), "service": true});
                let _: Value =
                    remote::block_on(async { client.call(Method::POST, ROOT, &body).await.map_err(remote::failure) })?;
                let hint = format!(
                    "made the machine's account {name}; `sealyard tokens create --for {name}` makes its tokens"
                );
                told(common, json, &json!({"name": name.as_str(), "kind": "service"}), &hint)?;
            }
            Command::Create { name, admin, password_file, .. } => create(common, json, &name, admin, password_file)?,
            Command::Disable { name } => set_disabled(common, json, &name, true)?,
            Command::Unlock { name } => {
                end(common, &name, "lock")?;
                told(common, json, &json!({"name": name.as_str(), "locked": false}), &format!("{name} is unlocked"))?;
            }
            Command::ResetSecondFactor { name } => {
                end(common, &name, "second-factor")?;
                let value = json!({"name": name.as_str(), "second_factor": false});
                told(common, json, &value, &format!("{name} has no second factor any more"))?;
            }
            Command::Enable { name } => set_disabled(common, json, &name, false)?,
            Command::List => {
                let client = remote::connect(common)?;
                let answer: Value = remote::block_on(async { client.get(ROOT).await.map_err(remote::failure) })?;
                let users = answer.get("users").and_then(Value::as_array).cloned().unwrap_or_default();
                if json {
                    output::json(&users)?;
                } else {
                    output::data(&users.iter().map(line).collect::<String>())?;
                }
            }
            Command::Show { name } => {
                let client = remote::connect(common)?;
                let user: Value = remote::block_on(async { client.get(&one(&name)).await.map_err(remote::failure) })?;
                if json {
                    output::json(&user)?;
                } else {
                    output::data(&details(&user))?;
                }
            }
            Command::Delete { name } => {
                let client = remote::connect(common)?;
                send(&client, Method::DELETE, &name, &json!({}))?;
                told(
                    common,
                    json,
                    &json!({"name": name.as_str(), "deleted": true}),
                    &format!("deleted the user {name}"),
                )?;
            }
            Command::SetPassword { name, password_file, current_password_file } => {
                let (password, made) = password(password_file)?;
                let current = current_password_file.map(|path| remote::read_secret(&path, "present password"));
                let current = current.transpose()?;
                let client = remote::connect(common)?;
                let mut body = json!({"password": password.expose()});
                if let (Some(current), Some(body)) = (&current, body.as_object_mut()) {
                    body.insert("current_password".to_owned(), current.expose().clone().into());
                }
                send(&client, Method::PATCH, &name, &body)?;
                let shown = made.then(|| password.expose().as_str());
                if json {
                    output::json(&json!({"name": name.as_str(), "password": shown}))?;
                } else {
                    output::say(common.quiet, &format!("{name} has another password; sessions and tokens have ended"));
                    show_once(common, shown)?;
                }
            }
            Command::MakeAdmin { name, revoke } => {
                let client = remote::connect(common)?;
                send(&client, Method::PATCH, &name, &json!({"admin": !revoke}))?;
                let what = if revoke { "is no administrator any more" } else { "is an administrator" };
                told(common, json, &json!({"name": name.as_str(), "admin": !revoke}), &format!("{name} {what}"))?;
            }
        }
        Ok(Exit::Fine)
    }
}

fn create(common: &Common, json: bool, name: &PrincipalName, admin: bool, file: Option<PathBuf>) -> Result<()> {
    let (password, made) = password(file)?;
    let client = remote::connect(common)?;
    remote::block_on(async { client.create_user(name.as_str(), &password, admin).await.map_err(remote::failure) })?;
    let shown = made.then(|| password.expose().as_str());
    if json {
        return output::json(&json!({"name": name.as_str(), "admin": admin, "password": shown}));
    }
    let what = if admin { "administrator" } else { "user" };
    output::say(common.quiet, &format!("made the {what} {name}"));
    show_once(common, shown)
}

fn end(common: &Common, name: &PrincipalName, what: &str) -> Result<()> {
    let client = remote::connect(common)?;
    let request = client.request(Method::DELETE, &format!("{}/{what}", one(name)));
    let _: Value = remote::block_on(async { client.ask(request).await.map_err(remote::failure) })?;
    Ok(())
}

fn set_disabled(common: &Common, json: bool, name: &PrincipalName, disabled: bool) -> Result<()> {
    let client = remote::connect(common)?;
    send(&client, Method::PATCH, name, &json!({"disabled": disabled}))?;
    let what = if disabled { "is disabled; its sessions and tokens have ended" } else { "is enabled" };
    told(common, json, &json!({"name": name.as_str(), "disabled": disabled}), &format!("{name} {what}"))
}

/// The password from a file, or a random one and that it is one.
fn password(file: Option<PathBuf>) -> Result<(Redacted<String>, bool)> {
    match file {
        Some(path) => Ok((remote::read_secret(&path, "password")?, false)),
        None => Ok((generate_password(&SystemRng), true)),
    }
}

fn show_once(common: &Common, password: Option<&str>) -> Result<()> {
    let Some(password) = password else { return Ok(()) };
    output::say(common.quiet, "the password is shown only now:");
    output::data(&format!("{password}\n"))
}

fn one(name: &PrincipalName) -> String {
    format!("{ROOT}/{}", segment(name.as_str()))
}

fn send(client: &Client, method: Method, name: &PrincipalName, body: &Value) -> Result<()> {
    let _: Value = remote::block_on(async { client.call(method, &one(name), body).await.map_err(remote::failure) })?;
    Ok(())
}

fn told(common: &Common, json: bool, value: &Value, text: &str) -> Result<()> {
    if json {
        return output::json(value);
    }
    output::say(common.quiet, text);
    Ok(())
}

fn line(user: &Value) -> String {
    let is = |name: &str| user.get(name) == Some(&Value::Bool(true));
    let mut notes = Vec::new();
    if is("admin") {
        notes.push("administrator");
    }
    if is("disabled") {
        notes.push("disabled");
    }
    if user.get("kind").and_then(Value::as_str) == Some("service") {
        notes.push("a machine");
    } else if !is("password") {
        notes.push("without a password");
    }
    format!("{}  {}\n", text(user, "name"), notes.join(", "))
}

fn details(user: &Value) -> String {
    let mut shown = line(user);
    let list = |name: &str| user.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |name: &str| user.get(name).and_then(Value::as_u64).unwrap_or_default();
    for group in list("groups") {
        shown.push_str(&format!("  is in the group {}\n", remote::plain(group.as_str().unwrap_or_default())));
    }
    for role in list("roles") {
        shown.push_str(&format!("  has the role {}\n", remote::plain(role.as_str().unwrap_or_default())));
    }
    for grant in list("grants") {
        shown.push_str(&format!("  has {}\n", super::grants::right(&grant)));
    }
    if user.get("second_factor") == Some(&Value::Bool(true)) {
        shown.push_str("  has a second factor\n");
    }
    if user.get("locked_until").is_some_and(|until| !until.is_null()) {
        shown.push_str("  is locked for strangers: too many wrong passwords\n");
    }
    shown.push_str(&format!("  {} tokens, {} sessions\n", number("tokens"), number("sessions")));
    shown
}

fn text(value: &Value, name: &str) -> String {
    remote::plain(value.get(name).and_then(Value::as_str).unwrap_or_default())
}
