//! What the board says of other systems: who is silent, and whose alarms are refused.

use super::super::WebState;
use super::PartView;
use crate::county::county_time;
use crate::lang::{Lang, Words};
use crate::store::{AlarmSystem, REFUSALS_FOR};
use jiff::Timestamp;

/// One part a system with a valid key, and those whose revoked key is still used.
pub(super) async fn health(state: &WebState, lang: Lang) -> Vec<PartView> {
    // A database that does not answer is a part of its own.
    let systems = state.store.alarm_systems().await.unwrap_or_default();
    let now = state.clock.now();
    let parts = systems.iter().filter_map(|it| {
        let words = words(it, now);
        if it.revoked_at.is_some() && words.is_none() {
            return None;
        }
        let part = format!("alarms {}", it.name);
        let ok = words.is_none();
        let words = words.map(|it| it.pick(lang).to_owned()).unwrap_or_default();
        Some(PartView { part, ok, words, is_edge: false })
    });
    parts.collect()
}

/// `None`: nothing is wrong.
fn words(system: &AlarmSystem, now: Timestamp) -> Option<Words> {
    let refused = system.refused.as_ref().filter(|it| now.duration_since(it.at) < REFUSALS_FOR);
    let mut said: Vec<Words> = Vec::new();
    if let Some(it) = refused {
        let (count, at) = (it.count, clock_time(it.at));
        said.push(Words::new(
            format!("拒收{count}条，最近一条在{at}：{}", it.why.zh),
            format!("{count} requests were refused, the last at {at}: {}", it.why.en),
        ));
    }
    if let Some(limit) = system.silent_after.filter(|_| system.revoked_at.is_none()) {
        let heard_at = system.heard_at.unwrap_or(system.since);
        let silent = now.duration_since(heard_at);
        if silent > limit {
            let (hours, at) = (silent.as_hours(), clock_time(heard_at));
            said.push(Words::new(
                format!("已有{hours}小时没有消息（最近 {at}）：请看该系统和网络"),
                format!("nothing was heard for {hours} h (last at {at}): check it and the network"),
            ));
        }
    }
    if said.is_empty() {
        return None;
    }
    let last = system.alarm_at.map(clock_time);
    let last = Words::new(
        last.as_ref().map_or("还没有收到过告警".to_owned(), |at| format!("最近告警 {at}")),
        last.as_ref().map_or("no alarm yet".to_owned(), |at| format!("last alarm {at}")),
    );
    said.push(last);
    let (name, Words { zh, en }) = (&system.name, Words::joined(&said));
    Some(Words::new(format!("外部系统 {name}：{zh}"), format!("other system {name}: {en}")))
}

/// "11-21 14:00" by the county's clock.
fn clock_time(at: Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Refused;
    use jiff::SignedDuration;

    #[test]
    fn a_silent_system_and_a_refused_one_are_said_with_what_to_do() {
        let now: Timestamp = "2026-11-21T06:00:00Z".parse().expect("a time");
        let hours = SignedDuration::from_hours;
        let quiet = AlarmSystem {
            name: "热成像".to_owned(),
            silent_after: Some(hours(24)),
            since: now - hours(100),
            revoked_at: None,
            heard_at: Some(now - hours(23)),
            alarm_at: None,
            refused: None,
        };
        assert_eq!(words(&quiet, now), None);
        assert_eq!(
            words(&AlarmSystem { silent_after: None, ..quiet.clone() }, now + hours(999)),
            None
        );
        let silent = AlarmSystem { heard_at: Some(now - hours(26)), ..quiet.clone() };
        let said = words(&silent, now).expect("silent");
        assert!(said.zh.contains("已有26小时没有消息（最近 11-20 12:00）"), "{}", said.zh);
        let gone = AlarmSystem { revoked_at: Some(now), ..silent };
        assert_eq!(words(&gone, now), None, "nobody waits for a revoked one");
        let why = Words::new("密钥已吊销", "the key was revoked");
        let refused = Some(Refused { count: 3, at: now - hours(1), why });
        let said = words(&AlarmSystem { refused, ..gone }, now).expect("refused");
        assert!(
            said.en.contains("3 requests were refused, the last at 11-21 13:00"),
            "{}",
            said.en
        );
    }
}
