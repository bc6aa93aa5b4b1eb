//! Waiting leads and the reps that they are proposed to: strategies, capacities, territories, skills, over the command and
//! over HTTP.

use std::collections::BTreeMap;

use arrow::ipc::reader::StreamReader;
use data_samples::build::{Event, Row, ndjson};
use serde_json::Value;

use crate::serve::client::Server;
use crate::serve::problem;
use crate::tool::Tool;
use crate::world::{ask, one};

const DAY: &str = "2026-03-31";
const ON: &str = "[routing]\nstrategy = \"expected_wins\"\n";

/// An instant of the day.
fn at(hour: u32) -> String {
    format!("{DAY}T{hour:02}:00:00+08:00")
}

/// A lead of a source and region, with a rep or none.
fn lead(id: &str, time: &str, (source, region): (&str, &str), rep: Option<&str>) -> Vec<Event> {
    let created = Event::new("lead.created").at(time).lead(id);
    let created = created.attr("source", source).attr("region_id", region);
    let assigned = |rep| Event::new("lead.assigned").at(time).lead(id).rep(rep);
    std::iter::once(created).chain(rep.map(assigned)).collect()
}

/// Leads of a rep that came to an end, of which so many converted.
fn record(rep: &str, leads: usize, converted: usize) -> Vec<Event> {
    let one = |place: usize| {
        let id = format!("past-{rep}-{place}");
        let mut events = lead(&id, "2026-03-02T09:00:00+08:00", ("web", "R1"), Some(rep));
        events.push(Event::new("lead.responded").at("2026-03-02T09:05:00+08:00").lead(&id).rep(rep));
        let end = if place < converted { "lead.converted" } else { "lead.lost" };
        events.push(Event::new(end).at("2026-03-10T09:00:00+08:00").lead(&id).rep(rep));
        events
    };
    (0..leads).flat_map(one).collect()
}

/// Two reps of R1 with a good and a poor record, one of R2 in another team, and one who has left.
fn company(waiting: Vec<Event>) -> Tool {
    let rep = |id: &str, region: &str, team: &str| {
        Row::new().text("rep_id", id).text("region_id", region).text("team", team).text("manager_id", "boss")
    };
    let reps = [
        rep("good", "R1", "field"),
        rep("poor", "R1", "field").text("role", "junior"),
        rep("key", "R2", "key accounts").text("manager_id", "other"),
        rep("gone", "R1", "field").text("left_on", "2026-03-15"),
    ];
    let reps: Vec<String> = reps.iter().map(Row::to_json).collect();
    let region = |id: &str, above: &str| {
        let row = Row::new().text("region_id", id);
        (if above.is_empty() { row } else { row.text("parent_region_id", above) }).to_json()
    };
    let regions = [region("R", ""), region("R1", "R"), region("R2", "R"), region("R3", "R")];
    let events = [record("good", 40, 30), record("poor", 40, 4), waiting].concat();
    let tool = Tool::new()
        .file("reps.ndjson", &reps.join("\n"))
        .file("regions.ndjson", &regions.join("\n"))
        .file("events.ndjson", &ndjson(&events));
    for (stream, file) in [("crm.rep", "reps"), ("crm.region", "regions"), ("behaviour", "events")] {
        tool.run(&["ingest", "--stream", stream, "--from", &format!("{file}.ndjson")]).succeeded();
    }
    tool
}

fn waiting() -> Vec<Event> {
    let mut answered = lead("answered", &at(9), ("web", "R1"), Some("poor"));
    answered.push(Event::new("lead.responded").at(&at(10)).lead("answered").rep("poor"));
    [
        lead("w1", &at(9), ("web", "R1"), None),
        lead("w2", &at(10), ("web", "R1"), Some("good")),
        lead("w3", &at(11), ("fair", "R1"), None),
        lead("w4", &at(12), ("web", "R3"), Some("gone")),
        lead("w5", &format!("{DAY}T23:50:00+08:00"), ("web", "R1"), Some("poor")),
        answered,
    ]
    .concat()
}

