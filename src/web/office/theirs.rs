//! What a township is shown of the county: its own incidents, hotspots, cameras and ground, page by
//! page without gaps.

use crate::county::{CameraEntry, County, Grid};
use crate::desk::OpenBook;
use crate::lang::Lang;
use crate::register::InForce;
use crate::store::{Filed, Filter, KnownHotspot, Page};
use crate::triage::event::Place;
use crate::web::WebState;
use crate::web::http::error::Answer;
use crate::web::http::limits;
use crate::web::http::me::Me;
use crate::web::service::{self, PartView};
use jiff::Timestamp;

/// Rows of the county looked through for one answer. A township has a twentieth of them, so this is
/// some pages; an answer that would cost more has fewer items and its `next`.
const LOOKED_THROUGH: usize = 2_000;
/// Hotspots read at once.
const HOTSPOTS_AT_ONCE: u32 = 500;

/// A page of the incidents that this person may see, newest first.
pub(super) async fn incidents(
    state: &WebState,
    me: &Me,
    filter: Filter,
    mut before: Option<u64>,
    limit: u32,
) -> Answer<Page> {
    if me.right.is_county() {
        return Ok(state.store.incidents(filter, before, limit).await?);
    }
    let mut items: Vec<Filed> = Vec::new();
    let mut seen = 0;
    loop {
        let page = state.store.incidents(filter, before, limits::PAGE_MAX).await?;
        seen += page.items.len();
        let theirs = page.items.into_iter().filter(|it| me.may_see(&it.incident));
        items.extend(theirs);
        if items.len() > limit as usize {
            items.truncate(limit as usize);
            return Ok(Page { next: items.last().map(|it| it.opened_seq), items });
        }
        before = page.next;
        if before.is_none() || seen >= LOOKED_THROUGH {
            return Ok(Page { next: before, items });
        }
    }
}

/// A page of hotspots that this person may see, newest first, and whether there are more; `since`:
/// none older.
pub(super) async fn hotspots(
    state: &WebState,
    me: &Me,
    mut before: Option<(Timestamp, String)>,
    since: Option<Timestamp>,
    limit: u32,
) -> Answer<(Vec<KnownHotspot>, Option<(Timestamp, String)>)> {
    let most = limit as usize;
    let is_countys = me.right.is_county();
    let at_once = if is_countys { limit + 1 } else { HOTSPOTS_AT_ONCE };
    let (county, book) = (state.county(), state.desk.open_book().await?);
    let mut items: Vec<KnownHotspot> = Vec::new();
    let mut seen = 0;
    loop {
        let page = state.store.hotspots_before(before.as_ref(), at_once).await?;
        seen += page.len();
        before = page.last().map(key).or(before);
        let is_old = |it: &KnownHotspot| since.is_some_and(|since| it.hotspot.acquired_at < since);
        // A short page may only lack rows that cannot be read.
        let is_over = page.is_empty() || page.last().is_some_and(is_old);
        items.extend(
            page.into_iter().filter(|it| !is_old(it)).filter_map(|it| {
                if is_countys { Some(it) } else { theirs(me, &county, &book, it) }
            }),
        );
        if items.len() > most {
            items.truncate(most);
            let next = items.last().map(key);
            return Ok((items, next));
        }
        if is_over {
            return Ok((items, None));
        }
        if seen >= LOOKED_THROUGH {
            return Ok((items, before));
        }
    }
}

fn key(it: &KnownHotspot) -> (Timestamp, String) {
    (it.hotspot.acquired_at, it.hotspot.key.clone())
}

/// In their ground; the incident that it belongs to is named only if it is theirs.
fn theirs(me: &Me, county: &County, book: &OpenBook, it: KnownHotspot) -> Option<KnownHotspot> {
    me.right.township().filter(|township| township.holds(county, it.hotspot.at))?;
    let is_theirs = |id| book.find(id).is_some_and(|filed| me.may_see(&filed.incident));
    Some(KnownHotspot { incident: it.incident.filter(|id| is_theirs(*id)), ..it })
}

/// Whether a camera is shown: to a township those that stand on its ground.
pub(crate) fn shows_camera(me: &Me, county: &County, camera: &CameraEntry) -> bool {
    me.right.is_county() || me.right.township().is_some_and(|it| it.holds(county, camera.at))
}

/// The ground that this person sees: the county, or a county of their grids only.
pub(super) fn ground(me: &Me, county: &County) -> Option<County> {
    let township = me.right.township()?;
    let grids: Vec<Grid> =
        county.grids.iter().filter(|it| township.has_grid(&it.id)).cloned().collect();
    let name = township.names().collect::<Vec<_>>().join("、");
    Some(County { name, grids, ..County::default() })
}

/// What is proclaimed for their ground, the strongest first.
pub(super) fn in_force(me: &Me, county: &County, now: Timestamp) -> InForce {
    let Some(township) = me.right.township() else { return county.in_force(now) };
    let places: Vec<Place> = county
        .grids
        .iter()
        .filter(|grid| township.has_grid(&grid.id))
        .map(|grid| Place {
            grid: Some(grid.id.clone()),
            township: Some(grid.township.clone()),
            ..Place::default()
        })
        .collect();
    let mut all = county.in_force(now);
    let somewhere: Vec<InForce> = places.iter().map(|it| county.in_force_on(it, now)).collect();
    all.danger.retain(|it| somewhere.iter().any(|here| here.danger.contains(it)));
    all.signals.retain(|it| somewhere.iter().any(|here| here.signals.contains(it)));
    all.bans.retain(|it| somewhere.iter().any(|here| here.bans.contains(it)));
    all
}

/// How the program does. A township is told whether it works, and whom to ask: the sentences name
/// people, cameras and incidents of the whole county.
pub(super) async fn health(state: &WebState, me: &Me, lang: Lang) -> Vec<PartView> {
    let parts = service::parts(state, lang).await;
    if me.right.is_county() {
        return parts;
    }
    let ask = lang.pick("不正常，请打电话问县值班室", "not well: phone the county's duty room");
    let vital = parts.into_iter().filter(|it| service::VITAL.contains(&it.part.as_str()));
    vital
        .map(|it| PartView { words: if it.ok { String::new() } else { ask.to_owned() }, ..it })
        .collect()
}
