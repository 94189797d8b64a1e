//! A workbook is read by this program started a second time, with little memory and time. What reads
//! workbooks allocates what a file asks for, and an allocation that fails ends its process: a file
//! that is damaged, or made for it, ends the second process, and the first says so in words.

use super::workbook::{self, Sheet};
use crate::lang::Lang;
use parking_lot::Mutex;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, setrlimit};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

/// The hidden subcommand: the language follows it, the workbook comes on stdin, and the sheets leave
/// as JSON on stdout.
pub const COMMAND: &str = "read-workbook";

/// Addresses of the second process, the program's own libraries included. Four million short cells
/// are half of this.
const MEMORY_MAX: u64 = 1 << 30;
/// Of a processor. A county's 5,140 rangers take a tenth of a second.
const CPU_MAX_SECS: u64 = 20;
/// However busy the machine is.
const WITHIN: Duration = Duration::from_secs(60);
/// Of the answer, which the first process holds.
const ANSWER_MAX: u64 = 128 << 20;

/// Set by the program; a library has no program that it could start.
static IS_PROGRAM: OnceLock<()> = OnceLock::new();
/// One workbook at a time, so that many of them take no more memory than one.
static TURN: Mutex<()> = Mutex::new(());

/// From now on this process starts itself to read a workbook.
pub fn read_apart() {
    _ = IS_PROGRAM.set(());
}

pub(super) fn sheets(bytes: &[u8], lang: Lang) -> Result<Vec<Sheet>, String> {
    if IS_PROGRAM.get().is_none() {
        return workbook::sheets(bytes, lang);
    }
    let _turn = TURN.lock();
    // The running program, even if an upgrade has replaced its file meanwhile.
    let started = Command::new("/proc/self/exe")
        .args([COMMAND, lang.code()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let (answer, ended) = started.and_then(|child| ask(child, bytes)).map_err(|e| {
        let words = lang.pick(
            "无法启动读取工作簿的进程，请另存为 CSV 再试",
            "the process that reads workbooks did not start; save it as CSV",
        );
        format!("{words}: {e}")
    })?;
    serde_json::from_slice(&answer).unwrap_or_else(|_| {
        tracing::warn!(bytes = bytes.len(), %ended, "a workbook could not be read");
        let words = lang.pick(
            "此工作簿已损坏，或展开后过大，无法读取；请用 Excel 或 WPS 打开，另存为 CSV 再试",
            "this workbook is damaged, or too large once unpacked: open it in a spreadsheet program \
            and save it as CSV",
        );
        Err(words.to_owned())
    })
}

/// What the second process answered, perhaps nothing, and how it ended.
fn ask(mut child: Child, bytes: &[u8]) -> std::io::Result<(Vec<u8>, ExitStatus)> {
    let pid = Pid::from_child(&child);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (done, is_done) = sync_channel::<()>(1);
    let answer = thread::scope(|threads| {
        threads.spawn(move || {
            if is_done.recv_timeout(WITHIN).is_err() {
                _ = kill_process(pid, Signal::KILL);
            }
        });
        // It answers when it has read everything, so neither waits for the other. One that is dead
        // does not read, which shows in its answer.
        if let Some(mut stdin) = stdin {
            _ = stdin.write_all(bytes);
        }
        let mut answer = Vec::new();
        let read = stdout.map_or(Ok(0), |it| it.take(ANSWER_MAX).read_to_end(&mut answer));
        // Its answer has ended, and so does the process. It is waited for below: until then its
        // number belongs to nobody else.
        _ = done.send(());
        read.map(|_| answer)
    });
    let ended = child.wait()?;
    Ok((answer?, ended))
}

/// The second process: everything that it does.
pub fn answer(lang: Lang) -> ExitCode {
    let limit =
        |resource, max| setrlimit(resource, Rlimit { current: Some(max), maximum: Some(max) });
    let limited = limit(Resource::As, MEMORY_MAX)
        .and_then(|()| limit(Resource::Cpu, CPU_MAX_SECS))
        .and_then(|()| limit(Resource::Core, 0));
    let mut bytes = Vec::new();
    if limited.is_err() || std::io::stdin().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let said = serde_json::to_writer(std::io::stdout().lock(), &workbook::sheets(&bytes, lang));
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
