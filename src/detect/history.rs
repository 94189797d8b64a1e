//! Pure: what each pose looked like in the last minutes, because smoke is what was not there
//! before. The whole view and each of its tiles have separate pasts: the whole view's past lacks
//! the detail of a tile.

use crate::frame::Picture;
use crate::triage::detection::Tile;
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A younger picture shows the same smoke and is of no use.
const YOUNGEST: SignedDuration = SignedDuration::from_secs(20);
/// Spaces between the present and the wanted past. The spacing of the kept pictures is `past` / 4.
const SPACES: i32 = 4;
/// The same for a tile: `past` / 2. A tile's pictures are as large as those of the whole view, and
/// there are three tiles.
const SPACES_OF_TILE: i32 = 2;
/// Pictures older than `past` × 3 were taken in other light (the training used up to 8 min for a
/// `past` of 3).
const OLDEST: i32 = 3;
/// Pictures kept beyond those of one `past`: one before it, and the newest. A view therefore keeps
/// six and a tile four. At 320×180 (a network that averages the past 2 × 2) a picture takes 86 kB:
/// 0.5 MB per view, 1.0 MB for its three tiles, 0.4 GB for 267 cameras.
const KEPT_BEYOND: i32 = 2;

/// A pose's whole view, or one of its tiles.
pub type Part = (CameraId, PoseId, Option<Tile>);

/// Earlier pictures of every view and tile, already reduced to what the network sees of them.
#[derive(Debug)]
pub struct Pasts {
    past: SignedDuration,
    parts: BTreeMap<Part, Kept>,
}

/// Oldest first.
type Kept = VecDeque<(Timestamp, Arc<Picture>)>;

impl Pasts {
    /// `past`: how far back the network compares.
    pub fn new(past: SignedDuration) -> Self {
        Self { past, parts: BTreeMap::new() }
    }

    /// The picture nearest to `now - past` among those at least 20 s and at most three `past` old.
    pub fn past(&self, part: &Part, now: Timestamp) -> Option<Arc<Picture>> {
        self.nearest(part, now, self.past)
    }

    fn nearest(&self, part: &Part, now: Timestamp, wanted: SignedDuration) -> Option<Arc<Picture>> {
        let age = |at: &Timestamp| now.duration_since(*at);
        self.parts
            .get(part)?
            .iter()
            .filter(|(at, _)| age(at) >= YOUNGEST && age(at) <= self.past * OLDEST)
            .min_by_key(|(at, _)| (age(at) - wanted).abs())
            .map(|(_, picture)| Arc::clone(picture))
    }

    /// For each age the kept picture nearest to it, among those at least 20 s and at most three
    /// `past` old; `None`: there is none.
    pub fn pasts(
        &self,
        part: &Part,
        now: Timestamp,
        ages: &[SignedDuration],
    ) -> Option<Vec<Arc<Picture>>> {
        ages.iter().map(|wanted| self.nearest(part, now, *wanted)).collect()
    }

    /// Whether a picture taken at `now` would be kept: it is at least a quarter of `past` newer
    /// than the last one, or half of `past` for a tile. A picture older than the last one is
    /// skipped, because two workers delivered out of order. If it is older by more than a whole
    /// `past`, the clock was set back, and it is kept.
    pub fn wants(&self, part: &Part, now: Timestamp) -> bool {
        let last = self.parts.get(part).and_then(VecDeque::back);
        let since = last.map(|(at, _)| now.duration_since(*at));
        since.is_none_or(|since| since >= self.past / spaces(part) || since < -self.past)
    }

    /// Keeps the picture if it is wanted: at most six of a view and four of a tile. A picture of
    /// another size (the camera was reconfigured), or one that is more than a whole `past` older
    /// than the last, replaces all that were kept.
    pub fn keep(&mut self, part: &Part, now: Timestamp, picture: Arc<Picture>) {
        if !self.wants(part, now) {
            return;
        }
        let kept = self.parts.entry(part.clone()).or_default();
        let follows = |(last, before): &(Timestamp, Arc<Picture>)| {
            *last <= now && (before.width(), before.height()) == (picture.width(), picture.height())
        };
        if !kept.back().is_some_and(follows) {
            kept.clear();
        }
        kept.push_back((now, picture));
        while kept.len() > kept_max(part) {
            kept.pop_front();
        }
        // A turning camera leaves its poses for longer than their pictures are of use.
        let oldest = self.past * OLDEST;
        let is_of_use = |(at, _): &(Timestamp, _)| now.duration_since(*at) <= oldest;
        self.parts.retain(|_, kept| kept.back().is_some_and(is_of_use));
    }

    /// Drops all pasts of the pose: it shows another view, or nobody looks there any more.
    pub fn forget(&mut self, camera: &CameraId, pose: &PoseId) {
        self.parts.retain(|(its, at, _), _| (its, at) != (camera, pose));
    }

    /// Drops the pasts of the pose's tiles: the tiles have moved.
    pub fn forget_tiles(&mut self, camera: &CameraId, pose: &PoseId) {
        self.parts.retain(|(its, at, tile), _| tile.is_none() || (its, at) != (camera, pose));
    }
}

