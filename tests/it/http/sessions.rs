//! Login links, sessions, and the page everybody lands on.

use super::*;

#[tokio::test]
async fn a_login_link_works_once_and_a_preview_does_not_use_it_up() {
    let world = World::new().await;
    let path = link(&world, "r1", Access::Ranger).await;
    let stranger = world.stranger();
    for _ in 0..3 {
        let page = stranger.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains(r#"<button id="login""#), "{}", page.text());
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    }
    let first = press(&stranger, &path).await;
    assert_eq!(
        (first.status, first.headers[header::LOCATION].to_str().unwrap_or_default()),
        (StatusCode::SEE_OTHER, "/ranger")
    );
    let cookie = first.headers[header::SET_COOKIE].to_str().expect("text");
    for part in ["huoyan_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "an office PC without TLS would lose the cookie");
    let second = press(&stranger, &path).await;
    assert_eq!(second.status, StatusCode::GONE);
    assert!(second.text().contains("值班室"), "it says what to do: {}", second.text());
    assert!(!second.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn a_link_expires_a_session_ends_and_a_logged_out_cookie_is_worth_nothing() {
    let world = World::new().await;
    let path = link(&world, "r1", Access::Ranger).await;
    world.minutes_pass(15);
    assert_eq!(press(&world.stranger(), &path).await.status, StatusCode::GONE);

    let ranger = world.browser("r1", Access::Ranger).await;
    let me = ranger.get("/api/v1/me").await.ok();
    assert_eq!(
        (&me["name"], &me["role"], &me["county"]),
        (&json!("周建国"), &json!("ranger"), &json!("沅溪县"))
    );
    assert_eq!(ranger.post("/api/v1/logout", json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ranger.get("/api/v1/me").await.refused(), (401, "unauthenticated".to_owned()));

    let officer = world.browser("o1", Access::Officer).await;
    world.minutes_pass(31 * 24 * 60);
    assert_eq!(officer.get("/api/v1/me").await.refused().0, 401, "30 days without use");
}

#[tokio::test]
async fn pages_say_what_to_do_and_carry_nothing_a_stranger_wrote() {
    let world = World::new().await;
    let stranger = world.stranger();
    let evil = "/login/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for page in [stranger.get(evil).await, press(&stranger, evil).await] {
        assert!(!page.text().contains("script"), "{}", page.text());
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(
            page.headers[header::REFERRER_POLICY],
            "same-origin",
            "or the form would hide where it comes from"
        );
        assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    for face in ["/", "/office", "/wall", "/ranger", "/ops", "/registers"] {
        let page = stranger.get(face).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{face}");
        assert!(page.text().contains("登录链接"), "{face} says what to do");
    }
    let english = Request::get("/office")
        .header(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9")
        .body(Body::empty());
    assert!(stranger.send(english.expect("a request")).await.text().contains("Not logged in"));
}

#[tokio::test]
async fn everybody_gets_their_own_face() {
    let world = World::new().await;
    let (ranger, officer) =
        (world.browser("r1", Access::Ranger).await, world.browser("o1", Access::Officer).await);
    for (browser, path, face) in
        [(&ranger, "/", "/ranger"), (&ranger, "/office", "/ranger"), (&officer, "/", "/office")]
    {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers[header::LOCATION], face);
    }
    let page = officer.get("/office").await;
    assert_eq!(
        (page.status, &page.headers[header::CACHE_CONTROL]),
        (StatusCode::OK, &"no-cache".parse().expect("a value"))
    );
    let tag = page.headers[header::ETAG].clone();
    let again = Request::get("/office")
        .header(header::IF_NONE_MATCH, tag)
        .body(Body::empty())
        .expect("a request");
    assert_eq!(officer.send(again).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn answers_are_packed_for_thin_lines_and_what_is_live_is_not_kept() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let board =
        Request::get("/api/v1/board").header(header::ACCEPT_ENCODING, "gzip").body(Body::empty());
    let board = officer.send(board.expect("a request")).await;
    assert_eq!(board.headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(board.headers[header::CACHE_CONTROL], "no-store");
    assert!(board.body.len() < officer.get("/api/v1/board").await.body.len() / 2);
}
