//! `huoyan export-training`: what the cameras saw and people judged, as the table and pictures that
//! the training project reads. Pictures are copied byte for byte. Nothing about people is exported
//! (see `report::training`). The office's folder and database are only read.

use super::{Common, Outcome};
use crate::clock::Clock;
use crate::county::{County, county_time};
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::lang::{Lang, Words};
use crate::progress::Progress;
use crate::report::training::{self, Example, Lesson, PictureFacts};
use crate::store::{Filter, Store};
use crate::triage::id::{CameraId, PictureId};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub struct Args {
    /// 输出目录（须为空或不存在）/ folder to write; must be empty or absent
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// 起：此时及以后立案 / incidents opened at or after this time (2026-04-05, or RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub since: Option<Timestamp>,
    /// 止：此时以前立案 / incidents opened before this time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub until: Option<Timestamp>,
}

const HELP: &str = "\
写入 DIR/images/*.jpg（原样）和 DIR/watch.csv：真实火情带框；误报无框，供模型学习；尚未核实的，\
以及炊烟、厂烟等真烟而非山火的，unsure=1 并写明原因。
演练不导出。人员姓名、电话和所写文字一律不导出；摄像机编号、名称和图片会导出。
过程图（确认前三分钟、后五分钟的画面）一并导出，同一 event；真实火情中模型没看到烟的那些，是否有烟无人说过，unsure=1，可作对比的过去。
已按留存期清除的过程图不再导出；没有过程图的，训练时只能用同一张图作过去。

