//! The sandbox for real: every wall is run into. Without a harness, because a launcher must be able to start itself again as
//! the sandbox's init.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::exit,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod cases;
mod lasting;

use std::panic::catch_unwind;

fn main() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == sealyard_sandbox::INIT_ARGUMENT) {
        sealyard_sandbox::init_main();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in cases::ALL {
            println!("{name}: test");
        }
        return;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let ignored = arguments.iter().any(|argument| argument == "--ignored");
    let mut failed = Vec::new();
    for (name, case) in cases::ALL {
        let is_wanted = |wanted: &&String| if exact { *wanted == name } else { name.contains(wanted.as_str()) };
        if ignored || !(wanted.is_empty() || wanted.iter().any(is_wanted)) {
            continue;
        }
        let ok = catch_unwind(case).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if !ok {
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        println!("failed: {failed:?}");
        std::process::exit(101);
    }
}
