//! Pure: the registers of an invented county: grids of 1.4 km with hand-drawn corners, people,
//! today's rota, kilns, approved burns.

use super::chance::Chance;
use super::ground::{COLUMNS, GRID_M, ROWS, Spot};
use huoyan::county::{
    Area, Burn, County, Duty, Grid, HeatSource, Neighbour, Person, Post, county_date,
};
use huoyan::triage::geo::LatLon;
use huoyan::triage::id::{GridId, PersonId};
use huoyan::triage::policy::Role;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Largest distance of a corner from the lattice, metres.
const CORNER_OFF_M: f64 = 250.0;
/// Registered radius of kilns and burns, metres.
pub const SITE_RADIUS_M: f64 = 300.0;
/// Townships from west to east and from south to north.
const TOWNSHIPS: (usize, usize) = (5, 4);

/// The registers, and indexes for frequent questions.
pub struct Registered {
    pub county: County,
    /// Who acts as a grid's A and B角 today.
    rangers: BTreeMap<GridId, Vec<PersonId>>,
    posts: BTreeMap<PersonId, Post>,
    by_phone: BTreeMap<String, PersonId>,
}

/// A heat source known to the office.
pub struct Site {
    pub name: String,
    pub spot: Spot,
}

impl Registered {
    pub fn new(
        seed: u64,
        start: Timestamp,
        kilns: &[Site],
        burns: &[(Site, [Timestamp; 2])],
    ) -> Self {
        let mut chance = Chance::of(seed, "registers");
        let corners: Vec<Vec<Spot>> = (0..=ROWS)
            .map(|row| (0..=COLUMNS).map(|column| corner(&mut chance, column, row)).collect())
            .collect();
        let mut county =
            County { name: "模拟县".to_owned(), neighbours: neighbours(), ..County::default() };
        for (row, column) in (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)))
        {
            let ring = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
            county.grids.push(Grid {
                id: GridId(format!("G{row:02}{column:02}")),
                name: format!("{}号网格", row % 2 * 2 + column % 2 + 1),
                village: village(row, column),
                township: township(row, column),
                area: area(ring.map(|(row, column)| corners[row][column])),
            });
        }
        let (east_m, north_m) = super::ground::size_m();
        let outline = [(0.0, 0.0), (east_m, 0.0), (east_m, north_m), (0.0, north_m)];
        county.outline = Some(area(outline.map(|(east_m, north_m)| Spot::new(east_m, north_m))));
        let expires = start + SignedDuration::from_hours(24 * 90);
        let heat = |it: &Site| HeatSource {
            name: it.name.clone(),
            at: it.spot.at(),
            radius_m: SITE_RADIUS_M,
            expires,
        };
        county.heat_sources = kilns.iter().map(heat).collect();
        let burn = |(it, [from, to]): &(Site, [Timestamp; 2])| Burn {
            name: it.name.clone(),
            at: it.spot.at(),
            radius_m: SITE_RADIUS_M,
            from: *from,
            to: *to,
            approver: "县林业局".to_owned(),
        };
        county.burns = burns.iter().map(burn).collect();
        people(&mut county, &mut chance);
        let rangers = rota(&mut county, &mut chance, start);
        let posts = county.people.iter().map(|it| (it.id.clone(), it.post)).collect();
        let by_phone = county
            .people
            .iter()
            .filter_map(|it| Some((it.phone.clone()?, it.id.clone())))
            .collect();
        Self { county, rangers, posts, by_phone }
    }

    /// The grid a place lies in.
    pub fn grid_at(&self, at: LatLon) -> Option<&GridId> {
        self.county.grids.iter().find(|grid| grid.area.contains(at)).map(|grid| &grid.id)
    }

    pub fn is_ranger_of(&self, person: &PersonId, grid: &GridId) -> bool {
        self.rangers.get(grid).is_some_and(|rangers| rangers.contains(person))
    }

    pub fn post(&self, person: &PersonId) -> Option<Post> {
        self.posts.get(person).copied()
    }

    pub fn with_phone(&self, number: &str) -> Option<&PersonId> {
        self.by_phone.get(number)
    }
}

fn corner(chance: &mut Chance, column: usize, row: usize) -> Spot {
    let inside = |n: usize, end: usize| n > 0 && n < end;
    let mut off = |free: bool| if free { chance.between(-CORNER_OFF_M, CORNER_OFF_M) } else { 0.0 };
    let (east_m, north_m) = (off(inside(column, COLUMNS)), off(inside(row, ROWS)));
    Spot::new(column as f64 * GRID_M + east_m, row as f64 * GRID_M + north_m)
}

