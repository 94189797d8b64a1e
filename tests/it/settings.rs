//! Every number and duration of `huoyan.toml` has a range. A value outside is refused at the start,
//! with its key, what it is and what it may be.

use huoyan::config::Config;
use huoyan::lang::Lang;
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use std::collections::BTreeSet;

/// Where it stands, what is too little, the first and the last value, what is too much.
type Setting = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const SETTINGS: [Setting; 72] = [
    ("/server/login_link_life", "59s", "1min", "168h", "169h"),
    ("/server/ranger_link_life", "59s", "1min", "168h", "169h"),
    ("/server/session_life", "59min", "1h", "8784h", "9000h"),
    ("/retention/fires_days", "6", "7", "36500", "36501"),
    ("/retention/false_alarms_days", "6", "7", "36500", "36501"),
    ("/retention/unclaimed_days", "0", "1", "36500", "36501"),
    ("/retention/hotspots_days", "29", "30", "36500", "36501"),
    ("/retention/analyses_days", "0", "1", "3650", "3651"),
    ("/edge/spool_max_gib", "0.0", "0.001", "100000.0", "1e6"),
    ("/centre/connections", "1", "2", "20", "21"),
    ("/disk/warn_gib", "0.4", "0.5", "1000000.0", "1e7"),
    ("/disk/reserve_gib", "0.4", "0.5", "1000000.0", "inf"),
    ("/disk/analyses_max_gib", "0.0", "0.1", "1000000.0", "1e7"),
    ("/disk/pictures_max_gib", "-1.0", "0.1", "1000000.0", "nan"),
    ("/backup/every", "59s", "1min", "8784h", "9000h"),
    ("/backup/keep", "0", "1", "10000", "10001"),
    ("/camera/cadence", "99ms", "100ms", "1h", "61min"),
    ("/camera/decode_workers", "0", "1", "64", "65"),
    ("/camera/late_after", "-30s", "1s", "24h", "25h"),
    ("/camera/offline_after", "0s", "1s", "24h", "25h"),
    ("/camera/frozen_after", "9s", "10s", "24h", "25h"),
    ("/camera/self_test_every", "-1s", "0s", "720h", "721h"),
    ("/camera/reconnect_min", "0s", "100ms", "1h", "2h"),
    ("/camera/reconnect_max", "-1s", "100ms", "1h", "2h"),
    ("/detect/workers", "0", "1", "64", "65"),
    ("/detect/batch", "0", "1", "16", "17"),
    ("/detect/gate_every", "0", "1", "1000", "1001"),
    ("/detect/tiles", "-1", "0", "3", "4"),
    ("/satellite/folder_every", "0s", "50ms", "1h", "2h"),
    ("/satellite/feed_every", "9s", "10s", "24h", "25h"),
    ("/satellite/margin_m", "-0.1", "0.0", "200000.0", "200001"),
    ("/satellite/stale_after", "59min", "1h", "8760h", "8761h"),
    ("/satellite/list_within", "9min", "10min", "168h", "169h"),
    ("/notify/answer_within", "999ms", "1s", "2min", "121s"),
    ("/thresholds/version", "-1", "0", "1000000000", "1000000001"),
    ("/thresholds/smoke", "0.0", "0.001", "0.999", "7.0"),
    ("/thresholds/fire", "-1.0", "0.001", "0.999", "1.0"),
    ("/thresholds/smoke_tile", "0.0005", "0.001", "0.999", "1.5"),
    ("/thresholds/fire_tile", "nan", "0.001", "0.999", "inf"),
    ("/thresholds/evidence", "0.0", "0.1", "60.0", "61.0"),
    ("/thresholds/memory", "29s", "30s", "10min", "11min"),
    ("/thresholds/hysteresis", "0.0", "0.01", "1.0", "1.1"),
    ("/thresholds/cooldown", "-1s", "0s", "24h", "25h"),
    ("/thresholds/area_min", "-0.1", "0.0", "1.0", "1.1"),
    ("/thresholds/area_max", "-0.1", "0.0", "1.0", "100"),
    ("/policy/version", "-1", "0", "4294967295", "4294967296"),
    ("/policy/acknowledge_within", "-5min", "1s", "168h", "169h"),
    ("/policy/arrive_within", "0s", "1s", "168h", "169h"),
    ("/policy/report_within", "0s", "1s", "168h", "169h"),
    ("/policy/fuse_window", "0s", "1s", "168h", "169h"),
    ("/policy/arrival_radius_m", "49.0", "50.0", "5000.0", "5001.0"),
    ("/policy/position_age_max", "0s", "1s", "168h", "169h"),
    ("/policy/intent_hold", "0s", "1s", "1h", "2h"),
    ("/policy/intent_max", "0s", "1s", "1h", "2h"),
    ("/policy/quiet_after", "-1s", "0s", "168h", "169h"),
    ("/policy/flood_per_minute", "0", "1", "1000", "1001"),
    ("/policy/review/auto_score", "-1.0", "0.0", "100.0", "100.1"),
    ("/policy/review/alarm_after", "0s", "1s", "168h", "169h"),
    ("/policy/review/camera/officer_then_auto/after", "0s", "1s", "1h", "2h"),
    ("/policy/review/satellite/officer_then_auto/after", "0s", "1s", "1h", "2h"),
    ("/policy/review/person/officer_then_auto/after", "0s", "1s", "1h", "2h"),
    ("/policy/review/system/officer_then_auto/after", "0s", "1s", "1h", "2h"),
    ("/policy/labelled/digest_after", "0s", "1s", "168h", "169h"),
    ("/policy/border/tell_from", "-0.1", "0.0", "0.5", "0.6"),
    ("/policy/border/equal_from", "0.4", "0.5", "1.0", "1.1"),
    ("/policy/chase/again", "0s", "1s", "168h", "169h"),
    ("/policy/chase/review_report_within", "0s", "1s", "168h", "169h"),
    ("/policy/chase/supplement_within", "0s", "1s", "168h", "169h"),
    ("/policy/chase/relocation_within", "0s", "1s", "168h", "169h"),
    ("/policy/chase/answer_holds", "0s", "1s", "168h", "169h"),
    ("/policy/ladder/0/after", "-1min", "0s", "168h", "169h"),
    ("/policy/chase/rounds/0/after", "-1min", "0s", "168h", "169h"),
];

