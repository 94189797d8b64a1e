//! `huoyan backup`: a consistent copy of database, registers and pictures while the program runs.

use super::{Common, Outcome};
use crate::backup::{self, CopyStep};
use crate::base::time::county_time;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::progress::Progress;
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// 备份目录，最好在另一块磁盘上 / backup folder, best on another disk; default: [backup] folder
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// 首次使用：把目录设为备份目录（没有则新建） / before the first use: prepare the folder for
    /// backups, and create it if it is missing
    #[arg(long)]
    init: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    backup: &'a PathBuf,
    #[serde(flatten)]
    manifest: &'a backup::BackupManifest,
    new_pictures: u64,
    /// What the backup does not hold and needs a backup of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let (config, lang) = (&common.config, common.lang);
    let folder = args.folder.as_ref().or(config.backup.folder.as_ref()).ok_or_else(|| {
        let words = ("请写明备份目录：huoyan backup 目录", "name a folder: huoyan backup FOLDER");
        Error::invalid(lang.pick(words.0, words.1))
    })?;
    if args.init {
        backup::init(folder)?;
    }
    let office = crate::app::office(config);
    let runtime = super::runtime()?;
    let _inside = runtime.enter();
    let mut bar = Bar::new(common);
    let taken = backup::take(&office, folder, Clock::System.now(), |step| bar.tell(step))?;
    bar.finish();
    let manifest = &taken.set.manifest;
    let note = manifest.log.is_none().then(|| without_database(lang));
    if common.json {
        let answer =
            Answer { backup: &taken.set.path, manifest, new_pictures: taken.new_pictures, note };
        let json = serde_json::to_string(&answer)
            .map_err(|e| Error::internal("the result cannot be written as JSON").because(e))?;
        println!("{json}");
        return Ok(Outcome::Fine);
    }
    let (path, pictures, new) = (taken.set.path.display(), manifest.pictures, taken.new_pictures);
    let events = manifest.log.as_ref().map_or(0, |log| log.events);
    match lang {
        Lang::Zh => println!("{path}：事件{events}条，图片{pictures}幅（新增{new}幅）"),
        Lang::En => println!("{path}: {events} events, {pictures} pictures ({new} of them new)"),
    }
    if let Some(note) = note {
        println!("{note}");
    }
    Ok(Outcome::Fine)
}

/// PostgreSQL has its own tools, which back up the whole server.
pub(super) fn without_database(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => {
            "数据库在 PostgreSQL 上，不在此备份中：请另用 pg_dump --format=custom 备份，\
            并一同保存"
        }
        Lang::En => {
            "the database is on PostgreSQL and not in this backup: also back it up with pg_dump \
            --format=custom, and keep both"
        }
    }
}

/// County time, as in the names of the sets.
pub(super) fn local(at: jiff::Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Progress of a backup or a restoration.
pub(super) struct Bar {
    bar: Option<Progress>,
    lang: Lang,
    quiet: bool,
}

impl Bar {
    pub(super) fn new(common: &Common) -> Self {
        Self { bar: None, lang: common.lang, quiet: common.quiet }
    }

    pub(super) fn tell(&mut self, step: CopyStep) {
        let (what, total) = match step {
            CopyStep::File => {
                if let Some(bar) = &mut self.bar {
                    bar.advance(1, "");
                }
                return;
            }
            CopyStep::Database => (self.lang.pick("数据库", "database"), 0),
            CopyStep::Files { total } => (self.lang.pick("文件", "files"), total),
        };
        let next = Progress::new(what, total, self.quiet);
        if let Some(done) = self.bar.replace(next) {
            done.finish("");
        }
    }

    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish("");
        }
    }
}
