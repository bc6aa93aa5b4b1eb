//! A backtest in the terminal: the figures, beside what simple rules would have got.

use engine::time::date;
use models::backtest::{Group, Method, MethodScores, QuotaBacktest, QuotaScores, TENURE_BANDS};
use models::panel::LeansOn;

use super::words::{columns, count, percent};
use crate::panel_file::PanelFile;

/// Everything that a report on a backtest needs.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) source: String,
    pub(crate) file: &'a PanelFile,
    pub(crate) backtest: &'a QuotaBacktest,
    pub(crate) scores: &'a QuotaScores,
    /// Periods asked for.
    pub(crate) asked: u32,
    pub(crate) attain_probability: f64,
    pub(crate) move_max: f64,
    pub(crate) ratchet_max: f64,
}

/// Rep-periods of a group from which on its share at quota is held against what is wanted.
pub(crate) const GROUP_ROWS_MIN: usize = 200;

/// The report as text.
pub(crate) fn terminal(report: &Report<'_>) -> String {
    let mut text = head(report);
    for (title, body) in [
        ("WAYS OF SETTING QUOTAS at the period's start", methods(report)),
        ("DEVIATION of regions, (actual − quota) ÷ quota", regions(report)),
        ("SHARE AT QUOTA", shares(report)),
        ("REST", rest(report)),
    ] {
        let line = format!("\n{title}\n{body}");
        text.push_str(&line);
    }
    text
}

/// What was read, and over which periods.
pub(crate) fn head(report: &Report<'_>) -> String {
    let found = report.backtest;
    let span =
        found.periods.first().zip(found.periods.last()).map_or_else(String::new, |(first, last)| {
            format!("{} to {}", date(first.start), date(last.end - 1))
        });
    let mut text = format!(
        "QUOTA BACKTEST of {}: {} rows, {} reps, {} regions, {} factors; {} periods, {span}",
        report.source,
        counted(report.file.rows),
        counted(report.file.reps.len()),
        counted(report.file.regions.len()),
        report.file.factors.len(),
        found.periods.len(),
    );
    if found.periods.len() < report.asked as usize {
        let line = format!(
            "\n  {} periods were asked for; the table has history before {} whole ones",
            report.asked,
            found.periods.len()
        );
        text.push_str(&line);
    }
    let left: usize = found.without.iter().map(|w| w.0).sum();
    let unknown: usize = found.without.iter().map(|w| w.1).sum();
    if left + unknown > 0 {
        let line = format!(
            "\n  without a quota, over all periods: {left} reps that had left or long been silent, {unknown} that first sold within the period"
        );
        text.push_str(&line);
    }
    text
}

/// The figures of all ways, a row each, the header first.
pub(crate) fn method_rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let head = ["", "deviation", "error per rep", "spread of attainment", "at quota", "rep-periods"];
    let row = |m: &MethodScores| {
        vec![
            method_name(m.method).to_owned(),
            share(m.deviation),
            share(m.wape),
            share(m.spread),
            share(m.at_quota),
            counted(m.rows),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(report.scores.methods.iter().map(row)).collect()
}

pub(crate) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Quota => "tideline: quota",
        Method::Expected => "tideline: expected",
        Method::Static => "static: last year × growth",
        Method::OwnGrowth => "last year × own growth",
        Method::SeasonalNaive => "last year",
        Method::RunRate => "run-rate",
    }
}

fn methods(report: &Report<'_>) -> String {
    let mut text = columns(&[false, true, true, true, true, true], &method_rows(report));
    if let Some(better) = spread_gain(report.scores) {
        let word = if better < 0.0 { "more" } else { "less" };
        let line =
            format!("\n  attainment spreads {} {word} than under static quotas", percent(better.abs()));
        text.push_str(&line);
    }
    text
}

/// By how much the spread of attainment is under that of static quotas.
pub(crate) fn spread_gain(scores: &QuotaScores) -> Option<f64> {
    let spread = |method| scores.methods.iter().find(|m| m.method == method).and_then(|m| m.spread);
    Some(1.0 - spread(Method::Quota)? / spread(Method::Static).filter(|spread| *spread > 0.0)?)
}

fn regions(report: &Report<'_>) -> String {
    const SHOWN_MAX: usize = 12;
    let (found, scores) = (report.backtest, report.scores);
    let mut rows = vec![
        std::iter::once("period")
            .chain(["start", "a third", "two thirds", "", "regions at the start"])
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    ];
    for (number, period) in found.periods.iter().enumerate() {
        let regions: Vec<_> = scores.regions.iter().filter(|region| region.period == number).collect();
        if regions.is_empty() {
            continue;
        }
        let mean = |third: usize| {
            let values: Vec<f64> = regions.iter().filter_map(|r| Some(r.deviation()[third]?.abs())).collect();
            (!values.is_empty()).then(|| {
                values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX))
            })
        };
        let each: Vec<String> = regions
            .iter()
            .take(SHOWN_MAX)
            .filter_map(|r| {
                Some(format!("{} {:+.1}", report.file.regions[r.region], 100.0 * r.deviation()[0]?))
            })
            .collect();
        let more = if regions.len() > SHOWN_MAX { " …" } else { "" };
        rows.push(vec![
            date(period.start).to_string(),
            share(mean(0)),
            share(mean(1)),
            share(mean(2)),
            bar(mean(0).unwrap_or(0.0), 0.1, 10),
            format!("{}{more}", each.join(", ")),
        ]);
    }
    let [start, third, two_thirds] = scores.deviation.map(share);
    rows.push(vec!["mean".to_owned(), start, third, two_thirds, String::new(), String::new()]);
    columns(&[false, true, true, true, false, false], &rows)
}

