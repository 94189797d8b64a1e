//! Pure: which texts an event sends, to whom and in which words. Each stands alone without a link, because links in texts
//! need the vendor's approval and phones in the hills have no data (domain rule 44); in Chinese, the language of the county.

use crate::county::{County, Recipient};
use crate::store::{Addressee, NewMessage, Occasion};
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Event, Recorded};
use crate::triage::geo::LatLon;
use crate::triage::id::{DispatchId, IncidentId, MessageId, PersonId};
use crate::triage::incident::Incident;
use crate::triage::policy::{Channel, Role, Stage};
use crate::triage::sighting::{Source, SourceKind};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Beijing time: China has one zone and no summer time.
const BEIJING: i8 = 8;

/// The texts for the last `events` of `incident`, which are already folded into it.
pub fn compose(
    code: &str,
    signature: &str,
    incident: &Incident,
    events: &[Recorded],
    county: &County,
) -> Vec<NewMessage> {
    let mut desk = Composer { code, signature, incident, county, messages: Vec::new() };
    let before = incident.version - events.len() as u64;
    for (version, recorded) in (before + 1..).zip(events) {
        desk.event(recorded, version);
    }
    desk.messages
}

struct Composer<'a> {
    code: &'a str,
    signature: &'a str,
    incident: &'a Incident,
    county: &'a County,
    messages: Vec<NewMessage>,
}

/// What one event says, before it is known to whom.
#[derive(Clone, Copy)]
struct Telling<'a> {
    dispatch: Option<&'a Dispatch>,
    occasion: Occasion,
    channel: Channel,
    at: Timestamp,
}

impl<'a> Composer<'a> {
    fn event(&mut self, recorded: &Recorded, version: u64) {
        let at = recorded.at;
        let telling = |dispatch, occasion, channel| Telling { dispatch, occasion, channel, at };
        let by_sms = |dispatch, occasion| telling(Some(dispatch), occasion, Channel::Sms);
        match &recorded.event {
            Event::Dispatched(dispatched) => {
                if let Some(relieved) =
                    dispatched.replaces.and_then(|id| self.dispatch(id)).filter(|it| is_underway(it))
                {
                    let words = format!("{}·已改派他人·您不必前往·{}", self.head(), self.duty_phone(at));
                    self.ranger(by_sms(relieved, Occasion::Relieved), &words);
                }
                if let Some(dispatch) = self.dispatch(dispatched.dispatch) {
                    let words = format!("{}·回复1接收·{}", self.task(), self.duty_phone(at));
                    self.ranger(by_sms(dispatch, Occasion::Dispatched), &words);
                }
            }
            Event::Escalated { dispatch, rung, tell, channel } => {
                let Some(dispatch) = self.dispatch(*dispatch) else { return };
                let telling = telling(Some(dispatch), Occasion::Rung(*rung), *channel);
                let unless = dispatch.ladder.get(usize::from(*rung)).map_or(Stage::Acknowledged, |due| due.unless);
                self.roles(tell, telling, |desk, role| desk.late(dispatch, unless, role, at));
            }
            Event::ReviewMissed { tell, channel } => {
                let words = match self.incident.dispatch.as_ref().and_then(|it| it.declined.as_ref()) {
                    Some(reason) => {
                        format!("{}·护林员不能前往（{reason}）·请改派·{}", self.task(), self.duty_phone(at))
                    }
                    None => format!("{}·无人研判·请派人·{}", self.task(), self.duty_phone(at)),
                };
                self.roles(tell, telling(None, Occasion::ReviewMissed(version), *channel), |_, _| words.clone());
            }
            Event::SentBack { dispatch, reason } => {
                let Some(dispatch) = self.dispatch(*dispatch) else { return };
                let words = format!("{}·退回补充：{reason}·{}", self.head(), self.duty_phone(at));
                self.ranger(by_sms(dispatch, Occasion::SentBack(version)), &words);
            }
            Event::Closed { .. } => {
                let Some(dispatch) = self.incident.dispatch.as_ref().filter(|it| is_underway(it)) else { return };
                let words = format!("{}·已销号·您不必前往·{}", self.head(), self.duty_phone(at));
                self.ranger(by_sms(dispatch, Occasion::Closed), &words);
            }
            Event::Opened { .. }
            | Event::SightingAdded { .. }
            | Event::Acknowledged { .. }
            | Event::Declined { .. }
            | Event::Arrived { .. }
            | Event::Reported { .. }
            | Event::DeadlineMissed { .. }
            | Event::LateActionKept { .. }
            | Event::PhotoAdded { .. }
            | Event::Noted { .. } => {}
        }
    }

