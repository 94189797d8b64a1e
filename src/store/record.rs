//! Does the record prove what it says? The log against its hashes and against the heads that were told outside of this machine; the
//! rows beside the log, and the pictures that it names, against the log. Read a little at a time, so that it is never in the way of an action.

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
use super::{Head, Store, failed, reading, time, us, writing};
use crate::error::Result;
use crate::triage::id::PictureId;
use crate::triage::retention::{Keeping, Retention};
use chain::Chain;
use derived::Read;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Findings of a kind that are named; the rest is counted: enough to look for the cause, and a sentence that can be read.
const NAMED: usize = 5;
/// Incidents looked for in the log at once.
const PAGE: i64 = 200;
/// A picture follows its event, tried every two seconds while the disk takes none; after that time it is missing.
const FOLLOWS_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// A picture whose time ends while others are looked at may go before its turn. A look takes less than this.
const TAKES_AT_MOST: SignedDuration = SignedDuration::from_hours(24);

/// The first of a kind, and how many there are.
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

    /// Each is named.
    pub fn is_whole(&self) -> bool {
        self.count == self.first.len() as u64
    }
}

/// What a look through the record found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where the log ended when the look began; what came later was not looked at.
    pub head: Head,
    /// Rows whose hash does not follow from the row and the hash before it.
    pub damaged: Named<u64>,
    /// First and last of rows that are not there.
    pub absent: Named<(u64, u64)>,
    /// The last row has another hash than the place where the log's end is kept.
    pub head_differs: bool,
    /// The log had another hash there when this was written down or told.
    pub rewritten: Named<Anchor>,
    /// The log was longer when this was written down or told.
    pub cut: Named<Anchor>,
    /// Events that this version cannot read.
    pub unreadable: Named<u64>,
    pub differences: Named<Difference>,
    /// Pictures whose bytes are not what the log says.
    pub changed_pictures: Named<PictureId>,
    /// Not there, and by the rule of retention they should be: never saved, or removed by hand.
    pub missing_pictures: Named<PictureId>,
    /// Named so lately that they may still be on their way.
    pub pending_pictures: u64,
    /// There; of logs before 0.2, which do not say what they showed.
    pub unproven_pictures: u64,
    pub proven_pictures: u64,
    /// Open incidents by the log.
    pub open: OpenLines,
    /// Pictures that are not looked at yet, and when the log named them: 70 bytes each, some ten thousand a year.
    pictures: BTreeMap<PictureId, Timestamp>,
}

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    pub now: Timestamp,
    /// Rows of incidents that differ from a sound log are put right.
    pub mend: bool,
    /// Read from a report or a text, besides those kept here.
    pub paper: &'a [Anchor],
    /// Which pictures should be there.
    pub retention: &'a Retention,
}

/// A look through the whole record, a few milliseconds of work at a time. The caller tells how far it is, and pauses.
pub struct Looking {
    store: Store,
    now: Timestamp,
    mend: bool,
    retention: Retention,
    record: Record,
    stage: Stage,
}

/// Each event is looked at twice, then each picture once.
enum Stage {
    Chain(Chain),
    /// Incidents by their openings: the place of the last that was read, and those that are next.
    Rows {
        seq: i64,
        next: VecDeque<String>,
    },
    /// Most of the work: gigabytes.
    Pictures,
    Over,
}

/// What one step looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Events(u64),
    Picture,
}

impl Store {
    /// Begins a look at the record as it is now.
    pub async fn look(&self, look: &Look<'_>) -> Result<Looking> {
        let head = self.head().await?;
        let mut anchors = self.anchors().await?;
        anchors.extend_from_slice(look.paper);
        anchors.sort_by_key(|it| it.seq);
        let mut record = Record::of(head);
        anchors.iter().filter(|it| it.seq > record.head.events).for_each(|it| record.cut.add(it.clone()));
        let stage = Stage::Chain(Chain::from_the_beginning(anchors));
        let (now, mend, retention) = (look.now, look.mend, look.retention.clone());
        Ok(Looking { store: self.clone(), now, mend, retention, record, stage })
    }
}

impl Looking {
    /// `None` when all is looked at.
    pub async fn step(&mut self) -> Result<Option<Step>> {
        let (store, record) = (&self.store, &mut self.record);
        match &mut self.stage {
            Stage::Chain(chain) => {
                let rows = chain.step(store, record).await?;
                if rows == 0 {
                    self.stage = Stage::Rows { seq: 0, next: VecDeque::new() };
                }
                Ok(Some(Step::Events(rows)))
            }
            Stage::Rows { seq, next } => {
                if next.is_empty() {
                    let rows = store.openings(*seq, record.head.events as i64).await?;
                    *seq = rows.last().map_or(*seq, |(seq, _)| *seq);
                    next.extend(rows.into_iter().map(|(_, name)| name));
                }
                let Some(name) = next.pop_front() else {
                    store.strays().await?.into_iter().for_each(|it| record.differences.add(it));
                    self.stage = Stage::Pictures;
                    return Ok(Some(Step::Events(0)));
                };
                let (read, differences) = store.compared(&name, self.mend).await?;
                differences.into_iter().for_each(|it| record.differences.add(it));
                Ok(Some(Step::Events(record.read(read))))
            }
            Stage::Pictures => {
                let Some((picture, named_at)) = record.pictures.pop_first() else {
                    self.stage = Stage::Over;
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
                        if store.keeping(picture, &self.retention, ends).await? == Some(Keeping::Owed) {
                            record.missing_pictures.add(picture);
                        }
                    }
                }
                Ok(Some(Step::Picture))
            }
            Stage::Over => Ok(None),
        }
    }

    /// To the end, without a pause.
    pub async fn to_the_end(mut self) -> Result<Record> {
        while self.step().await?.is_some() {}
        Ok(self.record)
    }

    /// What was found so far.
    pub fn record(&self) -> &Record {
        &self.record
    }
}

impl Store {
    /// The next incidents by their openings.
    async fn openings(&self, after: i64, end: i64) -> Result<Vec<(i64, String)>> {
        Ok(reading!(self, pool => sqlx::query_as(
            "SELECT seq, incident FROM event WHERE version = 1 AND seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
        ).bind(after).bind(end).bind(PAGE).fetch_all(pool).await.map_err(failed)?))
    }
}

impl Record {
    fn of(head: Head) -> Self {
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

    /// Takes in an incident's log; yields the number of its events.
    fn read(&mut self, read: Read) -> u64 {
        let logged = match read {
            Read::Whole(logged) => logged,
            Read::Unreadable(seqs) => {
                seqs.into_iter().for_each(|it| self.unreadable.add(it));
                return 0;
            }
        };
        for recorded in &logged.log {
            self.pictures.extend(recorded.event.pictures().into_iter().map(|(picture, _)| (picture, recorded.at)));
        }
        let events = logged.log.len() as u64;
        if logged.is_open() {
            self.open.insert(logged.name, logged.line);
        }
        events
    }

    /// How many are not looked at yet.
    pub fn pictures_left(&self) -> u64 {
        self.pictures.len() as u64
    }
}
