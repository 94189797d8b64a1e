//! Work that must not be lost and must not delay other work: a bounded queue of its own, each piece
//! retried until it is done.

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use std::collections::VecDeque;
use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// Interval between retries: short, so that space on a full disk is used within seconds.
const RETRY_EVERY: Duration = Duration::from_secs(2);

/// One queue of work. It survives a panic of its worker, with every piece in it.
pub struct Lane<T> {
    from: mpsc::Receiver<T>,
    waiting: VecDeque<Arc<T>>,
    /// Capacity of `waiting`. The channel holds as many again. Beyond that the sender waits or is
    /// refused.
    bound: usize,
}

/// The result of a round, for the board.
pub struct LaneState<'a> {
    pub waiting: usize,
    /// Why the last waiting piece failed.
    pub why: Option<&'a Error>,
}

impl<T> Lane<T> {
    pub fn new(bound: usize) -> (mpsc::Sender<T>, Arc<Mutex<Self>>) {
        let (to, from) = mpsc::channel(bound);
        (to, Arc::new(Mutex::new(Self { from, waiting: VecDeque::new(), bound })))
    }

    /// Works until the senders are gone and nothing waits. When the program stops, waiting pieces
    /// are tried once more.
    pub async fn run<F: Future<Output = Result<()>>>(
        &mut self,
        clock: &Clock,
        stopped: impl Future<Output = ()>,
        work: impl Fn(Arc<T>) -> F,
        told: impl Fn(LaneState<'_>),
    ) {
        let (mut stopped, mut open, mut going_on) = (pin!(stopped), true, true);
        // While something waits, a pause until the next retry; new pieces do not shorten it. After
        // a panic something may wait already.
        type Pause<'a> = Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>;
        let until_next =
            |waits: bool| -> Pause<'_> { waits.then(|| Box::pin(clock.sleep(RETRY_EVERY)) as _) };
        let mut pause = until_next(!self.waiting.is_empty());
        while going_on && (open || !self.waiting.is_empty()) {
            let again = async {
                match pause.as_mut() {
                    Some(pause) => pause.await,
                    None => pending().await,
                }
            };
            // With nothing waiting, a new piece is worked on at once.
            let mut is_time = self.waiting.is_empty();
            tokio::select! {
                next = self.from.recv(), if open && self.waiting.len() < self.bound => match next {
                    Some(next) => self.waiting.push_back(Arc::new(next)),
                    None => open = false,
                },
                () = again => is_time = true,
                () = &mut stopped => going_on = false,
            }
            while (self.waiting.len() < self.bound || !going_on)
                && let Ok(next) = self.from.try_recv()
            {
                self.waiting.push_back(Arc::new(next));
            }
            if is_time || !going_on {
                self.round(&work, &told).await;
                pause = until_next(!self.waiting.is_empty());
            }
        }
    }

    async fn round<F: Future<Output = Result<()>>>(
        &mut self,
        work: impl Fn(Arc<T>) -> F,
        told: impl Fn(LaneState<'_>),
    ) {
        let mut why = None;
        for _ in 0..self.waiting.len() {
            // Moved to the end before the work starts. After a panic the others then go first, and
            // the piece is not lost.
            self.waiting.rotate_left(1);
            let Some(piece) = self.waiting.back().cloned() else { break };
            let Err(e) = work(piece).await else {
                self.waiting.pop_back();
                continue;
            };
            let is_over = e.kind == Kind::Unavailable;
            why = Some(e);
            if is_over {
                // This failure affects all pieces: the rest of the round is skipped, and the order
                // is kept.
                self.waiting.rotate_right(1);
                break;
            }
        }
        told(LaneState { waiting: self.waiting.len(), why: why.as_ref() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn clock() -> Clock {
        Clock::simulated("2026-04-05T00:00:00Z".parse().expect("a time"))
    }

    /// The disk is full for some rounds: nothing is lost, the order is kept, and the board hears
    /// when it begins and ends.
    #[tokio::test]
    async fn what_cannot_be_done_waits_in_order_and_is_done_once() {
        let (to, lane) = Lane::new(8);
        (0..5).for_each(|n| to.try_send(n).expect("room"));
        drop(to);
        let (done, told, full) =
            (RefCell::new(Vec::new()), RefCell::new(Vec::new()), RefCell::new(3));
        let work = async |n: Arc<i32>| {
            if *n >= 2 && *full.borrow() > 0 {
                *full.borrow_mut() -= 1;
                return Err(Error::unavailable("full"));
            }
            done.borrow_mut().push(*n);
            Ok(())
        };
        let mut lane = lane.lock().await;
        lane.run(&clock(), pending(), work, |it| {
            told.borrow_mut().push((it.waiting, it.why.is_some()))
        })
        .await;
        // The sender is gone, but the work is not done: the program only stops when told to.
        assert_eq!(done.into_inner(), [0, 1, 2, 3, 4]);
        assert_eq!(told.into_inner(), [(3, true), (3, true), (3, true), (0, false)]);
    }

    /// One bad piece blocks no other, and is not dropped.
    #[tokio::test]
    async fn a_piece_that_fails_for_its_own_sake_holds_up_no_other() {
        let (to, lane) = Lane::new(8);
        ["bad", "good", "fine"].into_iter().for_each(|it| to.try_send(it).expect("room"));
        drop(to);
        let (done, bad) = (RefCell::new(Vec::new()), RefCell::new(9));
        let work = async |it: Arc<&'static str>| {
            if *it == "bad" && *bad.borrow() > 0 {
                *bad.borrow_mut() -= 1;
                return Err(Error::internal("bad"));
            }
            done.borrow_mut().push(*it);
            Ok(())
        };
        lane.lock().await.run(&clock(), pending(), work, |_| {}).await;
        assert_eq!(done.into_inner(), ["good", "fine", "bad"]);
    }

    /// The worker panics over one piece and is restarted: the others are done first, and that one
    /// is tried again.
    #[tokio::test]
    async fn a_panic_loses_no_piece() {
        let (to, lane) = Lane::new(8);
        ["first", "bad", "last"].into_iter().for_each(|it| to.try_send(it).expect("room"));
        drop(to);
        let (done, panics) =
            (Arc::new(std::sync::Mutex::new(Vec::new())), Arc::new(std::sync::Mutex::new(1)));
        for dies in [true, false] {
            let (lane, done, panics) = (Arc::clone(&lane), Arc::clone(&done), Arc::clone(&panics));
            let worker = tokio::spawn(async move {
                let work = async |it: Arc<&'static str>| {
                    let dies =
                        *it == "bad" && std::mem::take(&mut *panics.lock().expect("whole")) > 0;
                    assert!(!dies, "dies over it");
                    done.lock().expect("whole").push(*it);
                    Ok(())
                };
                lane.lock().await.run(&clock(), pending(), work, |_| {}).await;
            });
            assert_eq!(worker.await.is_err(), dies);
        }
        assert_eq!(*done.lock().expect("whole"), ["first", "last", "bad"]);
    }

    /// However long the disk is full, no more pieces wait than the bound, and as many again in the
    /// channel.
    #[tokio::test(start_paused = true)]
    async fn whoever_hands_over_waits_when_the_lane_is_full() {
        const BOUND: usize = 4;
        let (to, lane) = Lane::new(BOUND);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (clock, full, done) = (Clock::System, RefCell::new(true), RefCell::new(0));
        let work = async |_: Arc<usize>| {
            if *full.borrow() {
                return Err(Error::unavailable("full"));
            }
            *done.borrow_mut() += 1;
            Ok(())
        };
        let mut lane = lane.lock().await;
        let working = lane
            .run(&clock, async { drop(stopped.await) }, work, |it| assert!(it.waiting <= BOUND));
        let handing_over = async {
            let mut handed_over = 0;
            for _ in 0..60 {
                handed_over += usize::from(to.try_send(handed_over).is_ok());
                Clock::System.sleep(Duration::from_secs(1)).await;
            }
            assert_eq!(handed_over, 2 * BOUND, "a minute of tries");
            *full.borrow_mut() = false;
            Clock::System.sleep(2 * RETRY_EVERY).await;
            drop(stop);
            handed_over
        };
        let ((), handed_over) = tokio::join!(working, handing_over);
        assert_eq!(done.into_inner(), handed_over, "and each is done");
    }
}
