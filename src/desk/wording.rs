//! Pure: the wording of the texts. Each is complete without a link, because links in texts need the
//! vendor's approval and phones in the hills have no data (domain rule 44). They are in Chinese,
//! the language of the county. No text gives a place more precisely than it is known.

use crate::county::{County, county_time};
use crate::store::Message;
use crate::triage::cluster;
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Matter, Neighbour};
use crate::triage::geo::{Fix, FixMethod, Locus, Ray, Spread};
use crate::triage::id::{GridId, PersonId};
use crate::triage::incident::Incident;
use crate::triage::policy::{Role, Stage};
use crate::triage::sighting::{Source, SourceKind};
use jiff::Timestamp;

/// Codes named in one call; the rest is given as a number. A call is listened to, not read.
const CODES_MAX: usize = 6;

#[derive(Clone, Copy)]
pub(super) struct Wording<'a> {
    pub code: &'a str,
    pub signature: &'a str,
    pub incident: &'a Incident,
    pub county: &'a County,
}

impl Wording<'_> {
    pub(super) fn task_for_ranger(&self, at: Timestamp) -> String {
        format!("{}·回复1接收·{}", self.task(), self.duty_phone(at))
    }

    pub(super) fn relieved(&self, at: Timestamp) -> String {
        format!("{}·已改派他人·您不必前往·{}", self.head(), self.duty_phone(at))
    }

    pub(super) fn relocated(&self, at: Timestamp) -> String {
        format!("{}·位置更正，以此为准·{}", self.task(), self.duty_phone(at))
    }

    pub(super) fn neighbour(&self, near: &Neighbour, sent: &Dispatch, at: Timestamp) -> String {
        let grid =
            self.county.grid(&near.grid).map_or(near.grid.as_str(), |grid| grid.name.as_str());
        let wish = match near.go {
            true => format!("可能在您的{grid}，请与{}同去，先回复1者前往", self.name(&sent.ranger)),
            false => format!("邻格热点，可能在您的{grid}，请留意"),
        };
        format!("{}·{wish}·{}", self.task(), self.duty_phone(at))
    }

    /// A place that waits for the officer's decision, told to the person responsible for it.
    pub(super) fn maybe_here(&self, name: &str, grid: &GridId, at: Timestamp) -> String {
        let grid = self.county.grid(grid).map_or(grid.as_str(), |grid| grid.name.as_str());
        format!(
            "{}【{}】{}·{name}·可能在您的{grid}（位置待确认），请留意·{}",
            self.drill(),
            self.signature,
            self.code,
            self.duty_phone(at)
        )
    }

    pub(super) fn another_goes(&self, ranger: &PersonId, at: Timestamp) -> String {
        format!(
            "{}·{}已接收前往·您不必前往·{}",
            self.head(),
            self.name(ranger),
            self.duty_phone(at)
        )
    }

    pub(super) fn sent_back(&self, reason: &str, at: Timestamp) -> String {
        format!("{}·退回补充：{reason}·{}", self.head(), self.duty_phone(at))
    }

    pub(super) fn closed(&self, at: Timestamp) -> String {
        format!("{}·已销号·您不必前往·{}", self.head(), self.duty_phone(at))
    }

    /// A message that reached nobody, told to the next person.
    pub(super) fn instead_of(&self, failed: &Message) -> String {
        let name = if failed.to.name.is_empty() { "无人值班" } else { &failed.to.name };
        format!("{}（原发{}{name}，未送达，请代为处理）", failed.words, role_words(failed.to.role))
    }

    /// A call: somebody has to act.
    pub(super) fn ring(
        &self,
        matter: Matter,
        round: u32,
        role: Role,
        codes: &[String],
        at: Timestamp,
    ) -> String {
        if codes.len() > 1 {
            let named =
                codes.iter().take(CODES_MAX).map(String::as_str).collect::<Vec<_>>().join("、");
            let rest = if codes.len() > CODES_MAX { "等" } else { "" };
            let all = codes.len();
            return format!(
                "{}【{}】新增{all}起待研判：{named}{rest}·请集中研判·{}",
                self.drill(),
                self.signature,
                self.duty_phone(at)
            );
        }
        let times = if round == 0 { String::new() } else { format!("·第{}次呼叫", round + 1) };
        let what = match matter {
            Matter::Review => "无人研判·请派人或销号".to_owned(),
            Matter::Declined => {
                let reason = self
                    .incident
                    .dispatch
                    .as_ref()
                    .and_then(|it| it.declined.as_deref())
                    .unwrap_or_default();
                format!("护林员不能前往（{reason}）·请改派")
            }
            Matter::Relocation => "位置更正，护林员已在途·请确认由谁前往".to_owned(),
            Matter::Overdue => "各级均已呼叫，仍未办结·请处置".to_owned(),
            Matter::ReportReview => "核查反馈待审核".to_owned(),
            Matter::Supplement if role == Role::Ranger => "退回的反馈请补充".to_owned(),
            Matter::Supplement => "退回的反馈未补充·请督办".to_owned(),
            Matter::Support => {
                format!(
                    "护林员请求支援（{}）·请安排并备注",
                    self.incident.support_asked().unwrap_or_default()
                )
            }
        };
        format!("{}·{what}{times}·回复1收到·{}", self.task(), self.duty_phone(at))
    }

    /// A step that has not been taken, told to the ranger or about the ranger. It gives two clock
    /// times instead of a number of minutes: a text may be read long after it was written, and
    /// stays true.
    pub(super) fn late(
        &self,
        dispatch: &Dispatch,
        unless: Stage,
        role: Role,
        at: Timestamp,
    ) -> String {
        let since = format!("{}派发，{}", clock_time(dispatch.dispatched_at), clock_time(at));
        let step = match unless {
            Stage::Acknowledged => "接收",
            Stage::Arrived => "到场",
            Stage::Reported => "反馈",
        };
        let duty = self.duty_phone(at);
        if role == Role::Ranger {
            let answer = if unless == Stage::Acknowledged { "·回复1接收" } else { "" };
            return format!("{}·{since}未{step}{answer}·{duty}", self.task());
        }
        let ranger = self.county.person(&dispatch.ranger);
        let phone = ranger.and_then(|person| person.phone.as_deref()).unwrap_or_default();
        let claimed = match &dispatch.claimed {
            Some(_) if unless == Stage::Arrived => "（声称到达，定位未证实）",
            _ => "",
        };
        let wish = match role {
            Role::BackupRanger => "能去请回复1，由您前往",
            _ => "请督办，回复1收到",
        };
        let name = self.name(&dispatch.ranger);
        format!("{}·护林员{name}{phone}·{since}未{step}{claimed}·{wish}·{duty}", self.head())
    }

    /// "【森防】0405-01·官庄镇界亭驿村". The grid's number does not help to find the place, so it
    /// is left to the board.
    fn head(&self) -> String {
        let place = &self.incident.place;
        let name = match (&place.grid, &place.township, &place.village) {
            (Some(_), Some(township), Some(village)) if self.incident.fix.is_a_place() => {
                format!("{township}{village}")
            }
            _ => place.name.clone(),
        };
        format!("{}【{}】{}·{name}", self.drill(), self.signature, self.code)
    }

    /// "【森防】0405-01·官庄镇界亭驿村·110.400,28.450·卫星1像素·14:00发现"
    fn task(&self) -> String {
        format!(
            "{}·{}·{}·{}发现",
            self.head(),
            self.whereabouts(),
            sources(self.incident),
            clock_time(self.incident.first_seen_at)
        )
    }

    /// Coordinates only for a point, with as many digits as its precision allows. Otherwise the
    /// camera's bearing.
    fn whereabouts(&self) -> String {
        let fix = &self.incident.fix;
        match (fix.method, fix.spread()) {
            (FixMethod::Unaimed, _) => format!("{}附近，方位不明", self.mast()),
            (FixMethod::Bearing, Spread::Sector(Ray { azimuth_deg, near_m, far_m, .. })) => {
                format!(
                    "{}方位{azimuth_deg:03.0}°，距离未知({})",
                    self.mast(),
                    kilometres(near_m, far_m)
                )
            }
            (FixMethod::Bearing, Spread::Ellipse { .. }) => {
                format!("{}方向，距离未知", self.mast())
            }
            (FixMethod::Ranged, Spread::Sector(Ray { azimuth_deg, near_m, far_m, .. })) => {
                format!(
                    "{}方位{azimuth_deg:03.0}°约{}·{}",
                    self.mast(),
                    kilometres(near_m, far_m),
                    coordinates(fix)
                )
            }
            _ => coordinates(fix),
        }
    }

    /// The camera that took the bearing, or another system's device.
    fn mast(&self) -> String {
        let camera = self.incident.sightings.iter().find_map(|it| match (&it.source, it.locus) {
            (Source::Camera { camera, .. }, Locus::Sector(_) | Locus::Unaimed { .. }) => {
                Some(camera.clone())
            }
            (Source::System { device, .. }, Locus::Sector(_) | Locus::Unaimed { .. }) => {
                Some(device.as_str().into())
            }
            _ => None,
        });
        let entry = camera.as_ref().and_then(|id| self.county.camera(id));
        entry.map_or_else(
            || camera.map(|id| id.to_string()).unwrap_or_default(),
            |entry| entry.name.clone(),
        )
    }

    fn drill(&self) -> &'static str {
        if self.incident.drill { "【演练】" } else { "" }
    }

    fn name(&self, person: &PersonId) -> String {
        self.county.person(person).map_or_else(|| person.to_string(), |it| it.name.clone())
    }

    fn duty_phone(&self, now: Timestamp) -> String {
        let duty = self
            .county
            .duty(Role::CountyDuty, None, now)
            .and_then(|person| person.phone.as_deref());
        format!("值班{}", duty.unwrap_or("室"))
    }
}

