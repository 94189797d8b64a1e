//! Pure: whether somebody has signed for the hours that the rota says.

use super::County;
use super::people::county_clock;
use crate::register::Shift;
use crate::triage::policy::Role;
use jiff::{SignedDuration, Timestamp};

/// Whoever comes signs a little before the hour.
const EARLY: SignedDuration = SignedDuration::from_hours(1);

impl County {
    /// When the hours began for which nobody has signed. A stand-in who has signed for them has
    /// signed. Where the rota says nothing there is nothing to sign for.
    pub fn unsigned_since(&self, shift: Option<&Shift>, now: Timestamp) -> Option<Timestamp> {
        let local = county_clock(now);
        let rows =
            self.duties.iter().filter(|duty| duty.role == Role::CountyDuty && duty.covers(local));
        let (mut begins, mut is_signed) = (None, false);
        for row in rows {
            begins = begins.max(Some(row.begins_at()));
            let of_row = |shift: &Shift| {
                shift.officer == row.person || shift.since >= row.begins_at() - EARLY
            };
            is_signed = is_signed || shift.is_some_and(of_row);
        }
        begins.filter(|_| !is_signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::county::Duty;
    use crate::register::shift;

    fn time(text: &str) -> Timestamp {
        format!("2026-11-{text}:00+08:00").parse().expect("a time")
    }

    fn row(day: &str, begins: &str, ends: &str, person: &str) -> Duty {
        Duty {
            date: format!("2026-11-{day}").parse().expect("a day"),
            begins: Some(begins.parse().expect("an hour")),
            ends: Some(ends.parse().expect("an hour")),
            role: Role::CountyDuty,
            township: None,
            grid: None,
            person: person.into(),
        }
    }

    /// 吴敏 by day, 李四 by night; on the second day again 吴敏.
    #[test]
    fn after_eight_nobody_has_signed_until_somebody_does() {
        let county = County {
            duties: vec![
                row("21", "08:00", "20:00", "吴敏"),
                row("21", "20:00", "08:00", "李四"),
                row("22", "08:00", "20:00", "吴敏"),
            ],
            ..County::default()
        };
        let signed = |who: &str, at: &str| {
            shift::take(None, &who.into(), time(at), shift::Taking::default())
                .expect("nobody had it")
        };
        let unsigned = |shift: Option<&Shift>, now: &str| county.unsigned_since(shift, time(now));
        assert_eq!(unsigned(None, "21T09:00"), Some(time("21T08:00")));
        let wu = signed("吴敏", "21T07:55");
        assert_eq!(unsigned(Some(&wu), "21T19:59"), None);
        assert_eq!(unsigned(Some(&wu), "21T20:00"), Some(time("21T20:00")), "still 吴敏's name");
        assert_eq!(unsigned(Some(&signed("李四", "21T20:10")), "21T20:10"), None);
        assert_eq!(unsigned(Some(&signed("赵六", "21T19:50")), "21T23:00"), None, "a stand-in");
        assert_eq!(unsigned(Some(&wu), "22T08:00"), None, "the rota names him again");
        assert_eq!(unsigned(None, "23T09:00"), None, "the rota says nothing");
    }
}
