//! 值班, 交接班: who has the shift of the duty room, and by whose signature. A signature is the login
//! of whoever signs; what was signed for somebody else says so.

use crate::triage::id::{IncidentId, PersonId};
use crate::triage::incident::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// 班次. Somebody who has it keeps it until another takes it over: a duty room is never nobody's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Shift {
    pub officer: PersonId,
    pub since: Timestamp,
    /// Who had it before.
    pub before: Option<PersonId>,
    pub taken: Taken,
    /// 交班: signed by the officer, who waits for somebody to take over.
    pub handover: Option<Handover>,
}

/// How a shift came to its officer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
#[schema(as = ShiftTaken)]
pub enum Taken {
    /// Nobody had it.
    Started,
    /// Both have signed, each under their own login. What had opened between the two signatures was
    /// read by the second.
    HandedOver {
        handover: Handover,
        #[serde(default)]
        opened_since: Vec<OpenTask>,
    },
    /// The one before has not signed.
    WithoutHandover { why: String },
    /// 代签: the one before has signed for both.
    SignedForBoth { why: String, handover: Handover },
}

/// What was handed over, as it stood when it was signed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Handover {
    pub at: Timestamp,
    pub note: String,
    /// Open incidents, each of them read by whoever signed.
    pub open: Vec<OpenTask>,
    /// Whom no message has reached yet, by incident.
    pub unreached: Vec<Unreached>,
    /// Names of the burns that are approved for this hour; whether they are lit nobody knows.
    pub burns: Vec<String>,
    pub faults: Vec<Fault>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenTask {
    pub incident: IncidentId,
    pub code: String,
    pub place: String,
    pub state: State,
    pub drill: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Unreached {
    pub code: String,
    pub name: String,
}

/// A part that does not work, in both languages.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    pub part: String,
    pub zh: String,
    pub en: String,
}

/// Why a signature is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unsigned {
    /// This person has the shift and has not signed a handover.
    HeldBy(PersonId),
    /// Only who has the shift can hand it over.
    NotYours(Option<PersonId>),
    /// Whoever signs for another person hands over to somebody else.
    ToYourself,
    /// Codes of incidents that opened after the handover was signed.
    Unread(Vec<String>),
}

/// What a person who takes a shift knows and says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Taking {
    /// Without the signature of the one before.
    pub why: Option<String>,
    /// What is open now.
    pub open: Vec<OpenTask>,
    pub read: BTreeSet<IncidentId>,
}

/// 我值班. Who has the shift already keeps it, and a handover that waited is taken back.
///
/// # Errors
/// `HeldBy` when another has it, has not signed, and no reason is given. `Unread` when something
/// has opened since the handover was signed, and was not read.
pub fn take(
    held: Option<&Shift>,
    me: &PersonId,
    now: Timestamp,
    Taking { why, open, read }: Taking,
) -> Result<Shift, Unsigned> {
    let taken = match held {
        None => Taken::Started,
        Some(held) if held.officer == *me => {
            return Ok(Shift { handover: None, ..held.clone() });
        }
        Some(Shift { handover: Some(handover), .. }) => {
            let is_known =
                |it: &OpenTask| handover.open.iter().any(|known| known.incident == it.incident);
            let opened_since: Vec<OpenTask> = open.into_iter().filter(|it| !is_known(it)).collect();
            let unread = opened_since.iter().filter(|it| !read.contains(&it.incident));
            let unread: Vec<String> = unread.map(|it| it.code.clone()).collect();
            if !unread.is_empty() {
                return Err(Unsigned::Unread(unread));
            }
            Taken::HandedOver { handover: handover.clone(), opened_since }
        }
        Some(held) => match why {
            Some(why) => Taken::WithoutHandover { why },
            None => return Err(Unsigned::HeldBy(held.officer.clone())),
        },
    };
    let before = held.map(|held| held.officer.clone());
    Ok(Shift { officer: me.clone(), since: now, before, taken, handover: None })
}