/// The settings, the day computed with them, and who each lead goes to.
fn routed(tool: &Tool, settings: &str) -> BTreeMap<String, String> {
    std::fs::write(tool.path("tideline.toml"), settings).unwrap();
    tool.run(&["daily", "--as-of", DAY]).succeeded();
    let rows = ask(tool, "SELECT lead_id, coalesce(rep_id, '-') FROM mart.lead_route ORDER BY lead_id");
    rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

fn pairs(of: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    of.iter().map(|(lead, rep)| (lead.as_str(), rep.as_str())).collect()
}

/// Whether a lead's reason is like this.
fn says(tool: &Tool, lead: &str, pattern: &str) -> bool {
    one(tool, &format!("SELECT reason LIKE '{pattern}' FROM mart.lead_route WHERE lead_id = '{lead}'"))
        == "true"
}

/// Text of a lead's proposal.
fn cell(tool: &Tool, column: &str, lead: &str) -> String {
    one(tool, &format!("SELECT {column} FROM mart.lead_route WHERE lead_id = '{lead}'"))
}

#[test]
fn leads_that_wait_go_to_whom_they_are_won_most_often_with() {
    let tool = company(waiting());
    tool.run(&["daily", "--as-of", DAY]).succeeded();
    let before = one(&tool, "SELECT DISTINCT run_id FROM mart.lead");
    assert_eq!(one(&tool, "SELECT count(*) FROM mart.lead_route"), "0");
    let found = routed(&tool, ON);
    // Answered ones and those that nobody is late for stay where they are; w2 is not given back to who left it unanswered;
    // R3 has nobody, so w4 may go to anybody below R.
    assert_eq!(pairs(&found), [("w1", "good"), ("w2", "poor"), ("w3", "good"), ("w4", "good")]);
    let causes = ask(&tool, "SELECT cause, coalesce(from_rep_id, '-') FROM mart.lead_route ORDER BY lead_id");
    assert_eq!(
        causes,
        [["unassigned", "-"], ["escalated", "good"], ["unassigned", "-"], ["off_duty", "gone"]]
    );
    let sound = "SELECT bool_and(abs(expected_wins - least(p_convert * rep_factor, 1)) < 1e-12 AND load_after <= capacity
                     AND basis = 'record' AND strategy = 'expected_wins' AND capacity = 30) FROM mart.lead_route";
    assert_eq!(one(&tool, sound), "true");
    // The load is what the rep has and keeps: w2 was up for a proposal itself, w5 and the answered one stay.
    assert_eq!((cell(&tool, "load_before", "w1"), cell(&tool, "load_after", "w1")), ("0".into(), "3".into()));
    assert_eq!((cell(&tool, "load_before", "w2"), cell(&tool, "load_after", "w2")), ("2".into(), "3".into()));
    let places = ask(&tool, "SELECT position FROM mart.lead_route WHERE rep_id = 'good' ORDER BY position");
    assert_eq!(places, [["1"], ["2"], ["3"]]);
    let factor = |lead: &str| cell(&tool, "rep_factor", lead).parse::<f64>().unwrap();
    assert!(factor("w1") > 1.3 && factor("w2") < 0.6, "{} {}", factor("w1"), factor("w2"));
    assert_eq!(cell(&tool, "candidates", "w4"), "3");
    assert!(says(
        &tool,
        "w4",
        "42.5 % × 1.% by the rep''s record, the best of 3 reps % in R, where the nearest to R3 are"
    ));
    assert_eq!(
        cell(&tool, "reason", "w2"),
        "the only rep who may have it beside the one who left it unanswered in R1"
    );
    // Without routing the day is what it was.
    std::fs::write(tool.path("tideline.toml"), "[routing]\nstrategy = \"off\"\ncapacity = 3\n").unwrap();
    tool.run(&["daily", "--as-of", DAY]).succeeded();
    assert_eq!(one(&tool, "SELECT DISTINCT run_id FROM mart.lead"), before);
    tool.run(&["replay", "--as-of", DAY]).succeeded();
}

