//! Pure: what does this picture show, and can the camera still see? Judged from brightness alone,
//! on a small copy (about 0.25 ms at 640 × 360, 0.3 ms when the camera has moved:
//! `cargo bench --bench truth`).
//!
//! It judges the camera, never the scene: the frame is analysed whatever the verdict. A valley full
//! of smoke and a valley full of fog look alike to it, so the sentence for both is that this camera
//! cannot see far now.
//!
//! How certain each verdict is:
//! - black, frozen, resized: certain.
//! - over-exposed: it is certain that most of the picture is clipped. The sun, a lamp and a wrong
//!   exposure look alike.
//! - blurred: large shapes are as usual while edges are missing. Drops, dirt, webs near the lens
//!   and lost focus look alike.
//! - fog or covered: large shapes are missing as well. A picture that became dark, or changed from
//!   one look to the next within a minute, is called covered; one that faded is called fog. A bag
//!   slipped over the lens between looks is called fog, and fog driven in by wind is called
//!   covered. Each sentence names the other cause.
//! - moved: certain where edges match at another position. Where nothing matches, the camera was
//!   turned farther than a third of the picture or zoomed, or the scene was rebuilt.
//!
//! By night, in pictures darker than [`DARK_MEAN`], only black and frozen are detected.

mod baseline;
#[cfg(test)]
pub(super) mod kit;
mod pose;
mod small;
mod views;
mod votes;

use super::fault::Fault;
use crate::frame::Picture;
use baseline::Baseline;
use jiff::{SignedDuration, Timestamp};
use pose::{Fit, Reference};
use small::DARK_MEAN;
pub(super) use small::Measurements;
pub(super) use views::{Shown, Views};
use votes::Votes;

/// Black: a mean brightness up to this (video black is 16) …
const BLACK_MEAN: f32 = 24.0;
/// … with a standard deviation below this: a covered lens or a dead sensor. A moonless night with
/// stars or lamps has more.
const BLACK_SPREAD: f32 = 4.0;
/// Over-exposed: more than this share of pixels is clipped. A white sky is at most about half of a
/// watch camera's picture.
const CLIPPED_SHARE: f32 = 0.75;
/// Blurred: edges below this share of the camera's usual …
const BLURRED_FINE: f32 = 0.4;
/// … while large shapes keep at least this share.
const BLURRED_COARSE: f32 = 0.5;
/// Nothing to see: large shapes and edges both below these shares of the usual.
const GONE_COARSE: f32 = 0.35;
const GONE_FINE: f32 = 0.5;
/// Nothing to see, whatever is usual: an even gradient of brightness. Levels.
const EVEN_COARSE: f32 = 2.5;
const EVEN_FINE: f32 = 8.0;
/// A cover takes light away: mean brightness below this share of the usual.
const COVERED_MEAN: f32 = 0.6;
/// Fog does not come from one look to the next. The picture changed suddenly when large shapes
/// stood at this share of the usual …
const CLEAR_COARSE: f32 = 0.8;
/// … no longer ago than this.
const SUDDEN: SignedDuration = SignedDuration::from_mins(1);

/// What is remembered of one camera's pictures: 70 kB.
#[derive(Debug, Default)]
pub struct Sight {
    last_at: Option<Timestamp>,
    still: Option<(u64, Timestamp)>,
    size: Option<(u32, u32)>,
    /// One for colour, one for the grey of night mode.
    lights: [Light; 2],
    gone: Option<Gone>,
    /// The time of the last look, if it showed large shapes about as usual.
    clear_at: Option<Timestamp>,
    votes: Votes,
}

#[derive(Debug, Default)]
struct Light {
    usual: Baseline,
    pose: Reference,
}

/// How the picture disappeared. Decided once, at the first look that shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Gone {
    Fog,
    Covered,
}

/// The result of one look: the verdict that holds, and the figures behind it for anyone who checks
/// them.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    pub fault: Option<Fault>,
    /// Most of the last looks show the learnt view. False by night and in fog, when it cannot be
    /// known.
    pub is_home: bool,
    pub figures: Figures,
}

/// Of one look. `…_usual` are shares of what is usual for this camera in this light.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Figures {
    pub mean: f32,
    pub clipped: f32,
    pub fine: f32,
    pub coarse: f32,
    pub fine_usual: Option<f32>,
    pub coarse_usual: Option<f32>,
    /// How well the view matches the reference, −1..=1, and the shift to the right and down, as
    /// shares of the picture's width.
    pub fits: Option<f32>,
    pub shift: Option<(f32, f32)>,
}

impl Sight {
    /// `at` must not go backwards. Frozen means that not one pixel differs. A live sensor always
    /// has noise, so a still hillside is never called frozen.
    pub fn judge(
        &mut self,
        picture: &Picture,
        at: Timestamp,
        frozen_after: SignedDuration,
        field_of_view_deg: Option<f64>,
    ) -> Judged {
        self.weigh(&Measurements::at(picture), at, frozen_after, field_of_view_deg)
    }

