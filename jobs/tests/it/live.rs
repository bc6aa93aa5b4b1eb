//! The running day over a real broker: what the topics show is what a daily run publishes.

mod world;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use self::world::{BEFORE, DAY, World};
use super::broker::{Broker, broker};
use super::guarantees::Dice;
use super::kafka::{ask, start, stop};
use super::serve::client::Server;
use super::tool::{Tool, pause};

/// What the topic of quotas shows, in the columns of [`World::daily`].
fn quotas(broker: &Broker, topic: &str) -> BTreeMap<String, String> {
    let row = |text: &str| {
        let quota: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(quota["as_of"], DAY);
        let field = |name: &str| quota[name].as_str().unwrap().to_owned();
        ["quota", "expected", "low", "high", "attained", "proposal", "bound"].map(field).join(",")
    };
    broker.shown(&format!("{topic}.quota")).iter().map(|(key, text)| (key.clone(), row(text))).collect()
}

/// Waits until the topics show what a daily run publishes.
#[expect(clippy::disallowed_methods, reason = "no runtime here: another process is waited for")]
fn wait_for(broker: &Broker, topic: &str, (daily, alerts): &(BTreeMap<String, String>, Vec<String>)) {
    let started = Instant::now();
    loop {
        let shown = quotas(broker, topic);
        let raised: Vec<String> = broker.shown(&format!("{topic}.alert")).into_keys().collect();
        if shown == *daily && raised == *alerts {
            return;
        }
        if started.elapsed() > Duration::from_mins(2) {
            assert_eq!(shown, *daily);
            assert_eq!(raised, *alerts);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Waits until a topic is there and shows so many keys.
#[expect(clippy::disallowed_methods, reason = "no runtime here: another process is waited for")]
fn wait_for_quotas(broker: &Broker, topic: &str) {
    let started = Instant::now();
    while broker.shown(&format!("{topic}.quota")).len() < 5 {
        assert!(started.elapsed() < Duration::from_mins(2), "no quotas");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn quotas_on_the_topic_are_those_of_a_daily_run_whoever_is_killed() {
    let broker = broker();
    let world = World::new(broker, "running");
    let named = world.named();
    let ingest = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    let serve = ["serve", "--kafka", &broker.address, "--topic", &named, "--as-of", DAY];
    let (mut dice, mut lines) = (Dice(9), world.stream.clone());
    dice.shuffle(&mut lines);
    let copies: Vec<String> = lines.iter().step_by(7).cloned().collect();
    lines.extend(copies);
    let third = lines.len() / 3;
    // A part is in the lake, a part only on the topic when the first process begins.
    world.send(broker, &lines[..third / 2]);
    world.tool.run(&ingest).succeeded();
    world.send(broker, &lines[third / 2..third]);
    let mut first = start(&world.tool, &serve);
    wait_for_quotas(broker, &world.topic);
    world.send(broker, &lines[third..2 * third]);
    first.kill().unwrap();
    first.wait().unwrap();
    let second = start(&world.tool, &serve);
    world.send(broker, &lines[2 * third..]);
    wait_for(broker, &world.topic, &world.daily(&lines));
    // Late events change nothing before the lake has them, and everything after.
    world.send(broker, &world.late);
    world.tool.run(&ingest).succeeded();
    let all = [&lines[..], &world.late].concat();
    wait_for(broker, &world.topic, &world.daily(&all));
    let (status, said) = stop(second);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("40 of earlier days left to the lake"), "{said}");
    assert!(said.contains("a newer state serves"), "{said}");
}

/// A reason of three reps to move their quotas, approved; and models of leads, wins, customers and process health, in use.
fn steered(tool: &Tool) {
    let said = tool.run(&["train", "--as-of", BEFORE]).succeeded().out;
    assert_eq!(said.matches(&format!("in use from {BEFORE} on")).count(), 4, "{said}");
    // The day before is published with them.
    tool.run(&["daily", "--as-of", BEFORE]).succeeded();
    let reps = ask(tool, "lake", "SELECT rep_id FROM mart.quota ORDER BY rep_id LIMIT 3");
    let terms: [&[&str]; 3] =
        [&["--percent", "-7.5"], &["--to", "123456.78"], &["--percent", "4", "--beyond-plan"]];
    for (rep, terms) in reps.lines().skip(1).zip(terms) {
        let asked = ["adjust", "request", "--by", "rep", "--reason", "away", "--rep", rep];
        let id = tool.run(&[&asked, terms].concat()).succeeded().out;
        let id = id.split_whitespace().nth(2).unwrap().trim_end_matches(',');
        tool.run(&["adjust", "approve", id, "--by", "boss", "--yes"]).succeeded();
    }
}

#[test]
fn with_trained_models_and_approved_adjustments_they_are_as_well() {
    let broker = broker();
    let scale = data_samples::Scale {
        reps: 24,
        leads: 2_400,
        days: 150,
        events_per_day: 300,
        ..data_samples::sample_scale()
    };
    let world = World::of(broker, "steered", &scale, &steered);
    let named = world.named();
    let serve = ["serve", "--kafka", &broker.address, "--topic", &named, "--as-of", DAY];
    let (mut dice, mut lines) = (Dice(11), world.stream.clone());
    dice.shuffle(&mut lines);
    let copies: Vec<String> = lines.iter().step_by(5).cloned().collect();
    lines.extend(copies);
    let half = lines.len() / 2;
    world.send(broker, &lines[..half]);
    let serving = start(&world.tool, &serve);
    wait_for_quotas(broker, &world.topic);
    world.send(broker, &lines[half..]);
    let daily = world.daily(&lines);
    let bases = "SELECT DISTINCT basis FROM factor WHERE factor IN ('mean_lead_score', 'weighted_pipeline')";
    assert!(ask(&world.tool, "of-files", bases).contains("model"));
    wait_for(broker, &world.topic, &daily);
    // Late ones, too: those that came before the run that the quotas follow, and after.
    world.send(broker, &world.late);
    let ingest = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    world.tool.run(&ingest).succeeded();
    wait_for(broker, &world.topic, &world.daily(&[&lines[..], &world.late].concat()));
    // Without a model, quotas are others, at the next state.
    world.tool.run(&["model", "rollback", "--of", "win"]).succeeded();
    let plain = world.daily_after(&[&lines[..], &world.late].concat(), &["model", "rollback", "--of", "win"]);
    wait_for(broker, &world.topic, &plain);
    let (status, said) = stop(serving);
    assert_eq!(status, 0, "{said}");
}

/// The cells of an answer, in the columns of [`World::daily`].
fn cells(quota: &serde_json::Value) -> String {
    let amount = |name: &str| format!("{:.2}", quota[name].as_f64().unwrap());
    let amounts = ["quota", "expected", "low", "high", "attained", "proposal"].map(amount).join(",");
    format!("{amounts},{}", quota["bound"].as_str().unwrap())
}

/// A server that answers and follows, with settings of its own.
fn answering(world: &World, broker: &Broker, named: &str, settings: &[(&str, &str)]) -> Server {
    let arguments =
        ["serve", "--http", "127.0.0.1:0", "--kafka", &broker.address, "--topic", named, "--as-of", DAY];
    let mut command = world.tool.command(&arguments);
    command.env("TIDELINE_SERVE__POLL_SECONDS", "0.1").stderr(Stdio::null());
    command.envs(settings.iter().copied());
    Server::of(command)
}

#[test]
fn the_api_answers_with_the_quotas_of_the_running_day_and_says_what_they_stand_on() {
    let broker = broker();
    let world = World::new(broker, "answering");
    let server = answering(&world, broker, &world.named(), &[]);
    // Until all that is on the topic has been followed, what is published is answered.
    server.until("/v1/quotas", |answer| answer.json()["live"].is_object());
    world.send(broker, &world.stream);
    let (daily, alerts) = world.daily(&world.stream);
    wait_for(broker, &world.topic, &(daily.clone(), alerts));
    let stands_on = |live: &serde_json::Value| -> i64 {
        let positions = live["positions"].as_object().unwrap();
        assert_eq!(positions.len(), 3, "{live}");
        positions.values().map(|offset| offset.as_i64().unwrap()).sum()
    };
    let sent = i64::try_from(world.stream.len()).unwrap();
    let rep_of = |key: &str| key.split('/').next().unwrap().to_owned();
    for (key, row) in &daily {
        let path = format!("/v1/reps/{}/quota", rep_of(key));
        let answer = server.until(&path, |answer| stands_on(&answer.json()["live"]) == sent);
        let body = answer.json();
        assert_eq!(cells(&body["quota"]), *row);
        assert_eq!((body["as_of"].as_str(), answer.header("tideline-as-of")), (Some(DAY), DAY));
        assert!(answer.header("tideline-age-seconds").parse::<i64>().unwrap() < 60);
        let known = [("if-none-match", answer.header("etag"))];
        assert_eq!(server.ask("GET", &path, &known).status, 304);
    }
    // The same in pages, and of a region alone.
    let (mut all, mut next) = (BTreeMap::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/quotas?limit=5{next}")).json();
        assert_eq!((page["as_of"].as_str(), stands_on(&page["live"])), (Some(DAY), sent));
        for quota in page["items"].as_array().unwrap() {
            let key = format!("{}/{}", quota["rep_id"].as_str().unwrap(), quota["period"].as_str().unwrap());
            all.insert(key, cells(quota));
        }
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(all, daily);
    let first = server.get("/v1/quotas?limit=1").json()["items"][0].clone();
    let region = first["region_id"].as_str().unwrap();
    let own = server.get(&format!("/v1/quotas?region={region}")).json();
    let own = own["items"].as_array().unwrap();
    assert!(own.len() < daily.len() && own.iter().all(|quota| quota["region_id"] == *region));
    assert_eq!(server.get("/v1/quotas?cursor=live-xyz").status, 400);
    // As Arrow the same numbers.
    let arrow = [("accept", "application/vnd.apache.arrow.stream")];
    let answer = server.ask("GET", "/v1/quotas?limit=500", &arrow);
    let reader = arrow::ipc::reader::StreamReader::try_new(&answer.body[..], None).unwrap();
    let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!((rows, answer.header("tideline-positions").contains(&world.topic)), (daily.len(), true));
    // What is published stays what it was, and a rep without a quota has none.
    let path = format!("/v1/reps/{}/quota", rep_of(daily.keys().next().unwrap()));
    let published = server.get(&format!("{path}?as_of={BEFORE}")).json();
    assert_eq!((published["as_of"].as_str(), published.get("live")), (Some(BEFORE), None));
    assert_eq!(server.get("/v1/reps/nobody/quota").status, 404);
    assert!(String::from_utf8_lossy(&server.get("/metrics").body).contains("tideline_live_attached 1\n"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn the_api_outlives_what_follows_the_topic() {
    let broker = broker();
    let world = World::new(broker, "outlived");
    let server = answering(&world, broker, &world.named(), &[("TIDELINE_LIVE__MEMORY_MIB", "1")]);
    let answer = server.until("/v1/quotas", |answer| answer.json()["live"].is_object());
    assert_eq!(answer.json()["as_of"], DAY);
    // More of the running day than may be kept.
    let one: serde_json::Value = serde_json::from_str(&world.stream[0]).unwrap();
    let many = (0..50_000).map(|number| {
        let mut event = one.clone();
        event["event_id"] = format!("many-{number}").into();
        event.to_string()
    });
    world.send(broker, &many.collect::<Vec<_>>());
    let answer = server.until("/v1/quotas", |answer| answer.json()["live"].is_null());
    assert_eq!((answer.status, answer.json()["as_of"].as_str()), (200, Some(BEFORE)));
    let rep = answer.json()["items"][0]["rep_id"].as_str().unwrap().to_owned();
    let quota = server.get(&format!("/v1/reps/{rep}/quota"));
    assert_eq!((quota.status, quota.json()["as_of"].as_str()), (200, Some(BEFORE)));
    assert_eq!(server.get("/readyz").status, 200);
    assert!(String::from_utf8_lossy(&server.get("/metrics").body).contains("tideline_live_attached 0\n"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_key_sees_its_own_rows_of_the_running_day() {
    let broker = broker();
    let world = World::new(broker, "keyed");
    let keys = ("TIDELINE_SERVE__KEYS", "keys.toml");
    let mut add = world.tool.command(&["key", "add", "own", "--rep", "r00001", "--scope", "read-quotas"]);
    let added = add.env(keys.0, keys.1).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let key = String::from_utf8(added.stdout).unwrap();
    let server = answering(&world, broker, &world.named(), &[keys]);
    let ask = |path: &str| server.get_as(key.trim(), path);
    let begun = Instant::now();
    let page = loop {
        let page = ask("/v1/quotas").json();
        if page["live"].is_object() {
            break page;
        }
        assert!(begun.elapsed() < Duration::from_mins(2), "the topic is not followed: {page}");
        pause(100);
    };
    let reps: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|quota| quota["rep_id"].clone()).collect();
    assert_eq!(reps, ["r00001"]);
    assert!(ask("/v1/reps/r00001/quota").json()["live"].is_object());
    assert_eq!(ask("/v1/reps/r00002/quota").status, 403);
    assert_eq!(ask("/v1/quotas?rep=r00002").status, 403);
}

#[test]
fn what_is_wrong_is_said_at_the_start() {
    let broker = broker();
    let tool = Tool::new().with_lake().variable("TIDELINE_KAFKA__CONNECT_SECONDS", "1");
    tool.run(&["serve"]).says(1, "--http <ADDR>|--pg <ADDR>|--kafka <BROKERS>");
    let nobody = tool.run(&["serve", "--kafka", "127.0.0.1:1"]);
    assert_eq!(nobody.status, 75, "{}", nobody.err);
    assert!(nobody.err.contains("asking the brokers 127.0.0.1:1 for their topics"), "{}", nobody.err);
    let absent = tool.run(&["serve", "--kafka", &broker.address, "--topic", "behaviour=no.such"]);
    assert_eq!(absent.status, 1, "{}", absent.err);
    assert!(absent.err.contains("there is no topic no.such at"), "{}", absent.err);
    let other = tool.run(&["serve", "--kafka", &broker.address, "--topic", "crm.rep=reps"]);
    assert_eq!(other.status, 1, "{}", other.err);
    assert!(other.err.contains("serve follows the topic of behaviour"), "{}", other.err);
}
