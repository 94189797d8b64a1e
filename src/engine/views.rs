//! What the model sees of a frame: the whole and some tiles, each with its own past; and how its
//! answers are combined.

use super::tiles::{Sketch, Tiles, cut};
use super::{Analyst, Memory, Reality, second_look, self_test};
use crate::detect::{Look, Part, Pasts, Worker};
use crate::drill::{Plume, composite};
use crate::error::Result;
use crate::frame::{Cells, Frame, Picture};
use crate::triage::detection::{Detection, Scores, Stream, Tile};
use crate::triage::id::{CameraId, PoseId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One part of one picture, as input of the model.
pub(super) struct View<'a> {
    pub frame: &'a Frame,
    /// The whole picture, shown to people as evidence.
    pub picture: Arc<Picture>,
    pub real: Reality,
    /// `None`: the whole.
    pub tile: Option<Tile>,
    /// The part, resized to the network's input.
    shown: Arc<Picture>,
    pub past: Option<Arc<Picture>>,
}

impl View<'_> {
    pub(super) fn look(&self) -> Look<'_> {
        (&self.shown, self.past.as_deref())
    }
}

/// The result of all views of one picture.
pub(super) struct Gist {
    /// The highest of all views.
    pub scores: Scores,
    /// In fractions of the frame.
    pub detections: Vec<Detection>,
    pub tiles: Vec<Tile>,
}

impl Gist {
    /// `views`: the whole, then its tiles; `answers`: in the same order. `main_past`: an earlier
    /// picture of the main stream.
    pub(super) fn of(
        worker: &mut Worker,
        views: &[View],
        main_past: Option<&Picture>,
        answers: impl Iterator<Item = (Scores, Vec<Detection>)>,
    ) -> Result<Self> {
        let mut gist =
            Self { scores: Scores::default(), detections: Vec::new(), tiles: Vec::new() };
        for (view, answer) in views.iter().zip(answers) {
            let (scores, found) = match view.frame.stream {
                Stream::Main => second_look::closer(worker, &view.picture, main_past, answer)?,
                Stream::Screened => answer,
            };
            gist.scores.smoke = gist.scores.smoke.max(scores.smoke);
            gist.scores.fire = gist.scores.fire.max(scores.fire);
            match view.tile {
                None => gist.detections = found,
                Some(tile) => {
                    gist.tiles.push(tile);
                    let on_frame = |it: Detection| Detection {
                        bbox: tile.on_frame(&it.bbox),
                        tile: Some(tile),
                        ..it
                    };
                    gist.detections.extend(found.into_iter().map(on_frame));
                }
            }
        }
        Ok(gist)
    }
}