/// A file that sets nothing else. Durations stand in quotes.
fn file(pointer: &str, value: &str) -> String {
    let value =
        if value.parse::<f64>().is_ok() { value.to_owned() } else { format!("\"{value}\"") };
    match pointer {
        "/policy/ladder/0/after" => format!(
            "[[policy.ladder]]\nafter = {value}\nunless = \"acknowledged\"\ntell = \
            [\"ranger\"]\nchannel = \"voice\"\n"
        ),
        "/policy/chase/rounds/0/after" => {
            format!(
                "[[policy.chase.rounds]]\nafter = {value}\ntell = [\"county_duty\"]\nchannel = \
                \"voice\"\n"
            )
        }
        _ => {
            let (section, key) = pointer[1..].rsplit_once('/').expect("a section and a key");
            format!("[{}]\n{key} = {value}\n", section.replace('/', "."))
        }
    }
}

fn key(pointer: &str) -> &str {
    pointer.rsplit('/').next().expect("a key")
}

/// Seconds or a number, so that values can be compared.
fn size(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse::<SignedDuration>().expect("a duration").as_secs_f64(),
        number => number.as_f64().expect("a number"),
    }
}

fn size_of(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| size(&text.into()))
}

/// Two settings that contradict each other are refused, too, and say which.
fn is_of_two(message: &str) -> bool {
    message.contains("raise the first or lower the second")
        || message.contains("or no alarm is ever raised")
}

#[test]
fn what_is_out_of_range_is_refused_with_key_value_range_and_example() {
    for (pointer, below, first, last, above) in SETTINGS {
        for wrong in [below, above] {
            let error = Config::parse(&file(pointer, wrong)).expect_err(pointer);
            assert!(error.message.contains(key(pointer)), "{pointer}: {}", error.message);
            let words = error.words().expect("in both languages");
            // A whole number below zero is none; the file's reader says so and shows the line.
            if words.en.contains("out of range") {
                assert!(
                    words.zh.contains("超出范围") && words.zh.contains("例如"),
                    "{pointer}: {}",
                    words.zh
                );
                let told: BTreeSet<String> = words
                    .en
                    .split_whitespace()
                    .map(|it| it.trim_matches([',', '"']).to_owned())
                    .collect();
                for end in [first, last] {
                    let is_end = |it: &String| {
                        it.parse::<f64>()
                            .is_ok_and(|it| it == size_of(end) || it as f32 == size_of(end) as f32)
                            || it
                                .parse::<SignedDuration>()
                                .is_ok_and(|it| it.as_secs_f64() == size_of(end))
                    };
                    assert!(told.iter().any(is_end), "{pointer}, {end}: {}", words.en);
                }
            } else {
                assert!(
                    words.en.contains("invalid value") || words.en.contains("\"auto\" or a number"),
                    "{pointer} = {wrong}: {}",
                    words.en
                );
            }
        }
        for end in [first, last] {
            match Config::parse(&file(pointer, end)) {
                Ok(config) => assert_eq!(set(&config, pointer), size_of(end), "{pointer}"),
                Err(e) => assert!(is_of_two(&e.message), "{pointer} = {end}: {}", e.message),
            }
        }
    }
}

