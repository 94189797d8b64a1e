//! Who has signed for the shift.

use super::registry::{ATTEMPTS, Registry};
use crate::error::{Error, Kind};
use crate::register::{Author, Entry, Fact, History, Register, Shift};
use crate::triage::id::PersonId;

impl Registry {
    /// Who has the shift.
    pub fn shift(&self) -> Option<Shift> {
        self.shift_in(&self.registers().history())
    }

    fn shift_in(&self, history: &History) -> Option<Shift> {
        let value = history.entry(Register::Shift, "", self.clock.now())?;
        serde_json::from_value(value.clone()).ok()
    }

    /// Signs for the shift. `sign` decides on who has it now, and again if somebody was faster.
    ///
    /// # Errors
    /// The refusal of `sign`; `Conflict` when others sign all the time.
    pub async fn sign<R: From<Error>>(
        &self,
        by: &PersonId,
        sign: impl Fn(Option<&Shift>) -> Result<Shift, R> + Send,
    ) -> Result<Shift, R> {
        for _ in 0..ATTEMPTS {
            self.follow().await?;
            let history = self.registers().history();
            let (held, seen) = (self.shift_in(&history), history.number());
            let shift = sign(held.as_ref())?;
            if held.as_ref() == Some(&shift) {
                return Ok(shift);
            }
            let value = serde_json::to_value(&shift)
                .map_err(|e| Error::internal("a shift cannot be written as JSON").because(e))?;
            let entry = Entry::of(String::new(), value);
            let fact = Fact::set(Register::Shift, entry);
            let by = Author::Person(by.clone());
            let why = self.lang.pick("交接班签字", "signed for the shift");
            match self.change(vec![fact], by, why, Some(seen)).await {
                Ok(_) => return Ok(shift),
                Err(e) if e.kind == Kind::Conflict => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(Error::new(Kind::Conflict, "others sign at the same time: try again").into())
    }
}
