//! The documented sample describes the program.

use huoyan::config::{Config, SAMPLE, Secret};
use huoyan::lang::Lang;
use serde_json::Value;

#[test]
fn the_sample_is_the_default() {
    let sample = Config::parse(SAMPLE).expect("the sample is valid");
    assert_eq!(json(&sample), json(&Config::default()));
}

fn json(config: &Config) -> Value {
    serde_json::to_value(config).expect("a configuration is JSON")
}

/// The sample has every key of every section; keys without a default stand in comments.
#[test]
fn the_sample_shows_every_key() {
    let Value::Object(sections) = json(&Config::default()) else { panic!("sections") };
    let mut missing = Vec::new();
    let mut look = |section: &str, values: &Value| {
        let text = SAMPLE.split(&format!("\n[{section}]")).nth(1).unwrap_or_default();
        let text = text.split("\n[").next().unwrap_or_default();
        for (key, value) in values.as_object().into_iter().flatten() {
            let here = text
                .lines()
                .any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} =")));
            let elsewhere = SAMPLE.contains(&format!("\n[{section}.{key}]"))
                || SAMPLE.contains(&format!("[[{section}.{key}]]"));
            if !here && !elsewhere {
                missing.push(format!("[{section}] {key} = {value}"));
            }
        }
    };
    for (section, values) in &sections {
        look(section, values);
    }
    look("policy.review", &sections["policy"]["review"]);
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_line_that_is_shown_commented_out_is_valid_too() {
    let uncommented: String = SAMPLE
        .lines()
        .map(|line| {
            match line
                .strip_prefix("# ")
                .filter(|rest| rest.split(" = \"").next().is_some_and(|key| key.ends_with("_url")))
            {
                Some(setting) => format!("{setting}\n"),
                None => format!("{line}\n"),
            }
        })
        .collect();
    let config = Config::parse(&uncommented).expect("valid");
    assert!(
        config.server.public_url.is_some()
            && config.notify.sms_url.is_some()
            && config.notify.wecom_url.is_some()
    );
}

#[test]
fn the_packages_settings_are_valid_as_they_come_and_with_every_line_taken_in() {
    let shipped = include_str!("../../packaging/huoyan.toml");
    let config = Config::parse(shipped).expect("valid as it comes");
    assert_eq!(
        config.store.data,
        std::path::Path::new("/var/lib/huoyan"),
        "the service's state folder"
    );
    assert!(config.server.refusal().is_none(), "it starts before anybody has a certificate");
    let is_setting = |line: &str| {
        line.split(" = ").next().is_some_and(|key| !key.contains(' ')) && line.contains(" = ")
    };
    let taken_in: Vec<&str> = shipped
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|it| is_setting(it)).unwrap_or(line))
        .collect();
    let config = Config::parse(&taken_in.join("\n")).expect("valid with every line");
    assert!(config.server.certificate.is_some() && config.backup.folder.is_some(), "{taken_in:?}");
    assert!(config.server.refusal().is_none() && config.is_https());
}

#[test]
fn what_comes_with_the_program_is_found_from_any_folder_and_what_an_office_names_stays_there() {
    let mut config = Config::parse("[detect]\nmodel = \"/srv/models/own\"\n").expect("valid");
    config.at_home(std::path::Path::new("/usr/lib/huoyan"));
    let shown = |path: &std::path::Path| path.display().to_string();
    assert_eq!(shown(&config.detect.model), "/srv/models/own");
    assert_eq!(shown(&config.detect.onnxruntime), "/usr/lib/huoyan/.huoyan/lib/libonnxruntime.so");
    assert_eq!(shown(&config.camera.pipelines), "/usr/lib/huoyan/pipelines");
    assert_eq!(config.store.data, Config::default().store.data, "data are the office's");
}

