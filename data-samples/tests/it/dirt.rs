//! The dirt in the files is the dirt in the manifest.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, FixedOffset, NaiveDate};
use data_samples::{Dirt, DirtCounts, Format, Scale};
use serde_json::Value;

use crate::world::{World, read, real, small, text};

const FIXED_OFFSET_HOURS: i32 = 8;

struct Record {
    file: NaiveDate,
    line: String,
    id: String,
    time: DateTime<FixedOffset>,
}

/// What a reader of the files would call each record.
#[derive(Default)]
struct Audit {
    counts: DirtCounts,
    good: Vec<Record>,
    records: u64,
}

fn bad_kind(line: &str) -> Option<&'static str> {
    let Ok(row) = serde_json::from_str::<Value>(line) else { return Some("broken_json") };
    let entities = ["rep_id", "customer_id", "lead_id", "opportunity_id"];
    if text(&row, "event_id").is_none() {
        Some("missing_event_id")
    } else if DateTime::parse_from_rfc3339(text(&row, "event_time").unwrap()).is_err() {
        Some("bad_time")
    } else if text(&row, "event_type") == Some("legacy.unknown") {
        Some("unknown_event_type")
    } else if text(&row, "amount").is_some_and(|amount| amount.split_once('.').unwrap().1.len() > 2) {
        Some("too_many_decimals")
    } else if entities.iter().all(|field| text(&row, field).is_none()) {
        Some("missing_required_ids")
    } else {
        None
    }
}

fn audit(world: &World, scale: &Scale) -> Audit {
    let mut audit = Audit::default();
    for path in world.behaviour_files() {
        let file: NaiveDate = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let mut newest = None;
        for line in read(&path).lines() {
            audit.records += 1;
            let bad = bad_kind(line);
            if let Some(kind) = bad {
                *audit.counts.bad.entry(kind).or_default() += 1;
                if matches!(kind, "broken_json" | "bad_time") {
                    continue;
                }
            }
            let row: Value = serde_json::from_str(line).unwrap();
            let time = DateTime::parse_from_rfc3339(text(&row, "event_time").unwrap()).unwrap();
            assert_eq!(time.offset().local_minus_utc(), FIXED_OFFSET_HOURS * 3_600);
            if time.date_naive() > file + chrono::Days::new(1) {
                audit.counts.future += 1;
                continue;
            }
            audit.counts.out_of_order += u64::from(newest > Some(time));
            newest = newest.max(Some(time));
            if bad.is_none() {
                let id = text(&row, "event_id").unwrap().to_owned();
                audit.good.push(Record { file, line: line.to_owned(), id, time });
            }
        }
    }
    count_copies(&mut audit);
    count_strangers(&mut audit, scale);
    audit
}

/// Sorts the records of each id into the event, its copies, and others of the same id.
fn count_copies(audit: &mut Audit) {
    let mut by_id: HashMap<&str, Vec<&Record>> = HashMap::new();
    for record in &audit.good {
        by_id.entry(&record.id).or_default().push(record);
    }
    let counts = &mut audit.counts;
    for records in by_id.values() {
        let event = records.iter().min_by_key(|record| (record.time, record.file)).unwrap();
        let day = event.time.date_naive();
        let mut of_same_line: BTreeMap<&str, Vec<NaiveDate>> = BTreeMap::new();
        for record in records {
            of_same_line.entry(&record.line).or_default().push(record.file);
        }
        for (line, files) in of_same_line {
            let time = records.iter().find(|record| record.line == line).unwrap().time;
            if line == event.line {
                counts.late += u64::from(files[0] > day);
                counts.duplicates_same_day +=
                    files[1..].iter().filter(|&&file| file == files[0]).count() as u64;
                counts.duplicates_next_day +=
                    files[1..].iter().filter(|&&file| file > files[0]).count() as u64;
            } else if time.date_naive() == day {
                counts.conflicts += 1;
            } else {
                assert_eq!(time.date_naive(), day + chrono::Days::new(1));
                counts.reused_ids += 1;
            }
        }
    }
}

fn count_strangers(audit: &mut Audit, scale: &Scale) {
    let beyond = |id: Option<&str>, count: u32| id.is_some_and(|id| id[1..].parse::<u32>().unwrap() > count);
    for record in &audit.good {
        let row: Value = serde_json::from_str(&record.line).unwrap();
        audit.counts.unknown_reps += u64::from(beyond(text(&row, "rep_id"), scale.reps));
        audit.counts.unknown_customers += u64::from(beyond(text(&row, "customer_id"), scale.customers));
    }
}

#[test]
fn counts_match_the_files() {
    let scale = Scale { days: 20, ..small() };
    let world = World::new(&scale, Format::Ndjson);
    let found = audit(&world, &scale);
    assert_eq!(found.counts, world.summary.dirt);
    assert_eq!(found.records, world.summary.records);
    let counts = &found.counts;
    assert_eq!(counts.bad.len(), 6, "every way to be bad: {:?}", counts.bad);
    for some in [
        counts.duplicates_same_day,
        counts.duplicates_next_day,
        counts.conflicts,
        counts.reused_ids,
        counts.late,
        counts.out_of_order,
        counts.future,
        counts.unknown_reps,
        counts.unknown_customers,
    ] {
        assert!(some > 10, "{counts:?}");
    }
    let copies =
        counts.duplicates_same_day + counts.duplicates_next_day + counts.conflicts + counts.reused_ids;
    let extra = copies + counts.future + counts.bad.values().sum::<u64>();
    assert_eq!(world.summary.records, world.summary.events + extra);
}

#[test]
fn shares_are_those_asked_for() {
    let scale = Scale { events_per_day: 4_000, days: 15, dirt: Dirt::default(), ..small() };
    let World { summary, .. } = World::new(&scale, Format::Ndjson);
    let check = |count: u64, share: f64, slack: f64| {
        let found = real(count.cast_signed()) / real(summary.events.cast_signed());
        assert!((found / share - 1.0).abs() < slack, "{found} for {share}");
    };
    let dirt = &summary.dirt;
    check(dirt.duplicates_same_day + dirt.duplicates_next_day, 0.005, 0.2);
    check(dirt.late, 0.01, 0.2);
    check(dirt.bad.values().sum(), 0.000_5, 0.6);
}

#[test]
fn without_dirt_every_event_is_there_once_and_in_order() {
    let scale = Scale { dirt: Dirt::none(), ..small() };
    let world = World::new(&scale, Format::Ndjson);
    assert_eq!(world.summary.dirt, DirtCounts::default());
    assert_eq!(audit(&world, &scale).counts, DirtCounts::default());
    assert_eq!(world.summary.records, world.summary.events);
}

/// Dirt changes which records are written, never what happened.
#[test]
fn dirt_leaves_the_world_alone() {
    let clean = World::new(&Scale { dirt: Dirt::none(), ..small() }, Format::Ndjson).summary;
    let dirty = World::new(&small(), Format::Ndjson).summary;
    assert_eq!(clean.events_by_type, dirty.events_by_type);
    assert_eq!((clean.deal_amount, clean.leads), (dirty.deal_amount, dirty.leads));
}
