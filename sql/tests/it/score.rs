//! What a model is fitted on is what it is asked: the cases of a past day made from the whole history are, cell by cell,
//! those that the run of that day makes from its lives; and what came after a day changes none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use data_samples::build::Event;
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::lake::Lake;
use engine::pipeline::{RunRequest, run};
use engine::score::{
    Cases, Cells, LeadFeatures, LeadRows, LeadScorer, LeadScores, Models, TrainingRequest, training,
};
use engine::settings::Settings;
use engine::time::{Day, day_number, parse_rfc3339};

use crate::world::{Flat, lake_of};

/// A model that keeps what it is asked.
struct Spy {
    features: LeadFeatures,
    asked: Mutex<Cases>,
}

impl LeadScorer for Spy {
    fn id(&self) -> &'static str {
        "spy"
    }

    fn features(&self) -> &LeadFeatures {
        &self.features
    }

    fn score(&self, cases: &Cases) -> Result<LeadScores, String> {
        *self.asked.lock().unwrap() = cases.clone();
        let n = cases.rows();
        Ok(LeadScores { p_convert: vec![[0.5; 3]; n], intercept: 0.0, reasons: vec![Vec::new(); n] })
    }

    fn chances(&self, cases: &Cases) -> Result<Vec<[f64; 3]>, String> {
        Ok(vec![[0.5; 3]; cases.rows()])
    }
}

async fn rows(lake: &Lake, catalogue: &Catalogue, as_of: Day, also: Option<&LeadFeatures>) -> LeadRows {
    let settings = Settings::default();
    let request =
        TrainingRequest { as_of, history_days: 400, step_days: 7, also, settings: &settings, catalogue };
    training(lake, request).await.unwrap().leads
}

/// Column → cells of some rows, as text to the last bit.
pub(crate) fn cells(cases: &Cases, rows: &[usize]) -> BTreeMap<String, Vec<String>> {
    let cell = |name: &str, cells: &Cells, row: usize| match cells {
        Cells::Number(values) => format!("{:?}", values[row]),
        Cells::Text { .. } => format!("{:?}", cases.text(name, row)),
    };
    let column =
        |(name, of): (&str, &Cells)| (name.to_owned(), rows.iter().map(|&row| cell(name, of, row)).collect());
    cases.columns().map(column).collect()
}

fn of_day(rows: &LeadRows, day: Day) -> BTreeMap<String, Vec<String>> {
    let of: Vec<usize> = (0..rows.days.len()).filter(|&row| rows.days[row] == day).collect();
    cells(&rows.cases, &of)
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_of_a_past_day_are_those_of_its_own_run() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::builtin().unwrap();
    let scale = data_samples::Scale { days: 90, ..data_samples::sample_scale() };
    // A lead that comes back after its loss, and one without a rep, with a number that is none.
    let event = |code: &str, lead: &str, time: &str| Event::new(code).lead(lead).at(time).channel("system");
    let more = [
        event("lead.created", "odd-1", "2025-12-20T09:00:00+08:00").id("odd-a"),
        event("lead.lost", "odd-1", "2025-12-25T09:00:00+08:00").id("odd-b"),
        event("lead.converted", "odd-1", "2026-01-20T09:00:00+08:00").id("odd-c"),
        event("lead.created", "odd-2", "2026-01-05T09:00:00+08:00").id("odd-d").attr("budget", "much"),
        event("web.pricing_viewed", "odd-2", "2026-01-05T09:00:00+08:00").id("odd-e"),
    ];
    let more = [(Stream::Behaviour, more.map(|event| event.to_json()).join("\n"))];
    let lake = lake_of(dir.path(), &catalogue, &scale, &more).await;
    let last = day_number(scale.end);
    let all = rows(&lake, &catalogue, last, None).await;
    let days: Vec<Day> = all.days.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(days, [72, 65, 58, 51, 44, 37, 30].map(|back| last - back));
    assert!(all.converted.iter().any(|&converted| converted) && all.censored > 0);
    // What is known a fortnight earlier: the same rows, but for the last two looks.
    let earlier = rows(&lake, &catalogue, last - 14, Some(&all.features)).await;
    assert_eq!(earlier.days.last(), Some(&(last - 44)));
    for &day in days.iter().filter(|day| **day <= last - 44) {
        let (then, now) = (of_day(&earlier, day), of_day(&all, day));
        assert!(!now["age_days"].is_empty());
        for (column, cells) in &now {
            assert_eq!(cells, &then[column], "{column} of day {day}");
        }
    }
    assert_eq!(earlier.converted, all.converted[..earlier.converted.len()]);
    for day in [last - 30, last - 44] {
        let spy = Spy { features: all.features.clone(), asked: Mutex::default() };
        let request = RunRequest {
            as_of: day,
            now: parse_rfc3339("2026-12-01T00:00:00Z").unwrap(),
            settings: &Settings::default(),
            catalogue: &catalogue,
            predictor: &Flat,
            rules: &engine::rule::Book::default(),
            models: Models { lead: Some(&spy), ..Models::default() },
            progress: &mut |_| {},
        };
        let report = run(&lake, request).await.unwrap();
        let asked = spy.asked.into_inner().unwrap();
        assert_eq!(report.rows["mart.lead_score"], u64::try_from(asked.rows()).unwrap());
        let (asked, past) = (cells(&asked, &(0..asked.rows()).collect::<Vec<_>>()), of_day(&all, day));
        for (column, cells) in &past {
            assert_eq!(&asked[column], cells, "{column} of day {day}");
        }
        assert_eq!(asked.len(), past.len());
    }
}