fn spaces((_, _, tile): &Part) -> i32 {
    if tile.is_some() { SPACES_OF_TILE } else { SPACES }
}

fn kept_max(part: &Part) -> usize {
    usize::try_from(spaces(part) + KEPT_BEYOND).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILE: Option<Tile> = Some(Tile { x: 0, y: 50, w: 100, h: 100 });

    fn picture(size: u32) -> Arc<Picture> {
        Arc::new(Picture::from_rgb(size, 2, &vec![0; (size * 6) as usize]).expect("sizes fit"))
    }

    fn part(pose: &str, tile: Option<Tile>) -> Part {
        ("c".into(), pose.into(), tile)
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s)
    }

    /// Keeps a picture at each second of `times_s`. Returns the second of the picture that is the
    /// past at `now_s`.
    fn story(tile: Option<Tile>, times_s: &[i64], now_s: i64) -> Option<i64> {
        let part = part("default", tile);
        let mut history = Pasts::new(SignedDuration::from_secs(180));
        let pictures: Vec<_> = times_s.iter().map(|&s| (s, picture(4))).collect();
        for (s, picture) in &pictures {
            history.keep(&part, at(*s), Arc::clone(picture));
            let longest = history.parts.values().map(VecDeque::len).max();
            assert!(longest <= Some(kept_max(&part)), "the bound holds");
        }
        let full = times_s.len() < 100 || history.parts[&part].len() == kept_max(&part);
        assert!(full, "and is reached");
        let past = history.past(&part, at(now_s))?;
        pictures.iter().find(|(_, p)| Arc::ptr_eq(p, &past)).map(|(s, _)| *s)
    }

    #[test]
    fn the_picture_nearest_to_three_minutes_ago_comes_back() {
        let every_ten: Vec<i64> = (0..=120).map(|i| i * 10).collect();
        for (what, tile, times_s, now_s, expected) in [
            ("nothing yet", None, &[][..], 100, None),
            ("too young", None, &[90], 100, None),
            ("the only one", None, &[70], 100, Some(70)),
            ("an image a minute", None, &[0, 60, 120, 180, 240], 300, Some(120)),
            ("a long gap: another light", None, &[0], 600, None),
            ("as old as it may be", None, &[0], 540, Some(0)),
            ("every ten seconds, one in five kept", None, &every_ten, 1200, Some(1000)),
            ("of a tile one in nine", TILE, &every_ten, 1200, Some(990)),
            ("a tile that was seen once", TILE, &[70], 100, Some(70)),
            ("time went back: afresh", None, &[1000, 10], 100, Some(10)),
            ("two in the wrong order", None, &[100, 95], 160, Some(100)),
        ] {
            assert_eq!(story(tile, times_s, now_s), expected, "{what}");
        }
    }

    #[test]
    fn for_each_age_the_nearest_kept_picture_comes_back() {
        let part = part("default", None);
        for (what, times_s, now_s, expected) in [
            ("nothing yet", &[][..], 100, None),
            ("too young", &[90], 100, None),
            ("one stands for all", &[70], 100, Some([70, 70, 70])),
            ("a picture every 45 s", &[0, 45, 90, 135, 180, 225], 240, Some([180, 135, 45])),
            ("the present is none of them", &[0, 100], 100, Some([0, 0, 0])),
        ] {
            let mut history = Pasts::new(SignedDuration::from_secs(180));
            let kept: Vec<_> = times_s.iter().map(|&s| (s, picture(4))).collect();
            kept.iter().for_each(|(s, picture)| history.keep(&part, at(*s), Arc::clone(picture)));
            let second = |past: &Arc<Picture>| {
                kept.iter().find(|(_, it)| Arc::ptr_eq(it, past)).map(|(s, _)| *s)
            };
            let pasts =
                history.pasts(&part, at(now_s), &[60, 120, 180].map(SignedDuration::from_secs));
            let seconds = pasts.map(|it| it.iter().filter_map(second).collect::<Vec<_>>());
            assert_eq!(seconds, expected.map(|it| it.to_vec()), "{what}");
        }
    }

    #[test]
    fn poses_and_tiles_do_not_mix_and_a_new_size_starts_afresh() {
        let mut history = Pasts::new(SignedDuration::from_secs(180));
        let (left, tile) = (part("left", None), part("left", TILE));
        history.keep(&left, at(0), picture(4));
        assert!(history.past(&part("right", None), at(180)).is_none());
        assert!(history.past(&tile, at(180)).is_none());
        history.keep(&tile, at(0), picture(6));
        assert_eq!(history.past(&tile, at(180)).map(|p| p.width()), Some(6));
        history.forget(&"c".into(), &"right".into());
        assert!(history.past(&tile, at(180)).is_some(), "another pose's");
        history.forget_tiles(&"c".into(), &"left".into());
        assert!(history.past(&tile, at(180)).is_none());
        assert!(history.past(&left, at(180)).is_some());
        history.keep(&left, at(170), picture(8));
        assert!(history.past(&left, at(180)).is_none());
        assert_eq!(history.past(&left, at(200)).map(|p| p.width()), Some(8));
        history.forget(&"c".into(), &"left".into());
        assert!(history.past(&left, at(200)).is_none());
    }
}
