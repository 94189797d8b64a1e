//! 备份与恢复: a consistent copy of the office's data while the program runs, and its restoration
//! into an empty folder.
//!
//! ```text
//! FOLDER/huoyan-20261129-200105/   a set: huoyan.db, registers/, huoyan.toml, manifest.json
//! FOLDER/huoyan-….part/            a set that was interrupted: never restored, removed by the next backup
//! FOLDER/lock                      its mark: a folder without it gets no backup
//! FOLDER/pictures/                 evidence of all sets; a picture never changes, so it is copied once
//! ```
//!
//! All functions block: call them on a thread that may block, inside a tokio runtime.

mod files;
mod manifest;
mod restore;
mod take;

pub use manifest::{BackupManifest, Set, newest, sets};
pub use restore::{Restored, restore};
pub use take::{BackupSource, Taken, drop_old, init, is_ready, take};

/// Progress, for a progress bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyStep {
    /// The database is being copied; the time it takes is unknown.
    Database,
    /// Number of files to copy.
    Files { total: u64 },
    /// One more file is done.
    File,
}

/// Names in a set and in the data folder.
const MANIFEST: &str = "manifest.json";
const REGISTERS: &str = "registers";
/// Views of turning cameras, and their names.
const VIEWS: &str = "views";
const PICTURES: &str = "pictures";
const CONFIG: &str = "huoyan.toml";
