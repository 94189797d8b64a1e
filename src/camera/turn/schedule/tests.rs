use super::*;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

const CADENCE: SignedDuration = SignedDuration::from_secs(10);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_790_000_000_000 + ms).expect("a time in this century")
}

/// One camera, its keyframes, and a worker that is always free. Returns the times of its looks, ms.
fn looks(keyframes_ms: impl IntoIterator<Item = i64>, until_ms: i64, boosted: bool) -> Vec<i64> {
    let mut schedule = Schedule::new(1, CADENCE, at(0));
    if boosted {
        schedule.boost(0, at(until_ms));
    }
    let keyframes: BTreeSet<i64> = keyframes_ms.into_iter().collect();
    let mut looks = Vec::new();
    for ms in (0..until_ms).step_by(100) {
        if keyframes.contains(&ms) {
            schedule.came(0, at(ms), at(ms));
        }
        looks.extend(schedule.next(at(ms)).map(|_| ms));
    }
    looks
}

fn every(ms: usize, from_ms: i64) -> impl Iterator<Item = i64> {
    (from_ms..120_000).step_by(ms)
}

#[test]
fn a_camera_that_has_to_be_asked_is_asked_once_a_look() {
    for (boosted, least, most) in [(false, 12, 12), (true, 23, 24)] {
        let mut schedule = Schedule::new(1, CADENCE, at(0));
        if boosted {
            schedule.boost(0, at(120_000));
        }
        let (mut comes_ms, mut asked, mut looks) = (None, 0, 0);
        for ms in (0..120_000).step_by(100) {
            if comes_ms.is_none() && schedule.wants(0, at(ms)) {
                (comes_ms, asked) = (Some(ms + 300), asked + 1);
            }
            if comes_ms.take_if(|comes| *comes == ms).is_some() {
                schedule.came(0, at(ms), at(ms));
            }
            looks += i32::from(schedule.next(at(ms)).is_some());
        }
        assert_eq!(asked, looks, "boosted: {boosted}");
        assert!(
            (least..=most).contains(&looks),
            "boosted: {boosted}, {looks} looks in 12 cadences"
        );
    }
}

#[test]
fn a_picture_that_nobody_takes_is_asked_for_again_after_a_cadence() {
    let mut schedule = Schedule::new(1, CADENCE, at(0));
    assert!(schedule.wants(0, at(0)));
    schedule.came(0, at(0), at(0));
    assert!(!schedule.wants(0, at(9_999)) && schedule.wants(0, at(10_000)));
}

#[test]
fn looks_come_with_fresh_keyframes_on_the_cameras_beat() {
    for (keyframes, expected, why) in [
        (every(2_000, 0).collect::<Vec<_>>(), vec![0, 10_000, 20_000, 30_000], "on the beat"),
        (
            every(2_000, 1_900).collect(),
            vec![1_900, 11_900, 21_900, 31_900],
            "the first after it, never one that lay there",
        ),
        (every(4_000, 1_000).collect(), vec![1_000, 13_000, 21_000, 33_000], "the beat is kept"),
        (
            every(7_000, 0).collect(),
            vec![0, 14_000, 21_000, 35_000],
            "one that comes within half a cadence is waited for",
        ),
        (
            vec![0, 9_000, 18_000],
            vec![0, 15_000, 25_000],
            "after half a cadence what lies there has to do",
        ),
        (
            every(12_000, 0).collect(),
            vec![0, 12_000, 24_000, 36_000],
            "longer than the cadence: every one, as it comes",
        ),
        (
            every(10_300, 300).collect(),
            vec![300, 10_600, 20_900, 31_200],
            "a folder: every picture, as it comes",
        ),
        (
            vec![0, 2_000, 33_000, 35_000],
            vec![0, 15_000, 33_000],
            "back from an outage: at once, the lost slots stay lost",
        ),
    ] {
        assert_eq!(looks(keyframes, 40_000, false), expected, "{why}");
    }
}

#[test]
fn a_suspicious_camera_is_looked_at_twice_as_often_and_only_with_new_pictures() {
    assert_eq!(looks(every(1_000, 0), 30_000, true), [0, 5_000, 10_000, 15_000, 20_000, 25_000]);
    assert_eq!(
        looks(every(2_000, 1_900), 30_000, true),
        [1_900, 5_900, 11_900, 15_900, 21_900, 25_900]
    );
    assert_eq!(looks(every(10_000, 0), 30_000, true), [0, 10_000, 20_000], "no picture, no look");
    assert_eq!(looks(every(500, 0), 120_000, true).len(), 24, "however many keyframes");
}