fn area(ring: [Spot; 4]) -> Area {
    Area::from_rings(vec![ring.map(Spot::at).to_vec()]).expect("four corners are an area")
}

fn neighbours() -> Vec<Neighbour> {
    let neighbour = |(name, direction_deg): (&str, f64)| Neighbour {
        name: name.to_owned(),
        direction_deg,
        phone: Some("0745000000".to_owned()),
    };
    [("北邻县", 0.0), ("东邻县", 90.0), ("南邻县", 180.0), ("西邻县", 270.0)]
        .map(neighbour)
        .to_vec()
}

fn township(row: usize, column: usize) -> String {
    format!(
        "{}{}镇",
        ["东", "南", "西", "北"][row * TOWNSHIPS.1 / ROWS],
        column * TOWNSHIPS.0 / COLUMNS + 1
    )
}

/// Two by two grids, cut where a township ends.
fn village(row: usize, column: usize) -> String {
    format!("{}-{}村", row / 2 + 1, column / 2 + 1)
}

/// A grid in twelve has no B角; one A角 in a hundred has no phone in the register.
fn people(county: &mut County, chance: &mut Chance) {
    let mut people: Vec<Person> = Vec::new();
    let mut add = |id: String, post: Post, of: Option<&Grid>, phone: bool| {
        let phone = phone.then(|| format!("139{:08}", people.len()));
        people.push(Person {
            name: id.clone(),
            id: PersonId(id),
            phone,
            post,
            grid: of.filter(|_| post.is_ranger()).map(|grid| grid.id.clone()),
            village: of.filter(|_| post == Post::VillageChief).map(|grid| grid.village.clone()),
            township: of.map(|grid| grid.township.clone()),
        });
    };
    let mut seen = std::collections::BTreeSet::new();
    for grid in &county.grids {
        add(format!("A{}", &grid.id.0[1..]), Post::RangerA, Some(grid), !chance.happens(0.01));
        if !chance.happens(1.0 / 12.0) {
            add(format!("B{}", &grid.id.0[1..]), Post::RangerB, Some(grid), true);
        }
        if seen.insert(format!("{}{}", grid.township, grid.village)) {
            add(
                format!("chief-{}-{}", grid.township, grid.village),
                Post::VillageChief,
                Some(grid),
                true,
            );
        }
        if seen.insert(grid.township.clone()) {
            add(format!("township-{}", grid.township), Post::TownshipOfficer, Some(grid), true);
        }
    }
    for n in 1..=4 {
        add(format!("officer-{n}"), Post::CountyOfficer, None, true);
    }
    for n in 1..=2 {
        add(format!("leader-{n}"), Post::Leader, None, true);
    }
    county.people = people;
}

/// Today's rota and tomorrow's. For one grid in thirty the B角 stands in for the A角.
fn rota(
    county: &mut County,
    chance: &mut Chance,
    start: Timestamp,
) -> BTreeMap<GridId, Vec<PersonId>> {
    let today = county_date(start);
    let mut rangers = BTreeMap::new();
    for grid in &county.grids {
        let mut of: Vec<PersonId> = county
            .people
            .iter()
            .filter(|it| it.grid.as_ref() == Some(&grid.id))
            .map(|it| it.id.clone())
            .collect();
        if of.len() == 2 && chance.happens(1.0 / 30.0) {
            let (role, id) = (Role::Ranger, grid.id.clone());
            county.duties.push(Duty {
                date: today,
                begins: None,
                ends: None,
                role,
                township: None,
                grid: Some(id),
                person: of[1].clone(),
            });
            of.remove(0);
        }
        rangers.insert(grid.id.clone(), of);
    }
    for (date, officer, leader) in [
        (today, "officer-1", "leader-1"),
        (today.tomorrow().expect("no last day"), "officer-2", "leader-2"),
    ] {
        let on_duty = |role, township: Option<String>, person: PersonId| Duty {
            date,
            begins: None,
            ends: None,
            role,
            township,
            grid: None,
            person,
        };
        county.duties.push(on_duty(Role::CountyDuty, None, officer.into()));
        county.duties.push(on_duty(Role::CountyLeader, None, leader.into()));
        let townships = county.people.iter().filter(|it| it.post == Post::TownshipOfficer);
        county.duties.extend(
            townships.map(|it| on_duty(Role::TownshipDuty, it.township.clone(), it.id.clone())),
        );
    }
    rangers
}
