//! Pure: an incident as a chain of CAP 1.2 messages (OASIS Common Alerting Protocol): one Alert when
//! it opens, an Update for each thing that changes what others should know, a Cancel when it is
//! closed. Each names all that came before it. The same log always gives the same chain.

use super::category;
use crate::base::time::county_time;
use crate::error::{Error, Result};
use crate::store::Filed;
use crate::triage::category::burned;
use crate::triage::event::{Closure, Event, Flames, Recorded, Verification};
use crate::triage::geo::{Fix, FixMethod, LatLon, Ray, Spread};
use crate::triage::incident::Incident;
use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event as Part};
use std::io;

const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";
/// Who may read it: it names places and what the office does.
const RESTRICTION: &str = "森林防火值班使用 / for forest-fire duty offices";
/// Degrees between two points of a sector's far edge.
const ARC_STEP_DEG: f64 = 5.0;

/// Who issues the messages.
pub struct Issuer<'a> {
    /// Unique for ever, without spaces, commas, < and &: `huoyan@fire.example`.
    pub sender: &'a str,
    /// As people say it: 沅陵县.
    pub name: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alert,
    Update,
    Cancel,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "Alert",
            Self::Update => "Update",
            Self::Cancel => "Cancel",
        }
    }
}

/// All messages so far as XML documents, oldest first.
///
/// # Errors
/// `Internal` when the log does not begin with an opening.
pub fn chain(filed: &Filed, issuer: &Issuer<'_>) -> Result<Vec<String>> {
    // `sender,identifier,sent` of what came before.
    let mut sent: Vec<String> = Vec::new();
    let (mut messages, mut is_cancelled) = (Vec::new(), false);
    let log = &filed.incident.log;
    for (n, recorded) in log.iter().enumerate() {
        let Some(kind) = kind(&recorded.event, is_cancelled) else { continue };
        let so_far: Vec<Recorded> = log[..=n].iter().map(|it| Recorded::clone(it)).collect();
        let incident = Incident::from_log(&so_far)
            .ok_or_else(|| Error::internal("a log does not begin with an opening"))?;
        if kind == Kind::Alert {
            sent.clear();
        }
        is_cancelled = kind == Kind::Cancel;
        let message = Message {
            code: &filed.code,
            incident: &incident,
            issuer,
            kind,
            identifier: format!("{}-{}", incident.id, n + 1),
            sent: time(recorded.at),
            references: sent.join(" "),
        };
        messages.push(message.document()?);
        sent.push(format!("{},{},{}", issuer.sender, message.identifier, message.sent));
    }
    Ok(messages)
}

struct Message<'a> {
    code: &'a str,
    /// As it was then.
    incident: &'a Incident,
    issuer: &'a Issuer<'a>,
    kind: Kind,
    identifier: String,
    sent: String,
    references: String,
}

type Xml = Writer<Vec<u8>>;

/// Writes an element with a text, unless there is nothing to say.
fn say(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    if !text.is_empty() {
        xml.create_element(name).write_text_content(BytesText::new(text))?;
    }
    Ok(())
}

impl Message<'_> {
    fn document(&self) -> Result<String> {
        let mut xml = Writer::new(Vec::new());
        self.write(&mut xml)
            .map_err(|e| Error::internal("a CAP message cannot be written").because(e))?;
        String::from_utf8(xml.into_inner())
            .map_err(|e| Error::internal("a CAP message is no text").because(e))
    }

    /// In the order of the schema.
    fn write(&self, xml: &mut Xml) -> io::Result<()> {
        xml.write_event(Part::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let alert = xml.create_element("alert").with_attribute(("xmlns", NAMESPACE));
        alert.write_inner_content(|xml| {
            say(xml, "identifier", &self.identifier)?;
            say(xml, "sender", self.issuer.sender)?;
            say(xml, "sent", &self.sent)?;
            say(xml, "status", if self.incident.drill { "Exercise" } else { "Actual" })?;
            say(xml, "msgType", self.kind.as_str())?;
            say(xml, "scope", "Restricted")?;
            say(xml, "restriction", RESTRICTION)?;
            say(xml, "note", &note(self.incident, self.kind))?;
            say(xml, "references", &self.references)?;
            say(xml, "incidents", self.code)?;
            xml.create_element("info").write_inner_content(|xml| self.info(xml))?;
            Ok(())
        })?;
        Ok(())
    }

    fn info(&self, xml: &mut Xml) -> io::Result<()> {
        let (incident, issuer) = (self.incident, self.issuer);
        let verification = standing(incident);
        let closure = incident.closure.as_ref().filter(|_| self.kind == Kind::Cancel);
        let found = closure.map(|it| it.category).or(verification.map(|it| it.category));
        let place = Some(incident.place.name.as_str()).filter(|it| !it.is_empty());
        let place = place.unwrap_or(if issuer.name.is_empty() { "本县" } else { issuer.name });
        let drill = if incident.drill { "【演练】" } else { "" };
        say(xml, "language", "zh-CN")?;
        say(xml, "category", "Fire")?;
        say(xml, "event", "森林火情")?;
        say(xml, "responseType", response(found, self.kind))?;
        say(xml, "urgency", urgency(incident, verification))?;
        say(xml, "severity", severity(found, verification.and_then(|it| it.flames)))?;
        say(xml, "certainty", certainty(found))?;
        say(xml, "onset", &time(incident.first_seen_at))?;
        say(xml, "senderName", issuer.name)?;
        say(xml, "headline", &format!("{drill}{} {place}", self.code))?;
        say(xml, "description", &description(incident, verification, closure))?;
        xml.create_element("area").write_inner_content(|xml| {
            say(xml, "areaDesc", place)?;
            area(xml, &incident.fix)
        })?;
        Ok(())
    }
}