#[test]
fn a_county_that_starts_at_once_is_spread_over_the_cadence() {
    let mut schedule = Schedule::new(267, CADENCE, at(0));
    let mut second_looks = vec![0; 10];
    for ms in (0..20_000).step_by(100) {
        (0..267).for_each(|camera| _ = schedule.came(camera, at(ms), at(ms)));
        while schedule.next(at(ms)).is_some() {
            if ms >= 10_000 {
                second_looks[(ms as usize - 10_000) / 1_000] += 1;
            }
        }
    }
    assert!(second_looks.iter().all(|looks| (26..=28).contains(looks)), "{second_looks:?}");
}

/// The widest and the narrowest gap between two neighbouring beats, µs.
fn gaps(schedule: &Schedule) -> (i128, i128) {
    let mut phases: Vec<i128> = schedule
        .turns
        .values()
        .map(|turn| turn.beat_at.as_microsecond() as i128 % CADENCE.as_micros())
        .collect();
    phases.sort_unstable();
    phases.push(phases[0] + CADENCE.as_micros());
    let gaps: Vec<i128> = phases.windows(2).map(|pair| pair[1] - pair[0]).collect();
    (gaps.iter().copied().max().unwrap_or(0), gaps.iter().copied().min().unwrap_or(0))
}

#[test]
fn who_joins_takes_the_widest_gap_and_whoever_goes_moves_nobody() {
    let mut schedule = Schedule::new(1, CADENCE, at(0));
    for camera in 1..267 {
        schedule.add(camera, at(i64::try_from(camera).expect("small") * 77));
        let (widest, narrowest) = gaps(&schedule);
        assert!(widest <= 2 * narrowest + 20, "{camera}: between {narrowest} and {widest} µs");
    }
    let beats =
        |schedule: &Schedule| schedule.turns.values().map(|turn| turn.beat_at).collect::<Vec<_>>();
    let before = beats(&schedule);
    (200..267).for_each(|camera| schedule.remove(camera));
    assert_eq!(beats(&schedule), before[..200]);
    schedule.add(267, at(30_000));
    assert!(!schedule.came(266, at(30_000), at(30_000)), "nobody has this number any more");
    assert!(schedule.came(267, at(30_000), at(30_000)), "it is looked at at once");
    assert_eq!(schedule.next(at(30_000)), Some(267));
}

#[test]
fn a_camera_that_is_connected_anew_keeps_its_turn() {
    let mut schedule = Schedule::new(2, CADENCE, at(0));
    schedule.came(0, at(0), at(0));
    assert_eq!(schedule.next(at(0)), Some(0));
    schedule.renumber(0, 7);
    schedule.came(7, at(2_000), at(2_000));
    assert_eq!(schedule.next(at(2_000)), None, "it has just been looked at");
    schedule.came(7, at(10_000), at(10_000));
    assert_eq!(schedule.next(at(10_000)), Some(7));
}

#[test]
fn a_clock_that_is_set_back_leaves_nobody_blind() {
    let mut schedule = Schedule::new(1, CADENCE, at(0));
    schedule.came(0, at(0), at(0));
    assert_eq!(schedule.next(at(0)), Some(0));
    let hour_before = -3_600_000;
    assert!(schedule.came(0, at(hour_before), at(hour_before)));
    assert_eq!(schedule.next(at(hour_before)), Some(0));
    schedule.came(0, at(hour_before + 9_000), at(hour_before + 9_000));
    assert_eq!(schedule.next(at(hour_before + 9_000)), None, "and the cadence holds again");
}

/// A seeded county with times in ms: cameras with keyframes 1 to 4 s apart that fail and come back,
/// and two workers.
struct County {
    schedule: Schedule,
    cameras: Vec<Camera>,
    seed: u64,
    own: Vec<Vec<i64>>,
    extra: usize,
}

#[derive(Clone, Default)]
struct Camera {
    gop_ms: i64,
    dead_until_ms: i64,
    outages: Vec<(i64, i64)>,
    is_suspicious: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Keyframe(usize),
    Dies(usize),
    IsFree,
    Tick,
}

impl County {
    fn new(cameras: usize, suspicious_percent: usize, seed: u64) -> Self {
        let mut county = Self {
            schedule: Schedule::new(cameras, CADENCE, at(0)),
            cameras: vec![Camera::default(); cameras],
            seed,
            own: vec![Vec::new(); cameras],
            extra: 0,
        };
        for index in 0..cameras {
            county.cameras[index].gop_ms = 1_000 + county.random(3_001);
            county.cameras[index].is_suspicious =
                index * suspicious_percent % 100 < suspicious_percent;
        }
        county
    }

