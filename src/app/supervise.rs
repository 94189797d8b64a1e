//! No part of the program dies in silence: a task that panics or ends unasked is said on the board and begun anew.

use super::App;
use std::time::Duration;

/// First pause before a task begins anew; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Of all tasks together on the board: which one it was, the words say.
const PART: &str = "tasks";
/// A task that lives so long has recovered.
const STEADY: Duration = Duration::from_secs(60);

/// Runs a task until it ends because the program stops. What it must not lose lives outside of it.
pub async fn supervised<F>(name: &'static str, app: App, task: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut pause, mut has_died) = (FIRST_PAUSE, false);
    loop {
        let mut running = tokio::spawn(task());
        let ended = tokio::select! {
            ended = &mut running => ended,
            () = app.clock.sleep(STEADY) => {
                if std::mem::take(&mut has_died) {
                    app.parts.set(PART, true, "", "");
                }
                pause = FIRST_PAUSE;
                running.await
            }
        };
        if app.is_stopping() && ended.is_ok() {
            return;
        }
        let why = ended.err().map_or_else(|| "it ended".to_owned(), |e| e.to_string());
        tracing::error!(task = name, "a task has died and begins anew in {} s: {why}", pause.as_secs());
        metrics::counter!("huoyan_tasks_restarted_total", "task" => name).increment(1);
        has_died = true;
        let zh = format!("程序的一部分（{name}）出错，已自动重新启动；反复出现请把日志交给运维");
        let en = format!(
            "a part of the program ({name}) failed and was started again; if it happens again and again, give the log to operations"
        );
        app.parts.set(PART, false, zh, en);
        if super::sleep_or_stop(&app, pause).await {
            return;
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}
