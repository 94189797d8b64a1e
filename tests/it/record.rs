//! 记录存证: somebody with the database's password, or a failing disk, changes the record. Every
//! detectable change is found, and nobody is accused of what a disk may have done.

mod told;

use crate::fixture::*;
use huoyan::app::record::RecordKeeper;
use huoyan::clock::Clock;
use huoyan::desk::Desk;
use huoyan::lang::Lang;
use huoyan::store::{Anchor, Inspection, Record, What};
use huoyan::triage::event::{Actor, Closure};
use huoyan::triage::hotspot::Hotspot;
use huoyan::triage::id::{IncidentId, PictureId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::retention::Retention;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::Arc;

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Office::of(super::TestStore::sqlite().await)).await })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                match super::TestStore::postgres().await {
                    Some(store) => super::$name(super::Office::of(store)).await,
                    None => eprintln!("skipped: HUOYAN_TEST_POSTGRES is not set"),
                }
            })+
        }
    };
}

on_both!(
    a_row_that_does_not_match_is_named_and_nobody_is_accused,
    a_log_that_was_rewritten_with_all_its_hashes_is_found_by_what_was_told,
    a_log_whose_end_was_taken_off_is_found_by_what_was_told,
    fires_that_are_marked_as_closed_go_on_all_the_same,
    a_fire_that_was_hidden_as_closed_is_back_on_the_board,
    a_row_is_not_put_right_from_a_log_that_does_not_match,
    a_text_is_not_sent_because_a_row_says_so,
    rows_that_the_log_does_not_know_are_named,
    a_replaced_photo_is_found_and_told_apart_from_one_that_is_missing,
    of_much_damage_the_first_is_named_and_the_rest_counted,
);

struct Office {
    t: TestStore,
    clock: Clock,
    desk: Arc<Desk>,
}

impl Office {
    fn of(t: TestStore) -> Self {
        let clock = Clock::simulated(start());
        let desk = Arc::new(desk(&t.store, &clock));
        Self { t, clock, desk }
    }

    fn keeper(&self) -> RecordKeeper {
        RecordKeeper::new(
            Arc::clone(&self.desk),
            self.t.store.clone(),
            Retention::default(),
            self.clock.clone(),
        )
    }

    fn pixel(&self, key: &str, north_deg: f64) -> Hotspot {
        let pixel = hotspot(key, "2.0NRT");
        Hotspot { at: place(pixel.at.lat_deg() + north_deg, pixel.at.lon_deg()), ..pixel }
    }

    /// A satellite sees a fire, and a ranger is dispatched at once.
    async fn fire(&self, key: &str, north_deg: f64) -> IncidentId {
        let pixel = self.pixel(key, north_deg);
        self.t
            .store
            .add_hotspots(std::slice::from_ref(&pixel), self.clock.now())
            .await
            .expect("kept");
        self.desk.sighting(satellite_sighting(&pixel)).await.expect("filed")
    }

    async fn act(&self, fire: IncidentId, input: Input) {
        let by =
            By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
        self.desk.act(fire, input, &by).await.expect("done");
    }

    async fn note(&self, fire: IncidentId, words: &str) {
        self.act(fire, Input::Note { words: words.to_owned() }).await;
    }

    async fn close(&self, fire: IncidentId) {
        let closure =
            Closure { category: 3, false_alarm: None, words: "烧荒".to_owned(), passed_to: None };
        self.act(fire, Input::Close { closure }).await;
    }

    async fn words(&self) -> String {
        look(&self.t.store).await.faults(Lang::Zh).join("；")
    }

    /// The record, checked against an anchor that somebody has on paper.
    async fn against(&self, paper: &str) -> Record {
        let paper = [paper.parse::<Anchor>().expect("an anchor")];
        let look = Inspection {
            now: self.clock.now(),
            mend: false,
            paper: &paper,
            retention: &Retention::default(),
        };
        self.t.store.look(&look).await.expect("a look").to_the_end().await.expect("a look")
    }

