//! Pure: 日报: the number of incidents, their sources and results, and how often the limits of 10,
//! 30 and 60 minutes were met.

use crate::county::county_time;
use crate::lang::Lang;
use crate::store::{Anchor, LogHead};
use crate::triage::category::{FOREST_FIRE, STILL_CHECKING};
use crate::triage::dispatch::{Dispatch, Step};
use crate::triage::event::Means;
use crate::triage::incident::{Incident, State};
use crate::triage::policy::{Policy, Stage, ZeroPoint};
use crate::triage::sighting::SourceKind;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The figures of one report. Each can be traced to the incidents it was counted from.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Daily {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Incidents opened in the window. Drills are counted in `drills` only.
    pub total: usize,
    /// By the source that saw it first.
    pub camera: usize,
    pub satellite: usize,
    pub person: usize,
    pub system: usize,
    /// Reported with a category other than 核查中, or closed.
    pub answered: usize,
    /// By category code, for those answered.
    pub by_category: BTreeMap<u8, usize>,
    pub acknowledged: Rate,
    pub arrived: Rate,
    pub reported: Rate,
    /// Of those acknowledged in time: by an officer on the ranger's word (代接收).
    pub acknowledged_by_proxy: usize,
    pub drills: usize,
    pub zero_point: ZeroPoint,
    /// The limits that the rates refer to, minutes.
    pub acknowledge_min: i64,
    pub arrive_min: i64,
    pub report_min: i64,
    /// The head of the log when the report was made; `None`: not asked. A reader who keeps the
    /// report can verify the record with it.
    pub record: Option<LogHead>,
}

/// Of the dispatches whose limit has passed, or whose step has been taken: how many were in time,
/// by server time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Rate {
    pub in_time: usize,
    pub due: usize,
}

impl Rate {
    /// `None` when there is nothing to judge: no rate is not the same as 0 %.
    pub fn percent(self) -> Option<f64> {
        (self.due > 0).then(|| self.in_time as f64 * 100.0 / self.due as f64)
    }

    fn words(self, lang: Lang) -> String {
        match (self.percent(), lang) {
            (Some(percent), Lang::Zh) => format!("{percent:.1}%（{}/{}）", self.in_time, self.due),
            (Some(percent), Lang::En) => format!("{percent:.1} % ({}/{})", self.in_time, self.due),
            (None, _) => lang.pick("无", "none due").to_owned(),
        }
    }

    fn count(&mut self, step: Option<&Step>, missed: bool, over: bool) {
        let in_time = step.is_some_and(|step| !step.late);
        if step.is_some() || missed || over {
            self.due += 1;
            self.in_time += usize::from(in_time);
        }
    }
}

impl Daily {
    /// Counts the incidents opened at or after `from` and before `until`, and ignores others.
    /// Deadlines are judged as of `until`.
    pub fn count(
        incidents: &[Incident],
        from: Timestamp,
        until: Timestamp,
        policy: &Policy,
    ) -> Self {
        let mut daily = Self {
            from,
            until,
            total: 0,
            camera: 0,
            satellite: 0,
            person: 0,
            system: 0,
            answered: 0,
            by_category: BTreeMap::new(),
            acknowledged: Rate::default(),
            arrived: Rate::default(),
            reported: Rate::default(),
            acknowledged_by_proxy: 0,
            drills: 0,
            zero_point: policy.zero_point,
            acknowledge_min: policy.acknowledge_within.as_mins(),
            arrive_min: policy.arrive_within.as_mins(),
            report_min: policy.report_within.as_mins(),
            record: None,
        };
        for incident in incidents
            .iter()
            .filter(|incident| from <= incident.opened_at && incident.opened_at < until)
        {
            if incident.drill {
                daily.drills += 1;
            } else {
                daily.add(incident);
            }
        }
        daily
    }

    fn add(&mut self, incident: &Incident) {
        self.total += 1;
        let first = incident.sightings.iter().min_by_key(|sighting| sighting.observed_at);
        match first.map(|sighting| sighting.source.kind()) {
            Some(SourceKind::Camera) => self.camera += 1,
            Some(SourceKind::Satellite) => self.satellite += 1,
            Some(SourceKind::Person) => self.person += 1,
            Some(SourceKind::System) => self.system += 1,
            None => {}
        }
        let closed = incident.closure.as_ref().map(|closure| closure.category);
        let reported = incident.verification.as_ref().map(|verification| verification.category);
        if let Some(category) = closed.or(reported.filter(|category| *category != STILL_CHECKING)) {
            self.answered += 1;
            *self.by_category.entry(category).or_default() += 1;
        }
        for dispatch in &incident.past_dispatches {
            self.judge(dispatch, false);
        }
        if let Some(dispatch) = &incident.dispatch {
            self.judge(dispatch, incident.state != State::Closed);
        }
    }

