//! What the board would have said about a recorded camera: every picture goes through the same
//! judgement as live.

use super::Args;
use crate::camera::Sight;
use crate::cli::replay::Recording;
use crate::cli::{Common, Outcome};
use crate::error::{Error, Result};
use crate::frame::Health;
use crate::progress::Progress;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Frame {
        source: &'a str,
        index: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<&'a str>,
        captured_at: jiff::Timestamp,
        health: Health,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        figures: crate::camera::Figures,
    },
    Summary {
        source: &'a str,
        frames: usize,
        unreadable: usize,
        /// Number of frames per health.
        health: &'a BTreeMap<String, usize>,
    },
}

/// Findings when any picture was not ok. Error: a source could not be read at all; the other
/// sources come first.
pub(super) fn run(args: &Args, common: &Common, out: &mut dyn Write) -> Result<Outcome> {
    if !args.every.is_positive() {
        return Err(Error::invalid("--every must be more than zero"));
    }
    let (mut outcome, mut failed) = (Outcome::Fine, None);
    for source in &args.sources {
        match of_source(source, args, common, out) {
            Ok(Outcome::Fine) => {}
            Ok(Outcome::Findings) => outcome = Outcome::Findings,
            Err(e) => {
                say(out, &format!("{}: {}", source.display(), e.chain()))?;
                failed = failed.or(Some(e));
            }
        }
    }
    failed.map_or(Ok(outcome), Err)
}

fn of_source(source: &Path, args: &Args, common: &Common, out: &mut dyn Write) -> Result<Outcome> {
    let shown = source.display().to_string();
    let recording = Recording::open(source, args.every, Some(args.every), None)?;
    let mut progress = Progress::new(&shown, recording.pictures(), common.quiet);
    let mut sight = Sight::default();
    let (mut health_counts, mut unreadable, mut told) = (BTreeMap::new(), 0, Health::Ok);
    let mut frames = 0;
    for (index, item) in recording.enumerate() {
        progress.advance(1, "");
        let (captured_at, picture) = match item.picture {
            Ok(read) => read,
            Err(e) => {
                unreadable += 1;
                say(
                    out,
                    &format!("{shown} {}: {}", item.file.as_deref().unwrap_or("?"), e.chain()),
                )?;
                continue;
            }
        };
        frames += 1;
        let judged = sight.judge(&picture, captured_at, common.config.camera.frozen_after, None);
        let health = judged.fault.as_ref().map_or(Health::Ok, |fault| fault.health());
        *health_counts.entry(word(health)?).or_insert(0) += 1;
        let detail = judged.fault.as_ref().map(|fault| fault.sentence(&shown, common.lang));
        if common.json {
            let (file, figures) = (item.file.as_deref(), judged.figures);
            json(
                out,
                &Line::Frame { source: &shown, index, file, captured_at, health, detail, figures },
            )?;
        } else if health != told {
            told = health;
            let fine = common.lang.pick("正常", "ok");
            say(
                out,
                &format!(
                    "{captured_at} #{index} {}",
                    detail.unwrap_or_else(|| format!("{shown}: {fine}"))
                ),
            )?;
        }
    }
    progress.finish("");
    if common.json {
        json(out, &Line::Summary { source: &shown, frames, unreadable, health: &health_counts })?;
    } else {
        let counts: Vec<String> =
            health_counts.iter().map(|(health, count)| format!("{health} {count}")).collect();
        let words = common.lang.pick("帧", "frames");
        say(out, &format!("{shown}: {frames} {words}: {}", counts.join(", ")))?;
    }
    let fine = health_counts.get(&word(Health::Ok)?).copied().unwrap_or(0);
    Ok(if fine == frames { Outcome::Fine } else { Outcome::Findings })
}

/// "over_exposed": the form for programs.
fn word(health: Health) -> Result<String> {
    let value = serde_json::to_value(health)
        .map_err(|e| Error::internal("the health cannot be written as JSON").because(e))?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

fn json(out: &mut dyn Write, line: &Line) -> Result<()> {
    let text = serde_json::to_string(line)
        .map_err(|e| Error::internal("a line cannot be written").because(e))?;
    say(out, &text)
}

fn say(out: &mut dyn Write, line: &str) -> Result<()> {
    writeln!(out, "{line}")
        .map_err(|e| Error::unavailable("the output cannot be written").because(e))
}
