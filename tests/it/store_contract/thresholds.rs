//! Published thresholds, also those of older versions.

use super::*;

pub async fn thresholds_are_published_one_after_the_other(t: TestStore) {
    assert_eq!(t.store.thresholds().await.unwrap(), None);
    let edited = Thresholds::default().with(|it| it.smoke = 0.61).expect("valid");
    let published =
        t.store.publish_thresholds(&edited, &"ops".into(), "fog on yl-01", at(0)).await.unwrap();
    assert_eq!((published.version, published.smoke), (2, 0.61));
    let late =
        t.store.publish_thresholds(&edited, &"other".into(), "at the same time", at(0)).await;
    assert_eq!(late.unwrap_err().kind, Kind::Conflict);
    t.store.publish_thresholds(&published, &"ops".into(), "clear again", at(9)).await.unwrap();
    assert_eq!(t.store.thresholds().await.unwrap().unwrap().version, 3);
    let history = t.store.threshold_history().await.unwrap();
    assert_eq!(
        history.iter().map(|p| p.reason.as_str()).collect::<Vec<_>>(),
        ["fog on yl-01", "clear again"]
    );
    assert!(history.iter().all(|published| !published.counted_frames));
}

/// An office that had published k of n frames over .937 gets thresholds that alarm at least where
/// those did.
pub async fn thresholds_that_counted_frames_are_read_as_evidence(t: TestStore) {
    t.execute(
        "INSERT INTO thresholds (version, body, by_person, at_us, reason) VALUES (7, \
         '{\"version\":7,\"smoke\":0.937,\"fire\":0.881,\"needed\":2,\"window\":3,\"hysteresis\":0.7,\"cooldown\":\"PT5M\",\"area_min\":0.001,\"area_max\":0.5}', \
         'ops', 0, 'fog on yl-01')",
    )
    .await;
    let in_force = t.store.thresholds().await.unwrap().expect("published");
    let rest = Numbers {
        version: 7,
        hysteresis: 0.7,
        cooldown: SignedDuration::from_mins(5),
        area_min: 0.001,
        area_max: 0.5,
        ..Numbers::default()
    };
    let rest = Thresholds::try_from(rest).expect("valid");
    assert_eq!(in_force, rest.with_levels(0.937, 0.881));
    assert!(
        in_force.lasting(Class::Smoke, None) < 0.937 && in_force.lasting(Class::Fire, None) < 0.881
    );
    assert!(
        t.store.threshold_history().await.unwrap()[0].counted_frames,
        "and the ops page says so"
    );
    let next =
        t.store.publish_thresholds(&in_force, &"ops".into(), "seen and kept", at(0)).await.unwrap();
    assert_eq!(t.store.thresholds().await.unwrap(), Some(next));
    assert_eq!(t.store.unreadable_rows(), Vec::<String>::new());
}

/// smoke = 7.0 makes every camera deaf: an earlier version took it. The program starts with the
/// numbers before it, says so, and takes the next ones.
pub async fn thresholds_that_an_older_version_accepted_are_set_aside_with_words(t: TestStore) {
    let deaf = |version: u32| {
        format!(
            "INSERT INTO thresholds (version, body, by_person, at_us, reason) VALUES ({version}, \
             '{{\"version\":{version},\"smoke\":7.0,\"evidence\":3.4}}', 'ops', 0, 'a typing \
             error')"
        )
    };
    t.execute(&deaf(2)).await;
    assert_eq!(t.store.thresholds().await.unwrap(), None, "those of the configuration apply");
    let words = t.store.thresholds_set_aside().await.unwrap().expect("it says so");
    assert!(
        words.zh.contains("第2版报警阈值不能用") && words.zh.contains("现用配置或模型的阈值"),
        "{}",
        words.zh
    );
    let published = t
        .store
        .publish_thresholds(&Thresholds::default(), &"ops".into(), "corrected", at(0))
        .await
        .unwrap();
    assert_eq!(published.version, 3, "its number is taken");
    assert_eq!(t.store.thresholds_set_aside().await.unwrap(), None);
    t.execute(&deaf(4)).await;
    assert_eq!(t.store.thresholds().await.unwrap(), Some(published.clone()));
    let words = t.store.thresholds_set_aside().await.unwrap().expect("it says so");
    assert!(
        words.en.contains("version 4 of the published thresholds cannot be used")
            && words.en.contains("in force: version 3"),
        "{}",
        words.en
    );
    assert_eq!(
        t.store
            .publish_thresholds(&published, &"ops".into(), "again", at(1))
            .await
            .unwrap()
            .version,
        5
    );
    let late = t.store.publish_thresholds(&published, &"other".into(), "too late", at(2)).await;
    assert_eq!(late.unwrap_err().kind, Kind::Conflict);
    assert_eq!(
        t.store.unreadable_rows(),
        ["thresholds 2", "thresholds 4"],
        "and the board counts them"
    );
}
