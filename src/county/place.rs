//! Pure: where in the county a fix lies, whose ground that is, and who could go. A name never
//! claims more than is known.

use super::candidates::{GridShare, GridShares};
use super::{County, Grid, Person, Post};
use crate::triage::event::{Candidate, Hint, NeighbourCounty, Place};
use crate::triage::geo::{Fix, FixMethod, LatLon, Locus, Ray, Spread, turn_deg};
use crate::triage::id::{GridId, PersonId};
use crate::triage::overlap::reach_m;
use crate::triage::policy::Role;
use crate::triage::sighting::Label;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A grid is the fire's from this share of the uncertainty on: 0.95, all but the 5 % that a 90 %
/// circle leaves out on each side.
const UNIQUE_FROM: f64 = 0.95;
/// Below this share inside the county the fire is the neighbour's: 5 %, for the same reason.
const INSIDE_FROM: f64 = 0.05;
/// The uncertainty touches the border from this share outside on: 1 %, two or three of the sampled
/// places.
const TOUCHES_FROM: f64 = 0.01;
/// Most candidate grids along a direction: as many as an officer can phone in ten minutes.
const ALONG_MAX: usize = 12;
/// Most neighbouring grids that are named and whose rangers are offered. An officer cannot read
/// more in a minute.
const NEIGHBOURS_MAX: usize = 6;

impl County {
    /// Names the place, whose ground it may be, and who could go.
    ///
    /// Every grid that the uncertainty touches is a candidate with its share. The place's grid is
    /// the likeliest. It is unique from 95 % on, and never at the county's border. For a direction
    /// without a range the candidates are the grids along it. Outside the county the nearest grid
    /// gives the name, and the neighbouring county is named.
    ///
    /// The hints do not narrow the uncertainty. What they point at comes first among the
    /// candidates.
    pub fn place(&self, fix: &Fix, hints: &[Hint], now: Timestamp) -> Place {
        let mut shares = self.shares(fix, hints);
        if !fix.is_a_place() {
            shares.grids.truncate(ALONG_MAX);
        }
        let inside = 1.0 - shares.outside;
        let outside = inside < INSIDE_FROM;
        let touches = shares.outside >= TOUCHES_FROM;
        if outside {
            shares.grids.clear();
        }
        let likeliest = shares.grids.first().copied();
        let sure =
            likeliest.is_some_and(|it| it.share >= UNIQUE_FROM) && !touches && fix.is_a_place();
        let neighbour =
            touches.then(|| self.neighbour_towards(shares.beyond.unwrap_or(fix.centre)));
        let nearest = if likeliest.is_none() { self.nearest_grid(fix.centre) } else { None };
        let named =
            likeliest.map(|it| it.grid).or(nearest.map(|(grid, _)| grid)).filter(|_| !outside);
        let aimed = fix.method != FixMethod::Unaimed;
        let of_nearest = nearest.map(|(grid, _)| grid);
        let mine: Vec<&Grid> = shares.grids.iter().map(|it| it.grid).chain(of_nearest).collect();
        let around = self.around(fix);
        let acting = self.acting(mine.iter().chain(&around).copied(), now);
        Place {
            name: self.place_name(fix, &shares, nearest, sure, outside),
            grid: likeliest.filter(|_| aimed).map(|it| it.grid.id.clone()),
            village: named.filter(|_| aimed).map(|grid| grid.village.clone()),
            township: named.filter(|_| aimed).map(|grid| grid.township.clone()),
            suggested: self.suggested(&mine, &around, &acting),
            unique: sure,
            labels: place_labels(fix, &shares, sure, outside, neighbour.as_ref()),
            candidates: shares.grids.iter().map(|it| acting.candidate(it)).collect(),
            neighbour,
        }
    }

    /// Whether evidence may lie within the county or within `margin_m` metres of it. Without
    /// outline and grids the answer is always yes, because nothing is known that could exclude it.
    pub fn near(&self, locus: &Locus, margin_m: f64) -> bool {
        let (at, reach_m) = (locus.centre(), reach_m(locus) + margin_m);
        match self.index().whole {
            None => true,
            Some(whole) if whole.distance_m(at) > reach_m => false,
            Some(_) => match &self.outline {
                Some(outline) => {
                    outline.contains(at)
                        || outline.edge_distance_m(at) <= reach_m
                        || self.is_near_a_grid(at, reach_m)
                }
                None => self.is_near_a_grid(at, reach_m),
            },
        }
    }

