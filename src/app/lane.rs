//! Work that must not be lost and must not hold up other work: a bounded queue of its own, each piece tried until it is done.

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// What could not be done is tried again so often: a full disk with room again is used within seconds.
const RETRY_EVERY: Duration = Duration::from_secs(2);
/// A piece that fails for its own sake so often is set aside: the others are not to wait for it for ever.
const TRIES: u32 = 30;

/// One lane. It survives a panic of whoever works in it: what waits, waits on.
pub struct Lane<T> {
    from: mpsc::Receiver<T>,
    waiting: VecDeque<(Arc<T>, u32)>,
    /// At most so many wait; beyond that whoever hands over waits, too.
    bound: usize,
}

/// How a round went, for the board.
pub struct Round<'a> {
    pub waiting: usize,
    /// Why the last piece that waits could not be done.
    pub why: Option<&'a Error>,
    /// Set aside for good.
    pub given_up: usize,
}

impl<T> Lane<T> {
    pub fn new(bound: usize) -> (mpsc::Sender<T>, Arc<Mutex<Self>>) {
        let (to, from) = mpsc::channel(bound);
        (to, Arc::new(Mutex::new(Self { from, waiting: VecDeque::new(), bound })))
    }

    /// Works until nobody hands over any more and nothing waits; when the program stops, what waits is tried once more.
    pub async fn run<F: Future<Output = Result<()>>>(
        &mut self,
        clock: &Clock,
        stopped: impl Future<Output = ()>,
        work: impl Fn(Arc<T>) -> F,
        told: impl Fn(Round<'_>),
    ) {
        let (mut stopped, mut open, mut going_on) = (pin!(stopped), true, true);
        while going_on && (open || !self.waiting.is_empty()) {
            tokio::select! {
                next = self.from.recv(), if open && self.waiting.len() < self.bound => match next {
                    Some(next) => self.waiting.push_back((Arc::new(next), 0)),
                    None => open = false,
                },
                () = clock.sleep(RETRY_EVERY), if !self.waiting.is_empty() => {}
                () = &mut stopped => going_on = false,
            }
            while let Ok(next) = self.from.try_recv() {
                self.waiting.push_back((Arc::new(next), 0));
            }
            self.round(&work, &told).await;
        }
    }

    async fn round<F: Future<Output = Result<()>>>(&mut self, work: impl Fn(Arc<T>) -> F, told: impl Fn(Round<'_>)) {
        let (mut why, mut given_up) = (None, 0);
        for _ in 0..self.waiting.len() {
            // Taken out first: one that makes us panic shall not do it again and again.
            let Some((piece, tries)) = self.waiting.pop_front() else { break };
            match work(Arc::clone(&piece)).await {
                Ok(()) => {}
                Err(e) if e.kind.is_retryable() || tries + 1 < TRIES => {
                    // What is out of order for one is out of order for all: the rest of the round is spared.
                    let is_over = e.kind == Kind::Unavailable;
                    let back = (piece, if is_over { tries } else { tries + 1 });
                    why = Some(e);
                    if is_over {
                        self.waiting.push_front(back);
                        break;
                    }
                    self.waiting.push_back(back);
                }
                Err(e) => {
                    tracing::error!("set aside after {TRIES} tries: {}", e.chain());
                    given_up += 1;
                    why = Some(e);
                }
            }
        }
        told(Round { waiting: self.waiting.len(), why: why.as_ref(), given_up });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::future::pending;

    fn clock() -> Clock {
        Clock::simulated("2026-04-05T00:00:00Z".parse().expect("a time"))
    }

    /// The disk is full for some rounds: nothing is lost, the order stays, the board hears it and hears when it is over.
    #[tokio::test]
    async fn what_cannot_be_done_waits_in_order_and_is_done_once() {
        let (to, lane) = Lane::new(8);
        (0..5).for_each(|n| to.try_send(n).expect("room"));
        drop(to);
        let (done, told, full) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()), RefCell::new(3));
        let work = async |n: Arc<i32>| {
            if *n >= 2 && *full.borrow() > 0 {
                *full.borrow_mut() -= 1;
                return Err(Error::unavailable("full"));
            }
            done.borrow_mut().push(*n);
            Ok(())
        };
        let mut lane = lane.lock().await;
        lane.run(&clock(), pending(), work, |it| told.borrow_mut().push((it.waiting, it.why.is_some()))).await;
        // Nobody hands over any more, but the work is not done: the program only stops when told to.
        assert_eq!(
            (done.into_inner(), told.into_inner()),
            (vec![0, 1, 2, 3, 4], vec![(3, true), (3, true), (3, true), (0, false)])
        );
    }

    /// One bad piece holds up nobody, and is set aside in the end.
    #[tokio::test]
    async fn a_piece_that_fails_for_its_own_sake_holds_up_no_other() {
        let (to, lane) = Lane::new(8);
        ["bad", "good", "fine"].into_iter().for_each(|it| to.try_send(it).expect("room"));
        drop(to);
        let (done, given_up) = (RefCell::new(Vec::new()), RefCell::new(0));
        let work = async |it: Arc<&'static str>| {
            if *it == "bad" {
                return Err(Error::internal("bad"));
            }
            done.borrow_mut().push(*it);
            Ok(())
        };
        lane.lock().await.run(&clock(), pending(), work, |it| *given_up.borrow_mut() += it.given_up).await;
        assert_eq!((done.into_inner(), given_up.into_inner()), (vec!["good", "fine"], 1));
    }
}
