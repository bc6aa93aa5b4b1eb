//! Two witnesses: what the kernel publishes and what the SQL text says, cell by cell, on generated data with
//! duplicates, late and reordered rows, bad records, nulls and customers that were never touched.

use arrow::array::RecordBatch;
use data_samples::build::{Event, Row};
use datafusion::prelude::SessionContext;
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::pipeline::{RunRequest, run};
use engine::settings::Settings;
use engine::time::{day_number, parse_rfc3339};

use crate::world::{Flat, lake_of, session};

/// Marts, and the metrics that say the same.
const MARTS: [(&str, &str); 11] = [
    ("customer_health", "customer_health"),
    ("touch_density", "touch_density"),
    ("health_improvement", "health_improvement"),
    ("process_health", "process_health"),
    ("lead", "lead"),
    ("lead", "lead_quality"),
    ("opportunity", "opportunity"),
    ("lead_funnel", "lead_funnel"),
    ("lead_conversion", "lead_conversion_week"),
    ("sales_measure", "sales_measure"),
    ("capability", "capability"),
];

/// Tiles with the ids of their customers, and the metrics that say the same.
const TILES: [(&str, &str); 3] = [
    ("(SELECT * FROM tile.customer_day NATURAL JOIN tile.customer_key)", "customer_day"),
    ("(SELECT * FROM tile.order_day NATURAL JOIN tile.customer_key)", "order_day"),
    ("(SELECT * FROM tile.rep_day)", "rep_day"),
];

/// Sums of floats, which SQL adds up in no fixed order: compared to nine places.
const SUMMED: [&str; 3] = ["activity", "market_growth", "revenue_growth_net"];

async fn rows(ctx: &SessionContext, query: &str) -> Result<Vec<RecordBatch>, String> {
    let frame = ctx.sql(query).await.map_err(|error| error.to_string())?;
    frame.collect().await.map_err(|error| error.to_string())
}

/// Every column that both sides have must hold the same cells, row for row; at least `columns` must be shared.
async fn compare(ctx: &SessionContext, kernel: &str, metric: &str, columns: usize) -> Result<(), String> {
    let table = format!("metric.{metric}");
    let left = ctx.sql(&format!("SELECT * FROM {kernel}")).await.map_err(|error| error.to_string())?;
    let right = ctx.table(&table).await.map_err(|error| error.to_string())?;
    let shared: Vec<String> = left
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .filter(|name| right.schema().has_column_with_unqualified_name(name))
        .collect();
    if shared.len() < columns {
        return Err(format!("{metric}: only {shared:?} are compared"));
    }
    let cell = |name: &String| {
        let summed = SUMMED.contains(&name.as_str());
        if summed { format!("ROUND({name}, 9) AS {name}") } else { name.clone() }
    };
    let list = shared.iter().map(cell).collect::<Vec<_>>().join(", ");
    let (ours, theirs) = (format!("SELECT {list} FROM {kernel}"), format!("SELECT {list} FROM {table}"));
    for (a, b, whose) in [(&ours, &theirs, "kernel"), (&theirs, &ours, "SQL")] {
        let alone = rows(ctx, &format!("({a}) EXCEPT ({b}) LIMIT 5")).await?;
        if alone.iter().any(|batch| batch.num_rows() > 0) {
            let text =
                arrow::util::pretty::pretty_format_batches(&alone).map_err(|error| error.to_string())?;
            return Err(format!("{metric}: rows of the {whose} alone:\n{text}"));
        }
    }
    let count = |batches: Vec<RecordBatch>| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    let (n, m) = (count(rows(ctx, &ours).await?), count(rows(ctx, &theirs).await?));
    if n == m && n > 0 { Ok(()) } else { Err(format!("{metric}: {n} rows of the kernel, {m} of the SQL")) }
}

