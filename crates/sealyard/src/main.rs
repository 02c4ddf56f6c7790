//! The `sealyard` command.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod database;
mod demo;
mod exit;
mod installed_ui;
mod keys;
mod master_key;
mod output;
mod prompt;
mod remote;
mod training;
mod verified;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // The sandbox starts this same binary again as the first process inside; nothing else may run before.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == sealyard_sandbox::INIT_ARGUMENT) {
        sealyard_sandbox::init_main();
    }
    // One crypto library for every TLS connection; a second call can only mean that it is set already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = cli::Cli::parse();
    output::start_logging(cli.usual_log());
    match cli.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::failure(&failure, cli_color());
            failure.exit.into()
        }
    }
}

/// Colours only on a terminal, and not where `NO_COLOR` asks for none.
fn cli_color() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none()
}
