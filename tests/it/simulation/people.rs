//! Pure: how people behave. Rangers answer at once, late, twice or never, or decline. Officers look
//! soon, late, or only when called.

use super::chance::Chance;
use super::fires::{Cause, Truth};
use huoyan::triage::event::{Closure, FalseAlarm, Position, Verification};
use huoyan::triage::incident::Incident;
use jiff::Timestamp;

/// What a ranger will do about a dispatch once he has heard of it. Minutes, each after the previous
/// step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Plan {
    Goes(Way),
    Declines { after: f64 },
    Never,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Way {
    pub acknowledge: f64,
    pub arrive: f64,
    pub report: f64,
    /// Presses every button twice.
    pub twice: bool,
    /// Forgets to press 已到达.
    pub no_arrival: bool,
    /// There is no signal at the fire: delay of taps, minutes.
    pub offline: f64,
}

/// `urged`: one of his superiors has phoned.
pub fn plan(seed: u64, ranger: &str, dispatch: usize, urged: bool) -> Plan {
    let mut chance = Chance::of(seed, &format!("plan {ranger} {dispatch}"));
    let (kind, late) = (chance.unit(), chance.between(9.0, 25.0));
    let way = Way {
        acknowledge: chance.between(0.3, 4.0),
        arrive: if chance.happens(0.85) {
            chance.between(7.0, 24.0)
        } else {
            chance.between(28.0, 45.0)
        },
        report: chance.between(5.0, 22.0),
        twice: chance.happens(0.1),
        no_arrival: chance.happens(0.08),
        offline: if chance.happens(0.15) { chance.between(5.0, 40.0) } else { 0.0 },
    };
    match kind {
        it if it < 0.76 => Plan::Goes(way),
        it if it < 0.88 => Plan::Goes(Way { acknowledge: if urged { 1.0 } else { late }, ..way }),
        it if it < 0.94 => Plan::Declines { after: way.acknowledge },
        _ => Plan::Never,
    }
}

/// Minutes until the officer at the board looks at a new card by himself; `None`: only when called.
pub fn looks_by_himself(seed: u64, subject: &str) -> Option<f64> {
    let mut chance = Chance::of(seed, &format!("looks {subject}"));
    match chance.unit() {
        it if it < 0.6 => Some(chance.between(0.4, 3.0)),
        it if it < 0.85 => Some(chance.between(5.0, 20.0)),
        _ => None,
    }
}

/// The officer's decision about a card that waits for him.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    Send,
    Close(Closure),
}

/// He sees the picture and phones the kiln or the burn. He takes one in ten real fires at an
/// expected heat source for the kiln. To real fires elsewhere he always sends somebody. Of false
/// alarms he sends somebody to a fifth, to be sure.
pub fn verdict(seed: u64, code: &str, truth: &Truth, cause: Option<Cause>) -> Verdict {
    let mut chance = Chance::of(seed, &format!("verdict {code}"));
    let mistaken = chance.happens(0.1);
    let careful = chance.happens(0.2);
    match cause {
        Some(Cause::Fire(n)) => match truth.fires[n].at_site {
            Some(site) if mistaken => Verdict::Close(closure(truth, Some(site))),
            _ => Verdict::Send,
        },
        Some(Cause::Nothing(n)) if truth.spot(Cause::Nothing(n)).is_some() && careful => {
            Verdict::Send
        }
        None => Verdict::Send,
        cause => Verdict::Close(closure(truth, cause)),
    }
}

/// Official categories (`report::category`).
fn category(truth: &Truth, cause: Option<Cause>) -> u8 {
    match cause {
        Some(Cause::Fire(n)) if truth.fires[n].forest => 0,
        Some(Cause::Fire(_)) => 3,
        Some(Cause::Kiln(_)) => 6,
        Some(Cause::Burn(_)) => 4,
        Some(Cause::Nothing(_)) | None => 9,
    }
}

pub fn closure(truth: &Truth, cause: Option<Cause>) -> Closure {
    let false_alarm =
        matches!(cause, Some(Cause::Nothing(_)) | None).then_some(FalseAlarm::Unclear);
    Closure {
        category: category(truth, cause),
        false_alarm,
        words: "已核实".to_owned(),
        passed_to: None,
    }
}

pub fn verification(
    truth: &Truth,
    cause: Option<Cause>,
    position: Position,
    now: Timestamp,
) -> Verification {
    let burning = burning(truth, cause, now);
    Verification {
        category: category(truth, cause),
        flames: None,
        area_mu: None,
        extinguished: Some(!burning),
        words: "现场已核查".to_owned(),
        photos: Vec::new(),
        no_photo_reason: Some("模拟".to_owned()),
        position: Some(position),
    }
}

pub fn burning(truth: &Truth, cause: Option<Cause>, now: Timestamp) -> bool {
    matches!(cause, Some(Cause::Fire(n)) if truth.fires[n].burns(now))
}

/// Where the ranger ends up: at the fire if he could see it from where he was sent, otherwise where
/// he was sent.
pub fn position(
    truth: &Truth,
    cause: Option<Cause>,
    incident: &Incident,
    measured_at: Timestamp,
) -> Position {
    /// Distance at which smoke is seen and smelt, metres.
    const SEES_M: f64 = 2_500.0;
    let sent_to = incident.fix.centre;
    let real = cause
        .and_then(|it| truth.spot(it))
        .map(|it| it.at())
        .filter(|it| it.distance_m(sent_to) <= SEES_M);
    Position { at: real.unwrap_or(sent_to), accuracy_m: 12.0, measured_at: Some(measured_at) }
}