    /// A number below `end`, by splitmix64.
    fn random(&mut self, end: i64) -> i64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as i64
    }

    /// `look_ms`: how long a worker is busy with one picture, give or take a third. `dying`: the
    /// number of outages.
    fn run(&mut self, seconds: i64, look_ms: i64, dying: usize) {
        let until_ms = seconds * 1_000;
        let mut events = BinaryHeap::new();
        for index in 0..self.cameras.len() {
            events.push(Reverse((self.random(4_000), Event::Keyframe(index))));
        }
        for _ in 0..dying {
            let (when, who) = (self.random(until_ms), self.random(self.cameras.len() as i64));
            events.push(Reverse((when, Event::Dies(who as usize))));
        }
        events.push(Reverse((0, Event::Tick)));
        let mut free = 2;
        while let Some(Reverse((now, event))) =
            events.pop().filter(|Reverse((now, _))| *now < until_ms)
        {
            // As in the live program: a worker asks when it is free, when a keyframe of a due
            // camera arrives, and on the tick.
            let mut is_woken = true;
            match event {
                Event::IsFree => free += 1,
                Event::Tick => events.push(Reverse((now + 100, Event::Tick))),
                Event::Dies(index) => {
                    let until = now + 1_000 + self.random(60_000);
                    let camera = &mut self.cameras[index];
                    camera.dead_until_ms = camera.dead_until_ms.max(until);
                    camera.outages.push((now, until + camera.gop_ms * 2));
                    self.schedule.gone(index);
                }
                Event::Keyframe(index) => {
                    let jitter = self.random(200);
                    events.push(Reverse((
                        now + self.cameras[index].gop_ms + jitter,
                        Event::Keyframe(index),
                    )));
                    is_woken = now >= self.cameras[index].dead_until_ms
                        && self.schedule.came(index, at(now), at(now));
                }
            }
            while is_woken && free > 0 {
                let Some(index) = self.schedule.next(at(now)) else { break };
                free -= 1;
                let busy_ms = look_ms * 2 / 3 + self.random(look_ms * 2 / 3 + 1);
                events.push(Reverse((now + busy_ms, Event::IsFree)));
                if self.schedule.turns[&index].extra_at == at(now) {
                    self.extra += 1;
                } else {
                    self.own[index].push(now);
                }
                if self.cameras[index].is_suspicious {
                    self.schedule.boost(index, at(now + 60_000));
                }
            }
        }
    }

    /// The number of slots in the healthy time of all cameras, and of those with a look. After a
    /// camera's first look each window of one cadence on its own beat is a slot.
    fn slots(&self, until_ms: i64) -> (usize, usize) {
        let (mut all, mut met) = (0, 0);
        let cadence_ms = CADENCE.as_millis() as i64;
        for (index, looks) in self.own.iter().enumerate() {
            let share = (index + 1) as f64 / self.own.len() as f64;
            let beat_ms = (cadence_ms as f64 * share) as i64;
            for from in (beat_ms..until_ms - cadence_ms).step_by(cadence_ms as usize) {
                let slot = from..from + cadence_ms;
                let is_dead = |(died, back): &(i64, i64)| *died < slot.end && slot.start < *back;
                if !self.cameras[index].outages.iter().any(is_dead) {
                    all += 1;
                    met += usize::from(looks.iter().any(|ms| slot.contains(ms)));
                }
            }
        }
        (all, met)
    }

    fn looks(&self) -> usize {
        self.own.iter().map(Vec::len).sum()
    }

    /// The most and the fewest looks of a camera that never failed.
    fn extremes(&self) -> (usize, usize) {
        let well =
            self.own.iter().zip(&self.cameras).filter(|(_, camera)| camera.outages.is_empty());
        let counts: Vec<_> = well.map(|(looks, _)| looks.len()).collect();
        (counts.iter().copied().max().unwrap_or(0), counts.iter().copied().min().unwrap_or(0))
    }
}

#[test]
fn every_healthy_camera_of_a_county_meets_its_slots_while_a_fifth_are_suspicious_all_the_time() {
    // Two workers at 40 ms a look (50 a second), and then so slow that the county with its extra
    // looks just fits (26.7 + 20 %).
    for (look_ms, seed) in [(40, 1), (62, 2)] {
        let mut county = County::new(267, 20, seed);
        county.run(300, look_ms, 30);
        let (all, met) = county.slots(300_000);
        assert!(all > 267 * 26, "a county's five minutes are judged, not {all} slots");
        assert_eq!(met, all, "{look_ms} ms a look, seed {seed}");
        let share = county.extra as f64 / (county.looks() + county.extra) as f64;
        assert!(
            (0.12..=0.20).contains(&share),
            "extra looks are a share of {share} at {look_ms} ms a look"
        );
    }
}

