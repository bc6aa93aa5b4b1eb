//! What an index model is fitted on is what it is asked: cases of a past day are, cell by cell, those of its own run, what
//! came later changes none of them, and what the model says stands in the mart beside the index it was asked about.

use std::collections::BTreeSet;
use std::sync::Mutex;

use data_samples::build::Event;
use datafusion::prelude::SessionContext;
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{IngestOptions, ingest_files};
use engine::lake::Lake;
use engine::pipeline::{RunRequest, run};
use engine::score::{
    Cases, INDEX_DAYS, IndexForecast, IndexRows, IndexScorer, Models, TrainingRequest, training,
};
use engine::settings::Settings;
use engine::time::{Day, date, day_number, parse_rfc3339};

use crate::score::cells;
use crate::world::{Flat, lake_of, session};

/// A model that keeps what it is asked, and expects everybody at 50.
struct Spy(Mutex<Cases>);

impl IndexScorer for Spy {
    fn id(&self) -> &'static str {
        "spy"
    }

    fn forecast(&self, cases: &Cases, red_below: f64) -> Result<Vec<Option<IndexForecast>>, String> {
        *self.0.lock().unwrap() = cases.clone();
        let said = IndexForecast { expected: 50.0, low: 40.0, high: 61.0, p_red: red_below / 100.0 };
        Ok(vec![Some(said); cases.rows()])
    }
}

async fn rows(lake: &Lake, catalogue: &Catalogue, as_of: Day) -> IndexRows {
    let settings = Settings::default();
    let request = TrainingRequest {
        as_of,
        history_days: 400,
        step_days: 7,
        also: None,
        settings: &settings,
        catalogue,
    };
    training(lake, request).await.unwrap().indices
}

/// The single text of a query.
async fn ask(ctx: &SessionContext, query: &str) -> String {
    let batches = ctx.sql(query).await.unwrap().collect().await.unwrap();
    arrow::util::display::array_value_to_string(batches[0].column(0), 0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_of_a_past_day_are_those_of_its_own_run_and_forecasts_stand_beside_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::builtin().unwrap();
    let scale = data_samples::Scale { days: 90, ..data_samples::sample_scale() };
    let lake = lake_of(dir.path(), &catalogue, &scale, &[]).await;
    let end = day_number(scale.end);
    let past = end - 30;
    let all = rows(&lake, &catalogue, end - 2).await;
    let days: BTreeSet<Day> = all.days.iter().copied().collect();
    assert_eq!(days.into_iter().collect::<Vec<_>>(), [58, 51, 44, 37, 30, 23, 16].map(|back| end - back));
    // What is known when the last look's time is just over: the same rows, and the same of what came.
    let then = rows(&lake, &catalogue, past + INDEX_DAYS).await;
    let of = |rows: &IndexRows, day: Day| -> Vec<usize> {
        (0..rows.days.len()).filter(|&row| rows.days[row] == day).collect()
    };
    assert_eq!((then.days.last(), then.censored), (Some(&past), 2));
    let first: Vec<usize> = (0..then.days.len()).collect();
    assert_eq!(cells(&all.cases, &first), cells(&then.cases, &first));
    assert_eq!(all.came[..first.len()], then.came);
    // What happens after a look changes nothing of it, but what comes of it.
    let rep = ask(&session(&lake, &catalogue).await, "SELECT min(rep_id) FROM crm.rep").await;
    let visit = |n: u32| {
        let time = format!("{}T0{n}:00:00Z", date(past + 3));
        Event::new("visit.checked_in").rep(&rep).at(&time).channel("visit").id(&format!("more-{n}")).to_json()
    };
    let path = dir.path().join("more.ndjson");
    std::fs::write(&path, (1..9).map(visit).collect::<Vec<_>>().join("\n")).unwrap();
    let options = IngestOptions::new(parse_rfc3339("2026-12-01T00:00:00Z").unwrap());
    ingest_files(&lake, &catalogue, Stream::Behaviour, &[path], &options).await.unwrap();
    let more = rows(&lake, &catalogue, past + INDEX_DAYS).await;
    assert_eq!(cells(&more.cases, &of(&more, past)), cells(&then.cases, &of(&then, past)));
    assert_ne!(more.came, then.came);

    let spy = Spy(Mutex::default());
    let request = RunRequest {
        as_of: past,
        now: parse_rfc3339("2026-12-01T00:00:00Z").unwrap(),
        settings: &Settings::default(),
        catalogue: &catalogue,
        predictor: &Flat,
        rules: &engine::rule::Book::default(),
        models: Models { index: Some(&spy), ..Models::default() },
        progress: &mut |_| {},
    };
    run(&lake, request).await.unwrap();
    let asked = spy.0.into_inner().unwrap();
    let whole: Vec<usize> = (0..asked.rows()).collect();
    assert_eq!(cells(&asked, &whole), cells(&more.cases, &of(&more, past)));
    // The first case is the first rep's, and its index the one that is published.
    let ctx = session(&lake, &catalogue).await;
    let published =
        "SELECT process_health FROM mart.process_health WHERE p_red_14d IS NOT NULL AND scope = 'rep'
                     ORDER BY scope_id LIMIT 1";
    let published: f64 = ask(&ctx, published).await.parse().unwrap();
    assert_eq!(asked.text("index", 0), Some(format!("{published:.3}").trim_end_matches('0').to_owned()));
    let beside = "SELECT count(p_red_14d) > 10 AND bool_and((p_red_14d IS NULL OR process_health IS NOT NULL)
                      AND coalesce(process_health_14d = 50 AND process_health_14d_low = 40 AND process_health_14d_high = 61
                      AND p_red_14d = 0.6 AND forecast_model_id = 'spy', true)) FROM mart.process_health";
    assert_eq!(ask(&ctx, beside).await, "true");
    // Whoever isn't red is said to turn red, and nobody else.
    let alerts = "SELECT count(*) > 0 AND count(*) = (SELECT count(*) FROM mart.process_health WHERE color <> 'red' AND p_red_14d > 0)
                  FROM mart.alert WHERE rule = 'process_health_turning_red' AND message LIKE '%expected at 50.0 in 14 days%60 %'";
    assert_eq!(ask(&ctx, alerts).await, "true");
}
