//! A backtest as one HTML page: tables and plots, styles and drawings inside it, nothing from elsewhere.

use engine::time::date;
use models::backtest::Method;

use super::backtest::{
    GROUP_ROWS_MIN, Report, counted, groups, head, method_name, method_rows, rest_lines, share, spread_gain,
};
use super::plot::{Series, bars, escape, points};
use super::words::percent;

/// Points drawn at most.
const POINTS_MAX: usize = 2_000;
/// Regions with bars of their own at most.
const REGIONS_MAX: usize = 8;
const CLASSES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--soft:#667085;--line:#d9dee7;--paper:#fff}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#344054;--paper:#12161d}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:980px;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0}.soft{color:var(--soft)}\
.cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}.card{border:1px solid var(--line);border-radius:8px;padding:.6rem .9rem;min-width:9rem}\
.card b{display:block;font-size:1.35rem}.card span{color:var(--soft);font-size:.85rem}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.25rem .8rem .25rem 0;text-align:right;border-bottom:1px solid var(--line)}\
td:first-child,th:first-child{text-align:left}th{color:var(--soft);font-weight:500}tr.ours td{font-weight:600}\
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem}figure{margin:0}figcaption{font-weight:600;font-size:.95rem}\
svg{width:100%;height:auto;overflow:visible}.grid{stroke:var(--line)}.zero{stroke:var(--soft)}.tick{font-size:11px;fill:var(--soft)}.note{font-size:11px;fill:var(--ink)}\
.wanted{stroke:var(--ink);stroke-dasharray:4 3}.a{fill:#2f6fde}.b{fill:#e08a2e}.c{fill:#3a9d6e}.d{fill:#b3508f}.e{fill:#7a6fd0}.f{fill:#c2a83e}.g{fill:#4aa6b5}.h{fill:#9a6b4f}circle.a{fill-opacity:.45}";

/// The page.
pub(crate) fn page(report: &Report<'_>) -> String {
    let title = format!("Quota backtest of {}", report.source);
    let about =
        joined(head(report).lines().map(|line| format!("<p class=\"soft\">{}</p>", escape(line.trim()))));
    let rest = joined(rest_lines(report).iter().map(|line| format!("<li>{}</li>", escape(line))));
    let title = escape(&title);
    let (cards, methods, plots, groups) =
        (cards(report), methods(report), plots(report), group_table(report));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>{about}\n{cards}\n\
         <h2>Beside simple rules</h2>\n<p class=\"soft\">Deviation: mean over regions and periods of |Σ actual − Σ quota| ÷ Σ quota at the \
         period's start. Error per rep: Σ |actual − quota| ÷ Σ |actual|. Spread: standard deviation of actual ÷ quota. All ways over the \
         same rep-periods.</p>\n{methods}\n<h2>Plots</h2>\n<div class=\"plots\">{plots}</div>\n<h2>Equally hard?</h2>\n{groups}\n\
         <h2>Moves, ratchet, footing</h2>\n<ul>{rest}</ul>\n</body></html>\n"
    )
}

fn cards(report: &Report<'_>) -> String {
    let scores = report.scores;
    let mut cards = vec![
        (share(scores.deviation[0]), "deviation of regions at the start"),
        (percent(scores.all.at_quota), "of rep-periods at quota"),
        (percent(scores.all.covered), "within the 80 % interval"),
    ];
    if let Some(gain) = spread_gain(scores) {
        cards.push((percent(gain), "less spread of attainment than static quotas"));
    }
    if let Some([_, mean]) = scores.ratchet {
        cards.push((format!("{mean:.2}"), "ratchet: percent of quota per percent sold before"));
    }
    let card = |(figure, what): &(String, &str)| {
        format!("<div class=\"card\"><b>{}</b><span>{}</span></div>", escape(figure), escape(what))
    };
    format!("<div class=\"cards\">{}</div>", joined(cards.iter().map(card)))
}

fn methods(report: &Report<'_>) -> String {
    table(&method_rows(report), |row| row == 1)
}

fn group_table(report: &Report<'_>) -> String {
    let head = ["group", "at quota", "in the 80 % interval", "rep-periods"].map(str::to_owned).to_vec();
    let rows = groups(report).into_iter().map(|(title, group)| {
        vec![title, percent(group.at_quota), percent(group.covered), counted(group.rows)]
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let note = format!("<p class=\"soft\">Under {GROUP_ROWS_MIN} rep-periods a share says little.</p>");
    format!("{}{note}", table(&rows, |_| false))
}

fn joined(pieces: impl Iterator<Item = String>) -> String {
    pieces.collect::<Vec<_>>().concat()
}

/// A table, its first row the header.
fn table(rows: &[Vec<String>], ours: impl Fn(usize) -> bool) -> String {
    let mut html = String::from("<table>");
    for (number, row) in rows.iter().enumerate() {
        let tag = if number == 0 { "th" } else { "td" };
        let cells = joined(row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))));
        let class = if ours(number) { " class=\"ours\"" } else { "" };
        let row = format!("<tr{class}>{cells}</tr>");
        html.push_str(&row);
    }
    html + "</table>"
}

