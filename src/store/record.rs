//! Does the record prove what it says? Checks the log against its hashes and against the heads
//! recorded outside this machine, and the rows and pictures against the log. It reads in small
//! steps, so that it never delays an action.

mod anchors;
mod chain;
mod derived;
mod line;
mod open;
mod words;

pub use anchors::{Anchor, Kept};
pub(super) use chain::chained;
pub use derived::{Difference, What};
pub(super) use line::{Line, insert};
pub use open::OpenLines;

use super::pictures::Presence;
use super::{LogHead, Store, failed, reading, time, us, writing};
use crate::error::Result;
use crate::triage::id::PictureId;
use crate::triage::retention::{Keeping, Retention};
use chain::Chain;
use derived::Read;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Findings of one kind that are named; the rest is counted. That is enough to look for the cause,
/// and short enough for one sentence.
const NAMED: usize = 5;
/// Incidents looked up in the log at once.
const PAGE: i64 = 200;
/// A picture is written after its event, and retried every two seconds while the disk accepts none.
/// After this time it counts as missing.
const FOLLOWS_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// A picture whose retention ends during the check may be removed before its turn. A check takes
/// less than this.
const TAKES_AT_MOST: SignedDuration = SignedDuration::from_hours(24);

/// The first findings of one kind, and how many there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named<T> {
    pub first: Vec<T>,
    pub count: u64,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { first: Vec::new(), count: 0 }
    }
}

impl<T> Named<T> {
    pub(super) fn add(&mut self, one: T) {
        if self.first.len() < NAMED {
            self.first.push(one);
        }
        self.count += 1;
    }

    pub fn is_none(&self) -> bool {
        self.count == 0
    }

    /// True when every finding is named.
    pub fn is_whole(&self) -> bool {
        self.count == self.first.len() as u64
    }
}

/// The result of checking the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The head of the log when the check began; later events were not checked.
    pub head: LogHead,
    /// Rows whose hash does not follow from the row and the previous hash.
    pub damaged: Named<u64>,
    /// First and last of each range of missing rows.
    pub absent: Named<(u64, u64)>,
    /// The stored head of the log differs from the last row's hash.
    pub head_differs: bool,
    /// The log had another hash there when this anchor was recorded or sent.
    pub rewritten: Named<Anchor>,
    /// The log was longer when this anchor was recorded or sent.
    pub cut: Named<Anchor>,
    /// Events that this version cannot read.
    pub unreadable: Named<u64>,
    pub differences: Named<Difference>,
    /// Pictures whose bytes are not what the log says.
    pub changed_pictures: Named<PictureId>,
    /// Missing although the retention rule wants them: never saved, or removed by hand.
    pub missing_pictures: Named<PictureId>,
    /// Named so recently that they may still be on their way.
    pub pending_pictures: u64,
    /// Present, but from logs before 0.2, which do not hold their hashes.
    pub unproven_pictures: u64,
    pub proven_pictures: u64,
    /// The open incidents according to the log.
    pub open: OpenLines,
    /// Pictures not checked yet, with the time at which the log named them: 70 bytes each, some ten
    /// thousand a year.
    pictures: BTreeMap<PictureId, Timestamp>,
}

/// What is checked, and how.
#[derive(Clone, Debug)]
pub struct Inspection<'a> {
    pub now: Timestamp,
    /// Correct incident rows that differ from a sound log.
    pub mend: bool,
    /// Anchors from a report or a text message, in addition to those stored here.
    pub paper: &'a [Anchor],
    /// Decides which pictures should be there.
    pub retention: &'a Retention,
}

/// A check of the whole record in steps of a few milliseconds. The caller reports progress and
/// pauses.
pub struct Looking {
    store: Store,
    now: Timestamp,
    mend: bool,
    retention: Retention,
    record: Record,
    stage: Phase,
}

/// Each event is read in two stages, then each picture in one.
enum Phase {
    Chain(Chain),
    /// Incidents in order of opening: the position of the last one read, and the ones that are
    /// next.
    Rows {
        seq: i64,
        next: VecDeque<String>,
    },
    /// Most of the work: gigabytes to read.
    Pictures,
    Over,
}

/// What one step checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inspected {
    Events(u64),
    Picture,
}

impl Store {
    /// Begins a check of the record in its present state.
    pub async fn look(&self, look: &Inspection<'_>) -> Result<Looking> {
        let head = self.head().await?;
        let mut anchors = self.anchors().await?;
        anchors.extend_from_slice(look.paper);
        anchors.sort_by_key(|it| it.seq);
        let mut record = Record::of(head);
        anchors
            .iter()
            .filter(|it| it.seq > record.head.events)
            .for_each(|it| record.cut.add(it.clone()));
        let stage = Phase::Chain(Chain::from_the_beginning(anchors));
        let (now, mend, retention) = (look.now, look.mend, look.retention.clone());
        Ok(Looking { store: self.clone(), now, mend, retention, record, stage })
    }
}

