//! Webhooks: nothing is left out, nothing overtakes, and what comes twice has the same id, whoever fails when.

use std::collections::BTreeMap;

use serde_json::Value;

use super::changes::follow;
use super::client::Server;
use super::receiver::{Mood, Receiver, Request};
use super::{DAYS, publish, query, world};
use crate::tool::{Tool, pause};

/// What requests are signed with.
const KEY: &[u8] = b"tideline-tests-sign-with-this-one";
const SECRET: &str = "whsec_dGlkZWxpbmUtdGVzdHMtc2lnbi13aXRoLXRoaXMtb25l\n";

fn hook(receiver: &Receiver, more: &str) -> String {
    format!(
        "[[serve.webhook]]\nname = \"crm\"\nurl = \"http://{}/hook\"\nsecret = \"file:hook.secret\"\n\
         retry_seconds = 0.05\nretry_seconds_max = 0.2\ntimeout_seconds = 0.5\n{more}\n",
        receiver.address
    )
}

fn with_hook(tool: Tool, receiver: &Receiver, more: &str) -> Tool {
    tool.file("hook.secret", SECRET).file("tideline.toml", &hook(receiver, more))
}

/// Starts a server whose log goes to a file; returns once it knows where to begin.
fn start(tool: &Tool, log: &str) -> Server {
    let mut command = tool.command(&["serve", "--http", "127.0.0.1:0"]);
    let log = std::fs::File::options().create(true).append(true).open(tool.path(log)).unwrap();
    command.env("TIDELINE_SERVE__POLL_SECONDS", "0.1").stderr(log);
    let server = Server::of(command);
    let place = tool.path("lake/_tideline/webhook/crm.json");
    for _ in 0..1_000 {
        if place.exists() {
            return server;
        }
        pause(10);
    }
    panic!("the subscriber isn't told of anything");
}

fn metric(server: &Server, name: &str) -> String {
    let page = String::from_utf8(server.get("/metrics").body).unwrap();
    let line = page.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.rsplit(' ').next().unwrap().to_owned()
}

/// The changes of requests that were taken, each id once; checks what holds of all requests.
fn told(requests: &[Request]) -> Vec<Value> {
    let mut bodies: BTreeMap<&str, &[u8]> = BTreeMap::new();
    let mut taken: Vec<&str> = Vec::new();
    let mut changes = Vec::new();
    for request in requests {
        assert!(request.is_signed_with(KEY), "{request:?}");
        let known = bodies.entry(&request.id).or_insert(&request.body);
        assert_eq!(*known, request.body, "the same id, another body");
        assert!(
            !taken.contains(&request.id.as_str()) || taken.last() == Some(&request.id.as_str()),
            "only the last one may come again"
        );
        if request.mood == Mood::Takes && taken.last() != Some(&request.id.as_str()) {
            taken.push(&request.id);
            changes.extend(request.changes());
        }
    }
    changes
}

fn rest_of(server: &Server, since: &str) -> Vec<Value> {
    follow(server, &mut since.to_owned(), 10_000)
}

