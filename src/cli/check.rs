//! `huoyan check`: 什么行、什么不行、怎么办. Looks, changes nothing, and names the cure. Also
//! checks recorded pictures.

mod backups;
mod bus;
mod capacity;
mod clock;
mod ground;
mod model;
mod pictures;
mod record;
mod sending;
mod serving;
mod usage;

use super::{Common, Outcome};
use crate::app::disk;
use crate::camera;
use crate::clock::Clock;
use crate::config::{Config, Listed};
use crate::county::Registers;
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::store::Anchor;
use jiff::SignedDuration;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is only odd is listed up to this number: nobody reads a thousand lines.
const ODDITIES_SHOWN: usize = 50;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Recorded video files or folders of pictures, each of one camera: reports that camera's
    /// health. Without any, checks the installation
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// Interval at which a video is sampled, and between the pictures of a folder whose names hold
    /// no time
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    pub every: SignedDuration,
    /// Prove the record against a head of the log from an old report or text, "1234
    /// 3f9a0c21d7e4b850"; may be repeated
    #[arg(long, value_name = "SEQ HASH", value_parser = str::parse::<Anchor>)]
    pub anchor: Vec<Anchor>,
}

/// One thing that works or does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Finding {
    pub part: &'static str,
    pub state: State,
    pub words: String,
    /// What to do, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
    /// Bytes on the disk, if the line is about space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Works,
    /// It works without this, but somebody should know.
    Limited,
    Broken,
}

impl Finding {
    fn works(part: &'static str, words: impl Into<String>) -> Self {
        Self { part, state: State::Works, words: words.into(), cure: None, bytes: None }
    }

    fn limited(part: &'static str, words: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            part,
            state: State::Limited,
            words: words.into(),
            cure: Some(cure.into()),
            bytes: None,
        }
    }

    fn broken(part: &'static str, words: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            part,
            state: State::Broken,
            words: words.into(),
            cure: Some(cure.into()),
            bytes: None,
        }
    }
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    if !args.sources.is_empty() {
        return pictures::run(&args, common, &mut std::io::stdout().lock());
    }
    let before: [fn(&Common) -> Vec<Finding>; 8] = [
        configuration,
        serving::serving,
        bus::bus,
        folder,
        usage::usage,
        clock::clock,
        registers,
        sending::sending,
    ];
    let after: [fn(&Common) -> Vec<Finding>; 3] = [backups::backups, video, model::model];
    let mut findings: Vec<Finding> = before.iter().flat_map(|check| check(common)).collect();
    findings.extend(record::record(common, &args.anchor));
    findings.extend(after.iter().flat_map(|check| check(common)));
    if common.json {
        let json = serde_json::to_string(&findings)
            .map_err(|e| Error::internal("the findings cannot be written as JSON").because(e))?;
        println!("{json}");
    } else {
        print!("{}", table(&findings, common.lang));
    }
    let broken = findings.iter().any(|finding| finding.state == State::Broken);
    Ok(if broken { Outcome::Findings } else { Outcome::Fine })
}

fn table(findings: &[Finding], lang: Lang) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.state {
            State::Works => lang.pick("[ 行 ]", "[ ok ]"),
            State::Limited => lang.pick("[注意]", "[note]"),
            State::Broken => lang.pick("[不行]", "[FAIL]"),
        };
        text.push_str(&format!("{mark} {}: {}\n", finding.part, finding.words));
        if let Some(cure) = &finding.cure {
            text.push_str(&format!("       {} {cure}\n", lang.pick("怎么办：", "what to do:")));
        }
    }
    text
}

/// An unreadable configuration never gets here. This line shows its limits.
fn configuration(common: &Common) -> Vec<Finding> {
    const PART: &str = "config";
    let (config, lang) = (&common.config, common.lang);
    let mut findings =
        vec![Finding::works(PART, lang.pick("配置有效", "the configuration is valid"))];
    if config.is_centre() {
        findings.extend(counties(config, lang));
        return findings;
    }
    let mut note = |zh: (&str, &str), en: (&str, &str)| {
        findings.push(Finding::limited(PART, lang.pick(zh.0, en.0), lang.pick(zh.1, en.1)));
    };
    if config.notify.sms_url.is_none() {
        note(
            ("没有短信网关，派单和升级要值班员打电话", "[notify] sms_url 和 HUOYAN_SMS_KEY"),
            (
                "no SMS gateway: the officer has to phone for each dispatch",
                "[notify] sms_url and HUOYAN_SMS_KEY",
            ),
        );
    }
    if config.notify.voice_url.is_none() {
        note(
            ("没有语音外呼，无人叫醒护林员", "[notify] voice_url 和 HUOYAN_VOICE_KEY"),
            ("no voice gateway: nothing wakes a ranger", "[notify] voice_url and HUOYAN_VOICE_KEY"),
        );
    }
    let has_gateway = config.notify.sms_url.is_some() || config.notify.voice_url.is_some();
    findings.extend(replies(has_gateway, crate::app::inbound_key(config), lang));
    findings
}