    fn place_name(
        &self,
        fix: &Fix,
        shares: &GridShares<'_>,
        nearest: Option<(&Grid, f64)>,
        sure: bool,
        outside: bool,
    ) -> String {
        let county = if self.name.is_empty() { "本县" } else { &self.name };
        let likeliest = shares.grids.first().map(|it| it.grid);
        if fix.method == FixMethod::Unaimed {
            let around = likeliest.map_or(county.to_owned(), |grid| grid.township.clone());
            return format!("{around}一带（方位不明，{}以内）", kilometres_zh(fix.radius_m));
        }
        if let (FixMethod::Bearing, Spread::Sector(Ray { azimuth_deg, near_m, far_m, .. })) =
            (fix.method, fix.spread())
        {
            let along = format!(
                "沿方位{:03.0}°，{}–{}",
                azimuth_deg.round() % 360.0,
                (near_m / 100.0).round() / 10.0,
                kilometres_zh(far_m)
            );
            return match likeliest {
                Some(grid) => format!("{}{}一带（{along}）", grid.township, grid.village),
                None if outside => format!("{county}界外（{along}）"),
                None => format!("{county}（{along}）"),
            };
        }
        match (likeliest, nearest) {
            (Some(grid), _) if sure => grid.full_name(),
            (Some(grid), _) => format!("{}一带", grid.full_name()),
            (None, Some((grid, distance_m))) if outside => format!(
                "县界外（{}方向），距{}约{}",
                self.neighbour_towards(fix.centre).name,
                grid.full_name(),
                metres_zh(distance_m)
            ),
            (None, Some((grid, distance_m))) => {
                format!("{}附近约{}", grid.full_name(), metres_zh(distance_m))
            }
            (None, None) if outside => {
                format!("{county}界外（{}方向）", self.neighbour_towards(fix.centre).name)
            }
            (None, None) => format!("{county}（未导入网格，请值班员判定乡镇和村）"),
        }
    }

    /// The neighbouring county in whose direction a place lies, seen from the county's centre.
    fn neighbour_towards(&self, at: LatLon) -> NeighbourCounty {
        let nearest = self.centre().and_then(|centre| {
            let azimuth_deg = centre.azimuth_deg(at);
            self.neighbours.iter().min_by(|a, b| {
                turn_deg(azimuth_deg, a.direction_deg)
                    .total_cmp(&turn_deg(azimuth_deg, b.direction_deg))
            })
        });
        let unknown = NeighbourCounty { name: "邻县".to_owned(), phone: None };
        nearest.map_or(unknown, |it| NeighbourCounty {
            name: it.name.clone(),
            phone: it.phone.clone(),
        })
    }

    /// The grid nearest to a place that lies in none, and its distance, metres.
    fn nearest_grid(&self, at: LatLon) -> Option<(&Grid, f64)> {
        let mut best: Option<(&Grid, f64)> = None;
        for (box_m, n) in self.index().by_distance(at) {
            if best.is_some_and(|(_, best_m)| best_m <= box_m) {
                break;
            }
            let area = &self.grids[n].area;
            let distance_m = if area.contains(at) { 0.0 } else { area.edge_distance_m(at) };
            if best.is_none_or(|(_, best_m)| distance_m < best_m) {
                best = Some((&self.grids[n], distance_m));
            }
        }
        best
    }

    /// A角 and B角 of the candidates, the likeliest first, then A角 of the grids around a place.
    /// People without a phone come last, because nobody can call them.
    fn suggested(
        &self,
        candidates: &[&Grid],
        around: &[&Grid],
        acting: &Acting<'_>,
    ) -> Vec<PersonId> {
        let both = candidates.iter().flat_map(|grid| acting.of(grid).into_iter().flatten());
        let others = around.iter().filter_map(|grid| acting.of(grid)[0]);
        let mut people: Vec<&Person> = both.chain(others).collect();
        people.sort_by_key(|person| person.phone.is_none());
        let mut ids: Vec<PersonId> = Vec::new();
        for person in people {
            if !ids.contains(&person.id) {
                ids.push(person.id.clone());
            }
        }
        ids
    }

