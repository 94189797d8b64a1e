//! `--sheet`: the strip of every confirmation, as one self-contained page to look at, print and
//! pass on.

use crate::app::strips::encode;
use crate::engine::{Alarm, Began, Encoded, Kept, Seen, Strips};
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::triage::confirm::Confirmed;
use crate::triage::detection::{BoundingBox, Class};
use crate::triage::id::SightingId;
use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::path::Path;
use uuid::Uuid;

/// Rows of one sheet. Each has at most forty pictures of about 20 kB, so the page stays below 60
/// MB, which browsers can open.
pub(super) const ROWS_MAX: usize = 50;
/// Longest side of a strip's picture on the sheet, and of the confirmed one, pixels.
const SIDE: u32 = 480;
const EVIDENCE_SIDE: u32 = 960;
/// Size of the graph, pixels.
const GRAPH: (f64, f64) = (480.0, 90.0);

/// The confirmations so far, with their pictures.
#[derive(Debug, Default)]
pub(super) struct ContactSheet {
    /// Pictures of one source must not serve as the past of another.
    source: String,
    strips: Strips,
    rows: Vec<Row>,
    /// Confirmations after the sheet was full.
    left_out: usize,
}

#[derive(Debug)]
struct Row {
    sighting: SightingId,
    source: String,
    confirmed: Confirmed,
    evidence: Option<Encoded>,
    frames: Vec<Kept>,
}

impl ContactSheet {
    pub(super) fn look(&mut self, source: &str, seen: &Seen) {
        if self.source != source {
            (self.source, self.strips) = (source.to_owned(), Strips::default());
        }
        let mut began = Vec::new();
        for Alarm { confirmed, picture, .. } in &seen.confirmed {
            if self.rows.len() == ROWS_MAX {
                self.left_out += 1;
                continue;
            }
            let (sighting, evidence) = (SightingId(Uuid::now_v7()), encode(picture, EVIDENCE_SIDE));
            began.push(Began { sighting, class: confirmed.class, bbox: confirmed.bbox });
            let (source, confirmed) = (source.to_owned(), confirmed.clone());
            self.rows.push(Row { sighting, source, confirmed, evidence, frames: Vec::new() });
        }
        for kept in self.strips.look(seen, &began, |side| encode(&seen.picture, side.min(SIDE))) {
            if let Some(row) = self.rows.iter_mut().rfind(|row| row.sighting == kept.frame.sighting)
            {
                row.frames.push(kept);
            }
        }
    }

    /// Writes the page.
    pub(super) fn write(&self, file: &Path, lang: Lang) -> Result<()> {
        std::fs::write(file, self.html(lang)).map_err(|e| {
            Error::unavailable(format!(
                "cannot write {}: check the disk space and the permissions",
                file.display()
            ))
            .because(e)
        })
    }

    fn html(&self, lang: Lang) -> String {
        let title = lang.pick("火眼回放过程图", "Huoyan: strips of a replay");
        let mut html = format!(
            "<!doctype html>\n<html lang=\"{}\"><meta \
            charset=\"utf-8\"><title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n",
            lang.code()
        );
        let count = self.rows.len();
        let words = match (lang, self.left_out) {
            (Lang::Zh, 0) => format!("确认 {count} 处"),
            (Lang::Zh, more) => format!("确认 {} 处，只列出前 {count} 处", count + more),
            (Lang::En, 0) => format!("{count} sightings"),
            (Lang::En, more) => format!("{} sightings, the first {count} are shown", count + more),
        };
        let _ = writeln!(html, "<p>{words}</p>");
        self.rows.iter().for_each(|row| row.html(lang, &mut html));
        html
    }
}

impl Row {
    fn html(&self, lang: Lang, html: &mut String) {
        let Confirmed { class, bbox, best_at, confidence, first_at, confirmed_at, .. } =
            &self.confirmed;
        let what = match class {
            Class::Smoke => lang.pick("烟", "smoke"),
            Class::Fire => lang.pick("火", "fire"),
        };
        let (seen, sure) = (lang.pick("首见", "first seen"), lang.pick("确认", "confirmed"));
        let _ = writeln!(
            html,
            "<section><h2>{} · {what} {confidence:.2} · {seen} {} · {sure} {}</h2>",
            escaped(&self.source),
            clock(*first_at),
            clock(*confirmed_at)
        );
        html.push_str(&self.graph(lang));
        html.push_str("<div class=\"strip\">\n");
        let evidence =
            self.evidence.iter().map(|it| (*best_at, Some((*confidence, *bbox)), it, true));
        let others = self.frames.iter().filter(|it| it.frame.captured_at != *best_at).map(|it| {
            let seen = it.frame.seen.map(|place| (place.score, place.bbox));
            (it.frame.captured_at, seen, &it.shot.encoded, false)
        });
        let mut pictures: Vec<_> = others.chain(evidence).collect();
        pictures.sort_by_key(|(at, ..)| *at);
        for (at, seen, encoded, is_evidence) in pictures {
            let (class, score) = match seen {
                _ if is_evidence => (" class=\"evidence\"", format!(" · {confidence:.2}")),
                Some((score, _)) => ("", format!(" · {score:.2}")),
                None => ("", String::new()),
            };
            let data = BASE64_STANDARD.encode(&encoded.jpeg);
            let time = clock(at);
            let _ = writeln!(
                html,
                "<figure{class}><div><img alt=\"{time}\" \
                src=\"data:image/jpeg;base64,{data}\">{}</div><figcaption>{time}{score}</figcaption></figure>",
                seen.map(|(_, bbox)| boxed(&bbox)).unwrap_or_default()
            );
        }
        html.push_str("</div></section>\n");
    }

