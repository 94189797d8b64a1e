//! The faults around the program.

use super::gateway::Mood;
use crate::program::{Dice, Program};
use crate::wire;
use rustix::process::{Resource, Rlimit, prlimit};
use sqlx::AssertSqlSafe;
use std::path::Path;
use uuid::Uuid;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// SIGKILL, then a restart.
    Killed,
    /// No file can grow any more.
    DiskFull,
    /// The same with PostgreSQL, which can still write its own files: only the program cannot.
    FilesFull,
    /// The machine's clock is set off by hours, and back.
    ClockStep,
    Gateway(Mood),
    /// PostgreSQL's connections are cut, and new ones refused.
    Database,
}

impl Fault {
    pub fn drawn(dice: &mut Dice, has_postgres: bool) -> Self {
        match dice.below(if has_postgres { 8 } else { 7 }) {
            0 | 1 => Self::Killed,
            2 if has_postgres => Self::FilesFull,
            2 => Self::DiskFull,
            3 => Self::ClockStep,
            4 => Self::Gateway(Mood::Out),
            5 => Self::Gateway(Mood::Slow),
            6 => Self::Gateway(Mood::Forgetful),
            _ => Self::Database,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Killed => "kill -9",
            Self::DiskFull => "disk full",
            Self::FilesFull => "program's disk full",
            Self::ClockStep => "clock step",
            Self::Gateway(Mood::Slow) => "gateway slow",
            Self::Gateway(Mood::Forgetful) => "gateway forgets",
            Self::Gateway(_) => "gateway out",
            Self::Database => "database away",
        }
    }
}

/// A file size limit simulates a full disk: no file of the program may grow beyond the journal's
/// length plus `room` bytes.
pub fn fill_the_disk(program: &Program, data: &Path, room: u64) {
    let length = |name: &str| std::fs::metadata(data.join(name)).map_or(0, |it| it.len());
    limit(program, Some(length("huoyan.db").min(length("huoyan.db-wal")) + room));
}

/// Forbids any write, even at the start of a journal that has grown before.
pub fn leave_no_room(program: &Program) {
    limit(program, Some(0));
}

pub fn make_room(program: &Program) {
    limit(program, None);
}

fn limit(program: &Program, bytes: Option<u64>) {
    prlimit(Some(program.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None })
        .expect("our own child's limit");
}

/// A connection to PostgreSQL that can be cut, with a schema of its own.
pub struct Wire {
    /// The address that the program gets.
    pub url: String,
    /// The address without the wire.
    pub direct: String,
    wire: wire::Wire,
}

impl Wire {
    /// `server`: `postgres://user@host:port/database`.
    pub async fn start(server: &str) -> Self {
        let schema = format!("torture_{}", Uuid::now_v7().simple());
        let pool = sqlx::PgPool::connect(server).await.expect("PostgreSQL");
        sqlx::query(AssertSqlSafe(format!("CREATE SCHEMA {schema}")))
            .execute(&pool)
            .await
            .expect("a schema");
        pool.close().await;
        let mut direct = reqwest::Url::parse(server).expect("an address");
        direct.query_pairs_mut().append_pair("options", &format!("-csearch_path={schema}"));
        let (wire, url) = wire::Wire::to_database(direct.as_str()).await;
        Self { url, direct: direct.into(), wire }
    }

    pub fn cut(&self) {
        self.wire.cut();
    }

    pub fn mend(&self) {
        self.wire.mend();
    }
}
