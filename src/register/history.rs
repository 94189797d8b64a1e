//! All changes in their order, and what they say about any instant.

use super::{Change, Entry, Fact, Register};
use jiff::Timestamp;
use std::collections::HashMap;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct History {
    changes: Vec<Change>,
}

impl History {
    /// The number of the newest change; 0 when nothing was ever registered.
    pub fn number(&self) -> u64 {
        self.changes.last().map_or(0, |change| change.number)
    }

    /// Oldest first.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub fn change(&self, number: u64) -> Option<&Change> {
        self.changes.iter().find(|change| change.number == number)
    }

    pub fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// What is valid at an instant, by everything that has been registered so far.
    pub fn at(&self, instant: Timestamp) -> Entries {
        self.known(u64::MAX, instant)
    }

    /// What was valid at an instant by the changes up to `number` alone.
    pub fn known(&self, number: u64, instant: Timestamp) -> Entries {
        let mut places: HashMap<(Register, &str), usize> = HashMap::new();
        let mut winners: Vec<(Register, &Fact)> = Vec::new();
        for change in self.changes.iter().take_while(|change| change.number <= number) {
            for fact in &change.facts {
                let has_begun = fact.valid_from.unwrap_or(change.at) <= instant;
                if !has_begun || fact.valid_until.is_some_and(|until| until <= instant) {
                    continue;
                }
                match places.get(&(fact.register, fact.key.as_str())) {
                    // A corrected entry keeps its place: of two rangers of a grid the first one counts.
                    Some(&place) => winners[place].1 = fact,
                    None => {
                        places.insert((fact.register, &fact.key), winners.len());
                        winners.push((fact.register, fact));
                    }
                }
            }
        }
        let mut entries = Entries::default();
        for (register, fact) in winners {
            if let Some(value) = &fact.entry {
                let entry = Entry { key: fact.key.clone(), value: value.clone(), secrets: fact.secrets.clone() };
                entries.push(register, entry);
            }
        }
        entries
    }

    /// The next instant after `instant` at which a fact begins or ends by itself.
    pub fn next_turn(&self, instant: Timestamp) -> Option<Timestamp> {
        let facts = self.changes.iter().flat_map(|change| &change.facts);
        facts.flat_map(|fact| [fact.valid_from, fact.valid_until]).flatten().filter(|turn| *turn > instant).min()
    }

    /// Whether a change after `number` says something about this register.
    pub fn has_changed_since(&self, number: u64, register: Register) -> bool {
        let later = self.changes.iter().rev().take_while(|change| change.number > number);
        later.flat_map(|change| &change.facts).any(|fact| fact.register == register)
    }

    /// The facts that take a change back: each entry as it was before, valid from now on.
    ///
    /// # Errors
    /// Keys of entries that a later change has set: taking this one back would take that one back, too.
    pub fn reversed(&self, number: u64) -> Result<Vec<Fact>, Vec<String>> {
        let Some(change) = self.change(number) else { return Ok(Vec::new()) };
        let later: Vec<&Fact> = self.changes.iter().filter(|it| it.number > number).flat_map(|it| &it.facts).collect();
        let is_newer = |fact: &&Fact| later.iter().any(|it| (it.register, &it.key) == (fact.register, &fact.key));
        let newer: Vec<String> = change.facts.iter().filter(is_newer).map(|fact| fact.key.clone()).collect();
        if !newer.is_empty() {
            return Err(newer);
        }
        let before = self.known(number.saturating_sub(1), change.at);
        let back = |fact: &Fact| match before.get(fact.register, &fact.key) {
            Some(entry) => Fact::set(fact.register, entry.clone()),
            None => Fact::removed(fact.register, fact.key.clone()),
        };
        Ok(change.facts.iter().map(back).collect())
    }
}

/// The entries of all registers at one instant, each register in the order of its sheet.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Entries {
    of: HashMap<Register, Vec<Entry>>,
    places: HashMap<(Register, String), usize>,
}

impl Entries {
    pub fn of(&self, register: Register) -> &[Entry] {
        self.of.get(&register).map_or(&[], Vec::as_slice)
    }

    pub fn get(&self, register: Register, key: &str) -> Option<&Entry> {
        let place = self.places.get(&(register, key.to_owned()))?;
        self.of(register).get(*place)
    }

    /// Of two entries with one key the later one counts, in the place of the first.
    pub fn push(&mut self, register: Register, entry: Entry) {
        let entries = self.of.entry(register).or_default();
        match self.places.get(&(register, entry.key.clone())) {
            Some(&place) => entries[place] = entry,
            None => {
                self.places.insert((register, entry.key.clone()), entries.len());
                entries.push(entry);
            }
        }
    }

    /// The facts that turn this register into `wanted`. With `removes`, what is not wanted is removed; otherwise it stays.
    pub fn toward(&self, register: Register, wanted: &[Entry], removes: bool) -> Vec<Fact> {
        let news = wanted.iter().filter(|entry| self.get(register, &entry.key) != Some(entry));
        let mut facts: Vec<Fact> = news.map(|entry| Fact::set(register, entry.clone())).collect();
        if removes {
            let kept: std::collections::HashSet<&str> = wanted.iter().map(|entry| entry.key.as_str()).collect();
            let leaving = self.of(register).iter().filter(|entry| !kept.contains(entry.key.as_str()));
            facts.extend(leaving.map(|entry| Fact::removed(register, entry.key.clone())));
        }
        facts
    }
}