/// 交班. `signed_for`: to whom it goes at once, and why that person does not sign.
///
/// # Errors
/// `NotYours`, `ToYourself`.
pub fn hand_over(
    held: Option<&Shift>,
    me: &PersonId,
    handover: Handover,
    signed_for: Option<(PersonId, String)>,
) -> Result<Shift, Unsigned> {
    let Some(held) = held.filter(|held| held.officer == *me) else {
        return Err(Unsigned::NotYours(held.map(|held| held.officer.clone())));
    };
    let Some((officer, why)) = signed_for else {
        // Sent again, it is the same signature.
        let same = |it: &Handover| Handover { at: handover.at, ..it.clone() } == handover;
        let kept = held.handover.clone().filter(same);
        return Ok(Shift { handover: Some(kept.unwrap_or(handover)), ..held.clone() });
    };
    if officer == *me {
        return Err(Unsigned::ToYourself);
    }
    Ok(Shift {
        officer,
        since: handover.at,
        before: Some(me.clone()),
        taken: Taken::SignedForBoth { why, handover },
        handover: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(minute)
    }

    fn handover(minute: i64) -> Handover {
        Handover {
            at: time(minute),
            note: "西山有雾".to_owned(),
            open: Vec::new(),
            unreached: Vec::new(),
            burns: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn alone() -> Taking {
        Taking::default()
    }

    #[test]
    fn both_sign_each_for_themselves() {
        let [wu, li] = ["吴敏", "李四"].map(PersonId::from);
        let first = take(None, &wu, time(0), alone()).expect("nobody had it");
        assert_eq!((&first.taken, &first.before), (&Taken::Started, &None));
        let again = take(Some(&first), &wu, time(5), alone()).expect("it is theirs");
        assert_eq!(again, first, "pressed twice, signed once");
        let signed = hand_over(Some(&first), &wu, handover(480), None).expect("theirs to give");
        assert_eq!(signed.officer, wu, "until somebody takes over it is still theirs");
        let twice = hand_over(Some(&signed), &wu, handover(481), None).expect("sent again");
        assert_eq!(twice, signed);
        let second = take(Some(&signed), &li, time(482), alone()).expect("handed over");
        assert_eq!((&second.officer, &second.before), (&li, &Some(wu)));
        assert_eq!(
            second.taken,
            Taken::HandedOver { handover: handover(480), opened_since: vec![] }
        );
    }

    /// Signed at eight, taken at noon: what came between stands in neither signature unless it is
    /// read.
    #[test]
    fn what_opens_after_the_signature_is_read_by_whoever_takes_over() {
        let [wu, li] = ["吴敏", "李四"].map(PersonId::from);
        let task = |n: u128, code: &str| OpenTask {
            incident: IncidentId(uuid::Uuid::from_u128(n)),
            code: code.to_owned(),
            place: "西山".to_owned(),
            state: State::Dispatched,
            drill: false,
        };
        let first = take(None, &wu, time(0), alone()).expect("nobody had it");
        let known = Handover { open: vec![task(1, "1201-01")], ..handover(480) };
        let signed = hand_over(Some(&first), &wu, known, None).expect("theirs to give");
        let open = vec![task(1, "1201-01"), task(2, "1201-02")];
        let blind = Taking { open, ..alone() };
        let refused = take(Some(&signed), &li, time(720), blind.clone());
        assert_eq!(refused, Err(Unsigned::Unread(vec!["1201-02".to_owned()])));
        let read = blind.open.iter().map(|it| it.incident).collect();
        let taken = take(Some(&signed), &li, time(720), Taking { read, ..blind }).expect("read");
        let Taken::HandedOver { opened_since, .. } = taken.taken else { panic!("both signed") };
        assert_eq!(opened_since, [task(2, "1201-02")]);
    }

    #[test]
    fn whoever_signs_alone_says_so() {
        let [wu, li] = ["吴敏", "李四"].map(PersonId::from);
        let first = take(None, &wu, time(0), alone()).expect("nobody had it");
        let refused = take(Some(&first), &li, time(480), alone());
        assert_eq!(refused, Err(Unsigned::HeldBy(wu.clone())));
        let why = Some("吴敏发病送医".to_owned());
        let taken =
            take(Some(&first), &li, time(480), Taking { why, ..alone() }).expect("with a reason");
        assert_eq!(taken.taken, Taken::WithoutHandover { why: "吴敏发病送医".to_owned() });

        let foreign = hand_over(Some(&first), &li, handover(480), None);
        assert_eq!(foreign, Err(Unsigned::NotYours(Some(wu.clone()))));
        assert_eq!(hand_over(None, &li, handover(0), None), Err(Unsigned::NotYours(None)));
        let to_self =
            hand_over(Some(&first), &wu, handover(480), Some((wu.clone(), String::new())));
        assert_eq!(to_self, Err(Unsigned::ToYourself));
        let for_li = Some((li.clone(), "手机没电".to_owned()));
        let both = hand_over(Some(&first), &wu, handover(480), for_li).expect("with a reason");
        assert_eq!((both.officer, both.since), (li, time(480)));
        assert!(matches!(both.taken, Taken::SignedForBoth { why, .. } if why == "手机没电"));
    }

    #[test]
    fn a_handover_that_nobody_took_is_taken_back() {
        let wu = PersonId::from("吴敏");
        let first = take(None, &wu, time(0), alone()).expect("nobody had it");
        let signed = hand_over(Some(&first), &wu, handover(480), None).expect("theirs to give");
        assert_eq!(take(Some(&signed), &wu, time(490), alone()), Ok(first));
    }
}