impl Analyst {
    /// The views of one frame, each whole view followed by its tiles. Empty where the gate is
    /// closed and no drill runs.
    pub(super) fn views<'a>(
        &self,
        worker: &Worker,
        frame: &'a Frame,
        tiles: usize,
    ) -> Vec<View<'a>> {
        let Frame { camera, pose, captured_at: now, picture, stream } = frame;
        let plume = self.drills.plume(camera, pose, *now, |seed| Plume::on_terrain(picture, seed));
        if !self.is_open(frame) && plume.is_none() {
            metrics::counter!("huoyan_gate_closed_total").increment(1);
            // The picture is kept as a past all the same, so that a gated model gives the answers
            // it would give without the gate.
            self.keep_pasts(worker, frame, || Arc::new(worker.shrink(picture)));
            return Vec::new();
        }
        let parts: Vec<Option<Tile>> = std::iter::once(None)
            .chain(self.tiles_to_see(frame, tiles).into_iter().map(Some))
            .collect();
        let views_of = |picture: Arc<Picture>, real| {
            let view = |tile: &Option<Tile>| {
                let past = self.past(&part(frame, *tile), frame);
                let shown = match tile {
                    None => second_look::shrink(worker, *stream, &picture, past.as_deref()),
                    Some(tile) => worker.shrink(&cut(&picture, *tile)),
                };
                View {
                    frame,
                    picture: Arc::clone(&picture),
                    real,
                    tile: *tile,
                    shown: Arc::new(shown),
                    past,
                }
            };
            parts.iter().map(view).collect::<Vec<_>>()
        };
        let mut views = views_of(Arc::clone(picture), Reality::Real);
        if let Some((plume, age_s)) = plume {
            views.extend(views_of(Arc::new(composite(picture, &plume, age_s)), Reality::Drill));
        }
        views
    }

    pub(super) fn main_past(
        &self,
        Frame { camera, pose, captured_at, stream, .. }: &Frame,
    ) -> Option<Arc<Picture>> {
        let memory = self.memory();
        let pasts = memory.main_pasts.as_ref().filter(|_| *stream == Stream::Main)?;
        pasts.past(camera, pose, *captured_at)
    }

    fn past(&self, part: &Part, frame: &Frame) -> Option<Arc<Picture>> {
        self.memory().history.as_ref().and_then(|history| history.past(part, frame.captured_at))
    }

    /// The tiles to analyse at this look; none of the main stream. A network that compares with the
    /// past gets tiles only once every tile has a past: without one, enlarged rock and mist look
    /// like smoke.
    fn tiles_to_see(&self, frame: &Frame, most: usize) -> Vec<Tile> {
        let Frame { camera, pose, captured_at: now, picture, stream } = frame;
        if self.tiles == 0 || *stream == Stream::Main {
            return Vec::new();
        }
        // Outside the lock: this is most of the work.
        let sketch = Sketch::of(picture);
        let mut memory = self.memory();
        let Memory { history, tiles, .. } = &mut *memory;
        let tiles = self.tiles_of(tiles, frame);
        if tiles.find_band(&sketch) {
            history.iter_mut().for_each(|history| history.forget_tiles(camera, pose));
        }
        let past = |history: &Pasts, tile| history.past(&part(frame, Some(tile)), *now);
        let is_ready = history
            .as_ref()
            .is_none_or(|it| tiles.all().iter().all(|tile| past(it, *tile).is_some()));
        tiles.next(&sketch, *now, if is_ready { most } else { 0 })
    }

    /// The whole and, where tiles are in use, all of them.
    fn parts(&self, frame: &Frame) -> Vec<self_test::Part> {
        let mut tiles: Vec<Option<Tile>> = vec![None];
        if self.tiles > 0 {
            tiles.extend(self.tiles_of(&mut self.memory().tiles, frame).all().map(Some));
        }
        tiles
            .into_iter()
            .map(|tile| self_test::Part { tile, past: self.past(&part(frame, tile), frame) })
            .collect()
    }

    fn tiles_of<'a>(
        &self,
        all: &'a mut BTreeMap<(CameraId, PoseId), Tiles>,
        frame: &Frame,
    ) -> &'a mut Tiles {
        let key = (frame.camera.clone(), frame.pose.clone());
        let skyline = self.skylines().get(&key).copied();
        all.entry(key).or_insert_with(|| Tiles::new(skyline))
    }

    /// Keeps pasts and detections. It is called for real views only, so that a drill leaves no
    /// trace. A main-stream picture becomes a past only if it has the shape of the screened stream,
    /// that is, if it had a past to be compared with.
    pub(super) fn remember(
        &self,
        worker: &Worker,
        View { frame, shown, past, .. }: &View,
        gist: &Gist,
    ) {
        if frame.stream == Stream::Screened {
            self.self_tests.offer(frame, &gist.detections, || self.parts(frame));
        }
        if frame.stream == Stream::Screened || past.is_some() {
            self.keep_pasts(worker, frame, || Arc::clone(shown));
        }
        let mut memory = self.memory();
        if frame.stream == Stream::Main
            && let Some(pasts) = &mut memory.main_pasts
        {
            pasts.keep(&frame.camera, &frame.pose, frame.captured_at, || {
                worker.shrink_past(&frame.picture)
            });
        }
        self.tiles_of(&mut memory.tiles, frame).found(&gist.detections, frame.captured_at);
        if let Some(gate) = memory.gate.as_mut().filter(|_| !gist.detections.is_empty()) {
            gate.found(frame);
        }
        drop(memory);
        // No past: after a start, an outage or a change of view. Pasts are kept from now on; after
        // one `past` the first is old enough.
        let learns = self.past.filter(|_| past.is_none() && frame.stream == Stream::Screened);
        self.status.update(&frame.camera, |status| {
            status.last_scores = Some(gist.scores);
            status.analysed += 1;
            if let Some(past) = learns {
                status.learning_until = frame.captured_at.checked_add(past).ok();
            }
        });
    }

    /// Keeps a past of the whole and of every tile, analysed or not. `whole`: the whole at the
    /// network's size. A main-stream picture leaves the tiles' pasts alone: it shows more detail
    /// than the pictures they are made from.
    fn keep_pasts(&self, worker: &Worker, frame: &Frame, whole: impl Fn() -> Arc<Picture>) {
        let Frame { captured_at: now, picture, stream, .. } = frame;
        let mut wanted: Vec<Part> = vec![part(frame, None)];
        {
            let mut memory = self.memory();
            if self.tiles > 0 && *stream == Stream::Screened {
                wanted.extend(
                    self.tiles_of(&mut memory.tiles, frame)
                        .all()
                        .map(|tile| part(frame, Some(tile))),
                );
            }
            let Some(history) = &memory.history else { return };
            wanted.retain(|part| history.wants(part, *now));
        }
        for part in wanted {
            let shown = match part.2 {
                None => whole(),
                Some(tile) => Arc::new(worker.shrink(&cut(picture, tile))),
            };
            let past = Arc::new(worker.shrink_past(&shown));
            if let Some(history) = &mut self.memory().history {
                history.keep(&part, *now, past);
            }
        }
    }

    /// The frame's camera is boosted: there is a reason to look at it more closely.
    pub(super) fn expect(&self, frame: &Frame) {
        self.tiles_of(&mut self.memory().tiles, frame).expect(frame.captured_at);
    }

    /// Whether the model runs on the frame. A main-stream frame always passes: it was fetched for a
    /// second look, and its framing may differ from that of the frames the gate compares.
    fn is_open(&self, frame: &Frame) -> bool {
        if self.memory().gate.is_none() || frame.stream == Stream::Main {
            return true;
        }
        let cells = Cells::of(&frame.picture);
        self.memory().gate.as_mut().is_none_or(|gate| gate.lets_through(frame, cells))
    }
}

pub(super) fn part(Frame { camera, pose, .. }: &Frame, tile: Option<Tile>) -> Part {
    (camera.clone(), pose.clone(), tile)
}