    /// The same for a `Look` computed before, outside of any lock: that is most of the work.
    pub(super) fn weigh(
        &mut self,
        look: &Measurements,
        at: Timestamp,
        frozen_after: SignedDuration,
        field_of_view_deg: Option<f64>,
    ) -> Judged {
        let since_last =
            self.last_at.replace(at).map_or(SignedDuration::ZERO, |last| at.duration_since(last));
        let still = self.still_for(look.fingerprint, at);
        let usual = self.lights[usize::from(look.is_grey)].usual;
        let mut fault = self.lens(look, &usual, at);
        let (mut shift, mut fits, mut is_home) = (None, None, false);
        if fault.is_none() && look.mean >= DARK_MEAN {
            let light = &mut self.lights[usize::from(look.is_grey)];
            light.usual.learn(look, since_last);
            let fit = light.pose.observe(&look.luma, look.size, since_last);
            fits = light.pose.fits;
            shift = if let Fit::Here(shift) = fit { Some((shift.right, shift.down)) } else { None };
            is_home = matches!(fit, Fit::Here(shift) if !shift.is_move());
            fault = moved(fit, field_of_view_deg);
        }
        let size = *self.size.get_or_insert(look.size);
        if fault.is_none() && size != look.size {
            fault = Some(Fault::Resized { from: size, to: look.size });
        }
        let voted = self.votes.cast(fault);
        let frozen = (still >= frozen_after).then_some(Fault::Frozen { seconds: still.as_secs() });
        let fault = match voted {
            Some(Fault::Black) => voted,
            voted => frozen.or(voted),
        };
        let (fine_usual, coarse_usual) = usual.shares(look).unzip();
        let Measurements { mean, clipped, fine, coarse, .. } = *look;
        Judged {
            fault,
            is_home,
            figures: Figures { mean, clipped, fine, coarse, fine_usual, coarse_usual, fits, shift },
        }
    }

    fn still_for(&mut self, fingerprint: u64, at: Timestamp) -> SignedDuration {
        let since = match self.still {
            Some((last, since)) if last == fingerprint => since,
            _ => at,
        };
        self.still = Some((fingerprint, since));
        at.duration_since(since)
    }

    /// Faults between the sensor and the scene.
    fn lens(&mut self, look: &Measurements, usual: &Baseline, at: Timestamp) -> Option<Fault> {
        if look.mean < BLACK_MEAN && look.spread < BLACK_SPREAD {
            return Some(Fault::Black);
        }
        if look.clipped > CLIPPED_SHARE {
            return Some(Fault::Overexposed { percent: percent(look.clipped) });
        }
        let shares = usual.shares(look);
        let is_even = look.coarse < EVEN_COARSE && look.fine < EVEN_FINE;
        let is_gone = shares.is_some_and(|(fine, coarse)| coarse < GONE_COARSE && fine < GONE_FINE);
        let clear_at = self.clear_at.take();
        if look.mean < DARK_MEAN {
            self.gone = None;
            return None;
        }
        if is_even || is_gone {
            let is_darker = usual.is_known() && look.mean < COVERED_MEAN * usual.mean();
            let is_sudden = clear_at.is_some_and(|clear| at.duration_since(clear) <= SUDDEN);
            let how = if is_darker || is_sudden { Gone::Covered } else { Gone::Fog };
            return Some(match *self.gone.get_or_insert(how) {
                Gone::Covered => Fault::Covered,
                Gone::Fog => Fault::Fog,
            });
        }
        self.gone = None;
        let (fine, coarse) = shares?;
        self.clear_at = (coarse >= CLEAR_COARSE).then_some(at);
        (fine < BLURRED_FINE && coarse >= BLURRED_COARSE)
            .then_some(Fault::Blurred { percent: percent(fine) })
    }

    /// After a gap, pictures are compared afresh. What is usual for this camera is kept.
    pub fn resume(&mut self) {
        self.still = None;
        self.votes = Votes::default();
        (self.gone, self.clear_at, self.last_at) = (None, None, None);
    }

    /// A turning camera is back at this view. What it was at the last visit says nothing about how
    /// still or how sudden the picture is now.
    pub(super) fn arrive(&mut self) {
        (self.still, self.gone, self.clear_at) = (None, None, None);
    }

    /// The office confirms the present view: view, size and sharpness are learnt anew.
    pub fn accept(&mut self) {
        *self = Self::default();
    }
}

fn moved(fit: Fit, field_of_view_deg: Option<f64>) -> Option<Fault> {
    match fit {
        Fit::Here(shift) if shift.is_move() => {
            let tenths = |share: f32| match field_of_view_deg {
                Some(degrees) => (f64::from(share) * degrees * 10.0).round() as i32,
                None => (share * 1000.0).round() as i32,
            };
            let (right_tenths, down_tenths) = (-tenths(shift.right), -tenths(shift.down));
            Some(Fault::Moved {
                right_tenths,
                down_tenths,
                in_degrees: field_of_view_deg.is_some(),
            })
        }
        Fit::Elsewhere => Some(Fault::OtherView),
        Fit::Here(_) | Fit::Unknown => None,
    }
}

fn percent(share: f32) -> u32 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u32
}

#[cfg(test)]
mod tests;
