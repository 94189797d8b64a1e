use super::*;
use jiff::SignedDuration;
use proptest::prelude::*;

fn time(hour: i64) -> Timestamp {
    "2026-11-21T00:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(hour)
}

fn entry(key: &str, name: &str) -> Entry {
    let value = serde_json::json!({"id": key, "name": name});
    Entry::of(key, value)
}

fn change(number: u64, hour: i64, facts: Vec<Fact>) -> Change {
    Change {
        number,
        at: time(hour),
        by: Author::Account("office".to_owned()),
        why: String::new(),
        facts,
    }
}

fn named(entries: &Entries) -> Vec<(String, String)> {
    let name = |entry: &Entry| {
        (entry.key.clone(), entry.value["name"].as_str().unwrap_or_default().to_owned())
    };
    entries.of(Register::People).iter().map(name).collect()
}

#[test]
fn a_day_keeps_its_names_and_a_correction_of_the_past_corrects_it() {
    let mut history = History::default();
    history.push(change(1, 0, vec![Fact::set(Register::People, entry("r1", "张三"))]));
    history.push(change(2, 24, vec![Fact::set(Register::People, entry("r1", "李四"))]));
    // On the third day it is found that 王五 had been in charge since noon of the first.
    let late = Fact {
        valid_from: Some(time(12)),
        valid_until: Some(time(24)),
        ..Fact::set(Register::People, entry("r1", "王五"))
    };
    history.push(change(3, 48, vec![late]));
    let who = |hour| named(&history.at(time(hour))).pop().map(|(_, name)| name).unwrap_or_default();
    assert_eq!(
        [-1, 0, 11, 12, 23, 24, 100].map(who),
        ["", "张三", "张三", "王五", "王五", "李四", "李四"]
    );
    assert_eq!(named(&history.known(2, time(12)))[0].1, "张三", "as it was believed before");
    for hour in -1..50 {
        let alone = history.entry(Register::People, "r1", time(hour));
        let among = history.at(time(hour));
        assert_eq!(alone, among.get(Register::People, "r1").map(|it| &it.value), "{hour} h");
    }
    assert_eq!(history.next_turn(time(0)), Some(time(12)));
    assert_eq!(history.next_turn(time(24)), None);
}

#[test]
fn a_correction_that_is_taken_back_leaves_the_stand_in_until_friday() {
    let mut history = History::default();
    history.push(change(1, 0, vec![Fact::set(Register::People, entry("r1", "张三"))]));
    let stand_in = Fact {
        valid_until: Some(time(96)),
        ..Fact::set(Register::People, entry("r1", "代班人"))
    };
    history.push(change(2, 1, vec![stand_in]));
    history.push(change(3, 2, vec![Fact::set(Register::People, entry("r1", "写错的人"))]));
    let back = history.reversed(3, time(3)).expect("nothing is newer");
    history.push(change(4, 3, back));
    let who = |hour| named(&history.at(time(hour))).pop().map(|(_, name)| name).unwrap_or_default();
    assert_eq!(
        [1, 2, 3, 95, 96, 1_000].map(who),
        ["代班人", "写错的人", "代班人", "代班人", "张三", "张三"]
    );
}

#[test]
fn what_waits_for_its_day_is_said_once_and_can_be_taken_back() {
    let mut history = History::default();
    history.push(change(1, 0, vec![Fact::set(Register::People, entry("r1", "张三"))]));
    let named = |name: &str, from: Option<i64>, until: Option<i64>| {
        let valid = Validity { from: from.map(time), until: until.map(time) };
        Fact::set(Register::People, Entry { valid, ..entry("r1", name) })
    };
    let ahead = || vec![named("接班人", Some(100), None), named("代班人", Some(20), Some(30))];
    history.push(change(2, 1, history.news(ahead(), time(1))));
    let who = |history: &History, hour| match history.entry(Register::People, "r1", time(hour)) {
        Some(value) => value["name"].as_str().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let seen = |history: &History| [1, 20, 30, 100].map(|hour| who(history, hour));
    let plan = ["张三", "代班人", "张三", "接班人"];
    assert_eq!(seen(&history), plan);
    for hour in 0..120 {
        let turn = history.last_turn(time(hour));
        assert_eq!(history.at(turn), history.at(time(hour)), "nothing happens between turns");
    }
    assert_eq!(history.news(ahead(), time(2)), [], "said again, it is no news");
    assert_eq!(history.news(ahead(), time(25)), [], "nor once it has begun");
    assert_eq!(history.news(vec![named("接班人", Some(101), None)], time(2)).len(), 1);

    // A correction that comes with the plan is no word against it.
    let mut corrected = history.clone();
    let facts = [vec![named("张三丰", None, None)], ahead()].concat();
    corrected.push(change(3, 3, history.news(facts, time(3))));
    assert_eq!(seen(&corrected), ["张三", "代班人", "张三丰", "接班人"]);

    let back = history.reversed(2, time(4)).expect("nothing is newer");
    history.push(change(3, 4, history.news(back, time(4))));
    assert_eq!(seen(&history), ["张三"; 4]);
}

#[test]
fn what_a_change_does_is_read_cell_by_cell() {
    let mut before = Entries::default();
    before.push(Register::Cameras, entry("c1", "东山"));
    let square = |size: f64| serde_json::json!({"type": "Polygon", "coordinates": [[[110.0, 28.0], [size, 28.0], [110.0, 28.1]]]});
    let grid = |size: f64| {
        let value = serde_json::json!({"type": "Feature", "properties": {"code": "g1"}, "geometry": square(size)});
        Entry::of("g1", value)
    };
    before.push(Register::Grids, grid(110.1));
    let secret = Entry {
        secrets: BTreeMap::from([("url".to_owned(), "rtsp://a:geheim@h/1".to_owned())]),
        ..entry("c1", "东山")
    };
    let facts = [
        Fact::set(Register::Cameras, secret),
        Fact::set(Register::Grids, grid(110.2)),
        Fact::set(Register::People, entry("r1", "张三")),
        Fact::removed(Register::Burns, "gone long ago".to_owned()),
    ];
    let diff = Diff::of(&before, &facts);
    assert_eq!((diff.added, diff.removed), (vec!["r1".to_owned()], vec![]));
    let cells: Vec<_> =
        diff.changed.iter().map(|it| (it.key.as_str(), it.cells[0].column.as_str())).collect();
    assert_eq!(cells, [("c1", "url"), ("g1", "geometry")]);
    assert!(!format!("{:?}", diff.changed).contains("geheim"));
}

/// A few people who come, change their names and go.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let fact = ("r[1-4]", proptest::option::of("[a-c]")).prop_map(|(key, name)| match name {
        Some(name) => Fact::set(Register::People, entry(&key, &name)),
        None => Fact::removed(Register::People, key),
    });
    proptest::collection::vec(fact, 0..6)
}

