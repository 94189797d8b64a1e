//! The metrics at `/metrics` other than those of HTTP requests: counts and times of the whole
//! machine, without names or places.

use crate::error::{Error, Result};
use metrics::{Unit, describe_counter, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Bucket bounds, seconds: from 20 ms to two minutes, each 20 % above the previous. So a quantile
/// read from them is at most 20 % off.
const FIRST_S: f64 = 0.02;
const STEP: f64 = 1.2;
const BUCKETS: i32 = 49;

/// Call it before anything is counted: earlier counts are lost.
pub(super) fn install() -> Result<PrometheusHandle> {
    let failed = |e| Error::internal("metrics could not be set up").because(e);
    let bounds_s: Vec<f64> = (0..BUCKETS).map(|n| FIRST_S * STEP.powi(n)).collect();
    let mut builder = PrometheusBuilder::new();
    for name in ["huoyan_frame_age_seconds", "huoyan_alarm_delay_seconds"] {
        builder = builder
            .set_buckets_for_metric(Matcher::Full(name.to_owned()), &bounds_s)
            .map_err(failed)?;
    }
    let handle = builder.install_recorder().map_err(failed)?;
    for (name, text) in [
        ("huoyan_keyframes_received_total", "Keyframes that cameras sent"),
        (
            "huoyan_keyframes_dropped_total",
            "Keyframes replaced by a newer one before their analysis, by design",
        ),
        ("huoyan_frames_decoded_total", "Keyframes decoded to pictures"),
        ("huoyan_frames_inferred_total", "Pictures that the model looked at"),
        ("huoyan_frames_turning_total", "Pictures of cameras that turned, not analysed"),
        (
            "huoyan_gate_closed_total",
            "Pictures without a change, which the gate kept from the model",
        ),
        ("huoyan_looks_total", "Pictures looked at, each whole and in tiles"),
        (
            "huoyan_network_cpu_microseconds_total",
            "Processor time of the networks, tiles and second looks included",
        ),
        (
            "huoyan_screen_views_total",
            "Whole pictures and tiles that the screening network looked at",
        ),
        (
            "huoyan_screen_passed_total",
            "Those passed to the full network, by the screening network or because they were \
            suspected already",
        ),
        ("huoyan_screen_audits_total", "Quiet ones that the full network checked as an audit"),
        (
            "huoyan_screen_misses_sampled_total",
            "Audits in which the full network saw what counts towards an alarm",
        ),
        (
            "huoyan_second_opinions_total",
            "Confirmed places by second opinion: agreed, doubted, or the reason why there was none",
        ),
        (
            "huoyan_slots_total",
            "Ended slots of cameras, by result: met (at least one look) or missed",
        ),
        ("huoyan_http_requests_total", "HTTP requests by method, route and status"),
    ] {
        describe_counter!(name, text);
    }
    for (name, text) in [
        ("huoyan_frame_age_seconds", "From a frame's arrival to the end of its analysis"),
        (
            "huoyan_alarm_delay_seconds",
            "From the arrival of the confirming frame to its incident on the board",
        ),
        ("huoyan_http_seconds", "Time to answer HTTP requests, by method, route and status"),
    ] {
        describe_histogram!(name, Unit::Seconds, text);
    }
    Ok(handle)
}
