//! The output of a replay: JSON Lines for programs, a table for people.

use super::count::{Count, Rate};
use super::sheet::ContactSheet;
use crate::cli::{Common, Outcome, opinion_words, point_words};
use crate::engine::{Alarm, Seen};
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::triage::confirm::{Confirmed, Numbers, Thresholds};
use crate::triage::detection::{Class, Detection, ModelVersion, Scores, Stream, Tile};
use crate::triage::opinion::Opinion;
use crate::triage::point::PointName;
use jiff::Timestamp;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// The error message that means: the reader has closed stdout.
pub(super) const READER_GONE: &str = "the reader of the output is gone";

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Frame {
        source: &'a str,
        index: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<&'a str>,
        captured_at: Timestamp,
        stream: Stream,
        scores: Scores,
        detections: &'a [Detection],
        /// Tiles looked at in addition to the whole picture.
        #[serde(skip_serializing_if = "<[Tile]>::is_empty")]
        tiles: &'a [Tile],
        /// Whether there was an earlier picture to compare with; a look without counts less.
        has_past: bool,
        #[serde(skip_serializing_if = "is_false")]
        drill: bool,
    },
    /// The gate was closed: the model was not run on this picture.
    Gated {
        source: &'a str,
        index: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<&'a str>,
        captured_at: Timestamp,
    },
    Sighting {
        source: &'a str,
        index: usize,
        class: Class,
        confidence: f32,
        bbox: [f32; 4],
        first_at: Timestamp,
        best_at: Timestamp,
        confirmed_at: Timestamp,
        evidence: f32,
        opinion: &'a Opinion,
        #[serde(skip_serializing_if = "is_false")]
        drill: bool,
    },
    /// With `--count-false`: one per source, and last all together.
    FalseAlarms(&'a Rate),
    Summary {
        /// The readable pictures, and those of them that the gate kept from the model.
        frames: usize,
        gated: usize,
        sightings: usize,
        unreadable: &'a [Unreadable],
        model: &'a ModelVersion,
        thresholds: &'a Thresholds,
        /// The model's operating point with these thresholds. Null: they come from the
        /// configuration, or the model has no points.
        point: Option<PointName>,
    },
}

#[derive(Serialize)]
struct Unreadable {
    source: String,
    file: String,
    reason: String,
}

pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    json: bool,
    lang: Lang,
    model: ModelVersion,
    thresholds: Thresholds,
    point: Option<PointName>,
    frames: usize,
    gated: usize,
    sightings: usize,
    unreadable: Vec<Unreadable>,
    /// With `--count-false`.
    count: Option<Count>,
    /// The sheet and its file.
    sheet: Option<(&'a Path, ContactSheet)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        common: &Common,
        out: &'a mut dyn Write,
        model: ModelVersion,
        thresholds: Thresholds,
        point: Option<PointName>,
        count: Option<Count>,
    ) -> Self {
        let (json, lang) = (common.json, common.lang);
        let (frames, gated, sightings, unreadable) = (0, 0, 0, Vec::new());
        Self {
            out,
            json,
            lang,
            model,
            thresholds,
            point,
            frames,
            gated,
            sightings,
            unreadable,
            count,
            sheet: None,
        }
    }

    /// Also collects a sheet of pictures, written with the summary.
    #[must_use]
    pub(super) fn with_sheet(mut self, file: Option<&'a Path>) -> Self {
        self.sheet = file.map(|file| (file, ContactSheet::default()));
        self
    }

    pub(super) fn seen(
        &mut self,
        source: &Path,
        index: usize,
        file: Option<&str>,
        seen: &Seen,
    ) -> Result<()> {
        // A drill analyses the same picture a second time.
        self.frames += usize::from(!seen.drill);
        let analysis = &seen.analysis;
        let source = source.display().to_string();
        if let Some(count) = &mut self.count {
            count.looked(&source, analysis.captured_at, seen.confirmed.len());
        }
        if let Some((_, sheet)) = &mut self.sheet {
            sheet.look(&source, seen);
        }
        if self.json {
            let (captured_at, stream, scores) =
                (analysis.captured_at, analysis.stream, analysis.scores);
            let (source, detections, tiles) =
                (source.as_str(), analysis.detections.as_slice(), analysis.tiles.as_slice());
            let (has_past, drill) = (analysis.has_past, seen.drill);
            let line = Line::Frame {
                source,
                index,
                file,
                captured_at,
                stream,
                scores,
                detections,
                tiles,
                has_past,
                drill,
            };
            self.write_json(&line)?;
        }
        for alarm in &seen.confirmed {
            self.sighting(&source, index, alarm, seen.drill)?;
        }
        Ok(())
    }

    pub(super) fn gated(
        &mut self,
        source: &Path,
        index: usize,
        file: Option<&str>,
        captured_at: Timestamp,
    ) -> Result<()> {
        (self.frames, self.gated) = (self.frames + 1, self.gated + 1);
        let source = &source.display().to_string();
        // As in the live program, the camera counts as watched while the gate is closed.
        if let Some(count) = &mut self.count {
            count.looked(source, captured_at, 0);
        }
        if !self.json {
            return Ok(());
        }
        self.write_json(&Line::Gated { source, index, file, captured_at })
    }

    fn sighting(
        &mut self,
        source: &str,
        index: usize,
        Alarm { confirmed, opinion, .. }: &Alarm,
        drill: bool,
    ) -> Result<()> {
        self.sightings += 1;
        let Confirmed {
            class, bbox, best_at, confidence, first_at, confirmed_at, evidence, ..
        } = *confirmed;
        if self.json {
            let bbox = bbox.into();
            return self.write_json(&Line::Sighting {
                source,
                index,
                class,
                confidence,
                bbox,
                first_at,
                best_at,
                confirmed_at,
                evidence,
                opinion,
                drill,
            });
        }
        if self.sightings == 1 {
            let head = self.lang.pick(
                "确认时间              首见时间              类别   置信度  位置(横,竖)   来源",
                "confirmed             first seen            class  conf.   at (x, y)     source",
            );
            self.write_text(head)?;
        }
        let what = match class {
            Class::Smoke => self.lang.pick("烟", "smoke"),
            Class::Fire => self.lang.pick("火", "fire"),
        };
        let (x, y) = (100.0 * bbox.centre_x(), 100.0 * bbox.centre_y());
        let (confirmed_at, first_at) = (seconds(confirmed_at), seconds(first_at));
        let drill = if drill { self.lang.pick(" 演练", " drill") } else { "" };
        let opinion = opinion_words(self.lang, opinion);
        // A Chinese character is two columns wide.
        let pad = 6 - if what.is_ascii() { what.len() } else { 2 };
        self.write_text(&format!(
            "{confirmed_at}  {first_at}  {what}{:pad$} {confidence:.2}    {x:>3.0} %, {y:>3.0} %  \
            {source} #{index}{drill}  {opinion}",
            ""
        ))
    }

    /// Kept for the summary, and printed at once for a person.
    pub(super) fn unreadable(&mut self, source: &Path, file: &str, why: &Error) -> Result<()> {
        let reason = why.chain();
        if !self.json {
            let words = self.lang.pick("读不出，跳过", "cannot be read, skipped");
            self.write_text(&format!("{file}: {words}: {reason}"))?;
        }
        self.unreadable.push(Unreadable {
            source: source.display().to_string(),
            file: file.to_owned(),
            reason,
        });
        Ok(())
    }

    /// Returns Findings when the gate on clean time does not hold.
    pub(super) fn summary(mut self) -> Result<Outcome> {
        if let Some((file, sheet)) = &self.sheet {
            sheet.write(file, self.lang)?;
        }
        let outcome = self.clean_time()?;
        let unreadable = std::mem::take(&mut self.unreadable);
        if self.json {
            let (model, thresholds, point) =
                (self.model.clone(), self.thresholds.clone(), self.point);
            let (frames, gated, sightings) = (self.frames, self.gated, self.sightings);
            let (model, thresholds, unreadable) = (&model, &thresholds, unreadable.as_slice());
            self.write_json(&Line::Summary {
                frames,
                gated,
                sightings,
                unreadable,
                model,
                thresholds,
                point,
            })?;
        } else {
            let (frames, sightings, bad) = (self.frames, self.sightings, unreadable.len());
            let ModelVersion { name, version } = &self.model;
            let (used, gate) = (self.used(), self.gate());
            let words = match self.lang {
                Lang::Zh => {
                    format!(
                        "共 {frames} 帧{gate}，确认 {sightings} 处，读不出 {bad} 个（模型 {name} \
                        {version}；{used}）"
                    )
                }
                Lang::En => {
                    format!(
                        "{frames} frames{gate}, {sightings} sightings, {bad} unreadable (model \
                        {name} {version}; {used})"
                    )
                }
            };
            self.write_text(&words)?;
        }
        self.out.flush().map_err(|e| gone(&e))?;
        Ok(outcome)
    }

    fn clean_time(&mut self) -> Result<Outcome> {
        let Some(count) = self.count.take() else { return Ok(Outcome::Fine) };
        if self.json {
            count.rates().iter().try_for_each(|rate| self.write_json(&Line::FalseAlarms(rate)))?;
        } else {
            count.words(self.lang).iter().try_for_each(|line| self.write_text(line))?;
        }
        Ok(if count.holds() { Outcome::Fine } else { Outcome::Findings })
    }

    fn gate(&self) -> String {
        match (self.gated, self.lang) {
            (0, _) => String::new(),
            (gated, Lang::Zh) => format!("（变化门挡下 {gated} 帧）"),
            (gated, Lang::En) => format!(" (gate closed on {gated})"),
        }
    }

    /// The thresholds of this replay.
    fn used(&self) -> String {
        let Numbers { smoke, fire, smoke_tile, fire_tile, evidence, .. } = *self.thresholds;
        let numbers = match self.lang {
            Lang::Zh => {
                format!("烟 {smoke}，火 {fire}，分块 {smoke_tile}、{fire_tile}，证据 {evidence}")
            }
            Lang::En => {
                format!(
                    "smoke {smoke}, fire {fire}, in tiles {smoke_tile} and {fire_tile}, \
                    evidence {evidence}"
                )
            }
        };
        match self.point {
            Some(point) => format!("{}: {numbers}", point_words(self.lang, point)),
            None => numbers,
        }
    }

    fn write_json(&mut self, line: &Line) -> Result<()> {
        let text = serde_json::to_string(line)
            .map_err(|e| Error::internal("a line cannot be written").because(e))?;
        self.write_text(&text)
    }

    fn write_text(&mut self, line: &str) -> Result<()> {
        writeln!(self.out, "{line}").map_err(|e| gone(&e))
    }
}

fn is_false(it: &bool) -> bool {
    !it
}

fn gone(e: &std::io::Error) -> Error {
    match e.kind() {
        std::io::ErrorKind::BrokenPipe => Error::unavailable(READER_GONE),
        _ => Error::unavailable(format!("the output cannot be written: {e}")),
    }
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