/// What an event says to others; `None`: nothing.
fn kind(event: &Event, is_cancelled: bool) -> Option<Kind> {
    match event {
        Event::Opened { .. } => Some(Kind::Alert),
        Event::Closed { .. } | Event::MergedInto { .. } if !is_cancelled => Some(Kind::Cancel),
        // What was another fire's part is a fire of its own again.
        Event::Unmerged { .. } if is_cancelled => Some(Kind::Alert),
        Event::Relocated { .. } | Event::Reported { .. } | Event::SentBack { .. }
            if !is_cancelled =>
        {
            Some(Kind::Update)
        }
        _ => None,
    }
}

fn note(incident: &Incident, kind: Kind) -> String {
    let mut said = Vec::new();
    if incident.drill {
        said.push("【演练】不是真实火情 / exercise, no real fire".to_owned());
    }
    if kind == Kind::Cancel {
        match &incident.closure {
            Some(closure) => said.extend(
                category(closure.category)
                    .map(|it| format!("已销号：{} / closed: {}", it.zh, it.en)),
            ),
            None => said.push("与另一起是同一火情 / the same fire as another incident".to_owned()),
        }
    }
    said.join("；")
}

/// What somebody on the spot has said, unless the office has sent it back or sent somebody anew.
fn standing(incident: &Incident) -> Option<&Verification> {
    let last = incident.log.iter().rev().find(|it| {
        matches!(
            it.event,
            Event::Reported { .. } | Event::SentBack { .. } | Event::Dispatched { .. }
        )
    });
    let is_reported = last.is_some_and(|it| matches!(it.event, Event::Reported { .. }));
    incident.verification.as_ref().filter(|it| is_reported && !it.is_interim())
}

/// All clear is the office's to say, by closing.
fn response(found: Option<u8>, kind: Kind) -> &'static str {
    match found {
        Some(category) if burned(category) => "Monitor",
        Some(_) if kind == Kind::Cancel => "AllClear",
        _ => "Assess",
    }
}

/// Before somebody has looked, nobody knows whether it burns.
fn certainty(found: Option<u8>) -> &'static str {
    match found {
        Some(category) if burned(category) => "Observed",
        Some(_) => "Unlikely",
        None => "Possible",
    }
}

fn severity(found: Option<u8>, flames: Option<Flames>) -> &'static str {
    match (found.map(burned), flames) {
        (Some(true), Some(Flames::Large)) => "Severe",
        (Some(true), Some(Flames::Small)) => "Moderate",
        (Some(true), Some(Flames::None)) | (Some(false), _) => "Minor",
        (Some(true), None) | (None, _) => "Unknown",
    }
}

fn urgency(incident: &Incident, verification: Option<&Verification>) -> &'static str {
    let is_out =
        verification.is_some_and(|it| it.extinguished == Some(true) || !burned(it.category));
    if incident.closed_at.is_some() || is_out { "Past" } else { "Immediate" }
}

fn description(
    incident: &Incident,
    verification: Option<&Verification>,
    closure: Option<&Closure>,
) -> String {
    let first = incident.first_seen_at.to_zoned(county_time()).strftime("%m月%d日%H:%M");
    let mut words = format!("{first}发现，线索{}条", incident.sightings.len());
    words += match incident.fix.method {
        FixMethod::Bearing => "；只有方位，距离未知",
        FixMethod::Unaimed => "；方位不明",
        _ => "",
    };
    let known = |code: Option<u8>| code.and_then(category).map(|it| it.zh);
    let on_the_spot = known(verification.map(|it| it.category));
    match (on_the_spot, known(closure.map(|it| it.category))) {
        (Some(it), _) => words += &format!("；现场核查：{it}"),
        (None, Some(it)) => words += &format!("；销号类别：{it}"),
        (None, None) => words += "；尚未核实",
    }
    if let Some(out) = verification.and_then(|it| it.extinguished) {
        words += if out { "，已扑灭" } else { "，未扑灭" };
    }
    words
}

/// With all its doubt: a circle (kilometres), or the sector of a bearing.
fn area(xml: &mut Xml, fix: &Fix) -> io::Result<()> {
    match fix.spread() {
        Spread::Sector(ray) if !fix.is_a_place() => say(xml, "polygon", &sector(&ray)),
        _ => {
            let radius_km = (fix.radius_m / 100.0).ceil() / 10.0;
            say(xml, "circle", &format!("{} {radius_km}", point(fix.centre)))
        }
    }
}

/// From the mast along one edge, the far arc, and back.
fn sector(ray: &Ray) -> String {
    let steps = (2.0 * ray.half_width_deg / ARC_STEP_DEG).ceil().clamp(2.0, 72.0) as u32;
    let turn_deg = |n: u32| (2.0 * f64::from(n) / f64::from(steps) - 1.0) * ray.half_width_deg;
    let far = |n| ray.apex.destination(ray.azimuth_deg + turn_deg(n), ray.far_m);
    let mast = || std::iter::once(ray.apex);
    let corners: Vec<String> =
        mast().chain((0..=steps).map(far)).chain(mast()).map(point).collect();
    corners.join(" ")
}

/// Latitude first; 1 m, and no fix is finer.
fn point(at: LatLon) -> String {
    format!("{:.5},{:.5}", at.lat_deg(), at.lon_deg())
}

/// By the county's clock; CAP knows no fractions.
fn time(at: Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