    /// Changes a text and every hash from there on, as somebody with this program's source could.
    async fn rewrite(&self, from: &str, to: &str) {
        let rows = self
            .t
            .rows(
                "SELECT CAST(seq AS TEXT) || ' ' || incident || ' ' || CAST(version \
            AS TEXT), body FROM event ORDER BY seq",
            )
            .await;
        let (mut hash, mut changes) = ("0".repeat(64), String::new());
        for (place, body) in rows {
            let [seq, incident, version] =
                place.split(' ').collect::<Vec<_>>().try_into().expect("three");
            let body = body.replace(from, to);
            let row = format!(
                r#"{{"seq":{seq},"incident":"{incident}","version":{version},"recorded":{body}}}"#
            );
            hash = hex::encode(Sha256::new().chain_update(&hash).chain_update(row).finalize());
            let body = body.replace('\'', "''");
            changes.push_str(&format!(
                "UPDATE event SET body = '{body}', hash = '{hash}' WHERE seq \
                = {seq};\n"
            ));
        }
        self.t
            .execute(format!("BEGIN;\n{changes}UPDATE log_head SET hash = '{hash}';\nCOMMIT"))
            .await;
    }
}

async fn a_row_that_does_not_match_is_named_and_nobody_is_accused(office: Office) {
    let fire = office.fire("a", 0.0).await;
    for n in 1..=4 {
        office.note(fire, &format!("remark {n}")).await;
    }
    let events = whole(&office.t.store).await;
    let seq = events - 2;
    office.t.execute("UPDATE event SET body = REPLACE(body, 'remark 2', 'remark x')").await;
    let record = look(&office.t.store).await;
    assert_eq!(
        (record.damaged.first.as_slice(), record.damaged.count),
        ([seq].as_slice(), 1),
        "this row, and none after it"
    );
    let words = office.words().await;
    assert!(
        words.contains(&format!("第{seq}条")) && words.contains("可能是磁盘出错，也可能被改动过"),
        "{words}"
    );
    office.t.execute("UPDATE event SET body = REPLACE(body, 'remark x', 'remark 2')").await;
    assert_eq!(whole(&office.t.store).await, events);

    office.t.execute(format!("UPDATE event SET incident = 'x' WHERE seq = {seq}")).await;
    assert_eq!(look(&office.t.store).await.damaged.first, [seq]);
    office.t.execute(format!("DELETE FROM event WHERE seq = {seq}")).await;
    let record = look(&office.t.store).await;
    assert_eq!(
        (record.absent.first.as_slice(), record.damaged.count),
        ([(seq, seq)].as_slice(), 0)
    );
    office.t.execute(format!("DELETE FROM event WHERE seq > {seq}")).await;
    assert_eq!(look(&office.t.store).await.absent.first, [(seq, events)]);
    office.t.execute(format!("UPDATE log_head SET seq = {}", seq - 1)).await;
    let record = look(&office.t.store).await;
    assert!(record.head_differs && record.absent.is_none() && record.damaged.is_none());
}

async fn a_log_that_was_rewritten_with_all_its_hashes_is_found_by_what_was_told(office: Office) {
    let fire = office.fire("a", 0.0).await;
    office.note(fire, "01:30 已叫醒张三").await;
    let kept = office
        .t
        .store
        .keep_anchor(date(2026, 4, 5), at(1))
        .await
        .expect("kept")
        .expect("an anchor");
    let paper = kept.anchor.to_string();
    office.note(fire, "天亮后再查").await;
    assert_eq!(
        office.against(&paper).await.faults(Lang::Zh),
        [""; 0],
        "an honest log agrees with the paper"
    );

    office.rewrite("01:30", "00:10").await;
    let record = look(&office.t.store).await;
    assert!(
        record.damaged.is_none() && record.absent.is_none() && !record.head_differs,
        "rows and hashes agree"
    );
    let words = office.words().await;
    assert!(
        words.contains("被改写过")
            && words.contains("2026-04-05")
            && words.contains("磁盘出错不会如此"),
        "{words}"
    );

    // The forger removes the stored head, too. The text on the leader's phone remains.
    office.t.execute("DELETE FROM anchor").await;
    whole(&office.t.store).await;
    let record = office.against(&paper).await;
    assert_eq!(record.rewritten.count, 1);
    assert!(record.faults(Lang::En)[0].contains("rewritten"), "{:?}", record.faults(Lang::En));
}

