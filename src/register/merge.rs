//! What an edited file means, decided once, against the version of the register that its editor can
//! have had open. Rows that differ from that version are the edit. Rows that are as in that version
//! say nothing, whatever has been changed elsewhere since.

use super::{Author, Entry, Fact, History, Register, Version};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A file as it lies in the folder.
#[derive(Clone, Copy, Debug)]
pub struct Edited<'a> {
    pub register: Register,
    /// The usable rows, each key once.
    pub rows: &'a [Entry],
    /// Rows with a time of their own, which is not over. They say nothing of what holds otherwise.
    pub dated: &'a [Entry],
    /// Whether every row is usable. Otherwise it is unknown who is meant to go, and everybody
    /// stays.
    pub is_whole: bool,
    /// The version that the file held when it was taken or written last. Nobody can have opened a
    /// newer one.
    pub held: Version,
    /// The file is that one to the letter; only what its rows mean may have changed.
    pub is_untouched: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Merge {
    /// The edit.
    pub facts: Vec<Fact>,
    /// Keys of rows that the file had newer before: an old copy was saved.
    pub outdated: Vec<String>,
    /// Keys of rows that were edited in the file, and elsewhere since its editor opened it. What
    /// was changed elsewhere stays.
    pub contested: Vec<String>,
    /// The version that the editor had open.
    pub base: Version,
    /// Nothing has been changed elsewhere since then: the file and the register agree after this.
    pub is_up_to_date: bool,
}

/// Linear in the rows and in the facts about them.
pub fn merge(history: &History, file: &Edited<'_>, now: Timestamp) -> Merge {
    let past = Past::of(history, file.register, file.held);
    let rows: HashMap<&str, &Entry> = file.rows.iter().map(|row| (&*row.key, row)).collect();
    let dated: HashSet<&str> = file.dated.iter().map(|row| &*row.key).collect();
    let newest = past.versions.len() - 1;
    let opened = if file.is_untouched { newest } else { past.opened(&rows, &dated, file) };
    let base = past.versions[opened].0;
    let held = past.versions[newest].0;
    let current = Version { change: u64::MAX, at: now };
    let mut merge = Merge {
        facts: Vec::new(),
        outdated: Vec::new(),
        contested: Vec::new(),
        base,
        is_up_to_date: true,
    };
    for row in file.rows {
        let said = past.said.get(row.key.as_str()).map_or(&[][..], Vec::as_slice);
        let (was, is) = (valid(said, base), valid(said, current));
        if is_as(row, is) {
            continue;
        }
        // Of an older version the logins may be lost, so they are not compared.
        let is_edited = match opened == newest {
            true => !is_as(row, was),
            false => was.and_then(|fact| fact.entry.as_ref()) != Some(&row.value),
        };
        if !is_edited {
            if !is_as(row, valid(said, held)) {
                merge.outdated.push(row.key.clone());
            }
        } else if is_same(was, is) {
            merge.facts.push(Fact::set(file.register, row.clone()));
        } else {
            merge.contested.push(row.key.clone());
        }
    }
    for (key, said) in &past.said {
        let (was, is) = (valid(said, base), valid(said, current));
        merge.is_up_to_date &= is_same(was, is);
        if is.is_none() || rows.contains_key(key) || dated.contains(key) || !file.is_whole {
            continue;
        }
        let key = (*key).to_owned();
        if was.is_none() {
            if valid(said, held).is_some() {
                merge.outdated.push(key);
            }
        } else if is_same(was, is) {
            merge.facts.push(Fact::removed(file.register, key));
        } else {
            merge.contested.push(key);
        }
    }
    take_dated(history, file, now, &mut merge);
    merge
}

/// A row with a time of its own is taken once: it stays in its file until its time comes, and what
/// was said about that time since is newer. But what the same file says anew of its entry is no word
/// against it.
fn take_dated(history: &History, file: &Edited, now: Timestamp, merge: &mut Merge) {
    let said_anew: HashSet<String> = merge.facts.iter().map(|fact| fact.key.clone()).collect();
    for row in file.dated {
        let fact = Fact::set(file.register, row.clone());
        match (history.is_said(&fact, now), history.was_said(&fact)) {
            (true, _) if !said_anew.contains(&row.key) => {}
            (false, true) => merge.outdated.push(row.key.clone()),
            _ => merge.facts.push(fact),
        }
    }
}

/// What was said about an entry, and when.
struct Said<'a> {
    change: u64,
    at: Timestamp,
    fact: &'a Fact,
}

/// The versions of one register up to the one that its file held last.
struct Past<'a> {
    /// Oldest first. True: made by editing the file itself.
    versions: Vec<(Version, bool)>,
    /// By key, oldest first; also what was said after the last of the versions.
    said: BTreeMap<&'a str, Vec<Said<'a>>>,
}

