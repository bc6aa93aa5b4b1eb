//! Keys: who is let in, what he sees, how often he may ask, and what is written down about it.

use std::time::{Duration, Instant};

use super::client::Server;
use super::{people, problem, world};
use crate::tool::{Tool, pause};

pub(super) fn with_keys(tool: Tool) -> Tool {
    tool.file("tideline.toml", "[serve]\nkeys = \"keys.toml\"\naudit = \"audit.ndjson\"\n")
}

pub(super) fn key(tool: &Tool, arguments: &[&str]) -> String {
    tool.run(&[&["key", "add"], arguments].concat()).succeeded().out.trim().to_owned()
}

pub(crate) fn eventually(good: impl Fn() -> bool) {
    let begun = Instant::now();
    while !good() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it doesn't come about");
        pause(50);
    }
}

#[test]
fn a_key_sees_what_it_is_for_and_no_more() {
    let tool = with_keys(world());
    let (rep, other, manager) = people(&tool);
    let everything = key(&tool, &["crm"]);
    let own = key(&tool, &["own", "--rep", &rep, "--scope", "read-quotas", "--scope", "read-leads"]);
    let team = key(&tool, &["team", "--manager", &manager]);
    let leads = key(&tool, &["leads", "--scope", "read-leads"]);
    let server = Server::start(&tool);
    let status = |key: &str, path: &str| server.get_as(key, path).status;
    let quota = |rep: &str| format!("/v1/reps/{rep}/quota");
    // Nobody, a stranger, and a key that is nearly right.
    assert_eq!(problem(&server.get(&quota(&rep))).0, 401);
    assert_eq!(server.get(&quota(&rep)).header("www-authenticate"), "Bearer realm=\"tideline\"");
    let nearly = format!("{}0", &everything[..everything.len() - 1]);
    let nearly =
        if nearly == everything { format!("{}1", &everything[..everything.len() - 1]) } else { nearly };
    for wrong in ["tl_crm_", "tl_nobody_00", "crm", &nearly, &everything.replace("tl_crm", "tl_own")] {
        assert_eq!(status(wrong, &quota(&rep)), 401, "{wrong}");
    }
    for open in ["/healthz", "/readyz", "/openapi.json", "/"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
    assert_eq!((server.get("/metrics").status, status(&leads, "/metrics")), (401, 200));
    assert_eq!(server.ask("GET", &quota(&rep), &[("x-api-key", &everything)]).status, 200);
    // Whose rows.
    let seen =
        |key: &str| [status(key, &quota(&rep)), status(key, &quota(&other)), status(key, &quota("nobody"))];
    assert_eq!(seen(&everything), [200, 200, 404]);
    assert_eq!(seen(&own), [200, 403, 403]);
    assert_eq!(seen(&team), [200, 403, 403]);
    assert_eq!(seen(&leads), [403, 403, 403]);
    for path in ["quota/explanation", "health"] {
        assert_eq!(status(&own, &format!("/v1/reps/{rep}/{path}")), 200);
        assert_eq!(status(&own, &format!("/v1/reps/{other}/{path}")), 403);
    }
    let listed = |key: &str, path: &str, field: &str| -> Vec<String> {
        let rows = server.get_as(key, path).json();
        let rows = rows.get("items").or_else(|| rows.get("changes")).unwrap().as_array().unwrap().clone();
        rows.iter().filter_map(|row| Some(row[field].as_str()?.to_owned())).collect()
    };
    assert_eq!(listed(&own, "/v1/quotas", "rep_id"), [rep.as_str()]);
    assert_eq!(status(&own, &format!("/v1/quotas?rep={other}")), 403);
    let in_team = listed(&team, "/v1/quotas", "rep_id");
    let query = format!(
        "SELECT count(*) FROM mart.rep_measure WHERE manager_id = '{manager}' OR rep_id = '{manager}'"
    );
    assert_eq!(in_team.len().to_string(), super::query(&tool, &query));
    assert!(in_team.contains(&rep) && !in_team.contains(&other));
    assert!(listed(&own, "/v1/changes", "rep_id").iter().all(|found| *found == rep));
    assert!(listed(&own, "/v1/alerts?limit=10000", "scope_id").iter().all(|found| *found == rep));
    let customer_of = |rep: &str| {
        super::query(
            &tool,
            &format!("SELECT customer_id FROM mart.customer_health WHERE owner_rep_id = '{rep}' LIMIT 1"),
        )
    };
    let customer = |rep: &str| format!("/v1/customers/{}/health", customer_of(rep));
    assert_eq!((status(&own, &customer(&rep)), status(&own, &customer(&other))), (200, 403));
    assert_eq!(status(&own, "/v1/customers/nobody/health"), 403);
    assert_eq!((status(&everything, "/v1/leads/l/score"), status(&leads, "/v1/leads/l/score")), (403, 404));
    // What was read stands in the log, and no secret does.
    let log = std::fs::read_to_string(tool.path("audit.ndjson")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = |key: &str, path: &str, status: u16| {
        lines.iter().any(|line| line["key"] == key && line["path"] == path && line["status"] == status)
    };
    assert!(expected("own", &quota(&rep), 200) && expected("own", &quota(&other), 403), "{log}");
    assert!(expected("", &quota(&rep), 401) && lines.iter().all(|line| line["path"] != "/healthz"), "{log}");
    let file = std::fs::read_to_string(tool.path("keys.toml")).unwrap();
    for key in [&everything, &own, &team, &leads] {
        let secret = key.rsplit_once('_').unwrap().1;
        assert!(secret.len() == 64 && !file.contains(secret) && !log.contains(secret));
    }
}

#[test]
fn keys_are_changed_while_the_server_runs() {
    let tool = with_keys(world());
    let (rep, ..) = people(&tool);
    let path = format!("/v1/reps/{rep}/quota");
    let old = key(&tool, &["crm"]);
    let server = Server::start(&tool);
    assert_eq!(server.get_as(&old, &path).status, 200);
    let new = key(&tool, &["crm-2"]);
    eventually(|| server.get_as(&new, &path).status == 200);
    tool.run(&["key", "revoke", "crm"]).succeeded();
    eventually(|| server.get_as(&old, &path).status == 401);
    assert_eq!(server.get_as(&new, &path).status, 200);
    // A file that was broken by hand changes nothing.
    let file = std::fs::read_to_string(tool.path("keys.toml")).unwrap();
    std::fs::write(tool.path("keys.toml"), format!("{file}\n[[key]]\nid = 7\n")).unwrap();
    pause(500);
    assert_eq!(server.get_as(&new, &path).status, 200);
}

#[test]
fn a_key_that_asks_too_often_is_told_to_wait() {
    let tool = with_keys(world());
    let (rep, ..) = people(&tool);
    let path = format!("/v1/reps/{rep}/quota");
    let slow = key(&tool, &["slow", "--requests-per-second", "2"]);
    let other = key(&tool, &["other"]);
    let server = Server::start(&tool);
    let answers: Vec<_> = (0..30).map(|_| server.get_as(&slow, &path)).collect();
    let refused =
        answers.iter().find(|answer| answer.status == 429).expect("thirty in a moment are too many");
    assert_eq!(problem(refused).2, "the key slow may ask 2 times a second");
    assert_eq!(refused.header("retry-after"), "1");
    assert!(answers.iter().filter(|answer| answer.status == 200).count() >= 4);
    assert_eq!(server.get_as(&other, &path).status, 200);
    eventually(|| server.get_as(&slow, &path).status == 200);
}

#[test]
fn keys_are_made_listed_and_taken_back() {
    let tool = Tool::new().with_lake();
    tool.run(&["key", "list"]).failed(
        1,
        "error: the configuration names no file of keys; write keys = \"keys.toml\" under [serve] in tideline.toml",
    );
    let tool = with_keys(tool);
    assert_eq!(tool.run(&["key", "list"]).succeeded().out, "no keys\n");
    let serve = tool.run(&["serve", "--http", "127.0.0.1:0"]);
    serve.failed(
        1,
        "error: serve.keys names keys.toml, which holds no keys; `tideline key add NAME` makes one",
    );
    key(&tool, &["crm", "--scope", "admin"]);
    key(&tool, &["east", "--manager", "m1", "--requests-per-second", "5"]);
    assert_eq!(
        tool.run(&["key", "list"]).succeeded().out,
        "crm: admin; sees all\neast: read_quotas; sees the team of m1, 5 requests a second\n"
    );
    tool.run(&["key", "add", "crm"])
        .failed(1, "error: there is a key crm already; choose another name, or revoke that one first");
    tool.run(&["key", "add", "A b"])
        .failed(1, "error: key A b: a name has 1 to 64 small letters, digits and hyphens");
    tool.run(&["key", "revoke", "west"])
        .failed(1, "error: there is no key west; `tideline key list` shows them");
    tool.run(&["key", "revoke", "east"]).succeeded();
    assert_eq!(tool.run(&["key", "list"]).succeeded().out, "crm: admin; sees all\n");
    let tool = tool.file("keys.toml", "[[key]]\nid = \"crm\"\nhash = \"abc\"\nscopes = [\"admin\"]\n");
    tool.run(&["key", "list"]).failed(
        1,
        "error: the keys keys.toml: key crm: hash must be 64 hex digits; `tideline key add` makes keys",
    );
    let tool = tool.file("keys.toml", "\n[[key]]\nid = \"crm\"\nscope = []\n");
    let answer = tool.run(&["key", "list"]);
    assert!(
        answer.status == 1 && answer.err.contains("the keys keys.toml, line 4: unknown field `scope`"),
        "{}",
        answer.err
    );
}
