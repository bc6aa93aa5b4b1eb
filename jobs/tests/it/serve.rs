//! The HTTP API as its clients meet it: the real server on a loopback port, spoken to in bytes.

mod adjust;
mod changes;
pub(crate) mod client;
mod keys;
mod limits;
mod receiver;
mod rows;
mod tls;
mod webhook;
mod whatif;

use self::client::{Answer, Server};
pub(crate) use self::keys::eventually;
use crate::tool::Tool;

/// Published days of the sample, in the order in which tests publish them.
pub(crate) const DAYS: [&str; 2] = ["2026-02-13", "2026-02-14"];

/// A lake of the sample, its first day published.
pub(crate) fn world() -> Tool {
    let tool = Tool::new();
    let scale = data_samples::sample_scale();
    data_samples::generate(&scale, &tool.path("data"), data_samples::Format::Ndjson, &mut |_| {}).unwrap();
    for stream in
        ["behaviour", "market_factor", "crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar"]
    {
        let folder = format!("data/{stream}");
        let from = if tool.path(&folder).is_dir() { folder } else { format!("data/{stream}.ndjson") };
        tool.run(&["ingest", "--stream", stream, "--from", &from]).succeeded();
    }
    publish(&tool, DAYS[0]);
    tool
}

pub(crate) fn publish(tool: &Tool, day: &str) {
    tool.run(&["daily", "--as-of", day]).succeeded();
}

/// One value of a query.
pub(crate) fn query(tool: &Tool, query: &str) -> String {
    let answer = tool.run(&["sql", "--format", "csv", "-c", query]).succeeded();
    answer.out.lines().nth(1).unwrap_or_default().to_owned()
}

/// Rep ids by one that is on duty, another manager's rep, and the manager of the first.
pub(crate) fn people(tool: &Tool) -> (String, String, String) {
    let rep = query(tool, "SELECT rep_id FROM mart.quota ORDER BY rep_id LIMIT 1");
    let manager = query(tool, &format!("SELECT manager_id FROM mart.rep_measure WHERE rep_id = '{rep}'"));
    let other = format!(
        "SELECT rep_id FROM mart.rep_measure WHERE manager_id <> '{manager}' AND rep_id <> '{manager}' ORDER BY rep_id LIMIT 1"
    );
    (rep, query(tool, &other), manager)
}

/// A problem's status, type and detail.
pub(crate) fn problem(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{body}");
    assert!(body["title"].is_string(), "{body}");
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (answer.status, text("type").replace("/docs#", ""), text("detail"))
}

#[test]
fn without_keys_only_this_machine_is_listened_to() {
    let tool = Tool::new().with_lake();
    let answer = tool.run(&["serve", "--http", "0.0.0.0:0"]);
    answer.failed(
        1,
        "error: --http 0.0.0.0:0: others could reach it, and there are no keys; name a file of keys as serve.keys in \
         the configuration and make one with `tideline key add NAME`, or use a loopback address such as 127.0.0.1:8080",
    );
    let empty = Tool::new();
    let answer = empty.run(&["serve", "--http", "127.0.0.1:0"]);
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("there is no lake at lake"), "{}", answer.err);
}

#[test]
fn before_the_first_publication_the_server_is_up_but_not_ready() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool);
    assert_eq!(server.get("/healthz").status, 200);
    for path in ["/readyz", "/v1/quotas", "/v1/reps/r1/quota", "/v1/changes", "/v1/runs", "/v1/alerts"] {
        let (status, kind, detail) = problem(&server.get(path));
        assert_eq!((status, kind.as_str()), (503, "unavailable"), "{path}");
        assert_eq!(detail, "no day is published yet; `tideline daily` publishes one", "{path}");
    }
    publish(&tool, "2026-01-05");
    let ready = server.until("/readyz", |answer| answer.status == 200);
    assert_eq!(ready.json()["as_of"], "2026-01-05");
    let (status, out) = server.stop();
    assert_eq!(status, 0, "{out}");
}
