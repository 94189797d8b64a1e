//! Pure: the office's rules as one value. The province sets only 10/30/60 minutes; every other
//! number is this system's default (本系统默认，非省定) and configurable.

use super::sighting::SourceKind;
use crate::base::range::{at_least, more_than, within};
use crate::lang::Words;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The number under which the log knows these rules (`desk/signing.rs`); recorded with every
    /// event made under them.
    pub version: u32,
    /// The instant from which the three clocks count; printed on every statistic. Rungs always
    /// count from the dispatch: nobody is rung for time in which nobody could have acted.
    pub zero_point: ZeroPoint,
    /// 确认接收, Hunan's 131 rule: 10 minutes (湖南日报 2024-02-26).
    pub acknowledge_within: SignedDuration,
    /// 抵达现场: 30 minutes.
    pub arrive_within: SignedDuration,
    /// 核查、处置、反馈: 60 minutes.
    pub report_within: SignedDuration,
    /// Whether an officer looks first, for each source.
    pub review: ReviewPolicy,
    /// Effect of a label on automatic dispatch.
    pub labelled: LabelPolicy,
    /// Which grids are told when the fire may lie in several.
    pub border: BorderPolicy,
    /// Who is rung, repeatedly and higher up, while a task is not done.
    pub chase: ChasePolicy,
    /// Two sightings farther apart in time than this are never one fire: 12 h.
    pub fuse_window: SignedDuration,
    /// An arrival is proven within this distance of where the fire may be: 500 m (domain rule 19).
    pub arrival_radius_m: f64,
    /// A phone's position older than this proves no arrival: 2 min.
    pub position_age_max: SignedDuration,
    /// How long an officer's decision in progress holds automatic dispatch: 1 min, renewed while
    /// the page is open …
    pub intent_hold: SignedDuration,
    /// … and at most this long in total: 5 min, half the time to acknowledge.
    pub intent_max: SignedDuration,
    /// How long new evidence at a place closed as no forest fire only reminds: 2 h, about one pass
    /// of the next satellite.
    pub quiet_after: SignedDuration,
    /// More new incidents a minute of one kind of source than this are told as one group: 5, the
    /// number of cards an officer can look at in that minute.
    pub flood_per_minute: u32,
    /// Who is told when, unless the step has been taken.
    pub ladder: Vec<Rung>,
}

impl Policy {
    /// Checks what types cannot express.
    ///
    /// # Errors
    /// Names the key, what it is and what it may be.
    pub fn check(&self) -> Result<(), Words> {
        let usual = Self::default();
        let Self { review, chase, .. } = self;
        for (key, value, usual) in [
            ("acknowledge_within", self.acknowledge_within, usual.acknowledge_within),
            ("arrive_within", self.arrive_within, usual.arrive_within),
            ("report_within", self.report_within, usual.report_within),
            ("fuse_window", self.fuse_window, usual.fuse_window),
            ("position_age_max", self.position_age_max, usual.position_age_max),
            ("review.alarm_after", review.alarm_after, usual.review.alarm_after),
            ("labelled.digest_after", self.labelled.digest_after, usual.labelled.digest_after),
            ("chase.again", chase.again, usual.chase.again),
            (
                "chase.review_report_within",
                chase.review_report_within,
                usual.chase.review_report_within,
            ),
            ("chase.supplement_within", chase.supplement_within, usual.chase.supplement_within),
            ("chase.relocation_within", chase.relocation_within, usual.chase.relocation_within),
            ("chase.answer_holds", chase.answer_holds, usual.chase.answer_holds),
        ] {
            within(key, value, SHORTEST..=LONGEST, usual)?;
        }
        more_than(
            "arrive_within",
            self.arrive_within,
            "acknowledge_within",
            self.acknowledge_within,
        )?;
        more_than("report_within", self.report_within, "arrive_within", self.arrive_within)?;
        within("quiet_after", self.quiet_after, SignedDuration::ZERO..=LONGEST, usual.quiet_after)?;
        within("intent_hold", self.intent_hold, SHORTEST..=HELD_MAX, usual.intent_hold)?;
        within("intent_max", self.intent_max, SHORTEST..=HELD_MAX, usual.intent_max)?;
        at_least("intent_max", self.intent_max, "intent_hold", self.intent_hold)?;
        within("arrival_radius_m", self.arrival_radius_m, 50.0..=5_000.0, usual.arrival_radius_m)?;
        within("flood_per_minute", self.flood_per_minute, 1..=1_000, usual.flood_per_minute)?;
        within("border.tell_from", self.border.tell_from, 0.0..=0.5, usual.border.tell_from)?;
        within("border.equal_from", self.border.equal_from, 0.5..=1.0, usual.border.equal_from)?;
        within("review.auto_score", review.auto_score, 0.0..=100.0, usual.review.auto_score)?;
        for (key, review) in [
            ("review.camera.officer_then_auto.after", review.camera),
            ("review.satellite.officer_then_auto.after", review.satellite),
            ("review.person.officer_then_auto.after", review.person),
            ("review.system.officer_then_auto.after", review.system),
        ] {
            if let Review::OfficerThenAuto { after } = review {
                within(key, after, SHORTEST..=HELD_MAX, minutes(2))?;
            }
        }
        let rounds = chase.rounds.iter().map(|round| (round.after, &round.tell));
        check_steps("chase.rounds", 1, &rounds.collect::<Vec<_>>())?;
        check_steps(
            "ladder",
            0,
            &self.ladder.iter().map(|rung| (rung.after, &rung.tell)).collect::<Vec<_>>(),
        )
    }
}

