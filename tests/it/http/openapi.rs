//! The promises of `/openapi.json`: the written file that the pages are built on equals it, and the
//! program keeps it.

use crate::http_support::{ADMIN_TOKEN, Browser, INBOUND_KEY, World};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use huoyan::store::Access;
use huoyan::web::{Doors, Standing};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tower::ServiceExt;
use uuid::Uuid;

/// The types of the pages are generated from these files: a county's, and a centre's of several.
const WRITTEN: [&str; 2] = ["src/web/ui/openapi.json", "src/web/ui/openapi.centre.json"];

/// The same program at a county's host, and at the host of a centre with this county.
fn houses(world: &World) -> [Browser; 2] {
    let mut centre = world.state.clone();
    let mut config = (*centre.config).clone();
    config.server.public_url = Some("http://centre.localhost".to_owned());
    centre.config = Arc::new(config);
    let doors = Doors::of_centre(centre);
    doors.set("yuanling", None, Standing::Up(Box::new(world.state.clone())));
    let at_centre = Browser { router: doors.at("centre.localhost"), ..world.stranger() };
    [world.stranger(), at_centre]
}

#[tokio::test]
async fn the_written_contract_is_the_programs() {
    for (house, written) in houses(&World::new().await).iter().zip(WRITTEN) {
        let contract = house.get("/openapi.json").await.ok();
        let contract = serde_json::to_string_pretty(&contract).expect("JSON") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(written);
        if std::env::var_os("HUOYAN_WRITE_OPENAPI").is_some() {
            std::fs::write(&path, &contract).expect("it is written");
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == contract,
            "{written} is not what the program answers: write it with `HUOYAN_WRITE_OPENAPI=1 \
            cargo test --test it -- the_written_contract`, look at the difference, and commit it"
        );
    }
}

/// The prefecture's list has the fields that its document says, all of them.
#[tokio::test]
async fn the_list_of_counties_is_as_its_contract_says() {
    let world = World::registered().await;
    let [_, centre] = houses(&world);
    let contract = centre.get("/openapi.json").await.ok();
    let cookie = world.browser("o1", Access::Officer).await.cookie;
    let prefect = Browser { cookie, ..centre };
    let answer = prefect.get("/api/v1/counties").await.ok();
    let schema = |name: &str| -> BTreeSet<String> {
        let fields = contract["components"]["schemas"][name]["properties"].as_object();
        fields.unwrap_or_else(|| panic!("no {name}")).keys().cloned().collect()
    };
    let fields = |it: &Value| -> BTreeSet<String> {
        it.as_object().unwrap_or_else(|| panic!("{it}")).keys().cloned().collect()
    };
    let line = &answer["counties"][0];
    for (name, it) in [("Overview", &answer), ("CountyLine", line), ("AtWork", &line["at_work"])]
        .into_iter()
        .chain(answer["health"].as_array().expect("parts").iter().map(|it| ("PartView", it)))
    {
        assert_eq!(fields(it), schema(name), "{name}");
    }
    assert!(contract["paths"]["/api/v1/board"].is_null(), "a county's board is at its own host");
}

/// Every parameter in a path is declared, and every declared one is in the path.
#[tokio::test]
async fn every_parameter_of_a_path_stands_in_it() {
    for house in houses(&World::new().await) {
        its_parameters_stand_in_it(&house.get("/openapi.json").await.ok());
    }
}

fn its_parameters_stand_in_it(contract: &Value) {
    for (path, methods) in contract["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let in_path = parameters.iter().filter(|it| it["in"] == "path");
            let mut named: Vec<String> =
                in_path.map(|it| format!("{{{}}}", it["name"].as_str().expect("a name"))).collect();
            let mut written: Vec<&str> = path.split('/').filter(|it| it.starts_with('{')).collect();
            named.sort();
            written.sort_unstable();
            assert_eq!(named, written, "{method} {path}");
        }
    }
}

