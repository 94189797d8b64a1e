//! How much room the data folder's disk has.

use std::path::Path;

/// Below this evidence pictures and the database soon have no room: about a month of a busy county's pictures, MiB.
pub const FREE_MIB_MIN: u64 = 2048;

/// For everybody but root, MiB. `None` when the folder cannot be asked.
pub fn free_mib(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_tells_its_room_and_a_folder_that_is_not_there_tells_nothing() {
        let here = free_mib(Path::new(".")).expect("a disk");
        assert!((1..1 << 40).contains(&here), "{here}");
        assert_eq!(free_mib(Path::new("/nowhere/at/all")), None);
    }
}
