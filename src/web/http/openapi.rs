//! Pure: what `/openapi.json` says beyond each handler's own annotation. The possible answers of a
//! handler follow from who may call it, how, and for what. So they are derived once, here, and a
//! test compares them with the program.

use super::error::ProblemDetails;
use super::limits::{
    ALARM_MAX_BYTES, ALARM_PICTURE_MAX_BYTES, JSON_MAX_BYTES, PHOTO_MAX_BYTES, SHEET_MAX_BYTES,
};
use super::rights::{self, Rule};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use utoipa::openapi::{ObjectBuilder, OpenApi, Type};
use utoipa::{PartialSchema, ToSchema};

/// The possible errors and their meaning. The body is a problem document.
const REFUSALS: [(&str, &str); 13] = [
    ("400", "Invalid: the JSON, a parameter or the key, or a reason is missing."),
    (
        "401",
        "Not logged in, or the login has ended; for gateways and administrators: the secret is \
    missing or wrong.",
    ),
    ("403", "This person may not do this, or the change comes from another site."),
    ("404", "Not found, or this person may not see it."),
    ("408", "The answer took too long, or the body came too slowly."),
    ("409", "Somebody has changed it meanwhile, or its state does not allow this: see the code."),
    ("410", "It existed and has been removed; its retention is over."),
    ("413", "The body is too large."),
    ("415", "The body has an unsupported content type."),
    ("422", "Well-formed, but not possible."),
    ("429", "Too many requests at once."),
    ("500", "An internal error, which has been logged."),
    ("503", "Not available now: the server is busy, or something it needs has failed."),
];
/// Answers with these codes carry Retry-After.
const COME_BACK: [&str; 2] = ["429", "503"];
/// This schema's fields are optional in the configuration, but required in the API.
const WHOLE: &str = "Thresholds";
/// Log lines are sent as they were written, and old ones lack fields.
const AS_WRITTEN: &str = "Event";

/// The whole document.
pub(crate) fn document(openapi: &OpenApi) -> Value {
    let mut document = json!(openapi);
    document["info"] = json!({
        "title": "Huoyan 火眼",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Meaning and bounds: src/web/api.md. Sentences come in the language of \
            Accept-Language: zh-CN (default) or en.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    let mut asked = BTreeSet::new();
    let mut answered = BTreeSet::new();
    let components = document["components"]["schemas"].clone();
    for (path, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            reach(&operation["requestBody"], &components, &mut asked);
            reach(&operation["responses"], &components, &mut answered);
            if let Some(operation) = operation.as_object_mut() {
                complete(path, method, operation);
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if name == WHOLE {
            require(schema, &|_| true);
        } else if answered.contains(name) && !asked.contains(name) {
            require(schema, &may_be_null);
        }
    }
    let parts = &mut document["components"];
    parts["schemas"][ProblemDetails::name().as_ref()] = json!(ProblemDetails::schema());
    parts["schemas"]["Code"] = json!(crate::error::Code::schema());
    parts["responses"] = REFUSALS
        .iter()
        .map(|(status, words)| ((*status).to_owned(), refusal(status, words)))
        .collect();
    parts["parameters"]["IdempotencyKey"] = json!({
        "name": "Idempotency-Key", "in": "header", "required": true, "schema": { "type": "string", "format": "uuid" },
        "description": "One key for each change. A repeat with the same key gets the same answer \
            and changes nothing.",
    });
    parts["securitySchemes"] = json!({
        "session": { "type": "apiKey", "in": "cookie", "name": super::session::COOKIE_NAME },
        "admin": { "type": "http", "scheme": "bearer", "description": "The token in \
            <data>/admin.token." },
        "gateway": { "type": "http", "scheme": "bearer", "description": "HUOYAN_INBOUND_KEY." },
        "system": { "type": "http", "scheme": "bearer", "description": "The key that `huoyan system \
            add` printed, one a system." },
    });
    document
}

/// GeoJSON (RFC 7946). Only the map reads more of it.
pub(crate) fn feature_collection() -> ObjectBuilder {
    let feature =
        |kind: &str| ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind]));
    let object = |kind| ObjectBuilder::new().property("type", feature(kind)).required("type");
    object("FeatureCollection")
        .property("features", object("Feature").to_array_builder())
        .required("features")
}

