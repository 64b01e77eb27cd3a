//! Who may pass which door.

use longboard_scenarios::stage::Stage;
use longboard_testkit::database::TestDatabase;

#[test]
fn forms_of_elsewhere_and_of_others_change_nothing() {
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let (alpha, beta) = (stage.sign_up("alpha"), stage.sign_up("beta"));
    let name = |name: &str| ("name", name.to_owned());

    let forged = alpha.post_form("/account/teams", &[("csrf", "0".repeat(64)), name("forged")]);
    assert_eq!(forged.status(), 403);
    let missing = alpha.post_form("/account/teams", &[name("forged")]);
    assert_eq!(missing.status(), 403);
    let elsewhere = alpha.post_from_elsewhere("/account/teams", &[("csrf", alpha.csrf()), name("forged")]);
    assert_eq!(elsewhere.status(), 403);
    assert!(elsewhere.text().unwrap().contains("not sent from our page"));
    let own = alpha.post_form("/account/teams", &[("csrf", alpha.csrf()), name("Second team")]);
    assert_eq!((own.status().as_u16(), own.headers()["location"].to_str().unwrap()), (303, "/teams/second-team"));
    assert!(!alpha.page("/account").text().unwrap().contains("forged"));

    assert_eq!(alpha.page("/teams/alpha").status(), 200);
    assert_eq!(beta.page("/teams/alpha").status(), 404, "another team looks like none");
    let foreign = beta.post_form("/teams/alpha/tokens", &[("csrf", beta.csrf()), name("t")]);
    assert_eq!(foreign.status(), 404);
    assert_eq!(beta.page("/admin").status(), 403);
    assert_eq!(stage.get("/admin").status(), 303);
}

#[test]
fn tokens_open_their_own_doors_only() {
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let worker = stage.worker_token("one");
    let caller = stage.sign_up("alpha");
    let status = |path: &str, token: &str, body: &str| stage.call(path, token, body);
    assert_eq!(status("/api/v1/runs", &worker, r#"{"endpoint":"x","suite":"y"}"#).0, 401);
    let (code, words) = status("/api/v1/worker/claim", caller.token(), r#"{"labels":[],"wait_ms":0,"version":"t"}"#);
    assert_eq!(code, 401);
    assert!(words.contains("create-worker-token"), "{words}");
    let (code, work) = status("/api/v1/worker/claim", &worker, r#"{"labels":[],"wait_ms":0,"version":"t"}"#);
    assert_eq!(code, 200, "a built-in judge waits for its health check");
    assert!(work.contains("long_span_qa"), "{work}");
    let (code, words) = status("/api/v1/runs", caller.token(), r#"{"endpoint":"x","suit":"y"}"#);
    assert_eq!(code, 400);
    assert!(words.contains("suit"), "{words}");
    let (code, words) =
        status("/api/v1/endpoints", caller.token(), r#"{"name":"n","base_url":"http://10.0.0.1","model":"m"}"#);
    assert_eq!(code, 422);
    assert!(words.contains("not a public address"), "{words}");
    let gone = "/api/v1/worker/shards/00000000-0000-0000-0000-000000000000/finish";
    assert_eq!(status(gone, &worker, r#"{"fence":1}"#).0, 409);
}
