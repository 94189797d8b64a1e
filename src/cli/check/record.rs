//! Does the record prove what it says? The same check as in the running program, plus the heads of
//! the log that somebody has on paper.

use super::{Common, Finding};
use crate::clock::Clock;
use crate::error::Result;
use crate::lang::Lang;
use crate::progress::Progress;
use crate::store::{self, Anchor, Inspected, Inspection, Record, Store};

pub(super) fn record(common: &Common, paper: &[Anchor]) -> Vec<Finding> {
    const PART: &str = "record";
    let (config, lang) = (&common.config, common.lang);
    let url = store::url(config);
    if url == "sqlite" && !config.store.data.exists() {
        let words = lang
            .pick("尚未建立，首次启动时建立", "it does not exist yet; the first start creates it");
        return vec![Finding::works(PART, words)];
    }
    let looked: Result<Record> = super::super::runtime().and_then(|runtime| {
        runtime.block_on(async {
            let store = Store::of(config).await?;
            let stage = |zh, en, total| Progress::new(lang.pick(zh, en), total, common.quiet);
            let look = Inspection {
                now: Clock::System.now(),
                mend: false,
                paper,
                retention: &config.retention,
            };
            let mut looking = store.look(&look).await?;
            let mut progress =
                stage("[1/2] 核对记录", "[1/2] record", 2 * looking.record().head.events);
            let mut pictures = None;
            while let Some(step) = looking.step().await? {
                match step {
                    Inspected::Events(events) => progress.advance(events, ""),
                    Inspected::Picture => {
                        let total = 1 + looking.record().pictures_left();
                        let progress = pictures.get_or_insert_with(|| {
                            stage("[2/2] 核对图片", "[2/2] pictures", total)
                        });
                        progress.advance(1, "");
                    }
                }
            }
            progress.finish("");
            pictures.into_iter().for_each(|it: Progress| it.finish(""));
            Ok(looking.record().clone())
        })
    });
    let record = match looked {
        Ok(record) => record,
        Err(error) => {
            let cure = lang.pick(
                "检查 [store] url 和 HUOYAN_STORE_URL",
                "check [store] url and HUOYAN_STORE_URL",
            );
            return vec![Finding::broken("database", error.chain(), cure)];
        }
    };
    let cure = lang.pick(
        "保留现场，先备份现状，再从备份恢复到新目录并核对",
        "change nothing; back it up as it is, then restore an earlier backup into a new folder and \
        compare",
    );
    let mut findings: Vec<Finding> =
        record.faults(lang).into_iter().map(|words| Finding::broken(PART, words, cure)).collect();
    if findings.is_empty() {
        findings.push(Finding::works(PART, record.proof(lang)));
    }
    findings.extend(record.missing(lang).map(|words| {
        let cure = lang
            .pick("从备份的 pictures/ 目录补回", "restore them from the backup's folder pictures/");
        Finding::broken("pictures", words, cure)
    }));
    let kept = paper
        .iter()
        .filter(|it| !record.rewritten.first.contains(it) && !record.cut.first.contains(it));
    // A shortened list does not show which anchors agree.
    let is_listed = record.rewritten.is_whole() && record.cut.is_whole();
    findings.extend(kept.filter(|_| is_listed && record.absent.is_none()).map(|it| {
        Finding::works(
            PART,
            match lang {
                Lang::Zh => format!("第{}条与所给凭据相符：{it}", it.seq),
                Lang::En => format!("row {} is the one on the paper: {it}", it.seq),
            },
        )
    }));
    findings
}