#[test]
fn everything_arrives_in_order_through_failures_hangs_deaths_and_kills() {
    let mut receiver = Receiver::start(Mood::Answers(500));
    let tool = with_hook(world(), &receiver, "changes_max = 7");
    let server = start(&tool, "serve.log");
    let since = server.get("/v1/quotas?limit=1").json()["changes"].as_str().unwrap().to_owned();
    assert_eq!(receiver.requests().len(), 0, "what was published before is not told");
    publish(&tool, DAYS[1]);
    let mut all = Vec::new();
    receiver.until(|requests| requests.len() >= 3);
    assert_eq!(metric(&server, "tideline_webhook_requests_total{subscriber=\"crm\",outcome=\"taken\"}"), "0");
    assert_ne!(metric(&server, "tideline_webhook_failures{subscriber=\"crm\"}"), "0");
    for mood in [Mood::Hangs, Mood::Closes, Mood::Answers(302), Mood::Answers(404)] {
        receiver.set(mood);
        let seen = receiver.requests().len();
        receiver
            .until(|requests| requests[seen..].iter().filter(|request| request.mood == mood).count() >= 2);
    }
    // Gone altogether for a while.
    all.extend(receiver.requests());
    let address = receiver.address;
    drop(receiver);
    pause(300);
    // It takes fewer than there are, so that something is left to tell however slowly the kills come.
    receiver = Receiver::at_for(address, 4);
    // Killed while it tells, and again at once; then while the subscriber keeps it waiting.
    receiver.until(|requests| requests.len() >= 2);
    drop(server);
    drop(start(&tool, "serve.log"));
    receiver.set(Mood::Hangs);
    let server = start(&tool, "serve.log");
    let seen = receiver.requests().len();
    receiver.until(|requests| requests.len() > seen);
    drop(server);
    receiver.set(Mood::Takes);
    let server = start(&tool, "serve.log");
    let expected = rest_of(&server, &since);
    assert!(expected.len() > 20, "{}", expected.len());
    receiver.until(|requests| {
        let whole: Vec<Request> = all.iter().chain(requests).cloned().collect();
        told(&whole).len() >= expected.len()
    });
    pause(300);
    all.extend(receiver.requests());
    assert_eq!(told(&all), expected);
    assert!(all.iter().all(|request| request.changes().len() <= 7));
    assert_eq!(metric(&server, "tideline_webhook_delay_seconds{subscriber=\"crm\"}"), "0");
    assert_eq!(server.stop().0, 0);
    // A reason is one line in a streak of failures, and the streak's end another.
    let log = std::fs::read_to_string(tool.path("serve.log")).unwrap();
    let first = log.lines().filter(|line| line.contains("it answered 500")).count();
    assert_eq!((first, log.matches("the subscriber takes changes again").count() >= 1), (1, true), "{log}");
    // 500, no answer in time, a connection that is closed or refused, 302; then two streaks after restarts.
    assert!(log.matches("telling a subscriber of changes:").count() <= 9, "{log}");
}

#[test]
fn of_two_servers_one_tells_and_the_other_takes_over() {
    let receiver = Receiver::start(Mood::Takes);
    let tool = with_hook(world(), &receiver, "");
    let first = start(&tool, "first.log");
    let second = start(&tool, "second.log");
    let since = first.get("/v1/quotas?limit=1").json()["changes"].as_str().unwrap().to_owned();
    publish(&tool, DAYS[1]);
    let expected = {
        first.until("/readyz", |answer| answer.json()["as_of"] == DAYS[1]);
        rest_of(&first, &since)
    };
    receiver.until(|requests| told(requests).len() >= expected.len());
    let active = |server: &Server| metric(server, "tideline_webhook_active{subscriber=\"crm\"}");
    assert_eq!((active(&first).as_str(), active(&second).as_str()), ("1", "0"));
    drop(first);
    second.until("/metrics", |_| active(&second) == "1");
    // A day again, with another sale in it.
    super::changes::more_sales(&tool, 0);
    publish(&tool, DAYS[1]);
    let newest = query(&tool, "SELECT count(*) FROM ops.run");
    second.until("/v1/runs", |answer| answer.json()["items"].as_array().unwrap().len().to_string() == newest);
    let expected = rest_of(&second, &since);
    let requests = receiver.until(|requests| told(requests).len() >= expected.len());
    assert_eq!(told(&requests), expected);
    let ids: std::collections::BTreeSet<&str> = requests.iter().map(|request| request.id.as_str()).collect();
    assert_eq!(ids.len(), requests.len(), "nothing came twice");
}

