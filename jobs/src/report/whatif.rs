//! Quotas under scenarios beside those published: for a person, and as rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Builder, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use engine::pipeline::{Cast, Outcome, Past};
use engine::time::date;

use super::words::{columns, count, money, percent, signed, term, whole_money};
use crate::cli::WhatifBy;

/// Reps named as moving most.
const MOVERS_MAX: usize = 10;
/// The scope of everybody.
const COMPANY: &str = "company";

/// The published quotas: of each rep, and their sums by region and for the company. Minor units.
#[derive(Debug)]
pub(crate) struct Today {
    reps: BTreeMap<String, i64>,
    regions: Vec<i64>,
}

/// What is summed over a scope.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    reps: i64,
    quota: i64,
    expected: i64,
    p_attain: f64,
}

impl Sum {
    fn mean_chance(&self) -> Option<f64> {
        (self.reps > 0).then(|| self.p_attain / real(self.reps))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of reps")]
fn real(n: i64) -> f64 {
    n as f64
}

impl Today {
    /// From the reps as they are.
    pub(crate) fn new(cast: &Cast<'_>) -> Self {
        let mut regions = vec![0; cast.region_ids().len()];
        let mut reps = BTreeMap::new();
        for (row, id) in cast.rep_ids().enumerate() {
            let quota = cast.published(row).unwrap_or(0);
            cast.regions_of(row).for_each(|region| regions[region] += quota);
            reps.insert(id.to_owned(), quota);
        }
        Self { reps, regions }
    }

    fn company(&self) -> i64 {
        self.reps.values().sum()
    }
}

/// Sums by region, and for the company.
fn sums(cast: &Cast<'_>, outcome: &Outcome) -> (Vec<Sum>, Sum) {
    let mut regions = vec![Sum::default(); cast.region_ids().len()];
    let mut company = Sum::default();
    for (row, rep) in outcome.reps.iter().enumerate() {
        let add = |sum: &mut Sum| {
            sum.reps += 1;
            sum.quota += rep.quota;
            sum.expected += rep.expected;
            sum.p_attain += rep.p_attain;
        };
        cast.regions_of(row).for_each(|region| add(&mut regions[region]));
        add(&mut company);
    }
    (regions, company)
}

/// One case for a person: company, regions, and who moves most.
pub(crate) fn case(name: &str, past: &Past, cast: &Cast<'_>, today: &Today, outcome: &Outcome) -> String {
    let (regions, company) = sums(cast, outcome);
    let head = ["", "reps", "published", "would be", "change", "plan", "difference", "chance"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let line = |name: &str, published: i64, sum: &Sum, plan: Option<(i64, i64)>| {
        let dash = || "–".to_owned();
        vec![
            name.to_owned(),
            count(u64::try_from(sum.reps).unwrap_or(0)),
            whole_money(published),
            whole_money(sum.quota),
            signed(&whole_money(sum.quota - published)),
            plan.map_or_else(dash, |(plan, _)| whole_money(plan)),
            plan.map_or_else(dash, |(_, difference)| signed(&whole_money(difference))),
            sum.mean_chance().map_or_else(dash, percent),
        ]
    };
    lines.push(line(COMPANY, today.company(), &company, None));
    for (place, id) in cast.region_ids().iter().enumerate() {
        if regions[place].reps > 0 || today.regions[place] != 0 {
            let of = &outcome.regions[place];
            lines.push(line(id, today.regions[place], &regions[place], of.plan.zip(of.difference)));
        }
    }
    let mut text = format!("{name}, beside what {} shows for {}\n", date(past.run.as_of), cast.period().name);
    text.push_str(&columns(&[false, true, true, true, true, true, true, true], &lines));
    let movers = movers(cast, today, outcome);
    if !movers.is_empty() {
        text.push_str("\n  reps that move most\n");
        text.push_str(&columns(&[false, true, false, true, true, false], &movers));
    }
    text.push('\n');
    text
}

fn movers(cast: &Cast<'_>, today: &Today, outcome: &Outcome) -> Vec<Vec<String>> {
    let mut moved: Vec<(i64, &str, Option<i64>, Option<usize>)> = Vec::new();
    for (row, id) in cast.rep_ids().enumerate() {
        let published = cast.published(row);
        moved.push((outcome.reps[row].quota - published.unwrap_or(0), id, published, Some(row)));
    }
    let gone = today.reps.iter().filter(|(id, _)| cast.row(id).is_none());
    moved.extend(gone.map(|(id, &quota)| (-quota, id.as_str(), Some(quota), None)));
    moved.retain(|(change, ..)| *change != 0);
    moved.sort_by_key(|(change, id, ..)| (-change.abs(), *id));
    let lines = moved.into_iter().take(MOVERS_MAX).map(|(change, id, published, row)| {
        let held = row.map_or("leaves".to_owned(), |row| match outcome.reps[row].bound.as_str() {
            "none" => String::new(),
            bound => format!("held by {}", term(bound)),
        });
        vec![
            id.to_owned(),
            published.map_or_else(|| "comes".to_owned(), money),
            "→".to_owned(),
            money(row.map_or(0, |row| outcome.reps[row].quota)),
            signed(&money(change)),
            held,
        ]
    });
    lines.collect()
}

/// The rows of `whatif`: one per case and scope. Money is `Decimal128(18, 2)`.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    scenario: StringBuilder,
    scope: StringBuilder,
    scope_id: StringBuilder,
    reps: Int64Builder,
    published: Vec<Option<i64>>,
    quota: Vec<Option<i64>>,
    change: Vec<Option<i64>>,
    expected: Vec<Option<i64>>,
    plan: Vec<Option<i64>>,
    difference: Vec<Option<i64>>,
    p_attain: Float64Builder,
    bound: StringBuilder,
}

/// One row.
#[derive(Debug, Default)]
struct Line<'a> {
    scope: &'a str,
    scope_id: &'a str,
    sum: Sum,
    published: i64,
    plan: Option<i64>,
    difference: Option<i64>,
    bound: Option<&'a str>,
}

impl Lines {
    /// Columns with their types.
    pub(crate) fn schema() -> SchemaRef {
        let text = |name| Field::new(name, DataType::Utf8, false);
        let cash = |name, nullable| Field::new(name, DataType::Decimal128(18, 2), nullable);
        Arc::new(Schema::new(vec![
            text("scenario"),
            text("scope"),
            text("scope_id"),
            Field::new("reps", DataType::Int64, false),
            cash("published", false),
            cash("quota", false),
            cash("change", false),
            cash("expected", false),
            cash("plan", true),
            cash("difference", true),
            Field::new("p_attain", DataType::Float64, true),
            Field::new("bound", DataType::Utf8, true),
        ]))
    }

