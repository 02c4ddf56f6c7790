use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::exit::Result;

/// Sealyard turns a machine-learning pipeline into a chain of gates.
///
/// Data is pinned, training is isolated, models are scanned, signed and attested, deployments are admitted, and the
/// model server loads nothing that was not verified. `sealyard demo` shows all of it in a minute.
///
/// Exit codes: 0 all is well; 1 the answer is no (findings, denied, not verified); 2 the job could not be done.
#[derive(Debug, Parser)]
#[command(name = "sealyard", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Say nothing but results and errors.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// The server to talk to [default: the one `sealyard login` remembers].
    #[arg(long, global = true, env = "SEALYARD_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A file that holds a token, mode 0600.
    #[arg(long, global = true, env = "SEALYARD_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The certificate of the server to trust, as PEM [default: the system's store].
    #[arg(long, global = true, env = "SEALYARD_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// How to print the result.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object.
    Json,
    /// For code scanning services (`scan` only): SARIF 2.1.0.
    Sarif,
    /// For build servers (`scan` only): JUnit XML.
    Junit,
    /// What the files hold, as a bill of materials (`scan` only): CycloneDX 1.6 JSON.
    Cyclonedx,
}

macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident => $module:ident,)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$doc])* $variant(commands::$module::Arguments),)*
        }

        impl Cli {
            /// What the libraries may say where `SEALYARD_LOG` asks for nothing else.
            pub(crate) fn usual_log(&self) -> &'static str {
                match self.command {
                    // The attacks are meant to cause errors; each is in the table.
                    Command::Demo(_) => "off",
                    _ if self.common.quiet => "error",
                    _ => "warn",
                }
            }

            pub(crate) fn run(self) -> Result {
                match self.command {
                    $(Command::$variant(arguments) => arguments.run(&self.common),)*
                }
            }
        }
    };
}

commands! {
    /// Run the whole pipeline on a bundled project, then the attacks.
    Demo => demo,
    /// Start the server.
    Up => up,
    /// Import an MLflow store with its artifacts.
    Migrate => migrate,
    /// Train an MLproject in its verified environment inside the sandbox.
    Run => run,
    /// Look for what would harm whoever loads it.
    Scan => scan,
    /// Sign a model in OMS format.
    Sign => sign,
    /// Verify a signed model.
    Verify => verify,
    /// Make and list signing keys.
    Keys => keys,
    /// Ask the publish gate to let a model version out.
    Publish => publish,
    /// Ask the deployment gate.
    Deploy => deploy,
    /// Point an alias, such as champion, at a model version.
    Promote => promote,
    /// Ask a gate without changing anything.
    Gate => gate,
    /// Serve a model that passes the load gate.
    Serve => serve,
    /// Remove stored bytes that nothing refers to.
    Gc => gc,
    /// Back everything up.
    Backup => backup,
    /// Restore a backup, or look at one.
    Restore => restore,
    /// Show and change the keys that everything stored is encrypted under.
    Vault => vault,
    /// Verify the ledger.
    Ledger => ledger,
    /// Grade a running deployment: what is well, what is not, and what to do.
    Doctor => doctor,
    /// Remember a server and a token.
    Login => login,
    /// Forget the server and its token.
    Logout => logout,
    /// Show who the server thinks you are.
    Whoami => whoami,
    /// Make, list and revoke tokens.
    Tokens => tokens,
    /// Set up a second factor of your own account.
    SecondFactor => second_factor,
    /// List the browsers you are logged in with, and log out.
    Sessions => sessions,
    /// Make, show, change and delete users.
    Users => users,
    /// Make roles, say what they give and who has them.
    Roles => roles,
    /// Make groups, and say who is in them.
    Groups => groups,
    /// Give, list and take rights.
    Grants => grants,
    /// Explain why somebody may do something, or may not.
    Auth => auth,
}
