//! All changes in their order, and what they say about any instant.

use super::{Change, Entry, Fact, Register, Validity};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What holds until an instant is what holds this before it.
const MOMENT: SignedDuration = SignedDuration::from_nanos(1);

/// A state that a register was in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version {
    /// The newest change that it knows.
    pub change: u64,
    /// When: facts begin and end by themselves.
    pub at: Timestamp,
}

impl Version {
    /// Before anything was registered.
    pub const NONE: Self = Self { change: 0, at: Timestamp::MIN };
}

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
        self.folded(number, instant, |_| true)
    }

    /// One register at one of its versions.
    pub fn version(&self, register: Register, version: Version) -> Vec<Entry> {
        let Version { change, at } = version;
        let mut entries = self.folded(change, at, |fact| fact.register == register);
        entries.of.remove(&register).unwrap_or_default()
    }

    fn folded(&self, number: u64, instant: Timestamp, counts: impl Fn(&Fact) -> bool) -> Entries {
        let mut places: HashMap<(Register, &str), usize> = HashMap::new();
        let mut winners: Vec<(Register, &Fact)> = Vec::new();
        for change in self.changes.iter().take_while(|change| change.number <= number) {
            for fact in change.facts.iter().filter(|fact| counts(fact)) {
                if !fact.holds(change.at, instant) {
                    continue;
                }
                match places.get(&(fact.register, fact.key.as_str())) {
                    // A corrected entry keeps its place: of two rangers of a grid the first one
                    // counts.
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
                let entry = Entry {
                    key: fact.key.clone(),
                    value: value.clone(),
                    secrets: fact.secrets.clone(),
                    valid: Validity::default(),
                };
                entries.push(register, entry);
            }
        }
        entries
    }

    /// One entry at an instant; the others are not looked at.
    pub fn entry(&self, register: Register, key: &str, instant: Timestamp) -> Option<&Value> {
        self.word(register, key, instant)?.entry.as_ref()
    }

    /// The last word about an entry at an instant.
    pub fn word(&self, register: Register, key: &str, instant: Timestamp) -> Option<&Fact> {
        let newest_first = self
            .changes
            .iter()
            .rev()
            .flat_map(|change| change.facts.iter().rev().map(move |fact| (change.at, fact)));
        let mut holding = newest_first.filter(|(said_at, fact)| {
            (fact.register, fact.key.as_str()) == (register, key) && fact.holds(*said_at, instant)
        });
        holding.next().map(|(_, fact)| fact)
    }

    /// What begins by itself after an instant, the next first: the last word about its time, and
    /// other than what holds until then.
    pub fn coming(&self, register: Register, after: Timestamp) -> Vec<(&Change, &Fact)> {
        let mut coming: Vec<(Timestamp, &Change, &Fact)> = Vec::new();
        for change in &self.changes {
            for fact in change.facts.iter().filter(|fact| fact.register == register) {
                let Some(from) = fact.valid_from.filter(|from| *from > after) else { continue };
                let is_last_word = self
                    .word(register, &fact.key, from)
                    .is_some_and(|word| std::ptr::eq(word, fact));
                let before = self.entry(register, &fact.key, from - MOMENT);
                if is_last_word && before != fact.entry.as_ref() {
                    coming.push((from, change, fact));
                }
            }
        }
        coming.sort_by_key(|(from, ..)| *from);
        coming.into_iter().map(|(_, change, fact)| (change, fact)).collect()
    }

    /// The facts that would change something. What is said anew of an entry would hold over what
    /// these facts say of it for a time of its own, so that is said again.
    pub fn news(&self, facts: Vec<Fact>, now: Timestamp) -> Vec<Fact> {
        let (dated, plain): (Vec<Fact>, Vec<Fact>) =
            facts.into_iter().partition(|fact| fact.validity().is_given());
        let mut news = self.at(now).news(plain);
        let said_anew: HashSet<(Register, String)> =
            news.iter().map(|fact| (fact.register, fact.key.clone())).collect();
        let is_news = |fact: &Fact| {
            said_anew.contains(&(fact.register, fact.key.clone())) || !self.is_said(fact, now)
        };
        news.extend(dated.into_iter().filter(is_news));
        news
    }

    /// Whether a fact with a time of its own is what is registered for that time.
    pub(super) fn is_said(&self, fact: &Fact, now: Timestamp) -> bool {
        let begins = fact.valid_from.map_or(now, |from| from.max(now));
        let is_it = |it: &Fact| it.is_as(fact) && it.secrets == fact.secrets;
        self.word(fact.register, &fact.key, begins).is_some_and(is_it)
    }

    /// Whether this was ever said, whatever holds today.
    pub(super) fn was_said(&self, fact: &Fact) -> bool {
        self.changes.iter().flat_map(|change| &change.facts).any(|it| it.is_as(fact))
    }

    /// The next instant after `instant` at which a fact begins or ends by itself.
    pub fn next_turn(&self, instant: Timestamp) -> Option<Timestamp> {
        let facts = self.changes.iter().flat_map(|change| &change.facts);
        facts
            .flat_map(|fact| [fact.valid_from, fact.valid_until])
            .flatten()
            .filter(|turn| *turn > instant)
            .min()
    }

    /// The last instant until `instant` at which a change was made, or a fact began or ended by
    /// itself: what holds at both is the same.
    pub fn last_turn(&self, instant: Timestamp) -> Timestamp {
        let changes = self.changes.iter().map(|change| change.at);
        let facts = self.changes.iter().flat_map(|change| &change.facts);
        let turns = facts.flat_map(|fact| [fact.valid_from, fact.valid_until]).flatten();
        changes.chain(turns).filter(|turn| *turn <= instant).max().unwrap_or(Timestamp::MIN)
    }

    /// Whether a change after `number` says something about this register.
    pub fn has_changed_since(&self, number: u64, register: Register) -> bool {
        let later = self.changes.iter().rev().take_while(|change| change.number > number);
        later.flat_map(|change| &change.facts).any(|fact| fact.register == register)
    }

    /// The facts that take a change back at `now`: what its entries would be without it, now and at
    /// every later instant at which that changes by itself. A stand-in until Friday is one until
    /// Friday again.
    ///
    /// # Errors
    /// Keys of entries that a later change has set: taking this one back would take that one back,
    /// too.
    pub fn reversed(&self, number: u64, now: Timestamp) -> Result<Vec<Fact>, Vec<String>> {
        let Some(change) = self.change(number) else { return Ok(Vec::new()) };
        let of_entry =
            |fact: &Fact, it: &Fact| (it.register, &it.key) == (fact.register, &fact.key);
        let is_newer = |it: &&Change| it.number > number;
        let later: Vec<&Fact> =
            self.changes.iter().filter(is_newer).flat_map(|it| &it.facts).collect();
        let built_on = change.facts.iter().filter(|fact| later.iter().any(|it| of_entry(fact, it)));
        let newer: Vec<String> = built_on.map(|fact| fact.key.clone()).collect();
        if !newer.is_empty() {
            return Err(newer);
        }
        let before = Self {
            changes: self.changes.iter().filter(|it| it.number < number).cloned().collect(),
        };
        let mut instants = BTreeSet::from([now]);
        while let Some(turn) = instants.last().and_then(|at| before.next_turn(*at)) {
            instants.insert(turn);
        }
        // What waits for its day is taken back for that day.
        instants.extend(change.facts.iter().filter_map(|it| it.valid_from).filter(|at| *at > now));
        let begins: HashSet<_> =
            change.facts.iter().map(|it| (it.register, &it.key, it.valid_from)).collect();
        let states: Vec<Entries> = instants.iter().map(|at| before.at(*at)).collect();
        let (mut facts, mut done) = (Vec::new(), HashSet::new());
        for fact in change.facts.iter().filter(|it| done.insert((it.register, &it.key))) {
            let mut last: Option<Option<&Entry>> = None;
            for (place, (state, at)) in states.iter().zip(&instants).enumerate() {
                let entry = state.get(fact.register, &fact.key);
                let is_begin = begins.contains(&(fact.register, &fact.key, Some(*at)));
                if last == Some(entry) && !is_begin {
                    continue;
                }
                last = Some(entry);
                let back = match entry {
                    Some(entry) => Fact::set(fact.register, entry.clone()),
                    None => Fact::removed(fact.register, fact.key.clone()),
                };
                facts.push(Fact { valid_from: (place > 0).then_some(*at), ..back });
            }
        }
        Ok(facts)
    }
}

