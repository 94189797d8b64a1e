//! Pure: who is told today, and where the rota or the registers name nobody.

use super::people::{county_clock, county_date, county_time, role_zh};
use super::{County, Duty, Person, Post};
use crate::lang::Lang;
use crate::triage::event::Place;
use crate::triage::id::{GridId, PersonId};
use crate::triage::policy::Role;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A person to be told, and their role. `Debug` hides the phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    pub person: PersonId,
    pub name: String,
    pub phone: Option<String>,
    pub role: Role,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipient({} as {:?})", self.person, self.role)
    }
}

impl County {
    /// Who acts in a role now, by today's rota. If it names nobody, the first person appointed to
    /// the post. For grids and villages see [`County::recipients`].
    pub fn duty(&self, role: Role, township: Option<&str>, now: Timestamp) -> Option<&Person> {
        self.on_rota(role, township, now).or_else(|| {
            let post = match role {
                Role::TownshipDuty => Post::TownshipOfficer,
                Role::CountyDuty => Post::CountyOfficer,
                Role::CountyLeader => Post::Leader,
                Role::NextDuty => return self.next_duty(now),
                Role::Ranger | Role::BackupRanger | Role::VillageChief => return None,
            };
            let of_township = |person: &&Person| {
                role != Role::TownshipDuty || person.township.as_deref() == township
            };
            self.people.iter().filter(|person| person.post == post).find(of_township)
        })
    }

    /// The people behind roles for an incident at `place`, each person once, in the order of
    /// `roles`.
    ///
    /// Today's rota comes first, then the person appointed. Where nobody is found, the next higher
    /// role takes over: B角 → another suggested ranger; village chief → township duty → county duty
    /// → leader on duty. A role that nobody fills is left out; `gaps` reports it ahead of time.
    pub fn recipients(
        &self,
        roles: &[Role],
        place: &Place,
        ranger: Option<&PersonId>,
        now: Timestamp,
    ) -> Vec<Recipient> {
        let mut told: Vec<Recipient> = Vec::new();
        for &role in roles {
            let Some(person) = self.holder(role, place, ranger, now) else { continue };
            if told.iter().all(|already| already.person != person.id) {
                told.push(Recipient {
                    person: person.id.clone(),
                    name: person.name.clone(),
                    phone: person.phone.clone(),
                    role,
                });
            }
        }
        told
    }

    fn holder(
        &self,
        role: Role,
        place: &Place,
        ranger: Option<&PersonId>,
        now: Timestamp,
    ) -> Option<&Person> {
        let township = place.township.as_deref();
        match role {
            Role::Ranger => ranger.or(place.suggested.first()).and_then(|id| self.person(id)),
            Role::BackupRanger => {
                let backup =
                    place.grid.as_ref().and_then(|grid| self.ranger(grid, Post::RangerB, now));
                let others = place.suggested.iter().filter_map(|id| self.person(id));
                backup.into_iter().chain(others).find(|person| Some(&person.id) != ranger)
            }
            Role::VillageChief => {
                let here = |person: &&Person| {
                    person.post == Post::VillageChief
                        && (person.grid.is_some() && person.grid == place.grid
                            || person.village.is_some()
                                && person.village == place.village
                                && person.township.as_deref() == township)
                };
                let chief = self.people.iter().find(here);
                chief.or_else(|| self.holder(Role::TownshipDuty, place, ranger, now))
            }
            Role::TownshipDuty => township
                .and_then(|township| self.duty(role, Some(township), now))
                .or_else(|| self.holder(Role::CountyDuty, place, ranger, now)),
            Role::CountyDuty => {
                self.duty(role, None, now).or_else(|| self.duty(Role::CountyLeader, None, now))
            }
            Role::CountyLeader | Role::NextDuty => self.duty(role, None, now),
        }
    }

    /// 下一班: whose county duty begins next by the rota, but who is not on duty now. If nobody,
    /// any other county officer.
    fn next_duty(&self, now: Timestamp) -> Option<&Person> {
        let on_duty = self.duty(Role::CountyDuty, None, now).map(|person| &person.id);
        let mut later: Vec<&Duty> = self
            .duties
            .iter()
            .filter(|duty| duty.role == Role::CountyDuty && duty.begins_at() > now)
            .collect();
        later.sort_by_key(|duty| duty.begins_at());
        let on_rota = later.into_iter().filter_map(|duty| self.person(&duty.person));
        let appointed = self.people.iter().filter(|person| person.post == Post::CountyOfficer);
        on_rota.chain(appointed).find(|person| Some(&person.id) != on_duty)
    }

    fn on_rota(&self, role: Role, township: Option<&str>, now: Timestamp) -> Option<&Person> {
        let local = county_clock(now);
        let matches = |duty: &&Duty| {
            duty.role == role
                && (role != Role::TownshipDuty || duty.township.as_deref() == township)
                && duty.covers(local)
        };
        self.duties.iter().filter(matches).find_map(|duty| self.person(&duty.person))
    }

