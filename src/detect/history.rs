//! Pure: what each pose looked like in the last minutes, because smoke is what was not there before.

use crate::frame::Picture;
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A younger picture shows the same smoke and says nothing.
const YOUNGEST: SignedDuration = SignedDuration::from_secs(20);
/// So many pictures lie between the present and the wanted past: spacing = past / 4.
const SPACES: i32 = 4;
/// Pictures older than past × 3 are of another light (trained: up to 8 min for a past of 3).
const OLDEST: i32 = 3;
/// Pictures kept a pose: those of one past, one beyond it, and the newest.
/// At 320×180 (a network that averages the past 2 × 2) that is 6 × 86 kB = 0.5 MB a pose, 0.14 GB for 267 cameras.
const KEPT_MAX: usize = SPACES as usize + 2;

/// Earlier pictures of every pose, already shrunk to what the network sees of them.
#[derive(Debug)]
pub struct History {
    past: SignedDuration,
    poses: BTreeMap<(CameraId, PoseId), Kept>,
}

/// Oldest first.
type Kept = VecDeque<(Timestamp, Arc<Picture>)>;

impl History {
    /// `past`: how far back the network wants to see.
    pub fn new(past: SignedDuration) -> Self {
        Self { past, poses: BTreeMap::new() }
    }

    /// The picture nearest to `now - past` among those at least 20 s and at most three pasts old.
    pub fn past(&self, camera: &CameraId, pose: &PoseId, now: Timestamp) -> Option<Arc<Picture>> {
        let kept = self.poses.get(&(camera.clone(), pose.clone()))?;
        let age = |at: &Timestamp| now.duration_since(*at);
        kept.iter()
            .filter(|(at, _)| age(at) >= YOUNGEST && age(at) <= self.past * OLDEST)
            .min_by_key(|(at, _)| (age(at) - self.past).abs())
            .map(|(_, picture)| Arc::clone(picture))
    }

    /// Whether a picture of now would be kept: the last one is a quarter past old. One that two workers brought in the wrong
    /// order is let go; one that is a whole past older than the last says that time went back.
    pub fn wants(&self, camera: &CameraId, pose: &PoseId, now: Timestamp) -> bool {
        let last = self.poses.get(&(camera.clone(), pose.clone())).and_then(VecDeque::back);
        let since = last.map(|(at, _)| now.duration_since(*at));
        since.is_none_or(|since| since >= self.past / SPACES || since < -self.past)
    }

    /// Keeps the picture if it is wanted; never more than six a pose. A picture of another size (the camera was set anew), or
    /// a whole past older than the last, starts the pose afresh.
    pub fn keep(&mut self, camera: &CameraId, pose: &PoseId, now: Timestamp, picture: Arc<Picture>) {
        if !self.wants(camera, pose, now) {
            return;
        }
        let kept = self.poses.entry((camera.clone(), pose.clone())).or_default();
        let follows = |(last, before): &(Timestamp, Arc<Picture>)| {
            *last <= now && (before.width(), before.height()) == (picture.width(), picture.height())
        };
        if !kept.back().is_some_and(follows) {
            kept.clear();
        }
        kept.push_back((now, picture));
        while kept.len() > KEPT_MAX {
            kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(size: u32) -> Arc<Picture> {
        Arc::new(Picture::from_rgb(size, 2, &vec![0; (size * 6) as usize]).expect("sizes fit"))
    }

    /// Feeds a picture at each second given, and says which second's picture comes back at `now_s`.
    fn story(times_s: &[i64], now_s: i64) -> Option<i64> {
        let (camera, pose) = ("c".into(), "default".into());
        let mut history = History::new(SignedDuration::from_secs(180));
        let at = |s: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s);
        let pictures: Vec<_> = times_s.iter().map(|&s| (s, picture(4))).collect();
        for (s, picture) in &pictures {
            history.keep(&camera, &pose, at(*s), Arc::clone(picture));
            let longest = history.poses.values().map(VecDeque::len).max();
            assert!(longest <= Some(KEPT_MAX), "the bound holds");
        }
        let past = history.past(&camera, &pose, at(now_s))?;
        pictures.iter().find(|(_, p)| Arc::ptr_eq(p, &past)).map(|(s, _)| *s)
    }

    #[test]
    fn the_picture_nearest_to_three_minutes_ago_comes_back() {
        let every_ten: Vec<i64> = (0..=120).map(|i| i * 10).collect();
        for (what, times_s, now_s, expected) in [
            ("nothing yet", &[][..], 100, None),
            ("too young", &[90], 100, None),
            ("the only one", &[70], 100, Some(70)),
            ("an image a minute", &[0, 60, 120, 180, 240], 300, Some(120)),
            ("a long gap: another light", &[0], 600, None),
            ("as old as it may be", &[0], 540, Some(0)),
            ("every ten seconds, one in five kept", &every_ten, 1200, Some(1000)),
            ("time went back: afresh", &[1000, 10], 100, Some(10)),
            ("two in the wrong order", &[100, 95], 160, Some(100)),
        ] {
            assert_eq!(story(times_s, now_s), expected, "{what}");
        }
    }

    #[test]
    fn poses_do_not_mix_and_a_new_size_starts_afresh() {
        let mut history = History::new(SignedDuration::from_secs(180));
        let (camera, left, right) = (CameraId::from("c"), PoseId::from("left"), PoseId::from("right"));
        let at = |s: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s);
        history.keep(&camera, &left, at(0), picture(4));
        assert!(history.past(&camera, &right, at(180)).is_none());
        history.keep(&camera, &left, at(170), picture(8));
        assert!(history.past(&camera, &left, at(180)).is_none());
        assert_eq!(history.past(&camera, &left, at(200)).map(|p| p.width()), Some(8));
    }
}
