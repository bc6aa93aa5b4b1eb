//! The live core gives the quotas of a daily run over the same events, whatever their order.

mod oracle;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::util::display::array_value_to_string;
use engine::adjust::{Ask, Change, EventKind};
use engine::lake::{Lake, read};
use engine::live::{AlertChange, Live, LiveQuota, Making};
use engine::pipeline::RunReport;
use engine::rule::{Book, read as read_rules};
use engine::score::KeptModels;

use oracle::{models, models_of};
use world::{Dice, World, ask, day_of, say};

const RULES: &str = "\
name: busy
when customers > 5 and touch_density >= 10% then raise quota by 15%, red alert \"busy\"

name: steady
when opportunity_velocity < 0.5 then lower quota by 3%

name: likely
when mean_lead_score > 50 or weighted_pipeline > 100,000 then raise quota by 2%

name: bonus
priority: 200
scope: rep r00002
always raise quota by 1,000 beyond plan
";

/// The rows of a mart that a run published, each as its columns' texts.
async fn mart(lake: &Lake, name: &str, report: &RunReport, columns: &[&str]) -> Vec<Vec<String>> {
    let table = lake.table(name).await.unwrap();
    let mut rows = Vec::new();
    for file in table.files().iter().filter(|file| file.partition_value("run_id") == report.run_id) {
        for batch in read(&table.dir().join(&file.path), columns).unwrap() {
            for row in 0..batch.num_rows() {
                let cell = |column: &&str| {
                    let array = batch.column_by_name(column).unwrap();
                    if array.is_null(row) {
                        String::new()
                    } else {
                        array_value_to_string(array, row).unwrap()
                    }
                };
                rows.push(columns.iter().map(cell).collect());
            }
        }
    }
    rows.sort();
    rows
}

const QUOTA: [&str; 11] = [
    "rep_id",
    "region_id",
    "period",
    "attained",
    "expected",
    "low",
    "high",
    "proposal",
    "quota",
    "previous_quota",
    "bound",
];

fn cash(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

fn told(quota: &LiveQuota) -> Vec<String> {
    let amounts = [quota.attained, quota.expected, quota.low, quota.high, quota.proposal, quota.quota];
    let mut row =
        vec![quota.rep_id.clone(), quota.region_id.clone().unwrap_or_default(), quota.period.clone()];
    row.extend(amounts.map(cash));
    row.push(quota.previous_quota.map(cash).unwrap_or_default());
    row.push(quota.bound.to_owned());
    row
}

fn quotas(live: &Live) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = (0..live.rows()).map(|row| told(&live.quota(row).unwrap())).collect();
    rows.sort();
    rows
}

const ALERT: [&str; 5] = ["rule", "severity", "scope_id", "message", "evidence"];

fn alerts(live: &Live) -> Vec<Vec<String>> {
    let told = |alert: &engine::live::LiveAlert| {
        vec![
            alert.rule.clone(),
            alert.severity.to_owned(),
            alert.rep_id.clone(),
            alert.message.clone(),
            alert.evidence.clone(),
        ]
    };
    let mut rows: Vec<_> = live.alerts().map(told).collect();
    rows.sort();
    rows
}

/// Live quotas and alerts are those of a daily run over the same lake.
async fn assert_as_daily(world: &World, lake: &Lake, live: &Live) {
    let report = world.daily(lake, world.day).await;
    let daily = mart(lake, "mart.quota", &report, &QUOTA).await;
    assert!(daily.len() > 15, "{} quotas", daily.len());
    assert_eq!(quotas(live), daily);
    let chances = mart(lake, "mart.quota", &report, &["rep_id", "p_attain"]).await;
    for row in chances {
        let live = live.quota(live.row(&row[0]).unwrap()).unwrap();
        assert_eq!(live.p_attain.to_bits(), row[1].parse::<f64>().unwrap().to_bits());
    }
    let mut raised = mart(lake, "mart.alert", &report, &[&ALERT[..], &["scope"]].concat()).await;
    let ours = ["process_health_red", "busy"];
    raised.retain(|row| row[5] == "rep" && ours.contains(&row[0].as_str()));
    for row in &mut raised {
        row.truncate(ALERT.len());
    }
    assert_eq!(alerts(live), raised);
}

