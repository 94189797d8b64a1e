//! What stands against a turning camera's bearings.

use crate::frame::Health;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Patrol {
    /// Nobody has said which preset any of its views is.
    Unnamed { views: usize },
    /// None of its named views has been seen for this time, in clear pictures.
    Lost { minutes: i64 },
    /// It has not stopped anywhere for this time, in clear pictures.
    Restless { minutes: i64 },
}

impl Patrol {
    pub fn health(&self) -> Health {
        match self {
            Self::Unnamed { .. } => Health::Ok,
            Self::Lost { .. } | Self::Restless { .. } => Health::Moved,
        }
    }

    pub(super) fn words(&self) -> (String, String) {
        match self {
            Self::Unnamed { views } => (
                format!(
                    "巡航摄像机，已见到 {views} 个画面，还没有一个指明是哪个预置位，此前只报警、不给\
                    方位；请在调参页逐个指明"
                ),
                format!(
                    "a turning camera, seen at {views} views so far; none is named, so it alarms \
                    without a bearing; say on the ops page which preset each view is"
                ),
            ),
            Self::Lost { minutes } => (
                format!(
                    "{minutes} 分钟没有看到任何已指明的预置位：摄像机可能被碰动、改了预置位或停了巡航，\
                    报警不给方位；请恢复巡航，或在调参页重新指明画面"
                ),
                format!(
                    "none of its named presets has been seen for {minutes} min: it was knocked, \
                    its presets were changed or its patrol has stopped, and it gives no bearing; \
                    restore the patrol, or name its views anew on the ops page"
                ),
            ),
            Self::Restless { minutes } => (
                format!(
                    "{minutes} 分钟内一直在转动，画面没有停稳过，因此没有分析；请把巡航的停留时间设为\
                    至少三个检查周期"
                ),
                format!(
                    "it has turned without a stop for {minutes} min, so nothing is analysed; let \
                    its patrol stay at each preset for three cadences at least"
                ),
            ),
        }
    }
}