Writes DIR/images/*.jpg (as stored) and DIR/watch.csv. A real fire has a box. A false alarm has none, so that the model learns from it.
What nobody has judged, and real smoke that is no wildfire (kitchens, chimneys), has unsure=1 and the reason.
Drills are left out. Names, phone numbers and texts of people are not exported; camera ids, camera names and pictures are.
The strip of each sighting (from three minutes before its confirmation to five after) is exported with it, as the same event. Around
a fire, a picture in which the model saw nothing has unsure=1, because nobody has said whether it shows smoke; it can serve as a past
to compare with. Strips past their retention are not exported; without a strip, training uses the same picture as the past.";

/// Incidents read at once.
const PAGE: u32 = 200;
/// A picture whose colours deviate from grey by less than this on average (of 128) is grey: JPEG
/// rounds by 1 or 2.
const GREY_BELOW: f64 = 2.5;

#[derive(Debug, Default, Serialize)]
pub struct Summary {
    pub out: PathBuf,
    pub rows: usize,
    /// With a box.
    pub smoke: usize,
    /// Hard negatives.
    pub nothing: usize,
    pub unsure: usize,
    pub train_cameras: usize,
    pub val_cameras: usize,
    pub unreadable: Vec<Unreadable>,
}

/// A picture without a row in the table.
#[derive(Debug, Serialize)]
pub struct Unreadable {
    pub picture: PictureId,
    pub camera: CameraId,
    pub captured_at: Timestamp,
    pub reason: String,
}

pub fn run(args: Args, common: &Common) -> Result<Outcome> {
    let data = &common.config.store.data;
    let summary = super::runtime()?.block_on(async {
        let store = Store::read_only(&common.config).await?.ok_or_else(|| {
            Error::invalid(Words::new(
                format!("{} 里还没有记录可导出：请用 --data 指定值班台的数据目录", data.display()),
                format!("{} holds no record yet: name the desk's folder, --data", data.display()),
            ))
        })?;
        let now = Clock::System.now();
        let county = County::of(&super::history(&store).await?.at(now), common.lang);
        let summary = export(&args, &store, &county, common.lang, common.quiet).await;
        store.close().await;
        summary
    })?;
    if common.json {
        let json = serde_json::to_string(&summary)
            .map_err(|e| Error::internal("the summary cannot be written as JSON").because(e))?;
        println!("{json}");
    } else {
        print!("{}", words(&summary, common.lang));
    }
    Ok(if summary.unreadable.is_empty() { Outcome::Fine } else { Outcome::Findings })
}

/// Pictures that cannot be read are listed, and the export goes on. An error on writing ends it.
pub async fn export(
    args: &Args,
    store: &Store,
    county: &County,
    lang: Lang,
    quiet: bool,
) -> Result<Summary> {
    let images = args.out.join("images");
    let unwritten = |path: &Path, e: std::io::Error| {
        Error::unavailable(format!(
            "cannot write {}: check the disk space and the permissions",
            path.display()
        ))
        .because(e)
    };
    must_be_empty(&args.out, lang)?;
    let examples = with_strips(collect(args, store, county).await?, store).await?;
    fs::create_dir_all(&images).map_err(|e| unwritten(&images, e))?;
    let mut summary = Summary { out: args.out.clone(), ..Summary::default() };
    let (mut rows, mut cameras) = (Vec::new(), BTreeSet::new());
    let mut progress =
        Progress::new(lang.pick("导出训练数据", "export-training"), examples.len() as u64, quiet);
    for example in &examples {
        match picture(store, example).await {
            Ok((bytes, look)) => {
                let file = images.join(example.image());
                fs::write(&file, bytes).map_err(|e| unwritten(&file, e))?;
                rows.push(example.row(look));
                cameras.insert((example.split(), &example.camera));
                *match example.lesson {
                    Lesson::Smoke => &mut summary.smoke,
                    Lesson::Nothing => &mut summary.nothing,
                    Lesson::Open(_) => &mut summary.unsure,
                } += 1;
            }
            Err(e) => summary.unreadable.push(Unreadable {
                picture: example.picture,
                camera: example.camera.clone(),
                captured_at: example.captured_at,
                reason: e.chain(),
            }),
        }
        progress.advance(1, "");
    }
    progress.finish("");
    let table = training::table(&rows).map_err(Error::internal)?;
    let file = args.out.join("watch.csv");
    fs::write(&file, table).map_err(|e| unwritten(&file, e))?;
    summary.rows = rows.len();
    summary.val_cameras = cameras.iter().filter(|(split, _)| *split == "val").count();
    summary.train_cameras = cameras.len() - summary.val_cameras;
    Ok(summary)
}

/// Existing files could be another export: mixing two would count cameras and events twice.
fn must_be_empty(out: &Path, lang: Lang) -> Result<()> {
    match fs::read_dir(out).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(false) => Err(Error::invalid(match lang {
            Lang::Zh => format!("{} 不是空目录，未写入任何内容；请另指定一个新目录", out.display()),
            Lang::En => {
                format!("{} is not empty, so nothing was written: name a new folder", out.display())
            }
        })),
        Err(e) => {
            Err(Error::invalid(format!("{} is not a folder that can be written", out.display()))
                .because(e))
        }
    }
}

/// Oldest incident first.
async fn collect(args: &Args, store: &Store, county: &County) -> Result<Vec<Example>> {
    let wanted = |at: Timestamp| {
        args.since.is_none_or(|since| at >= since) && args.until.is_none_or(|until| at < until)
    };
    let (mut newest_first, mut before) = (Vec::new(), None);
    loop {
        let page = store.incidents(Filter::All, before, PAGE).await?;
        let incidents = page.items.iter().map(|filed| &filed.incident);
        newest_first.extend(
            incidents.filter(|it| wanted(it.opened_at)).map(|it| training::examples(it, county)),
        );
        before = page.next;
        if before.is_none() {
            return Ok(newest_first.into_iter().rev().flatten().collect());
        }
    }
}

/// Each example followed by the pictures of its strip, oldest first. Pictures past their retention
/// are simply left out.
async fn with_strips(confirmed: Vec<Example>, store: &Store) -> Result<Vec<Example>> {
    let (mut all, mut named) = (Vec::new(), BTreeSet::new());
    for example in confirmed {
        let mut rows = training::around(&example, &store.strip(example.sighting).await?);
        rows.push(example);
        rows.sort_by_key(|row| row.captured_at);
        // Two alarms in one view share pictures.
        all.extend(rows.into_iter().filter(|row| named.insert(row.picture)));
    }
    Ok(all)
}

/// The stored bytes, after a check that they are a complete picture.
async fn picture(store: &Store, example: &Example) -> Result<(Vec<u8>, PictureFacts)> {
    let bytes = store.picture(example.picture).await?;
    let seen = Picture::from_image_bytes(&bytes)?;
    let (width, height) = (seen.width(), seen.height());
    let chroma = &seen.as_i420()[seen.luma().len()..];
    let colour: f64 = chroma.iter().map(|v| (f64::from(*v) - 128.0).abs()).sum();
    Ok((bytes, PictureFacts { width, height, grey: colour < GREY_BELOW * chroma.len() as f64 }))
}

fn words(summary: &Summary, lang: Lang) -> String {
    let Summary { rows, smoke, nothing, unsure, train_cameras, val_cameras, .. } = summary;
    let out = summary.out.display();
    let mut text = match lang {
        Lang::Zh => format!(
            "{out}: {rows}张图片（真实烟火{smoke}，误报{nothing}，待定{unsure}）；\
            训练摄像机{train_cameras}台，检验摄像机{val_cameras}台\n"
        ),
        Lang::En => format!(
            "{out}: {rows} pictures ({smoke} of smoke or fire, {nothing} false alarms, {unsure} \
            unsure); {train_cameras} cameras to train on, {val_cameras} to judge by\n"
        ),
    };
    let skipped = lang.pick("读不出，跳过", "cannot be read, skipped");
    for Unreadable { picture, camera, captured_at, reason } in &summary.unreadable {
        text.push_str(&format!("  {camera} {captured_at} {picture}: {skipped}: {reason}\n"));
    }
    if *rows == 0 {
        text.push_str(lang.pick(
            "这段时间没有可导出的摄像机图片\n",
            "no camera pictures to export in this time\n",
        ));
        return text;
    }
    text.push_str(&match lang {
        Lang::Zh => format!(
            "下一步：按 models/smoke-fire/train/README.md，在其 prepare.py 命令后加上 --office \
            {out}；图片含本地景物，请只交给负责训练的人\n"
        ),
        Lang::En => format!(
            "next: follow models/smoke-fire/train/README.md and give its prepare.py `--office \
            {out}`; the pictures show your county: give them only to those who train the model\n"
        ),
    });
    text
}

/// A date means its first moment in county time.
fn instant(text: &str) -> std::result::Result<Timestamp, String> {
    let day = text
        .parse::<Date>()
        .ok()
        .and_then(|day| day.to_datetime(Time::midnight()).to_zoned(county_time()).ok());
    match day.filter(|_| !text.contains(['T', ' '])) {
        Some(midnight) => Ok(midnight.timestamp()),
        None => text.parse().map_err(|_| "2026-04-05, 2026-04-05T14:00:00+08:00".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_of_the_county_or_instants() {
        for (text, expected) in [
            ("2026-04-05", "2026-04-04T16:00:00Z"),
            ("2026-04-05T14:00:00+08:00", "2026-04-05T06:00:00Z"),
            ("2026-04-05T06:00:00Z", "2026-04-05T06:00:00Z"),
        ] {
            assert_eq!(instant(text).map(|at| at.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in ["yesterday", "2026-13-01", "2026-04-05T14:00:00"] {
            assert!(instant(text).is_err(), "{text} has no one meaning");
        }
    }
}
