//! Pure: which reading of a login is tried next. The login in an address may be percent-encoded or
//! literal, and only the camera knows which.

/// The login as written comes first. If the camera refuses it, the other reading follows at once.
/// When both are refused, one is tried after every long wait (`reconnect.rs`). Two wrong passwords
/// and then one in ten minutes stay below the five to seven that lock an account.
#[derive(Default)]
pub(super) struct Reading {
    at: usize,
    refusals: usize,
    is_proven: bool,
}

impl Reading {
    pub(super) fn index(&self) -> usize {
        self.at
    }

    /// The camera refused the current reading. True when another may be tried at once. `readings`:
    /// their number.
    pub(super) fn refused(&mut self, readings: usize) -> bool {
        // A reading that has worked is the right one. A later refusal means a changed password or a
        // temporary fault.
        if self.is_proven || readings < 2 {
            return false;
        }
        self.at = (self.at + 1) % readings;
        self.refusals += 1;
        self.refusals < readings
    }

    /// Pictures came.
    pub(super) fn worked(&mut self) {
        self.is_proven = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_reading_is_tried_at_once_and_then_one_a_wait() {
        let mut reading = Reading::default();
        let tries: Vec<_> = (0..4).map(|_| (reading.index(), reading.refused(2))).collect();
        assert_eq!(tries, [(0, true), (1, false), (0, false), (1, false)]);
        assert!(!Reading::default().refused(1) && !Reading::default().refused(0));
    }

    #[test]
    fn what_has_worked_stays() {
        let mut reading = Reading::default();
        assert!(reading.refused(2));
        reading.worked();
        assert!(!reading.refused(2));
        assert_eq!(reading.index(), 1);
    }
}
