//! Replies from phones without data: texts, and keys pressed in calls (domain rules 18, 45).
//! Matched by number and code. An unclear reply is never guessed at: it goes to the duty officer as
//! a note on every incident concerned.

pub(super) mod alarm;
mod reply;

use super::WebState;
use super::http::auth::Gateway;
use super::http::error::{Answer, Problem, lang_of};
use super::http::json::{Body, optional_words, words};
use super::http::limits::NOTES_A_PERSON;
use crate::base::id::named_v4;
use crate::county::{County, Person, phone_number};
use crate::error::Error;
use crate::lang::Lang;
use crate::store::Filed;
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Actor, Event, Means, Recorded, Remark};
use crate::triage::id::{ActionId, PersonId};
use crate::triage::incident::{By, Input};
use crate::triage::policy::{Channel, Role};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use reply::ReplyStep;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Longest id of a message; gateways use 20 to 64 characters.
const ID_MAX_CHARS: usize = 200;

#[derive(Deserialize, ToSchema)]
pub(super) struct Sms {
    from: Word,
    text: Word,
    /// The gateway's id of the message.
    id: Word,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Press {
    from: Word,
    key: Word,
    /// The gateway's id of the call.
    id: Word,
}

/// Gateways write numbers with and without quotes.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Word {
    Text(String),
    Number(u64),
}

impl Word {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReplyTaken)]
pub(super) struct Taken {
    /// Understood and written down as a step of the person's; late ones too.
    taken: bool,
    /// To be sent back to the person.
    words: String,
}

/// 短信上行
#[utoipa::path(
    post, path = "/api/v1/inbound/sms", tag = "machines", request_body = Sms,
    security(("gateway" = [])),
    responses((status = 200, body = Taken), (status = 404), (status = 409), (status = 422)),
)]
pub(super) async fn sms(
    State(state): State<WebState>,
    _: Gateway,
    headers: HeaderMap,
    Body(sms): Body<Sms>,
) -> Answer<Json<Taken>> {
    let said = Said {
        channel: Channel::Sms,
        from: sms.from.text(),
        text: sms.text.text(),
        id: sms.id.text(),
    };
    take(&state, lang_of(&headers), said).await.map(Json)
}

/// 电话按键
#[utoipa::path(
    post, path = "/api/v1/inbound/voice", tag = "machines", request_body = Press,
    security(("gateway" = [])),
    responses((status = 200, body = Taken), (status = 404), (status = 409), (status = 422)),
)]
pub(super) async fn voice(
    State(state): State<WebState>,
    _: Gateway,
    headers: HeaderMap,
    Body(press): Body<Press>,
) -> Answer<Json<Taken>> {
    let said = Said {
        channel: Channel::Voice,
        from: press.from.text(),
        text: press.key.text(),
        id: press.id.text(),
    };
    take(&state, lang_of(&headers), said).await.map(Json)
}

struct Said {
    channel: Channel,
    from: String,
    text: String,
    id: String,
}

async fn take(state: &WebState, lang: Lang, said: Said) -> Answer<Taken> {
    let text = optional_words(&said.text, "回复", "the reply")?;
    let id = words(&said.id, "消息编号 id", "the message's id")?;
    if id.chars().count() > ID_MAX_CHARS {
        return Err(Problem::invalid("消息编号 id 太长。", "The message's id is too long."));
    }
    let county = state.county();
    let number = phone_number(&said.from).unwrap_or_default();
    let people = owners(&county, &number);
    if people.is_empty() {
        tracing::warn!(channel = ?said.channel, number_ends = last_digits(&number), "a reply came \
            from a number that is not in the register");
        return Err(Problem::impossible(
            "名册里没有这个号码，回复未受理；请核对人员名册。",
            "Nobody in the register has this number: the reply was not accepted. Check the \
            register of people.",
        ));
    }
    let action = action_id(said.channel, &number, &id);
    let incidents = incidents(state).await?;
    let duty = duty_phone(state, &county, lang);
    let outcome = |filed: &Filed| outcome(filed, action, lang, &duty);
    if let Some(taken) = incidents.iter().find_map(|it| outcome(it)) {
        return Ok(taken);
    }
    let reply = reply::read(&text);
    let meant = meant(&incidents, &people, reply.code.as_deref());
    // 收到 from the ranger who was sent does not mean "I go". From anybody else who was called it
    // is the answer.
    let heard_only = |filed: &Filed, person: &PersonId| {
        filed.incident.dispatch.as_ref().is_some_and(|it| it.ranger == *person)
    };
    let filed = match (reply.step, &meant[..]) {
        (Some(step), [(one, ranger)]) if step != ReplyStep::Heard || !heard_only(one, ranger) => {
            let by = By {
                actor: Actor::Ranger { person: (*ranger).clone() },
                action: Some(action),
                happened_at: None,
            };
            Some(state.desk.act(one.incident.id, input(step, said.channel), &by).await?)
        }
        _ => {
            let note = Note { channel: said.channel, text: &text, people: &people, action };
            note.write(state, &concerned(&incidents, &people, reply.code.as_deref())).await?
        }
    };
    let Some(filed) = filed else {
        let people: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
        tracing::warn!(channel = ?said.channel, ?people, "a reply belongs to no dispatch");
        return Ok(Taken { taken: false, words: nothing_sent(lang, &duty) });
    };
    outcome(&filed).ok_or_else(|| {
        Error::internal("a reply was accepted, but the log has no event of it").into()
    })
}

