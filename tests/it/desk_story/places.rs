//! Fires beside each other, and one fire seen twice.

use super::*;

/// A false alarm is closed; then somebody calls from there. What the satellite sees now is evidence
/// for the call, not for the closed incident.
#[tokio::test]
async fn evidence_belongs_to_the_open_fire_before_it_reminds_of_a_closed_one() {
    let story = Story::begin().await;
    let seen = || Sighting { observed_at: story.clock.now(), ..fire() };
    let first = story.desk.sighting(seen()).await.expect("filed");
    let closure = Closure {
        category: 9,
        false_alarm: Some(FalseAlarm::CookingSmoke),
        words: String::new(),
        passed_to: None,
    };
    story.desk.act(first, Input::Close { closure }, &by_officer()).await.expect("closed");
    story.wait_until(20).await;
    assert_eq!(
        story.desk.sighting(seen()).await.expect("filed"),
        first,
        "nobody else has seen anything"
    );
    let source = Source::Person { who: "12119".into(), words: "山上冒烟".into() };
    let called = story.desk.sighting(Sighting { source, ..seen() }).await.expect("filed");
    assert_ne!(called, first, "whoever calls is heard");
    assert_eq!(story.desk.sighting(seen()).await.expect("filed"), called);
    assert_eq!(story.t.store.incident(called).await.unwrap().incident.sightings.len(), 2);
}

/// Two masts see smoke where their lines cross. It may be two fires, so there are two cards that
/// name each other. Each lists the grid of the crossing first.
#[tokio::test]
async fn two_directions_that_cross_stay_two_cards_and_point_at_one_grid() {
    let mut county = county();
    let ring = |west: f64, east: f64| {
        Area::from_rings(vec![vec![
            place(28.40, west),
            place(28.40, east),
            place(28.50, east),
            place(28.50, west),
        ]])
    };
    let two = [("g-west", 110.36, 110.40), ("g-east", 110.40, 110.48)];
    county.grids = two
        .map(|(id, west, east)| Grid {
            id: id.into(),
            area: ring(west, east).expect("a ring"),
            ..county.grids[0].clone()
        })
        .to_vec();
    let story = Story::of(county).await;
    let fire = place(28.45, 110.385);
    let seen_from = |camera: &str, apex: LatLon| {
        let azimuth_deg = apex.azimuth_deg(fire);
        let (half_width_deg, near_m, far_m, range, profile) =
            (2.0, 200.0, 8000.0, RangeBasis::Unknown, None);
        let locus =
            Locus::Sector(Ray { apex, azimuth_deg, half_width_deg, near_m, far_m, range, profile });
        let mut sighting = Sighting { locus, observed_at: story.clock.now(), ..camera_sighting() };
        if let Source::Camera { camera: own, .. } = &mut sighting.source {
            *own = camera.into();
        }
        sighting
    };
    let along = story.desk.sighting(seen_from("west", place(28.45, 110.365))).await.expect("filed");
    let open = async |id| story.t.store.incident(id).await.unwrap().incident;
    let first = async |id| open(id).await.place.candidates.first().map(|it| it.grid.to_string());
    assert_eq!(first(along).await.as_deref(), Some("g-east"), "most of what the camera sees");
    story.wait_until(1).await;
    let across =
        story.desk.sighting(seen_from("south", place(28.41, 110.385))).await.expect("filed");
    assert_ne!(along, across);
    assert_eq!(first(along).await.as_deref(), Some("g-west"), "where the second line crosses");
    let (one, other) = (open(along).await, open(across).await);
    assert_eq!((one.links[0].other, other.links[0].other), (across, along));
    assert_eq!(one.fix.method, FixMethod::Bearing, "the doubt is what it was");
    assert_eq!(Some(one.clone()), huoyan::triage::incident::Incident::from_log(&one.log));
}

/// 转报 first, then ours: the neighbour's record must not swallow a fire on our side of the border.
#[tokio::test]
async fn a_fire_beside_one_that_was_passed_on_is_sent_to_our_ranger() {
    let mut county = county();
    county.outline = county.grids.first().map(|grid| grid.area.clone());
    let story = Story::of(county).await;
    let seen_at = |lat_deg: f64| {
        let locus = Locus::Disc { centre: place(lat_deg, 110.40), radius_m: 375.0 };
        Sighting { id: SightingId(id()), locus, observed_at: story.clock.now(), ..fire() }
    };
    let abroad = story.desk.sighting(seen_at(28.504)).await.expect("filed");
    assert_eq!(
        story.t.store.incident(abroad).await.unwrap().incident.state,
        State::Closed,
        "the county ends at 28.5°"
    );
    story.wait_until(30).await;
    assert_eq!(
        story.desk.sighting(seen_at(28.505)).await.expect("filed"),
        abroad,
        "the same fire over there"
    );
    let ours = story.desk.sighting(seen_at(28.501)).await.expect("filed");
    let incident = story.t.store.incident(ours).await.unwrap().incident;
    assert_eq!((ours != abroad, incident.state), (true, State::Dispatched));
}
