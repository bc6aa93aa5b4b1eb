//! Adjustments over HTTP: who may ask, talk and decide, once each, and the same as the command does.

use serde_json::{Value, json};

use super::client::{Answer, Server};
use super::keys::{key, with_keys};
use super::{people, problem, query, world};
use crate::tool::Tool;

/// Posts JSON.
fn post(server: &Server, key: &str, path: &str, body: &Value, idempotency: &str) -> Answer {
    let authorization = format!("Bearer {key}");
    let mut headers = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
    if !idempotency.is_empty() {
        headers.push(("idempotency-key", idempotency));
    }
    server.send("POST", path, &headers, body.to_string().as_bytes())
}

fn events(tool: &Tool) -> String {
    query(tool, "SELECT count(*) FROM ops.adjustment")
}

fn cents(value: &Value) -> i64 {
    let text = format!("{:.2}", value.as_f64().unwrap());
    text.replace('.', "").parse().unwrap()
}

#[test]
fn a_request_goes_its_way_and_the_next_run_does_what_was_shown() {
    let tool = with_keys(world());
    let (rep, other, manager) = people(&tool);
    let own = key(&tool, &["own", "--rep", &rep, "--scope", "request", "--scope", "read-quotas"]);
    let boss = key(&tool, &["boss", "--manager", &manager, "--scope", "request", "--scope", "approve"]);
    let crm = key(&tool, &["crm"]);
    let server = Server::start(&tool);
    let quota = server.get_as(&crm, &format!("/v1/reps/{rep}/quota")).json()["quota"]["quota"].clone();
    let to = format!("{:.2}", quota.as_f64().unwrap() * 0.97);
    // Who may ask for whom.
    let ask = json!({"rep": rep, "to": to, "reason": "two months off"});
    assert_eq!(problem(&post(&server, &crm, "/v1/adjustments", &ask, "")).0, 403);
    let foreign = json!({"rep": other, "to": to, "reason": "x"});
    assert_eq!(problem(&post(&server, &own, "/v1/adjustments", &foreign, "")).0, 403);
    let asked = post(&server, &own, "/v1/adjustments", &ask, "first");
    assert_eq!(asked.status, 201, "{asked:?}");
    let id = asked.json()["request_id"].as_str().unwrap().to_owned();
    assert_eq!(asked.header("location"), format!("/v1/adjustments/{id}"));
    assert_eq!(asked.json()["event"]["actor"], "own");
    // Sent again, also to another server: the same answer, no other event.
    let place = format!("/v1/adjustments/{id}");
    drop(server);
    let server = Server::start(&tool);
    let again = post(&server, &own, "/v1/adjustments", &ask, "first");
    assert_eq!((again.status, again.json()), (201, asked.json()));
    assert_eq!(events(&tool), "1");
    let changed = json!({"rep": rep, "to": to, "reason": "three months off"});
    let (status, kind, _) = problem(&post(&server, &own, "/v1/adjustments", &changed, "first"));
    assert_eq!((status, kind.as_str()), (422, "idempotency-key-reused"));
    // Terms that aren't those on the table.
    let (status, _, detail) =
        problem(&post(&server, &boss, &format!("{place}/approve"), &json!({"to": 1}), ""));
    assert_eq!(status, 409, "{detail}");
    who_pays(&tool, &server, [&crm, &own], [&rep, &other], (&id, &to, &quota));
    talked_about_and_decided(&server, [&own, &boss, &crm], (&id, &place, &to));
    // The next run does it.
    let runs = server.get_as(&crm, "/v1/runs").json()["items"].as_array().unwrap().len();
    super::publish(&tool, super::DAYS[0]);
    super::keys::eventually(|| {
        server.get_as(&crm, "/v1/runs").json()["items"].as_array().unwrap().len() > runs
    });
    let after = server.get_as(&crm, &format!("/v1/reps/{rep}/quota")).json()["quota"]["quota"].clone();
    assert_eq!(format!("{:.2}", after.as_f64().unwrap()), to);
    let log = std::fs::read_to_string(tool.path("audit.ndjson")).unwrap();
    let noted = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["method"] == "POST"
            && line["key"] == "boss"
            && line["path"] == format!("{place}/approve").as_str()
    };
    assert!(log.lines().any(noted), "{log}");
}

