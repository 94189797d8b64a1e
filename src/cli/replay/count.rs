//! `huoyan replay --count-false`: a gate on clean time, with recordings that the office declares
//! free of smoke. Every confirmation is a false alarm. The gate judges the upper limit of the rate
//! per camera-day, not the number that happened to occur.

use crate::lang::Lang;
use crate::triage::rate::garwood;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Two pictures farther apart than this were not watched in between, so the gap is no clean time.
const GAP_MAX: SignedDuration = SignedDuration::from_mins(5);
const HOURS_A_DAY: f64 = 24.0;

/// Clean time, and the alarms in it, by source.
pub(super) struct Count {
    sources: Vec<Watched>,
    /// The gate: limit for the upper end of the interval, per camera-day.
    at_most: Option<f64>,
}

#[derive(Clone, Default)]
struct Watched {
    source: String,
    last: Option<Timestamp>,
    seconds: f64,
    /// Pairs of pictures that the seconds consist of.
    steps: u64,
    false_alarms: u64,
}

/// The rate of one source, or of all.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Rate {
    /// Null: all sources together.
    source: Option<String>,
    pub hours: f64,
    /// Seconds between looks, on average.
    cadence_s: Option<f64>,
    pub false_alarms: u64,
    /// Per camera-day; null where no time was watched.
    per_day: Option<f64>,
    /// Two-sided exact 95 % interval: Garwood.
    lower: f64,
    pub upper: Option<f64>,
}

impl Count {
    pub(super) fn new(at_most: Option<f64>) -> Self {
        Self { sources: Vec::new(), at_most }
    }

    /// Counts one picture, and the number of places confirmed in it.
    pub(super) fn looked(&mut self, source: &str, at: Timestamp, confirmed: usize) {
        if self.sources.last().is_none_or(|it| it.source != source) {
            self.sources.push(Watched { source: source.to_owned(), ..Watched::default() });
        }
        let Some(watched) = self.sources.last_mut() else { return };
        let step = watched.last.replace(at).map(|last| at.duration_since(last));
        if let Some(step) = step.filter(|step| step.is_positive() && *step <= GAP_MAX) {
            (watched.seconds, watched.steps) =
                (watched.seconds + step.as_secs_f64(), watched.steps + 1);
        }
        watched.false_alarms += confirmed as u64;
    }

    /// By source, then all together.
    pub(super) fn rates(&self) -> Vec<Rate> {
        let all = self.sources.iter().fold(Watched::default(), |sum, it| Watched {
            seconds: sum.seconds + it.seconds,
            steps: sum.steps + it.steps,
            false_alarms: sum.false_alarms + it.false_alarms,
            ..sum
        });
        let each = self.sources.iter().map(|it| it.rate(Some(it.source.clone())));
        each.chain([all.rate(None)]).collect()
    }

    /// Whether the gate holds. Without clean time it does not.
    pub(super) fn holds(&self) -> bool {
        let upper = self.rates().last().and_then(|all| all.upper);
        self.at_most.is_none_or(|at_most| upper.is_some_and(|upper| upper <= at_most))
    }

    /// For people: one line per source, and one for all.
    pub(super) fn words(&self, lang: Lang) -> Vec<String> {
        let rates = self.rates();
        let mut lines: Vec<String> = rates.iter().map(|rate| rate.words(lang)).collect();
        lines.push(match (self.at_most, self.holds(), lang) {
            (None, _, Lang::Zh) => {
                "区间为双侧95%精确区间（Garwood）；用 --at-most 设上限作放行条件".to_owned()
            }
            (None, _, Lang::En) => {
                "intervals are exact and two-sided, 95 % (Garwood); --at-most sets a limit for the \
                upper end"
                    .to_owned()
            }
            (Some(most), true, Lang::Zh) => {
                format!("放行：区间上端不超过每台每天 {most} 次（双侧95%，Garwood）")
            }
            (Some(most), true, Lang::En) => {
                format!(
                    "passed: the upper end is at most {most} per camera-day (exact, two-sided \
                    95 %, Garwood)"
                )
            }
            (Some(most), false, Lang::Zh) => {
                format!(
                    "不放行：区间上端超过每台每天 {most} 次（双侧95%，Garwood）；误报太多，\
                    或无烟录像太短"
                )
            }
            (Some(most), false, Lang::En) => format!(
                "not passed: the upper end is above {most} per camera-day (exact, two-sided 95 %, \
                Garwood): too many false alarms, or too little clean time"
            ),
        });
        lines
    }
}

