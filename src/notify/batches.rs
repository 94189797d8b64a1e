//! Pure: which messages go out together, in which order, and which are no longer worth sending.

use super::channel;
use super::limits::{Number, number};
use crate::store::{Message, Status};
use crate::triage::event::Event;
use crate::triage::incident::{Incident, State};
use std::collections::BTreeSet;

/// The queue of one number on one channel, most urgent first. Drills have a queue of their own.
pub(super) struct Line {
    pub number: Number,
    pub drill: bool,
    pub messages: Vec<Message>,
}

/// One line per number, the most urgent first. `due` is ordered by urgency.
pub(super) fn lines(due: Vec<Message>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for message in due {
        let (number, drill) = (number(message.channel, message.to.phone.as_deref()), message.drill);
        match lines.iter_mut().find(|line| line.number == number && line.drill == drill) {
            Some(line) => line.messages.push(message),
            None => lines.push(Line { number, drill, messages: vec![message] }),
        }
    }
    lines
}

impl Line {
    /// The next batch: the one that the first message went out in before, or else as many messages
    /// as fit. Vendors count calls, not words, and a person with two fires is called once. A text
    /// longer than a whole batch goes alone.
    pub(super) fn first(&self) -> Vec<&Message> {
        let Some(first) = self.messages.first() else { return Vec::new() };
        if first.batch.is_some() {
            return self.messages.iter().filter(|it| it.batch == first.batch).collect();
        }
        let mut batch: Vec<&Message> = Vec::new();
        for message in self.messages.iter().filter(|it| it.batch.is_none()) {
            batch.push(message);
            if batch.len() > 1
                && text(batch.iter().copied()).len() > channel::bytes_max(message.channel)
            {
                batch.pop();
                break;
            }
        }
        batch
    }
}

/// The text of a batch, each line once: several people may be told the same in one post.
pub(super) fn text<'a>(batch: impl Iterator<Item = &'a Message>) -> String {
    let mut said = BTreeSet::new();
    let lines: Vec<&str> =
        batch.map(|it| it.words.as_str()).filter(|words| said.insert(*words)).collect();
    lines.join("\n")
}

/// Whether somebody still waits for a message that the board shows as 未送达. It is shown until
/// somebody has taken it on, the person has answered, or the incident is closed. A person who was
/// told anything newer about the incident no longer needs it.
pub(super) fn is_awaited(message: &Message, incident: &Incident, all: &[Message]) -> bool {
    let noted = incident
        .log
        .iter()
        .any(|it| matches!(&it.event, Event::Undelivered { message: it, .. } if *it == message.id));
    let stands = incident.undelivered.iter().any(|it| it.message == message.id);
    let newer = |it: &Message| {
        it.to.person == message.to.person
            && it.status == Status::Sent
            && it.created_at > message.created_at
    };
    incident.state != State::Closed && (stands || !noted) && !all.iter().any(newer)
}
