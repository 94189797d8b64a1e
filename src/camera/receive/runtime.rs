//! The one async runtime of this folder. Sources that mostly wait (an RTSP session, a web address,
//! a folder) share its few threads, 267 of them as well as one. Decoding and judging never run
//! here.

use crate::camera::fault::Fault;
use crate::clock::{Clock, Heartbeat};
use parking_lot::{Mutex, MutexGuard};
use std::future::Future;
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// 267 RTSP sub-streams keep one thread 10 % busy, main streams of 4 Mbit/s 20 %. The second thread
/// keeps one slow camera from delaying the others.
const THREADS_EACH: usize = 2;
/// Folders and host names are looked up on these threads. A hanging network share blocks one of
/// them. Idle ones end after 10 s.
const BLOCKING_THREADS: usize = 8;
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// When neither thread has made progress for this time, both are blocked by work that does not end.
/// Handling a picture takes milliseconds.
const STUCK_AFTER: Duration = Duration::from_secs(30);
/// Blocked threads cannot be ended, only abandoned: two per rebuild, 16 at most. After that the
/// fault lies in this machine, and the cameras report it.
const REBUILDS_MAX: u32 = 8;

static THREADS: Threads = Threads(Mutex::new(None));

/// Where the sources of this folder run.
pub(super) fn runtime() -> Result<Handle, Fault> {
    THREADS.handle()
}

/// Replaces threads that are stuck. The sources that ran on them fail or fall silent, and are
/// reconnected like any other.
pub(crate) fn revive() {
    if THREADS.revive(STUCK_AFTER) {
        tracing::error!("the camera network threads were blocked and have been replaced");
        metrics::counter!("huoyan_tasks_restarted_total", "task" => "camera-net").increment(1);
    }
}

struct Threads(Mutex<Option<Running>>);

struct Running {
    runtime: Runtime,
    /// Updated by a task of its own.
    heart: Heartbeat,
    rebuilds: u32,
}

impl Threads {
    fn handle(&self) -> Result<Handle, Fault> {
        let mut threads = self.lock();
        let running = match &mut *threads {
            Some(running) => running,
            none => none.insert(Running::start(0).map_err(|why| {
                tracing::error!("the camera network threads cannot be started: {why}");
                Fault::Crashed
            })?),
        };
        Ok(running.runtime.handle().clone())
    }

    /// True when the threads were stuck and have been replaced.
    fn revive(&self, stuck_after: Duration) -> bool {
        let mut threads = self.lock();
        let is_stuck =
            |it: &&mut Running| it.heart.silent_for() > stuck_after && it.rebuilds < REBUILDS_MAX;
        let Some(running) = threads.as_mut().filter(is_stuck) else { return false };
        // If no new threads can be started, the old ones stay, and the next check tries again.
        let Ok(next) = Running::start(running.rebuilds + 1) else { return false };
        std::mem::replace(running, next).runtime.shutdown_background();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock()
    }
}

impl Running {
    fn start(rebuilds: u32) -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(THREADS_EACH)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("camera-net");
        let (runtime, heart) = (builder.enable_all().build()?, Heartbeat::default());
        let beats = heart.clone();
        runtime.spawn(async move {
            loop {
                beats.beat();
                Clock::System.sleep(BEAT_EVERY).await;
            }
        });
        Ok(Self { runtime, heart, rebuilds })
    }
}

/// Work under way for one camera. Dropping it ends the work.
#[derive(Debug)]
pub(super) struct Job<T> {
    outcome: oneshot::Receiver<T>,
    abort: AbortHandle,
}

impl<T: Send + 'static> Job<T> {
    pub(super) fn start(work: impl Future<Output = T> + Send + 'static) -> Result<Self, Fault> {
        let (done, outcome) = oneshot::channel();
        // A send error means that the receiver has been stopped and nobody waits for the result.
        let task = runtime()?.spawn(async move { drop(done.send(work.await)) });
        Ok(Self { outcome, abort: task.abort_handle() })
    }

    /// For work that blocks on a disk.
    pub(super) fn start_blocking(work: impl FnOnce() -> T + Send + 'static) -> Result<Self, Fault> {
        let (done, outcome) = oneshot::channel();
        let task = runtime()?.spawn_blocking(move || drop(done.send(work())));
        Ok(Self { outcome, abort: task.abort_handle() })
    }

    /// None while it runs. Error: it ended without a result, by a panic or because its threads were
    /// replaced.
    pub(super) fn poll(&mut self) -> Option<Result<T, Fault>> {
        match self.outcome.try_recv() {
            Ok(outcome) => Some(Ok(outcome)),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(Fault::Crashed)),
        }
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

    const SOON: Duration = Duration::from_secs(5);

    /// Holds one thread until the other end is dropped.
    fn hold(runtime: &Handle, held: Sender<()>) -> Sender<()> {
        let (release, released): (Sender<()>, Receiver<()>) = channel();
        runtime.spawn(async move {
            let _ = held.send(());
            let _ = released.recv();
        });
        release
    }

    fn works(runtime: &Handle) -> bool {
        let (done, outcome) = sync_channel(1);
        runtime.spawn(async move { done.send(()) });
        outcome.recv_timeout(SOON).is_ok()
    }

    #[test]
    fn threads_that_are_stuck_are_replaced_and_the_cameras_go_on() {
        let threads = Threads(Mutex::new(None));
        let first = threads.handle().expect("threads");
        assert!(works(&first) && !threads.revive(SOON), "who works is left alone");
        let (held, are_held) = channel();
        let _held: Vec<_> = (0..THREADS_EACH).map(|_| hold(&first, held.clone())).collect();
        for _ in 0..THREADS_EACH {
            are_held.recv_timeout(SOON).expect("both threads are held");
        }
        Clock::System.sleep_blocking(Duration::from_millis(50));
        assert!(threads.revive(Duration::from_millis(20)));
        assert!(works(&threads.handle().expect("threads")), "others have taken over");
    }

    #[test]
    fn a_machine_on_which_threads_get_stuck_again_and_again_is_not_filled_with_them() {
        let threads = Threads(Mutex::new(None));
        threads.handle().expect("threads");
        let replaced = (0..2 * REBUILDS_MAX).filter(|_| threads.revive(Duration::ZERO)).count();
        assert_eq!(replaced, REBUILDS_MAX as usize);
    }

    #[test]
    fn work_that_panics_is_over_and_says_so() {
        let mut job = Job::<()>::start(async { panic!("as a test asks it to") }).expect("threads");
        let outcome = loop {
            if let Some(outcome) = job.poll() {
                break outcome;
            }
            Clock::System.sleep_blocking(Duration::from_millis(5));
        };
        assert_eq!(outcome, Err(Fault::Crashed));
    }
}