fn plots(report: &Report<'_>) -> String {
    let (found, scores) = (report.backtest, report.scores);
    let starts: Vec<String> = found.periods.iter().map(|period| date(period.start).to_string()).collect();
    let wanted = report.attain_probability;
    let ways: Vec<String> = scores.methods.iter().map(|m| method_name(m.method).to_owned()).collect();
    let of = |values: Vec<Option<f64>>, name: &str| {
        vec![Series { name: name.to_owned(), class: CLASSES[0], values }]
    };
    let deviation = of(scores.methods.iter().map(|m| m.deviation).collect(), "deviation");
    let wape = of(scores.methods.iter().map(|m| m.wape).collect(), "error per rep");
    let mut regions: Vec<usize> = scores.regions.iter().map(|region| region.region).collect();
    regions.sort_unstable();
    regions.dedup();
    let by_region: Vec<Series> = (regions.iter().take(REGIONS_MAX).zip(CLASSES))
        .map(|(&region, class)| {
            let at = |period: usize| scores.regions.iter().find(|r| r.region == region && r.period == period);
            let values = (0..found.periods.len()).map(|period| at(period)?.deviation()[0]).collect();
            Series { name: report.file.regions[region].clone(), class, values }
        })
        .collect();
    let deciles: Vec<String> = scores.deciles.iter().map(|group| (group.number + 1).to_string()).collect();
    let at_quota = of(scores.deciles.iter().map(|group| Some(group.at_quota)).collect(), "at quota");
    let by_period: Vec<String> = scores.by_period.iter().map(|group| starts[group.number].clone()).collect();
    let period_shares = vec![
        Series {
            name: "at quota".to_owned(),
            class: "a",
            values: scores.by_period.iter().map(|g| Some(g.at_quota)).collect(),
        },
        Series {
            name: "in the 80 % interval".to_owned(),
            class: "c",
            values: scores.by_period.iter().map(|g| Some(g.covered)).collect(),
        },
    ];
    let step = found.rows.len().div_ceil(POINTS_MAX).max(1);
    let pairs: Vec<(f64, f64)> =
        found.rows.iter().step_by(step).map(|row| (row.quota[0], row.actual)).collect();
    [
        bars("Deviation of regions, by way of setting quotas", &ways, &deviation, None),
        bars("Error per rep, by way of setting quotas", &ways, &wape, None),
        bars("Deviation of each region at the period's start", &starts, &by_region, None),
        bars(
            "Reps at quota and within the interval, by period",
            &by_period,
            &period_shares,
            Some((wanted, "wanted at quota")),
        ),
        bars("Reps at quota, by decile of the quota", &deciles, &at_quota, Some((wanted, "wanted"))),
        attainment(report),
        points("Actual against quota, each rep and period", "quota", "actual", &pairs),
    ]
    .concat()
}

/// The distribution of attainment, ours beside the static one.
fn attainment(report: &Report<'_>) -> String {
    const BINS: usize = 16;
    const WIDTH: f64 = 0.1;
    let labels: Vec<String> =
        (0..BINS).map(|bin| format!("{:.1}", f64::from(u32::try_from(bin).unwrap_or(0)) * WIDTH)).collect();
    let rows: Vec<_> = report.backtest.rows.iter().filter(|row| Method::Static.of(row).is_some()).collect();
    let series = [(Method::Quota, "a"), (Method::Static, "b")].map(|(method, class)| {
        let mut counts = [0_u32; BINS];
        for row in &rows {
            let Some(quota) = method.of(row).filter(|quota| *quota > 0.0) else { continue };
            let bin = (0..BINS - 1)
                .find(|&bin| row.actual / quota < f64::from(u32::try_from(bin + 1).unwrap_or(0)) * WIDTH);
            counts[bin.unwrap_or(BINS - 1)] += 1;
        }
        let all = f64::from(counts.iter().sum::<u32>().max(1));
        let values = counts.iter().map(|&n| Some(f64::from(n) / all)).collect();
        Series { name: method_name(method).to_owned(), class, values }
    });
    if rows.is_empty() {
        return String::new();
    }
    bars("Distribution of attainment, actual ÷ quota (last bar: that and more)", &labels, &series, None)
}