/// Each county of a centre has its file; the rest of it is looked at with `--county`.
fn counties(config: &Config, lang: Lang) -> Vec<Finding> {
    const PART: &str = "counties";
    let listed = match config.counties() {
        Ok(listed) => listed,
        Err(error) => {
            let cure = lang
                .pick("建立该目录，每县一个 <code>.toml", "make it, with one <code>.toml a county");
            return vec![Finding::broken(PART, error.chain_in(lang), cure)];
        }
    };
    let finding = |Listed { code, config }| match config {
        Ok(county) => {
            let more = format!("huoyan --county {code} check");
            Finding::works(PART, format!("{code}: {}  ({more})", county.public_url()))
        }
        Err(error) => Finding::broken(
            PART,
            format!("{code}: {}", error.chain_in(lang)),
            lang.pick(
                "更正该文件；其他县照常服务",
                "correct that file; the other counties are served",
            ),
        ),
    };
    listed.into_iter().map(finding).collect()
}

/// Texts ask for "回复1接收", so replies must be able to arrive.
fn replies(has_gateway: bool, key: Result<Option<String>>, lang: Lang) -> Option<Finding> {
    const PART: &str = "replies";
    let cure = lang.pick(
        "设置 HUOYAN_INBOUND_KEY，并让网关把上行短信和按键送到 /api/v1/inbound/sms 和 /voice",
        "set HUOYAN_INBOUND_KEY, and let the gateway post replies to /api/v1/inbound/sms and /voice",
    );
    match key {
        Err(error) => Some(Finding::broken(PART, error.chain_in(lang), cure)),
        Ok(None) if has_gateway => Some(Finding::limited(
            PART,
            lang.pick(
                "收不到护林员的短信回复，要值班员代接收",
                "rangers' replies cannot be received: the officer has to acknowledge on their \
                behalf",
            ),
            cure,
        )),
        Ok(_) => None,
    }
}

fn folder(common: &Common) -> Vec<Finding> {
    const PART: &str = "data";
    let (data, lang) = (common.config.store.data.as_path(), common.lang);
    let shown = data.display();
    // The folder does not exist yet, so its nearest parent must be writable.
    let present = data.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let probe = present.join(format!(".huoyan-check-{}", std::process::id()));
    let written = std::fs::write(&probe, b"huoyan").and_then(|()| std::fs::remove_file(&probe));
    let mut findings = vec![match written {
        Ok(()) => Finding::works(PART, format!("{shown} {}", lang.pick("可写", "can be written"))),
        Err(e) => Finding::broken(
            PART,
            format!("{shown} {}: {e}", lang.pick("不可写", "cannot be written")),
            lang.pick("改权限或换 --data 目录", "change its permissions or choose another --data"),
        ),
    }];
    findings.extend(disk::free(present).map(|free| usage::space(free, &common.config.disk, lang)));
    findings
}