impl History {
    /// Whether setting an entry back would leave a camera without the login that it had then: only
    /// the newest of each is kept.
    pub fn has_lost_login(&self, back: &Fact, current: &Entries) -> bool {
        let (Some(value), None) = (&back.entry, back.valid_from) else { return false };
        if back.register != Register::Cameras {
            return false;
        }
        let held = current.get(back.register, &back.key);
        // The change that is taken back did something: it was the password.
        if held.is_some_and(|it| it.value == *value && it.secrets == back.secrets) {
            return true;
        }
        let is_it = |it: &&Fact| {
            (it.register, &it.key, &it.entry) == (back.register, &back.key, &back.entry)
        };
        let said = self.changes.iter().flat_map(|change| &change.facts).rfind(is_it);
        match said.and_then(|fact| fact.logins.as_ref()) {
            Some(logins) => logins.iter().any(|column| !back.secrets.contains_key(column)),
            // Another address than now, and it is not known whether it had a login.
            None => held.is_some_and(|held| {
                held.secrets.keys().any(|column| {
                    value.get(column).is_some()
                        && value.get(column) != held.value.get(column)
                        && !back.secrets.contains_key(column)
                })
            }),
        }
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

    /// The facts that say this, register by register as the office keeps them.
    pub fn facts(&self) -> Vec<Fact> {
        let of = |register| self.of(register).iter().map(move |it| Fact::set(register, it.clone()));
        Register::ALL.into_iter().flat_map(of).collect()
    }

    /// The facts that would change something now. Those with a validity of their own always do.
    pub fn news(&self, facts: Vec<Fact>) -> Vec<Fact> {
        let is_news = |fact: &Fact| {
            let held =
                self.get(fact.register, &fact.key).map(|entry| (&entry.value, &entry.secrets));
            let told = fact.entry.as_ref().map(|entry| (entry, &fact.secrets));
            held != told || fact.valid_from.is_some() || fact.valid_until.is_some()
        };
        facts.into_iter().filter(is_news).collect()
    }

    /// The facts that turn this register into `wanted`. With `removes`, what is not wanted is
    /// removed; otherwise it stays.
    pub fn toward(&self, register: Register, wanted: &[Entry], removes: bool) -> Vec<Fact> {
        let mut facts =
            self.news(wanted.iter().map(|entry| Fact::set(register, entry.clone())).collect());
        if removes {
            let kept: HashSet<&str> = wanted.iter().map(|entry| entry.key.as_str()).collect();
            let leaving =
                self.of(register).iter().filter(|entry| !kept.contains(entry.key.as_str()));
            facts.extend(leaving.map(|entry| Fact::removed(register, entry.key.clone())));
        }
        facts
    }
}
