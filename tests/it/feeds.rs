//! Satellite lists from several sources at once, in the real program: what hangs or fails costs only
//! itself, and is said.

use crate::program::{Browser, GRIDS, Office};
use huoyan::clock::Clock;
use jiff::SignedDuration;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// On a machine that also runs other tests; measured alone it is two.
const ON_THE_BOARD_WITHIN: Duration = Duration::from_secs(15);

/// A server that takes every connection and answers with this; without an answer it hangs.
fn server(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            _ = stream.read(&mut request);
            match answer {
                Some(body) => {
                    let length = body.len();
                    _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                    );
                }
                None => held.push(stream),
            }
        }
    });
    address
}

async fn part(officer: &Browser, name: &str) -> Value {
    let board = officer.get("/api/v1/board").await.expect("a board");
    let parts = board["health"].as_array().expect("the board's parts");
    parts.iter().find(|part| part["part"] == name).cloned().unwrap_or_default()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < ON_THE_BOARD_WITHIN, "{what}");
        Clock::System.sleep(Duration::from_millis(50)).await;
    }
}

/// One address hangs, one sends the page of its maintenance, and somebody puts a list into the
/// folder: it does not wait, and the board names the page and the next pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_in_the_folder_waits_for_no_feed_that_hangs() {
    let (hangs, page) = (server(None), server(Some("<!DOCTYPE html><title>维护中</title>")));
    let clock = |hours| {
        let at = Clock::System.now() + SignedDuration::from_hours(hours);
        at.to_zoned(huoyan::county::county_time()).strftime("%H:%M").to_string()
    };
    let (before, soon) = (clock(-1), clock(2));
    let config = format!(
        "[satellite]\nfeeds = [\"{hangs}/\", \"{page}/\"]\nlist_within = \"10min\"\n\
         timetable = [\"N20 {before}\", \"N21 {soon}\"]\n"
    );
    let office = Office::prepare(&config, GRIDS);
    let (_program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;
    until("the page is named", async || {
        let feed = part(&officer, "feeds 2").await;
        feed["ok"] == false && feed["words"].as_str().is_some_and(|words| words.contains("网页"))
    })
    .await;
    let kept = std::fs::read_dir(office.data.join("hotspots/refused")).expect("a folder");
    assert_eq!(kept.count(), 2, "the page and the note on it");

    let passes = part(&officer, "passes").await;
    let words = passes["words"].as_str().unwrap_or_default();
    assert_eq!(passes["ok"], false, "a pass an hour ago, and never a list: {words}");
    assert!(words.starts_with(&format!("N20 {before} 过境后")), "{words}");

    office.satellite_passes(0);
    let begun = Instant::now();
    until("the list is on the board", async || {
        let open = officer.get("/api/v1/incidents?state=open").await.expect("a list");
        open["items"].as_array().is_some_and(|items| !items.is_empty())
    })
    .await;
    eprintln!(
        "a list was on the board {:.1} s after it lay in the folder",
        begun.elapsed().as_secs_f64()
    );

    assert_eq!(part(&officer, "feeds 2").await["ok"], false, "a good list of another source");
    until("the next passes are told", async || {
        let passes = part(&officer, "passes").await;
        passes["ok"] == true && passes["words"] == format!("下次 N21 {soon}、N20 {before}")
    })
    .await;
}