/// Adds who may call the operation, with which key, and how it can be refused.
fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let is_api = path.starts_with("/api/v1/");
    let anybody_in = if is_api { json!([{ "session": [] }]) } else { json!([]) };
    let mut security =
        operation.entry("security").or_insert(anybody_in).as_array().cloned().unwrap_or_default();
    let rule = rights::rule(method, path);
    for roles in security.iter_mut().filter_map(|it| it.get_mut("session")?.as_array_mut()) {
        confine(roles, rule);
    }
    operation.insert("security".to_owned(), security.clone().into());
    let by = |scheme: &str| security.iter().any(|it| it.get(scheme).is_some());
    let is_open = security.iter().all(|it| it.as_object().is_none_or(Map::is_empty));
    let is_change = method != "get" && is_api;
    let from_pages = is_change && !by("gateway") && !by("system");
    let for_some =
        security.iter().any(|it| it["session"].as_array().is_some_and(|roles| !roles.is_empty()));
    let (names_one, has_body) = (path.contains('{'), operation.contains_key("requestBody"));
    let mut parameters =
        operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_queried = parameters.iter().any(|it| it["in"] == "query");
    if path.contains("{id}") {
        let kind = match path {
            "/api/v1/pictures/{id}" => json!({ "$ref": "#/components/schemas/PictureId" }),
            _ if path.starts_with("/api/v1/cameras/") => json!({ "type": "string" }),
            _ => json!({ "type": "string", "format": "uuid" }),
        };
        let id = json!({ "name": "id", "in": "path", "required": true, "schema": kind });
        parameters.insert(0, id);
    }
    if from_pages {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = operation.get_mut("requestBody") {
        let most = match path.rsplit('/').next() {
            Some("photos") => PHOTO_MAX_BYTES,
            Some("alarms") => ALARM_MAX_BYTES,
            Some("pictures") => ALARM_PICTURE_MAX_BYTES,
            Some("file") => SHEET_MAX_BYTES,
            _ => JSON_MAX_BYTES,
        };
        body["required"] = json!(true);
        body["description"] = json!(format!("At most {most} bytes."));
    }
    let can = [
        ("400", from_pages || has_body || names_one || is_queried),
        ("401", !is_open),
        ("403", for_some || from_pages),
        ("404", names_one),
        ("408", path != "/healthz"),
        ("409", is_change && path.starts_with("/api/v1/incidents")),
        ("413", has_body),
        ("415", has_body),
        ("429", from_pages && !is_open),
        ("500", path != "/healthz"),
        ("503", path != "/healthz"),
    ];
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, _) in can.iter().filter(|(_, can)| *can) {
        answers.entry(*status).or_insert(Value::Null);
    }
    for (status, answer) in answers.iter_mut() {
        let is_refusal = status.as_str() >= "400" && answer.get("content").is_none();
        if is_refusal {
            *answer = json!({ "$ref": format!("#/components/responses/{status}") });
        } else if answer.get("description").is_none() {
            answer["description"] = json!("As it is now.");
        }
    }
}

/// Adds a township to the roles that may ask, or names those that are left without it. No roles:
/// whoever is logged in.
fn confine(roles: &mut Vec<Value>, rule: Option<Rule>) {
    match (rule == Some(Rule::Theirs), roles.is_empty()) {
        (true, false) => roles.push(json!("township")),
        (false, true) => *roles = ["ranger", "officer", "ops"].map(|it| json!(it)).into(),
        _ => {}
    }
}

fn refusal(status: &str, words: &str) -> Value {
    let problem = format!("#/components/schemas/{}", ProblemDetails::name());
    let mut response = json!({
        "description": words, "content": { "application/problem+json": { "schema": { "$ref": problem } } },
    });
    if COME_BACK.contains(&status) {
        response["headers"]["Retry-After"] = json!({ "required": true, "description": "Seconds.", "schema": { "type": "integer", "minimum": 0 } });
    }
    response
}

/// Collects the names of all schemas that `part` refers to, without those reached through log lines
/// only.
fn reach(part: &Value, components: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Array(parts) => parts.iter().for_each(|part| reach(part, components, found)),
        Value::Object(fields) => {
            if let Some(name) =
                fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next())
                && name != AS_WRITTEN
                && found.insert(name.to_owned())
            {
                reach(&components[name], components, found);
            }
            fields.values().for_each(|part| reach(part, components, found));
        }
        _ => {}
    }
}

/// A field of an answer is always present, and null where there is nothing. A field that may be
/// absent is never null (`nullable = false` beside `skip_serializing_if`). So every field that
/// `always` selects is required.
fn require(schema: &mut Value, always: &dyn Fn(&Value) -> bool) {
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(|part| require(part, always)),
        Value::Object(fields) => {
            let properties =
                fields.get("properties").and_then(Value::as_object).into_iter().flatten();
            let mut required: BTreeSet<String> = properties
                .filter(|(_, field)| always(field))
                .map(|(name, _)| name.clone())
                .collect();
            let before = fields.get("required").and_then(Value::as_array).into_iter().flatten();
            required.extend(before.filter_map(|name| name.as_str().map(str::to_owned)));
            if !required.is_empty() {
                fields.insert("required".to_owned(), json!(required));
            }
            fields.values_mut().for_each(|part| require(part, always));
        }
        _ => {}
    }
}

fn may_be_null(field: &Value) -> bool {
    let is_null = |it: &Value| it == "null" || it["type"] == "null";
    [&field["type"], &field["oneOf"]].into_iter().filter_map(Value::as_array).flatten().any(is_null)
}