impl Watched {
    fn rate(&self, source: Option<String>) -> Rate {
        let (lower, upper) = garwood(self.false_alarms);
        let hours = self.seconds / 3600.0;
        let a_day = |count: f64| (hours > 0.0).then(|| count * HOURS_A_DAY / hours);
        Rate {
            source,
            hours,
            cadence_s: (self.steps > 0).then(|| self.seconds / self.steps as f64),
            false_alarms: self.false_alarms,
            per_day: a_day(self.false_alarms as f64),
            lower: a_day(lower).unwrap_or_default(),
            upper: a_day(upper),
        }
    }
}

impl Rate {
    fn words(&self, lang: Lang) -> String {
        let Self { hours, false_alarms, lower, .. } = self;
        let source = self.source.as_deref().unwrap_or(lang.pick("合计", "all"));
        let (Some(a_day), Some(upper), Some(cadence_s)) =
            (self.per_day, self.upper, self.cadence_s)
        else {
            return match lang {
                Lang::Zh => format!("{source}：没有连续的画面，算不出无烟时间"),
                Lang::En => format!(
                    "{source}: no two pictures are within five minutes, so it has \
                    no clean time"
                ),
            };
        };
        match lang {
            Lang::Zh => format!(
                "{source}：无烟 {hours:.2} 小时（平均每 {cadence_s:.0} 秒一次），误报 \
                {false_alarms} 次，每台每天 {a_day:.2} 次（{lower:.2}–{upper:.2}）"
            ),
            Lang::En => format!(
                "{source}: {hours:.2} clean hours (a look every {cadence_s:.0} s), {false_alarms} \
                false alarms, {a_day:.2} a camera-day ({lower:.2}–{upper:.2})"
            ),
        }
    }
}

/// A number above zero.
pub(super) fn per_day(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| {
        "a number of false alarms per camera-day is needed, for example 1.5".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(looks: i64, every_s: i64, alarms: usize) -> Count {
        let mut count = Count::new(Some(4.0));
        for look in 0..looks {
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(look * every_s);
            count.looked("ridge", at, if look == 5 { alarms } else { 0 });
        }
        count
    }

    /// A day without a false alarm does not prove zero: it proves 3.69 a day at most.
    #[test]
    fn a_clean_day_says_how_many_there_may_be() {
        let day = watched(8641, 10, 0);
        let all = &day.rates()[1];
        assert!((all.hours - 24.0).abs() < 1e-6 && all.source.is_none(), "{all:?}");
        assert!(all.upper.is_some_and(|upper| (upper - 3.689).abs() < 1e-3), "{all:?}");
        assert!(day.holds(), "3.69 is below 4");
        assert!(!watched(8641, 10, 1).holds(), "one alarm: 5.57 are above it");
        assert!(!watched(4321, 10, 0).holds(), "half a day proves half as much: 7.38");
    }

    /// A recording with a gap of an hour was not watched for that hour. A single picture proves
    /// nothing.
    #[test]
    fn time_in_which_nobody_looked_is_no_clean_time() {
        let mut count = watched(361, 10, 0);
        count.looked("ridge", Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2), 0);
        assert!((count.rates()[0].hours - 1.0).abs() < 1e-6);
        let single = watched(1, 10, 0);
        assert_eq!((single.rates()[0].upper, single.holds()), (None, false));
    }

    #[test]
    fn sources_are_counted_apart_and_together() {
        let mut count = watched(361, 10, 2);
        for look in 0..361 {
            count.looked("valley", Timestamp::UNIX_EPOCH + SignedDuration::from_secs(look * 10), 0);
        }
        let found: Vec<(u64, f64)> = count
            .rates()
            .iter()
            .map(|it| (it.false_alarms, (it.hours * 100.0).round() / 100.0))
            .collect();
        assert_eq!(found, [(2, 1.0), (0, 1.0), (2, 2.0)]);
        assert!(
            count.words(Lang::En)[0].starts_with("ridge: 1.00 clean hours"),
            "{:?}",
            count.words(Lang::En)
        );
    }
}