fn registers(common: &Common) -> Vec<Finding> {
    const PART: &str = "registers";
    let lang = common.lang;
    let dir = common.config.store.data.join("registers");
    let county = match Registers::load(&dir, Clock::System.now()) {
        Ok(registers) => registers.current(),
        Err(error) => {
            return vec![Finding::broken(
                PART,
                error.chain(),
                lang.pick("更正该文件", "correct that file"),
            )];
        }
    };
    let (grids, people, cameras) = (county.grids.len(), county.people.len(), county.cameras.len());
    let name = if county.name.is_empty() {
        lang.pick("未命名县", "unnamed county")
    } else {
        &county.name
    };
    let mut findings = vec![Finding::works(
        PART,
        match lang {
            Lang::Zh => format!("{name}：网格{grids}个、人员{people}名、摄像机{cameras}台"),
            Lang::En => format!("{name}: {grids} grids, {people} people, {cameras} cameras"),
        },
    )];
    findings.extend(county.problems.iter().map(|problem| {
        if problem.line == 0 {
            let cure = lang.pick("更正或移走该文件", "correct that file or remove it");
            return Finding::broken(PART, problem.said(lang), cure);
        }
        Finding::broken(
            PART,
            problem.said(lang),
            match lang {
                Lang::Zh => {
                    format!("更正 {} 的第{}行", dir.join(&problem.file).display(), problem.line)
                }
                Lang::En => format!(
                    "correct line {} of {}",
                    problem.line,
                    dir.join(&problem.file).display()
                ),
            },
        )
    }));
    let now = Clock::System.now();
    let contradictions = county.contradictions(now);
    findings.extend(contradictions.iter().map(|problem| {
        let cure = lang.pick("更正其中一项登记", "correct one of the two entries");
        Finding::broken(PART, problem.said(lang), cure)
    }));
    findings.extend(
        county.gaps(now).iter().map(|gap| Finding::broken(PART, gap.words(lang), gap.cure(lang))),
    );
    let odd = county.oddities();
    findings.extend(odd.iter().take(ODDITIES_SHOWN).map(|odd| {
        let file = odd.register.file_name();
        let cure = match lang {
            Lang::Zh => format!("核对 {file}，更正后重新导入；无误可不理会"),
            Lang::En => {
                format!("look at {file}, correct it and import it; ignore it if it is right")
            }
        };
        Finding::limited(PART, odd.words.pick(lang), cure)
    }));
    if let Some(more) = odd.len().checked_sub(ODDITIES_SHOWN).filter(|more| *more > 0) {
        let words = match lang {
            Lang::Zh => format!("登记册中另有{more}处类似问题"),
            Lang::En => format!("the registers have {more} more of this kind"),
        };
        let cure = lang.pick("见登记册页面", "see the page of the registers");
        findings.push(Finding::limited(PART, words, cure));
    }
    findings.extend(ground::findings(&county, &common.config.store.data, lang));
    findings
}

fn video(common: &Common) -> Vec<Finding> {
    let lang = common.lang;
    vec![match camera::init() {
        Ok(()) => Finding::works(
            "video",
            lang.pick("GStreamer 及所需元件齐全", "GStreamer and its elements are installed"),
        ),
        Err(error) => Finding::broken(
            "video",
            error.chain(),
            lang.pick("make run 会安装它们", "make run installs them"),
        ),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(data: &Path) -> Common {
        let mut config = crate::config::Config::default();
        config.store.data = data.to_owned();
        Common { config, device: None, lang: Lang::Zh, json: false, quiet: true }
    }

    #[test]
    fn an_empty_county_is_a_finding_with_its_cure() {
        let dir = tempfile::tempdir().expect("a folder");
        let findings = registers(&common(dir.path()));
        assert_eq!(findings[0].state, State::Works);
        assert!(findings[1..].iter().all(|finding| finding.state == State::Broken));
        let text = table(&findings, Lang::Zh);
        assert!(text.contains("没有网格") && text.contains("huoyan import grids"), "{text}");
    }

    #[test]
    fn what_cameras_can_say_of_a_place_is_said_with_its_cure() {
        let dir = tempfile::tempdir().expect("a folder");
        let registers_dir = dir.path().join("registers");
        std::fs::create_dir_all(&registers_dir).expect("a folder");
        let sheet = "编号,名称,经度,纬度,方位角,俯仰角,高度,地址\nC1,东\
            山,110.4,28.5,90,-3,30,rtsp://h/1\nC2,西山,110.5,28.5,,,,rtsp://h/2\n";
        std::fs::write(registers_dir.join("cameras.csv"), sheet).expect("a register");
        let about = || -> Vec<String> {
            let findings = registers(&common(dir.path()));
            findings
                .into_iter()
                .filter(|it| it.part == "terrain")
                .map(|it| format!("{:?} {}", it.state, it.words))
                .collect()
        };
        let unknown = about();
        assert!(unknown[0].contains("Limited") && unknown[0].contains("距离未知"), "{unknown:?}");
        assert!(unknown[1].contains("西山") && unknown[1].contains("方向"), "{unknown:?}");
        std::fs::write(registers_dir.join("county.toml"), "name = \"平原县\"\nground = \"flat\"\n")
            .expect("county.toml");
        assert!(about()[0].contains("Works"), "{:?}", about());
    }

    #[test]
    fn texts_that_ask_for_a_reply_need_somebody_to_hear_it() {
        let state =
            |has_gateway, key| replies(has_gateway, key, Lang::Zh).map(|finding| finding.state);
        assert_eq!(state(true, Ok(None)), Some(State::Limited));
        assert_eq!(state(false, Ok(None)), None, "no text goes out, no reply is missed");
        assert_eq!(state(true, Ok(Some("0123456789abcdef".to_owned()))), None);
        assert_eq!(state(false, Err(Error::invalid("too short"))), Some(State::Broken));
    }

    #[test]
    fn a_folder_that_is_a_file_cannot_be_written() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(folder(&common(&dir.path().join("new/data")))[0].state, State::Works);
        assert!(!dir.path().join("new").exists(), "looking changes nothing");
    }
}
