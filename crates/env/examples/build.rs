//! Builds the environment of a lock: `build LOCK CACHE`.
use sealyard_env::{BuildRequest, Interpreter, Lock, build};
use std::path::Path;
#[allow(clippy::print_stdout, reason = "an example talks to people")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (lock, cache) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let lock = Lock::read(Path::new(&lock))?;
    let interpreter = Interpreter::find(None)?;
    let request = BuildRequest { lock: &lock, interpreter: &interpreter, cache: Path::new(&cache), prefix: "/env" };
    let mut last = None;
    let environment = build(&request, &mut |progress| {
        let kind = std::mem::discriminant(&progress);
        if last != Some(kind) {
            println!("{progress:?}");
            last = Some(kind);
        }
    })?;
    println!(
        "{} wheels in {} (reused: {}) {}",
        environment.wheels.len(),
        environment.root.display(),
        environment.reused,
        environment.manifest_digest
    );
    Ok(())
}