#[test]
fn places_go_to_the_leads_that_gain_most() {
    let tool = company(waiting());
    // One place each: with the good rep, and with the poor one, who has two leads already. All gain the same, so the newest
    // get them.
    let few = format!(
        "{ON}territory = false\n[routing.capacity_by_rep]\ngood = 1\nkey = 0\n[routing.capacity_by_role]\njunior = 3\n"
    );
    let found = routed(&tool, &few);
    assert_eq!(pairs(&found), [("w1", "-"), ("w2", "-"), ("w3", "poor"), ("w4", "good")]);
    assert_eq!(
        cell(&tool, "reason", "w1"),
        "not routed: all 2 reps who may have it are full with leads that gain no less"
    );
    assert!(says(
        &tool,
        "w3",
        "%, of 2 reps who may have it; good has × 1.%, whose places other leads gain no less by"
    ));
    assert_eq!(cell(&tool, "expected_wins IS NULL AND position IS NULL", "w1"), "true");
    let none = format!("{ON}capacity = 0\n");
    assert!(routed(&tool, &none).values().all(|rep| rep == "-"));
    assert_eq!(cell(&tool, "reason", "w1"), "not routed: nobody is on duty who may have leads");
}

#[test]
fn skills_and_wider_pools_are_kept_to() {
    let tool = company(waiting());
    let skill = format!(
        "{ON}leads = \"unanswered\"\n[[routing.skill]]\nattribute = \"source\"\nvalues = [\"fair\"]\nteams = [\"key accounts\"]\n"
    );
    let found = routed(&tool, &skill);
    // Who has the skill works in R2 only, and w5 waits too, with the rep who has it among the candidates.
    assert_eq!(found["w3"], "key");
    assert_eq!((found["w5"].as_str(), cell(&tool, "cause", "w5").as_str()), ("good", "unanswered"));
    let nobody = skill.replace("key accounts", "no such team");
    assert_eq!(routed(&tool, &nobody)["w3"], "-");
    assert_eq!(
        cell(&tool, "reason", "w3"),
        "not routed: nobody on duty has what it needs: source fair is for team no such team"
    );
}

#[test]
fn turns_go_on_where_they_stopped_and_ability_is_another_order() {
    let tool = company(waiting());
    let turns = "[routing]\nstrategy = \"round_robin\"\nterritory = false\n";
    // Nobody gave key a lead lately; then good (at 10), then poor (w5 came at 23:50); w2 must not go back to good.
    let found = routed(&tool, turns);
    assert_eq!(pairs(&found), [("w1", "key"), ("w2", "poor"), ("w3", "good"), ("w4", "key")]);
    assert_eq!(cell(&tool, "reason", "w1"), "next in turn of 3 reps who may have it");
    let full = format!("{turns}[routing.capacity_by_rep]\nkey = 1\n");
    assert_eq!(pairs(&routed(&tool, &full)), [("w1", "key"), ("w2", "poor"), ("w3", "good"), ("w4", "poor")]);
    let found = routed(&tool, "[routing]\nstrategy = \"ability\"\n");
    assert!(found.values().all(|rep| rep != "-"), "{found:?}");
    assert!(cell(&tool, "reason", "w1").contains("ability"));
    assert_eq!(cell(&tool, "strategy", "w1"), "ability");
}

#[test]
fn what_is_wrong_with_the_settings_is_said() {
    let tool = Tool::new().with_lake();
    let check = |text: &str, message: &str| {
        std::fs::write(tool.path("tideline.toml"), text).unwrap();
        tool.run(&["daily", "--as-of", DAY]).failed(1, &format!("error: {message}"));
    };
    check(
        "[routing]\nstrategie = \"ability\"\n",
        "tideline.toml, line 2: there is no key routing.strategie; did you mean routing.strategy?",
    );
    check(
        "[routing]\nstrategy = \"best\"\n",
        "tideline.toml, line 2: unknown variant `best`, expected one of `off`, `expected_wins`, `round_robin`, `ability`",
    );
    check(
        "[routing]\n[[routing.skill]]\nattribute = \"source\"\nvalues = [\"fair\"]\n",
        "tideline.toml: routing.skill 1: teams, roles or reps must name who has the skill",
    );
    check(
        "[[routing.skill]]\nattribute = \"source\"\nteams = [\"a\"]\n",
        "tideline.toml: routing.skill 1: values must name at least one value of the attribute",
    );
}

