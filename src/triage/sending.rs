//! Pure: the one rule of sending: may a ranger be sent without a person's decision, which one, and
//! why. It is applied to an opening, to added evidence, to a missed review and to a relocation;
//! nothing else decides this. The answer has its reasons.

use super::cluster::{self, PASSES_MANY, PIXELS_MANY};
use super::event::{Because, Candidate, Neighbour, Place};
use super::geo::{FixMethod, Locus, Ray};
use super::id::PersonId;
use super::opinion::Opinion;
use super::policy::{Labelled, Policy, Review};
use super::sighting::{Label, Sighting, Source, SourceKind};
use jiff::SignedDuration;

/// What is known when the rule is applied.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub evidence: &'a [Sighting],
    pub place: &'a Place,
    pub method: FixMethod,
    /// Priority score, 0..=100.
    pub score: f64,
    /// Rangers who cannot go.
    pub declined: &'a [PersonId],
    /// The time for an officer's look is over.
    pub waited: bool,
    /// It is one of too many similar incidents within a minute.
    pub flood: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Sending {
    pub verdict: Verdict,
    /// 为什么派他 / 为什么没派, the most decisive first.
    pub because: Vec<Because>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    Send {
        ranger: PersonId,
        neighbours: Vec<Neighbour>,
    },
    /// An officer looks. After `within` the rule is applied again, with `waited`.
    Look {
        within: SignedDuration,
    },
    /// An officer looks with the next digest.
    Digest,
    /// 转报: passed on to the neighbouring county.
    PassOn,
}

/// Applies the rule of this module.
pub fn judge(case: &Case<'_>, policy: &Policy) -> Sending {
    let mut because = Vec::new();
    let verdict = verdict(case, policy, &mut because);
    Sending { verdict, because }
}

/// The rangers of the other grids in which the fire may be: they are told besides the one who is
/// sent.
pub fn neighbours(place: &Place, ranger: &PersonId, policy: &Policy) -> Vec<Neighbour> {
    let Some(first) = place.candidates.first() else { return Vec::new() };
    let of_ranger =
        |it: &Candidate| it.ranger.as_ref() == Some(ranger) || it.backup.as_ref() == Some(ranger);
    let both = |it: &Candidate| {
        policy.border.send_both && it.weight >= policy.border.equal_from * first.weight
    };
    let mut told: Vec<Neighbour> = Vec::new();
    // A grid that only hints make unlikely is told all the same.
    let may_be = |it: &Candidate| it.weight.max(it.share) >= policy.border.tell_from;
    for it in place.candidates.iter().filter(|it| may_be(it) && !of_ranger(it)) {
        let Some(other) = it.ranger.as_ref().or(it.backup.as_ref()) else { continue };
        if other != ranger && told.iter().all(|known| known.ranger != *other) {
            told.push(Neighbour { grid: it.grid.clone(), ranger: other.clone(), go: both(it) });
        }
    }
    told
}

fn verdict(case: &Case<'_>, policy: &Policy, because: &mut Vec<Because>) -> Verdict {
    let look = Verdict::Look { within: policy.review.alarm_after };
    if case.place.labels.contains(&Label::OutsideCounty) {
        let name = case.place.neighbour.as_ref().map(|it| it.name.clone()).unwrap_or_default();
        because.push(reason("outside_county", name));
        // A person who calls this office is answered by it.
        let called = case.evidence.iter().any(|it| it.source.kind() == SourceKind::Person);
        return if called { look } else { Verdict::PassOn };
    }
    match trust(case, policy, because) {
        Trust::Digest => return Verdict::Digest,
        Trust::Officer => return look,
        Trust::Doubted(within) => return Verdict::Look { within },
        Trust::AfterLook(after) if !case.waited => return Verdict::Look { within: after },
        Trust::AfterLook(_) if case.score < policy.review.auto_score => {
            because.push(reason(
                "low_score",
                format!("{:.0} < {:.0}", case.score, policy.review.auto_score),
            ));
            return look;
        }
        Trust::AfterLook(_) | Trust::AtOnce => {}
    }
    if case.method == FixMethod::Unaimed {
        because.push(reason("no_bearing", ""));
        return look;
    }
    if case.flood {
        because.push(reason("flood", policy.flood_per_minute.to_string()));
        return look;
    }
    let Some(ranger) = case.place.suggested.iter().find(|it| !case.declined.contains(it)) else {
        because
            .push(reason(if case.declined.is_empty() { "no_ranger" } else { "all_declined" }, ""));
        return look;
    };
    say_where(case.place, ranger, because);
    Verdict::Send { ranger: ranger.clone(), neighbours: neighbours(case.place, ranger, policy) }
}

