//! Pure: settings with a first and a last value. Each is refused with its key, what it is, what it
//! may be, and an example.

use super::lang::Words;
use jiff::SignedDuration;
use jiff::fmt::friendly::{Direction, SpanPrinter};
use std::ops::RangeInclusive;

/// A value outside of its range, in words.
///
/// `usual` is the default: the example.
pub fn within<T: Setting>(
    key: &str,
    value: T,
    range: RangeInclusive<T>,
    usual: T,
) -> Result<(), Words> {
    // NaN lies in no range.
    if range.contains(&value) {
        return Ok(());
    }
    let [value, first, last, usual] =
        [&value, range.start(), range.end(), &usual].map(Setting::as_written);
    Err(Words::new(
        format!("{key} = {value} 超出范围：应在 {first} 到 {last} 之间，例如 {usual}"),
        format!(
            "{key} = {value} is out of range: it must lie between {first} and {last}, for \
            example {usual}"
        ),
    ))
}

/// One value must not be smaller than another.
pub fn at_least<T: Setting>(key: &str, value: T, other: &str, least: T) -> Result<(), Words> {
    if value >= least {
        return Ok(());
    }
    let [value, least] = [&value, &least].map(Setting::as_written);
    Err(Words::new(
        format!("{key} = {value} 小于 {other} = {least}：请改大前者，或改小后者"),
        format!(
            "{key} = {value} is less than {other} = {least}: raise the first or lower the \
            second"
        ),
    ))
}

/// One value must be greater than another.
pub fn more_than<T: Setting>(key: &str, value: T, other: &str, than: T) -> Result<(), Words> {
    if value > than {
        return Ok(());
    }
    let [value, than] = [&value, &than].map(Setting::as_written);
    Err(Words::new(
        format!("{key} = {value} 应大于 {other} = {than}：请改大前者，或改小后者"),
        format!(
            "{key} = {value} must be more than {other} = {than}: raise the first or lower the \
            second"
        ),
    ))
}

/// A number, a count or a duration.
pub trait Setting: PartialOrd {
    /// As in `huoyan.toml`.
    fn as_written(&self) -> String;
}

impl Setting for SignedDuration {
    fn as_written(&self) -> String {
        format!("\"{}\"", SpanPrinter::new().direction(Direction::Sign).duration_to_string(self))
    }
}

macro_rules! plain {
    ($($number:ty),+) => {$(
        impl Setting for $number {
            fn as_written(&self) -> String { self.to_string() }
        }
    )+};
}
plain!(u32, usize);

macro_rules! with_a_point {
    ($($number:ty),+) => {$(
        impl Setting for $number {
            fn as_written(&self) -> String { format!("{self:?}") }
        }
    )+};
}
with_a_point!(f32, f64);