    /// The instants of the next 24 hours at which somebody goes off duty, now and midnight among
    /// them.
    fn handovers(&self, now: Timestamp) -> BTreeSet<Timestamp> {
        let end = now + SignedDuration::from_hours(24);
        let near = county_date(now).saturating_sub(2.days())..=county_date(end);
        let ends = self
            .duties
            .iter()
            .filter(|duty| near.contains(&duty.date))
            .map(Duty::ends_at)
            .filter(|at| *at > now && *at < end);
        let midnight = county_date(end).to_zoned(county_time()).map(|zoned| zoned.timestamp());
        ends.chain([now]).chain(midnight.ok().filter(|at| *at > now && *at <= end)).collect()
    }

    /// Everything that would leave nobody to tell within the next 24 hours, most urgent first.
    pub fn gaps(&self, now: Timestamp) -> Vec<Gap> {
        let mut gaps = Vec::new();
        if self.grids.is_empty() {
            gaps.push(Gap::NoGrids);
        }
        let townships: BTreeSet<&str> =
            self.grids.iter().map(|grid| grid.township.as_str()).collect();
        for at in self.handovers(now) {
            let time = at.to_zoned(county_time()).time();
            let since = Some(time).filter(|time| at != now && *time != Time::midnight());
            let mut miss = |role, township: Option<&str>| {
                if self.on_rota(role, township, at).is_none() {
                    gaps.push(Gap::NoDuty {
                        date: county_date(at),
                        since,
                        role,
                        township: township.map(str::to_owned),
                    });
                }
            };
            for role in [Role::CountyDuty, Role::CountyLeader] {
                miss(role, None);
            }
            for township in &townships {
                miss(Role::TownshipDuty, Some(township));
            }
        }
        let today = Today::new(self, now);
        for grid in &self.grids {
            let reachable =
                |post| today.ranger(&grid.id, post).is_some_and(|person| person.phone.is_some());
            let missing = [Post::RangerA, Post::RangerB]
                .into_iter()
                .filter(|post| !reachable(*post))
                .collect::<Vec<_>>();
            if !missing.is_empty() {
                gaps.push(Gap::NoRanger { grid: grid.id.clone(), name: grid.full_name(), missing });
            }
        }
        let unknown: BTreeSet<&PersonId> = self
            .duties
            .iter()
            .filter(|duty| duty.ends_at() > now)
            .map(|duty| &duty.person)
            .filter(|id| !today.people.contains_key(id))
            .collect();
        gaps.extend(
            unknown.into_iter().map(|person| Gap::UnknownPerson { person: person.clone() }),
        );
        let mut phones: BTreeMap<&str, Vec<&Person>> = BTreeMap::new();
        for person in &self.people {
            if let Some(phone) = &person.phone {
                phones.entry(phone).or_default().push(person);
            }
        }
        gaps.extend(phones.into_values().filter(|people| people.len() > 1).map(|people| {
            Gap::SharedPhone {
                people: people
                    .iter()
                    .map(|person| format!("{}（{}）", person.name, person.id))
                    .collect(),
            }
        }));
        gaps
    }
}

/// The registers, indexed for questions about all grids at once. A county of 2,570 grids has 5,140
/// rangers; calling [`County::ranger`] for each would compare 14 million names for every view of
/// the board.
struct Today<'a> {
    people: HashMap<&'a PersonId, &'a Person>,
    appointed: HashMap<(Post, &'a GridId), &'a Person>,
    stand_ins: HashMap<(Role, &'a GridId), &'a PersonId>,
}

impl<'a> Today<'a> {
    fn new(county: &'a County, now: Timestamp) -> Self {
        let local = county_clock(now);
        let mut today =
            Self { people: HashMap::new(), appointed: HashMap::new(), stand_ins: HashMap::new() };
        // Of two entries with one key the first counts, as everywhere.
        for person in &county.people {
            today.people.entry(&person.id).or_insert(person);
            if let Some(grid) = &person.grid {
                today.appointed.entry((person.post, grid)).or_insert(person);
            }
        }
        for duty in county.duties.iter().filter(|duty| duty.covers(local)) {
            if let Some(grid) = &duty.grid {
                today.stand_ins.entry((duty.role, grid)).or_insert(&duty.person);
            }
        }
        today
    }

    /// The same as [`County::ranger`].
    fn ranger(&self, grid: &GridId, post: Post) -> Option<&'a Person> {
        let role = if post == Post::RangerB { Role::BackupRanger } else { Role::Ranger };
        let stand_in = self.stand_ins.get(&(role, grid)).and_then(|id| self.people.get(id));
        stand_in.or_else(|| self.appointed.get(&(post, grid))).copied()
    }
}

/// A gap in the registers that could leave a dispatch without a recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Gap {
    NoGrids,
    NoDuty {
        date: Date,
        /// When somebody goes off duty and nobody comes; `None`: now, or from the beginning of that
        /// day.
        since: Option<Time>,
        role: Role,
        township: Option<String>,
    },
    /// Nobody in these posts of a grid has a phone.
    NoRanger {
        grid: GridId,
        name: String,
        missing: Vec<Post>,
    },
    /// The rota names somebody who is not in the people register.
    UnknownPerson {
        person: PersonId,
    },
    /// Several people share one number, so the sender of a text reply cannot be told.
    SharedPhone {
        people: Vec<String>,
    },
}

