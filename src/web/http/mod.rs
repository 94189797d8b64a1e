//! What every page needs and no page owns: connections, limits, logins and sessions, files, errors,
//! and the description of the API.

pub(super) mod auth;
mod client_ip;
pub(super) mod connections;
pub(super) mod error;
pub(super) mod files;
pub(super) mod json;
pub(super) mod limits;
pub(super) mod login;
pub(super) mod me;
pub(super) mod openapi;
pub(super) mod pages;
pub(super) mod rights;
pub(super) mod secret;
pub(super) mod session;
pub(super) mod shares;