/// To the whole company's key all who pay are shown, to the rep's own a sum, to others nothing.
fn who_pays(
    tool: &Tool,
    server: &Server,
    [crm, own]: [&str; 2],
    [rep, other]: [&str; 2],
    (id, to, quota): (&str, &str, &Value),
) {
    let place = format!("/v1/adjustments/{id}");
    let shown = server.get_as(crm, &place);
    assert_eq!(shown.status, 200, "{shown:?}");
    let effect = shown.json()["effect"].clone();
    assert_eq!(
        (effect["own"]["rep_id"].as_str(), cents(&effect["own"]["before"])),
        (Some(rep), cents(quota))
    );
    assert_eq!(format!("{:.2}", effect["own"]["after"].as_f64().unwrap()), to);
    assert_eq!((cents(&effect["change"]), effect["not_shown"]["reps"].as_i64()), (0, Some(0)));
    let others = effect["others"].as_array().unwrap().clone();
    assert!(!others.is_empty());
    let command = tool.run(&["adjust", "show", id]).succeeded().out;
    for line in &others {
        assert!(command.contains(line["rep_id"].as_str().unwrap()), "{command}");
    }
    let hidden = server.get_as(own, &place).json()["effect"].clone();
    assert_eq!(hidden["others"], json!([]));
    assert_eq!(hidden["not_shown"]["reps"], others.len());
    assert_eq!(cents(&hidden["not_shown"]["change"]), -cents(&effect["own"]["change"]));
    let stranger = key(tool, &["stranger", "--rep", other, "--scope", "request"]);
    super::keys::eventually(|| server.get_as(&stranger, "/v1/adjustments").status == 200);
    assert_eq!(server.get_as(&stranger, "/v1/adjustments").json()["items"], json!([]));
    for path in [place.clone(), "/v1/adjustments/nothing".to_owned()] {
        assert_eq!(problem(&server.get_as(&stranger, &path)).0, 403, "{path}");
    }
    assert_eq!(problem(&server.get_as(crm, "/v1/adjustments/nothing")).0, 404);
}

/// Talk, other terms, and a decision by somebody else than who proposed them, once.
fn talked_about_and_decided(
    server: &Server,
    [own, boss, crm]: [&str; 3],
    (id, place, to): (&str, &str, &str),
) {
    let comment = |key: &str, word: &str| {
        post(server, key, &format!("{place}/comment"), &json!({"text": "why?"}), word)
    };
    assert_eq!(comment(boss, "c1").status, 200);
    assert_eq!(comment(boss, "c1").json()["event"]["sequence"], 2);
    assert_eq!(comment(boss, "c2").json()["event"]["sequence"], 3);
    // What another key calls the same is something else.
    assert_eq!(comment(own, "c2").json()["event"]["sequence"], 4);
    let counter = json!({"percent": -1.5, "reason": "half"});
    assert_eq!(problem(&post(server, crm, &format!("{place}/counter"), &counter, "")).0, 403);
    let countered = post(server, boss, &format!("{place}/counter"), &counter, "");
    assert_eq!(countered.json()["event"]["percent"], -1.5, "{countered:?}");
    let (status, _, detail) = problem(&post(server, boss, &format!("{place}/approve"), &json!({}), ""));
    assert_eq!(status, 403);
    assert!(detail.starts_with("boss proposed these terms"), "{detail}");
    assert_eq!(problem(&post(server, own, &format!("{place}/approve"), &json!({}), "")).0, 403);
    assert_eq!(post(server, own, &format!("{place}/counter"), &json!({"to": to}), "").status, 200);
    let approve = |word: &str| post(server, boss, &format!("{place}/approve"), &json!({"to": to}), word);
    let approved = approve("yes");
    assert_eq!(approved.status, 200, "{approved:?}");
    assert_eq!(approve("yes").json(), approved.json());
    let (status, kind, detail) = problem(&approve("once more"));
    assert_eq!((status, kind.as_str()), (409, "conflict"), "{detail}");
    let (status, kind, _) = problem(&post(server, boss, &format!("{place}/reject"), &json!({}), "yes"));
    assert_eq!((status, kind.as_str()), (422, "idempotency-key-reused"));
    let listed = server.get_as(own, "/v1/adjustments?status=approved").json();
    assert_eq!(
        (listed["items"][0]["id"].as_str(), listed["items"][0]["decided_by"].as_str()),
        (Some(id), Some("boss"))
    );
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get_as(own, "/v1/adjustments?status=open").json()["items"], json!([]));
}

