//! What a measure is made of as of a day: numerators and denominators by rep, region, source or stage, from the marts.

use std::collections::BTreeMap;

use datafusion::prelude::SessionContext;
use engine::EngineError;
use engine::settings::Settings;
use engine::time::{Day, date};

use super::Scope;
use super::split::Part;
use crate::report::rows::{Row, ask, quoted};

/// What a measure can be split over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dimension {
    Region,
    Rep,
    Source,
    Stage,
    Component,
}

impl Dimension {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Rep => "rep",
            Self::Source => "source",
            Self::Stage => "stage",
            Self::Component => "component",
        }
    }
}

/// Where a measure's cells come from.
#[derive(Debug, Clone, Copy)]
enum From {
    /// Rows of scope `rep` of a mart; pairs of numerator and denominator columns, multiplied.
    Reps(&'static str, &'static [(&'static str, &'static str)]),
    /// Rows with a rep and attributes: table, numerator, denominator, condition, stage column, source column.
    Rows(&'static str, &'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>),
    /// `mart.lead_funnel`, which knows regions, no reps.
    Funnel,
    /// The weighted mean of the components' scores.
    Index,
}

/// A measure that can be split.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) dimensions: &'static [Dimension],
    from: From,
}

use Dimension::{Component, Region, Rep, Source, Stage};

const PEOPLE: &[Dimension] = &[Region, Rep];

const fn by_rep(
    name: &'static str,
    title: &'static str,
    table: &'static str,
    pairs: &'static [(&'static str, &'static str)],
) -> Metric {
    Metric { name, title, dimensions: PEOPLE, from: From::Reps(table, pairs) }
}

/// Every measure, by name.
pub(super) const METRICS: [Metric; 14] = [
    Metric { name: "process_health", title: "process health", dimensions: &[Component], from: From::Index },
    by_rep(
        "response_timeliness",
        "response timeliness",
        "mart.process_health",
        &[("response_timeliness_num", "response_timeliness_den")],
    ),
    by_rep(
        "discovery_depth",
        "discovery depth",
        "mart.process_health",
        &[("discovery_depth_num", "discovery_depth_den")],
    ),
    by_rep(
        "solution_match",
        "solution match",
        "mart.process_health",
        &[("solution_match_num", "solution_match_den")],
    ),
    by_rep(
        "visit_frequency",
        "visit frequency",
        "mart.process_health",
        &[("visit_frequency_num", "visit_frequency_den")],
    ),
    by_rep(
        "opportunity_velocity",
        "opportunity velocity",
        "mart.process_health",
        &[("opportunity_velocity_num", "opportunity_velocity_den")],
    ),
    by_rep(
        "interaction_depth",
        "interaction depth",
        "mart.process_health",
        &[("effective_touches", "touches"), ("customers_touched", "customers")],
    ),
    Metric {
        name: "touch_density",
        title: "touch density",
        dimensions: &[Region, Rep, Stage],
        from: From::Rows(
            "mart.customer_health",
            "CAST(dense AS INT)",
            "1",
            "owner_rep_id IS NOT NULL",
            Some("lifecycle_stage"),
            None,
        ),
    },
    Metric {
        name: "sla_share",
        title: "share of leads answered within the SLA",
        dimensions: &[Region, Rep, Source, Stage],
        from: From::Rows(
            "mart.lead",
            "CAST(sla_met AS INT)",
            "1",
            "sla_met IS NOT NULL",
            Some("stage"),
            Some("source"),
        ),
    },
    Metric {
        name: "conversion",
        title: "share of leads that went on from their stage",
        dimensions: &[Region, Source, Stage],
        from: From::Funnel,
    },
    by_rep("revenue_per_rep", "revenue per rep", "mart.sales_measure", &[("amount_signed", "reps_on_duty")]),
    by_rep(
        "push_efficiency",
        "opportunities per effective visit",
        "mart.sales_measure",
        &[("opportunities_opened_30d", "effective_visits_30d")],
    ),
    by_rep(
        "quote_success_rate",
        "quote success",
        "mart.sales_measure",
        &[("quotes_accepted_90d", "quotes_accepted_90d + quotes_rejected_90d")],
    ),
    Metric {
        name: "attainment",
        title: "attainment",
        dimensions: PEOPLE,
        from: From::Rows(
            "mart.quota",
            "CAST(attained AS DOUBLE)",
            "CAST(quota AS DOUBLE)",
            "true",
            None,
            None,
        ),
    },
];

/// A part of a measure: which groups it belongs to, and a numerator and denominator for each ratio multiplied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) groups: BTreeMap<Dimension, String>,
    pub(super) parts: Vec<Part>,
}

/// A measure as of a day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    pub(super) cells: Vec<Cell>,
    factors: usize,
}

impl Measured {
    /// How many ratios are multiplied.
    pub(super) fn factors(&self) -> usize {
        self.factors
    }

