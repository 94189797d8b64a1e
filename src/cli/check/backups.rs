//! When was the last backup made?

use super::super::backup::{local, without_database};
use super::{Common, Finding};
use crate::app::backups::is_old;
use crate::backup;
use crate::clock::Clock;
use crate::lang::Lang;

pub(super) fn backups(common: &Common) -> Vec<Finding> {
    const PART: &str = "backup";
    let (config, lang) = (&common.config, common.lang);
    let Some(folder) = &config.backup.folder else {
        return vec![Finding::limited(
            PART,
            lang.pick("没有自动备份", "there is no automatic backup"),
            lang.pick(
                "[backup] folder，或定期执行 huoyan backup",
                "set [backup] folder, or run huoyan backup regularly",
            ),
        )];
    };
    if !backup::is_ready(folder) {
        let shown = folder.display();
        return vec![Finding::broken(
            PART,
            match lang {
                Lang::Zh => format!("{shown} 不是备份目录：磁盘没有挂上，或从未用过"),
                Lang::En => {
                    format!(
                        "{shown} is not a backup folder: its disk is not mounted, or it has \
                        never been used"
                    )
                }
            },
            lang.pick(
                "挂上备份磁盘；首次使用执行 huoyan backup --init",
                "mount the backup's disk; before its first use run huoyan backup --init",
            ),
        )];
    }
    let cure = lang.pick(
        "检查备份磁盘，执行 huoyan backup 看原因",
        "check the backup's disk; huoyan backup shows the cause",
    );
    let mut findings = vec![match backup::newest(folder) {
        Err(error) => Finding::broken(PART, error.chain(), cure),
        Ok(None) => Finding::limited(
            PART,
            match lang {
                Lang::Zh => format!("{} 中还没有备份", folder.display()),
                Lang::En => format!("there is no backup in {} yet", folder.display()),
            },
            lang.pick(
                "启动后自动备份；或执行 huoyan backup",
                "the running program makes one; or run huoyan backup",
            ),
        ),
        Ok(Some(set)) => {
            let (at, path) = (local(set.manifest.made_at), set.path.display());
            let words = match lang {
                Lang::Zh => format!("最近一次备份：{at}（{path}）"),
                Lang::En => format!("the last backup was made {at} ({path})"),
            };
            if is_old(set.manifest.made_at, config.backup.every, Clock::System.now()) {
                Finding::broken(PART, words, cure)
            } else {
                Finding::works(PART, words)
            }
        }
    }];
    if !crate::app::office(config).has_sqlite {
        findings.push(Finding::limited(PART, without_database(lang), "pg_dump --format=custom"));
    }
    findings
}
