//! What is written down beside the lists of the office: who has signed for the shift, and the rules
//! under which a desk has started.

use super::registry::Registry;
use super::{ATTEMPTS, leave_room};
use crate::error::{Error, Kind, Result};
use crate::register::{Author, Entry, Fact, History, Register, Shift};
use crate::triage::id::PersonId;
use crate::triage::policy::Policy;
use serde_json::Value;

impl Registry {
    /// Who has the shift.
    ///
    /// # Errors
    /// `Internal` when the log's entry cannot be read: nobody may take that for an empty room.
    pub fn shift(&self) -> Result<Option<Shift>> {
        self.shift_in(&self.registers().history())
    }

    fn shift_in(&self, history: &History) -> Result<Option<Shift>> {
        let value = history.entry(Register::Shift, "", self.clock.now());
        let read = value.map(|it| serde_json::from_value(it.clone())).transpose();
        read.map_err(|e| {
            Error::internal(
                "the log says who has the shift in a form that this version cannot read",
            )
            .because(e)
        })
    }

    /// Signs for the shift. `sign` decides on who has it now, and again if somebody was faster.
    ///
    /// # Errors
    /// The refusal of `sign`; `Conflict` when others sign all the time.
    pub async fn sign<R: From<Error>>(
        &self,
        by: &PersonId,
        sign: impl Fn(Option<&Shift>) -> std::result::Result<Shift, R> + Send,
    ) -> std::result::Result<Shift, R> {
        for attempt in 0..ATTEMPTS {
            self.follow().await?;
            let history = self.registers().history();
            let (held, seen) = (self.shift_in(&history)?, history.number());
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
                Err(e) if e.kind == Kind::Conflict => leave_room(attempt).await,
                Err(e) => return Err(e.into()),
            }
        }
        Err(Error::new(Kind::Conflict, "others sign at the same time: try again").into())
    }

    /// Writes down the policy that is in force from now on, unless it is already. Returns it with
    /// the number under which the log knows it, which events carry: the same rules have the same
    /// number, whenever they come back.
    pub async fn enforce(&self, policy: &Policy) -> Result<Policy> {
        for attempt in 0..ATTEMPTS {
            self.follow().await?;
            let (history, now) = (self.registers().history(), self.clock.now());
            let policy = Policy { version: number_of(policy, &history)?, ..policy.clone() };
            let value = rules(&policy)?;
            if history.entry(Register::Policy, "", now) == Some(&value) {
                return Ok(policy);
            }
            let fact = Fact::set(Register::Policy, Entry::of("", value));
            let why = self.lang.pick("以新的配置启动", "started with another configuration");
            match self.change(vec![fact], Author::Configuration, why, Some(history.number())).await
            {
                Ok(_) => return Ok(policy),
                Err(e) if e.kind == Kind::Conflict => leave_room(attempt).await,
                Err(e) => return Err(e),
            }
        }
        Err(Error::new(Kind::Conflict, "other desks write down their policies all the time"))
    }
}

fn rules(policy: &Policy) -> Result<Value> {
    serde_json::to_value(policy)
        .map_err(|e| Error::internal("the policy cannot be written as JSON").because(e))
}

/// The number of the same rules in the log; or the next one, at least what the configuration says.
fn number_of(policy: &Policy, history: &History) -> Result<u32> {
    let facts = history.changes().iter().flat_map(|change| &change.facts);
    let known = facts.filter(|fact| fact.register == Register::Policy);
    let mut next = policy.version;
    for value in known.filter_map(|fact| fact.entry.as_ref()) {
        let version = value.get("version").and_then(Value::as_u64);
        let Some(version) = version.and_then(|it| u32::try_from(it).ok()) else { continue };
        if rules(&Policy { version, ..policy.clone() })? == *value {
            return Ok(version);
        }
        next = next.max(version.saturating_add(1));
    }
    Ok(next)
}