#[test]
fn proposals_are_served_to_those_whom_they_concern() {
    let keys = "[serve]\nkeys = \"keys.toml\"\n";
    let tool = company(waiting());
    std::fs::write(tool.path("tideline.toml"), keys).unwrap();
    tool.run(&["daily", "--as-of", DAY]).succeeded();
    let key = |arguments: &[&str]| {
        tool.run(&[&["key", "add"], arguments].concat()).succeeded().out.trim().to_owned()
    };
    let crm = key(&["crm", "--scope", "read-leads"]);
    let good = key(&["good", "--rep", "good", "--scope", "read-leads"]);
    let other = key(&["other", "--manager", "other", "--scope", "read-leads"]);
    let quotas = key(&["quotas", "--scope", "read-quotas"]);
    let server = Server::start(&tool);
    assert_eq!(
        problem(&server.get_as(&crm, "/v1/leads/route")).2,
        "no leads are routed as of 2026-03-31; routing.strategy in the configuration begins it"
    );
    routed(&tool, &format!("{keys}{ON}"));
    let all = "/v1/leads/route?limit=10";
    let listed = |key: &str, path: &str| -> Vec<String> {
        let rows = server.get_as(key, path).json()["items"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["lead_id"].as_str().unwrap().to_owned()).collect()
    };
    crate::serve::eventually(|| server.get_as(&crm, all).status == 200);
    assert_eq!(listed(&crm, all), ["w1", "w2", "w3", "w4"]);
    let row = server.get_as(&crm, all).json()["items"][1].clone();
    let told = |name: &str| row[name].clone();
    assert_eq!(
        (told("rep_id"), told("from_rep_id"), told("cause")),
        ("poor".into(), "good".into(), "escalated".into())
    );
    assert!(told("expected_wins").is_f64() && told("reason").is_string());
    // Page after page, each row once.
    let (mut path, mut seen) = ("/v1/leads/route?limit=3".to_owned(), Vec::new());
    loop {
        let page = server.get_as(&crm, &path).json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|row| row["lead_id"].as_str().unwrap().to_owned()),
        );
        let Value::String(next) = &page["next"] else { break };
        path = format!("/v1/leads/route?limit=3&cursor={next}");
    }
    assert_eq!(seen, ["w1", "w2", "w3", "w4"]);
    assert_eq!(listed(&crm, "/v1/leads/route?rep=poor"), ["w2"]);
    assert_eq!(listed(&crm, "/v1/leads/route?from_rep=gone&region=R3&routed=true"), ["w4"]);
    assert!(listed(&crm, "/v1/leads/route?routed=false").is_empty());
    // A rep sees what comes and what goes, a manager the team's, and who reads quotas nothing.
    assert_eq!(listed(&good, all), ["w1", "w2", "w3", "w4"]);
    assert_eq!(server.get_as(&good, "/v1/leads/route?rep=poor").status, 403);
    assert!(listed(&other, all).is_empty());
    assert_eq!(server.get_as(&quotas, all).status, 403);
    let arrow = [
        ("authorization", format!("Bearer {crm}")),
        ("accept", "application/vnd.apache.arrow.stream".into()),
    ];
    let arrow: Vec<(&str, &str)> = arrow.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = server.ask("GET", all, &arrow);
    let batches: Vec<_> =
        StreamReader::try_new(answer.body.as_slice(), None).unwrap().map(Result::unwrap).collect();
    assert_eq!(batches[0].num_rows(), 4);
    let etag = server.get_as(&crm, all).header("etag").to_owned();
    let bearer = format!("Bearer {crm}");
    assert_eq!(server.ask("GET", all, &[("authorization", &bearer), ("if-none-match", &etag)]).status, 304);
    let wrong = problem(&server.get_as(&crm, "/v1/leads/route?routed=maybe"));
    assert_eq!((wrong.0, wrong.2.as_str()), (400, "routed must be true or false, not 'maybe'"));
    assert_eq!(problem(&server.get_as(&crm, "/v1/leads/route?cursor=abc")).0, 400);
}
