//! What-if over HTTP: the same numbers as the command's, within limits.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client::{Answer, Server};
use super::keys::{key, with_keys};
use super::{people, problem, world};

const SCENARIO: &str = "[[scenario]]\nname = \"cold\"\nmarket_heat = [80, 90]\ntau = 0.55\n";

fn toml(server: &Server, query: &str, body: &str) -> Answer {
    server.send(
        "POST",
        &format!("/v1/whatif{query}"),
        &[("content-type", "application/toml")],
        body.as_bytes(),
    )
}

fn json(server: &Server, body: &Value) -> Answer {
    let body = body.to_string();
    server.send("POST", "/v1/whatif", &[("content-type", "application/json")], body.as_bytes())
}

/// The quota by case and scope.
fn quotas(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let of = |row: &Value| {
        let part = |name: &str| row[name].as_str().unwrap().to_owned();
        (format!("{},{},{}", part("scenario"), part("scope"), part("scope_id")), row["quota"].to_string())
    };
    answer.json()["items"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn scenarios_are_tried_as_the_command_tries_them() {
    let tool = world().file("s.toml", SCENARIO);
    let server = Server::start(&tool);
    let shown =
        tool.run(&["whatif", "--scenario", "s.toml", "--by", "rep", "--format", "csv"]).succeeded().out;
    let mut lines = shown.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let head = lines.next().unwrap();
    let place = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let expected: BTreeMap<String, f64> =
        lines.map(|row| (row[..3].join(","), row[place("quota")].parse().unwrap())).collect();
    let found = quotas(&toml(&server, "?by=rep", SCENARIO));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, quota) in &found {
        assert!((quota.parse::<f64>().unwrap() - expected[name]).abs() < 1e-9, "{name}");
    }
    // JSON says the same, and regions are the usual.
    let same = json!({"scenario": [{"name": "cold", "market_heat": [80, 90], "tau": 0.55}]});
    let regions: BTreeMap<String, String> =
        found.into_iter().filter(|(name, _)| !name.contains(",rep,")).collect();
    assert_eq!(quotas(&json(&server, &same)), regions);
    let answer = toml(&server, "", SCENARIO);
    assert_eq!((answer.header("etag"), answer.header("cache-control")), ("", "no-store"));
    // What is wrong is named: by line in TOML, by key in JSON.
    let wrong = |answer: &Answer| {
        let (status, kind, detail) = problem(answer);
        (status, kind, detail)
    };
    let said = |text: &str| (422, "unprocessable".to_owned(), text.to_owned());
    let misspelt = "[[scenario]]\nmarket_hea = 80\n";
    assert_eq!(
        wrong(&toml(&server, "", misspelt)),
        said("the body, line 2: unknown key market_hea; did you mean market_heat?")
    );
    assert_eq!(
        wrong(&json(&server, &json!({"scenario": [{"market_hea": 80}]}))),
        said("the body: unknown key market_hea; did you mean market_heat?")
    );
    assert_eq!(wrong(&json(&server, &json!({"scenario": [{"leavers": ["nobody"]}]}))).0, 422);
    assert_eq!(
        wrong(&toml(&server, "", "[[scenario]]\nrules = \"/etc/passwd\"\n")),
        said("rules: files of the server can't be named here")
    );
    let many = "[[scenario]]\nmarket_heat = \"80..120 step 0.1\"\ntau = [0.5, 0.55, 0.6]\n";
    let (status, _, detail) = wrong(&toml(&server, "", many));
    assert_eq!((status, detail.as_str()), (422, "1203 cases are asked for, at most 1000 are tried"));
    assert_eq!(problem(&toml(&server, "?by=rap", SCENARIO)).0, 400);
    assert_eq!(problem(&json(&server, &json!({"scenario": null}))).0, 400);
    assert_eq!(problem(&server.send("POST", "/v1/whatif", &[("content-type", "text/plain")], b"x")).0, 415);
}

#[test]
fn only_whoever_sees_everybody_may_try_and_only_so_many_at_once() {
    let tool = with_keys(world());
    let (rep, _, manager) = people(&tool);
    let keys = [
        key(&tool, &["own", "--rep", &rep]),
        key(&tool, &["team", "--manager", &manager]),
        key(&tool, &["leads", "--scope", "read-leads"]),
    ];
    let all = key(&tool, &["all"]);
    let mut command = tool.command(&["serve", "--http", "127.0.0.1:0"]);
    command.env("TIDELINE_SERVE__WHATIF_AT_ONCE", "1").env("TIDELINE_SERVE__WHATIF_ROWS_MAX", "30");
    let server = Server::of(command);
    let ask = |key: &str, query: &str| {
        let authorization = format!("Bearer {key}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/toml")];
        server.send("POST", &format!("/v1/whatif{query}"), &headers, SCENARIO.as_bytes())
    };
    for key in &keys {
        assert_eq!(problem(&ask(key, "")).0, 403);
    }
    // The first has to compute the day; whoever comes meanwhile is sent away, and nobody waits in line.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..6).map(|_| scope.spawn(|| ask(&all, "").status)).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    let (status, _, detail) = problem(&ask(&all, "?by=rep"));
    assert_eq!(status, 422);
    assert!(detail.contains("at most 30 are given; say by=region or by=company"), "{detail}");
}
