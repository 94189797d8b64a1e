use super::*;
use proptest::prelude::*;

/// An address, its masked form, and the readings of its login.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

#[test]
fn addresses_as_people_write_them() {
    let cases: &[Case] = &[
        ("rtsp://h/s", "rtsp://h/s", &[]),
        ("rtsp://admin:s3cret@h:554/s", "rtsp://h:554/s", &[("admin", "s3cret")]),
        ("RTSP://admin:s3cret@10.1.2.3/s", "RTSP://10.1.2.3/s", &[("admin", "s3cret")]),
        ("  rtsp://admin:s3cret@10.1.2.3/s ", "rtsp://10.1.2.3/s", &[("admin", "s3cret")]),
        // Encoded: the login as written first, then decoded.
        ("rtsp://admin:a%40b@h/s", "rtsp://h/s", &[("admin", "a%40b"), ("admin", "a@b")]),
        (
            "rtsp://admin:p%23a%40s%2Fs%3A%2541w@127.0.0.1:29554/auth-both",
            "rtsp://127.0.0.1:29554/auth-both",
            &[("admin", "p%23a%40s%2Fs%3A%2541w"), ("admin", "p#a@s/s:%41w")],
        ),
        // Raw: every character that can end a host occurs in some password.
        ("rtsp://admin:a@b@h/s", "rtsp://h/s", &[("admin", "a@b")]),
        ("rtsp://admin:a/b@h/s", "rtsp://h/s", &[("admin", "a/b")]),
        ("rtsp://admin:12/34@10.1.2.3/s", "rtsp://10.1.2.3/s", &[("admin", "12/34")]),
        (
            "rtsp://admin:p#a@s/s:%41w@127.0.0.1:29554/auth-dahua",
            "rtsp://127.0.0.1:29554/auth-dahua",
            &[("admin", "p#a@s/s:%41w"), ("admin", "p#a@s/s:Aw")],
        ),
        (
            "http://admin:p#ss@127.0.0.1:9/snap.jpg",
            "http://127.0.0.1:9/snap.jpg",
            &[("admin", "p#ss")],
        ),
        (
            "http://admin:p/ss@127.0.0.1:9/snap.jpg",
            "http://127.0.0.1:9/snap.jpg",
            &[("admin", "p/ss")],
        ),
        (
            "http://admin:p?ss@127.0.0.1:9/snap.jpg",
            "http://127.0.0.1:9/snap.jpg",
            &[("admin", "p?ss")],
        ),
        ("rtsp://a:b:c@[fe80::1]:554/s", "rtsp://[fe80::1]:554/s", &[("a", "b:c")]),
        ("rtsp://:s3cret@h/s", "rtsp://h/s", &[("", "s3cret")]),
        ("rtsp://admin:@h/s", "rtsp://h/s", &[("admin", "")]),
        ("rtsp://admin@h/s", "rtsp://h/s", &[]),
        // An @ that does not end a login.
        ("rtsp://10.1.2.3:554/cam@1", "rtsp://10.1.2.3:554/cam@1", &[]),
        ("rtsp://nvr/cam@1", "rtsp://nvr/cam@1", &[]),
        ("http://10.1.2.3/a?mail=x@y", "http://10.1.2.3/a?mail=x@y", &[]),
        (
            "http://admin:s3cret@10.1.2.3/a?mail=x@y.com",
            "http://10.1.2.3/a?mail=x@y.com",
            &[("admin", "s3cret")],
        ),
        ("drop:///ftp/a@b", "drop:///ftp/a@b", &[]),
        ("/clips/a@b.mp4", "/clips/a@b.mp4", &[]),
        // Ambiguous, with a login or without one: nothing of it is shown.
        ("rtsp://nvr:554/cam@1", "rtsp://***", &[]),
        ("rtsp://admin:12/s3cret@cam/s", "rtsp://***", &[]),
        ("rtsp://admin:p@s3cret/w@cam.lan/s", "rtsp://***", &[("admin", "p")]),
        // Without a host, without a scheme.
        ("rtsp://admin:s3cret", "rtsp://***", &[]),
        ("rtsp://admin%3As3cret%40h/s", "rtsp://***", &[]),
        ("https:///a.jpg", "https:///a.jpg", &[]),
        ("admin:s3cret@10.1.2.3/s", "***@10.1.2.3/s", &[]),
        ("rtsp：//admin:s3cret@h/s", "***@h/s", &[]),
        ("file://admin:s3cret@nas/a.mp4", "file://***@nas/a.mp4", &[]),
        ("ftp://admin:s3cret@h/s", "ftp://h/s", &[("admin", "s3cret")]),
    ];
    for &(text, shown, logins) in cases {
        let address = Address::parse(text);
        assert_eq!(
            format!("{address} {address:?} {}", address.shown()),
            [shown; 3].join(" "),
            "{text}"
        );
        let read: Vec<_> = address.expose().logins;
        let read: Vec<_> =
            read.iter().map(|(user, password)| (user.as_str(), password.as_str())).collect();
        assert_eq!(read, logins, "{text}");
        assert_eq!(address.expose().written, text.trim());
    }
    let target = |text| Address::parse(text).expose().target.to_owned();
    assert_eq!(
        target("rtsp://admin:p#a@s/s:w@10.0.0.1:554/s?token=abc"),
        "rtsp://10.0.0.1:554/s?token=abc"
    );
}