    /// Grids around a place whose rangers could go, too. Empty for a direction.
    fn around(&self, fix: &Fix) -> Vec<&Grid> {
        if !fix.is_a_place() {
            return Vec::new();
        }
        // The nearest grid holds the place itself.
        self.index()
            .nearest(fix.centre, NEIGHBOURS_MAX + 1)
            .into_iter()
            .map(|n| &self.grids[n])
            .collect()
    }

    /// Who acts as A角 and B角 of some grids today. One pass over rota and people, whatever the
    /// number of grids.
    fn acting<'a>(&'a self, grids: impl Iterator<Item = &'a Grid>, now: Timestamp) -> Acting<'a> {
        let mut acting: BTreeMap<&GridId, [Option<&Person>; 2]> =
            grids.map(|grid| (&grid.id, [None; 2])).collect();
        let slot = |role: Role| match role {
            Role::Ranger => Some(0),
            Role::BackupRanger => Some(1),
            _ => None,
        };
        let local = super::people::county_clock(now);
        for duty in self.duties.iter().filter(|duty| duty.covers(local)) {
            let (Some(slot), Some(grid)) = (slot(duty.role), &duty.grid) else { continue };
            if let Some(own) = acting.get_mut(grid)
                && own[slot].is_none()
            {
                own[slot] = self.person(&duty.person);
            }
        }
        for person in self.people.iter().filter(|person| person.post.is_ranger()) {
            if let Some(own) = person.grid.as_ref().and_then(|grid| acting.get_mut(grid)) {
                own[usize::from(person.post == Post::RangerB)].get_or_insert(person);
            }
        }
        Acting(acting)
    }

    /// Who acts as a grid's A or B角 today.
    pub(super) fn ranger(
        &self,
        grid: &GridId,
        post: Post,
        now: Timestamp,
    ) -> Option<&super::Person> {
        let role = if post == Post::RangerB { Role::BackupRanger } else { Role::Ranger };
        let local = super::people::county_clock(now);
        let is_stand_in = |duty: &&super::Duty| {
            duty.role == role && duty.grid.as_ref() == Some(grid) && duty.covers(local)
        };
        let stand_in = self.duties.iter().find(is_stand_in);
        stand_in.and_then(|duty| self.person(&duty.person)).or_else(|| {
            self.people
                .iter()
                .find(|person| person.post == post && person.grid.as_ref() == Some(grid))
        })
    }
}

/// Who acts as A角 and B角 of a grid.
struct Acting<'a>(BTreeMap<&'a GridId, [Option<&'a Person>; 2]>);

impl<'a> Acting<'a> {
    fn of(&self, grid: &Grid) -> [Option<&'a Person>; 2] {
        self.0.get(&grid.id).copied().unwrap_or_default()
    }

    fn candidate(&self, GridShare { grid, weight, share }: &GridShare<'_>) -> Candidate {
        let (weight, share) = (*weight, *share);
        let [ranger, backup] = self.of(grid).map(|it| it.map(|person| person.id.clone()));
        Candidate { grid: grid.id.clone(), name: grid.full_name(), weight, share, ranger, backup }
    }
}

/// 边界热点 names the other grids, and the county beyond the border. A direction without a range
/// crosses many grids and does not count as a border hotspot: its candidates are listed instead.
fn place_labels(
    fix: &Fix,
    shares: &GridShares<'_>,
    sure: bool,
    outside: bool,
    neighbour: Option<&NeighbourCounty>,
) -> Vec<Label> {
    if outside {
        return vec![Label::OutsideCounty];
    }
    if sure || !fix.is_a_place() {
        return Vec::new();
    }
    let others =
        shares.grids.iter().skip(1).filter(|it| it.share >= TOUCHES_FROM).take(NEIGHBOURS_MAX);
    let mut neighbours: Vec<String> = others.map(|it| it.grid.full_name()).collect();
    neighbours.extend(neighbour.map(|it| it.name.clone()));
    if neighbours.is_empty() { Vec::new() } else { vec![Label::Border { neighbours }] }
}

fn metres_zh(distance_m: f64) -> String {
    if distance_m < 1000.0 {
        format!("{:.0}米", (distance_m / 10.0).ceil() * 10.0)
    } else {
        kilometres_zh(distance_m)
    }
}

fn kilometres_zh(distance_m: f64) -> String {
    format!("{}公里", (distance_m / 100.0).round() / 10.0)
}
