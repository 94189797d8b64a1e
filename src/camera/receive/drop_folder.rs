//! A folder into which a camera uploads its pictures (FTP, SFTP, a recorder's export). Takes the
//! newest complete picture, each once. Files are only read; deleting old ones is left to the office
//! or the FTP server.
//!
//! The folder is polled. Change notices (inotify) do not cross network shares, miss what other
//! machines write, and would need a watch on every day's new subfolder. Asking a folder whether it
//! has changed costs microseconds.

mod follow;

use super::reconnect::{Gap, judge_silence};
use super::runtime::Job;
use crate::camera::fault::Fault;
use crate::camera::fault::delivery::Delivery;
use crate::camera::keyframe::Keyframe;
use crate::camera::turn::slots::Slots;
use follow::{Follower, Newest, Poll};
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;

/// The shortest interval between two polls of a folder, even when the camera is overdue.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// A picture taken this long before it arrived does not show the present. Evidence of smoke an hour
/// ago would send people to where it was. Uploads over a slow line take minutes.
const OLD_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// One camera that uploads.
pub(super) struct DropFolder {
    folder: PathBuf,
    opened_at: Timestamp,
    looked_at: Timestamp,
    newest: Option<Newest>,
    /// None while a poll is under way.
    follower: Option<Follower>,
    look: Option<Job<(Follower, Result<Poll, Fault>)>>,
}

impl DropFolder {
    pub(super) fn open(folder: PathBuf, now: Timestamp) -> Self {
        let follower = Some(Follower::new(folder.clone()));
        Self {
            folder,
            opened_at: now,
            looked_at: Timestamp::UNIX_EPOCH,
            newest: None,
            follower,
            look: None,
        }
    }

    /// Polls the folder when a picture is wanted. Reports when none has come for too long.
    pub(super) fn feed(
        &mut self,
        slots: &Arc<Slots>,
        index: usize,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if let Some(outcome) = self.look.as_mut().and_then(Job::poll) {
            self.look = None;
            let (follower, look) = outcome?;
            self.follower = Some(follower);
            match look {
                Ok(look) => self.take(look, slots, index, now),
                Err(
                    fault @ Fault::Delivery(
                        Delivery::TooLarge { .. }
                        | Delivery::NotAPictureFile { .. }
                        | Delivery::TornFile { .. },
                    ),
                ) => {
                    slots.set_link(index, fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        let is_due = now.duration_since(self.looked_at) >= LOOK_EVERY;
        if is_due
            && slots.wants(index, now)
            && let Some(mut follower) = self.follower.take()
        {
            self.looked_at = now;
            self.look = Some(Job::start_blocking(move || {
                let look = follower.look(now);
                (follower, look)
            })?);
        }
        self.judge(slots, index, now);
        Ok(())
    }

    /// A picture that was there before the program started, or was taken long before it arrived,
    /// updates only the camera's status.
    fn take(&mut self, look: Poll, slots: &Slots, index: usize, now: Timestamp) {
        if let (Some(newest), Some(bytes)) = (&look.newest, look.bytes) {
            let has_just_come = now.duration_since(newest.arrived_at) < slots.config.offline_after;
            if has_just_come && newest.arrived_at.duration_since(newest.taken_at) < OLD_AFTER {
                slots.put(index, Keyframe::from_image_bytes(newest.taken_at, bytes));
            }
        }
        self.newest = look.newest.or(self.newest.take());
    }

    fn judge(&self, slots: &Slots, index: usize, now: Timestamp) {
        let came_at = self.newest.as_ref().map_or(self.opened_at, |newest| newest.arrived_at);
        let config = &slots.config;
        match judge_silence(now, came_at, came_at, config.late_after, config.offline_after) {
            Gap::Fine | Gap::RareKeyframes => {}
            Gap::Late => return slots.set_link(index, self.silent(now, came_at, false)),
            Gap::Offline => return slots.set_link(index, self.silent(now, came_at, true)),
        }
        if let Some(newest) =
            self.newest.as_ref().filter(|it| it.arrived_at.duration_since(it.taken_at) >= OLD_AFTER)
        {
            let minutes = newest.arrived_at.duration_since(newest.taken_at).as_mins();
            slots.set_link(
                index,
                Delivery::OldPicture { file: newest.file.clone(), minutes }.into(),
            );
        }
    }

    fn silent(&self, now: Timestamp, since: Timestamp, offline: bool) -> Fault {
        let seconds = now.duration_since(since).as_secs();
        let folder = self.folder.clone();
        Fault::Delivery(match self.newest {
            Some(_) => Delivery::NothingNew { folder, seconds, offline },
            None => Delivery::NothingYet { folder, offline },
        })
    }
}