/// Rungs or rounds: when, and who is told.
fn check_steps(
    key: &str,
    least: usize,
    steps: &[(SignedDuration, &Vec<Role>)],
) -> Result<(), Words> {
    let count = format!("{key} (number of entries)");
    within(&count, steps.len(), least..=ROUNDS_MAX, 3)?;
    for (number, (after, tell)) in (1..).zip(steps) {
        let key = format!("{key} {number}");
        within(&format!("{key}: after"), *after, SignedDuration::ZERO..=LONGEST, minutes(5))?;
        if tell.is_empty() {
            return Err(Words::new(
                format!("{key}：tell 是空的，须写明呼叫谁，例如 [\"county_duty\"]"),
                format!("{key}: tell is empty: say who is rung, for example [\"county_duty\"]"),
            ));
        }
    }
    Ok(())
}

/// Shortest time that can be set: clocks are looked at every second.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// Longest time that can be set: nothing about a hot incident waits longer than a week.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest time that the policy waits for a person: an hour, in which 131 is over.
const HELD_MAX: SignedDuration = SignedDuration::from_hours(1);
/// Most rungs or rounds: more are a typing error, because there are seven roles.
const ROUNDS_MAX: usize = 20;

/// Effect of a label on automatic dispatch. It never hides an alert, and never holds one of three
/// pixels or more, or one seen over several passes (连续).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labelled {
    /// An officer looks first, and is rung.
    Officer,
    /// It is on the board and is told with the next digest.
    Digest,
    /// The label only explains.
    Send,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabelPolicy {
    /// 已知热源: a registered kiln or smelter.
    pub heat_source: Labelled,
    /// 已批用火
    pub burn: Labelled,
    /// 今日已核查: somebody was there within the last day.
    pub verified: Labelled,
    /// Learnt from closed incidents.
    pub static_heat: Labelled,
    /// A part of the picture that the office has masked.
    pub masked: Labelled,
    /// 误报记忆: resembles a verified false alarm of the last 30 days at the same place of the same
    /// view. By default it only explains, until the ops page has shown the office what `digest`
    /// would have changed.
    pub look_alike: Labelled,
    /// Interval between digests: 1 h. An alert in a digest rings with the next one if nobody has
    /// looked.
    pub digest_after: SignedDuration,
}