proptest! {
    /// Whichever version of the register somebody has open: saving it as it is changes nothing, and
    /// what is edited in the newest one is the edit, if only the file was ever edited.
    #[test]
    fn a_saved_file_is_an_edit_of_the_version_it_was_opened_at(changes in proptest::collection::vec(facts(), 1..6), opened in 0_u64..6, names in proptest::collection::btree_map("r[1-6]", "[a-c]", 0..5)) {
        let (mut elsewhere, mut itself) = (History::default(), History::default());
        for (number, facts) in (1..).zip(changes) {
            let by = Author::File("people.csv".to_owned());
            itself.push(Change { by, ..change(number, number as i64, facts.clone()) });
            elsewhere.push(change(number, number as i64, facts));
        }
        let now = time(1_000);
        let held = Version { change: elsewhere.number(), at: now };
        let edited = |rows: &[Entry], history: &History| {
            let file = Edited { register: Register::People, rows, dated: &[], is_whole: true, held, is_untouched: false };
            merge(history, &file, now)
        };
        let old = elsewhere.version(Register::People, Version { change: opened, at: now });
        let merged = edited(&old, &elsewhere);
        prop_assert!(merged.facts.is_empty() && merged.contested.is_empty(), "{merged:?}");
        let is_current = elsewhere.at(now).toward(Register::People, &old, true).is_empty();
        prop_assert_eq!(merged.outdated.is_empty(), is_current);

        let wanted: Vec<Entry> = names.iter().map(|(key, name)| entry(key, name)).collect();
        let merged = edited(&wanted, &itself);
        prop_assert!(merged.outdated.is_empty() && merged.contested.is_empty(), "{merged:?}");
        itself.push(change(itself.number() + 1, 999, merged.facts));
        prop_assert!(itself.at(now).toward(Register::People, &wanted, true).is_empty());
    }

    /// Whatever was registered: the sheet that an office brings with "replace" is what the register
    /// then says, and taking that change back gives what there was.
    #[test]
    fn a_sheet_is_taken_whole_and_can_be_taken_back(changes in proptest::collection::vec(facts(), 0..5), names in proptest::collection::btree_map("r[1-6]", "[a-c]", 0..5)) {
        let mut history = History::default();
        for (number, facts) in (1..).zip(changes) {
            history.push(change(number, number as i64, facts));
        }
        let now = time(1_000);
        let before = history.at(now);
        let wanted: Vec<Entry> = names.iter().map(|(key, name)| entry(key, name)).collect();
        let facts = before.toward(Register::People, &wanted, true);
        let diff = Diff::of(&before, &facts);
        let changed = diff.added.len() + diff.changed.len() + diff.removed.len();
        prop_assert_eq!(changed, facts.len(), "every fact is shown");
        let number = history.number() + 1;
        history.push(change(number, 999, facts));
        let mut after = named(&history.at(now));
        after.sort();
        prop_assert_eq!(after, names.into_iter().collect::<Vec<_>>());
        prop_assert!(history.at(now).toward(Register::People, &wanted, true).is_empty());

        let back = history.reversed(number, time(1_000)).expect("nothing is newer");
        history.push(change(number + 1, 999, back));
        let (mut was, mut is) = (named(&before), named(&history.at(now)));
        was.sort();
        is.sort();
        prop_assert_eq!(is, was);
    }
}
