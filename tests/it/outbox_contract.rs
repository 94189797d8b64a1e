//! The promises of the outbox on both databases: a text stays one text, whichever sender has it and
//! however many senders die.

use crate::fixture::*;
use crate::store_contract::{contract, message, recorded_opening};
use huoyan::store::{
    Addressee, Commit, Fate, Message, NewMessage, Occasion, Status, Store, Taken, Tried,
};
use huoyan::triage::id::MessageId;
use huoyan::triage::incident::Incident;
use huoyan::triage::policy::{Channel, Role};
use jiff::SignedDuration;

contract!(
    messages_are_borrowed_once_and_come_free_again,
    what_went_out_together_goes_out_together_again,
    what_failed_before_it_ever_went_does_not_mute_its_number,
    the_first_word_goes_before_rings_and_a_fire_before_a_drill,
    no_number_hides_another_and_no_flood_fills_the_memory,
    a_gateway_is_judged_by_what_it_was_handed_last,
);

async fn written(store: &Store, messages: Vec<NewMessage>) -> Incident {
    let (incident, events) = recorded_opening(store).await;
    let commit = Commit { incident: &incident, events: &events, last_opened: None };
    store.commit(commit, |_| messages).await.expect("committed");
    incident
}

fn to(person: &str) -> NewMessage {
    let to =
        Addressee { phone: Some(person.into()), ..message(Some(person), Occasion::Rung(1)).to };
    NewMessage { to, ..message(None, Occasion::Rung(1)) }
}

async fn due(store: &Store, minutes: i64) -> Vec<Message> {
    store.due_messages(Channel::Sms, at(minutes)).await.expect("read")
}

fn people(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(|it| it.to.phone.as_deref()).collect()
}

async fn borrow(store: &Store, together: &[&Message], minutes: i64) -> Vec<Message> {
    store
        .borrow(together, at(minutes), at(minutes + 1))
        .await
        .expect("borrowed, or somebody was faster")
}

async fn messages_are_borrowed_once_and_come_free_again(t: TestStore) {
    let texts = ["a", "b", "c"].map(to);
    let unsendable =
        NewMessage { error: Some("无人值班".into()), ..message(None, Occasion::Rung(1)) };
    let incident = written(&t.store, texts.iter().cloned().chain([unsendable]).collect()).await;

    // Two senders see the same three messages and want to batch them differently. The one for
    // nobody is shown, not sent.
    let seen = due(&t.store, 0).await;
    assert_eq!(people(&seen), ["a", "b", "c"]);
    let (all, two) = (seen.iter().collect::<Vec<_>>(), [&seen[1], &seen[2]]);
    let (one, other) = tokio::join!(borrow(&t.store, &all, 0), borrow(&t.store, &two, 0));
    let (won, lost) = if one.is_empty() { (&other, &one) } else { (&one, &other) };
    assert!(lost.is_empty() && !won.is_empty(), "all or nothing: {one:?} {other:?}");
    for left in due(&t.store, 0).await {
        assert_eq!(borrow(&t.store, &[&left], 0).await.len(), 1);
    }
    assert_eq!(due(&t.store, 0).await, []);
    assert_eq!(
        t.store.next_message_due().await.unwrap(),
        Some(at(1)),
        "a lease lasts as long as was asked"
    );
    assert_eq!(due(&t.store, 1).await.len(), 3, "the dead sender's messages come free");
    let shown = t.store.messages_of(incident.id).await.unwrap();
    let failed: Vec<_> =
        shown.iter().filter(|m| m.status == Status::Failed).map(|m| m.error.as_deref()).collect();
    assert_eq!(failed, [Some("无人值班")]);
}

async fn what_went_out_together_goes_out_together_again(t: TestStore) {
    written(&t.store, vec![to("a"), NewMessage { occasion: Occasion::Rung(2), ..to("a") }]).await;
    let seen = due(&t.store, 0).await;
    let went = borrow(&t.store, &seen.iter().collect::<Vec<_>>(), 0).await;
    let key = Some(went[0].id);
    assert!(went.iter().all(|it| it.batch == key), "{went:?}");

    // The sender dies. Meanwhile there is another message for the same person.
    written(&t.store, vec![to("a")]).await;
    let seen = due(&t.store, 1).await;
    assert_eq!(seen.iter().map(|it| it.batch).collect::<Vec<_>>(), [key, key, None]);
    let again = borrow(&t.store, &[&seen[1]], 1).await;
    assert_eq!(
        again.iter().map(|it| it.id).collect::<Vec<_>>(),
        went.iter().map(|it| it.id).collect::<Vec<_>>()
    );

    // The result of one message applies to its whole batch.
    t.store.message_failed(again[1].id, "gateway says 500", Fate::Queued(at(3))).await.unwrap();
    assert_eq!(due(&t.store, 3).await.iter().map(|it| it.attempts).collect::<Vec<_>>(), [1, 1, 0]);
    t.store.message_untried(again[0].id, "vendor's limit", Some(at(4))).await.unwrap();
    assert_eq!(due(&t.store, 3).await.len(), 1);

    // A message that is given up is shown and retried, until nobody waits for it.
    t.store
        .message_failed(again[0].id, "gateway says 500", Fate::Failed(Some(at(5))))
        .await
        .unwrap();
    assert_eq!(t.store.failed_messages(9).await.unwrap().len(), 2, "the desk hears of both");
    let last: Vec<_> = due(&t.store, 5).await.into_iter().map(|it| (it.batch, it.status)).collect();
    assert_eq!(
        last,
        [(None, Status::Queued), (key, Status::Failed), (key, Status::Failed)],
        "after what nobody knows of"
    );
    assert_eq!(borrow(&t.store, &[&again[0]], 5).await.len(), 2);
    t.store.message_untried(again[0].id, "vendor's limit", Some(at(6))).await.unwrap();
    assert_eq!(due(&t.store, 6).await[1].status, Status::Failed, "a limit makes it no newer");
    t.store.message_over(again[1].id).await.unwrap();
    assert_eq!(due(&t.store, 60).await.len(), 1);
    t.store.message_sent(again[0].id, at(60)).await.unwrap();
    assert_eq!(
        t.store.failed_messages(9).await.unwrap(),
        [],
        "and one that arrives after all is no failure"
    );
}