impl Default for LabelPolicy {
    fn default() -> Self {
        Self {
            heat_source: Labelled::Digest,
            burn: Labelled::Officer,
            verified: Labelled::Officer,
            static_heat: Labelled::Officer,
            masked: Labelled::Officer,
            look_alike: Labelled::Send,
            digest_after: SignedDuration::from_hours(1),
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BorderPolicy {
    /// Share of the uncertainty from which a neighbouring grid is told (邻格热点，请留意): 0.05,
    /// the tenth that a 90 % circle leaves out, halved between two sides.
    pub tell_from: f64,
    /// Two grids are about equally likely if the second has at least this share of the first's
    /// weight: 0.8.
    pub equal_from: f64,
    /// Whether both rangers are then asked to go; the first who answers goes.
    pub send_both: bool,
}

impl Default for BorderPolicy {
    fn default() -> Self {
        Self { tell_from: 0.05, equal_from: 0.8, send_both: false }
    }
}

/// A task that is not done is rung again and escalated while the incident is open.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChasePolicy {
    /// Counted from the first ring. After the last round and `again`, they start anew.
    pub rounds: Vec<Round>,
    pub again: SignedDuration,
    /// 待审核: time until an unreviewed report rings: 15 min.
    pub review_report_within: SignedDuration,
    /// 退回补充: time until a form sent back is due again: 30 min.
    pub supplement_within: SignedDuration,
    /// 位置更正: time for the officer to decide who continues: 3 min.
    pub relocation_within: SignedDuration,
    /// How long a person who answered a ring (收到) is not rung again about it: 30 min.
    pub answer_holds: SignedDuration,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    pub after: SignedDuration,
    pub tell: Vec<Role>,
    pub channel: Channel,
}

impl Default for ChasePolicy {
    fn default() -> Self {
        let round = |after, tell: &[Role]| Round {
            after: minutes(after),
            tell: tell.to_vec(),
            channel: Channel::Voice,
        };
        Self {
            rounds: vec![
                round(0, &[Role::CountyDuty]),
                round(5, &[Role::CountyLeader]),
                round(10, &[Role::CountyDuty, Role::NextDuty]),
            ],
            again: minutes(10),
            review_report_within: minutes(15),
            supplement_within: minutes(30),
            relocation_within: minutes(3),
            answer_holds: minutes(30),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZeroPoint {
    /// 派发时刻 (default)
    Dispatched,
    /// 发现时刻
    FirstSeen,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReviewPolicy {
    pub camera: Review,
    pub satellite: Review,
    pub person: Review,
    pub system: Review,
    /// Lowest priority score, 0..100, at which `officer_then_auto` dispatches by itself; below it,
    /// `chase.rounds` begin.
    pub auto_score: f64,
    /// Time after which an alert that nobody has looked at begins `chase.rounds`.
    pub alarm_after: SignedDuration,
}

impl ReviewPolicy {
    pub fn of(&self, source: SourceKind) -> Review {
        match source {
            SourceKind::Camera => self.camera,
            SourceKind::Satellite => self.satellite,
            SourceKind::Person => self.person,
            SourceKind::System => self.system,
        }
    }
}

/// What must happen between a confirmed sighting and a dispatch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Dispatch at once to the likeliest grid; its neighbours are told.
    Auto,
    /// An officer looks first.
    Officer,
    /// An officer has `after` to look; then the policy dispatches by itself.
    OfficerThenAuto { after: SignedDuration },
}

/// One rung of the escalation ladder 村 → 乡镇 → 县.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Counted from the dispatch.
    pub after: SignedDuration,
    /// The rung is silent once this step is taken.
    pub unless: Stage,
    pub tell: Vec<Role>,
    pub channel: Channel,
}

/// The three steps the ranger takes.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Acknowledged,
    Arrived,
    Reported,
}

/// Who is addressed: the person in that role on today's rota, never a title holder.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The ranger dispatched (护林员 A角).
    Ranger,
    /// The grid's B角.
    BackupRanger,
    /// 村级林长
    VillageChief,
    /// 乡镇值班
    TownshipDuty,
    /// 县值班员
    CountyDuty,
    /// 县带班领导
    CountyLeader,
    /// 下一班值班员: the county duty officer of the next shift, if today's do not answer.
    NextDuty,
}

#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 短信
    Sms,
    /// 语音外呼
    Voice,
    /// 企业微信群机器人
    Wecom,
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

impl Default for Policy {
    fn default() -> Self {
        use Role::*;
        let rung = |after, unless, tell: &[Role], channel| Rung {
            after: minutes(after),
            unless,
            tell: tell.to_vec(),
            channel,
        };
        Self {
            version: 1,
            zero_point: ZeroPoint::Dispatched,
            acknowledge_within: minutes(10),
            arrive_within: minutes(30),
            report_within: minutes(60),
            review: ReviewPolicy::default(),
            labelled: LabelPolicy::default(),
            border: BorderPolicy::default(),
            chase: ChasePolicy::default(),
            fuse_window: SignedDuration::from_hours(12),
            arrival_radius_m: 500.0,
            position_age_max: minutes(2),
            intent_hold: minutes(1),
            intent_max: minutes(5),
            quiet_after: SignedDuration::from_hours(2),
            flood_per_minute: 5,
            // 勉县叫应 figures (robot call within 3 min, three calls in 5 min, then the superior),
            // domain rule 15.
            ladder: vec![
                rung(3, Stage::Acknowledged, &[Ranger], Channel::Voice),
                rung(5, Stage::Acknowledged, &[Ranger, BackupRanger], Channel::Voice),
                rung(10, Stage::Acknowledged, &[VillageChief, TownshipDuty], Channel::Sms),
                rung(30, Stage::Arrived, &[TownshipDuty, CountyDuty, CountyLeader], Channel::Sms),
                rung(60, Stage::Reported, &[CountyDuty, CountyLeader], Channel::Sms),
            ],
        }
    }
}

impl Default for ReviewPolicy {
    fn default() -> Self {
        Self {
            // The model card: not for dispatch without a person.
            camera: Review::Officer,
            satellite: Review::Auto,
            person: Review::Officer,
            system: Review::Officer,
            auto_score: 40.0,
            alarm_after: minutes(5),
        }
    }
}
