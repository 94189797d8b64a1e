//! Other systems: their keys, their alarms as they came, and what of them was refused.

use super::*;
use huoyan::error::Code;
use huoyan::lang::Words;
use huoyan::store::NewAlarm;
use huoyan::triage::id::SightingId;
use uuid::Uuid;

fn alarm<'a>(id: &'a str, meaning: &'a str, sighting: u128) -> NewAlarm<'a> {
    NewAlarm {
        system: "热成像",
        id,
        meaning_sha256: meaning,
        sighting: SightingId(Uuid::from_u128(sighting)),
        media: "application/xml",
        original: b"<a>\xc4\x00</a>",
    }
}

pub async fn another_systems_alarm_is_kept_once_as_it_came(t: TestStore) {
    let now = start();
    let day = SignedDuration::from_hours(24);
    t.store.add_alarm_system("热成像", "hash", Some(day), now).await.unwrap();
    let known = t.store.alarm_system_of("hash").await.unwrap().expect("known");
    assert_eq!((known.silent_after, known.alarm_at, known.refused), (Some(day), None, None));
    // The program died before the alarm became a sighting; the device sends a newer picture.
    t.store.keep_alarm(&alarm("A1", "before", 1), now).await.unwrap();
    t.store.keep_alarm(&alarm("A1", "one", 1), now).await.unwrap();
    let seen = Sighting { id: SightingId(Uuid::from_u128(1)), ..camera_sighting() };
    t.store.record_sightings(&[seen], now).await.unwrap();
    let packed_otherwise = NewAlarm { original: b"{}", ..alarm("A1", "one", 1) };
    let kept = t.store.keep_alarm(&packed_otherwise, now).await.unwrap();
    assert_eq!(kept, b"<a>\xc4\x00</a>", "what is kept, not what came now");
    t.store.keep_alarm(&alarm("A1", "one", 1), now + day).await.unwrap();
    let other = t.store.keep_alarm(&alarm("A1", "two", 1), now + day * 2).await.unwrap_err();
    assert_eq!((other.kind, other.code), (Kind::Conflict, Some(Code::KeyReused)));
    let sighting = t.store.sighting_of_alarm("热成像", "A1").await.unwrap().expect("kept");
    let original = t.store.original_of(sighting).await.unwrap().expect("kept");
    assert_eq!(original.bytes, b"<a>\xc4\x00</a>", "whatever its encoding");
    assert_eq!(t.store.sighting_of_alarm("another", "A1").await.unwrap(), None);
    let heard = t.store.alarm_systems().await.unwrap().remove(0);
    assert_eq!(heard.alarm_at, Some(now + day), "what was refused is no alarm");
    t.store.prune_alarms(now + day).await.unwrap();
    assert_eq!(t.store.original_of(sighting).await.unwrap(), None);
}

pub async fn a_key_is_one_systems_until_it_is_revoked(t: TestStore) {
    let now = start();
    t.store.add_alarm_system("平台", "first", None, now).await.unwrap();
    let again = t.store.add_alarm_system("平台", "second", None, now).await.unwrap_err();
    assert_eq!(again.kind, Kind::Conflict);
    let why = Words::new("为什么", "why");
    let long = Words::new("烟".repeat(9_000), "smoke".repeat(9_000));
    t.store.alarm_refused("平台", 1, &long, now - SignedDuration::from_hours(48)).await.unwrap();
    let refused = t.store.alarm_systems().await.unwrap().remove(0).refused.expect("refused");
    assert!(refused.why.zh.chars().count() < 400 && refused.why.en.len() < 400);
    t.store.alarm_refused("平台", 1, &why, now).await.unwrap();
    t.store.alarm_refused("平台", 2, &why, now + SignedDuration::from_hours(1)).await.unwrap();
    let refused = t.store.alarm_systems().await.unwrap().remove(0).refused.expect("refused");
    assert_eq!((refused.count, refused.why.en.as_str()), (3, "why"));
    t.store.alarm_refused("平台", 1, &why, now + SignedDuration::from_hours(30)).await.unwrap();
    let refused = t.store.alarm_systems().await.unwrap().remove(0).refused.expect("refused");
    assert_eq!(refused.count, 1, "a day without any begins anew");
    assert!(t.store.revoke_alarm_system("平台", now).await.unwrap());
    assert!(!t.store.revoke_alarm_system("平台", now).await.unwrap());
    assert_eq!(
        t.store.alarm_system_of("first").await.unwrap().expect("known").revoked_at,
        Some(now)
    );
    t.store.add_alarm_system("平台", "second", None, now).await.unwrap();
    assert_eq!(t.store.alarm_system_of("first").await.unwrap(), None);
    let renewed = t.store.alarm_system_of("second").await.unwrap().expect("known");
    assert_eq!((renewed.revoked_at, renewed.refused), (None, None));
}

pub async fn a_receiver_is_told_from_its_cursor_on_by_one_process(t: TestStore) {
    let minute = SignedDuration::from_mins(1);
    open(&t.store).await;
    t.store.add_webhook("gis").await.unwrap();
    assert_eq!(t.store.webhook_waiting("gis").await.unwrap(), 0, "from now on");
    let end = t.store.cursor().await.unwrap();
    let leased = t.store.lease_webhook("gis", start(), start() + minute).await.unwrap();
    assert_eq!(leased, Some(end));
    let second = t.store.lease_webhook("gis", start(), start() + minute).await.unwrap();
    assert_eq!(second, None, "another process has it");
    let later = start() + minute;
    assert_eq!(t.store.lease_webhook("gis", later, later + minute).await.unwrap(), Some(end));
    // The first one wakes up: its turn is over, and it moves nothing.
    let mine = start() + minute;
    assert!(!t.store.webhook_told("gis", end + 7, mine, None).await.unwrap());
    let mine = later + minute;
    assert!(!t.store.webhook_told("gis", end - 1, mine, None).await.unwrap(), "never back");
    let next = mine + minute;
    assert!(t.store.webhook_told("gis", end, mine, Some(next)).await.unwrap());
    assert!(!t.store.webhook_told("gis", end, mine, None).await.unwrap());
    assert!(t.store.webhook_told("gis", end, next, None).await.unwrap());
    open(&t.store).await;
    assert_eq!(t.store.webhook_waiting("gis").await.unwrap(), 1);
    t.store.add_webhook("gis").await.unwrap();
    let kept = t.store.lease_webhook("gis", start(), start() + minute).await.unwrap();
    assert_eq!(kept, Some(end), "a restart begins nothing anew");
    assert_eq!(t.store.lease_webhook("nobody", start(), start()).await.unwrap(), None);
}
