//! Whether people can be told at all: which gateways there are, and whether they accept messages.

use super::App;
use super::vitals::said;
use crate::config::NotifyConfig;
use crate::county::county_time;
use crate::lang::Lang;
use crate::store::Taken;
use crate::triage::policy::Channel;
use jiff::{SignedDuration, Timestamp};

/// A gateway that needs longer than this for a text is reported as slow: its next text may fail.
const SLOW: SignedDuration = SignedDuration::from_secs(10);
/// How long slowness is shown. It ends when nothing was slow within the last hour; on a quiet day
/// no text comes to prove that.
const SLOW_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A channel, and what its gateway has accepted; `None` without a gateway.
type Standing = (Channel, Option<Taken>);

/// Sets the part `channels`.
pub(super) async fn look(app: &App) {
    let mut all: Vec<Standing> = Vec::new();
    for (channel, url) in gateways(&app.config.notify) {
        let taken = match url {
            Some(_) => match app.store.taken_by(channel).await {
                Ok(taken) => Some(lately(taken, app.clock.now())),
                // The part `database` reports the error. The last known state of the channels
                // stays.
                Err(e) => {
                    return tracing::warn!(cause = e.chain(), "the channels could not be checked");
                }
            },
            None => None,
        };
        all.push((channel, taken));
    }
    said(app, "channels", !is_well(&all), || words(&all, Lang::Zh), || words(&all, Lang::En));
}

/// Ignores slowness that is too old to show.
fn lately(taken: Taken, now: Timestamp) -> Taken {
    let is_old = taken.last.is_none_or(|last| now.duration_since(last) > SLOW_FOR);
    Taken { needed: if is_old { SignedDuration::ZERO } else { taken.needed }, ..taken }
}

fn gateways(config: &NotifyConfig) -> [(Channel, &Option<String>); 3] {
    [
        (Channel::Voice, &config.voice_url),
        (Channel::Sms, &config.sms_url),
        (Channel::Wecom, &config.wecom_url),
    ]
}

/// Whether there is any gateway.
pub(super) fn has_gateway(config: &NotifyConfig) -> bool {
    gateways(config).iter().any(|(_, url)| url.is_some())
}

/// A county may do without one channel: its messages go another way. When there is none at all, or
/// one accepts nothing or is slow, somebody may have to phone.
fn is_well(all: &[Standing]) -> bool {
    let mut served = all.iter().filter_map(|(_, taken)| *taken).peekable();
    served.peek().is_some() && served.all(|taken| taken.failed_since == 0 && taken.needed <= SLOW)
}

fn words(all: &[Standing], lang: Lang) -> String {
    if all.iter().all(|(_, taken)| taken.is_none()) {
        let none = lang.pick(
            "没有任何通知网关，派发和呼叫都要人工电话；请设置 [notify] sms_url 或 voice_url",
            "there is no gateway: phone for every dispatch and call, and set [notify] sms_url or \
            voice_url",
        );
        return none.to_owned();
    }
    let each: Vec<String> =
        all.iter().map(|(channel, taken)| channel_words(*channel, *taken, lang)).collect();
    let what_to_do =
        lang.pick("请看网关，急事请打电话", "Check the gateway, and phone if it is urgent");
    format!("{}{}{what_to_do}", each.join(lang.pick("；", "; ")), lang.pick("。", ". "))
}

fn channel_words(channel: Channel, taken: Option<Taken>, lang: Lang) -> String {
    let name = match channel {
        Channel::Voice => lang.pick("语音", "voice"),
        Channel::Sms => lang.pick("短信", "texts"),
        Channel::Wecom => lang.pick("企业微信", "WeCom"),
    };
    let Some(Taken { last, needed, failed_since }) = taken else {
        return format!("{name}{}", lang.pick("没有网关", ": no gateway"));
    };
    let last = last.map_or(lang.pick("从未", "never").to_owned(), clock);
    let failed = match failed_since {
        0 => String::new(),
        count => {
            let or_more = if count == Taken::COUNTED { "+" } else { "" };
            lang.pick("，其后{}条网关未收", ", {} not accepted since")
                .replace("{}", &format!("{count}{or_more}"))
        }
    };
    let slow = match needed > SLOW {
        true => lang
            .pick("，网关慢，用了{}秒", ", slow: after {} s")
            .replace("{}", &needed.as_secs().to_string()),
        false => String::new(),
    };
    format!("{name}{}{last}{slow}{failed}", lang.pick("上次成功 ", ": last accepted "))
}

/// With the date: a gateway may have been dead since yesterday.
fn clock(at: Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(voice: Option<u32>, sms: Option<u32>) -> [Standing; 2] {
        let last = "2026-11-21T06:00:00Z".parse().ok();
        let taken = |failed: Option<u32>| {
            failed.map(|failed_since| Taken { last, failed_since, ..Taken::default() })
        };
        [(Channel::Voice, taken(voice)), (Channel::Sms, taken(sms))]
    }

    #[test]
    fn one_gateway_that_takes_texts_is_enough_one_that_does_not_is_told() {
        for (voice, sms, well) in [
            (None, None, false),
            (None, Some(0), true),
            (Some(0), Some(0), true),
            (Some(0), Some(1), false),
        ] {
            assert_eq!(is_well(&standing(voice, sms)), well, "{voice:?} {sms:?}");
        }
    }

    #[test]
    fn the_words_name_each_channel_and_what_to_do() {
        assert_eq!(
            words(&standing(None, Some(99)), Lang::Zh),
            "语音没有网关；短信上次成功 11-21 14:00，其后99+条网关未收。请看网关，急事请打电话"
        );
        assert_eq!(
            words(&standing(Some(0), Some(2)), Lang::En),
            "voice: last accepted 11-21 14:00; texts: last accepted 11-21 14:00, 2 not accepted \
            since. Check the gateway, and phone if it is urgent"
        );
        assert!(words(&standing(None, None), Lang::Zh).starts_with("没有任何通知网关"));
        let fresh = [(Channel::Sms, Some(Taken { failed_since: 1, ..Taken::default() }))];
        assert!(
            words(&fresh, Lang::En).starts_with("texts: last accepted never, 1 not accepted since")
        );
    }

    #[test]
    fn a_gateway_that_thinks_for_half_a_minute_is_said_to_be_slow() {
        for (needed_s, well) in [(10, true), (32, false)] {
            let mut all = standing(None, Some(0));
            all[1].1 = all[1]
                .1
                .map(|taken| Taken { needed: SignedDuration::from_secs(needed_s), ..taken });
            assert_eq!(is_well(&all), well, "{needed_s} s");
            assert_eq!(
                words(&all, Lang::Zh).contains("短信上次成功 11-21 14:00，网关慢，用了32秒"),
                !well
            );
            assert_eq!(
                words(&all, Lang::En)
                    .contains("texts: last accepted 11-21 14:00, slow: after 32 s"),
                !well
            );
        }
        let taken = Taken {
            needed: SignedDuration::from_secs(32),
            ..standing(None, Some(0))[1].1.expect("a gateway")
        };
        let last = taken.last.expect("taken");
        let after = |minutes| {
            is_well(&[(
                Channel::Sms,
                Some(lately(taken, last + SignedDuration::from_mins(minutes))),
            )])
        };
        assert_eq!(
            [after(0), after(60), after(61)],
            [false, false, true],
            "and not for the rest of a quiet day"
        );
    }
}
