//! Days of the rota on which nobody would be called, for the calendar.

use crate::county::{Gap, county_date, county_time};
use crate::triage::policy::Role;
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem};
use axum::Json;
use axum::extract::{Query, State};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Days in one answer: a month as a calendar shows it, six weeks.
const DAYS: u8 = 42;
/// No rota is longer, and the last days of the calendar cannot be reckoned with.
const YEARS_AHEAD: i32 = 10;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Span {
    #[param(value_type = String, format = Date)]
    from: Date,
    /// 1..=42
    #[param(minimum = 1, maximum = 42)]
    days: u8,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RotaGaps {
    /// The county's date.
    #[schema(value_type = String, format = Date)]
    today: Date,
    /// By date; of days that are over none.
    items: Vec<RotaGap>,
}

/// From `since` on, nobody is on the rota in this role.
#[derive(Serialize, ToSchema)]
struct RotaGap {
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// `20:00`; null: from the day's beginning, or from now on.
    since: Option<String>,
    role: Role,
    /// Null: of the county.
    township: Option<String>,
}

/// Where the rota has nobody, day by day.
#[utoipa::path(
    get, path = "/api/v1/rota-gaps", tag = "office", params(Span),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = RotaGaps), (status = 422)),
)]
pub(crate) async fn rota_gaps(
    State(state): State<WebState>,
    _: Office,
    Query(Span { from, days }): Query<Span>,
) -> Answer<Json<RotaGaps>> {
    if !(1..=DAYS).contains(&days) {
        return Err(Problem::impossible(
            format!("天数应为1到{DAYS}。"),
            format!("1 to {DAYS} days can be asked for."),
        ));
    }
    let (county, now) = (state.county(), state.clock.now());
    let today = county_date(now);
    if from > today.saturating_add(YEARS_AHEAD.years()) {
        return Err(Problem::impossible(
            format!("最多查看今后{YEARS_AHEAD}年。"),
            format!("At most {YEARS_AHEAD} years ahead can be asked for."),
        ));
    }
    let mut items = Vec::new();
    for day in (0..days).filter_map(|n| from.checked_add(i32::from(n).days()).ok()) {
        let Ok(begins) = day.to_zoned(county_time()).map(|zoned| zoned.timestamp()) else {
            continue;
        };
        if day < today {
            continue;
        }
        for gap in county.gaps(begins.max(now)) {
            // Those of the next 24 hours reach into the next day.
            if let Gap::NoDuty { date, since, role, township } = gap
                && date == day
            {
                let since = since.map(|time| time.strftime("%H:%M").to_string());
                items.push(RotaGap { date, since, role, township });
            }
        }
    }
    Ok(Json(RotaGaps { today, items }))
}
