//! Pure: the office's rules as one value. Only 10/30/60 minutes are the province's; every other number is this system's
//! default (本系统默认，非省定) and configurable.

use super::sighting::SourceKind;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Grows with every published change; stands on every event made under it.
    pub version: u32,
    /// From which instant the three clocks count; printed on every statistic.
    pub zero_point: ZeroPoint,
    /// 确认接收, Hunan's 131 rule: 10 minutes (湖南日报 2024-02-26).
    pub acknowledge_within: SignedDuration,
    /// 抵达现场: 30 minutes.
    pub arrive_within: SignedDuration,
    /// 核查、处置、反馈: 60 minutes.
    pub report_within: SignedDuration,
    /// Second look or not, per source.
    pub review: ReviewPolicy,
    /// Two sightings farther apart in time than this are never one fire: 12 h.
    pub fuse_window: SignedDuration,
    /// An arrival is believed within max(the fix's radius, this) of the fire: 500 m (domain rule 19).
    pub arrival_radius_m: f64,
    /// Who is told when, counted from the zero point, unless the step has been taken.
    pub ladder: Vec<Rung>,
}

impl Policy {
    /// Whether an arrival so far from the fix's centre is believed. A far one is recorded with its distance and shown.
    pub fn believes_arrival(&self, distance_m: f64, fix_radius_m: f64) -> bool {
        distance_m <= fix_radius_m.max(self.arrival_radius_m)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    /// Priority score 0..100 from which `officer_then_auto` may dispatch by itself; below it, the leader on duty is rung instead.
    pub auto_score: f64,
    /// An alert under `officer` that nobody has looked at for so long rings the leader on duty.
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

/// What stands between a verified sighting and a ringing phone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Dispatch at once, when the grid is unique and has a reachable ranger.
    Auto,
    /// An officer looks first.
    Officer,
    /// An officer has `after` to look; then it dispatches itself.
    OfficerThenAuto { after: SignedDuration },
}

/// One rung of the escalation ladder 村 → 乡镇 → 县.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Counted from the zero point.
    pub after: SignedDuration,
    /// The step whose taking makes this rung silent.
    pub unless: Stage,
    pub tell: Vec<Role>,
    pub channel: Channel,
}

/// The three steps the ranger takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Acknowledged,
    Arrived,
    Reported,
}

/// Who is addressed: the person in that role on today's rota, never a title holder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
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
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
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
            fuse_window: SignedDuration::from_hours(12),
            arrival_radius_m: 500.0,
            // 勉县叫应 figures (robot call within 3 min, three calls in 5 min, then the superior), domain rule 15.
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
            camera: Review::OfficerThenAuto { after: minutes(2) },
            satellite: Review::Auto,
            person: Review::Officer,
            system: Review::OfficerThenAuto { after: minutes(2) },
            auto_score: 40.0,
            alarm_after: minutes(5),
        }
    }
}