/// What no generator thinks of: regions above each other, a day of unknown kind, a stage before the opening, a lead that
/// comes to a rep long after the rep had called it.
fn oddities() -> Vec<(Stream, String)> {
    let region = |id: &str, parent: &str| {
        Row::new().text("region_id", id).text("parent_region_id", parent).text("name", id).to_json()
    };
    let regions = [region("Z2", "Z3"), region("Z3", "Z2"), region("Z1", "Z3"), region("Z4", "Z4")];
    let rep =
        Row::new().text("rep_id", "odd").text("region_id", "Z1").text("hired_on", "2026-01-01").to_json();
    let day = Row::new().text("date", "2026-02-11").null("is_working_day").to_json();
    let customers = ["odd-1", "odd-2"].map(|id| {
        Row::new().text("customer_id", id).text("owner_rep_id", "odd").text("region_id", "Z2").to_json()
    });
    let deal = |event: &str, time: &str| {
        Event::new(event).rep("odd").customer("odd-1").opportunity("o-odd").at(time).channel("system")
    };
    let life = [
        deal("opportunity.stage_changed", "2026-02-09T09:00:00+08:00").id("odd-a").attr("stage", "proposal"),
        deal("opportunity.opened", "2026-02-09T09:01:00+08:00")
            .id("odd-b")
            .attr("stage", "demo")
            .amount("5.00"),
        deal("opportunity.stage_changed", "2026-02-10T09:00:00+08:00").id("odd-c").attr("stage", "discovery"),
        deal("opportunity.won", "2026-02-11T09:00:00+08:00").id("odd-d").amount("6.00"),
        deal("opportunity.stage_changed", "2026-02-12T09:00:00+08:00").id("odd-e").attr("stage", "contract"),
    ];
    let lead = |event: &str, rep: &str, time: &str| {
        Event::new(event).rep(rep).lead("l-odd").at(time).channel("phone")
    };
    let handed_on = [
        lead("lead.created", "odd", "2025-12-20T09:00:00+08:00").id("odd-f").attr("source", "odd"),
        lead("lead.assigned", "odd", "2025-12-20T09:05:00+08:00").id("odd-g"),
        lead("call.connected", "odd-2", "2025-12-21T09:00:00+08:00").id("odd-h"),
        lead("call.connected", "odd", "2025-12-23T09:00:00+08:00").id("odd-i"),
        lead("lead.responded", "odd", "2025-12-24T09:00:00+08:00").id("odd-j"),
        lead("lead.assigned", "odd-2", "2026-02-13T09:00:00+08:00").id("odd-k"),
        lead("lead.qualified", "odd-2", "2026-02-13T10:00:00+08:00").id("odd-l"),
    ];
    let events = life.iter().chain(&handed_on).map(Event::to_json);
    vec![
        (Stream::Region, regions.join("\n")),
        (Stream::Rep, rep),
        (Stream::Customer, customers.join("\n")),
        (Stream::Calendar, day),
        (Stream::Behaviour, events.collect::<Vec<_>>().join("\n")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn kernel_and_sql_publish_the_same_cells() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::builtin().unwrap();
    let settings = Settings::default();
    let scale = data_samples::Scale { days: 75, ..data_samples::sample_scale() };
    let lake = lake_of(dir.path(), &catalogue, &scale, &oddities()).await;
    let mut differences = Vec::new();
    // The middle of the history first, so that the last day builds on tiles and lives that are there already.
    for back in [20, 0] {
        let as_of = day_number(scale.end) - back;
        let request = RunRequest {
            rules: &engine::rule::Book::default(),
            models: engine::score::Models::default(),
            as_of,
            now: parse_rfc3339("2026-12-01T00:00:00Z").unwrap(),
            settings: &settings,
            catalogue: &catalogue,
            predictor: &Flat,
            progress: &mut |_| {},
        };
        let report = run(&lake, request).await.unwrap();
        assert!(report.published);
        let ctx = session(&lake, &catalogue).await;
        let wanted: Vec<&str> = MARTS.iter().chain(&TILES).map(|(_, metric)| *metric).collect();
        sql::metrics::materialize(&ctx, engine::time::date(as_of), &settings, &wanted).await.unwrap();
        for (mart, metric) in MARTS {
            let rows = format!("(SELECT * FROM mart.{mart} WHERE run_id = '{}')", report.run_id);
            differences.extend(compare(&ctx, &rows, metric, 5).await.err());
        }
        for (tile, metric) in TILES {
            differences.extend(compare(&ctx, tile, metric, 4).await.err());
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
