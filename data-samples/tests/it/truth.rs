//! What happened agrees with the laws that are said to be behind it.

use std::collections::BTreeMap;

use data_samples::{Dirt, Format, Scale};
use serde_json::Value;

use crate::world::{World, minor, read, real, text};

fn world() -> World {
    let scale = Scale {
        seed: 5,
        reps: 250,
        customers: 2_000,
        days: 100,
        events_per_day: 2_500,
        dirt: Dirt::none(),
        market_history_days: 0,
        ..Scale::default()
    };
    World::new(&scale, Format::Ndjson)
}

fn number(row: &Value, field: &str) -> f64 {
    row[field].as_f64().unwrap()
}

#[test]
fn sales_leads_and_stages_follow_the_truth() {
    let world = world();
    let mut signed: BTreeMap<String, i64> = BTreeMap::new();
    let (mut moves, mut losses, mut wins) = (BTreeMap::<String, f64>::new(), 0.0, 0.0);
    for path in world.behaviour_files() {
        for line in read(&path).lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            match text(&row, "event_type").unwrap() {
                "deal.signed" => {
                    let rep = text(&row, "rep_id").unwrap().to_owned();
                    *signed.entry(rep).or_default() += minor(text(&row, "amount").unwrap());
                }
                "opportunity.stage_changed" => {
                    *moves.entry(row["attributes"]["stage"].to_string()).or_default() += 1.0;
                }
                "opportunity.lost" => losses += 1.0,
                "opportunity.won" => wins += 1.0,
                _ => {}
            }
        }
    }
    deals_are_worth_what_was_expected(&world, &signed);
    leads_convert_as_often_as_they_should(&world);
    // In a settled pipeline, moves into a stage relate as the hazards of leaving the one before, and wins to
    // endings as the product of all.
    let onward: Vec<f64> = world
        .rows("truth/hazard.ndjson")
        .iter()
        .map(|row| (number(row, "advance_per_working_day"), number(row, "lose_per_working_day")))
        .map(|(advance, lose)| advance / (advance + lose))
        .collect();
    let ratio = moves["\"negotiation\""] / moves["\"proposal\""];
    assert!((ratio / onward[4] - 1.0).abs() < 0.08, "{ratio} for {}", onward[4]);
    let won: f64 = onward.iter().product();
    let share = wins / (wins + losses);
    assert!((share / won - 1.0).abs() < 0.12, "{share} for {won}");
}

fn deals_are_worth_what_was_expected(world: &World, signed: &BTreeMap<String, i64>) {
    let total = real(signed.values().sum::<i64>()) / 100.0;
    let summary = &world.summary;
    assert!((total - summary.deal_amount).abs() < 1.0, "{total} in the files, {}", summary.deal_amount);
    let off = summary.deal_amount / summary.expected_deal_amount - 1.0;
    assert!(off.abs() < 0.04, "{off:+.3}");
    // The same expectation, from the files of the truth: capacity × ramp × season × market.
    let season: BTreeMap<String, f64> = world
        .rows("truth/season.ndjson")
        .iter()
        .map(|row| (text(row, "date").unwrap().to_owned(), number(row, "factor")))
        .collect();
    let market: BTreeMap<(String, String), f64> = world
        .rows("truth/market.ndjson")
        .iter()
        .map(|row| {
            let key = (text(row, "date").unwrap().to_owned(), text(row, "region_id").unwrap().to_owned());
            (key, number(row, "effect"))
        })
        .collect();
    let regions: BTreeMap<String, String> = world
        .rows("crm.rep.ndjson")
        .iter()
        .map(|row| (text(row, "rep_id").unwrap().to_owned(), text(row, "region_id").unwrap().to_owned()))
        .collect();
    let mut expected = 0.0;
    for rep in world.rows("truth/rep.ndjson") {
        // Those who moved are few: where they are at last will do.
        let region = &regions[text(&rep, "rep_id").unwrap()];
        for (day, factor) in &season {
            let hired = text(&rep, "hired_on").unwrap();
            if hired > day.as_str() || text(&rep, "left_on").is_some_and(|left| left <= day.as_str()) {
                continue;
            }
            let date: chrono::NaiveDate = day.parse().unwrap();
            let tenure = real((date - hired.parse::<chrono::NaiveDate>().unwrap()).num_days());
            let (from, to) = (number(&rep, "ramp_start"), number(&rep, "ramp_end"));
            let ramp = from + (to - from) * (tenure / number(&rep, "ramp_days")).min(1.0);
            let effect = market[&(day.clone(), region.clone())];
            expected += number(&rep, "capacity_per_working_day") * ramp * factor * effect;
        }
    }
    let off = summary.expected_deal_amount / expected - 1.0;
    assert!(off.abs() < 0.02, "{off:+.4}");
    let capable = world.rows("truth/rep_month.ndjson");
    let (mut expected, mut seen) = (0.0, 0.0);
    for row in &capable {
        expected += number(row, "expected_amount");
        seen += number(row, "signed_amount");
    }
    assert!((expected / summary.expected_deal_amount - 1.0).abs() < 1e-9);
    assert!((seen / summary.deal_amount - 1.0).abs() < 1e-9);
}

fn leads_convert_as_often_as_they_should(world: &World) {
    let leads = world.rows("truth/lead.ndjson");
    assert_eq!(leads.len(), usize::try_from(world.summary.leads).unwrap());
    let (mut low, mut high) = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0));
    for lead in &leads {
        let p = number(lead, "p_convert");
        let group = if p < 0.25 { &mut low } else { &mut high };
        group.0 += 1.0;
        group.1 += p;
        group.2 += f64::from(lead["converts"].as_bool().unwrap());
    }
    for (count, expected, seen) in [low, high] {
        assert!(count > 200.0);
        assert!((seen - expected).abs() < 4.0 * f64::sqrt(expected), "{seen} for {expected} of {count}");
    }
    assert!(high.1 / high.0 > 2.0 * low.1 / low.0);
}
