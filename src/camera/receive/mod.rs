//! How pictures come in: one receiver a camera, whatever its kind (RTSP stream, web address, upload
//! folder, recording), and single pictures of main streams. Ends at the camera's slot.

mod drop_folder;
pub(super) mod first_picture;
pub(super) mod main_stream;
pub(super) mod open;
pub(super) mod open_files;
mod reading;
pub(super) mod receiver;
mod reconnect;
mod route;
pub(super) mod rtsp;
pub(super) mod runtime;
mod snapshot;
pub(super) mod times;