#[test]
fn wrong_bodies_name_the_field_and_add_nothing() {
    let tool = world();
    let (rep, ..) = people(&tool);
    let server = Server::start(&tool);
    let refused = |body: &str, status: u16, detail: &str| {
        let answer =
            server.send("POST", "/v1/adjustments", &[("content-type", "application/json")], body.as_bytes());
        let (found, _, told) = problem(&answer);
        assert_eq!((found, told.contains(detail)), (status, true), "{body}: {told}");
        answer.json()["parameter"].as_str().unwrap_or_default().to_owned()
    };
    let with = |field: &str| format!(r#"{{"rep":"{rep}","reason":"x",{field}}}"#);
    assert_eq!(
        refused(&with(r#""percnt":3"#), 400, "there is no field percnt; did you mean percent?"),
        "percnt"
    );
    assert_eq!(
        refused(&with(r#""beyond_plan":true"#), 400, "to is missing: say which amount, or percent"),
        "to"
    );
    assert_eq!(
        refused(
            &with(r#""percent":3,"perios":"2026-02""#),
            400,
            "there is no field perios; did you mean period?"
        ),
        "perios"
    );
    assert_eq!(refused(&with(r#""to":"1.234""#), 400, "to 1.234 is no amount above 0"), "to");
    assert_eq!(refused(&with(r#""to":[1]"#), 400, "to must be an amount like 120000.50"), "to");
    assert_eq!(refused(&with(r#""to":1,"percent":1"#), 400, "to and percent are both given"), "to");
    assert_eq!(
        refused(&with(r#""percent":-100"#), 400, "percent -100 is not between -100 and 500"),
        "percent"
    );
    assert_eq!(
        refused(&with(r#""percent":1,"beyond_plan":"yes""#), 400, "beyond_plan must be true or false"),
        "beyond_plan"
    );
    assert_eq!(
        refused(&with(r#""percent":1,"from":"1.2.2026""#), 400, "from must be a date like 2026-03-31"),
        "from"
    );
    assert_eq!(
        refused(&with(r#""percent":1,"until":"2026-03-01""#), 400, "until 2026-03-01 is not in 2026-02"),
        "until"
    );
    assert_eq!(
        refused(&with(r#""percent":1,"period":"2026-Q1""#), 400, "there is no period 2026-Q1"),
        "period"
    );
    assert_eq!(refused(r#"{"rep":"nobody","reason":"x","percent":1}"#, 400, "nobody has no quota"), "rep");
    assert_eq!(refused(&format!(r#"{{"rep":"{rep}","percent":1}}"#), 400, "reason is missing"), "reason");
    assert_eq!(
        refused(r#"{"rep": }"#, 400, "the body is no JSON object: expected value at line 1 column 9"),
        ""
    );
    assert_eq!(refused("[1]", 400, "the body is no JSON object"), "");
    assert_eq!(events(&tool), "0");
}

#[test]
fn bodies_that_are_too_large_or_of_another_kind_are_refused() {
    let tool = Tool::new().with_lake();
    let mut command = tool.command(&["serve", "--http", "127.0.0.1:0"]);
    command.env("TIDELINE_SERVE__BODY_BYTES_MAX", "2000");
    let server = Server::of(command);
    let body = format!(r#"{{"evidence":"{}"}}"#, "x".repeat(3_000));
    let large =
        server.send("POST", "/v1/adjustments", &[("content-type", "application/json")], body.as_bytes());
    assert_eq!((problem(&large).0, problem(&large).2.contains("at most 2000 are taken")), (413, true));
    let chunks = [("content-type", "application/json"), ("transfer-encoding", "chunked")];
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", 3_000, " ".repeat(3_000));
    let answer = server.send_raw("POST", "/v1/adjustments", &chunks, chunk.as_bytes());
    assert_eq!(problem(&answer).0, 413);
    let text = server.send("POST", "/v1/adjustments", &[("content-type", "text/plain")], b"{}");
    assert_eq!(problem(&text).0, 415, "a page of another site can't send JSON without asking first");
    let put = server.send("PUT", "/v1/adjustments", &[("content-type", "application/json")], b"{}");
    assert_eq!(problem(&put).0, 405, "there is no such method, whatever the body is");
    let not_here = server.send("POST", "/v1/quotas", &[("content-type", "application/json")], b"{}");
    assert_eq!(problem(&not_here).0, 405);
    let nowhere = server.send("POST", "/v1/nothing", &[("content-type", "text/plain")], b"x");
    assert_eq!(problem(&nowhere).0, 404);
    let read = server.send("GET", "/v1/quotas", &[("content-type", "application/json")], b"{}");
    assert_eq!(problem(&read).0, 415, "a request that reads takes no body");
    assert_eq!(server.ask("POST", "/v1/quotas", &[]).status, 405);
}