    /// A dispatch that was replaced, or whose incident was closed, is judged only up to that time.
    fn judge(&mut self, dispatch: &Dispatch, running: bool) {
        let over = |by: Timestamp| running && by <= self.until;
        let missed = |stage| dispatch.missed.contains(&stage);
        let limits =
            [over(dispatch.acknowledge_by), over(dispatch.arrive_by), over(dispatch.report_by)];
        self.acknowledged.count(
            dispatch.acknowledged.as_ref(),
            missed(Stage::Acknowledged),
            limits[0],
        );
        self.arrived.count(dispatch.arrived.as_ref(), missed(Stage::Arrived), limits[1]);
        self.reported.count(dispatch.reported.as_ref(), missed(Stage::Reported), limits[2]);
        let proxy = |step: &Step| !step.late && matches!(step.means, Means::Proxy { .. });
        self.acknowledged_by_proxy +=
            usize::from(dispatch.acknowledged.as_ref().is_some_and(proxy));
    }

    /// The sentence the office hands in.
    pub fn words(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.words_zh(),
            Lang::En => self.words_en(),
        }
    }

    fn words_zh(&self) -> String {
        let until = self.until.to_zoned(county_time());
        let mut text = format!("截至{}，", until.strftime("%-d日%H时%M分"));
        if self.total == 0 {
            text.push_str("未发现疑似火情（零报告）");
        } else {
            text.push_str(&format!(
                "共发现疑似火情{}起（摄像机{}、卫星{}、人工{}、其他系统{}），",
                self.total, self.camera, self.satellite, self.person, self.system
            ));
            match self.total - self.answered {
                0 => text.push_str("已全部反馈"),
                open => {
                    text.push_str(&format!("已反馈{}起，其余{open}起正在核查中", self.answered))
                }
            }
            text.push_str(&format!(
                "；其中森林火灾{}起；{}分钟接收率{}，{}分钟到达率{}，{}分钟反馈率{}",
                self.forest_fires(),
                self.acknowledge_min,
                self.acknowledged.words(Lang::Zh),
                self.arrive_min,
                self.arrived.words(Lang::Zh),
                self.report_min,
                self.reported.words(Lang::Zh),
            ));
            if self.acknowledged_by_proxy > 0 {
                text.push_str(&format!("（按时接收中代接收{}起）", self.acknowledged_by_proxy));
            }
            let zero = match self.zero_point {
                ZeroPoint::Dispatched => "派发时刻",
                ZeroPoint::FirstSeen => "发现时刻",
            };
            text.push_str(&format!("（计时起点：{zero}，以服务器时间为准）"));
        }
        text.push('。');
        if self.drills > 0 {
            text.push_str(&format!("另有演练{}起，不计入以上统计。", self.drills));
        }
        if let Some(record) = &self.record {
            text.push_str(&format!("（记录存证：{}）", Anchor::of(record)));
        }
        text
    }

    fn words_en(&self) -> String {
        let until = self.until.to_zoned(county_time());
        let mut text = format!("As of {}: ", until.strftime("%Y-%m-%d %H:%M"));
        if self.total == 0 {
            text.push_str("no suspected fire (nil report)");
        } else {
            let zero = match self.zero_point {
                ZeroPoint::Dispatched => "dispatch",
                ZeroPoint::FirstSeen => "first sight",
            };
            text.push_str(&format!(
                "{} suspected fires (cameras {}, satellites {}, people {}, other systems {}), {} \
                reported, {} being checked; forest fires {}; acknowledged within {} min {}, \
                arrived within {} min {}, reported within {} min {}; acknowledged by proxy {}; \
                clocks count from {zero}, by server time",
                self.total,
                self.camera,
                self.satellite,
                self.person,
                self.system,
                self.answered,
                self.total - self.answered,
                self.forest_fires(),
                self.acknowledge_min,
                self.acknowledged.words(Lang::En),
                self.arrive_min,
                self.arrived.words(Lang::En),
                self.report_min,
                self.reported.words(Lang::En),
                self.acknowledged_by_proxy,
            ));
        }
        text.push('.');
        if self.drills > 0 {
            text.push_str(&format!(" Drills, not counted above: {}.", self.drills));
        }
        if let Some(record) = &self.record {
            text.push_str(&format!(" (The record ends at {}.)", Anchor::of(record)));
        }
        text
    }

    pub fn forest_fires(&self) -> usize {
        self.by_category.get(&FOREST_FIRE).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
