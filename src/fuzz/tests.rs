//! The bounded share of fuzzing that every test run has: the seeds, each cut short and changed at
//! places that are the same every time. What `make fuzz` finds becomes a seed.

use super::*;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Of each seed.
const CUTS: usize = 24;
const CHANGES: usize = 120;

/// What readers look for.
const TOKENS: [&[u8]; 16] = [
    b"\"",
    b"\n",
    b",",
    b"<a>",
    b"</",
    b"{",
    b"]",
    b"\xff\xd8",
    b"-",
    b"999999999999999999999",
    b"1e308",
    "火".as_bytes(),
    b"\xef\xbb\xbf",
    b"\0",
    b"%FF",
    b"24:00",
];

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = files.map(|it| it.expect("a file").path()).collect();
    files.sort();
    let read =
        |path: std::path::PathBuf| (path.display().to_string(), fs::read(path).expect("read"));
    files.into_iter().map(read).collect()
}

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }

    fn changed(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(3) {
            let (from, token) = (self.below(bytes.len()), TOKENS[self.below(TOKENS.len())]);
            let end = (from + self.below(12)).min(bytes.len());
            match self.below(4) {
                0 => bytes[from..end].iter_mut().for_each(|byte| *byte ^= 1 << (from % 8)),
                1 => drop(bytes.splice(from..end, token.iter().copied())),
                2 => drop(bytes.drain(from..end)),
                _ => {
                    let twice = bytes[from..end].to_vec();
                    drop(bytes.splice(from..from, twice));
                }
            }
        }
        bytes
    }
}

#[test]
fn no_reader_dies_of_a_seed_or_of_what_becomes_of_it() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() > 1, "{name} has seeds");
        for (file, seed) in &seeds {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
            let step = seed.len() / CUTS + 1;
            let cuts = (0..=seed.len()).step_by(step).map(|end| seed[..end].to_vec());
            let changed = (0..CHANGES).map(|_| dice.changed(seed));
            for bytes in std::iter::once(seed.clone()).chain(cuts).chain(changed) {
                let died = catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_err();
                assert!(!died, "{name} dies of {file} as {:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}

/// The crate of `make fuzz` has a program for each target, and no other.
#[test]
fn every_target_has_its_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("the manifest");
    let programs = fs::read_dir(folder.join("fuzz_targets")).expect("a folder").count();
    assert_eq!(programs, TARGETS.len());
    for (name, _) in TARGETS {
        let text = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs")));
        assert!(text.is_ok_and(|it| it.contains(&format!("huoyan::fuzz::{name}"))), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
