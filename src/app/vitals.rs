//! What the board says about the program itself: the desk, the sender, the clock and the disk.

use super::lane::LaneState;
use super::{App, Site, disk};
use crate::clock::Heartbeat;
use jiff::SignedDuration;
use std::time::Duration;

/// The desk looks every 15 s, the sender every 15 s at least, whatever its gateways do. A full disk may
/// delay either for a while.
const SILENT_MAX: Duration = Duration::from_secs(60);
/// A clock kept by a time server never steps by this much.
const STEP_MAX: SignedDuration = SignedDuration::from_secs(2);

/// Sets the parts `desk` and `messages`, and those of the machine.
pub(super) fn look(app: &App, sender: &Heartbeat) {
    let desk = app.desk.heartbeat().silent_for();
    said(
        app,
        "desk",
        desk > SILENT_MAX,
        || format!("已有{}秒没有查看时限：请看磁盘与数据库，必要时重新启动程序", desk.as_secs()),
        || {
            format!(
                "has not checked deadlines for {} s: check disk and database, and restart the \
                program if needed",
                desk.as_secs()
            )
        },
    );
    let sender = sender.silent_for();
    said(
        app,
        "messages",
        sender > SILENT_MAX,
        || format!("已有{}秒没有发出通知：请电话通知，并看网关与数据库", sender.as_secs()),
        || {
            format!(
                "has sent nothing for {} s: phone people, check gateways and database",
                sender.as_secs()
            )
        },
    );
    machine(app);
}

/// Sets the parts `clock` and `disk`.
pub(super) fn machine(app: &Site) {
    let step = app.clock.stepped();
    said(
        app,
        "clock",
        step.abs() > STEP_MAX,
        || {
            format!(
                "本机时间被拨{}{}秒，时限仍按实际经过的时间计算；请校准时间后重新启动程序",
                ahead(step).0,
                step.abs().as_secs()
            )
        },
        || {
            format!(
                "this machine's clock was set {} by {} s; deadlines still count the time elapsed. \
                Correct the clock, then restart the program",
                ahead(step).1,
                step.abs().as_secs()
            )
        },
    );
    let free = disk::free(&app.config.store.data);
    let word = free.and_then(|free| app.room.look(free, &app.config.disk, app.clock.now()));
    let is_wrong = word.is_some();
    let (zh, en) = word.unwrap_or_default();
    said(app, "disk", is_wrong, || zh, || en);
}

fn ahead(step: SignedDuration) -> (&'static str, &'static str) {
    if step.is_negative() { ("慢", "back") } else { ("快", "forward") }
}

/// One log line when a fault begins and one when it ends.
pub(super) fn said(
    app: &Site,
    part: &'static str,
    is_wrong: bool,
    zh: impl FnOnce() -> String,
    en: impl FnOnce() -> String,
) {
    let en = if is_wrong { en() } else { String::new() };
    let zh = if is_wrong { zh() } else { String::new() };
    if app.parts.set(part, !is_wrong, zh, en.clone()) {
        if is_wrong { tracing::error!(part, "{en}") } else { tracing::info!(part, "well") }
    }
}

/// One log line per change, not one per round.
pub(super) fn say(app: &Site, part: &'static str, round: &LaneState<'_>, zh: String, en: String) {
    let Some(why) = round.why else {
        app.parts.set(part, true, "", "");
        return;
    };
    if app.parts.set(part, false, zh, en.clone()) {
        tracing::error!(part, "{en}: {}", why.chain());
    }
}
