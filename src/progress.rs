//! Progress on stderr: a bar for a person, a plain line every ten seconds where there is no
//! terminal, nothing when quiet.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Interval of plain lines when stderr is no terminal (ux.md 6.5).
const PLAIN_EVERY: Duration = Duration::from_secs(10);

pub struct Progress {
    bar: ProgressBar,
    plain: Option<(String, std::time::Instant)>,
}

impl Progress {
    /// `total` 0 means unknown. `what` is the stage, for example "[1/2] replay".
    pub fn new(what: &str, total: u64, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
        bar.set_draw_target(if terminal && !quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        let template = if total == 0 {
            "{prefix} {spinner} {pos} ({per_sec}, {elapsed}) {msg}"
        } else {
            "{prefix} {bar:30} {pos}/{len} ({per_sec}, {eta}) {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        let plain = (!terminal && !quiet).then(|| (what.to_owned(), std::time::Instant::now()));
        Self { bar, plain }
    }

    pub fn advance(&mut self, by: u64, message: &str) {
        self.bar.inc(by);
        self.bar.set_message(message.to_owned());
        if let Some((what, since)) = &mut self.plain
            && since.elapsed() >= PLAIN_EVERY
        {
            *since = std::time::Instant::now();
            let of = self.bar.length().map_or(String::new(), |len| format!("/{len}"));
            eprintln!("{what} {}{of} {message}", self.bar.position());
        }
    }

    pub fn finish(self, message: &str) {
        self.bar.finish_with_message(message.to_owned());
        if let Some((what, _)) = self.plain {
            eprintln!("{what} {} {message}", self.bar.position());
        }
    }
}