    /// One of them.
    pub(super) fn ratio(&self, factor: usize) -> Option<f64> {
        let mut sum = Part::default();
        self.cells.iter().for_each(|cell| sum.add(cell.parts[factor]));
        (sum.den != 0.0).then(|| sum.num / sum.den)
    }

    /// Their product.
    pub(super) fn value(&self) -> Option<f64> {
        (0..self.factors).map(|factor| self.ratio(factor)).product()
    }
}

/// Reps of a scope as of a day, with the region below the scope that each belongs to.
type People = BTreeMap<String, String>;

/// A measure of a scope as of a day.
pub(super) async fn measured(
    session: &SessionContext,
    metric: &Metric,
    scope: &Scope,
    day: Day,
    settings: &Settings,
) -> anyhow::Result<Measured> {
    let on = format!("as_of = DATE '{}'", date(day));
    let (kind, id) = scope.named();
    known_scope(session, &on, scope, day).await?;
    match metric.from {
        From::Index => index(session, &on, (kind, id), settings).await,
        From::Funnel => funnel(session, &on, scope).await,
        From::Reps(table, pairs) => by_reps(session, &on, scope, day, (table, pairs)).await,
        From::Rows(..) => by_rows(session, &on, scope, day, metric.from).await,
    }
}

/// Of rows of scope `rep`, and what the scope has beyond them.
async fn by_reps(
    session: &SessionContext,
    on: &str,
    scope: &Scope,
    day: Day,
    (table, pairs): (&str, &[(&str, &str)]),
) -> anyhow::Result<Measured> {
    let (kind, id) = scope.named();
    let people = people(session, on, scope, day).await?;
    let columns: Vec<String> =
        pairs.iter().map(|(num, den)| format!("CAST({num} AS DOUBLE), CAST({den} AS DOUBLE)")).collect();
    let query =
        |what: &str| format!("SELECT scope_id, {} FROM {table} WHERE {on} AND {what}", columns.join(", "));
    let rows = ask(session, &query("scope = 'rep' ORDER BY scope_id")).await?;
    let parts = |row: &Row| -> Vec<Part> {
        let cell = |place: usize| row.real(place).unwrap_or(0.0);
        (0..pairs.len()).map(|pair| Part { num: cell(1 + 2 * pair), den: cell(2 + 2 * pair) }).collect()
    };
    let mut cells: Vec<Cell> = (rows.iter())
        .filter_map(|row| {
            let region = people.get(row.text(0))?.clone();
            let groups = BTreeMap::from([(Rep, row.text(0).to_owned()), (Region, region)]);
            Some(Cell { groups, parts: parts(row) })
        })
        .collect();
    // What the scope has beyond its reps on duty: of those who left, or of nobody.
    let whole =
        ask(session, &query(&format!("scope = {} AND scope_id = {}", quoted(kind), quoted(id)))).await?;
    if let Some(row) = whole.first() {
        let mut rest = parts(row);
        for (place, part) in rest.iter_mut().enumerate() {
            for cell in &cells {
                part.num -= cell.parts[place].num;
                part.den -= cell.parts[place].den;
            }
        }
        if rest.iter().any(|part| part.num != 0.0 || part.den != 0.0) {
            cells.push(Cell { groups: BTreeMap::new(), parts: rest });
        }
    }
    Ok(Measured { cells, factors: pairs.len() })
}

/// Of rows with a rep and attributes.
async fn by_rows(
    session: &SessionContext,
    on: &str,
    scope: &Scope,
    day: Day,
    from: From,
) -> anyhow::Result<Measured> {
    let From::Rows(table, num, den, which, stage, source) = from else {
        return Ok(Measured { cells: Vec::new(), factors: 1 });
    };
    let people = people(session, on, scope, day).await?;
    let rep = if table == "mart.customer_health" { "owner_rep_id" } else { "rep_id" };
    let text =
        |column: Option<&str>| column.map_or("''".to_owned(), |column| format!("coalesce({column}, 'none')"));
    let query = format!(
        "SELECT {rep}, {} AS of_stage, {} AS of_source, CAST(sum({num}) AS DOUBLE) AS num, CAST(sum({den}) AS DOUBLE) AS den FROM {table}
                 WHERE {on} AND {which} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        text(stage),
        text(source)
    );
    let rows = ask(session, &query).await?;
    let cells = rows.iter().filter_map(|row| {
        let region = people.get(row.text(0))?.clone();
        let groups = [(Rep, 0), (Stage, 1), (Source, 2)].map(|(of, place)| (of, row.text(place).to_owned()));
        let mut groups = BTreeMap::from(groups);
        groups.insert(Region, region);
        let part = Part { num: row.real(3).unwrap_or(0.0), den: row.real(4).unwrap_or(0.0) };
        Some(Cell { groups, parts: vec![part] })
    });
    Ok(Measured { cells: cells.collect(), factors: 1 })
}

