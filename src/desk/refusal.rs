//! Pure: why an input was refused, in words and as a code. `conflict` is reserved for what a repeat
//! can fix: a phone resends on it, and treats only `closed` as done.

use crate::error::{Code, Error, Kind};
use crate::lang::Words;
use crate::triage::incident::Refusal;

/// The state does not allow it, and a repeat will not change that.
const NOT_NOW: Option<Code> = Some(Code::NotNow);

pub(super) fn refused(refusal: Refusal) -> Error {
    let (kind, code, (zh, en)) = match refusal {
        Refusal::Closed => (
            Kind::Conflict,
            Some(Code::Closed),
            ("这起火情已销号，不能再改", "this incident is closed and cannot be changed"),
        ),
        Refusal::KeyReused => (
            Kind::Conflict,
            Some(Code::KeyReused),
            (
                "此操作编号已用于另一操作，请重新操作",
                "this action's key was already used for another one: please repeat the action",
            ),
        ),
        Refusal::NotDispatched => {
            (Kind::Conflict, NOT_NOW, ("还没有派发护林员", "no ranger has been sent yet"))
        }
        Refusal::NotReported => {
            (Kind::Conflict, NOT_NOW, ("还没有核查反馈", "nothing has been reported yet"))
        }
        Refusal::NotHere => (
            Kind::Conflict,
            NOT_NOW,
            (
                "这起火情里已没有这一项，请刷新后再看",
                "this item is no longer in the incident: reload the page",
            ),
        ),
        Refusal::LastEvidence => (
            Kind::Conflict,
            NOT_NOW,
            (
                "最后一条线索不能剔除或拆出，请改为销号",
                "the last sighting cannot be struck out or split off: close the incident instead",
            ),
        ),
        Refusal::StillBurning => (
            Kind::Conflict,
            Some(Code::StillBurning),
            (
                "最近一次反馈是未扑灭：销号须写明谁确认、现在情况如何",
                "the last report says that the fire is not out: say who confirms that it is over, \
                and what the situation is",
            ),
        ),
        Refusal::NotYours => {
            (Kind::Forbidden, None, ("这起火情没有派给您", "you were not sent to this incident"))
        }
        Refusal::Incomplete => {
            (Kind::Invalid, None, ("请写明原因或附照片", "please give a reason or add a photo"))
        }
    };
    let error = Error::new(kind, Words::new(zh, en));
    match code {
        Some(code) => error.coded(code),
        None => error,
    }
}