async fn a_log_whose_end_was_taken_off_is_found_by_what_was_told(office: Office) {
    let fire = office.fire("a", 0.0).await;
    let before = office.t.store.head().await.expect("a head");
    office.note(fire, "过火面积 20 亩").await;
    let kept = office
        .t
        .store
        .keep_anchor(date(2026, 4, 5), at(1))
        .await
        .expect("kept")
        .expect("an anchor");
    let again =
        office.t.store.keep_anchor(date(2026, 4, 5), at(9)).await.expect("kept").expect("the same");
    assert_eq!((again.anchor, again.at), (kept.anchor, at(1)), "one a day");
    office.t.execute(format!("DELETE FROM event WHERE seq > {}", before.events)).await;
    office
        .t
        .execute(format!("UPDATE log_head SET seq = {}, hash = '{}'", before.events, before.hash))
        .await;
    let words = office.words().await;
    assert!(words.contains("末尾被删去，或恢复过更早的备份"), "{words}");
}

/// The ranger does not answer, and somebody has marked the fires as closed in the running program's
/// database. The ladders continue, the rows are corrected within a minute, and the board says what
/// happened.
async fn fires_that_are_marked_as_closed_go_on_all_the_same(office: Office) {
    let fire = office.fire("a", 0.0).await;
    let mut keeper = office.keeper();
    keeper.round().await;
    assert_eq!(keeper.words(Lang::Zh), "");

    // A fire that the keeper did not find at its start.
    let second = office.fire("b", 0.03).await;
    office.t.execute("UPDATE incident SET state = 'closed'").await;
    office.clock.advance(SignedDuration::from_mins(11));
    let fired = office.desk.tick().await.expect("a tick");
    assert!(fired >= 2, "both ladders go on: {fired}");
    office.t.execute("UPDATE incident SET state = 'closed', version = version + 1").await;
    assert!(office.t.store.open_incidents().await.expect("a list").is_empty());
    keeper.round().await;
    for code in ["0405-01", "0405-02"] {
        let words = keeper.words(Lang::Zh);
        assert!(
            words.contains(&format!("警情 {code} 的版本号、状态与事件记录不同，已按事件记录改正")),
            "{words}"
        );
    }
    assert_eq!(office.t.store.open_incidents().await.expect("a list").len(), 2);
    for fire in [fire, second] {
        office.note(fire, "有人能处理").await;
    }
    keeper.round().await;
    assert!(keeper.words(Lang::En).contains("corrected from the log"), "until the next start");
    whole(&office.t.store).await;
}

/// It happened while the program was not running. A row that says "closed today" is not believed at
/// all. One that says "long ago" hides its fire until the record is checked, which is the first
/// thing after the start.
async fn a_fire_that_was_hidden_as_closed_is_back_on_the_board(office: Office) {
    let (fire, other) = (office.fire("a", 0.0).await, office.fire("b", 0.03).await);
    let closed = office.fire("c", -0.03).await;
    office.close(closed).await;
    office.t.execute("UPDATE incident SET state = 'closed', closed_at_us = opened_at_us").await;
    office.t.execute(format!("UPDATE incident SET closed_at_us = 0 WHERE id = '{fire}'")).await;
    let office = Office::of(office.t);
    let on_the_board = async || {
        let book = office.desk.open_book().await.expect("read");
        let open: Vec<IncidentId> = book.open().map(|it| it.incident.id).collect();
        let ended: Vec<IncidentId> = book.ended().map(|it| it.incident.id).collect();
        (open, ended)
    };
    assert_eq!(on_the_board().await, (vec![other], vec![closed]));
    office.keeper().round().await;
    assert_eq!(on_the_board().await, (vec![fire, other], vec![closed]));
    office.clock.advance(SignedDuration::from_mins(11));
    assert!(office.desk.tick().await.expect("a tick") >= 2, "both ladders go on");
    whole(&office.t.store).await;
}

/// The hash of the fire's last event does not follow, so the row may be right and the log wrong.
/// People must look; the program writes nothing.
async fn a_row_is_not_put_right_from_a_log_that_does_not_match(office: Office) {
    let fire = office.fire("a", 0.0).await;
    office.note(fire, "看过").await;
    office.t.execute("UPDATE event SET body = REPLACE(body, '看过', '没看')").await;
    office.t.execute("UPDATE incident SET state = 'closed'").await;
    let mut keeper = office.keeper();
    keeper.round().await;
    let words = keeper.words(Lang::En);
    assert!(
        words.contains("differs from the log in the state") && !words.contains("corrected"),
        "{words}"
    );
    assert!(office.t.store.open_incidents().await.expect("a list").is_empty());
    assert!(
        office.desk.open_book().await.expect("read").get(fire).is_some(),
        "the desk goes on with what it knows"
    );
}

