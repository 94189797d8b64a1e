//! The duty officer: the board and its queue, and what people do to an incident.

pub(super) mod board;
pub(super) mod cap;
pub(super) mod export;
pub(super) mod incident;
pub(super) mod people;
pub(super) mod queue;
pub(super) mod registers;
pub(super) mod shift;
pub(super) mod sorting;
pub(super) mod theirs;
pub(super) mod told;
