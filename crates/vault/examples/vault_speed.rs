//! How fast objects are written (hash, encrypt, sync) and read: `cargo run --release -p sealyard-vault --example vault_speed`.
#![allow(clippy::print_stdout, reason = "a benchmark reports on stdout")]

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Instant;

use sealyard_core::SystemRng;
use sealyard_vault::{Keyring, Vault};

const MEBIBYTES: u32 = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let keyring = Keyring::open_or_create(&directory.path().join("keys"), &SystemRng)?;
    let vault = Vault::open_or_create(&directory.path().join("vault"), keyring, Arc::new(SystemRng))?;
    let block = vec![0x5a; 1 << 20];

    let start = Instant::now();
    let mut pending = vault.begin()?;
    for _ in 0..MEBIBYTES {
        pending.write_all(&block)?;
    }
    println!("hashed and encrypted at {:.0} MiB/s", f64::from(MEBIBYTES) / start.elapsed().as_secs_f64());
    let sealed = pending.seal()?;
    println!("on the disk at {:.0} MiB/s", f64::from(MEBIBYTES) / start.elapsed().as_secs_f64());

    let start = Instant::now();
    vault.open_sealed(&sealed)?.copy_to(&mut io::sink())?;
    println!("read and authenticated at {:.0} MiB/s", f64::from(MEBIBYTES) / start.elapsed().as_secs_f64());
    Ok(())
}