/// A line with another content and the same id: one that comes later, or one that is the smaller by content.
fn altered(line: &str, dice: &mut Dice) -> String {
    let mut event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    match dice.roll(3) {
        0 => {
            let attributes = serde_json::json!({"again": "yes", "stage": "demo"});
            event.insert("attributes".to_owned(), attributes);
        }
        1 if event.contains_key("amount") => {
            event.insert("amount".to_owned(), "1.25".into());
        }
        _ => {
            event.remove("customer_id");
            event.insert("rep_id".to_owned(), format!("r0000{}", 1 + dice.roll(9)).into());
        }
    }
    serde_json::to_string(&event).unwrap()
}

/// A prefix of the stream in another order, with copies, some of another content.
fn stirred(world: &World, dice: &mut Dice) -> Vec<String> {
    let mut lines = world.stream.clone();
    dice.shuffle(&mut lines);
    lines.truncate(1 + dice.roll(lines.len()));
    for _ in 0..lines.len() / 6 {
        let line = lines[dice.roll(lines.len())].clone();
        let other = if dice.roll(2) == 0 { altered(&line, dice) } else { line };
        lines.insert(dice.roll(lines.len() + 1), other);
    }
    lines
}

async fn check(seed: u64, cases: usize, world: World) {
    let mut dice = Dice(seed);
    for case in 0..cases {
        let lake = world.copy(&format!("case-{case}"));
        let lines = stirred(&world, &mut dice);
        let known = dice.roll(lines.len() + 1);
        // What the lake has taken in already comes again: the stream begins somewhere before.
        world.ingest(&lake, "known", &lines[..known]).await;
        let mut live = world.open(&lake).await;
        let mut at = known.saturating_sub(dice.roll(30));
        let mut shown: BTreeMap<String, Vec<String>> =
            quotas(&live).into_iter().map(|row| (row[0].clone(), row)).collect();
        let mut raised = alerts(&live);
        while at < lines.len() {
            let next = (at + 1 + dice.roll(40)).min(lines.len());
            let changes = live.apply(&world.batches(&lines[at..next])).unwrap();
            // Who follows the changes alone knows everything.
            for row in changes.named.iter().chain(&changes.others) {
                let row = told(&live.quota(*row).unwrap());
                shown.insert(row[0].clone(), row);
            }
            for change in changes.alerts {
                let (AlertChange::Raised(alert) | AlertChange::Cleared(alert)) = &change;
                raised.retain(|row| (&row[0], &row[2]) != (&alert.rule, &alert.rep_id));
                if let AlertChange::Raised(alert) = change {
                    let severity = alert.severity.to_owned();
                    raised.push(vec![alert.rule, severity, alert.rep_id, alert.message, alert.evidence]);
                }
            }
            at = next;
        }
        let whole = shown.into_values().collect::<Vec<_>>();
        for (followed, row) in whole.iter().zip(quotas(&live)) {
            assert_eq!(*followed, row, "a change was not told");
        }
        raised.sort();
        assert_eq!(raised, alerts(&live), "an alert was not told");
        world.ingest(&lake, "rest", &lines[known..]).await;
        Box::pin(assert_as_daily(&world, &lake, &live)).await;
        assert_eq!(quotas(&world.open(&lake).await), quotas(&live), "opened anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_quotas_are_those_of_a_daily_run() {
    check(3, 3, World::new(Book::default(), KeptModels::default()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_quotas_under_rules_are_those_of_a_daily_run() {
    check(4, 3, World::new(read_rules(RULES).unwrap(), KeptModels::default()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_followed_for_those_whom_no_event_names() {
    // Skills are ranked, so what one rep does moves the ranks of others.
    let over = |points: usize| format!("name: over-{points}\nwhen capability > {points} then info alert\n\n");
    let rules: String = (1..100).map(over).collect();
    let world = World::new(read_rules(&rules).unwrap(), KeptModels::default()).await;
    let lake = world.copy("ranked");
    let mut live = world.open(&lake).await;
    let before = alerts(&live);
    let call = |number: usize| {
        let event = data_samples::build::Event::new("call.connected").id(&format!("ranked-{number}"));
        event.at("2026-02-12T10:00:00+08:00").rep("r00005").to_json()
    };
    let calls: Vec<String> = (0..400).map(call).collect();
    assert_eq!(live.apply(&world.batches(&calls)).unwrap().applied, 400);
    let of_others = |rows: &[Vec<String>]| -> Vec<Vec<String>> {
        rows.iter().filter(|row| row[2] != "r00005").cloned().collect()
    };
    assert_ne!(of_others(&alerts(&live)), of_others(&before));
    world.ingest(&lake, "calls", &calls).await;
    assert_eq!(alerts(&live), alerts(&world.open(&lake).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_count_once_the_lake_has_them_and_the_state_is_loaded_anew() {
    let world = World::new(Book::default(), KeptModels::default()).await;
    let lake = world.copy("late");
    let mut live = world.open(&lake).await;
    let half = world.stream.len() / 2;
    live.apply(&world.batches(&world.stream[..half])).unwrap();
    let before = quotas(&live);
    let changes = live.apply(&world.batches(&world.late)).unwrap();
    assert_eq!((changes.applied, changes.late), (0, world.late.len() as u64));
    assert_eq!(quotas(&live), before);
    // The lake has the late ones, and of the day only some.
    world.ingest(&lake, "late-ones", &world.late).await;
    world.ingest(&lake, "some", &world.stream[..half / 2]).await;
    let mut fresh = world.open(&lake).await;
    fresh.take_over(&live).unwrap();
    assert_ne!(quotas(&fresh), before);
    world.ingest(&lake, "others", &world.stream[half / 2..half]).await;
    assert_as_daily(&world, &lake, &fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_day_waits_and_rows_have_a_limit() {
    let world = World::new(Book::default(), KeptModels::default()).await;
    let lake = world.copy("next");
    let mut today = world.open(&lake).await;
    let moved = world.stream.iter().map(|line| line.replace("2026-02-12T", "2026-02-13T"));
    let mut reader = world.reader();
    let tomorrow: Vec<String> =
        moved.filter(|line| day_of(line, &mut reader) == Some(world.day + 1)).collect();
    let before = quotas(&today);
    let changes = today.apply(&world.batches(&tomorrow)).unwrap();
    assert_eq!((changes.ahead, changes.applied), (tomorrow.len() as u64, 0));
    assert!(tomorrow.len() > 200 && quotas(&today) == before);
    let mut next = Live::open(&lake, world.making.clone(), world.day + 1).await.unwrap();
    assert!(next.take_over(&today).unwrap().applied > 200);
    world.ingest(&lake, "tomorrow", &tomorrow).await;
    let known = Live::open(&lake, world.making.clone(), world.day + 1).await.unwrap();
    assert_eq!(quotas(&next), quotas(&known));
    let small = Making { rows_bytes_max: 20_000, ..world.making.clone() };
    let mut live = Live::open(&world.copy("small"), small, world.day).await.unwrap();
    let refused = live.apply(&world.batches(&tomorrow)).unwrap_err();
    assert!(refused.is_input() && refused.to_string().contains("live.memory_mib"), "{refused}");
}

/// Of one rep before and beyond the plan, of one twice, of one who is nobody.
const APPROVED: [(&str, &str, Change, bool); 6] = [
    ("a", "r00002", Change::Percent(-5.0), false),
    ("b", "r00002", Change::Percent(2.5), true),
    ("c", "r00005", Change::Percent(8.0), false),
    ("d", "r00005", Change::Pin(1_234_567), false),
    ("e", "r00007", Change::Pin(2_000_001), true),
    ("f", "nobody", Change::Percent(50.0), false),
];

async fn approve(lake: &Lake, (id, rep): (&str, &str), ask: Ask) {
    say(lake, (id, rep), EventKind::Request, ask).await;
    say(lake, (id, rep), EventKind::Approve, ask).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_quotas_with_models_are_those_of_a_daily_run() {
    check(5, 3, World::new(Book::default(), models()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_quotas_with_one_model_are_those_of_a_daily_run() {
    for (seed, (lead, win)) in [(6, (true, false)), (7, (false, true))] {
        check(seed, 1, World::new(read_rules(RULES).unwrap(), models_of(lead, win)).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_quotas_with_models_rules_and_adjustments_are_those_of_a_daily_run() {
    let world = World::new(read_rules(RULES).unwrap(), models()).await;
    let lake = world.copy("plain");
    let plain = quotas(&world.open(&lake).await);
    let original = world.lake();
    for (id, rep, change, beyond_plan) in APPROVED {
        approve(&original, (id, rep), ask(change, beyond_plan, None)).await;
    }
    let moved = quotas(&world.open(&original).await);
    let others = |row: &(&Vec<String>, &Vec<String>)| row.0 != row.1;
    assert!(plain.iter().zip(&moved).filter(others).count() > 5);
    check(8, 4, world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rules_adjustments_hold_as_well() {
    let world = World::new(Book::default(), KeptModels::default()).await;
    let lake = world.lake();
    for (id, rep, change, beyond_plan) in APPROVED {
        approve(&lake, (id, rep), ask(change, beyond_plan, None)).await;
    }
    check(9, 2, world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_acts_in_a_state_loaded_anew_and_until_its_last_day() {
    let world = World::new(Book::default(), KeptModels::default()).await;
    let lake = world.copy("adjusted");
    let live = world.open(&lake).await;
    let lowered = ask(Change::Percent(-5.0), false, Some(world.day));
    say(&lake, ("moved", "r00002"), EventKind::Request, lowered).await;
    // What is only asked for changes no quota.
    assert_eq!(quotas(&world.open(&lake).await), quotas(&live));
    say(&lake, ("moved", "r00002"), EventKind::Approve, lowered).await;
    let now = engine::live::versions(&lake).await.unwrap();
    assert_ne!(now.get("ops.adjustment"), live.versions().get("ops.adjustment"));
    let fresh = world.open(&lake).await;
    assert_ne!(quotas(&fresh), quotas(&live));
    assert_as_daily(&world, &lake, &fresh).await;
    let tomorrow = async |lake: &Lake| Live::open(lake, world.making.clone(), world.day + 1).await.unwrap();
    let plain = world.copy("plain");
    world.daily(&plain, world.day).await;
    let proposals = |live: &Live| {
        let all = (0..live.rows()).map(|row| live.quota(row).unwrap());
        all.map(|quota| (quota.rep_id, quota.proposal)).collect::<Vec<_>>()
    };
    assert_eq!(proposals(&tomorrow(&lake).await), proposals(&tomorrow(&plain).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_refuses_is_said() {
    let world = World::new(Book::default(), KeptModels::default()).await;
    let making = Making { models: Arc::new(|_, _, _| Ok(oracle::refusing())), ..world.making.clone() };
    let refused = Live::open(&world.lake(), making, world.day).await.unwrap_err();
    assert!(refused.is_input(), "{refused}");
    let said = "the model of wins stern was fitted with other stages than pipeline.stages names";
    assert!(refused.to_string().contains(said), "{refused}");
}
