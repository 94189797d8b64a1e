//! The head of the log, sent outside the machine, and `huoyan check`, which compares the record
//! with it.

use super::*;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use huoyan::app::record::{Day, Teller, Untold};
use huoyan::config::{Config, TellAt};
use huoyan::county::County;
use huoyan::notify::{Keys, Notifier};
use serde_json::Value;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// A vendor that accepts texts unless told otherwise.
#[derive(Clone, Default)]
struct Vendor {
    taken: Arc<Mutex<Vec<Value>>>,
    refuses: Arc<Mutex<bool>>,
}

impl Vendor {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/send", listener.local_addr().expect("an address"));
        let vendor = self.clone();
        let take = move |Json(body): Json<Value>| async move {
            if *vendor.refuses.lock().expect("whole") {
                return StatusCode::BAD_GATEWAY;
            }
            vendor.taken.lock().expect("whole").push(body);
            StatusCode::OK
        };
        let router = Router::new().route("/send", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

/// The leader on duty gets the head of the log on his phone, once a day from eight o'clock on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_on_duty_is_told_once_a_day_where_the_log_ended() {
    let office = Office::of(TestStore::sqlite().await);
    let (store, vendor, county) = (&office.t.store, Vendor::default(), county());
    let mut config = Config::default();
    let notifier = async |config: &Config| {
        let (clock, bell) = (office.clock.clone(), Arc::default());
        Notifier::new(store.clone(), &config.notify, Keys::default(), clock, bell)
            .await
            .expect("a notifier")
    };
    let told = || vendor.taken.lock().expect("whole").clone();
    let morning: Timestamp = "2026-04-05T00:00:00Z".parse().expect("08:00 in Beijing");
    let minutes = |n| morning + SignedDuration::from_mins(n);

    let mut teller = Teller::default();
    let mut tell = async |notifier: &Notifier, county: &County, config: &Config, at| {
        teller.tell(store, notifier, county, config, at).await.expect("looked")
    };
    let none = notifier(&config).await;
    assert_eq!(
        tell(&none, &county, &config, minutes(0)).await,
        Day::Open,
        "an empty log has no end"
    );
    let fire = office.fire("a", 0.0).await;
    assert_eq!(tell(&none, &county, &config, minutes(0)).await, Day::Untold(Untold::NoGateway));
    config.notify.sms_url = Some(vendor.start().await);
    let notifier = notifier(&config).await;
    office.note(fire, "later").await;
    *vendor.refuses.lock().expect("whole") = true;
    let nobody = County { people: Vec::new(), ..county.clone() };
    assert_eq!(tell(&notifier, &nobody, &config, minutes(0)).await, Day::Untold(Untold::NoLeader));
    assert_eq!(tell(&notifier, &county, &config, minutes(1)).await, Day::Open, "refused");
    *vendor.refuses.lock().expect("whole") = false;
    assert_eq!(
        tell(&notifier, &county, &config, minutes(10)).await,
        Day::Open,
        "not again within ten minutes"
    );
    for n in [11, 12, 30] {
        assert_eq!(
            tell(&notifier, &county, &config, minutes(n)).await,
            Day::Done,
            "told, and once"
        );
    }
    let texts = told();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let leader =
        county.people.iter().find(|it| it.id.as_str() == "l2").and_then(|it| it.phone.clone());
    assert_eq!(texts[0]["to"].as_str(), leader.as_deref(), "by the rota of the day");
    let text = texts[0]["text"].as_str().expect("a text");
    let anchor = text.split('：').nth(1).and_then(|it| it.split('。').next()).expect("an anchor");
    assert!(text.starts_with("【森防】4月5日08:00火情记录存证："), "{text}");
    assert_eq!(office.against(anchor).await.faults(Lang::Zh), [""; 0], "{anchor}");

    let day = SignedDuration::from_hours(24);
    *vendor.refuses.lock().expect("whole") = true;
    assert_eq!(
        tell(&notifier, &county, &config, minutes(-1) + day).await,
        Day::Open,
        "not yet eight"
    );
    assert_eq!(tell(&notifier, &county, &config, minutes(0) + day).await, Day::Open, "refused");
    *vendor.refuses.lock().expect("whole") = false;
    assert_eq!(
        tell(&notifier, &county, &config, minutes(60) + day).await,
        Day::Untold(Untold::NotTaken),
        "too late"
    );
    config.record.tell_at = TellAt::Off;
    assert_eq!(tell(&notifier, &county, &config, minutes(0) + day + day).await, Day::Done, "off");
    assert_eq!(told().len(), 1);
    let kept = store
        .keep_anchor(date(2026, 4, 7), minutes(9) + day + day)
        .await
        .expect("kept")
        .expect("an anchor");
    assert_eq!((kept.at, kept.told_at), (minutes(0) + day + day, None), "kept all the same");
}

/// State and words of the command's findings on one part of the office.
async fn check(office: &Office, part: &str, anchor: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command.args(["check", "--json", "--quiet", "--data"]).arg(office.t.folder.path());
    command
        .args(anchor.iter().flat_map(|it| ["--anchor", it]))
        .env("LANG", "en_US.UTF-8")
        .env_remove("HUOYAN_STORE_URL");
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("runs")).await.expect("runs");
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("findings as JSON");
    let of_part = findings.into_iter().filter(|it| it["part"] == part);
    of_part.map(|it| format!("{} {}", it["state"], it["words"])).collect()
}