/// A message that was given up before it was ever handed over is retried. It must not block all
/// messages to its number for good.
async fn what_failed_before_it_ever_went_does_not_mute_its_number(t: TestStore) {
    written(&t.store, vec![to("a")]).await;
    let first = due(&t.store, 0).await.remove(0);
    t.store.message_failed(first.id, "gateway says 500", Fate::Failed(Some(at(1)))).await.unwrap();
    written(&t.store, vec![to("a")]).await;
    let seen = due(&t.store, 1).await;
    assert_eq!(borrow(&t.store, &seen.iter().collect::<Vec<_>>(), 1).await.len(), 2);
}

async fn the_first_word_goes_before_rings_and_a_fire_before_a_drill(t: TestStore) {
    let ranger = |phone: &str, occasion, drill| {
        let to = Addressee { role: Role::Ranger, ..self::to(phone).to };
        NewMessage { to, occasion, drill, ..self::to(phone) }
    };
    let all = vec![
        ranger("drilled", Occasion::Dispatched, true),
        to("officer"),
        ranger("moved", Occasion::Relocated(3), false),
        ranger("sent", Occasion::Dispatched, false),
    ];
    written(&t.store, all).await;
    assert_eq!(people(&due(&t.store, 0).await), ["sent", "moved", "officer", "drilled"]);
}

async fn no_number_hides_another_and_no_flood_fills_the_memory(t: TestStore) {
    let calls = (0..20).map(|_| NewMessage { id: MessageId(id()), ..to("busy") });
    // One row per person and occasion.
    let rung = |(rung, text)| NewMessage { occasion: Occasion::Rung(rung), ..text };
    written(&t.store, (0..20).zip(calls).map(rung).chain([to("other")]).collect()).await;
    let seen = due(&t.store, 0).await;
    assert_eq!(seen.iter().filter(|it| it.to.phone.as_deref() == Some("busy")).count(), 16);
    assert!(people(&seen).contains(&"other"), "behind twenty to somebody else");
    written(&t.store, (0..600).map(|n| to(&n.to_string())).collect()).await;
    assert_eq!(due(&t.store, 0).await.len(), 512);
}

async fn a_gateway_is_judged_by_what_it_was_handed_last(t: TestStore) {
    written(&t.store, vec![to("a"), to("b")]).await;
    let seen = due(&t.store, 0).await;
    let sms = async || t.store.taken_by(Channel::Sms).await.expect("read");
    assert_eq!(sms().await, Taken::default(), "what waits is no failure");
    borrow(&t.store, &[&seen[0]], 0).await;
    t.store.message_failed(seen[0].id, "gateway says 500", Fate::Queued(at(9))).await.unwrap();
    assert_eq!(sms().await, Taken { failed_since: 1, ..Taken::default() });

    borrow(&t.store, &[&seen[1]], 1).await;
    let sent_at = at(1) + SignedDuration::from_secs(30);
    t.store.message_sent(seen[1].id, sent_at).await.unwrap();
    let well =
        Taken { last: Some(sent_at), needed: SignedDuration::from_secs(30), failed_since: 0 };
    assert_eq!(
        sms().await,
        well,
        "it failed before the last success, though its next try comes after"
    );
    borrow(&t.store, &[&seen[0]], 9).await;
    t.store.message_failed(seen[0].id, "gateway says 500", Fate::Failed(None)).await.unwrap();
    assert_eq!(sms().await, Taken { failed_since: 1, ..well });
    assert_eq!(t.store.taken_by(Channel::Voice).await.unwrap(), Taken::default());

    let asked =
        |phone: &str, minutes| Tried { phone: Some(phone.into()), drill: false, at: at(minutes) };
    assert_eq!(
        t.store.tried_since(Channel::Sms, at(0)).await.unwrap(),
        [asked("b", 1), asked("a", 9)]
    );
    assert_eq!(t.store.tried_since(Channel::Sms, at(2)).await.unwrap(), [asked("a", 9)]);
    assert_eq!(t.store.tried_since(Channel::Voice, at(0)).await.unwrap(), []);
}