#[test]
fn secrets_behind_the_host_are_stars() {
    for (tail, shown) in [
        ("/user=admin&password=abc&channel=1", "/user=admin&password=***&channel=1"),
        ("/user=admin_password=abc_channel=1", "/user=admin_password=***_channel=1"),
        ("/user=admin_password=_channel=1", "/user=admin_password=***_channel=1"),
        (
            "/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream",
            "/user=admin_password=***_channel=1_stream=0.sdp?real_stream",
        ),
        ("/user=admin_password=a_b_c_channel=1", "/user=admin_password=***_channel=1"),
        (
            "/cgi-bin/snapshot.cgi?loginuse=admin&loginpas=abc",
            "/cgi-bin/snapshot.cgi?loginuse=admin&loginpas=***",
        ),
        ("/s?PWD=abc", "/s?PWD=***"),
        ("/s?usr_pwd=abc&x=1", "/s?usr_pwd=***&x=1"),
        ("/s?psw=abc#t=1", "/s?psw=***#t=1"),
        ("/s#token=abc==", "/s#token=***"),
        ("/s?token=ab/cd==&x=1", "/s?token=***&x=1"),
        ("/s?token=ab_cd==&x=1", "/s?token=***&x=1"),
        ("/s?token=ab,c=d;x=1", "/s?token=***;x=1"),
        ("/s?api_key_2=abc", "/s?api_key_2=***"),
        ("/s?pwd=a&bc&x=1", "/s?pwd=***&x=1"),
        ("/s?pwd=a@b", "/s?pwd=***"),
        ("/s?u=admin&p=abc", "/s?u=admin&p=***"),
        ("/s?src=pwd=abc", "/s?src=pwd=***"),
        ("/token/abc/live", "/token/***"),
        ("/login/admin:abc@cam/s", "/***@cam/s"),
        ("/frame.jpeg?src=rtsp://admin:abc@10.0.0.2/s", "/***@10.0.0.2/s"),
        // Encoded, once and twice, key or separators.
        ("/s?p%77d=abc", "/***"),
        ("/s?p%2577d=abc", "/***"),
        ("/s%3Fpassword%3Dabc", "/***"),
        ("/s?src=rtsp%3A%2F%2Fadmin%3Aabc%40h", "/***"),
        ("/s?%E5%AF%86%E7%A0%81=abc", "/***"),
        // No secrets.
        ("/south_ridge_1", "/south_ridge_1"),
        ("/s?channel=1&subtype=0", "/s?channel=1&subtype=0"),
        ("/a%20b/%E5%8D%97", "/a%20b/%E5%8D%97"),
        (
            "/rtp/43010000002000000001_43010000001320000001",
            "/rtp/43010000002000000001_43010000001320000001",
        ),
    ] {
        assert_eq!(
            Address::parse(&format!("rtsp://10.1.2.3{tail}")).shown(),
            format!("rtsp://10.1.2.3{shown}")
        );
    }
    let said = "no source for \"rtsp://10.1.2.3/s?pwd=abc\" or rtsp://admin:abc@cam, try again";
    assert_eq!(masked(said), "no source for \"rtsp://10.1.2.3/s?pwd=*** or rtsp://cam, try again");
}

#[test]
fn what_the_column_and_the_environment_say_is_taken_literally() {
    let beside =
        |text: &str| Address::parse(text).with(Some("viewer".to_owned()), Some("a%40b".to_owned()));
    let login = |user: &str, password: &str| (user.to_owned(), password.to_owned());
    assert_eq!(beside("rtsp://h/s").expose().logins, [login("viewer", "a%40b")]);
    assert_eq!(
        beside("rtsp://ad%40min@h/s").expose().logins,
        [login("ad%40min", "a%40b"), login("ad@min", "a%40b")]
    );
    assert_eq!(beside("rtsp://admin:x@h/s").expose().logins, [login("admin", "x")]);
    assert!(!format!("{:?}", beside("rtsp://h/s")).contains("a%40b"));
    let named = Address::parse("rtsp://h/s").with(Some("viewer".to_owned()), Some(String::new()));
    assert!(named.lacks_password() && !named.has_login() && named.expose().logins.is_empty());
    assert!(!Address::parse("rtsp://h/s").lacks_password());
}

