//! An update and the way back. The previous version's database, with an open fire in it, is
//! migrated and continues. The backup from before the update becomes a working office.
//! (`unreadable.rs` tests what a version does with a database newer than itself.)

use crate::fixture::*;
use huoyan::backup::{self, BackupSource};
use huoyan::clock::Clock;
use huoyan::lang::Lang;
use huoyan::store::{Fate, Store};
use huoyan::triage::event::{Actor, Event};
use huoyan::triage::id::IncidentId;
use huoyan::triage::incident::{By, Input};
use huoyan::triage::retention::Retention;
use jiff::SignedDuration;
use sqlx::{AssertSqlSafe, PgPool, Row, SqlitePool};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

const NOTE: &str = "写于升级之前";

/// One dispatched fire with a note, in a store of this version.
async fn fire_with_a_note(t: &TestStore, clock: &Clock) -> IncidentId {
    let desk = desk(&t.store, clock);
    let fire = desk.sighting(satellite_sighting(&hotspot("1", "NRT"))).await.expect("filed");
    desk.act(fire, Input::Note { words: NOTE.to_owned() }, &officer()).await.expect("noted");
    for text in t.store.messages_of(fire).await.expect("messages") {
        let again = Fate::Queued(clock.now());
        t.store.message_failed(text.id, "no answer", again).await.expect("tried in vain");
    }
    fire
}

fn officer() -> By {
    By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None }
}

/// The migration that gave every text the key of its batch: older databases have texts without one.
const BATCHES: &str = "0010";

/// The migrations before that one.
async fn steps_before(kind: &str) -> sqlx::migrate::Migrator {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations").join(kind);
    let mut files: Vec<_> =
        fs::read_dir(all).expect("migrations").map(|it| it.expect("a file").path()).collect();
    files.sort();
    files.retain(|it| it.file_name().is_some_and(|name| name < OsStr::new(BATCHES)));
    let before = tempfile::tempdir().expect("a folder");
    for file in files {
        fs::copy(&file, before.path().join(file.file_name().expect("a name"))).expect("copied");
    }
    sqlx::migrate::Migrator::new(before.path()).await.expect("migrations")
}

/// Copies rows of `from` to `to`: in each table of the older schema, the columns that it has.
fn moves(columns: &[(String, String)], from: &str, to: &str) -> Vec<String> {
    let mut tables: Vec<&str> = columns.iter().map(|(table, _)| table.as_str()).collect();
    tables.dedup();
    let names = |table: &str| -> Vec<String> {
        columns
            .iter()
            .filter(|(of, _)| of == table)
            .map(|(_, column)| format!("\"{column}\""))
            .collect()
    };
    let both = tables.iter().map(|table| {
        let names = names(table).join(", ");
        [
            format!("DELETE FROM {to}.{table}"),
            format!("INSERT INTO {to}.{table} ({names}) SELECT {names} FROM {from}.{table}"),
        ]
    });
    both.flatten().collect()
}

/// The same rows in an SQLite database of the previous version, in another data folder.
async fn as_the_version_before_wrote_it(t: &TestStore) -> tempfile::TempDir {
    t.store.close().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |folder: &Path| folder.join("huoyan.db").display().to_string();
    let url = format!("sqlite://{}?mode=rwc", file(folder.path()));
    let pool = sqlx::pool::PoolOptions::new().max_connections(1).connect(&url).await;
    let pool: SqlitePool = pool.expect("a database");
    steps_before("sqlite").await.run(&pool).await.expect("the older schema");
    let columns = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                   WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY \
                   m.name, c.cid";
    let columns: Vec<(String, String)> =
        sqlx::query_as(columns).fetch_all(&pool).await.expect("columns");
    let attach = format!("ATTACH '{}' AS newer", file(t.folder.path()));
    for step in ["PRAGMA foreign_keys = OFF".to_owned(), attach]
        .into_iter()
        .chain(moves(&columns, "newer", "main"))
    {
        sqlx::query(AssertSqlSafe(step.clone())).execute(&pool).await.expect(&step);
    }
    pool.close().await;
    folder
}

