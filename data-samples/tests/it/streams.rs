//! The streams keep the contract: required ids and amounts, plans that add up, entities that exist.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{Decimal128Type, Int32Type, TimestampMicrosecondType};
use data_samples::{Dirt, Format, Scale};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::world::{World, minor, read, small, text};

fn clean() -> Scale {
    Scale { days: 40, events_per_day: 500, dirt: Dirt::none(), ..small() }
}

fn behaviour(world: &World) -> Vec<Value> {
    let files = world.behaviour_files();
    files
        .iter()
        .flat_map(|path| {
            read(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_event_has_what_its_type_requires() {
    let rows = behaviour(&World::new(&clean(), Format::Ndjson));
    let mut ids = BTreeSet::new();
    for row in &rows {
        let kind = text(row, "event_type").unwrap();
        assert!(ids.insert(text(row, "event_id").unwrap()), "{row}");
        let required: &[&str] = match kind.split('.').next().unwrap() {
            "lead" => &["lead_id"],
            "opportunity" => &["opportunity_id", "rep_id", "customer_id"],
            "deal" | "contract" => &["rep_id", "customer_id"],
            "payment" | "order" | "complaint" => &["customer_id"],
            "need" | "budget" | "decision_maker" | "competitor" | "quote" | "solution" => &["rep_id"],
            _ => match kind {
                "call.connected"
                | "call.voicemail_left"
                | "wechat.message_sent"
                | "email.sent"
                | "visit.checked_in"
                | "meeting.held"
                | "material.sent"
                | "demo.given" => &["rep_id"],
                _ => &[],
            },
        };
        for field in required {
            assert!(text(row, field).is_some(), "{field} of {row}");
        }
        if ["deal.signed", "payment.received", "order.placed", "quote.sent", "opportunity.won"]
            .contains(&kind)
        {
            assert!(minor(text(row, "amount").unwrap()) > 0, "{row}");
        }
        if ["opportunity.opened", "opportunity.stage_changed"].contains(&kind) {
            assert!(text(&row["attributes"], "stage").is_some(), "{row}");
        }
    }
}

#[test]
fn as_many_events_as_asked_for_and_fewer_on_days_off() {
    let scale = clean();
    let world = World::new(&scale, Format::Ndjson);
    let wanted = scale.events_per_day * u64::from(scale.days);
    let off = world.summary.events.abs_diff(wanted);
    assert!(off * 100 <= wanted * 2, "{} for {wanted}", world.summary.events);
    let calendar: BTreeMap<String, bool> = world
        .rows("crm.calendar.ndjson")
        .iter()
        .map(|row| (text(row, "date").unwrap().to_owned(), row["is_working_day"].as_bool().unwrap()))
        .collect();
    assert_eq!(calendar.len(), 40 + 120);
    for path in world.behaviour_files() {
        let events = read(&path).lines().count();
        let working = calendar[path.file_stem().unwrap().to_str().unwrap()];
        assert_eq!(events > 400, working, "{} has {events}", path.display());
    }
}

#[test]
fn plans_of_children_add_up_to_their_parent() {
    let world = World::new(&Scale { reps: 60, days: 70, ..clean() }, Format::Ndjson);
    let parents: BTreeMap<String, Option<String>> = world
        .rows("crm.region.ndjson")
        .iter()
        .map(|row| {
            let parent = text(row, "parent_region_id").map(str::to_owned);
            (text(row, "region_id").unwrap().to_owned(), parent)
        })
        .collect();
    let mut given: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in world.rows("crm.plan.ndjson") {
        let key = (text(&row, "period").unwrap().to_owned(), text(&row, "region_id").unwrap().to_owned());
        assert!(given.insert(key, minor(text(&row, "target_amount").unwrap())).is_none());
    }
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    for ((period, region), target) in &given {
        if let Some(parent) = &parents[region] {
            *sums.entry((period.clone(), parent.clone())).or_default() += target;
        }
    }
    let periods: BTreeSet<&String> = given.keys().map(|(period, _)| period).collect();
    assert!(periods.len() >= 3);
    assert_eq!(given.len(), periods.len() * parents.len());
    assert!(sums.len() > periods.len());
    for (key, sum) in sums {
        assert_eq!(given[&key], sum, "{key:?}");
    }
}

/// As of the last day every customer's owner is on duty, and every event names entities the CRM has.
#[test]
fn entities_are_known_and_customers_never_orphans() {
    let world = World::new(&Scale { reps: 60, days: 60, ..clean() }, Format::Ndjson);
    let latest = |name: &str, id: &str| -> BTreeMap<String, Value> {
        let mut newest: BTreeMap<String, Value> = BTreeMap::new();
        for row in world.rows(name) {
            let key = text(&row, id).unwrap().to_owned();
            if newest.get(&key).is_none_or(|old| text(old, "updated_at") <= text(&row, "updated_at")) {
                newest.insert(key, row);
            }
        }
        newest
    };
    let (reps, customers) =
        (latest("crm.rep.ndjson", "rep_id"), latest("crm.customer.ndjson", "customer_id"));
    assert_eq!((reps.len(), customers.len()), (60, 300));
    let left: BTreeSet<&String> =
        reps.iter().filter(|(_, row)| text(row, "status") == Some("left")).map(|(id, _)| id).collect();
    assert!(!left.is_empty());
    assert!(world.rows("crm.rep.ndjson").len() > 60 + left.len(), "nobody moved");
    for (customer, row) in &customers {
        let owner = text(row, "owner_rep_id").unwrap();
        assert!(reps.contains_key(owner) && !left.contains(&owner.to_owned()), "{customer} owned by {owner}");
    }
    assert!(world.rows("crm.customer.ndjson").len() > 300, "nobody changed hands");
    for row in behaviour(&world) {
        assert!(text(&row, "rep_id").is_none_or(|id| reps.contains_key(id)), "{row}");
        assert!(text(&row, "customer_id").is_none_or(|id| customers.contains_key(id)), "{row}");
        let (Some(rep), Some(time)) = (text(&row, "rep_id"), text(&row, "event_time")) else { continue };
        let on_duty = text(&reps[rep], "left_on").is_none_or(|day| time < day)
            && text(&reps[rep], "hired_on").is_none_or(|day| time >= day);
        assert!(on_duty, "{row}");
    }
}

#[test]
fn entity_events_are_in_order() {
    let rows = behaviour(&World::new(&clean(), Format::Ndjson));
    let mut steps: BTreeMap<(&str, &str), Vec<(&str, &str)>> = BTreeMap::new();
    for row in &rows {
        let kind = text(row, "event_type").unwrap();
        for (prefix, field) in [("lead.", "lead_id"), ("opportunity.", "opportunity_id")] {
            if kind.starts_with(prefix) {
                let step = (text(row, "event_time").unwrap(), kind);
                steps.entry((prefix, text(row, field).unwrap())).or_default().push(step);
            }
        }
    }
    assert!(steps.len() > 100);
    for (entity, mut life) in steps {
        life.sort_unstable();
        let first = if entity.0 == "lead." { "lead.created" } else { "opportunity.opened" };
        assert_eq!(life[0].1, first, "{entity:?}: {life:?}");
        let ends =
            ["lead.converted", "lead.lost", "lead.disqualified", "opportunity.won", "opportunity.lost"];
        if let Some(end) = life.iter().position(|(_, kind)| ends.contains(kind)) {
            assert_eq!(end, life.len() - 1, "{entity:?}: {life:?}");
        }
    }
}

/// NDJSON, CSV and Parquet hold the same events.
#[test]
fn formats_agree() {
    let scale = Scale { days: 3, ..clean() };
    let json = behaviour(&World::new(&scale, Format::Ndjson));
    let csv = World::new(&scale, Format::Csv);
    let lines: Vec<String> = csv.behaviour_files().iter().map(|path| read(path)).collect();
    assert_eq!(lines.iter().map(|file| file.lines().count() - 1).sum::<usize>(), json.len());
    let parquet = World::new(&scale, Format::Parquet);
    let mut rows = json.iter();
    for path in parquet.behaviour_files() {
        let file = std::fs::File::open(path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        for batch in reader {
            let batch = batch.unwrap();
            let column = |name: &str| batch.column_by_name(name).unwrap();
            let texts = |name: &str| -> StringArray { column(name).as_string::<i32>().clone() };
            let (ids, reps, evidence) = (texts("event_id"), texts("rep_id"), texts("evidence"));
            let times = column("event_time").as_primitive::<TimestampMicrosecondType>();
            let amounts = column("amount").as_primitive::<Decimal128Type>();
            let counts = column("evidence_count").as_primitive::<Int32Type>();
            let attributes = column("attributes").as_map();
            for n in 0..batch.num_rows() {
                let row = rows.next().unwrap();
                let given = |array: &StringArray| array.is_valid(n).then(|| array.value(n).to_owned());
                assert_eq!(text(row, "event_id").map(str::to_owned), given(&ids));
                assert_eq!(text(row, "rep_id").map(str::to_owned), given(&reps));
                let time = chrono::DateTime::parse_from_rfc3339(text(row, "event_time").unwrap()).unwrap();
                assert_eq!(time.timestamp_micros(), times.value(n));
                let amount = amounts.is_valid(n).then(|| amounts.value(n));
                assert_eq!(text(row, "amount").map(|amount| i128::from(minor(amount))), amount);
                let pieces = row.get("evidence").map_or(0, |list| list.as_array().unwrap().len());
                assert_eq!(pieces, usize::try_from(counts.value(n)).unwrap());
                let cell: Option<Value> = given(&evidence).map(|cell| serde_json::from_str(&cell).unwrap());
                assert_eq!(row.get("evidence"), cell.as_ref());
                let entries = attributes.value(n);
                let (keys, values) =
                    (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
                let pairs =
                    (0..entries.len()).map(|i| (keys.value(i).to_owned(), Value::from(values.value(i))));
                let object: serde_json::Map<String, Value> = pairs.collect();
                let wanted = row.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
                assert_eq!(wanted, object);
            }
        }
    }
    assert!(rows.next().is_none());
}
