//! How much space there is, and what uses it.

use super::{Common, Finding};
use crate::app::disk;
use crate::config::DiskConfig;
use crate::lang::Lang;
use crate::store::{ANALYSES, SQLITE_FILE};
use std::collections::BTreeMap;

/// Length of the longest bar, cells.
const BAR: u64 = 20;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Database,
    Pictures,
    Analyses,
    Hotspots,
    Registers,
    Other,
}

impl Kind {
    fn of(name: &str, hotspots: &str) -> Self {
        match name {
            "pictures" => Self::Pictures,
            ANALYSES => Self::Analyses,
            "registers" => Self::Registers,
            name if name == hotspots => Self::Hotspots,
            name if name.starts_with(SQLITE_FILE) => Self::Database,
            _ => Self::Other,
        }
    }

    fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Database => lang.pick("数据库", "database"),
            Self::Pictures => lang.pick("证据图片", "evidence pictures"),
            Self::Analyses => lang.pick("分析记录", "analyses"),
            Self::Hotspots => lang.pick("热点文件", "hotspot lists"),
            Self::Registers => lang.pick("登记册", "registers"),
            Self::Other => lang.pick("其他", "other"),
        }
    }
}

/// Free space on the disk, compared with its two limits.
pub(super) fn space(free: u64, limits: &DiskConfig, lang: Lang) -> Finding {
    const PART: &str = "disk";
    let gib = disk::gib(free);
    let words = match lang {
        Lang::Zh => format!("剩余空间 {gib:.1} GiB（低于 {:.1} 停止分析记录）", limits.reserve_gib),
        Lang::En => format!(
            "{gib:.1} GiB free (below {:.1} GiB no analyses are stored)",
            limits.reserve_gib
        ),
    };
    let cure = lang.pick("清理磁盘或换到更大的磁盘", "free some space or move to a larger disk");
    let mut finding = match gib {
        gib if gib < limits.reserve_gib => Finding::broken(PART, words, cure),
        gib if gib < limits.warn_gib => Finding::limited(PART, words, cure),
        _ => Finding::works(PART, words),
    };
    finding.bytes = Some(free);
    finding
}

/// One line for each kind of data present, with its bytes for programs.
pub(super) fn usage(common: &Common) -> Vec<Finding> {
    let config = &common.config;
    let hotspots = config.satellite.folder.to_string_lossy();
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    for entry in std::fs::read_dir(&config.store.data).into_iter().flatten().flatten() {
        *kinds.entry(Kind::of(&entry.file_name().to_string_lossy(), &hotspots)).or_default() +=
            disk::size(&entry.path());
    }
    let most = kinds.values().copied().max().unwrap_or_default().max(1);
    let line = |(kind, bytes): (Kind, u64)| {
        let bar = "█".repeat((bytes * BAR).div_ceil(most) as usize);
        let words = format!("{} {:.2} GiB {bar}", kind.word(common.lang), disk::gib(bytes));
        Finding { bytes: Some(bytes), ..Finding::works("use", words) }
    };
    kinds.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use std::fs;

    #[test]
    fn free_room_is_judged_by_the_warning_and_the_reserve() {
        let limits = DiskConfig::default();
        let states = [1 << 30, 3 << 30, 11 << 30].map(|free| space(free, &limits, Lang::En).state);
        assert_eq!(states, [State::Broken, State::Limited, State::Works]);
    }

    #[test]
    fn each_kind_has_its_bytes_and_a_bar() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("hotspots/read")).expect("a folder");
        fs::write(dir.path().join("huoyan.db"), [0; 4_000]).expect("a file");
        fs::write(dir.path().join("huoyan.db-wal"), [0; 1_000]).expect("a file");
        fs::write(dir.path().join("hotspots/read/a.csv"), [0; 500]).expect("a file");
        let mut config = crate::config::Config::default();
        config.store.data = dir.path().to_owned();
        let common = Common { config, device: None, lang: Lang::Zh, json: false, quiet: true };
        let lines: Vec<_> = usage(&common).into_iter().map(|it| (it.bytes, it.words)).collect();
        assert_eq!(
            lines,
            [
                (Some(5_000), format!("数据库 0.00 GiB {}", "█".repeat(20))),
                (Some(500), "热点文件 0.00 GiB ██".to_owned())
            ]
        );
    }
}