/// "110.400,28.450": longitude first, as the office says it. Four digits are 11 m, three 110 m, two
/// 1.1 km: never finer than the radius.
fn coordinates(fix: &Fix) -> String {
    let digits = match fix.radius_m {
        radius_m if radius_m < 150.0 => 4,
        radius_m if radius_m < 1_500.0 => 3,
        _ => 2,
    };
    format!("{:.digits$},{:.digits$}", fix.centre.lon_deg(), fix.centre.lat_deg())
}

fn kilometres(near_m: f64, far_m: f64) -> String {
    let km = |metres: f64| {
        let text = format!("{:.1}", metres / 1000.0);
        text.strip_suffix(".0").map(ToOwned::to_owned).unwrap_or(text)
    };
    format!("{}–{}公里", km(near_m), km(far_m))
}

/// "监控", "卫星3像素+监控": each kind of source once, in order of arrival.
fn sources(incident: &Incident) -> String {
    let mut kinds: Vec<SourceKind> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for sighting in &incident.sightings {
        let kind = sighting.source.kind();
        if kinds.contains(&kind) {
            continue;
        }
        kinds.push(kind);
        words.push(match &sighting.source {
            Source::Camera { .. } => "监控".to_owned(),
            Source::Satellite { .. } => {
                let pixels = cluster::heat(&incident.sightings).pixels;
                format!("卫星{pixels}像素")
            }
            Source::Person { .. } => "人工报警".to_owned(),
            Source::System { .. } => "外部报警".to_owned(),
            Source::Neighbour { .. } => "邻县通报".to_owned(),
        });
    }
    words.join("+")
}

pub(super) fn role_words(role: Role) -> &'static str {
    match role {
        Role::Ranger => "护林员",
        Role::BackupRanger => "护林员B角",
        Role::VillageChief => "村级林长",
        Role::TownshipDuty => "乡镇值班",
        Role::CountyDuty => "县值班员",
        Role::CountyLeader => "带班领导",
        Role::NextDuty => "下一班值班员",
    }
}

fn clock_time(at: Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%H:%M").to_string()
}
