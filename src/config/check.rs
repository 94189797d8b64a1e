//! What each setting may be. A value outside would leave the office blind, deaf or without its
//! record, and nothing would say so later: the program does not start with it.

use super::{
    Batch, CameraConfig, Config, DetectConfig, DiskConfig, ListColumn, SatelliteConfig, Server,
    StoreConfig, Tiles,
};
use crate::base::range::{Setting, at_least, more_than, within};
use crate::lang::Words;
use crate::triage::retention;
use jiff::SignedDuration;
use std::ops::RangeInclusive;

pub(super) type Checked = Result<(), Words>;

const MS: SignedDuration = SignedDuration::from_millis(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// GiB: more than any office's disk.
const DISK_MAX: f64 = 1_000_000.0;
/// More threads than the largest machine has cores for are a typing error.
const WORKERS: RangeInclusive<usize> = 1..=64;

impl Config {
    pub(super) fn check(&self) -> Checked {
        self.server.check()?;
        self.bus.check()?;
        self.edge.check()?;
        self.centre.check()?;
        self.store.check()?;
        self.policy.check().map_err(|why| why.after("[policy]"))?;
        self.retention.check().map_err(|why| why.after("[retention]"))?;
        self.disk.check()?;
        self.camera.check()?;
        self.detect.check()?;
        self.satellite.check()?;
        self.alarms.check()?;
        self.notify.check_webhooks()?;
        let usual = Self::default();
        within("[backup] every", self.backup.every, MINUTE..=DAY * 366, usual.backup.every)?;
        within("[backup] keep", self.backup.keep, 1..=10_000, usual.backup.keep)?;
        // With a longer limit, a call leased by a dead program would become free too late for the
        // ladder's next rung.
        let answer_within = self.notify.answer_within;
        within(
            "[notify] answer_within",
            answer_within,
            SECOND..=MINUTE * 2,
            usual.notify.answer_within,
        )?;
        // A hotspot that is forgotten counts as new.
        let hotspots = retention::days(self.retention.hotspots_days);
        more_than(
            "[retention] hotspots_days",
            hotspots,
            "[satellite] stale_after",
            self.satellite.stale_after,
        )
    }
}

impl Server {
    fn check(&self) -> Checked {
        self.check_name()?;
        let usual = Self::default();
        if let Some(proxy) =
            self.trusted_proxy.iter().find(|it| it.is_unspecified() || it.is_multicast())
        {
            return Err(Words::new(
                format!("[server] trusted_proxy {proxy} 不是一台代理的地址，例如 \"127.0.0.1\""),
                format!(
                    "[server] trusted_proxy {proxy} is not the address of one proxy, for \
                    example \"127.0.0.1\""
                ),
            ));
        }
        // The link is a key: it opens the door to whoever has it.
        within(
            "[server] login_link_life",
            self.login_link_life,
            MINUTE..=DAY * 7,
            usual.login_link_life,
        )?;
        let ranger = self.ranger_link_life;
        within("[server] ranger_link_life", ranger, MINUTE..=DAY * 7, usual.ranger_link_life)?;
        within("[server] session_life", self.session_life, HOUR..=DAY * 366, usual.session_life)
    }
}

impl StoreConfig {
    fn check(&self) -> Checked {
        let Some(schema) = &self.schema else { return Ok(()) };
        let is_fine =
            |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "-_".contains(it);
        let is_taken = schema.starts_with("pg_") || schema == "information_schema";
        if schema.is_empty() || schema.len() > 40 || !schema.chars().all(is_fine) || is_taken {
            return Err(Words::new(
                format!(
                    "[store] schema \"{schema}\" 应为 1 到 40 个 a-z、0-9、- 和 _，不能是 PostgreSQL \
                    自己的，例如 \"yuanling\""
                ),
                format!(
                    "[store] schema \"{schema}\" must be 1 to 40 of a-z, 0-9, - and _, and none of \
                    PostgreSQL's own, for example \"yuanling\""
                ),
            ));
        }
        Ok(())
    }
}

impl DiskConfig {
    fn check(&self) -> Checked {
        let Self { warn_gib, reserve_gib, analyses_max_gib, pictures_max_gib } = *self;
        let usual = Self::default();
        within("[disk] reserve_gib", reserve_gib, 0.5..=DISK_MAX, usual.reserve_gib)?;
        within("[disk] warn_gib", warn_gib, 0.5..=DISK_MAX, usual.warn_gib)?;
        at_least("[disk] warn_gib", warn_gib, "[disk] reserve_gib", reserve_gib)?;
        if_set("[disk] analyses_max_gib", analyses_max_gib, 0.1..=DISK_MAX, 5.0)?;
        if_set("[disk] pictures_max_gib", pictures_max_gib, 0.1..=DISK_MAX, 200.0)
    }
}

impl CameraConfig {
    fn check(&self) -> Checked {
        let usual = Self::default();
        within("[camera] cadence", self.cadence, MS * 100..=HOUR, usual.cadence)?;
        within("[camera] decode_workers", self.decode_workers, WORKERS, usual.decode_workers)?;
        within("[camera] late_after", self.late_after, SECOND..=DAY, usual.late_after)?;
        within("[camera] offline_after", self.offline_after, SECOND..=DAY, usual.offline_after)?;
        within("[camera] frozen_after", self.frozen_after, SECOND * 10..=DAY, usual.frozen_after)?;
        // Zero: on request only.
        within(
            "[camera] self_test_every",
            self.self_test_every,
            SignedDuration::ZERO..=DAY * 30,
            usual.self_test_every,
        )?;
        // A refused login that is tried more often is locked by the camera.
        within("[camera] reconnect_min", self.reconnect_min, MS * 100..=HOUR, usual.reconnect_min)?;
        within("[camera] reconnect_max", self.reconnect_max, MS * 100..=HOUR, usual.reconnect_max)?;
        at_least(
            "[camera] reconnect_max",
            self.reconnect_max,
            "[camera] reconnect_min",
            self.reconnect_min,
        )
    }
}

impl DetectConfig {
    fn check(&self) -> Checked {
        let usual = Self::default();
        within("[detect] workers", self.workers, WORKERS, usual.workers)?;
        if let Batch::Of(looks) = self.batch {
            within("[detect] batch", looks, 1..=Batch::MAX, 8)?;
        }
        // At a cadence of 10 s, each camera is looked at every three hours at least.
        within("[detect] gate_every", self.gate_every, 1..=1_000, usual.gate_every)?;
        if let Tiles::Of(tiles) = self.tiles {
            within("[detect] tiles", tiles, 0..=Tiles::MAX, 1)?;
        }
        Ok(())
    }
}

impl SatelliteConfig {
    fn check(&self) -> Checked {
        let usual = Self::default();
        within("[satellite] folder_every", self.folder_every, MS * 50..=HOUR, usual.folder_every)?;
        // FIRMS refuses a key that asks more often than 5,000 times in ten minutes.
        within("[satellite] feed_every", self.feed_every, SECOND * 10..=DAY, usual.feed_every)?;
        within("[satellite] margin_m", self.margin_m, 0.0..=200_000.0, usual.margin_m)?;
        // The fastest lists come an hour after the pass.
        within("[satellite] stale_after", self.stale_after, HOUR..=DAY * 365, usual.stale_after)?;
        for mapping in &self.mappings {
            let has = |column| mapping.columns.values().any(|it| *it == column);
            if !has(ListColumn::Longitude) || !has(ListColumn::Latitude) {
                return Err(Words::new(
                    "[satellite] mappings 的每一项都要有 longitude 和 latitude 两列",
                    "each of [satellite] mappings needs the columns longitude and latitude",
                ));
            }
        }
        within(
            "[satellite] list_within",
            self.list_within,
            MINUTE * 10..=DAY * 7,
            usual.list_within,
        )
    }
}

fn if_set<T: Setting>(
    key: &str,
    value: Option<T>,
    range: RangeInclusive<T>,
    example: T,
) -> Checked {
    value.map_or(Ok(()), |value| within(key, value, range, example))
}