/// There is no gateway. Every text has failed and the log says so; rows that claim otherwise are
/// named.
async fn a_text_is_not_sent_because_a_row_says_so(office: Office) {
    let fire = office.fire("a", 0.0).await;
    office.t.execute("UPDATE message SET status = 'sent' WHERE occasion = 'dispatched'").await;
    let words = office.words().await;
    assert!(words.contains("张三的通知标为已发出，但没有网关收过它"), "{words}");
    office.t.execute("UPDATE message SET status = 'queued' WHERE occasion = 'dispatched'").await;
    whole(&office.t.store).await;

    let message = office.t.store.messages_of(fire).await.expect("a list").remove(0);
    office.t.store.message_untried(message.id, "没有短信网关", None).await.expect("given up");
    office.desk.tick().await.expect("a tick");
    whole(&office.t.store).await;
    let forged = format!(
        "UPDATE message SET status = 'sent', attempts = 1, tried_at_us = created_at_us, sent_at_us \
        = created_at_us WHERE id = '{}'",
        message.id
    );
    office.t.execute(forged).await;
    assert!(
        office.words().await.contains("标为已发出"),
        "the log says that it had reached nobody then"
    );
    office.t.store.message_sent(message.id, at(1)).await.expect("tried on, and taken at last");
    whole(&office.t.store).await;
    office.t.execute(format!("DELETE FROM message WHERE id = '{}'", message.id)).await;
    assert!(office.words().await.contains("记为未送达的通知不见了"), "{}", office.words().await);
}

async fn rows_that_the_log_does_not_know_are_named(office: Office) {
    let (fire, other) = (office.fire("a", 0.0).await, office.fire("b", 0.03).await);
    office.close(other).await;
    whole(&office.t.store).await;
    let cases = [
        // "We told him at noon."
        (
            format!(
                "UPDATE message SET created_at_us = created_at_us - 7200000000 WHERE incident \
                = '{fire}'"
            ),
            format!(
                "UPDATE message SET created_at_us = created_at_us + 7200000000 WHERE incident \
                = '{fire}'"
            ),
            "在事件记录里没有来由",
        ),
        (
            format!("UPDATE evidence SET incident = '{other}'"),
            format!(
                "UPDATE evidence SET incident = '{fire}' WHERE sighting = (SELECT sighting \
                FROM hotspot WHERE key = 'a')"
            ),
            "归属与事件记录不同",
        ),
        (
            "UPDATE hotspot SET incident = NULL WHERE key = 'a'".to_owned(),
            format!("UPDATE hotspot SET incident = '{fire}' WHERE key = 'a'"),
            "的热点 a 归属与事件记录不同",
        ),
        (
            r#"UPDATE closed_place SET body = REPLACE(body, '"category":3', '"category":6')"#
                .to_owned(),
            r#"UPDATE closed_place SET body = REPLACE(body, '"category":6', '"category":3')"#
                .to_owned(),
            "警情 0405-02 的销号登记与事件记录不同",
        ),
        (
            format!(
                "INSERT INTO closed_place (incident, closed_at_us, body) SELECT '{fire}', \
                closed_at_us, body FROM closed_place"
            ),
            format!("DELETE FROM closed_place WHERE incident = '{fire}'"),
            "警情 0405-01 的销号登记与事件记录不同",
        ),
        (
            "INSERT INTO incident SELECT 'forged', '0405-99', version, state, drill, opened_seq + \
            1000, opened_at_us, closed_at_us \
             FROM incident WHERE code = '0405-01'"
                .to_owned(),
            "DELETE FROM incident WHERE code = '0405-99'".to_owned(),
            "警情 0405-99 没有任何事件记录",
        ),
    ];
    for (forged, back, said) in cases {
        office.t.execute(forged).await;
        let words = office.words().await;
        assert!(words.contains(said), "{said}: {words}");
        office.t.execute(back).await;
        whole(&office.t.store).await;
    }
}

