//! `tideline explain --region R --metric M`: why a measure changed between two published days, split exactly into what
//! weighs more or less (mix) and what does better or worse (rate), over every dimension that the marts carry.

mod cells;
mod split;

use std::collections::BTreeMap;

use engine::EngineError;
use engine::catalogue::Catalogue;
use engine::lake::Lake;
use engine::settings::Settings;
use engine::time::{Day, date};

use self::cells::{Cell, Dimension, METRICS, Measured, measured};
use self::split::{Effect, Part, UNIT, real, split, units, whole};
use crate::config::nearest;
use crate::report::published_days;
use crate::report::words::{columns, signed};

/// Effects shown of a dimension; the others are a sum.
const EFFECTS_MAX: usize = 8;

/// Whose measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A region with all below it.
    Region(String),
    /// The reps of a manager.
    Manager(String),
    /// Everybody.
    Company,
}

impl Scope {
    fn named(&self) -> (&'static str, &str) {
        match self {
            Self::Region(id) => ("region", id),
            Self::Manager(id) => ("manager", id),
            Self::Company => ("company", "company"),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) scope: Scope,
    pub(crate) metric: String,
    pub(crate) as_of: Option<Day>,
    pub(crate) since: Option<Day>,
}

/// Answers in words and numbers.
///
/// # Errors
/// [`EngineError::Input`] for an unknown measure or scope, or a day that is not published.
pub(crate) async fn cause(
    lake: &Lake,
    catalogue: &Catalogue,
    settings: &Settings,
    question: &Question,
) -> anyhow::Result<String> {
    let metric = METRICS.iter().find(|metric| metric.name == question.metric).ok_or_else(|| {
        let names = METRICS.iter().map(|metric| metric.name);
        let hint = nearest(&question.metric, names.clone()).map_or_else(
            || format!("the measures are {}", names.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean {near}?"),
        );
        EngineError::Input(format!("there is no measure {}; {hint}", question.metric))
    })?;
    let (since, day) = days(&published_days(lake).await?, question)?;
    let session = sql::session_over(lake, catalogue, |table| table.starts_with("mart.")).await?;
    let before = measured(&session, metric, &question.scope, since, settings).await?;
    let after = measured(&session, metric, &question.scope, day, settings).await?;
    let (kind, id) = question.scope.named();
    let value = |measured: &Measured| {
        measured.value().map_or_else(|| "unknown".to_owned(), |value| plain(units(value)))
    };
    let scope = if kind == "company" { "the company".to_owned() } else { format!("{kind} {id}") };
    let mut text = format!(
        "{} of {scope}: {} on {}, {} on {}",
        metric.title,
        value(&before),
        date(since),
        value(&after),
        date(day)
    );
    let (Some(old), Some(new)) = (before.value(), after.value()) else {
        text.push_str("\n  it has no value on one of the days, so there is no change to split");
        return Ok(text);
    };
    let total = units(new) - units(old);
    text.extend([format!(", {}", signed(&plain(total)))]);
    if total == 0 && before == after {
        return Ok(text);
    }
    let mut parts: Vec<(Dimension, Vec<Line>)> = Vec::new();
    for &dimension in metric.dimensions {
        parts.extend(effects(&before, &after, dimension, total).map(|lines| (dimension, lines)));
    }
    // The dimension with the largest single effect first.
    parts.sort_by_key(|(_, lines)| std::cmp::Reverse(lines.first().map_or(0, Line::size)));
    for (dimension, lines) in &parts {
        text.extend([format!("\n\nBy {}:\n{}", dimension.as_str(), table(lines, total))]);
    }
    Ok(text)
}

/// The two days, the earlier first.
fn days(published: &[Day], question: &Question) -> Result<(Day, Day), EngineError> {
    let none = || EngineError::Input("no day is published yet; `tideline daily` publishes one".to_owned());
    let newest = *published.last().ok_or_else(none)?;
    let known = |day: Day| {
        let message =
            || format!("{} is not published; the newest published day is {}", date(day), date(newest));
        published.contains(&day).then_some(day).ok_or_else(|| EngineError::Input(message()))
    };
    let day = known(question.as_of.unwrap_or(newest))?;
    let before = published.iter().copied().rfind(|earlier| *earlier < day);
    let since = match question.since {
        Some(since) if since >= day => {
            return Err(EngineError::Input(format!("--since {} is not before {}", date(since), date(day))));
        }
        Some(since) => known(since)?,
        None => before.ok_or_else(|| {
            EngineError::Input(format!(
                "no day before {} is published that it could be compared with",
                date(day)
            ))
        })?,
    };
    Ok((since, day))
}

/// What a group contributed, in units.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    group: String,
    mix: i64,
    rate: i64,
}

impl Line {
    fn size(&self) -> i64 {
        self.mix.abs().max(self.rate.abs())
    }
}

/// The split over one dimension, the largest effect first.
fn effects(before: &Measured, after: &Measured, dimension: Dimension, total: i64) -> Option<Vec<Line>> {
    let mut sums: BTreeMap<String, Effect<f64>> = BTreeMap::new();
    let factors = before.factors();
    for factor in 0..factors {
        let by = |measured: &Measured| grouped(&measured.cells, factor, dimension);
        let effects = split(&by(before), &by(after))?;
        // Of a product of two ratios each counts at the mean of the other.
        let other = |measured: &Measured| {
            (0..factors).filter(|&one| one != factor).map(|one| measured.ratio(one)).product::<Option<f64>>()
        };
        let weight = if factors > 1 { 0.5 * (other(before)? + other(after)?) } else { 1.0 };
        for (group, effect) in effects {
            let sum = sums.entry(group).or_default();
            sum.mix += weight * effect.mix;
            sum.rate += weight * effect.rate;
        }
    }
    let parts: Vec<f64> = sums.values().flat_map(|effect| [effect.mix, effect.rate]).collect();
    let mut lines: Vec<Line> = (sums.into_keys().zip(whole(&parts, total).chunks_exact(2)))
        .map(|(group, effect)| Line { group, mix: effect[0], rate: effect[1] })
        .collect();
    lines.sort_by(|a, b| b.size().cmp(&a.size()).then_with(|| a.group.cmp(&b.group)));
    Some(lines)
}

fn grouped(cells: &[Cell], factor: usize, dimension: Dimension) -> BTreeMap<String, Part> {
    let mut groups: BTreeMap<String, Part> = BTreeMap::new();
    for cell in cells {
        let group = cell.groups.get(&dimension).cloned().unwrap_or_else(|| "others".to_owned());
        groups.entry(group).or_default().add(cell.parts[factor]);
    }
    groups
}

fn table(lines: &[Line], total: i64) -> String {
    let head = ["", "mix", "rate", "together"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let row = |name: &str, mix: i64, rate: i64| {
        let cell = |units: i64| if units == 0 { "–".to_owned() } else { signed(&plain(units)) };
        vec![name.to_owned(), cell(mix), cell(rate), cell(mix + rate)]
    };
    let shown: Vec<&Line> = lines.iter().filter(|line| line.size() > 0).collect();
    rows.extend(shown.iter().take(EFFECTS_MAX).map(|line| row(&line.group, line.mix, line.rate)));
    let rest = shown.get(EFFECTS_MAX..).unwrap_or_default();
    let sum =
        |lines: &[&Line]| lines.iter().fold((0, 0), |(mix, rate), line| (mix + line.mix, rate + line.rate));
    if !rest.is_empty() {
        let (mix, rate) = sum(rest);
        rows.push(row(&format!("{} more", rest.len()), mix, rate));
    }
    let (mix, rate) = sum(&shown);
    debug_assert_eq!(mix + rate, total, "effects add up");
    rows.push(row("all", mix, rate));
    columns(&[false, true, true, true], &rows)
}

/// Units as a decimal with six digits, exactly.
fn plain(units: i64) -> String {
    let digits = (1.0 / UNIT).round();
    let sign = if units < 0 { "-" } else { "" };
    let (whole, part) = (real(units).abs().div_euclid(digits), real(units).abs().rem_euclid(digits));
    format!("{sign}{whole:.0}.{part:06.0}")
}