impl<'a> Past<'a> {
    fn of(history: &'a History, register: Register, held: Version) -> Self {
        let mut versions = vec![(Version::NONE, false)];
        let mut said: BTreeMap<&str, Vec<Said>> = BTreeMap::new();
        // At these instants a fact begins or ends by itself.
        let mut turns = BTreeSet::new();
        let itself = Author::File(register.file_name().to_owned());
        for change in history.changes() {
            let mut facts = change.facts.iter().filter(|it| it.register == register).peekable();
            if facts.peek().is_none() {
                continue;
            }
            if change.number <= held.change {
                turn(&mut versions, &mut turns, change.at);
                let before = versions.last().map_or(change.at, |(version, _)| version.at);
                let version = Version { change: change.number, at: change.at.max(before) };
                versions.push((version, change.by == itself));
            }
            for fact in facts {
                if change.number <= held.change {
                    turns.extend([fact.valid_from, fact.valid_until].into_iter().flatten());
                }
                said.entry(&fact.key).or_default().push(Said {
                    change: change.number,
                    at: change.at,
                    fact,
                });
            }
        }
        turn(&mut versions, &mut turns, held.at);
        Self { versions, said }
    }

    /// The version that the file differs least from: first in what its rows say, then in the
    /// entries that it does not have, since rows are deleted more easily than typed alike. Of
    /// several the newest.
    fn opened(&self, rows: &HashMap<&str, &Entry>, dated: &HashSet<&str>, file: &Edited) -> usize {
        let newest = self.versions.len() - 1;
        // Differences from one version to the next: of cells, and of missing entries.
        let mut steps = vec![(0_i64, 0_i64); newest + 2];
        for (key, said) in &self.said {
            let row = rows.get(key);
            let starts = self.starts(said, file.held);
            let ends = starts.iter().skip(1).copied().chain([newest + 1]);
            for (start, end) in starts.iter().copied().zip(ends) {
                let fact = valid(said, self.versions[start].0);
                let (cells, missing) = match (row, fact) {
                    (Some(row), fact) => (differences(row, fact), 0),
                    (None, Some(_)) if file.is_whole && !dated.contains(key) => (0, 1),
                    (None, _) => (0, 0),
                };
                steps[start].0 += cells;
                steps[start].1 += missing;
                steps[end].0 -= cells;
                steps[end].1 -= missing;
            }
        }
        let (mut sum, mut least, mut opened) = ((0, 0), (i64::MAX, i64::MAX), newest);
        for (place, step) in steps[..=newest].iter().enumerate() {
            sum = (sum.0 + step.0, sum.1 + step.1);
            if sum <= least {
                (least, opened) = (sum, place);
            }
        }
        // Whoever edits a file may take an earlier edit of it back.
        let only_itself = self.versions[opened + 1..].iter().all(|(_, by_itself)| *by_itself);
        if only_itself { newest } else { opened }
    }

    /// The versions at which an entry may have become another, the first included.
    fn starts(&self, said: &[Said], held: Version) -> BTreeSet<usize> {
        let mut starts = BTreeSet::from([0]);
        for it in said.iter().filter(|it| it.change <= held.change) {
            starts.insert(self.versions.partition_point(|(at, _)| at.change < it.change));
            let turns = [it.fact.valid_from, it.fact.valid_until].into_iter().flatten();
            starts.extend(
                turns.map(|turn| self.versions.partition_point(|(version, _)| version.at < turn)),
            );
        }
        starts.retain(|place| *place < self.versions.len());
        starts
    }
}

/// Adds a version for each turn until then.
fn turn(versions: &mut Vec<(Version, bool)>, turns: &mut BTreeSet<Timestamp>, until: Timestamp) {
    while let Some(at) = turns.first().copied().filter(|at| *at <= until) {
        turns.remove(&at);
        let Some((last, _)) = versions.last().copied() else { return };
        if at > last.at {
            versions.push((Version { at, ..last }, false));
        }
    }
}

/// As [`History::known`] decides. `None`: there is no such entry.
fn valid<'a>(said: &[Said<'a>], version: Version) -> Option<&'a Fact> {
    let holds = |it: &&Said| it.change <= version.change && it.fact.holds(it.at, version.at);
    Some(said.iter().rev().find(holds)?.fact).filter(|fact| fact.entry.is_some())
}

fn is_as(row: &Entry, fact: Option<&Fact>) -> bool {
    fact.is_some_and(|fact| fact.entry.as_ref() == Some(&row.value) && fact.secrets == row.secrets)
}

fn is_same(a: Option<&Fact>, b: Option<&Fact>) -> bool {
    a.map(|fact| (&fact.entry, &fact.secrets)) == b.map(|fact| (&fact.entry, &fact.secrets))
}

/// How many cells of a row are others. A row that is not there differs in more than all of them.
fn differences(row: &Entry, fact: Option<&Fact>) -> i64 {
    let Some(fact) = fact else { return 1 + cells(&row.value) };
    let others = match (&row.value, &fact.entry) {
        (Value::Object(row), Some(Value::Object(said))) => {
            let columns: BTreeSet<&String> = row.keys().chain(said.keys()).collect();
            columns.into_iter().filter(|column| row.get(*column) != said.get(*column)).count()
        }
        (row, said) => usize::from(said.as_ref() != Some(row)),
    };
    let logins: BTreeSet<&String> = row.secrets.keys().chain(fact.secrets.keys()).collect();
    let other_logins =
        logins.into_iter().filter(|column| row.secrets.get(*column) != fact.secrets.get(*column));
    (others + other_logins.count()) as i64
}

fn cells(value: &Value) -> i64 {
    value.as_object().map_or(1, |cells| cells.len() as i64)
}
