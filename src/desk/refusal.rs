//! Pure: why an input was not taken, in words.

use crate::error::{Error, Kind};
use crate::triage::incident::Refusal;

pub fn refused(refusal: Refusal) -> Error {
    let (kind, words) = match refusal {
        Refusal::Closed => (Kind::Conflict, "这起火情已销号，不能再改 / this incident is closed and stays so"),
        Refusal::NotDispatched => (Kind::Conflict, "还没有派发护林员 / no ranger has been sent yet"),
        Refusal::NotYours => (Kind::Forbidden, "这起火情没有派给您 / this incident was not sent to you"),
        Refusal::Incomplete => (Kind::Invalid, "请写明原因或附照片 / a reason or a photo is missing"),
        Refusal::NotReported => (Kind::Conflict, "还没有核查反馈 / nothing has been reported yet"),
        Refusal::NotHere => {
            (Kind::Conflict, "这起火情里已没有这一项，请刷新后再看 / this is no longer here: reload and look again")
        }
        Refusal::LastEvidence => (
            Kind::Conflict,
            "最后一条线索不能剔除或拆出，请改为销号 / the last piece of evidence stays: close the incident instead",
        ),
    };
    Error::new(kind, words)
}