fn set(config: &Config, pointer: &str) -> f64 {
    let config = serde_json::to_value(config).expect("a configuration is JSON");
    let read = size(config.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is no setting")));
    // The thresholds are single precision.
    if pointer.starts_with("/thresholds") {
        format!("{}", read as f32).parse().expect("a number")
    } else {
        read
    }
}

#[test]
fn no_setting_is_without_a_range() {
    fn walk(at: &Value, path: &str, found: &mut BTreeSet<String>) {
        match at {
            Value::Object(inner) => {
                inner.iter().for_each(|(name, it)| walk(it, &format!("{path}/{name}"), found))
            }
            // The entries of a list are alike.
            Value::Array(inner) => {
                inner.iter().take(1).for_each(|it| walk(it, &format!("{path}/0"), found))
            }
            Value::Number(_) => _ = found.insert(path.to_owned()),
            Value::String(text)
                if text.starts_with('P') && text.parse::<SignedDuration>().is_ok() =>
            {
                found.insert(path.to_owned());
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(&serde_json::to_value(Config::default()).expect("JSON"), "", &mut found);
    let ranged: BTreeSet<String> = SETTINGS.iter().map(|it| it.0.to_owned()).collect();
    let without: Vec<&String> = found.difference(&ranged).collect();
    assert!(found.len() > 50 && without.is_empty(), "{without:?}");
}

#[test]
fn what_makes_a_county_blind_or_deaf_does_not_start() {
    for (text, zh) in [
        (
            "[thresholds]\nsmoke = 7.0\n",
            "[thresholds] smoke = 7.0 超出范围：应在 0.001 到 0.999 之间，例如 0.5",
        ),
        (
            "[policy]\nacknowledge_within = \"-5min\"\n",
            "[policy] acknowledge_within = \"-5m\" 超出范围：应在 \"1s\" 到 \"168h\" 之间，例如 \
            \"10m\"",
        ),
        (
            "[satellite]\nfolder_every = \"0s\"\n",
            "[satellite] folder_every = \"0s\" 超出范围：应在 \"50ms\" 到 \"1h\" 之间，例如 \"1s\"",
        ),
    ] {
        let error = Config::parse(text).expect_err(text);
        assert_eq!(error.chain_in(Lang::Zh), zh);
        assert!(
            error.chain_in(Lang::En).contains("is out of range: it must lie between"),
            "{}",
            error.chain_in(Lang::En)
        );
    }
    let error =
        Config::parse("[thresholds]\nwindow = 100000\n").expect_err("frames are not counted");
    assert!(
        error.chain_in(Lang::Zh).contains("window 已取消")
            && error.chain_in(Lang::En).contains("no longer exists")
    );
    let nobody = "[[policy.chase.rounds]]\nafter = \"0s\"\ntell = []\nchannel = \"voice\"\n";
    assert!(
        Config::parse(nobody)
            .expect_err("nobody")
            .message
            .contains("chase.rounds 1: tell is empty")
    );
    let many = "[[policy.ladder]]\nafter = \"1min\"\nunless = \"arrived\"\ntell = \
        [\"ranger\"]\nchannel = \"sms\"\n"
        .repeat(21);
    assert!(Config::parse(&many).expect_err("too many").message.contains("between 0 and 20"));
}

fn any_value() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|it| it.to_string()),
        (-2i64..100).prop_map(|it| it.to_string()),
        any::<f64>().prop_map(|it| format!("{it:?}")),
        (-0.5f64..2.0).prop_map(|it| format!("{it:?}")),
        select(vec!["nan", "inf", "-inf", "0.0", "-0.0", "1e300", "1e-300"])
            .prop_map(str::to_owned),
    ];
    let unit = select(vec!["ms", "s", "min", "h", "d", "ns"]);
    let duration = prop_oneof![
        (any::<i64>(), unit.clone()).prop_map(|(n, unit)| format!("{n}{unit}")),
        (-2i64..2000, unit).prop_map(|(n, unit)| format!("{n}{unit}")),
        (0u32..100_000).prop_map(|n| format!("PT{n}S")),
    ];
    prop_oneof![number, duration]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_refused_by_its_name_or_lies_in_its_range(setting in select(SETTINGS.to_vec()), value in any_value()) {
        let (pointer, _, first, last, _) = setting;
        match Config::parse(&file(pointer, &value)) {
            Err(e) => prop_assert!(e.message.contains(key(pointer)), "{pointer} = {value}: {}", e.message),
            Ok(config) => {
                let set = set(&config, pointer);
                prop_assert!((size_of(first)..=size_of(last)).contains(&set), "{pointer} = \
                    {value}: {set}");
            }
        }
    }
}
