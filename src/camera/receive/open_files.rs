//! How many files and sockets the process may hold open. The usual soft limit of 1024 is too low
//! for a county of cameras. Raising it up to the hard limit needs no privilege.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files of one camera. Its socket and the two ends of its pipeline's message bus make 3, rtspsrc 4
/// (measured with 64 cameras). During a reconnect the old socket may still be open.
const A_CAMERA: u64 = 6;

/// Files of the database, decoders, model, gateways and picture reads. Browsers must not take
/// these.
const OWN: u64 = 256;

/// Files of browser connections.
const BROWSERS: u64 = 768;

/// Files of everything but cameras.
const OTHERS: u64 = OWN + BROWSERS;

/// Connections left for browsers beside this number of cameras: 768, or fewer where the limit of
/// open files is lower.
pub fn left_for_browsers(cameras: usize) -> usize {
    left_of(getrlimit(Resource::Nofile).current, cameras)
}

fn left_of(limit: Option<u64>, cameras: usize) -> usize {
    let left =
        limit.map_or(BROWSERS, |limit| limit.saturating_sub(OWN + cameras as u64 * A_CAMERA));
    left.clamp(BROWSERS_MIN, BROWSERS) as usize
}

/// Files of one county of a centre: its NATS connection, four of PostgreSQL, a picture being read.
const A_COUNTY: u64 = 8;

/// Connections for the browsers of so many counties: 768 each and as many for the centre's own
/// pages, or what the machine allows.
pub fn allow_counties(counties: usize) -> usize {
    let counties = counties as u64;
    let own = OWN + counties * A_COUNTY;
    let limits = getrlimit(Resource::Nofile);
    let needed = own + (counties + 1) * BROWSERS;
    if let Some(raised) = raised(limits.current, limits.maximum, needed) {
        let limit = Rlimit { current: Some(raised), maximum: limits.maximum };
        match setrlimit(Resource::Nofile, limit) {
            Ok(()) if raised >= needed => {}
            _ => tracing::warn!(
                needed,
                counties,
                "too few open files are allowed for the browsers of so many counties: set \
                LimitNOFILE={needed} in the service, or raise `ulimit -Hn`"
            ),
        }
    }
    let left = getrlimit(Resource::Nofile).current.map_or(needed, |limit| limit.min(needed));
    left.saturating_sub(own).max(BROWSERS_MIN) as usize
}

/// Browsers keep this number of connections, however low the limit is.
const BROWSERS_MIN: u64 = 32;

/// Raises the soft limit to the need of `cameras`. If the hard limit is lower, it is raised to
/// that, and the log says what to do. Cameras that then find no socket report it on the board.
pub(crate) fn allow(cameras: usize) {
    let limits = getrlimit(Resource::Nofile);
    let needed = OTHERS + cameras as u64 * A_CAMERA;
    let Some(raised) = raised(limits.current, limits.maximum, needed) else { return };
    if let Err(e) =
        setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limits.maximum })
    {
        tracing::warn!(
            needed,
            cameras,
            "the limit of open files cannot be raised ({e}): set LimitNOFILE={needed}"
        );
    } else if raised < needed {
        tracing::warn!(
            needed,
            allowed = raised,
            cameras,
            "too few open files are allowed for these cameras: set LimitNOFILE={needed} in the \
            service, or raise `ulimit -Hn`"
        );
    }
}

/// The new soft limit. None when the present one is enough. A limit of None is unlimited.
fn raised(soft: Option<u64>, hard: Option<u64>, needed: u64) -> Option<u64> {
    soft.filter(|soft| *soft < needed).map(|_| hard.map_or(needed, |hard| hard.min(needed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_needed_and_possible() {
        for (soft, hard, expected) in [
            (Some(1024), Some(524_288), Some(2626)),
            (Some(1024), None, Some(2626)),
            (Some(1024), Some(2000), Some(2000)),
            (Some(65_536), Some(524_288), None),
            (None, None, None),
        ] {
            assert_eq!(raised(soft, hard, OTHERS + 267 * A_CAMERA), expected, "{soft:?} {hard:?}");
        }
    }

    #[test]
    fn browsers_get_what_cameras_and_database_leave() {
        for (limit, cameras, left) in [
            (None, 267, 768),
            (Some(524_288), 267, 768),
            (Some(1024), 0, 768),
            (Some(1024), 64, 384),
            (Some(1024), 267, 32),
        ] {
            assert_eq!(left_of(limit, cameras), left, "{limit:?} {cameras}");
        }
    }

    #[test]
    fn this_process_may_open_what_three_hundred_cameras_need() {
        allow(300);
        let limits = getrlimit(Resource::Nofile);
        let needed = OTHERS + 300 * A_CAMERA;
        assert!(
            limits.current.is_none_or(|soft| soft >= needed.min(limits.maximum.unwrap_or(needed))),
            "{limits:?}"
        );
    }
}