    fn dispatch(&self, id: DispatchId) -> Option<&'a Dispatch> {
        self.incident.dispatch.iter().chain(&self.incident.past_dispatches).find(|it| it.id == id)
    }

    fn ranger(&mut self, telling: Telling<'_>, words: &str) {
        self.roles(&[Role::Ranger], telling, |_, _| words.to_owned());
    }

    /// Tells whoever stands in each role today, each person once. A role nobody stands in leaves a failed row for the board
    /// to show, and the county's duty officer is told so.
    fn roles(&mut self, roles: &[Role], telling: Telling<'_>, words: impl Fn(&Self, Role) -> String) {
        let mut told: Vec<PersonId> = Vec::new();
        for &role in roles {
            let found = self.holders(role, &telling);
            if found.is_empty() {
                let nobody = Addressee { role, person: None, name: String::new(), phone: None };
                self.add(telling, nobody, words(self, role), Some("无人值班 / nobody on duty"));
                let duty = self.duty_phone(telling.at);
                let gap = format!("{}·{}无人可叫·请人工处理·{duty}", self.task(), role_words(role));
                self.tell(self.holders(Role::CountyDuty, &telling), telling, &gap, &mut told);
            }
            self.tell(found, telling, &words(self, role), &mut told);
        }
    }

    fn holders(&self, role: Role, telling: &Telling<'_>) -> Vec<Recipient> {
        let ranger = telling.dispatch.map(|dispatch| &dispatch.ranger);
        self.county.recipients(&[role], &self.incident.place, ranger, telling.at)
    }

    fn tell(&mut self, recipients: Vec<Recipient>, telling: Telling<'_>, words: &str, told: &mut Vec<PersonId>) {
        for it in recipients {
            if told.contains(&it.person) {
                continue;
            }
            told.push(it.person.clone());
            let reachable = it.phone.is_some() || telling.channel == Channel::Wecom;
            let error = (!reachable).then_some("没有电话号码 / no phone number in the register");
            let to = Addressee { role: it.role, person: Some(it.person), name: it.name, phone: it.phone };
            self.add(telling, to, words.to_owned(), error);
        }
    }

    fn add(&mut self, telling: Telling<'_>, to: Addressee, words: String, error: Option<&str>) {
        self.messages.push(NewMessage {
            id: message_id(self.incident.id, &telling, &to),
            dispatch: telling.dispatch.map(|dispatch| dispatch.id),
            occasion: telling.occasion,
            to,
            channel: telling.channel,
            words,
            drill: self.incident.drill,
            error: error.map(ToOwned::to_owned),
        });
    }

    /// "【森防】0405-01·官庄镇界亭驿村". The grid's number tells nobody where to go, so it is left to the board.
    fn head(&self) -> String {
        let drill = if self.incident.drill { "【演练】" } else { "" };
        let place = &self.incident.place;
        let name = match (&place.grid, &place.township, &place.village) {
            (Some(_), Some(township), Some(village)) => format!("{township}{village}"),
            _ => place.name.clone(),
        };
        format!("{drill}【{}】{}·{name}", self.signature, self.code)
    }

    /// "【森防】0405-01·官庄镇界亭驿村·110.4000,28.4500·卫星1像素·14:00发现"
    fn task(&self) -> String {
        format!(
            "{}·{}·{}·{}发现",
            self.head(),
            coordinates(self.incident.fix.centre),
            sources(self.incident),
            clock_time(self.incident.first_seen_at)
        )
    }

    /// A step that has not been taken, said to the ranger or about the ranger.
    fn late(&self, dispatch: &Dispatch, unless: Stage, role: Role, at: Timestamp) -> String {
        let minutes = at.duration_since(dispatch.zero_at).as_mins();
        let step = match unless {
            Stage::Acknowledged => "接收",
            Stage::Arrived => "到场",
            Stage::Reported => "反馈",
        };
        let duty = self.duty_phone(at);
        if role == Role::Ranger {
            let answer = if unless == Stage::Acknowledged { "·回复1接收" } else { "" };
            return format!("{}·已{minutes}分钟未{step}{answer}·{duty}", self.task());
        }
        let ranger = self.county.person(&dispatch.ranger);
        let name = ranger.map_or(dispatch.ranger.as_str(), |person| person.name.as_str());
        let phone = ranger.and_then(|person| person.phone.as_deref()).unwrap_or_default();
        let wish = if role == Role::BackupRanger { "请准备接替" } else { "请督办" };
        format!("{}·护林员{name}{phone}已{minutes}分钟未{step}·{wish}·{duty}", self.head())
    }

    fn duty_phone(&self, now: Timestamp) -> String {
        let duty = self.county.duty(Role::CountyDuty, None, now).and_then(|person| person.phone.as_deref());
        format!("值班{}", duty.unwrap_or("室"))
    }
}

/// Somebody is on the way and does not know yet that it is no longer needed.
fn is_underway(dispatch: &Dispatch) -> bool {
    dispatch.declined.is_none() && dispatch.reported.is_none()
}

/// "110.4000,28.4500": longitude first as the office says it; 11 m, the size of a house.
fn coordinates(at: LatLon) -> String {
    format!("{:.4},{:.4}", at.lon_deg(), at.lat_deg())
}

/// "监控", "卫星3像素+监控": each kind of source once, in the order they came.
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
            Source::Satellite { pixels, .. } => format!("卫星{pixels}像素"),
            Source::Person { .. } => "人工报警".to_owned(),
            Source::System { .. } => "外部报警".to_owned(),
        });
    }
    words.join("+")
}

fn role_words(role: Role) -> &'static str {
    match role {
        Role::Ranger => "护林员",
        Role::BackupRanger => "护林员B角",
        Role::VillageChief => "村级林长",
        Role::TownshipDuty => "乡镇值班",
        Role::CountyDuty => "县值班员",
        Role::CountyLeader => "带班领导",
    }
}

fn clock_time(at: Timestamp) -> String {
    jiff::tz::offset(BEIJING).to_datetime(at).strftime("%H:%M").to_string()
}

/// The same text to the same person always has the same id: two desks that decide the same thing make one message, and a
/// gateway that is handed it twice can tell.
fn message_id(incident: IncidentId, telling: &Telling<'_>, to: &Addressee) -> MessageId {
    let dispatch = telling.dispatch.map(|dispatch| dispatch.id.to_string()).unwrap_or_default();
    let who = to.person.as_ref().map_or_else(|| format!("{:?}", to.role), ToString::to_string);
    let name = format!("{incident} {dispatch} {} {:?} {who}", telling.occasion, telling.channel);
    let digest = Sha256::digest(name);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    MessageId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
