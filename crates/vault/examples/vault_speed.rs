//! How fast the vault writes and reads, beside files that are only hashed: `cargo run --release --example vault_speed [MEBIBYTES]`.
//!
//! What is compared is what a server does with an upload, with and without encryption: take it in blocks as they come, hash, write,
//! sync; and give it out again. Each in turn, several times; the middle of the ratios counts.
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sealyard_core::{Hasher, SystemRng};
use sealyard_vault::{Keyring, Vault};

/// As they come from a connection.
const BLOCK: usize = 64 * 1024;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mebibytes: usize = env::args().nth(1).map_or(Ok(1024), |text| text.parse())?;
    let directory =
        tempfile::tempdir_in(env::var_os("VAULT_SPEED_DIR").unwrap_or_else(|| env::temp_dir().into_os_string()))?;
    let keyring = Keyring::generate(&SystemRng);
    let vault = Vault::open_or_create(&directory.path().join("vault"), keyring, Arc::new(SystemRng))?;
    let block: Vec<u8> = (0..BLOCK).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let blocks = mebibytes * (1 << 20) / BLOCK;
    let (mut writing, mut reading) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let plain = directory.path().join("plain");
        let plain_write = time(|| write_plain(&plain, &block, blocks))?;
        let plain_read = time(|| read_plain(&plain))?;
        std::fs::remove_file(&plain)?;
        let mut id = None;
        let sealed_write = time(|| {
            let mut pending = vault.begin()?;
            for _ in 0..blocks {
                pending.write_all(&block)?;
            }
            let sealed = pending.seal()?;
            vault.commit(&sealed)?;
            id = Some(sealed.id);
            Ok(())
        })?;
        let id = id.ok_or("nothing was stored")?;
        let sealed_read = time(|| {
            let mut to = Blocks::default();
            vault.open(&id)?.copy_to(&mut to)?;
            std::hint::black_box(to.0.finish());
            Ok(())
        })?;
        vault.delete(&id)?;
        let speed = |seconds: f64| mebibytes as f64 / seconds;
        println!(
            "round {round}: plain {:.0} and {:.0} MiB/s, encrypted {:.0} and {:.0} MiB/s (write and read)",
            speed(plain_write),
            speed(plain_read),
            speed(sealed_write),
            speed(sealed_read)
        );
        writing.push(plain_write / sealed_write);
        reading.push(plain_read / sealed_read);
    }
    println!("encrypted writes at {:.0}% of plain, reads at {:.0}%", 100.0 * middle(writing), 100.0 * middle(reading));
    Ok(())
}

fn time(act: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    act()?;
    Ok(start.elapsed().as_secs_f64())
}

fn write_plain(path: &Path, block: &[u8], blocks: usize) -> Result<(), Box<dyn Error>> {
    let mut file = File::create(path)?;
    let mut hasher = Hasher::default();
    for _ in 0..blocks {
        hasher.update(block);
        file.write_all(block)?;
    }
    std::hint::black_box(hasher.finish());
    file.sync_all()?;
    Ok(())
}

fn read_plain(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = File::open(path)?;
    let (mut to, mut buffer) = (Blocks::default(), vec![0; BLOCK]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            std::hint::black_box(to.0.finish());
            return Ok(());
        }
        to.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

/// Takes blocks as a connection does. A download is hashed, encrypted or not: it is compared with the catalog's digest.
#[derive(Default)]
struct Blocks(Hasher);

impl io::Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(std::hint::black_box(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
