//! How good the quotas of a generated company are, beside an oracle that knows what the generator knows.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use engine::time::day_number;
use models::backtest::{Method, PeriodKind, QuotaScores, last_periods, quota_backtest};
use models::panel::{Panel, PanelRows, QuotaParams, Staff, Workdays, forecast};
use serde_json::Value;

/// Largest move of a quota from one day to the next.
const MOVE_MAX: f64 = 0.05;

fn rows(path: &Path) -> impl Iterator<Item = Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    all.into_iter()
}

fn day(row: &Value, name: &str) -> Option<i32> {
    Some(day_number(row[name].as_str()?.get(..10)?.parse::<NaiveDate>().ok()?))
}

fn real(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap()
}

/// A company of the generator as a panel, with the names of its reps.
fn panel(data: &Path) -> (Panel, Vec<String>) {
    let mut staff: BTreeMap<String, (String, Staff)> = BTreeMap::new();
    for row in rows(&data.join("crm.rep.ndjson")) {
        let one = Staff { region: 0, hired: day(&row, "hired_on"), left: day(&row, "left_on") };
        let id = row["rep_id"].as_str().unwrap().to_owned();
        // Areas, not territories: large enough for their noise to be told from errors.
        let region = row["region_id"].as_str().unwrap();
        let area = region.split_once('-').map_or(region, |(area, _)| area).to_owned();
        staff.insert(id, (area, one));
    }
    let ids: Vec<String> = staff.keys().cloned().collect();
    let mut areas: Vec<String> = staff.values().map(|(area, _)| area.clone()).collect();
    areas.sort();
    areas.dedup();
    let number = |names: &[String], name: &str| {
        u32::try_from(names.binary_search_by(|other| other.as_str().cmp(name)).unwrap()).unwrap()
    };
    let staff: Vec<Staff> =
        staff.values().map(|(area, one)| Staff { region: number(&areas, area), ..*one }).collect();
    let mut sales = Vec::new();
    for file in std::fs::read_dir(data.join("behaviour")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| line.contains("\"deal.signed\"")) {
            let row: Value = serde_json::from_str(line).unwrap();
            let amount: f64 = row["amount"].as_str().unwrap().parse().unwrap();
            sales.push((
                number(&ids, row["rep_id"].as_str().unwrap()),
                day(&row, "event_time").unwrap(),
                amount,
            ));
        }
    }
    let calendar: BTreeMap<i32, bool> = rows(&data.join("crm.calendar.ndjson"))
        .map(|row| (day(&row, "date").unwrap(), row["is_working_day"].as_bool().unwrap()))
        .collect();
    let workdays = Workdays {
        first: *calendar.first_key_value().unwrap().0,
        working: calendar.values().copied().collect(),
    };
    let days: Vec<i32> = sales.iter().map(|sale| sale.1).collect();
    let reps: Vec<u32> = sales.iter().map(|sale| sale.0).collect();
    let amounts: Vec<f64> = sales.iter().map(|sale| sale.2).collect();
    let zeros = vec![0; sales.len()];
    let rows = PanelRows::without_factors(&days, &reps, &zeros, &amounts);
    (Panel::new(&rows).unwrap().with_staff(&staff).unwrap().with_workdays(workdays), ids)
}

/// What each rep could expect of a month: with the market as it came, and in a neutral one.
fn truth(data: &Path) -> BTreeMap<(String, i32), [f64; 2]> {
    let month = |date: i32| engine::time::date(date).format("%Y-%m").to_string();
    let first = |month: &str| day_number(format!("{month}-01").parse::<NaiveDate>().unwrap());
    let mut found: BTreeMap<(String, i32), [f64; 2]> = BTreeMap::new();
    for row in rows(&data.join("truth/rep_month.ndjson")) {
        let key = (row["rep_id"].as_str().unwrap().to_owned(), first(row["period"].as_str().unwrap()));
        found.entry(key).or_default()[0] += real(&row, "expected_amount");
    }
    let season: Vec<(i32, f64)> = rows(&data.join("truth/season.ndjson"))
        .map(|row| (day(&row, "date").unwrap(), real(&row, "factor")))
        .collect();
    for row in rows(&data.join("truth/rep.ndjson")) {
        let (hired, left) = (day(&row, "hired_on").unwrap(), day(&row, "left_on"));
        let id = row["rep_id"].as_str().unwrap();
        for &(date, season) in &season {
            if date < hired || left.is_some_and(|left| date >= left) {
                continue;
            }
            let ramp = real(&row, "ramp_start")
                + (1.0 - real(&row, "ramp_start"))
                    * (f64::from(date - hired) / real(&row, "ramp_days")).min(1.0);
            let expected = real(&row, "capacity_per_working_day") * ramp * season;
            if let Some(both) = found.get_mut(&(id.to_owned(), first(&month(date)))) {
                both[1] += expected;
            }
        }
    }
    found
}