    /// Adds the rows of a case: the company's, down to regions or reps.
    pub(crate) fn case(
        &mut self,
        name: &str,
        cast: &Cast<'_>,
        today: &Today,
        outcome: &Outcome,
        by: WhatifBy,
    ) {
        let (regions, company) = sums(cast, outcome);
        self.push(
            name,
            &Line {
                scope: COMPANY,
                scope_id: COMPANY,
                sum: company,
                published: today.company(),
                ..Line::default()
            },
        );
        if by == WhatifBy::Company {
            return;
        }
        for (place, id) in cast.region_ids().iter().enumerate() {
            let of = &outcome.regions[place];
            self.push(
                name,
                &Line {
                    scope: "region",
                    scope_id: id,
                    sum: regions[place],
                    published: today.regions[place],
                    plan: of.plan,
                    difference: of.difference,
                    bound: None,
                },
            );
        }
        if by == WhatifBy::Region {
            return;
        }
        for (row, id) in cast.rep_ids().enumerate() {
            let rep = &outcome.reps[row];
            let sum = Sum { reps: 1, quota: rep.quota, expected: rep.expected, p_attain: rep.p_attain };
            let published = cast.published(row).unwrap_or(0);
            let bound = Some(rep.bound.as_str());
            self.push(name, &Line { scope: "rep", scope_id: id, sum, published, bound, ..Line::default() });
        }
        for (id, &published) in today.reps.iter().filter(|(id, _)| cast.row(id).is_none()) {
            self.push(name, &Line { scope: "rep", scope_id: id, published, ..Line::default() });
        }
    }

    fn push(&mut self, name: &str, line: &Line<'_>) {
        self.scenario.append_value(name);
        self.scope.append_value(line.scope);
        self.scope_id.append_value(line.scope_id);
        self.reps.append_value(line.sum.reps);
        self.published.push(Some(line.published));
        self.quota.push(Some(line.sum.quota));
        self.change.push(Some(line.sum.quota - line.published));
        self.expected.push(Some(line.sum.expected));
        self.plan.push(line.plan);
        self.difference.push(line.difference);
        self.p_attain.append_option(line.sum.mean_chance());
        self.bound.append_option(line.bound);
    }

    /// The rows.
    pub(crate) fn batch(mut self) -> anyhow::Result<RecordBatch> {
        let cash = |values: &[Option<i64>]| -> anyhow::Result<ArrayRef> {
            let mut builder = Decimal128Builder::new().with_data_type(DataType::Decimal128(18, 2));
            for value in values {
                builder.append_option(value.map(i128::from));
            }
            Ok(Arc::new(builder.finish()))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.scenario.finish()),
            Arc::new(self.scope.finish()),
            Arc::new(self.scope_id.finish()),
            Arc::new(self.reps.finish()),
            cash(&self.published)?,
            cash(&self.quota)?,
            cash(&self.change)?,
            cash(&self.expected)?,
            cash(&self.plan)?,
            cash(&self.difference)?,
            Arc::new(self.p_attain.finish()),
            Arc::new(self.bound.finish()),
        ];
        Ok(RecordBatch::try_new(Self::schema(), columns)?)
    }
}
