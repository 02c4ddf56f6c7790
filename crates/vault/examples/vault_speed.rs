//! How fast the vault writes and reads, beside plain files: `cargo run --release --example vault_speed [MEBIBYTES]`.
//!
//! What is compared is what a server does with an upload, with and without encryption: take it in blocks as they come, hash, write,
//! sync; and give it out again, hashed once more. Both sides share the work between two threads in the same way: one hashes, the
//! other encrypts (or does not) and writes, or reads and decrypts. The clock says what one transfer on an idle machine loses, the
//! processor time what a busy one does. They take turns; the middle of the rounds' ratios counts.
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use sealyard_core::{Hasher, SystemRng};
use sealyard_vault::{Keyring, Vault};

/// As they come from a connection.
const BLOCK: usize = 256 * 1024;
const ROUNDS: usize = 7;

type Done<T> = Result<T, Box<dyn Error>>;

/// Seconds of the clock and of processors.
#[derive(Clone, Copy)]
struct Cost {
    clock: f64,
    processors: f64,
}

fn main() -> Done<()> {
    let mebibytes: usize = env::args().nth(1).map_or(Ok(1024), |text| text.parse())?;
    let directory =
        tempfile::tempdir_in(env::var_os("VAULT_SPEED_DIR").unwrap_or_else(|| env::temp_dir().into_os_string()))?;
    let keyring = Keyring::generate(&SystemRng);
    let vault = Vault::open_or_create(&directory.path().join("vault"), keyring, Arc::new(SystemRng))?;
    let block: Vec<u8> = (0..BLOCK).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let blocks = mebibytes * (1 << 20) / BLOCK;
    let (mut writing, mut reading) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (mut plain, mut sealed) = (None, None);
        // Who begins takes turns as well.
        for is_plain in if round % 2 == 0 { [true, false] } else { [false, true] } {
            if is_plain {
                plain = Some(plain_round(&directory.path().join("plain"), &block, blocks)?);
            } else {
                sealed = Some(sealed_round(&vault, &block, blocks)?);
            }
        }
        let (Some(plain), Some(sealed)) = (plain, sealed) else { return Err("a side was not measured".into()) };
        let say = |cost: Cost| format!("{:.0} MiB/s ({:.2} s)", mebibytes as f64 / cost.clock, cost.processors);
        println!(
            "{}plain {} and {}, encrypted {} and {}",
            if round == 0 { "not counted: ".to_owned() } else { format!("round {round}: ") },
            say(plain.0),
            say(plain.1),
            say(sealed.0),
            say(sealed.1)
        );
        if round > 0 {
            writing.push((plain.0, sealed.0));
            reading.push((plain.1, sealed.1));
        }
    }
    for (what, rounds) in [("writes", writing), ("reads", reading)] {
        println!(
            "encrypted {what} at {:.0}% of plain by the clock, for {:.2} times the processor time",
            100.0 * middle(rounds.iter().map(|(plain, sealed)| plain.clock / sealed.clock)),
            middle(rounds.iter().map(|(plain, sealed)| sealed.processors / plain.processors))
        );
    }
    Ok(())
}

fn sealed_round(vault: &Vault, block: &[u8], blocks: usize) -> Done<(Cost, Cost)> {
    let (id, write) = time(|| {
        let mut pending = vault.begin()?;
        for _ in 0..blocks {
            pending.write_all(block)?;
        }
        let sealed = pending.seal()?;
        vault.commit(&sealed)?;
        Ok(sealed.id)
    })?;
    let ((), read) = time(|| {
        std::hint::black_box(vault.open(&id)?.digest()?);
        Ok(())
    })?;
    vault.delete(&id)?;
    Ok((write, read))
}

fn plain_round(path: &Path, block: &[u8], blocks: usize) -> Done<(Cost, Cost)> {
    let ((), write) = time(|| write_plain(path, block, blocks))?;
    let ((), read) = time(|| read_plain(path))?;
    std::fs::remove_file(path)?;
    Ok((write, read))
}

fn write_plain(path: &Path, block: &[u8], blocks: usize) -> Done<()> {
    let mut file = File::create(path)?;
    let mut hasher = Hasher::default();
    let (to_write, full) = mpsc::sync_channel::<Vec<u8>>(1);
    let (back, empty) = mpsc::channel::<Vec<u8>>();
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for buffer in full {
                file.write_all(&buffer)?;
                let _ = back.send(buffer);
            }
            file.sync_all()
        });
        for _ in 0..blocks {
            let mut buffer = empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
            buffer.clear();
            buffer.extend_from_slice(block);
            hasher.update(&buffer);
            to_write.send(buffer)?;
        }
        drop(to_write);
        std::hint::black_box(hasher.finish());
        writer.join().map_err(|_| io::Error::other("the writer broke"))??;
        Ok(())
    })
}

fn read_plain(path: &Path) -> Done<()> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::default();
    let (ready, full) = mpsc::sync_channel::<Vec<u8>>(1);
    let (back, empty) = mpsc::channel::<Vec<u8>>();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            loop {
                let mut buffer = empty.try_recv().unwrap_or_else(|_| vec![0; BLOCK]);
                let count = file.read(&mut buffer)?;
                buffer.truncate(count);
                if count == 0 || ready.send(buffer).is_err() {
                    return Ok::<_, io::Error>(());
                }
            }
        });
        for buffer in full {
            hasher.update(&buffer);
            let _ = back.send(buffer);
        }
        std::hint::black_box(hasher.finish());
        reader.join().map_err(|_| io::Error::other("the reader broke"))??;
        Ok(())
    })
}

fn time<T>(act: impl FnOnce() -> Done<T>) -> Done<(T, Cost)> {
    let (start, before) = (Instant::now(), processors()?);
    let done = act()?;
    Ok((done, Cost { clock: start.elapsed().as_secs_f64(), processors: processors()? - before }))
}

/// Seconds that this process has had so far, in itself and in the system on its behalf.
fn processors() -> Done<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields = text.rsplit(')').next().unwrap_or_default();
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    // Linux shows a hundredth of a second to everybody, whatever the kernel counts in.
    Ok(ticks as f64 / 100.0)
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