#[test]
fn quotas_of_a_generated_company_are_nearly_as_good_as_an_oracles() {
    let dir = tempfile::tempdir().unwrap();
    let scale = data_samples::Scale {
        seed: 11,
        reps: 60,
        customers: 600,
        days: 912,
        events_per_day: 220,
        end: NaiveDate::from_ymd_opt(2026, 6, 30).unwrap(),
        market_history_days: 0,
        dirt: data_samples::Dirt::none(),
        ..data_samples::Scale::default()
    };
    data_samples::generate(&scale, dir.path(), data_samples::Format::Ndjson, &mut |_| {}).unwrap();
    let (panel, ids) = panel(dir.path());
    let truth = truth(dir.path());
    let params = QuotaParams { history_months: 36, ..QuotaParams::default() };
    let kind = PeriodKind::Quarter;
    let periods = last_periods(&panel, kind, 5);
    let found = quota_backtest(&panel, kind, &periods, &params, MOVE_MAX).unwrap();
    let scores = QuotaScores::of(&found);

    // By period and region: what came, what was expected, and what the oracles say.
    let mut sums: BTreeMap<(usize, usize), [f64; 4]> = BTreeMap::new();
    for row in &found.rows {
        let sum = sums.entry((row.period, row.region)).or_default();
        (sum[0], sum[1]) = (sum[0] + row.actual, sum[1] + row.expected);
        let period = periods[row.period];
        let months = truth.range((ids[row.rep].clone(), period.start)..(ids[row.rep].clone(), period.end));
        for (_, [clairvoyant, neutral]) in months {
            (sum[2], sum[3]) = (sum[2] + clairvoyant, sum[3] + neutral);
        }
    }
    let deviation = |of: usize| {
        let all: Vec<f64> = sums.values().map(|sum| (sum[0] - sum[of]).abs() / sum[of]).collect();
        all.iter().sum::<f64>() / f64::from(u32::try_from(all.len()).unwrap())
    };
    let [expected, clairvoyant, neutral] = [1, 2, 3].map(deviation);
    let method = |method| scores.methods.iter().find(|scores| scores.method == method).unwrap();
    let (quota, fixed) = (method(Method::Quota), method(Method::Static));
    // Of reps who have been there for long, the one whose quota follows its own last quarter most.
    let last = periods[periods.len() - 1];
    let newest = forecast(&panel, last.start, last.end, &params).unwrap().unwrap();
    let settled = newest.quotas.iter().filter(|quota| quota.tenure_years.is_none_or(|years| years > 1.0));
    let ratchet = settled
        .step_by(4)
        .filter_map(|quota| newest.ratchet(&panel, quota.rep, &params))
        .fold(f64::NEG_INFINITY, f64::max);
    println!(
        "regional deviation: expected {expected:.4}, quota {:.4}, static {:.4}; oracle of the market as it came \
         {clairvoyant:.4}, in a neutral market {neutral:.4}\nattainment sd: quota {:.4}, static {:.4}\nat quota {:.4} of \
         {} rep-periods, covered {:.4}; moves {:?}; ratchet of the settled {ratchet:.3}, \
         of all {:?}\nwape: quota {:.4} expected {:.4} static {:.4}",
        scores.deviation[0].unwrap(),
        fixed.deviation.unwrap(),
        quota.spread.unwrap(),
        fixed.spread.unwrap(),
        scores.all.at_quota,
        scores.all.rows,
        scores.all.covered,
        scores.moves,
        scores.ratchet,
        quota.wape.unwrap(),
        method(Method::Expected).wape.unwrap(),
        fixed.wape.unwrap(),
    );
    assert!(scores.all.rows > 250, "{} rows", scores.all.rows);
    assert!(expected < 1.25 * neutral, "{expected} against {neutral}");
    assert!((scores.all.at_quota - params.attain_probability).abs() < 0.05);
    assert!((scores.all.covered - 0.8).abs() < 0.04);
    assert!(scores.moves[0] <= MOVE_MAX + 1e-9, "{:?}", scores.moves);
    assert!(ratchet < params.ratchet_max, "{ratchet}");
    assert!(quota.spread.unwrap() < 0.8 * fixed.spread.unwrap());
}
