//! Pure: where another system's alarm says the fire is. Nothing unknown is made up: a device that
//! nobody has registered and that says no place may have seen it anywhere in the county.

use super::told::{Alarm, Bearing, Position};
use crate::county::{CameraEntry, County, SmokeInView};
use crate::lang::Words;
use crate::triage::geo::{LatLon, Locus, RangeBasis, Ray, normalise_deg};
use crate::triage::id::CameraId;
use crate::triage::sighting::Label;
use crate::triage::terrain::NEAR_M;
use crate::web::office::told::check_near;

/// How far off a place is whose system does not say: as far as a ranger's arrival may be.
const RADIUS_M: f64 = 500.0;
/// How far off a direction is whose system does not say, degrees to each side: a dome's preset, its
/// mast and the width of a smoke. Estimated, not measured.
const HALF_WIDTH_DEG: f64 = 3.0;
/// Relative error of a range that a device states: they come from the tilt or from the size of a
/// hot spot. Estimated, not measured.
const RANGE_ERROR: f64 = 0.2;
/// How far a device sees whose range nobody has registered.
const SEES_M: f64 = 10_000.0;
/// Pictures of surveillance cameras, where the alarm does not say.
const ASPECT: f64 = 16.0 / 9.0;

pub(super) struct Placed {
    pub locus: Locus,
    pub labels: Vec<Label>,
    /// The registered camera, if the device is one.
    pub camera: Option<CameraId>,
    /// What of it was taken otherwise than it was said.
    pub note: Option<Words>,
}

/// `has_moved`: the program has seen that this camera has turned.
pub(super) fn place(
    alarm: &Alarm,
    county: &County,
    has_moved: impl Fn(&CameraId) -> bool,
) -> Result<Placed, Words> {
    let id = CameraId::from(alarm.device.trim());
    let entry = county.camera(&id);
    let camera = entry.map(|entry| entry.id.clone());
    let known = |locus| Placed { locus, labels: Vec::new(), camera: camera.clone(), note: None };
    if let Some(position) = &alarm.position {
        return Ok(known(disc(position)?));
    }
    if let Some(bearing) = &alarm.bearing {
        let said = bearing.from.as_ref().map(at).transpose()?;
        let from = said.filter(|from| check_near(*from, county).is_ok());
        let note = (from != said).then(elsewhere);
        let placed = match from.or(entry.map(|entry| entry.at)) {
            Some(apex) => known(sector(bearing, apex, entry)),
            None => unknown(alarm, county)?,
        };
        return Ok(Placed { note, ..placed });
    }
    let Some(entry) = entry else { return unknown(alarm, county) };
    let is_one_view = county.cameras.iter().filter(|it| it.id == id).count() == 1;
    let look = alarm.bbox.filter(|_| is_one_view).map(|bbox| {
        let look =
            SmokeInView { bbox: &bbox.into(), aspect: ASPECT, has_moved: has_moved(&entry.id) };
        entry.locus(look, county.ground())
    });
    let locus = look.unwrap_or_else(|| entry.unaimed());
    let no_bearing = matches!(locus, Locus::Unaimed { .. })
        .then(|| Label::NoBearing { camera: entry.id.clone() });
    Ok(Placed { labels: no_bearing.into_iter().collect(), ..known(locus) })
}

fn at(position: &Position) -> Result<LatLon, Words> {
    position
        .datum
        .to_wgs84(position.lat_deg, position.lon_deg)
        .ok_or_else(|| Words::new("这不是地球上的位置：请检查经纬度", "that is no place on earth"))
}

fn elsewhere() -> Words {
    Words::new(
        "bearing.from 离本县100公里以上：没有采用，请检查经纬度",
        "bearing.from is more than 100 km from the county and was not taken: check latitude and \
        longitude",
    )
}

fn disc(position: &Position) -> Result<Locus, Words> {
    Ok(Locus::Disc { centre: at(position)?, radius_m: position.radius_m.unwrap_or(RADIUS_M) })
}

/// With a range it is a place, as far off as range and direction are; without one a direction.
fn sector(bearing: &Bearing, apex: LatLon, entry: Option<&CameraEntry>) -> Locus {
    let azimuth_deg = normalise_deg(bearing.azimuth_deg);
    let half_width_deg = bearing.half_width_deg.unwrap_or(HALF_WIDTH_DEG);
    if let Some(range_m) = bearing.range_m {
        let aside_m = range_m * half_width_deg.to_radians().sin();
        let radius_m = (range_m * RANGE_ERROR).hypot(aside_m).max(*super::told::RADIUS_M.start());
        return Locus::Disc { centre: apex.destination(azimuth_deg, range_m), radius_m };
    }
    let far_m = entry.map_or(SEES_M, |entry| entry.range_m);
    Locus::Sector(Ray {
        apex,
        azimuth_deg,
        half_width_deg,
        near_m: NEAR_M.min(far_m),
        far_m,
        range: RangeBasis::Unknown,
        profile: None,
    })
}

