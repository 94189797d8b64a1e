//! Pure: what follows from a change of the registers, said before it is made: gaps that it opens or
//! closes, and what the cameras do.

use crate::county::{CameraChange, County, camera_changes, county_time};
use crate::lang::Lang;
use crate::register::{Entries, Entry, Fact, History, Register};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};
use utoipa::ToSchema;

/// Consequences said, the first. A change that opens a hundred gaps is not made anyway.
const SAID: usize = 50;

/// Gaps are reckoned at the instant from which a change is valid, at most ten years ahead: on the
/// last day of the calendar there are no next 24 hours.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 3660);

#[derive(Serialize, ToSchema)]
pub(crate) struct Consequence {
    effect: Effect,
    /// In the reader's language.
    words: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Somebody or something would be missing that is there now.
    Opens,
    /// It is missing now and would be there.
    Closes,
    /// What was registered for a day that comes would not come, or come later.
    Cancels,
    /// A camera starts, stops, is connected anew, or forgets what it remembered.
    Camera,
}

/// What facts change in the county, at the instant from which they are valid.
pub(super) fn follows(
    history: &History,
    facts: &[Fact],
    now: Timestamp,
    lang: Lang,
) -> Vec<Consequence> {
    let cancels = cancelled(history, facts, now, lang);
    // What begins later than the first of them follows later.
    let from = facts.iter().map(|fact| fact.valid_from.unwrap_or(now)).min().unwrap_or(now);
    let facts: Vec<Fact> = facts.iter().filter(|it| it.holds(now, from)).cloned().collect();
    let from = from.max(now).min(now + AHEAD);
    let current = history.at(from);
    let after = with(&current, &facts);
    let (before, after) = (County::of(&current, lang), County::of(&after, lang));
    let gaps = |county: &County| -> BTreeSet<String> {
        county.gaps(from).iter().map(|gap| gap.words(lang)).collect()
    };
    let (gaps_before, gaps_after) = (gaps(&before), gaps(&after));
    let said = |effect, words: &String| Consequence { effect, words: words.clone() };
    let opens = gaps_after.difference(&gaps_before).map(|words| said(Effect::Opens, words));
    let closes = gaps_before.difference(&gaps_after).map(|words| said(Effect::Closes, words));
    let cameras = camera_changes(&before.cameras, &after.cameras).into_iter();
    let cameras = cameras.map(|(camera, change)| Consequence {
        effect: Effect::Camera,
        words: format!("{}{}{}", camera.name, lang.pick("：", ": "), camera_words(change, lang)),
    });
    cancels.into_iter().chain(opens).chain(cameras).chain(closes).take(SAID).collect()
}

/// What is registered for a day that comes, and what is said anew of the same entry holds then.
fn cancelled(history: &History, facts: &[Fact], now: Timestamp, lang: Lang) -> Vec<Consequence> {
    let registers: BTreeSet<Register> = facts.iter().map(|fact| fact.register).collect();
    let coming = registers.into_iter().flat_map(|register| history.coming(register, now));
    coming
        .filter_map(|(_, coming)| {
            let from = coming.valid_from?;
            let of_entry = |it: &&Fact| (it.register, &it.key) == (coming.register, &coming.key);
            // The last word counts. One for the same day is a correction, which the review shows.
            let word = facts.iter().rfind(|it| of_entry(it) && it.holds(now, from))?;
            if word.valid_from == Some(from) || word.entry == coming.entry {
                return None;
            }
            let name = |fact: &Fact| Some(fact.entry.as_ref()?.get("name")?.as_str()?.to_owned());
            let what = name(coming).or_else(|| name(word)).unwrap_or_else(|| coming.key.clone());
            let day = from.to_zoned(county_time()).strftime("%Y-%m-%d %H:%M");
            let again = word.valid_until.filter(|until| {
                *until > from && coming.valid_until.is_none_or(|ends| *until < ends)
            });
            let again = again.map(|at| at.to_zoned(county_time()).strftime("%Y-%m-%d %H:%M"));
            let words = match (lang, again) {
                (Lang::Zh, None) => {
                    format!("{what}：原登记 {day} 起的内容不再生效；仍需要的，请重新登记")
                }
                (Lang::En, None) => format!(
                    "{what}: what is registered from {day} no longer comes; if it is still \
                    wanted, register it again"
                ),
                (Lang::Zh, Some(again)) => {
                    format!("{what}：原登记 {day} 起的内容推迟到 {again} 起生效")
                }
                (Lang::En, Some(again)) => {
                    format!("{what}: what is registered from {day} comes only from {again}")
                }
            };
            Some(Consequence { effect: Effect::Cancels, words })
        })
        .collect()
}

/// The entries as they are with these facts.
fn with(current: &Entries, facts: &[Fact]) -> Entries {
    let removed = facts.iter().filter(|fact| fact.entry.is_none());
    let removed: HashSet<(Register, &str)> =
        removed.map(|fact| (fact.register, fact.key.as_str())).collect();
    let mut after = Entries::default();
    for register in Register::ALL {
        let kept = current.of(register).iter();
        let kept = kept.filter(|entry| !removed.contains(&(register, entry.key.as_str())));
        kept.for_each(|entry| after.push(register, entry.clone()));
    }
    for fact in facts {
        if let Some(value) = fact.entry.clone() {
            let (key, secrets) = (fact.key.clone(), fact.secrets.clone());
            after.push(fact.register, Entry { secrets, ..Entry::of(key, value) });
        }
    }
    after
}

fn camera_words(change: CameraChange, lang: Lang) -> &'static str {
    match change {
        CameraChange::Added => lang.pick("连接并开始查看", "is connected and watched"),
        CameraChange::Removed => lang
            .pick("停止查看，记住的画面作废", "stops, and what is remembered of it is forgotten"),
        CameraChange::Described => {
            lang.pick("立即生效，不重新连接", "in force at once, no restart")
        }
        CameraChange::Reached => {
            lang.pick("重新连接，记住的画面保留", "is connected anew; what is remembered stays")
        }
        CameraChange::Aimed => lang.pick(
            "位置或方向变了，记住的画面和自检作废，不重新连接",
            "looks elsewhere: what is remembered of it is void; the connection stays",
        ),
        CameraChange::Replaced => lang.pick(
            "重新连接；位置或方向变了，记住的画面和自检作废",
            "is connected anew and looks elsewhere: what is remembered of it is void",
        ),
    }
}