struct Asker {
    name: &'static str,
    /// The contract's names for the way in and for the role.
    scheme: &'static str,
    role: &'static str,
    browser: Browser,
    bearer: Option<&'static str>,
}

#[tokio::test]
async fn who_may_ask_is_as_the_contract_says() {
    // Whoever logs out has no session in the next house.
    for (house, least) in [(0, 7 * 40), (1, 7 * 4)] {
        let world = World::registered().await;
        let asked = asked_by_everybody(&world, &houses(&world)[house]).await;
        assert!(asked > least, "{asked} answers are not the whole contract");
    }
}

/// How many questions were answered as the contract of this house says.
async fn asked_by_everybody(world: &World, house: &Browser) -> usize {
    let contract = house.get("/openapi.json").await.ok();
    let at_house = |browser: Browser| Browser { router: house.router.clone(), ..browser };
    let somebody = |name, scheme, role, browser| Asker {
        name,
        scheme,
        role,
        browser: at_house(browser),
        bearer: None,
    };
    let machine = |name, scheme, key| Asker {
        name,
        scheme,
        role: "",
        browser: at_house(world.stranger()),
        bearer: Some(key),
    };
    let askers = [
        somebody("a ranger", "session", "ranger", world.browser("r1", Access::Ranger).await),
        somebody("an officer", "session", "officer", world.browser("o1", Access::Officer).await),
        somebody("ops", "session", "ops", world.browser("l1", Access::Ops).await),
        somebody("a stranger", "", "", world.stranger()),
        machine("the administrator", "admin", ADMIN_TOKEN),
        machine("the gateway", "gateway", INBOUND_KEY),
        machine("another system", "system", world.system("热成像").await),
        machine("somebody with a wrong secret", "", "guessed"),
    ];
    let mut asked = 0;
    let mut paths: Vec<_> = contract["paths"].as_object().expect("paths").iter().collect();
    // After the logout the browser has no session.
    paths.sort_by_key(|(path, _)| path.ends_with("/logout"));
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            for asker in &askers {
                let status = ask(asker, method, path).await;
                let (may, expected) = verdict(asker, &operation["security"]);
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                let kept = if may { !refused } else { expected.contains(&status) };
                assert!(
                    kept,
                    "{} asks {method} {path}: {status}, by {}",
                    asker.name, operation["security"]
                );
                let told = &operation["responses"][status.as_str()];
                assert!(
                    !told.is_null(),
                    "{method} {path} answers {status}, of which the contract knows nothing"
                );
                asked += 1;
            }
        }
    }
    asked
}

/// Whether this caller may, and how others are refused: those who are known but not entitled, and
/// those who are unknown.
fn verdict(asker: &Asker, security: &Value) -> (bool, Vec<StatusCode>) {
    let ways = security.as_array().expect("a list");
    let is_open = ways.iter().all(|way| way.as_object().is_some_and(serde_json::Map::is_empty));
    let has_role = |roles: &Value| {
        roles.as_array().is_some_and(|it| it.is_empty() || it.iter().any(|r| r == asker.role))
    };
    let may = is_open || ways.iter().any(|way| has_role(&way[asker.scheme]));
    let is_known = asker.scheme == "session" && ways.iter().any(|way| way.get("session").is_some());
    (may, vec![if is_known { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED }])
}

/// Reads only the head: a stream's body does not end.
async fn ask(asker: &Asker, method: &str, path: &str) -> StatusCode {
    let path = path.replace("{id}", &Uuid::nil().to_string()).replace("{alarm}", "1");
    let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(path);
    if method != "get" {
        request = request.header("Idempotency-Key", Uuid::now_v7().to_string());
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(secret) = asker.bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {secret}"));
    }
    if let Some(cookie) = &asker.browser.cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let request =
        request.body(Body::from(if method == "get" { "" } else { "{}" })).expect("a request");
    asker.browser.router.clone().oneshot(request).await.expect("infallible").status()
}