/// Anywhere in the county. It is shown all the same, and an officer finds out.
fn unknown(alarm: &Alarm, county: &County) -> Result<Placed, Words> {
    let Some((apex, (corner, _))) = county.centre().zip(county.bounds()) else {
        return Err(Words::new(
            format!(
                "设备 {} 未登记，告警也没有位置，本县还没有登记册：请先登记摄像机",
                alarm.device
            ),
            format!(
                "the device {} is not registered, the alarm has no place, and this county has no \
                registers yet: register the camera first",
                alarm.device
            ),
        ));
    };
    Ok(Placed {
        locus: Locus::Unaimed { apex, far_m: apex.distance_m(corner) },
        labels: vec![Label::UnknownDevice { device: alarm.device.trim().to_owned() }],
        camera: None,
        note: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::told::tests::alarm;
    use super::*;
    use crate::triage::datum::Datum;

    fn place(alarm: &Alarm) -> Placed {
        super::place(alarm, &county(), |_| false).unwrap_or_else(|words| panic!("{}", words.en))
    }

    const HERE: Position =
        Position { lat_deg: 28.4526, lon_deg: 110.3938, radius_m: None, datum: Datum::Wgs84 };

    fn camera() -> CameraEntry {
        CameraEntry {
            id: "43122200001320000001".into(),
            name: "东山".to_owned(),
            at: LatLon::new(28.45, 110.39).expect("a place"),
            height_m: None,
            azimuth_deg: Some(90.0),
            azimuth_error_deg: 1.0,
            field_of_view_deg: 60.0,
            tilt_deg: None,
            horizon: None,
            range_m: 8_000.0,
            url: Default::default(),
            main_url: None,
            pipeline: None,
            pose: "default".into(),
            masks: Vec::new(),
        }
    }

    fn county() -> County {
        County { cameras: vec![camera()], ..County::default() }
    }

    #[test]
    fn a_place_in_the_maps_of_gaode_and_baidu_is_the_same_hillside() {
        let truth = LatLon::new(HERE.lat_deg, HERE.lon_deg).expect("a place");
        for datum in [Datum::Wgs84, Datum::Gcj02, Datum::Bd09] {
            let (lat_deg, lon_deg) = datum.of_wgs84(truth);
            let position = Position { lat_deg, lon_deg, datum, ..HERE };
            let placed = place(&Alarm { position: Some(position), ..alarm() });
            let Locus::Disc { centre, radius_m } = placed.locus else { panic!("a place") };
            assert!(centre.distance_m(truth) < 1.0 && radius_m == 500.0, "{datum:?}");
        }
    }

    #[test]
    fn a_direction_with_a_range_is_a_place_and_without_one_a_direction() {
        let bearing = Bearing { azimuth_deg: 0.0, half_width_deg: None, range_m: None, from: None };
        let towards = |range_m| Alarm { bearing: Some(Bearing { range_m, ..bearing }), ..alarm() };
        let Locus::Sector(ray) = place(&towards(None)).locus else { panic!("a direction") };
        assert_eq!((ray.apex, ray.far_m, ray.range), (camera().at, 8_000.0, RangeBasis::Unknown));
        let Locus::Disc { centre, radius_m } = place(&towards(Some(4_000.0))).locus else {
            panic!("a place")
        };
        assert!((centre.distance_m(camera().at) - 4_000.0).abs() < 1.0);
        assert!((radius_m - 800.0_f64.hypot(209.0)).abs() < 2.0, "{radius_m}");
    }

    #[test]
    fn a_mast_in_another_province_is_a_mistake_and_costs_no_alarm() {
        let beijing = Position { lat_deg: 39.9, lon_deg: 116.4, ..HERE };
        let seen = |device: &str, from| {
            let bearing =
                Bearing { azimuth_deg: 0.0, half_width_deg: None, range_m: None, from: Some(from) };
            place(&Alarm { device: device.to_owned(), bearing: Some(bearing), ..alarm() })
        };
        let here = seen("x", HERE);
        assert!(matches!(here.locus, Locus::Sector(_)) && here.note.is_none());
        let registered = seen(&alarm().device, beijing);
        let Locus::Sector(ray) = registered.locus else { panic!("a direction") };
        assert_eq!((ray.apex, registered.note.is_some()), (camera().at, true));
        let unknown = seen("x", beijing);
        assert!(matches!(unknown.locus, Locus::Unaimed { .. }) && unknown.note.is_some());
    }

    #[test]
    fn a_registered_camera_alone_says_how_far_it_sees_and_a_box_says_where() {
        let alone = place(&alarm());
        assert_eq!(alone.locus, Locus::Unaimed { apex: camera().at, far_m: 8_000.0 });
        assert_eq!(alone.labels, [Label::NoBearing { camera: camera().id }]);
        let boxed = place(&Alarm { bbox: Some([0.45, 0.4, 0.1, 0.1]), ..alarm() });
        let Locus::Sector(ray) = boxed.locus else { panic!("a direction") };
        assert!((ray.azimuth_deg - 90.0).abs() < 0.1 && boxed.labels.is_empty(), "{ray:?}");
    }

    #[test]
    fn an_unknown_device_is_taken_as_anywhere_and_says_so() {
        let stranger = Alarm { device: "10.1.99.8-2".to_owned(), ..alarm() };
        let placed = place(&stranger);
        assert!(matches!(placed.locus, Locus::Unaimed { .. }) && placed.camera.is_none());
        assert_eq!(placed.labels, [Label::UnknownDevice { device: "10.1.99.8-2".to_owned() }]);
        let nowhere = super::place(&stranger, &County::default(), |_| false);
        assert!(nowhere.is_err_and(|words| words.en.contains("register the camera")));
    }
}
