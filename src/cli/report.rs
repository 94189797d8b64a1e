//! `huoyan report daily`: the sentence that the office hands in, computed from the log.

use super::{Common, Outcome};
use crate::clock::Clock;
use crate::county::{county_date, county_time};
use crate::error::{Error, Result};
use crate::report::Daily;
use crate::store::Store;
use clap::Subcommand;
use jiff::civil::{Date, Time};
use jiff::{Timestamp, ToSpan};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    report: Report,
}

#[derive(Subcommand)]
enum Report {
    /// 日报 / the day from midnight to now, or to a given hour
    Daily {
        /// 日期，默认今天 / day, default today
        #[arg(long, value_name = "YYYY-MM-DD")]
        date: Option<Date>,
        /// 截止时刻，默认现在或当日24时 / cut-off, default now or the day's end
        #[arg(long, value_name = "HH:MM", value_parser = clock_time)]
        until: Option<Time>,
    },
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let Report::Daily { date, until } = args.report;
    let (from, until) = window(date, until, Clock::System.now())?;
    let config = &common.config;
    let (head, incidents) = super::runtime()?.block_on(async {
        let store = Store::of(config).await?;
        Ok::<_, Error>((store.head().await?, store.incidents_opened(from, until).await?))
    })?;
    let incidents: Vec<_> = incidents.into_iter().map(|filed| filed.incident).collect();
    let record = Some(head).filter(|head| head.events > 0);
    let daily = Daily { record, ..Daily::count(&incidents, from, until, &config.policy) };
    if common.json {
        let json = serde_json::to_string(&daily)
            .map_err(|e| Error::internal("the report cannot be written as JSON").because(e))?;
        println!("{json}");
    } else {
        println!("{}", daily.words(common.lang));
    }
    Ok(Outcome::Fine)
}

/// From the start of the day (county time) to the cut-off, which is never later than now.
fn window(
    date: Option<Date>,
    until: Option<Time>,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp)> {
    let date = date.unwrap_or_else(|| county_date(now));
    let instant = |date: Date, time: Time| {
        date.to_datetime(time)
            .to_zoned(county_time())
            .map(|at| at.timestamp())
            .map_err(|e| Error::invalid(format!("{date} {time} is not a valid time")).because(e))
    };
    let from = instant(date, Time::midnight())?;
    let end = match until {
        Some(time) => instant(date, time)?,
        None => instant(date.saturating_add(1.day()), Time::midnight())?,
    };
    if from > now {
        return Err(Error::invalid(format!("{date} has not begun")));
    }
    Ok((from, end.min(now)))
}

fn clock_time(text: &str) -> std::result::Result<Time, String> {
    let (hour, minute) = text.split_once(':').ok_or("HH:MM")?;
    let (hour, minute) = (hour.parse().map_err(|_| "HH:MM")?, minute.parse().map_err(|_| "HH:MM")?);
    Time::new(hour, minute, 0, 0).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_countys_day_and_never_ends_in_the_future() {
        let now: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
        let texts = |date: Option<&str>, until: Option<&str>| {
            let date = date.map(|date| date.parse().expect("a date"));
            let until = until.map(|until| clock_time(until).expect("a time"));
            window(date, until, now)
                .map(|(from, until)| format!("{from} {until}"))
                .map_err(|e| e.message)
        };
        assert_eq!(texts(None, None).as_deref(), Ok("2026-11-20T16:00:00Z 2026-11-21T09:00:00Z"));
        assert_eq!(
            texts(None, Some("08:00")).as_deref(),
            Ok("2026-11-20T16:00:00Z 2026-11-21T00:00:00Z")
        );
        assert_eq!(
            texts(Some("2026-11-20"), None).as_deref(),
            Ok("2026-11-19T16:00:00Z 2026-11-20T16:00:00Z")
        );
        assert!(texts(Some("2026-11-22"), None).is_err());
        assert!(clock_time("25:00").is_err() && clock_time("noon").is_err());
    }
}
