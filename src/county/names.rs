//! Who and what is meant by the names in a sheet, by what the registers hold.

use super::sheet::Sheet;
use super::{duty_names, notices};
use crate::lang::Lang;
use crate::register::{Entries, Register};

/// Names become ids. A row that names nobody, or no ground, of the registers is rejected.
pub fn resolve(register: Register, sheet: &mut Sheet, current: &Entries, lang: Lang) {
    match register {
        Register::Duty => duty_names::resolve(sheet, current, lang),
        Register::Danger | Register::Signals | Register::Bans => {
            notices::resolve(sheet, current, lang);
        }
        Register::County
        | Register::Grids
        | Register::People
        | Register::Cameras
        | Register::Burns
        | Register::HeatSources
        | Register::Shift
        | Register::Policy => {}
    }
}
