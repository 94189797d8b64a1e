//! 报表: what the office must hand in, and what a model can learn from, as text made from
//! incidents. Drills are always counted apart.

pub mod cap;
mod category;
mod daily;
pub mod export;
pub mod training;

pub use category::{Category, categories, category};
pub use daily::{Daily, Rate};