/// Several people may share a phone. The one with the dispatch is meant.
fn owners<'a>(county: &'a County, number: &str) -> Vec<&'a Person> {
    let has = |person: &&Person| {
        person.phone.as_deref().and_then(phone_number).is_some_and(|own| own == number)
    };
    county.people.iter().filter(has).collect()
}

/// Open incidents and those that ended within a day: gateways give up a reply after a day or two.
async fn incidents(state: &WebState) -> Answer<Vec<Arc<Filed>>> {
    let book = state.desk.open_book().await?;
    Ok(book.open().chain(book.ended()).cloned().collect())
}

/// What these people may mean: their dispatches under way; if none, what they were called about and
/// have not answered; if none, all they ever had here.
fn meant<'a>(
    incidents: &'a [Arc<Filed>],
    people: &[&Person],
    code: Option<&str>,
) -> Vec<(&'a Filed, &'a PersonId)> {
    let named =
        incidents.iter().map(|it| &**it).filter(|filed| code.is_none_or(|code| filed.code == code));
    let sent = named.filter_map(|filed| sent(filed, people).map(|ranger| (filed, ranger)));
    let (underway, rest): (Vec<_>, Vec<_>) =
        sent.partition(|(filed, ranger)| is_underway(filed, ranger));
    let (asked, past): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|(filed, person)| is_asked(filed, person));
    [underway, asked, past].into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// Which of these people was sent, the last one first. If none, who was called about it, while it
/// is open: a closed incident takes no words of theirs.
fn sent<'a>(filed: &'a Filed, people: &[&Person]) -> Option<&'a PersonId> {
    let dispatches =
        filed.incident.dispatch.iter().chain(filed.incident.past_dispatches.iter().rev());
    let ours = |id: &&PersonId| people.iter().any(|person| person.id == **id);
    let told = filed.incident.told.iter().map(|it| &it.person);
    dispatches
        .map(|dispatch| &dispatch.ranger)
        .find(ours)
        .or_else(|| told.into_iter().find(ours).filter(|_| !is_closed(filed)))
}

/// Called, not sent, and has not answered.
fn is_asked(filed: &Filed, person: &PersonId) -> bool {
    let incident = &filed.incident;
    let sent = incident.dispatches().any(|it| it.ranger == *person);
    let told = incident.told.iter().rev().find(|it| it.person == *person);
    let answered = |since| incident.answers.iter().any(|it| it.person == *person && it.at >= since);
    !is_closed(filed) && !sent && told.is_some_and(|it| !answered(it.at))
}

fn is_underway(filed: &Filed, ranger: &PersonId) -> bool {
    let waits = |it: &Dispatch| it.ranger == *ranger && it.is_running() && it.reported.is_none();
    !is_closed(filed) && filed.incident.dispatch.as_ref().is_some_and(waits)
}

fn is_closed(filed: &Filed) -> bool {
    filed.incident.closed_at.is_some()
}

/// Where an unclear reply is noted: on the incident it names, whosever it is, or on all that may be
/// meant. Closed ones accept words only from those who were sent.
fn concerned<'a>(
    incidents: &'a [Arc<Filed>],
    people: &[&Person],
    code: Option<&str>,
) -> Vec<(&'a Filed, Option<&'a PersonId>)> {
    let named = incidents.iter().map(|it| &**it).filter(|filed| code == Some(filed.code.as_str()));
    let named = named.map(|filed| (filed, sent(filed, people)));
    let named: Vec<_> =
        named.filter(|(filed, ranger)| ranger.is_some() || !is_closed(filed)).collect();
    if !named.is_empty() {
        return named;
    }
    meant(incidents, people, None)
        .into_iter()
        .map(|(filed, ranger)| (filed, Some(ranger)))
        .collect()
}

struct Note<'a> {
    channel: Channel,
    text: &'a str,
    people: &'a [&'a Person],
    action: ActionId,
}

