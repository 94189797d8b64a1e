//! Whether this computer's clock is right, according to a time server or else the system. An office
//! with neither is told so.

use super::Finding;
use crate::cli::Common;
use crate::lang::Lang;
use rsntp::{Config, SntpClient};
use std::process::Command;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

const PART: &str = "clock";
/// A time server in the office answers within milliseconds, one across the country within 0.1 s.
/// Nobody should wait longer at a terminal.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Seconds. A clock kept by a time server is never this far off.
const GOOD_S: f64 = 2.0;
/// Seconds. The limits of 131 are minutes: beyond this, displayed times no longer match what
/// happened.
const WRONG_S: f64 = 60.0;

pub(super) fn clock(common: &Common) -> Vec<Finding> {
    let lang = common.lang;
    vec![match common.config.clock.ntp.clone() {
        Some(server) => {
            let asked = server.clone();
            compared(
                &server,
                within(ANSWER_WITHIN, move || ask(&asked)).unwrap_or(Err(String::new())),
                lang,
            )
        }
        None => by_the_system(within(ANSWER_WITHIN, is_synchronised).flatten(), lang),
    }]
}

/// Seconds that this computer is behind the server (negative: ahead), or why that is unknown, in
/// English.
fn ask(server: &str) -> Result<f64, String> {
    let client = SntpClient::with_config(Config::default().timeout(ANSWER_WITHIN));
    client
        .synchronize(server)
        .map(|answer| answer.clock_offset().as_secs_f64())
        .map_err(|e| e.to_string())
}

/// None when it is unknown: no systemd here, or it does not answer.
fn is_synchronised() -> Option<bool> {
    let said = Command::new("timedatectl")
        .args(["show", "-p", "NTPSynchronized", "--value"])
        .output()
        .ok()?;
    match String::from_utf8_lossy(&said.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Runs `work` for at most `wait`. Name lookups by the system take unpredictable time, so a later
/// result is ignored.
fn within<T: Send + 'static>(
    wait: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, outcome) = sync_channel(1);
    // A send error means that the result came too late.
    let begun = std::thread::Builder::new().spawn(move || drop(done.send(work())));
    begun.ok().and_then(|_| outcome.recv_timeout(wait).ok())
}

fn compared(server: &str, behind_s: Result<f64, String>, lang: Lang) -> Finding {
    let behind_s = match behind_s {
        Ok(behind_s) => behind_s,
        Err(why) => {
            let words = match lang {
                Lang::Zh => format!("时间服务器 {server} 没有回答，本机时间是否准确不得而知"),
                Lang::En => {
                    format!(
                        "the time server {server} does not answer, so it is not known whether \
                        this clock is right"
                    )
                }
            };
            let cure = lang.pick(
                "检查 [clock] ntp 和网络（UDP 123）；没有互联网的单位可填路由器或上级的时间服务器",
                "check [clock] ntp and the network (UDP 123); without Internet access, use the \
                router or the prefecture's time server",
            );
            let words = if why.is_empty() { words } else { format!("{words} ({why})") };
            return Finding::limited(PART, words, cure);
        }
    };
    let words = match (lang, behind_s.is_sign_positive()) {
        (Lang::Zh, true) => format!("本机时间比 {server} 慢 {:.1} 秒", behind_s.abs()),
        (Lang::Zh, false) => format!("本机时间比 {server} 快 {:.1} 秒", behind_s.abs()),
        (Lang::En, true) => format!("this clock is {:.1} s behind {server}", behind_s.abs()),
        (Lang::En, false) => format!("this clock is {:.1} s ahead of {server}", behind_s.abs()),
    };
    let cure = lang.pick(
        "校准时间（例如 systemd-timesyncd 或 chrony），然后重新启动程序",
        "correct the clock (for example with systemd-timesyncd or chrony), then restart the program",
    );
    match behind_s.abs() {
        off_s if off_s <= GOOD_S => Finding::works(PART, words),
        off_s if off_s <= WRONG_S => Finding::limited(PART, words, cure),
        _ => Finding::broken(PART, words, cure),
    }
}

