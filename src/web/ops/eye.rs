//! The loaded model in the reader's language: its name, the licence of its weights, and how many
//! cameras this machine holds.

use crate::frame::{Capacity, Eye, Licence, Screening};
use crate::lang::Lang;
use crate::triage::detection::ModelVersion;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct EyeView {
    model: ModelVersion,
    /// Null: none is stated.
    licence: Option<LicenceView>,
    /// Null: a look could not be measured.
    capacity: Option<Capacity>,
    /// Cameras of the register.
    registered: usize,
    /// Seconds from one look at a camera to the next with all that are registered; null: as often
    /// as asked.
    stretched_s: Option<f64>,
    /// Null: no screening network has looked.
    screening: Option<Screening>,
}

#[derive(Serialize, ToSchema)]
struct LicenceView {
    name: String,
    note: String,
}

impl EyeView {
    pub(super) fn new(
        Eye { model, licence, capacity }: Eye,
        screening: Option<Screening>,
        registered: usize,
        lang: Lang,
    ) -> Self {
        let note = |Licence { name, note_zh, note_en }: Licence| LicenceView {
            name,
            note: match lang {
                Lang::Zh => note_zh,
                Lang::En => note_en,
            },
        };
        let stretched_s = capacity.as_ref().and_then(|capacity| capacity.stretched_s(registered));
        Self { model, licence: licence.map(note), capacity, registered, stretched_s, screening }
    }
}