impl Gap {
    /// What is wrong, for the office. It holds names, never numbers.
    pub fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::NoGrids, Lang::Zh) => "没有网格，警情无法定位到网格和护林员".to_owned(),
            (Self::NoGrids, Lang::En) => "there are no grids, so incidents get no grid and no \
            ranger"
                .to_owned(),
            (Self::NoDuty { date, since, role, township }, Lang::Zh) => {
                let since =
                    since.map(|time| format!(" {} 起", time.strftime("%H:%M"))).unwrap_or_default();
                format!(
                    "{date}{since} {}无{}",
                    township.as_deref().unwrap_or("全县"),
                    role_zh(*role)
                )
            }
            (Self::NoDuty { date, since, role, township }, Lang::En) => {
                let since = since
                    .map(|time| format!(" from {}", time.strftime("%H:%M")))
                    .unwrap_or_default();
                let whose = township.as_deref().unwrap_or("county");
                format!("{date}{since}: the rota has nobody as {role:?} ({whose})")
            }
            (Self::NoRanger { name, missing, .. }, Lang::Zh) => {
                let posts: Vec<_> = missing.iter().map(|post| post.zh()).collect();
                format!("{name} 无可联系的{}", posts.join("、"))
            }
            (Self::NoRanger { name, missing, .. }, Lang::En) => {
                let posts: Vec<_> = missing.iter().map(|post| post.en()).collect();
                format!("{name}: nobody can be reached as {}", posts.join(", "))
            }
            (Self::UnknownPerson { person }, Lang::Zh) => {
                format!("值班表中的人员 {person} 不在人员名册")
            }
            (Self::UnknownPerson { person }, Lang::En) => {
                format!("the rota names {person}, who is not in the register")
            }
            (Self::SharedPhone { people }, Lang::Zh) => {
                format!("电话号码重复：{}", people.join("、"))
            }
            (Self::SharedPhone { people }, Lang::En) => {
                format!("several people share one phone number: {}", people.join(", "))
            }
        }
    }

    /// What to do about it.
    pub fn cure(&self, lang: Lang) -> &'static str {
        match self {
            Self::NoGrids => {
                lang.pick("huoyan import grids 网格.geojson", "huoyan import grids FILE.geojson")
            }
            Self::NoDuty { .. } | Self::UnknownPerson { .. } => lang.pick(
                "补齐值班表：huoyan import duty 值班表.csv",
                "complete the rota: huoyan import duty FILE.csv",
            ),
            Self::NoRanger { .. } | Self::SharedPhone { .. } => lang.pick(
                "更正人员名册：huoyan import people 人员.csv",
                "correct the register of people: huoyan import people FILE.csv",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, post: Post, grid: &str) -> Person {
        Person {
            id: id.into(),
            name: id.to_owned(),
            phone: None,
            post,
            grid: Some(grid.into()),
            village: None,
            township: None,
        }
    }

    /// Appointed once, twice or not at all; replaced by somebody known, unknown, of another day, or
    /// by two.
    #[test]
    fn the_sorted_registers_know_the_same_rangers() {
        let now: Timestamp = "2026-11-21T06:00:00Z".parse().expect("a time");
        let (today, yesterday) =
            (county_date(now), county_date(now - SignedDuration::from_hours(24)));
        let duty = |date, role, grid: &str, person: &str| Duty {
            date,
            begins: None,
            ends: None,
            role,
            township: None,
            grid: Some(grid.into()),
            person: person.into(),
        };
        let county = County {
            people: vec![
                person("A1", Post::RangerA, "G1"),
                person("A1x", Post::RangerA, "G1"),
                person("B1", Post::RangerB, "G1"),
                person("A2", Post::RangerA, "G2"),
                person("B3", Post::RangerB, "G3"),
                person("V3", Post::VillageChief, "G3"),
            ],
            duties: vec![
                duty(today, Role::Ranger, "G2", "B1"),
                duty(today, Role::Ranger, "G2", "A1"),
                duty(today, Role::BackupRanger, "G3", "nobody"),
                duty(today, Role::BackupRanger, "G4", "A1"),
                duty(yesterday, Role::BackupRanger, "G1", "A2"),
            ],
            ..County::default()
        };
        let sorted = Today::new(&county, now);
        let found = ["G1", "G2", "G3", "G4"].map(|grid| {
            [Post::RangerA, Post::RangerB].map(|post| {
                let found = sorted.ranger(&grid.into(), post);
                assert_eq!(found, county.ranger(&grid.into(), post, now), "{grid} {post:?}");
                found.map(|person| person.id.as_str())
            })
        });
        assert_eq!(
            found,
            [[Some("A1"), Some("B1")], [Some("B1"), None], [None, Some("B3")], [None, Some("A1")]],
            "the first who counts"
        );
    }
}