/// The fire is unchanged, its ladder continues, and people can act.
async fn goes_on(store: &Store, fire: IncidentId, clock: &Clock) {
    whole(store).await;
    let has_note = |it: &std::sync::Arc<huoyan::triage::event::Recorded>| matches!(&it.event, Event::Noted { words, .. } if words == NOTE);
    assert!(store.incident(fire).await.expect("the fire").incident.log.iter().any(has_note));
    let told = store.messages_of(fire).await.expect("messages").len();
    assert!(told > 0, "the order to the ranger came along");
    let texts = store.messages_of(fire).await.expect("messages");
    assert!(
        texts.iter().all(|it| it.batch == Some(it.id)),
        "tried before, each goes again under its own key: {texts:?}"
    );
    let desk = desk(store, clock);
    clock.advance(SignedDuration::from_mins(4));
    assert!(desk.tick().await.expect("a look at the clock") > 0, "the ladder goes on");
    assert!(store.messages_of(fire).await.expect("messages").len() > told, "and somebody is rung");
    desk.act(fire, Input::Note { words: "写于升级之后".to_owned() }, &officer())
        .await
        .expect("people can act");
    desk.sighting(camera_sighting()).await.expect("and cameras see");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_of_the_version_before_is_brought_up_with_its_open_fire() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let fire = fire_with_a_note(&t, &clock).await;
    let folder = as_the_version_before_wrote_it(&t).await;
    let store = Store::open("sqlite", folder.path()).await.expect("brought up");
    goes_on(&store, fire, &clock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgresql_database_of_the_version_before_is_brought_up_with_its_open_fire() {
    let (Some(t), Some(older)) = (TestStore::postgres().await, TestStore::postgres().await) else {
        return;
    };
    let clock = Clock::simulated(start());
    let fire = fire_with_a_note(&t, &clock).await;
    older.store.close().await;
    let pool = PgPool::connect(&older.url).await.expect("PostgreSQL");
    let mut one = pool.acquire().await.expect("a connection");
    let schema = |t: &TestStore| t.url.rsplit("%3D").next().expect("a schema").to_owned();
    let (newer, older_schema) = (schema(&t), schema(&older));
    for step in
        [format!("DROP SCHEMA {older_schema} CASCADE"), format!("CREATE SCHEMA {older_schema}")]
    {
        sqlx::query(AssertSqlSafe(step.clone())).execute(&mut *one).await.expect(&step);
    }
    steps_before("postgres").await.run(&pool).await.expect("the older schema");
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns \
                   WHERE table_schema = $1 AND table_name NOT LIKE '\\_sqlx%' ORDER BY table_name, \
                   ordinal_position";
    let columns =
        sqlx::query(columns).bind(&older_schema).fetch_all(&mut *one).await.expect("columns");
    let columns: Vec<(String, String)> =
        columns.iter().map(|row| (row.get(0), row.get(1))).collect();
    let unchecked = "SET session_replication_role = replica".to_owned();
    for step in [unchecked].into_iter().chain(moves(&columns, &newer, &older_schema)) {
        sqlx::query(AssertSqlSafe(step.clone())).execute(&mut *one).await.expect(&step);
    }
    drop(one);
    pool.close().await;
    goes_on(&older.again().await, fire, &clock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_before_the_update_becomes_a_working_office() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let fire = fire_with_a_note(&t, &clock).await;
    let folder = as_the_version_before_wrote_it(&t).await;
    let beside = tempfile::tempdir().expect("a folder");
    let (backups, data, now) =
        (beside.path().join("backups"), beside.path().join("data"), clock.now());
    let office = BackupSource {
        data: folder.path().to_owned(),
        has_sqlite: true,
        config: None,
        retention: Retention::default(),
    };
    let restored = tokio::task::spawn_blocking({
        let data = data.clone();
        move || {
            backup::init(&backups).expect("a folder for backups");
            backup::take(&office, &backups, now, |_| {}).expect("a backup");
            backup::restore(&backups, &data, Lang::En, |_| {}).expect("restored")
        }
    });
    assert_eq!(restored.await.expect("does not panic").findings, [] as [&str; 0]);
    goes_on(&Store::open("sqlite", &data).await.expect("opens"), fire, &clock).await;
}