/// How far a piece of evidence is trusted without a person. Ordered: the most trusted piece
/// decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    Digest,
    Officer,
    /// The second network doubts the only camera: instead of a dispatch, an officer looks within
    /// this time.
    Doubted(SignedDuration),
    AfterLook(SignedDuration),
    AtOnce,
}

fn trust(case: &Case<'_>, policy: &Policy, because: &mut Vec<Because>) -> Trust {
    let heat = cluster::heat(case.evidence);
    let large = heat.is_strong();
    let alone = is_one_camera(case.evidence);
    let best = case
        .evidence
        .iter()
        .map(|it| (of(it, policy, large, alone), it))
        .max_by(|(a, _), (b, _)| sooner(*a, *b));
    let Some((mut trust, decisive)) = best else { return Trust::Officer };
    if heat.pixels >= PIXELS_MANY {
        because.push(reason("pixels", heat.pixels.to_string()));
    }
    if heat.passes >= PASSES_MANY {
        because.push(reason("continuous", heat.passes.to_string()));
    }
    let held = decisive
        .labels
        .iter()
        .find(|it| !large && hold(it, policy).is_some_and(|it| it != Labelled::Send));
    if let Some(label) = held {
        because.push(said(label));
    }
    let kind = kind_word(decisive.source.kind());
    // A kiln that a satellite sees at every pass is not reported by another kind of source.
    let is_one_kind = case.evidence.iter().all(|it| it.source.kind() == decisive.source.kind());
    if trust == Trust::Digest && !is_one_kind {
        because.push(reason("two_kinds", ""));
        trust = Trust::Officer;
    }
    because.extend(match trust {
        Trust::Digest => Some(reason("digest", kind)),
        Trust::Officer => Some(reason("officer_first", kind)),
        Trust::AfterLook(after) => {
            Some(reason("officer_then_auto", format!("{kind} {}", after.as_secs())))
        }
        Trust::AtOnce => Some(reason("auto", kind)),
        // The second opinion, added next, is the reason.
        Trust::Doubted(_) => None,
    });
    let newest = || case.evidence.iter().rev().find_map(Sighting::opinion);
    let held = matches!(trust, Trust::Doubted(_));
    because.extend(decisive.opinion().or_else(newest).map(|it| second_opinion(it, held)));
    trust
}

/// All from one camera, however often: nobody else has seen it.
fn is_one_camera(evidence: &[Sighting]) -> bool {
    let camera = |it: &Sighting| match &it.source {
        Source::Camera { camera, .. } => Some(camera.clone()),
        _ => None,
    };
    let first = evidence.first().and_then(camera);
    first.is_some() && evidence.iter().all(|it| camera(it) == first)
}

/// `held`: the doubt is why nothing is sent without a person.
fn second_opinion(opinion: &Opinion, held: bool) -> Because {
    match opinion {
        Opinion::Given { score, agrees: true, .. } => {
            reason("second_opinion_agrees", format!("{score:.2}"))
        }
        Opinion::Given { score, .. } if held => {
            reason("second_opinion_holds", format!("{score:.2}"))
        }
        Opinion::Given { score, .. } => reason("second_opinion_doubts", format!("{score:.2}")),
        Opinion::NotGiven { reason: why } => reason("second_opinion_missing", why.as_str()),
    }
}

/// Of two waits the shorter is the greater trust.
fn sooner(a: Trust, b: Trust) -> std::cmp::Ordering {
    match (a, b) {
        (Trust::AfterLook(a), Trust::AfterLook(b)) | (Trust::Doubted(a), Trust::Doubted(b)) => {
            b.cmp(&a)
        }
        (a, b) => a.cmp(&b),
    }
}

