//! The clock of the office's PC is set back one hour, then two hours forward, under the real
//! program. The board reports it within 15 s. Every rung comes once, when its time has really
//! passed, and who is late stays late.

use crate::program::{Browser, GRIDS, Hands, Office};
use huoyan::clock::Clock;
use huoyan::triage::id::ActionId;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
[satellite]
folder_every = "100ms"

[policy]
acknowledge_within = "6s"
arrive_within = "10s"
report_within = "30s"
ladder = [
    { after = "3s", unless = "acknowledged", tell = ["ranger"], channel = "voice" },
    { after = "6s", unless = "acknowledged", tell = ["village_chief", "township_duty"], channel = "sms" },
    { after = "10s", unless = "arrived", tell = ["township_duty", "county_duty"], channel = "sms" },
]
"#;
/// Seconds after the dispatch, as configured above.
const RUNGS_S: [i64; 3] = [3, 6, 10];
/// Latest delay of a rung: the desk's own look at the clock, on a busy machine.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(5);
const SAID_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_moves_no_deadline_and_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let hands = Hands::new(folder.path());
    let office = Office::prepare(CONFIG, GRIDS).with_env(hands.env());
    let (_program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;
    assert_eq!(
        said_of_the_clock(&officer).await,
        "",
        "nothing is said of a clock that nobody has set"
    );

    // (grid, hours by which the machine's clock is off, the board's word for that)
    for (grid, hours, word) in [(0, -1, "慢"), (1, 1, "快")] {
        office.satellite_passes(grid);
        let incident = dispatched(&officer, grid).await;
        hands.set(hours);
        let set_at = Instant::now();
        while !said_of_the_clock(&officer).await.contains(word) {
            assert!(
                set_at.elapsed() < SAID_WITHIN,
                "the board says that the clock was set: {hours} h"
            );
            Clock::System.sleep(Duration::from_millis(200)).await;
        }
        // By now the log would hold a rung fired too early, and would lack one that waits for the
        // false clock.
        let last = Duration::from_secs(RUNGS_S[2].unsigned_abs()) + TOLERANCE.unsigned_abs();
        Clock::System.sleep(last.saturating_sub(set_at.elapsed())).await;

        let path = format!("/api/v1/incidents/{incident}");
        let late = officer
            .post(&format!("{path}/acknowledge"), key(), &json!({ "reason": "phoned" }))
            .await;
        assert_eq!(late, Some(StatusCode::OK));
        let whole = officer.get(&path).await.expect("the incident");
        assert_eq!(
            whole["dispatch"]["acknowledged"]["late"], true,
            "late by what has passed: {hours} h"
        );
        let missed = whole["dispatch"]["missed"].as_array().map_or(0, Vec::len);
        assert_eq!(missed, 2, "who neither answered nor arrived: {}", whole["dispatch"]["missed"]);
        let rungs = rungs(&whole);
        assert_eq!(
            rungs.iter().map(|(rung, _)| *rung).collect::<Vec<_>>(),
            [0, 1, 2],
            "each once: {hours} h"
        );
        for ((rung, after), wanted_s) in rungs.iter().zip(RUNGS_S) {
            let late = *after - SignedDuration::from_secs(wanted_s);
            assert!(
                !late.is_negative() && late < TOLERANCE,
                "rung {rung} {after:#} after the dispatch: {hours} h"
            );
        }
    }
}

/// Number and time since the dispatch of every rung in the log, in the log's order.
fn rungs(incident: &Value) -> Vec<(u64, SignedDuration)> {
    let at = |it: &Value| it.as_str().and_then(|at| at.parse::<Timestamp>().ok()).expect("a time");
    let from = at(&incident["dispatch"]["dispatched_at"]);
    let log = incident["log"].as_array().expect("a log");
    let fired = log.iter().filter(|line| line["event"]["type"] == "escalated");
    fired
        .map(|line| {
            (line["event"]["rung"].as_u64().expect("a rung"), at(&line["at"]).duration_since(from))
        })
        .collect()
}

/// The id of the incident that the satellite's pass over this grid opened.
async fn dispatched(officer: &Browser, grid: usize) -> String {
    let mut found = None;
    let begun = Instant::now();
    while found.is_none() && begun.elapsed() < SAID_WITHIN {
        let page = officer.get("/api/v1/incidents?state=open").await.expect("a list");
        let here = |it: &&Value| {
            it["place"]["grid"].as_str().is_some_and(|code| code.contains(&format!("g{grid}")))
        };
        let items = page["items"].as_array().expect("items");
        found = items.iter().find(here).and_then(|it| it["id"].as_str()).map(str::to_owned);
        Clock::System.sleep(Duration::from_millis(50)).await;
    }
    found.expect("a satellite's fire in one grid is dispatched")
}

/// The words of the board's part `clock`; empty while it is fine.
async fn said_of_the_clock(officer: &Browser) -> String {
    let board = officer.get("/api/v1/board").await.expect("a board");
    let parts = board["health"].as_array().expect("the board's parts");
    let clock = parts.iter().find(|part| part["part"] == "clock" && part["ok"] == false);
    clock.and_then(|part| part["words"].as_str()).unwrap_or_default().to_owned()
}

fn key() -> ActionId {
    ActionId(crate::fixture::id())
}