#[test]
fn a_scheme_typed_with_a_chinese_keyboard_is_told_from_a_file() {
    for text in ["rtsp：//h/s", "RTSP：／／h/s", "http:/h/s", "drop：/srv/ftp"] {
        assert!(Address::parse(text).has_mistyped_scheme(), "{text}");
    }
    for text in ["rtsp://h/s", "drop:/srv/ftp", "/data/rtsp：//a.mp4", "C:\\clips\\a.mp4", ""] {
        assert!(!Address::parse(text).has_mistyped_scheme(), "{text}");
    }
}

const HOSTS: [&str; 6] =
    ["10.1.2.3", "10.1.2.3:8554", "[fe80::1]:554", "cam", "cam.lan", "cam:554"];

/// The places in an address where a secret may stand. `{}` is the secret, with noise around it.
const SHAPES: [&str; 14] = [
    "rtsp://admin:{}@HOST/s",
    "http://admin:{}@HOST/a?mail=x@y",
    "rtsp://{}@HOST",
    "rtsp://HOST/user=admin_password={}_channel=1",
    "http://HOST/s?a=1&LoginPas={}&b=2",
    "http://HOST/s?a=1&usr_pwd={}",
    "http://HOST/s#access_token={}",
    "http://HOST/token/{}/live",
    "http://HOST/s?src=rtsp://admin:{}@cam/s",
    "http://HOST/admin:{}@cam/s",
    "admin:{}@HOST/s",
    "rtsp：//admin:{}@HOST/s",
    "rtsp://admin:x{}",
    "file://admin:{}@HOST/s",
];

proptest! {
    #[test]
    fn nothing_panics_and_the_register_gets_back_what_it_gave(text in "\\PC{0,60}", scheme in 0..4usize) {
        let address = Address::parse(&format!("{}{text}", ["", "rtsp://", "http://", "drop:"][scheme]));
        let again = Address::parse(address.expose().written);
        prop_assert_eq!(&again.expose().written, &address.expose().written);
        prop_assert!(again == address);
        address.form();
        address.has_mistyped_scheme();
        masked(&text);
    }

    #[test]
    fn no_shown_form_holds_a_planted_secret(
        shape in 0..SHAPES.len(),
        host in 0..HOSTS.len(),
        // Any character of raw passwords, but nothing that begins another pair or an address of its
        // own.
        before in "[a-z0-9@#/?:%_,;!~-]{0,6}",
        after in "[a-z0-9@#/?:%_,;!~-]{0,6}",
        is_encoded in any::<bool>(),
    ) {
        let secret = format!("{before}geheim{after}");
        let secret = if is_encoded {
            percent_encoding::utf8_percent_encode(&secret, percent_encoding::NON_ALPHANUMERIC).to_string()
        } else {
            secret
        };
        // In a user name, which may be a token, these characters are not read raw:
        // `rtsp://nvr/cam@10.1.2.3` has no login.
        prop_assume!(SHAPES[shape] != "rtsp://{}@HOST" || !secret.contains(['/', '?', '#']));
        // After the @ of a login, any text would be read as a host.
        prop_assume!(SHAPES[shape] != "rtsp://admin:x{}" || !secret.contains('@'));
        let text = SHAPES[shape].replace("HOST", HOSTS[host]).replace("{}", &secret);
        let address = Address::parse(&text);
        for said in [address.shown(), &format!("{address:?}"), &format!("{address}"), &masked(&text)] {
            prop_assert!(!said.contains("geheim"), "{} shows {}", text, said);
        }
    }

    #[test]
    fn a_raw_login_before_a_numbered_host_is_read_whole(
        user in "[a-z]{1,6}",
        password in "[a-zA-Z0-9@#/?:!_-]{1,12}",
        path in "(/[a-z0-9@=&?_]{0,12})?",
    ) {
        let text = format!("rtsp://{user}:{password}@10.1.2.3:554{path}");
        let address = Address::parse(&text);
        let exposed = address.expose();
        prop_assert_eq!(&exposed.logins[0], &(user, password));
        prop_assert_eq!(exposed.target, format!("rtsp://10.1.2.3:554{path}"));
    }
}