/// `alone`: all of the evidence is from one camera.
fn of(sighting: &Sighting, policy: &Policy, large: bool, alone: bool) -> Trust {
    let doubted = alone && sighting.opinion().is_some_and(|it| it.doubt().is_some());
    let by_source = match policy.review.of(sighting.source.kind()) {
        Review::Auto if doubted => Trust::Doubted(policy.review.alarm_after),
        Review::OfficerThenAuto { after } if doubted => Trust::Doubted(after),
        Review::Auto => Trust::AtOnce,
        Review::OfficerThenAuto { after } => Trust::AfterLook(after),
        Review::Officer => Trust::Officer,
    };
    if large {
        return by_source;
    }
    let holds = sighting.labels.iter().filter_map(|label| Some((label, hold(label, policy)?)));
    let by_label = holds.map(|(label, it)| match it {
        Labelled::Digest if explains(label, sighting) => Trust::Digest,
        Labelled::Officer | Labelled::Digest => Trust::Officer,
        Labelled::Send => Trust::AtOnce,
    });
    by_label.fold(by_source, std::cmp::min)
}

/// Whether what is known at a place may explain all that was seen: for a pixel or a measured range
/// it may. A direction without a range only passes over that place, and a caller has seen more than
/// a place.
fn explains(label: &Label, sighting: &Sighting) -> bool {
    let of_the_picture = matches!(label, Label::Masked { .. } | Label::LookAlike { .. });
    let has_place = match sighting.locus {
        Locus::Sector(Ray { range, .. }) => range.is_measured(),
        Locus::Disc { .. } | Locus::Pixel { .. } => true,
        Locus::Unaimed { .. } => false,
    };
    of_the_picture || has_place && sighting.source.kind() != SourceKind::Person
}

fn hold(label: &Label, policy: &Policy) -> Option<Labelled> {
    Some(match label {
        Label::KnownHeatSource { .. } => policy.labelled.heat_source,
        Label::ApprovedBurn { .. } => policy.labelled.burn,
        Label::VerifiedLately { .. } => policy.labelled.verified,
        Label::StaticHeat { .. } => policy.labelled.static_heat,
        Label::Masked { .. } => policy.labelled.masked,
        Label::LookAlike { .. } => policy.labelled.look_alike,
        Label::BurnInBan { .. }
        | Label::Border { .. }
        | Label::OutsideCounty
        | Label::NoBearing { .. }
        | Label::UnknownDevice { .. } => return None,
    })
}

/// Names the grid of this ranger: the likeliest, unless its rangers cannot go.
fn say_where(place: &Place, ranger: &PersonId, because: &mut Vec<Because>) {
    let his = |it: &&Candidate| {
        [&it.ranger, &it.backup].into_iter().any(|it| it.as_ref() == Some(ranger))
    };
    because.push(match place.candidates.iter().find(his) {
        None => reason("nearest_grid", place.name.clone()),
        Some(only) if place.unique => reason("grid_unique", only.name.clone()),
        Some(it) => reason("grid_likeliest", format!("{} {:.0}%", it.name, it.weight * 100.0)),
    });
}

fn said(label: &Label) -> Because {
    match label {
        Label::KnownHeatSource { name } => reason("known_heat_source", name.clone()),
        Label::ApprovedBurn { name } => reason("approved_burn", name.clone()),
        Label::BurnInBan { name, .. } => reason("burn_in_ban", name.clone()),
        Label::Masked { name } => reason("masked", name.clone()),
        Label::VerifiedLately { code, .. } => reason("verified_lately", code.clone()),
        Label::StaticHeat { checks, .. } => reason("static_heat", checks.to_string()),
        Label::LookAlike { code, .. } => reason("look_alike", code.clone()),
        Label::Border { neighbours } => reason("border", neighbours.join("、")),
        Label::OutsideCounty => reason("outside_county", ""),
        Label::NoBearing { camera } => reason("no_bearing", camera.to_string()),
        Label::UnknownDevice { device } => reason("unknown_device", device.clone()),
    }
}

fn kind_word(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Camera => "camera",
        SourceKind::Satellite => "satellite",
        SourceKind::Person => "person",
        SourceKind::System => "system",
    }
}

pub fn reason(code: &str, value: impl Into<String>) -> Because {
    Because { code: code.to_owned(), value: value.into() }
}