#[test]
fn a_county_that_is_suspicious_everywhere_spends_a_fifth_of_its_looks_on_it() {
    let mut county = County::new(267, 100, 5);
    county.run(300, 20, 0);
    let share = county.extra as f64 / (county.looks() + county.extra) as f64;
    assert!((0.18..=0.205).contains(&share), "{share}");
    let (all, met) = county.slots(300_000);
    assert_eq!(met, all);
}

#[test]
fn overload_ends_extra_looks_first_and_then_stretches_all_cadences_alike() {
    // 16 looks a second where 26.7 are wanted: 60 %.
    let mut county = County::new(267, 20, 6);
    county.run(600, 125, 20);
    let (most, fewest) = county.extremes();
    assert!(most as f64 <= fewest as f64 * 1.2, "between {fewest} and {most} looks");
    assert!(
        county.extra * 100 < county.looks(),
        "{} extra looks beside {}",
        county.extra,
        county.looks()
    );
    let round = county.schedule.round(at(600_000));
    assert!((15..=19).contains(&round.actual.as_secs()), "267 / 16 = 16.7 s, not {round:?}");
    let longest =
        county.own.iter().zip(&county.cameras).filter(|(_, camera)| camera.outages.is_empty());
    let longest =
        longest.flat_map(|(looks, _)| looks.windows(2).map(|pair| pair[1] - pair[0])).max();
    assert!(longest < Some(25_000), "nobody waits much longer than the others: {longest:?} ms");
}

#[test]
fn what_cameras_do_not_send_is_not_called_overload() {
    let mut schedule = Schedule::new(3, CADENCE, at(0));
    for ms in (0..300_000).step_by(100) {
        // The first camera has a keyframe every 14 s, the second has failed, the third is healthy.
        for (camera, gop_ms) in [(0, 14_000), (2, 2_000)] {
            if ms % gop_ms == 0 {
                schedule.came(camera, at(ms), at(ms));
            }
        }
        while schedule.next(at(ms)).is_some() {}
    }
    assert_eq!(schedule.round(at(300_000)), Round { cameras: 2, actual: CADENCE });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// For any size of county and any seed, with any capacity above what the beats need.
    #[test]
    fn slots_are_met(cameras in 1usize..60, suspicious in 0usize..=20, seed: u64, spare_percent in 20i64..150) {
        let mut county = County::new(cameras, suspicious, seed);
        let looks_a_second = cameras as f64 / CADENCE.as_secs_f64() * (100 + spare_percent) as f64 / 100.0;
        county.run(200, ((2_000.0 / looks_a_second) as i64).min(1_000), cameras / 4);
        let (all, met) = county.slots(200_000);
        prop_assert_eq!(met, all);
    }

    /// For any order of events: a due camera is never left while a worker is free, two looks are at
    /// least a quarter of a cadence apart, and each other camera overtakes a waiting slot at most
    /// once.
    #[test]
    fn nobody_is_starved(
        cameras in 1usize..12,
        steps in prop::collection::vec((0i64..8_000, prop::option::of(0usize..12), any::<u16>()), 1..200),
    ) {
        let mut schedule = Schedule::new(cameras, CADENCE, at(0));
        let (mut now, mut waited, mut last) = (0, vec![0usize; cameras], vec![i64::MIN / 2; cameras]);
        for (step_ms, boosted, fresh) in steps {
            now += step_ms;
            if let Some(camera) = boosted {
                schedule.boost(camera, at(now + 60_000));
            }
            (0..cameras).filter(|i| fresh & (1 << i) != 0).for_each(|i| _ = schedule.came(i, at(now), at(now)));
            let due: Vec<bool> = (0..cameras).map(|i| schedule.turns[&i].is_ripe(CADENCE, at(now))).collect();
            let taken = schedule.next(at(now));
            if due.contains(&true) {
                prop_assert!(taken.is_some_and(|i| due[i]), "a slot comes before any extra look");
            }
            for i in 0..cameras {
                if Some(i) == taken {
                    prop_assert!(now - last[i] >= 2_500, "twice within a quarter of a cadence");
                    (waited[i], last[i]) = (0, now);
                } else if due[i] {
                    waited[i] += 1;
                    prop_assert!(waited[i] < cameras, "camera {i} waited {} turns of {cameras}", waited[i]);
                }
            }
        }
    }
}