#[test]
fn what_cannot_work_is_refused_with_its_place() {
    for (text, word) in [
        ("[server]\nlistn = \"127.0.0.1:1\"\n", "listn"),
        ("[server]\ntrusted_proxy = [\"proxy.local\"]\n", "trusted_proxy"),
        ("[server]\ntrusted_proxy = [\"0.0.0.0\"]\n", "trusted_proxy"),
        ("[server]\npublic_url = \"huoyan.county.example\"\n", "scheme, name and port"),
        (
            "[server]\npublic_url = \"https://h.example\"\ncertificate = \"c.pem\"\n",
            "belong together",
        ),
        ("[server]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n", "public_url"),
        (
            "[server]\npublic_url = \"http://h.example\"\ncertificate = \"c.pem\"\nkey = \
            \"k.pem\"\n",
            "https",
        ),
        ("[server]\nplain_http = \"everywhere\"\n", "plain_http"),
        ("[server]\nranger_link_life = \"1s\"\n", "ranger_link_life"),
        ("[camera]\ncadence = \"0s\"\n", "cadence"),
        ("[camera]\ncadence = 10\n", "cadence"),
        ("[policy]\narrive_within = \"5min\"\n", "arrive_within"),
        ("[thresholds]\nneeded = 3\n", "evidence is summed over time"),
        ("[thresholds]\nsmoke = 0.9\nwindow = 5\n", "window no longer exists"),
        ("[thresholds]\nevidence = 0.0\n", "[thresholds] evidence"),
        ("[thresholds]\nevidence = 12.0\n", "or no alarm is ever raised"),
        ("[thresholds]\nmemory = \"29s\"\n", "[thresholds] memory"),
        ("[thresholds]\nmemory = \"11min\"\n", "[thresholds] memory"),
        ("[thresholds]\nsmoke_tile = 1.5\n", "smoke_tile"),
        ("[backup]\nevery = \"1s\"\n", "[backup] every"),
        ("[backup]\nkeep = 0\n", "[backup] keep"),
        ("[notify]\nanswer_within = \"0s\"\n", "[notify] answer_within"),
        ("[notify]\nanswer_within = \"121s\"\n", "[notify] answer_within"),
        ("[retention]\nfires_days = 10\n", "fires_days"),
        ("[retention]\nfalse_alarms_days = 6\n", "false_alarms_days"),
        ("[retention]\nunclaimed_days = 0\n", "unclaimed_days"),
        ("[retention]\nhotspots_days = 29\n", "hotspots_days"),
        ("[satellite]\nstale_after = \"9999h\"\n", "stale_after"),
        ("[retention]\nanalyses_days = 0\n", "analyses_days"),
        ("[disk]\nreserve_gib = 0.1\n", "reserve_gib"),
        ("[disk]\nwarn_gib = 1.0\n", "warn_gib"),
        ("[disk]\nwarn_gib = nan\n", "warn_gib"),
        ("[disk]\nanalyses_max_gib = 0.0\n", "analyses_max_gib"),
        ("[bus]\nurl = \"10.0.0.2:4222\"\n", "[bus] url"),
        ("[bus]\nurl = \"nats://edge:secret@10.0.0.2\"\n", "HUOYAN_NATS_PASSWORD"),
        ("[bus]\ncounty = \"沅陵\"\n", "[bus] county"),
        ("[edge]\nname = \"edge.1\"\n", "[edge] name"),
        ("[edge]\nspool_max_gib = 0.0\n", "spool_max_gib"),
        ("[detect]\nworkers = 0\n", "workers"),
        ("[detect]\nbatch = 0\n", "between 1 and 16"),
        ("[detect]\nbatch = 17\n", "between 1 and 16"),
        ("[detect]\nbatch = \"many\"\n", "\"auto\" or a number"),
        ("[detect]\ntiles = 4\n", "between 0 and 3"),
    ] {
        let message = Config::parse(text).expect_err(text).message;
        assert!(message.contains(word), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

/// A centre with these files of counties.
fn centre(counties: &[(&str, &str)]) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("huoyan.toml");
    let own = "[server]\npublic_url = \"https://fire.example\"\n[bus]\nurl = \"nats://n:4222\"\n\
        [centre]\ncounties = \"counties\"\n";
    std::fs::write(&file, own).expect("written");
    std::fs::create_dir(folder.path().join("counties")).expect("a folder");
    for (name, text) in counties {
        std::fs::write(folder.path().join("counties").join(name), text).expect("written");
    }
    let config = Config::load(Some(&file)).expect("valid");
    (folder, config)
}

#[test]
fn a_county_of_a_centre_is_complete_and_takes_over_only_what_is_shared() {
    let own = "[server]\npublic_url = \"https://yuanling.fire.example\"\n[secrets]\nsms_key = \
        \"sms.key\"\n[policy]\nflood_per_minute = 9\n";
    let (folder, centre) = centre(&[
        ("yuanling.toml", own),
        (
            "431222.toml",
            "[server]\npublic_url = \"https://b.fire.example\"\n[store]\nschema = \"public\"\ndata = \"/srv/b\"\n",
        ),
        ("notes.txt", "not a county"),
    ]);
    let listed = centre.counties().expect("readable");
    let codes: Vec<_> = listed.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["431222", "yuanling"]);
    let [old, new] = listed.try_into().ok().expect("two");
    let (old, new) = (old.config.expect("valid"), new.config.expect("valid"));
    assert_eq!((new.bus.county.as_str(), new.bus.url.as_str()), ("yuanling", "nats://n:4222"));
    assert_eq!(new.store.schema.as_deref(), Some("yuanling"));
    assert_eq!(new.store.data, centre.store.data.join("yuanling"));
    assert_eq!((new.policy.flood_per_minute, old.policy.flood_per_minute), (9, 5));
    let key = folder.path().join("counties/sms.key");
    assert_eq!(new.secrets.sms_key.as_ref(), Some(&key), "beside the county's file");
    assert_eq!(old.store.schema.as_deref(), Some("public"), "what was there before moves nowhere");
    assert_eq!(old.store.data, std::path::Path::new("/srv/b"));
    assert_eq!(centre.store.schema.as_deref(), Some("centre"));

    assert!(new.secret(Secret::SmsKey).is_err(), "a file that is named must be there");
    std::fs::write(&key, "of yuanling\n").expect("written");
    assert_eq!(new.secret(Secret::SmsKey).expect("read").as_deref(), Some("of yuanling"));
    assert_eq!(old.secret(Secret::SmsKey).expect("none"), None);
    assert_eq!(new.variable("HUOYAN_SMS_KEY"), "HUOYAN_SMS_KEY_YUANLING");
    assert_eq!(centre.variable("HUOYAN_SMS_KEY"), "HUOYAN_SMS_KEY");
}

#[test]
fn a_county_that_cannot_be_is_named_with_what_to_do() {
    let named = |host: &str| format!("[server]\npublic_url = \"https://{host}.fire.example\"\n");
    let (_folder, centre) = centre(&[
        ("a.toml", &named("a")),
        ("b.toml", &named("A")),
        ("c.toml", &format!("{}[store]\nschema = \"a\"\n", named("c"))),
        ("centre.toml", &named("d")),
        ("d.toml", "[policy]\nversion = 2\n"),
        ("e.toml", &format!("{}[camera]\ncadence = \"5s\"\n", named("e"))),
        ("f.toml", &format!("{}[bus]\nurl = \"nats://m:4222\"\n", named("f"))),
        ("g.toml", "[server"),
        ("h.toml", &format!("{}[store]\nschema = \"pg_catalog\"\n", named("h"))),
        ("Yuan ling.toml", &named("y")),
    ]);
    let why = |code: &str| {
        let listed = centre.counties().expect("the folder is readable");
        let found = listed.into_iter().find(|it| it.code == code).expect("listed");
        found.config.err().map(|e| e.chain_in(Lang::En)).unwrap_or_default()
    };
    for (code, words) in [
        ("a", ""),
        ("b", "public_url \"a.fire.example\" is a's already"),
        ("c", "schema \"a\" is a's already"),
        ("centre", "the centre's own code"),
        ("d", "public_url is missing"),
        ("e", "[camera] does not belong"),
        ("f", "[bus] url does not belong"),
        ("g", "it cannot be read"),
        ("h", "none of PostgreSQL's own"),
        ("Yuan ling", "1 to 40 of a-z, 0-9 and -"),
    ] {
        let said = why(code);
        assert_eq!((said.is_empty(), said.contains(words)), (words.is_empty(), true), "{said}");
    }
    let own = "[centre]\ncounties = \"counties\"\n[policy]\nversion = 2\n";
    let refused = Config::parse(own).expect_err("a county's");
    assert!(refused.chain_in(Lang::En).contains("[policy] does not belong here"));
}