    /// The score at the place over time, 0 at the bottom and 1 at the top. The line marks the
    /// confirmation.
    fn graph(&self, lang: Lang) -> String {
        let times =
            self.frames.iter().map(|it| it.frame.captured_at).chain([self.confirmed.best_at]);
        let (Some(from), Some(to)) = (times.clone().min(), times.max()) else {
            return String::new();
        };
        let whole_s = to.duration_since(from).as_secs_f64().max(1.0);
        let (width, height) = GRAPH;
        let x = |at: Timestamp| at.duration_since(from).as_secs_f64() / whole_s * width;
        let points = self.frames.iter().map(|it| {
            let score = it.frame.seen.map_or(0.0, |place| f64::from(place.score));
            format!("{:.1},{:.1} ", x(it.frame.captured_at), (1.0 - score) * height)
        });
        let (points, at) = (points.collect::<String>(), x(self.confirmed.confirmed_at));
        let words = lang.pick("得分随时间的变化", "score over time");
        format!(
            "<svg role=\"img\" aria-label=\"{words}\" viewBox=\"-2 -2 {} {}\" width=\"{width}\" \
            height=\"{height}\">\
             <rect width=\"{width}\" height=\"{height}\"/><line x1=\"{at:.1}\" x2=\"{at:.1}\" \
             y1=\"0\" y2=\"{height}\"/>\
             <polyline points=\"{points}\"/></svg>\n",
            width + 4.0,
            height + 4.0
        )
    }
}

const STYLE: &str = "body{font:14px sans-serif;margin:16px;color:#222}h1{font-size:18px}h2{font-size:14px;margin:16px 0 4px}.strip{display:flex;flex-wrap:wrap;gap:6px}figure{margin:0;width:240px}figure div{position:relative}img{width:100%;display:block}figure i{position:absolute;border:2px solid #d4351c;box-sizing:border-box}.evidence{width:486px}.evidence figcaption{font-weight:bold}figcaption{font-size:12px}svg rect{fill:#f3f4f5}svg line{stroke:#d4351c}svg polyline{fill:none;stroke:#222;stroke-width:1.5}";

fn boxed(bbox: &BoundingBox) -> String {
    let [left, top, width, height] = [bbox.x, bbox.y, bbox.w, bbox.h].map(|share| 100.0 * share);
    format!("<i style=\"left:{left:.2}%;top:{top:.2}%;width:{width:.2}%;height:{height:.2}%\"></i>")
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Picture;
    use crate::triage::detection::{Analysis, ModelVersion, Scores, Stream};
    use crate::triage::opinion::{Opinion, Silence};
    use jiff::SignedDuration;
    use std::sync::Arc;

    #[test]
    fn a_recording_that_alarms_all_the_time_makes_a_page_that_still_opens_and_says_what_it_lacks() {
        let picture = Arc::new(Picture::from_rgb(2, 2, &[60; 12]).expect("a picture"));
        let start: Timestamp = "2026-03-05T04:00:00Z".parse().expect("a time");
        let mut sheet = ContactSheet::default();
        for n in 0..ROWS_MAX as i32 + 2 {
            let captured_at = start + SignedDuration::from_secs(10) * n;
            let bbox = [0.4, 0.5, 0.1, 0.1].into();
            let confirmed = Confirmed {
                class: Class::Smoke,
                bbox,
                best_at: captured_at,
                confidence: 0.8,
                first_at: captured_at,
                confirmed_at: captured_at,
                evidence: 4.0,
                rise: Vec::new(),
            };
            let analysis = Analysis {
                camera: "north".into(),
                pose: "default".into(),
                captured_at,
                scores: Scores::default(),
                detections: Vec::new(),
                model: ModelVersion { name: "m".into(), version: "1".into() },
                stream: Stream::Screened,
                tiles: Vec::new(),
                has_past: true,
            };
            let picture = Arc::clone(&picture);
            let opinion = Opinion::NotGiven { reason: Silence::NoVerifier };
            let confirmed = vec![Alarm { confirmed, picture: Arc::clone(&picture), opinion }];
            sheet.look("hill", &Seen { analysis, confirmed, picture, drill: false });
        }
        let html = sheet.html(Lang::En);
        assert_eq!(html.matches("<section>").count(), ROWS_MAX);
        assert!(html.contains("52 sightings, the first 50 are shown"), "{}", &html[..900]);
    }
}
