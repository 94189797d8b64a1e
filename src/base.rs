//! The base, which every module may use: the clock, errors, languages, ranges of settings, ids
//! made from names, and files that are whole or absent.

pub mod clock;
pub mod error;
pub mod file;
pub mod id;
pub mod lang;
pub mod range;
pub mod time;