#[test]
fn whoever_is_gone_is_left_alone_until_the_settings_change() {
    let receiver = Receiver::start(Mood::Answers(410));
    let tool = with_hook(world(), &receiver, "");
    let server = start(&tool, "serve.log");
    let since = server.get("/v1/quotas?limit=1").json()["changes"].as_str().unwrap().to_owned();
    publish(&tool, DAYS[1]);
    receiver.until(|requests| requests.len() == 1);
    pause(500);
    drop(server);
    let server = start(&tool, "serve.log");
    pause(500);
    assert_eq!(receiver.requests().len(), 1);
    assert_eq!(metric(&server, "tideline_webhook_active{subscriber=\"crm\"}"), "0");
    drop(server);
    // Other settings: now it wants quotas only, of one region.
    receiver.set(Mood::Takes);
    let region = query(&tool, "SELECT region_id FROM mart.quota ORDER BY rep_id LIMIT 1");
    let of_region = query(&tool, &format!("SELECT count(*) FROM mart.quota WHERE region_id = '{region}'"));
    assert_ne!(of_region, query(&tool, "SELECT count(*) FROM mart.quota"));
    let tool = with_hook(tool, &receiver, &format!("kinds = [\"quota\"]\nregions = [\"{region}\"]"));
    let server = start(&tool, "serve.log");
    let regions: BTreeMap<String, String> = server.get("/v1/quotas?limit=10000").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["rep_id"].as_str().unwrap().to_owned(), row["region_id"].to_string()))
        .collect();
    let mut expected = rest_of(&server, &since);
    expected.retain(|change| {
        change["kind"] == "quota" && regions[change["rep_id"].as_str().unwrap()] == format!("\"{region}\"")
    });
    assert!(!expected.is_empty());
    let requests = receiver.until(|requests| told(requests).len() >= expected.len());
    assert_eq!(told(&requests), expected);
}

#[test]
fn wrong_settings_say_what_would_be_right() {
    let refused = |text: &str, message: &str| {
        let tool = Tool::new().with_lake().file("tideline.toml", text);
        tool.run(&["serve", "--http", "127.0.0.1:0"]).failed(1, &format!("error: {message}"));
    };
    let hook = "[[serve.webhook]]\nname = \"crm\"\nurl = \"https://localhost/x\"\nsecret = \"file:s\"\n";
    refused(
        "[[serve.webhook]]\nurl = \"https://localhost/x\"\n",
        "tideline.toml: serve.webhook 1: name must have 1 to 64 small letters, digits and hyphens",
    );
    refused(
        &hook.replace("https://", "ftp://"),
        "tideline.toml: serve.webhook crm: url must be an address like https://crm.example.com/tideline",
    );
    refused(
        &hook.replace("https://", "https://me:secret@"),
        "tideline.toml: serve.webhook crm: url must not hold a user or password; requests are signed with the secret",
    );
    refused(
        &format!("{hook}kinds = [\"quotas\"]\n"),
        "tideline.toml, line 5: unknown variant `quotas`, expected one of `quota`, `alert_raised`, `alert_cleared`",
    );
    refused(
        &format!("{hook}{hook}"),
        "tideline.toml: serve.webhook crm: there are two of that name; choose another for one",
    );
    refused(
        &format!("{hook}retry_seconds = 10\nretry_seconds_max = 5\n"),
        "tideline.toml: serve.webhook crm: retry_seconds_max must be between retry_seconds and 86,400",
    );
    refused(hook, "serve.webhook crm: secret: s can't be read: No such file or directory (os error 2)");
    refused(
        &hook.replace("file:s", "whsec_abc"),
        "serve.webhook crm: secret: write where it is, as \"env:NAME\" or \"file:PATH\"",
    );
    let answer = Tool::new().with_lake().file("tideline.toml", &format!("{hook}nam = 1\n")).run(&[
        "serve",
        "--http",
        "127.0.0.1:0",
    ]);
    answer.says(1, "tideline.toml, line 5: unknown field `nam`, expected one of `name`");
}
