//! The one async runtime of this folder: sources that mostly wait (an RTSP session, a web address, a folder) share its threads,
//! so that 267 of them cost a handful. Decoding and judging never happen here.

use super::fault::Fault;
use std::future::Future;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// 267 RTSP sub-streams keep one busy for a tenth, main streams of 4 Mbit/s for a fifth; the second keeps one slow camera from
/// holding up the rest.
const THREADS: usize = 2;
/// Folders and names are looked up here. A share that hangs holds one of them; idle ones end after 10 s.
const BLOCKING_THREADS: usize = 8;

pub(super) fn runtime() -> Result<&'static Runtime, Fault> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let build = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(THREADS).max_blocking_threads(BLOCKING_THREADS).thread_name("camera-net").enable_all();
        builder.build().map_err(|e| e.to_string())
    };
    RUNTIME.get_or_init(build).as_ref().map_err(|why| Fault::Unreachable { why: why.clone() })
}

/// Work under way for one camera. Dropping it ends the work.
#[derive(Debug)]
pub(super) struct Job<T> {
    outcome: oneshot::Receiver<T>,
    abort: AbortHandle,
}

impl<T: Send + 'static> Job<T> {
    pub fn start(work: impl Future<Output = T> + Send + 'static) -> Result<Self, Fault> {
        let (done, outcome) = oneshot::channel();
        // Nobody listens any more: the receiver has been stopped.
        let task = runtime()?.spawn(async move { drop(done.send(work.await)) });
        Ok(Self { outcome, abort: task.abort_handle() })
    }

    /// For what waits on a disk.
    pub fn start_blocking(work: impl FnOnce() -> T + Send + 'static) -> Result<Self, Fault> {
        let (done, outcome) = oneshot::channel();
        let task = runtime()?.spawn_blocking(move || drop(done.send(work())));
        Ok(Self { outcome, abort: task.abort_handle() })
    }

    /// None while it runs; `Some(None)` when it ended without an outcome, which only a panic does.
    pub fn poll(&mut self) -> Option<Option<T>> {
        match self.outcome.try_recv() {
            Ok(outcome) => Some(Some(outcome)),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(None),
        }
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}
