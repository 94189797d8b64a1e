//! Tells other systems of every incident's steps (docs/alarms.md). Each receiver has a lane of its
//! own: one that is away holds up no other, and nothing of the office's own messages.

use super::{App, sleep_or_stop};
use crate::config::{WebhookConfig, first_line};
use crate::error::{Error, Result};
use crate::notify::{Round, Webhook};
use crate::report::export;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Interval between two looks at the log.
const LOOKS_EVERY: Duration = Duration::from_secs(2);
/// Wait after a first refusal; each further wait is three times as long, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The board says so after this many refusals in a row: a receiver may be restarted.
const SAID_AFTER: u32 = 3;

/// The receivers with their secrets.
///
/// # Errors
/// `Invalid` for one without a secret, or with one that can be guessed.
pub(super) fn of(app: &App) -> Result<Vec<Webhook>> {
    app.config.notify.webhooks.iter().map(|it| of_one(app, it)).collect()
}

fn of_one(app: &App, it: &WebhookConfig) -> Result<Webhook> {
    let secret = match (app.config.env(&it.variable()), &it.secret) {
        (Some(given), _) => given,
        (None, Some(file)) => first_line(&format!("[[notify.webhooks]] {} secret", it.name), file)?,
        (None, None) => String::new(),
    };
    it.check_secret(&secret).map_err(Error::invalid)?;
    Webhook::new(it.name.clone(), it.url.clone(), secret)
}

/// Until the program stops.
pub(super) async fn run(app: App, receivers: Arc<Vec<Webhook>>) {
    if receivers.is_empty() {
        return app.stopped().await;
    }
    let mut lanes = JoinSet::new();
    for n in 0..receivers.len() {
        let (app, receivers) = (app.clone(), Arc::clone(&receivers));
        lanes.spawn(async move { tell(&app, &receivers[n]).await });
    }
    while let Some(ended) = lanes.join_next().await {
        // A panic in one lane goes to the supervisor, which restarts all of them and reports it.
        if let Err(e) = ended
            && let Ok(panic) = e.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn tell(app: &App, receiver: &Webhook) {
    let mut refusals = 0;
    loop {
        let round = async {
            app.store.add_webhook(receiver.name()).await?;
            receiver.round(&app.store, &app.clock, export::step).await
        };
        let why = match round.await {
            Ok(Round::Done(_) | Round::Elsewhere) => None,
            Ok(Round::Refused(why)) => Some(why),
            Err(e) => Some(e.chain()),
        };
        refusals = if why.is_some() { refusals + 1 } else { 0 };
        if let Some(why) = &why {
            tracing::warn!(webhook = receiver.name(), refusals, why, "a receiver was not told");
        }
        say(app, receiver, refusals, why).await;
        let pause = match refusals {
            0 => LOOKS_EVERY,
            n => FIRST_WAIT.saturating_mul(3_u32.saturating_pow(n - 1)).min(LONGEST_WAIT),
        };
        if sleep_or_stop(app, pause).await {
            return;
        }
    }
}

async fn say(app: &App, receiver: &Webhook, refusals: u32, why: Option<String>) {
    let is_wrong = refusals >= SAID_AFTER;
    let waiting = match is_wrong {
        true => app.store.webhook_waiting(receiver.name()).await.unwrap_or_default(),
        false => 0,
    };
    let why = why.unwrap_or_default();
    let zh = format!("对方收不下，{waiting}条事件在等，会一直重试：{why}");
    let en = format!("does not take them; {waiting} events wait and are tried again: {why}");
    let part = format!("webhooks {}", receiver.name());
    match is_wrong {
        true => app.parts.set(part, false, zh, en),
        false => app.parts.set(part, true, "", ""),
    };
}