/// `huoyan check` checks like the running program, changes nothing, and proves the record against a
/// paper.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_proves_the_record_against_a_paper() {
    let office = Office::of(TestStore::sqlite().await);
    office.fire("a", 0.0).await;
    let paper = Anchor::of(&office.t.store.head().await.expect("a head")).to_string();
    let said = check(&office, "record", &[&paper]).await;
    assert!(said[0].contains("works") && said[0].contains(&paper), "{said:?}");
    assert!(said[1].contains("is the one on the paper"), "{said:?}");
    let (seq, hash) = paper.split_once(' ').expect("two words");
    let wrong = format!("{seq} {}", hash.chars().rev().collect::<String>());
    let said = check(&office, "record", &[&wrong]).await;
    assert!(
        said.len() == 1 && said[0].contains("broken") && said[0].contains("rewritten"),
        "{said:?}"
    );
    office.t.execute("UPDATE incident SET state = 'closed'").await;
    let said = check(&office, "record", &[&paper]).await;
    assert!(
        said[0].contains("differs from the log in the state"),
        "named and left as it is: {said:?}"
    );
    assert!(office.t.store.open_incidents().await.expect("a list").is_empty());
}

/// Missing evidence is named by its file, if it should still be there. Evidence past its retention
/// is not missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_names_missing_evidence() {
    let office = Office::of(TestStore::sqlite().await);
    let (fire, nothing) = (office.fire("a", 0.0).await, office.fire("b", 0.03).await);
    let lost = PictureId::of(id(), b"smoke");
    for (incident, picture) in [(fire, lost), (nothing, PictureId::of(id(), b"fog"))] {
        office.act(incident, Input::AddPhoto { picture }).await;
    }
    let closure = Closure { category: 9, false_alarm: None, words: String::new(), passed_to: None };
    office.act(nothing, Input::Close { closure }).await;
    assert_eq!(check(&office, "record", &[]).await.len(), 1);
    let said = check(&office, "pictures", &[]).await;
    assert!(
        said.len() == 1
            && said[0].contains("broken")
            && said[0].contains(&format!("never saved, or were removed: {lost}.jpg\"")),
        "{said:?}"
    );
}

/// The sender delivers texts all the time, and the leader's is one more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_is_told_while_the_sender_runs() {
    let (t, vendor, mut config) = (TestStore::sqlite().await, Vendor::default(), Config::default());
    config.notify.sms_url = Some(vendor.start().await);
    let bell = Arc::default();
    let notifier =
        Notifier::new(t.store.clone(), &config.notify, Keys::default(), Clock::System, bell).await;
    let notifier = Arc::new(notifier.expect("a notifier"));
    let sender = Arc::clone(&notifier);
    let sending = tokio::spawn(async move { sender.run(std::future::pending()).await });
    // Waits for its first heartbeat, which shows that it runs.
    let (heartbeat, mut silent) = (notifier.heartbeat(), Duration::ZERO);
    while heartbeat.silent_for() >= silent {
        silent = heartbeat.silent_for();
        tokio::task::yield_now().await;
    }
    let told =
        tokio::time::timeout(Duration::from_secs(10), notifier.tell("13800000001", "words", "key"))
            .await;
    assert!(told.expect("nobody waits for the sender to end"));
    sending.abort();
}