async fn a_replaced_photo_is_found_and_told_apart_from_one_that_is_missing(office: Office) {
    let fire = office.fire("a", 0.0).await;
    let file = |picture: PictureId| office.t.folder.path().join(format!("pictures/{picture}.jpg"));
    let (shown, late) = (PictureId::of(id(), b"smoke"), PictureId::of(id(), b"late"));
    let old: PictureId = id().to_string().parse().expect("of a log before 0.2");
    for picture in [shown, late, old] {
        office.act(fire, Input::AddPhoto { picture }).await;
    }
    for (picture, bytes) in [(shown, b"smoke"), (old, b"faded")] {
        office.t.store.keep_picture(picture, bytes.to_vec()).await.expect("kept");
    }
    let soon = office.against("1 00000000").await;
    assert_eq!(
        (soon.pending_pictures, soon.missing(Lang::Zh)),
        (1, None),
        "the disk may be full just now"
    );
    let record = look(&office.t.store).await;
    assert_eq!((record.proven_pictures, record.unproven_pictures), (1, 1));
    assert_eq!(record.missing_pictures.first, [late]);
    assert!(record.proof(Lang::Zh).contains("1幅图片来自旧版本"), "{}", record.proof(Lang::Zh));

    std::fs::write(file(shown), b"a lawn").expect("replaced");
    std::fs::remove_file(file(old)).expect("removed");
    let record = look(&office.t.store).await;
    assert_eq!(
        (record.changed_pictures.first.as_slice(), record.missing_pictures.count),
        ([shown].as_slice(), 2)
    );
    let words = office.words().await;
    assert!(
        words.contains("磁盘损坏或被替换过")
            && words.contains(&shown.to_string())
            && !words.contains(&late.to_string()),
        "{words}"
    );
}

/// A disk with many bad places does not produce endless text: five of a kind are named. No step
/// reads more than a thousand rows.
async fn of_much_damage_the_first_is_named_and_the_rest_counted(office: Office) {
    let fire = office.fire("a", 0.0).await;
    for n in 0..7 {
        office.note(fire, &format!("remark {n}")).await;
    }
    let events = whole(&office.t.store).await;
    // 1,200 more rows, chained again: two steps for the chain.
    let copy = format!(
        "WITH RECURSIVE n (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 1200) \
         INSERT INTO event (seq, incident, version, at_us, body, hash) \
         SELECT {events} + k, incident, version + k, at_us, body, '' FROM event, n WHERE seq = \
         {events}"
    );
    office.t.execute(copy).await;
    office.t.execute(format!("UPDATE log_head SET seq = {events} + 1200")).await;
    office.rewrite("no such words", "").await;
    let look = Inspection {
        now: office.clock.now(),
        mend: true,
        paper: &[],
        retention: &Retention::default(),
    };
    let mut looking = office.t.store.look(&look).await.expect("a look");
    let mut steps = Vec::new();
    while let Some(step) = looking.step().await.expect("a step") {
        steps.push(format!("{step:?}"));
    }
    assert!(
        steps[0] == "Events(1000)" && steps[1].starts_with("Events(2") && steps[2] == "Events(0)",
        "{steps:?}"
    );
    let whats: Vec<&What> = looking.record().differences.first.iter().map(|it| &it.what).collect();
    assert!(matches!(whats[..], [What::Row { .. }]), "put right: {whats:?}");

    office.t.execute("UPDATE event SET body = REPLACE(body, 'remark', 'nothing')").await;
    let record = crate::fixture::look(&office.t.store).await;
    assert_eq!((record.damaged.first.len(), record.damaged.count), (5, 1207));
    assert!(office.words().await.contains("等，共1207处"), "{}", office.words().await);
}

/// SQLite enforces no foreign keys unless asked, so a row can be removed altogether.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fire_whose_row_is_gone_gets_another() {
    let office = Office::of(TestStore::sqlite().await);
    let fire = office.fire("a", 0.0).await;
    office.t.execute("DELETE FROM incident").await;
    assert!(office.t.store.open_incidents().await.expect("a list").is_empty());
    let mut keeper = office.keeper();
    keeper.round().await;
    assert!(
        keeper.words(Lang::Zh).contains("已按事件记录重建，编号是新的"),
        "{}",
        keeper.words(Lang::Zh)
    );
    let open = office.t.store.open_incidents().await.expect("a list");
    assert_eq!((open[0].incident.id, open[0].code.as_str()), (fire, "0405-02"));
    whole(&office.t.store).await;
}