/// Groups with their titles: the whole, deciles, regions, bands.
pub(crate) fn groups(report: &Report<'_>) -> Vec<(String, Group)> {
    let scores = report.scores;
    let mut all = vec![("all".to_owned(), scores.all.clone())];
    let decile = |group: &Group| {
        format!("decile {}{}", group.number + 1, if group.number == 0 { ", the smallest quotas" } else { "" })
    };
    all.extend(scores.deciles.iter().map(|group| (decile(group), group.clone())));
    all.extend(
        scores
            .by_region
            .iter()
            .map(|group| (format!("region {}", report.file.regions[group.number]), group.clone())),
    );
    all.extend(
        scores
            .by_tenure
            .iter()
            .map(|group| (format!("tenure: {}", TENURE_BANDS[group.number]), group.clone())),
    );
    all
}

fn shares(report: &Report<'_>) -> String {
    const SHOWN_MAX: usize = 40;
    let all = groups(report);
    let mut rows =
        vec![["", "at quota", "", "in the 80 % interval", "rep-periods"].map(str::to_owned).to_vec()];
    let row = |(title, group): &(String, Group)| {
        vec![
            title.clone(),
            percent(group.at_quota),
            bar(group.at_quota, 1.0, 20),
            percent(group.covered),
            counted(group.rows),
        ]
    };
    rows.extend(all.iter().take(SHOWN_MAX).map(row));
    let mut text = columns(&[false, true, false, true, true], &rows);
    if all.len() > SHOWN_MAX {
        let line = format!("\n  and {} groups more", all.len() - SHOWN_MAX);
        text.push_str(&line);
    }
    let line = format!("\n  wanted: {} at quota", percent(report.attain_probability));
    text.push_str(&line);
    text
}

/// Moves, ratchet and what forecasts rest on, as sentences.
pub(crate) fn rest_lines(report: &Report<'_>) -> Vec<String> {
    let scores = report.scores;
    let [largest, mean, free] = scores.moves;
    let mut lines = vec![format!(
        "a quota moved by {} a day on average and {} at most (cap {}); without the cap it would have been {}",
        two_places(mean),
        percent(largest),
        percent(report.move_max),
        percent(free)
    )];
    if let Some([largest, mean]) = scores.ratchet {
        lines.push(format!(
            "1 % more sold in the period before raised a rep's own quota by {mean:.2} % on average and {largest:.2} % at most (limit {:.2} %)",
            report.ratchet_max
        ));
    }
    let rows = &report.backtest.rows;
    let counts = LEANINGS.map(|leaning| (leaning, rows.iter().filter(|row| row.leans_on == leaning).count()));
    let parts: Vec<String> = (counts.iter().filter(|(_, n)| *n > 0))
        .map(|(leaning, n)| format!("{} of {}", leans_on(*leaning), counted(*n)))
        .collect();
    lines.push(format!("forecasts leaned on: {}", parts.join(", ")));
    let least = report.backtest.calibrated_on.iter().copied().fold(f64::INFINITY, f64::min);
    if least < 1.0 {
        lines.push("some periods have too little before them for calibration: their intervals are mostly the model's own".to_owned());
    }
    lines
}

fn rest(report: &Report<'_>) -> String {
    rest_lines(report).iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

const LEANINGS: [LeansOn; 6] = [
    LeansOn::OwnYears,
    LeansOn::OwnHistory,
    LeansOn::Region,
    LeansOn::RegionAlone,
    LeansOn::CompanyAlone,
    LeansOn::BeforeSilence,
];

/// What a forecast rests on, in words.
pub(crate) fn leans_on(leans_on: LeansOn) -> &'static str {
    match leans_on {
        LeansOn::OwnYears => "own years",
        LeansOn::OwnHistory => "own history",
        LeansOn::Region => "region",
        LeansOn::RegionAlone => "region alone",
        LeansOn::CompanyAlone => "company alone",
        LeansOn::BeforeSilence => "own history before a silence",
    }
}

pub(crate) fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), two_places)
}

fn two_places(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

pub(crate) fn counted(n: usize) -> String {
    count(u64::try_from(n).unwrap_or(u64::MAX))
}

/// A bar of eighths of a cell.
fn bar(value: f64, full: f64, cells: u32) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (value / full).clamp(0.0, 1.0) * f64::from(cells) * 8.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and the width")]
    let eighths = eighths.round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}
