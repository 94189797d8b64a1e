//! Pure: where in the county a fix lies, whose ground that is, and who could go.

use super::{County, Grid, Post};
use crate::triage::event::Place;
use crate::triage::geo::{Fix, LatLon, turn_deg};
use crate::triage::id::{GridId, PersonId};
use crate::triage::policy::Role;
use crate::triage::sighting::Label;
use jiff::Timestamp;

/// So many neighbouring grids are named and their rangers offered, nearest first: more than an officer reads in a minute.
const NEIGHBOURS_MAX: usize = 6;

impl County {
    /// Names the place and whose it is.
    ///
    /// The grid is the one that holds the centre. It is unique only when the whole circle of uncertainty lies inside it;
    /// otherwise the touched grids and counties are listed as a border label. One camera's bearing has a circle of kilometres
    /// and is therefore rarely unique. Outside of the county the nearest grid gives the name, and the label says so.
    pub fn place(&self, fix: &Fix, now: Timestamp) -> Place {
        let near = self.grids_by_distance(fix.centre);
        let outside = self.is_outside(fix.centre, &near);
        let home = near.first().filter(|near| near.distance_m == 0.0).map(|near| near.grid);
        let touched: Vec<&Grid> = near
            .iter()
            .filter(|near| near.distance_m <= fix.radius_m && home.is_none_or(|home| home.id != near.grid.id))
            .map(|near| near.grid)
            .collect();
        let mut neighbours: Vec<String> = touched.iter().take(NEIGHBOURS_MAX).map(|grid| grid.full_name()).collect();
        if !outside && self.outline.as_ref().is_some_and(|outline| outline.edge_distance_m(fix.centre) <= fix.radius_m)
        {
            neighbours.push(self.neighbour_towards(fix.centre));
        }

        let unique = home.is_some() && neighbours.is_empty();
        let mut labels = Vec::new();
        if outside {
            labels.push(Label::OutsideCounty);
        }
        if !neighbours.is_empty() {
            labels.push(Label::Border { neighbours });
        }
        let nearest = near.first().map(|near| near.grid);
        Place {
            name: self.place_name(fix.centre, home, near.first(), outside),
            grid: home.map(|grid| grid.id.clone()),
            village: nearest.filter(|_| !outside).map(|grid| grid.village.clone()),
            township: nearest.filter(|_| !outside).map(|grid| grid.township.clone()),
            suggested: self.suggested(&near, now),
            unique,
            labels,
        }
    }

    fn place_name(&self, at: LatLon, home: Option<&Grid>, nearest: Option<&Near<'_>>, outside: bool) -> String {
        let county = if self.name.is_empty() { "本县" } else { &self.name };
        match (home, nearest) {
            (Some(grid), _) => grid.full_name(),
            (None, Some(near)) if outside => format!(
                "县界外（{}方向），距{}约{}",
                self.neighbour_towards(at),
                near.grid.full_name(),
                metres_zh(near.distance_m)
            ),
            (None, Some(near)) => format!("{}附近约{}", near.grid.full_name(), metres_zh(near.distance_m)),
            (None, None) if outside => format!("{county}界外（{}方向）", self.neighbour_towards(at)),
            (None, None) => format!("{county}（未导入网格，请值班员判定乡镇和村）"),
        }
    }

    /// Outside of the outline; without one, farther from every grid than any gap between grids would be.
    fn is_outside(&self, at: LatLon, near: &[Near<'_>]) -> bool {
        /// Grids drawn by hand leave gaps; a place this near to one is still ours.
        const GAP_M: f64 = 1000.0;
        match (&self.outline, near.first()) {
            (_, Some(near)) if near.distance_m == 0.0 => false,
            (Some(outline), _) => !outline.contains(at),
            (None, Some(near)) => near.distance_m > GAP_M,
            (None, None) => false,
        }
    }

    fn neighbour_towards(&self, at: LatLon) -> String {
        let nearest = self.centre().and_then(|centre| {
            let azimuth_deg = centre.azimuth_deg(at);
            self.neighbours.iter().min_by(|a, b| {
                turn_deg(azimuth_deg, a.direction_deg).total_cmp(&turn_deg(azimuth_deg, b.direction_deg))
            })
        });
        nearest.map_or_else(|| "邻县".to_owned(), |neighbour| neighbour.name.clone())
    }

    /// All grids, nearest first; 0 for the one that holds the place.
    fn grids_by_distance(&self, at: LatLon) -> Vec<Near<'_>> {
        let distance_m = |grid: &Grid| if grid.area.contains(at) { 0.0 } else { grid.area.edge_distance_m(at) };
        let mut near: Vec<Near<'_>> =
            self.grids.iter().map(|grid| Near { grid, distance_m: distance_m(grid) }).collect();
        near.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m));
        near
    }

    /// The nearest grid's A角 and B角, then its neighbours' A角; who stands in today instead of who is appointed. People
    /// without a phone come last: nobody can ring them.
    fn suggested(&self, near: &[Near<'_>], now: Timestamp) -> Vec<PersonId> {
        let mut people = Vec::new();
        if let Some(home) = near.first() {
            people.extend(self.ranger(&home.grid.id, Post::RangerA, now));
            people.extend(self.ranger(&home.grid.id, Post::RangerB, now));
        }
        for other in near.iter().skip(1).take(NEIGHBOURS_MAX) {
            people.extend(self.ranger(&other.grid.id, Post::RangerA, now));
        }
        people.sort_by_key(|person| person.phone.is_none());
        let mut ids: Vec<PersonId> = Vec::new();
        for person in people {
            if !ids.contains(&person.id) {
                ids.push(person.id.clone());
            }
        }
        ids
    }

    /// Who acts as a grid's A or B角 today.
    pub(super) fn ranger(&self, grid: &GridId, post: Post, now: Timestamp) -> Option<&super::Person> {
        let role = if post == Post::RangerB { Role::BackupRanger } else { Role::Ranger };
        let today = super::county_date(now);
        let stand_in =
            self.duties.iter().find(|duty| duty.date == today && duty.role == role && duty.grid.as_ref() == Some(grid));
        stand_in
            .and_then(|duty| self.person(&duty.person))
            .or_else(|| self.people.iter().find(|person| person.post == post && person.grid.as_ref() == Some(grid)))
    }
}

struct Near<'a> {
    grid: &'a Grid,
    distance_m: f64,
}

fn metres_zh(distance_m: f64) -> String {
    if distance_m < 1000.0 {
        format!("{:.0}米", (distance_m / 10.0).ceil() * 10.0)
    } else {
        format!("{:.1}公里", distance_m / 1000.0)
    }
}
