//! Pure: 复核意见, the second network's opinion of a confirmed place, before a phone rings
//! automatically.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Stands on the sighting, and so in the log: what was decided on it is decided again from there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Opinion {
    Given {
        /// That it is smoke, 0..=1.
        score: f32,
        /// The score is at least the threshold of the network.
        agrees: bool,
        /// Of the network that was asked.
        version: String,
    },
    /// It holds nothing back: the phone rings as if there were no second network.
    NotGiven { reason: Silence },
}

/// Why there is no opinion.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// The model has no second network.
    NoVerifier,
    /// It was trained on smoke only, and is not asked about flames.
    Fire,
    /// No picture of this view is old enough to compare with.
    NoPast,
    /// The network did not run, or gave no probability; the program's log has the cause.
    Failed,
}

impl Opinion {
    /// Its score, 0..=1, if it doubts.
    pub fn doubt(&self) -> Option<f32> {
        match self {
            Self::Given { score, agrees: false, .. } => Some(*score),
            _ => None,
        }
    }
}

impl Silence {
    /// As it is serialised.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoVerifier => "no_verifier",
            Self::Fire => "fire",
            Self::NoPast => "no_past",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_opinion_is_written_as_a_score_or_as_a_reason() {
        let given = Opinion::Given { score: 0.25, agrees: false, version: "1".to_owned() };
        assert_eq!(given.doubt(), Some(0.25));
        for (opinion, written) in [
            (given, json!({ "score": 0.25, "agrees": false, "version": "1" })),
            (Opinion::NotGiven { reason: Silence::NoPast }, json!({ "reason": "no_past" })),
        ] {
            assert_eq!(serde_json::to_value(&opinion).expect("JSON"), written);
            assert_eq!(serde_json::from_value::<Opinion>(written).expect("read"), opinion);
        }
        for reason in [Silence::NoVerifier, Silence::Fire, Silence::NoPast, Silence::Failed] {
            assert_eq!(serde_json::to_value(reason).expect("JSON"), reason.as_str());
        }
    }
}