impl Note<'_> {
    /// Returns the last incident written to.
    async fn write(
        &self,
        state: &WebState,
        concerned: &[(&Filed, Option<&PersonId>)],
    ) -> Answer<Option<Filed>> {
        let words = self.words(concerned);
        let mut written = None;
        for (filed, ranger) in concerned {
            // Stops an endless exchange with a phone that answers automatically.
            let unclear = |it: &&Arc<Recorded>| {
                matches!(&it.event, Event::Noted { about: Remark::UnclearReply, .. })
            };
            if filed.incident.log.iter().filter(unclear).count() >= NOTES_A_PERSON {
                continue;
            }
            let actor = match ranger {
                Some(ranger) if is_closed(filed) => Actor::Ranger { person: (*ranger).clone() },
                _ => Actor::System,
            };
            let by = By { actor, action: Some(self.action), happened_at: None };
            written = Some(
                state
                    .desk
                    .act(filed.incident.id, Input::UnclearReply { words: words.clone() }, &by)
                    .await?,
            );
        }
        Ok(written)
    }

    /// "无法判定的短信回复 / unclear text reply: 周建国「好的」（1121-01、1121-02）". In both
    /// languages, because the log does not know its reader's.
    fn words(&self, concerned: &[(&Filed, Option<&PersonId>)]) -> String {
        let what = match self.channel {
            Channel::Voice => "无法判定的电话按键 / unclear key press",
            Channel::Sms | Channel::Wecom => "无法判定的短信回复 / unclear text reply",
        };
        let names: Vec<&str> = self.people.iter().map(|person| person.name.as_str()).collect();
        let codes: Vec<&str> = concerned.iter().map(|(filed, _)| filed.code.as_str()).collect();
        format!("{what}: {}「{}」（{}）", names.join("、"), self.text, codes.join("、"))
    }
}

fn input(step: ReplyStep, channel: Channel) -> Input {
    let (means, silent) = match channel {
        Channel::Voice => (Means::KeyPress, "电话按键0，未说原因 / pressed 0, gave no reason"),
        Channel::Sms | Channel::Wecom => {
            (Means::SmsReply, "短信回复0，未写原因 / replied 0, gave no reason")
        }
    };
    match step {
        ReplyStep::Acknowledge | ReplyStep::Heard => Input::Acknowledge { means },
        ReplyStep::Arrive => Input::Arrive { means, position: None },
        ReplyStep::Decline { reason } => {
            Input::Decline { reason: reason.unwrap_or_else(|| silent.to_owned()) }
        }
    }
}

/// The result of the action here, read from the log, so that a repeat gets the same answer.
fn outcome(filed: &Filed, action: ActionId, lang: Lang, duty: &str) -> Option<Taken> {
    let is_it = |recorded: &&Arc<Recorded>| recorded.action == Some(action);
    let (zh, en) = match &filed.incident.log.iter().find(is_it)?.event {
        Event::Acknowledged { .. } => {
            ("已接收，到达后请回复2", "acknowledged; reply 2 when you are there")
        }
        Event::Answered { .. } => ("已记录您收到", "your answer is recorded"),
        Event::Arrived { unproven: Some(_), .. } => (
            "已记录声称到达，尚无定位证实，请在手机页点“已到达”或电话值班",
            "your arrival is recorded as unproven: press Arrived on the phone page, or call",
        ),
        Event::Arrived { .. } => ("已记录到达", "your arrival is recorded"),
        Event::Declined { .. } | Event::Noted { about: Remark::CannotGo, .. } => {
            ("已记录不能前往", "recorded that you cannot go")
        }
        Event::LateActionKept { about: Remark::Plain, .. } => (
            "回复已留存，任务状态不变",
            "your reply is kept in the record; the task does not change",
        ),
        _ => return Some(Taken { taken: false, words: unclear(lang, duty) }),
    };
    let words = match lang {
        Lang::Zh => format!("{}：{zh}。值班{duty}", filed.code),
        Lang::En => format!("{}: {en}. Duty officer: {duty}", filed.code),
    };
    Some(Taken { taken: true, words })
}

fn unclear(lang: Lang, duty: &str) -> String {
    match lang {
        Lang::Zh => {
            format!(
                "未能判定您的回复，已转值班员。请回复1接收、2到达、0 原因；\
                有几起任务时空一格写编号。值班{duty}"
            )
        }
        Lang::En => format!(
            "Your reply is not clear. It was passed to the duty officer. Reply 1 to acknowledge, 2 \
            when you are there, or 0 and the reason when you cannot go. With several tasks add a \
            space and the code. Duty officer: {duty}"
        ),
    }
}

fn nothing_sent(lang: Lang, duty: &str) -> String {
    match lang {
        Lang::Zh => format!("目前没有派给您的任务，回复未受理。有情况请打值班{duty}"),
        Lang::En => {
            format!(
                "You have no task now, so your reply was not accepted. Call the duty officer: \
                {duty}"
            )
        }
    }
}

fn duty_phone(state: &WebState, county: &County, lang: Lang) -> String {
    let duty = county.duty(Role::CountyDuty, None, state.clock.now());
    let phone = duty.and_then(|person| person.phone.as_deref());
    phone.map_or_else(
        || lang.pick("室电话", "the duty room").to_owned(),
        |phone| lang.pick("电话", "").to_owned() + phone,
    )
}

/// The same message always gives the same action id.
fn action_id(channel: Channel, number: &str, id: &str) -> ActionId {
    ActionId(named_v4(format!("inbound {channel:?} {number} {id}")))
}

/// The part of a number that a log may hold.
fn last_digits(number: &str) -> &str {
    &number[number.len().saturating_sub(4)..]
}

#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(text: &str) {
    let reply = reply::read(text);
    assert!(reply.code.is_none_or(|code| code.len() >= "1121-01".len()), "a code has its form");
}
