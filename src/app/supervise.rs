//! No part of the program dies in silence: a task that panics or ends unexpectedly is reported on
//! the board and restarted.

use crate::clock::Clock;
use crate::web::Parts;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

/// Stages of a stop, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    Running,
    /// No action is accepted any more. The cameras stop, and their last results are taken in.
    Cameras,
    /// Everything else stops.
    All,
}

/// First pause before a restart. Each further pause is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The prefix of a task's name on the board.
const PART: &str = "tasks";
/// Run time after which a restarted task counts as recovered.
const STEADY: Duration = Duration::from_secs(60);

/// What a supervisor needs.
#[derive(Clone)]
pub(super) struct Supervisor {
    pub clock: Clock,
    pub parts: Parts,
    pub stop: watch::Receiver<Stage>,
    /// The county's code, if it is one of several.
    pub county: Option<String>,
}

impl Supervisor {
    /// Runs a task, and restarts it until the program stops. State that the task must not lose
    /// lives outside it.
    pub(super) async fn keep<F>(self, name: &'static str, task: impl Fn() -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (mut pause, mut has_died, part) = (FIRST_PAUSE, false, format!("{PART} {name}"));
        loop {
            // A set of one task: dropping the supervisor also ends the task.
            let mut running = JoinSet::new();
            running.spawn(task().in_current_span());
            let ended = tokio::select! {
                ended = running.join_next() => ended,
                () = self.clock.sleep(STEADY) => {
                    if std::mem::take(&mut has_died) {
                        self.parts.set(part.clone(), true, "", "");
                    }
                    pause = FIRST_PAUSE;
                    running.join_next().await
                }
            };
            if self.is_stopping() {
                return;
            }
            let why = ended
                .and_then(std::result::Result::err)
                .map_or_else(|| "it ended".to_owned(), |e| e.to_string());
            tracing::error!(
                task = name,
                "a task has failed and restarts in {} s: {why}",
                pause.as_secs()
            );
            let mut labels = vec![("task", name.to_owned())];
            labels.extend(self.county.clone().map(|code| ("county", code)));
            metrics::counter!("huoyan_tasks_restarted_total", &labels).increment(1);
            has_died = true;
            self.parts.set(
                part.clone(),
                false,
                format!("程序的一部分（{name}）出错，已自动重新启动；反复出现请把日志交给运维"),
                format!(
                    "a part of the program ({name}) failed and was restarted; if this keeps \
                    happening, give the log to operations"
                ),
            );
            let mut stop = self.stop.clone();
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                _ = stop.wait_for(|at| *at > Stage::Running) => return,
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow() > Stage::Running
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// The task panics twice, then works until the program stops.
    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_said_and_begun_anew() {
        let (stop, stopped) = watch::channel(Stage::Running);
        let (parts, lives) = (Parts::default(), Arc::new(AtomicU32::new(0)));
        let supervisor = Supervisor {
            clock: Clock::System,
            parts: parts.clone(),
            stop: stopped.clone(),
            county: None,
        };
        let task = {
            let lives = Arc::clone(&lives);
            move || {
                let (nth, mut stop) = (lives.fetch_add(1, Ordering::Relaxed), stopped.clone());
                async move {
                    assert!(nth >= 2, "dies");
                    let _ = stop.wait_for(|at| *at == Stage::All).await;
                }
            }
        };
        let kept = tokio::spawn(supervisor.keep("desk", task));
        let clock = Clock::System;
        clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(lives.load(Ordering::Relaxed), 3);
        assert!(!parts.set("tasks desk", false, "", ""), "it was said");
        clock.sleep(STEADY).await;
        assert!(!parts.set("tasks desk", true, "", ""), "and that it is over");
        stop.send_replace(Stage::All);
        kept.await.expect("the supervisor ends with it");
        assert_eq!(lives.load(Ordering::Relaxed), 3, "nothing is begun while the program stops");
    }
}