fn by_the_system(is_synchronised: Option<bool>, lang: Lang) -> Finding {
    let name_one = lang.pick(
        "[clock] ntp 填一个时间服务器，check 就会与它比较",
        "set a time server in [clock] ntp, and huoyan check compares this clock with it",
    );
    match is_synchronised {
        Some(true) => Finding::works(
            PART,
            lang.pick(
                "系统时间已与时间服务器同步",
                "the system clock is synchronised with a time server",
            ),
        ),
        Some(false) => Finding::limited(
            PART,
            lang.pick(
                "系统时间没有与任何时间服务器同步",
                "the system clock is not synchronised with any time server",
            ),
            lang.pick("timedatectl set-ntp true", "timedatectl set-ntp true"),
        ),
        None => Finding::limited(
            PART,
            lang.pick(
                "本机时间是否同步不得而知",
                "it is not known whether this clock is synchronised with a time server",
            ),
            name_one,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use std::net::UdpSocket;
    use std::time::Instant;

    /// Answers one request (RFC 5905) with the asker's own time and the server's time, which is
    /// ahead by `ahead_s`.
    fn time_server(ahead_s: u32) -> String {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = socket.local_addr().expect("an address").to_string();
        std::thread::spawn(move || {
            let mut asked = [0; 48];
            let (_, from) = socket.recv_from(&mut asked).expect("a question");
            let sent_at: [u8; 8] = asked[40..].try_into().expect("a time");
            let seconds =
                u32::from_be_bytes(sent_at[..4].try_into().expect("seconds")).wrapping_add(ahead_s);
            let now = [&seconds.to_be_bytes()[..], &sent_at[4..]].concat();
            // Version 4, server, stratum 2; then the times of the request, of its arrival and of
            // the answer.
            let head = [&[0x24, 2, 0, 0][..], &[0; 12], &now].concat();
            socket.send_to(&[&head[..], &sent_at, &now, &now].concat(), from).expect("an answer");
        });
        address
    }

    fn asked(server: &str) -> Finding {
        let answer = within(2 * ANSWER_WITHIN, {
            let server = server.to_owned();
            move || ask(&server)
        });
        compared(server, answer.expect("in time"), Lang::En)
    }

    #[test]
    fn a_clock_is_compared_with_the_offices_time_server() {
        for (ahead_s, state, words) in [
            (0, State::Works, ""),
            (20, State::Limited, "behind"),
            (3_600, State::Broken, "this clock is 3600"),
            (0_u32.wrapping_sub(3_600), State::Broken, "ahead"),
        ] {
            let finding = asked(&time_server(ahead_s));
            assert!(
                finding.state == state && finding.words.contains(words),
                "{ahead_s}: {finding:?}"
            );
        }
    }

    /// An office without the Internet: this is no error, and nobody waits.
    #[test]
    fn a_server_that_is_silent_or_unknown_is_a_finding_within_two_seconds() {
        let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let mut config = crate::config::Config::default();
        for server in [
            silent.local_addr().expect("an address").to_string(),
            "no-such-host.invalid".to_owned(),
        ] {
            config.clock.ntp = Some(server);
            let common = Common {
                config: config.clone(),
                device: None,
                lang: Lang::En,
                json: false,
                quiet: true,
            };
            let begun = Instant::now();
            let findings = clock(&common);
            assert!(
                begun.elapsed() < ANSWER_WITHIN + Duration::from_secs(1),
                "{:?}",
                begun.elapsed()
            );
            assert!(
                findings[0].state == State::Limited && findings[0].cure.is_some(),
                "{findings:?}"
            );
        }
    }

    #[test]
    fn a_system_that_says_nothing_is_not_taken_for_one_that_is_right() {
        let states =
            [Some(true), Some(false), None].map(|said| by_the_system(said, Lang::Zh).state);
        assert_eq!(states, [State::Works, State::Limited, State::Limited]);
    }
}
