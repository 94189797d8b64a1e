//! Incidents and hotspots for other systems: GeoJSON for maps, CSV for tables, page by page. The
//! next page stands in the header `Link`, in GeoJSON also as `next`.

use super::board::{ListQuery, page};
use super::theirs;
use crate::error::Error;
use crate::report::export::{self, HOTSPOT_COLUMNS, INCIDENT_COLUMNS, Row};
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem};
use crate::web::http::limits;
use crate::web::http::me::Me;
use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::IntoParams;

#[derive(Clone, Copy)]
enum Form {
    Csv,
    GeoJson,
}

/// 警情 as GeoJSON, newest first. A bearing without a range has no geometry: its mast and azimuth
/// stand in the properties.
#[utoipa::path(
    get, path = "/api/v1/incidents.geojson", tag = "office", params(ListQuery),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content((Object = "application/geo+json")))),
)]
pub(crate) async fn incidents_geojson(
    State(state): State<WebState>,
    Office(me): Office,
    Query(query): Query<ListQuery>,
) -> Answer<Response> {
    tracing::info!(person = %me.person, "incidents were given out as GeoJSON");
    incidents(&state, &me, query, Form::GeoJson).await
}

/// 警情 as CSV, newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents.csv", tag = "office", params(ListQuery),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "text/csv", body = String)),
)]
pub(crate) async fn incidents_csv(
    State(state): State<WebState>,
    Office(me): Office,
    Query(query): Query<ListQuery>,
) -> Answer<Response> {
    tracing::info!(person = %me.person, "incidents were given out as CSV");
    incidents(&state, &me, query, Form::Csv).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HotspotQuery {
    /// The cursor in `next` or `Link` of the page before.
    after: Option<String>,
    limit: Option<u32>,
}

/// 热点 as GeoJSON, newest first.
#[utoipa::path(
    get, path = "/api/v1/hotspots.geojson", tag = "office", params(HotspotQuery),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content((Object = "application/geo+json")))),
)]
pub(crate) async fn hotspots_geojson(
    State(state): State<WebState>,
    Office(me): Office,
    Query(query): Query<HotspotQuery>,
) -> Answer<Response> {
    hotspots(&state, &me, query, Form::GeoJson).await
}

/// 热点 as CSV, newest first.
#[utoipa::path(
    get, path = "/api/v1/hotspots.csv", tag = "office", params(HotspotQuery),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "text/csv", body = String)),
)]
pub(crate) async fn hotspots_csv(
    State(state): State<WebState>,
    Office(me): Office,
    Query(query): Query<HotspotQuery>,
) -> Answer<Response> {
    hotspots(&state, &me, query, Form::Csv).await
}

async fn incidents(state: &WebState, me: &Me, query: ListQuery, form: Form) -> Answer<Response> {
    let same = query.others();
    let page = page(state, me, query).await?;
    let rows: Vec<Row> = page.items.iter().map(export::incident).collect();
    let next = page.next.map(|cursor| cursor.to_string());
    let link = next.as_ref().map(|next| format!("after={next}{same}"));
    answer(form, "incidents", &INCIDENT_COLUMNS, &rows, next, link)
}

async fn hotspots(state: &WebState, me: &Me, query: HotspotQuery, form: Form) -> Answer<Response> {
    let bad = || Problem::invalid("参数 after 无效。", "The parameter \"after\" is not a cursor.");
    let before = query.after.map(|cursor| cursor_of(&cursor).ok_or_else(bad)).transpose()?;
    let limit = query.limit.unwrap_or(limits::PAGE_DEFAULT).clamp(1, limits::PAGE_MAX);
    let (known, next) = theirs::hotspots(state, me, before, None, limit).await?;
    let next = next.as_ref().map(cursor);
    let rows: Vec<Row> = known.iter().map(export::hotspot).collect();
    let link = next.as_ref().map(|next| format!("after={next}&limit={limit}"));
    answer(form, "hotspots", &HOTSPOT_COLUMNS, &rows, next, link)
}

/// Time and key: both are needed, because the pixels of one pass share their time.
fn cursor((acquired_at, key): &(Timestamp, String)) -> String {
    format!("{}.{}", acquired_at.as_microsecond(), hex::encode(key))
}

fn cursor_of(text: &str) -> Option<(Timestamp, String)> {
    let (at, key) = text.split_once('.')?;
    let at = Timestamp::from_microsecond(at.parse().ok()?).ok()?;
    Some((at, String::from_utf8(hex::decode(key).ok()?).ok()?))
}

fn answer(
    form: Form,
    what: &str,
    columns: &[&str],
    rows: &[Row],
    next: Option<String>,
    link: Option<String>,
) -> Answer<Response> {
    let (kind, ending, body) = match form {
        Form::Csv => {
            let text = export::csv(columns, rows).map_err(Error::internal)?;
            ("text/csv; charset=utf-8", "csv", text)
        }
        Form::GeoJson => ("application/geo+json", "geojson", features(columns, rows, next)),
    };
    let mut response = ([(CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response();
    if let Some(query) = link {
        let link = format!("</api/v1/{what}.{ending}?{query}>; rel=\"next\"");
        let link = HeaderValue::from_str(&link)
            .map_err(|e| Error::internal("a link is no header").because(e))?;
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// GeoJSON (RFC 7946); `next` is a foreign member.
fn features(columns: &[&str], rows: &[Row], next: Option<String>) -> String {
    let feature = |row: &Row| {
        let cells = columns.iter().zip(&row.cells);
        let properties: Map<String, Value> =
            cells.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let geometry = row.at.map(|at| {
            geojson::Geometry::new(geojson::GeometryValue::new_point([at.lon_deg(), at.lat_deg()]))
        });
        geojson::Feature { geometry, properties: Some(properties), ..geojson::Feature::default() }
    };
    let mut all = geojson::FeatureCollection::new(rows.iter().map(feature));
    all.foreign_members = Some(Map::from_iter([("next".to_owned(), next.into())]));
    all.to_string()
}