impl Looking {
    /// `None` when everything is checked.
    pub async fn step(&mut self) -> Result<Option<Inspected>> {
        let (store, record) = (&self.store, &mut self.record);
        match &mut self.stage {
            Phase::Chain(chain) => {
                let rows = chain.step(store, record).await?;
                if rows == 0 {
                    self.stage = Phase::Rows { seq: 0, next: VecDeque::new() };
                }
                Ok(Some(Inspected::Events(rows)))
            }
            Phase::Rows { seq, next } => {
                if next.is_empty() {
                    let rows = store.openings(*seq, record.head.events as i64).await?;
                    *seq = rows.last().map_or(*seq, |(seq, _)| *seq);
                    next.extend(rows.into_iter().map(|(_, name)| name));
                }
                let Some(name) = next.pop_front() else {
                    store.strays().await?.into_iter().for_each(|it| record.differences.add(it));
                    self.stage = Phase::Pictures;
                    return Ok(Some(Inspected::Events(0)));
                };
                let (read, differences) = store.compared(&name, self.mend).await?;
                differences.into_iter().for_each(|it| record.differences.add(it));
                Ok(Some(Inspected::Events(record.read(read))))
            }
            Phase::Pictures => {
                let Some((picture, named_at)) = record.pictures.pop_first() else {
                    self.stage = Phase::Over;
                    return Ok(None);
                };
                match store.presence(picture).await? {
                    Presence::Proven => record.proven_pictures += 1,
                    Presence::Unproven => record.unproven_pictures += 1,
                    Presence::Changed => record.changed_pictures.add(picture),
                    Presence::Absent if self.now.duration_since(named_at) < FOLLOWS_WITHIN => {
                        record.pending_pictures += 1
                    }
                    Presence::Absent => {
                        let ends = self.now + TAKES_AT_MOST;
                        if store.keeping(picture, &self.retention, ends).await?
                            == Some(Keeping::Owed)
                        {
                            record.missing_pictures.add(picture);
                        }
                    }
                }
                Ok(Some(Inspected::Picture))
            }
            Phase::Over => Ok(None),
        }
    }

    /// Runs to the end without pauses.
    pub async fn to_the_end(mut self) -> Result<Record> {
        while self.step().await?.is_some() {}
        Ok(self.record)
    }

    /// The findings so far.
    pub fn record(&self) -> &Record {
        &self.record
    }
}

impl Store {
    /// The next incidents in order of opening.
    async fn openings(&self, after: i64, end: i64) -> Result<Vec<(i64, String)>> {
        Ok(reading!(self, pool => sqlx::query_as(
            "SELECT seq, incident FROM event WHERE version = 1 AND seq > $1 AND seq <= $2 AND \
            incident <> $4 ORDER BY seq LIMIT $3",
        ).bind(after).bind(end).bind(PAGE).bind(super::REGISTERS).fetch_all(pool).await.map_err(failed)?))
    }
}

impl Record {
    fn of(head: LogHead) -> Self {
        let open = OpenLines::at(head.events);
        Self {
            head,
            damaged: Named::default(),
            absent: Named::default(),
            head_differs: false,
            rewritten: Named::default(),
            cut: Named::default(),
            unreadable: Named::default(),
            differences: Named::default(),
            changed_pictures: Named::default(),
            missing_pictures: Named::default(),
            pending_pictures: 0,
            unproven_pictures: 0,
            proven_pictures: 0,
            open,
            pictures: BTreeMap::new(),
        }
    }

    /// Adds an incident's log. Returns the number of its events.
    fn read(&mut self, read: Read) -> u64 {
        let logged = match read {
            Read::Whole(logged) => logged,
            Read::Unreadable(seqs) => {
                seqs.into_iter().for_each(|it| self.unreadable.add(it));
                return 0;
            }
        };
        for recorded in &logged.log {
            self.pictures.extend(
                recorded.event.pictures().into_iter().map(|(picture, _)| (picture, recorded.at)),
            );
        }
        let events = logged.log.len() as u64;
        if logged.is_open() {
            self.open.insert(logged.name, logged.line);
        }
        events
    }

    /// The number of pictures not checked yet.
    pub fn pictures_left(&self) -> u64 {
        self.pictures.len() as u64
    }
}