/// Refuses a region or manager that the day doesn't know.
async fn known_scope(session: &SessionContext, on: &str, scope: &Scope, day: Day) -> anyhow::Result<()> {
    let (kind, id) = scope.named();
    let query =
        format!("SELECT scope_id FROM mart.process_health WHERE {on} AND scope = '{kind}' ORDER BY scope_id");
    let known = ask(session, &query).await?;
    if known.iter().any(|row| row.text(0) == id) {
        return Ok(());
    }
    let hint = crate::config::nearest(id, known.iter().map(|row| row.text(0)))
        .map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(EngineError::Input(format!("there is no {kind} {id} as of {}{hint}", date(day))).into())
}

/// The reps on duty in a scope, each with the region next below it.
async fn people(session: &SessionContext, on: &str, scope: &Scope, day: Day) -> anyhow::Result<People> {
    let query =
        format!("SELECT rep_id, region_path, manager_id FROM mart.rep_measure WHERE {on} ORDER BY rep_id");
    let rows = ask(session, &query).await?;
    if rows.is_empty() {
        let message = format!(
            "{} was published without mart.rep_measure; publish it again with `tideline daily`",
            date(day)
        );
        return Err(EngineError::Input(message).into());
    }
    let mut people = People::new();
    for row in rows {
        let path: Vec<String> = serde_json::from_str(row.text(1)).unwrap_or_default();
        let own = || path.first().cloned().unwrap_or_else(|| "no region".to_owned());
        let region = match scope {
            Scope::Company => Some(path.last().cloned().map_or_else(own, |top| below(&path, &top))),
            Scope::Region(id) => path.contains(id).then(|| below(&path, id)),
            Scope::Manager(id) => (row.text(2) == id).then(own),
        };
        people.extend(region.map(|region| (row.text(0).to_owned(), region)));
    }
    Ok(people)
}

/// Of a path upward: the region next below one of it, or that one itself.
fn below(path: &[String], id: &str) -> String {
    let place = path.iter().position(|region| region == id).unwrap_or(0);
    path.get(place.saturating_sub(1)).cloned().unwrap_or_else(|| id.to_owned())
}

async fn funnel(session: &SessionContext, on: &str, scope: &Scope) -> anyhow::Result<Measured> {
    let Scope::Manager(_) = scope else {
        let paths =
            ask(session, &format!("SELECT DISTINCT region_path FROM mart.rep_measure WHERE {on}")).await?;
        let paths: Vec<Vec<String>> =
            paths.iter().filter_map(|row| serde_json::from_str(row.text(0)).ok()).collect();
        let within = |region: &str| match scope {
            Scope::Region(id) => {
                let mut paths = paths.iter();
                region == id
                    || paths.any(|path| {
                        let place = |name: &str| path.iter().position(|other| other == name);
                        place(region).zip(place(id)).is_some_and(|(own, of)| own < of)
                    })
            }
            _ => true,
        };
        let query = format!(
            "SELECT coalesce(region_id, 'no region'), coalesce(source, 'none'), stage, CAST(advanced AS DOUBLE),
                    CAST(entered AS DOUBLE)
             FROM mart.lead_funnel WHERE {on} AND stage_position < (SELECT max(stage_position) FROM mart.lead_funnel)
             ORDER BY 1, 2, 3"
        );
        let rows = ask(session, &query).await?;
        let cells = rows.iter().filter(|row| within(row.text(0))).map(|row| {
            let groups =
                [(Region, 0), (Source, 1), (Stage, 2)].map(|(of, place)| (of, row.text(place).to_owned()));
            let part = Part { num: row.real(3).unwrap_or(0.0), den: row.real(4).unwrap_or(0.0) };
            Cell { groups: BTreeMap::from(groups), parts: vec![part] }
        });
        return Ok(Measured { cells: cells.collect(), factors: 1 });
    };
    let message =
        "conversion is published by region and source, not by manager; ask with --region or --company";
    Err(EngineError::Input(message.to_owned()).into())
}

/// Components as groups: their weights as denominators, weight times score as numerators.
async fn index(
    session: &SessionContext,
    on: &str,
    (kind, id): (&str, &str),
    settings: &Settings,
) -> anyhow::Result<Measured> {
    let process = &settings.process;
    let components = [
        ("response_timeliness", process.response_timeliness),
        ("discovery_depth", process.discovery_depth),
        ("solution_match", process.solution_match),
        ("visit_frequency", process.visit_frequency),
        ("opportunity_velocity", process.opportunity_velocity),
        ("interaction_depth", process.interaction_depth),
    ];
    let scores: Vec<String> = components.iter().map(|(name, _)| format!("{name}_score")).collect();
    let query = format!(
        "SELECT {} FROM mart.process_health WHERE {on} AND scope = {} AND scope_id = {}",
        scores.join(", "),
        quoted(kind),
        quoted(id)
    );
    let rows = ask(session, &query).await?;
    let cells = components.iter().enumerate().filter_map(|(place, (name, component))| {
        let score = rows.first()?.real(place)?;
        let groups = BTreeMap::from([(Component, (*name).replace('_', " "))]);
        Some(Cell { groups, parts: vec![Part { num: component.weight * score, den: component.weight }] })
    });
    Ok(Measured { cells: cells.collect(), factors: 1 })
}
