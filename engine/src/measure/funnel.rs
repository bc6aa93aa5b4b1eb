//! The lead funnel by region and source, and the weekly effective conversion.

use chrono::Datelike;
use rustc_hash::FxHashMap;

use super::facts::Facts;
use super::lead::Lead;
use super::{at, ratio, real};
use crate::entity::Crm;
use crate::time::{DAY, Day, Micros, date};

/// Days of creation that the funnel looks at.
pub(crate) const FUNNEL_DAYS: Day = 90;
/// The stages of a lead.
pub(crate) const STAGES: [&str; 4] = ["created", "responded", "qualified", "converted"];

/// One region, source and stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct FunnelRow {
    pub(crate) region: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) stage: usize,
    pub(crate) entered: i64,
    pub(crate) advanced: i64,
    pub(crate) lost: i64,
    pub(crate) company_conversion: Option<f64>,
    pub(crate) median_days: Option<f64>,
    /// 1 to 3 for the stages furthest below the company's mean.
    pub(crate) worst_rank: Option<i64>,
    durations: Vec<Micros>,
}

impl FunnelRow {
    pub(crate) fn conversion(&self) -> Option<f64> {
        ratio(self.advanced, self.entered)
    }
}

/// The region and source of a lead: its creation's attributes, the region else its assignee's.
pub(crate) fn place<'a>(lead: &Lead, facts: &'a Facts, crm: &'a Crm) -> (Option<&'a str>, Option<&'a str>) {
    let (mut region, mut source) = (None, None);
    for (name, value) in lead.created.into_iter().flat_map(|created| facts.attributes(created)) {
        match name {
            "region_id" => region = region.or(Some(value)),
            "source" => source = source.or(Some(value)),
            _ => {}
        }
    }
    let of_rep = || {
        let rep = crm.rep(facts.reps.get(lead.assignee?)?)?;
        crm.regions.ids.get(crm.reps[rep].region?).map(String::as_str)
    };
    (region.flatten().or_else(of_rep), source.flatten())
}

/// The funnel over the leads of the last 90 days, by region, source, stage (nulls first).
pub(crate) fn funnel(leads: &[Lead], facts: &Facts, crm: &Crm, as_of: Day) -> Vec<FunnelRow> {
    let mut rows: FxHashMap<(Option<&str>, Option<&str>), [FunnelRow; STAGES.len()]> = FxHashMap::default();
    let mut company = [(0_i64, 0_i64); STAGES.len()];
    for lead in leads.iter().filter(|lead| lead.created_within(as_of, FUNNEL_DAYS)) {
        let (region, source) = place(lead, facts, crm);
        let times = lead.stage_times();
        let rows = rows.entry((region, source)).or_insert_with(|| {
            std::array::from_fn(|stage| FunnelRow {
                region: region.map(str::to_owned),
                source: source.map(str::to_owned),
                stage,
                ..FunnelRow::default()
            })
        });
        for (stage, row) in rows.iter_mut().enumerate() {
            let Some(entered) = times[stage] else { continue };
            let next = times[stage + 1..].iter().flatten().next();
            row.entered += 1;
            company[stage].0 += 1;
            match next {
                Some(next) => {
                    row.advanced += 1;
                    company[stage].1 += 1;
                    row.durations.push(next - entered);
                }
                None => row.lost += i64::from(lead.ended_at.is_some()),
            }
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_unstable_by_key(|(place, _)| *place);
    let mut rows: Vec<FunnelRow> = rows.into_iter().flat_map(|(_, stages)| stages).collect();
    for row in &mut rows {
        row.company_conversion = ratio(company[row.stage].1, company[row.stage].0);
        row.median_days = median_days(&mut row.durations);
    }
    rank(&mut rows);
    rows
}

/// Marks the three rows furthest below the company's conversion of their stage; the last stage leads nowhere.
fn rank(rows: &mut [FunnelRow]) {
    let mut gaps: Vec<(f64, usize)> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.stage + 1 < STAGES.len())
        .filter_map(|(position, row)| Some((row.conversion()? - row.company_conversion?, position)))
        .filter(|(gap, _)| *gap < 0.0)
        .collect();
    gaps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for ((_, position), rank) in gaps.into_iter().zip(1_i64..=3) {
        rows[position].worst_rank = Some(rank);
    }
}

/// The middle of durations, or the mean of the two middle ones, in days.
pub(crate) fn median_days(durations: &mut [Micros]) -> Option<f64> {
    durations.sort_unstable();
    let middle = durations.len() / 2;
    let upper = *durations.get(middle)?;
    if durations.len() % 2 == 1 {
        return Some(real(upper) / real(DAY));
    }
    let lower = *durations.get(middle.checked_sub(1)?)?;
    Some(real(lower + upper) / real(2 * DAY))
}

/// Weeks whose conversion is told, the running one included.
const WEEKS: usize = 12;

/// A week of a scope: effective leads (not disqualified) and those converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Week {
    /// Position in the regions; `None` for the company.
    pub(crate) region: Option<usize>,
    pub(crate) name: String,
    pub(crate) effective: i64,
    pub(crate) converted: i64,
}

/// Conversion per region and ISO week over the twelve weeks up to the day, the company last.
pub(crate) fn weeks(leads: &[Lead], facts: &Facts, crm: &Crm, as_of: Day) -> Vec<Week> {
    let monday = as_of - (as_of + 3).rem_euclid(7);
    let first = monday - 7 * 11;
    // By region, the company last.
    let company = crm.regions.ids.len();
    let mut counts = vec![[(0_i64, 0_i64); WEEKS]; company + 1];
    let mut scopes_of: FxHashMap<Option<&str>, Vec<usize>> = FxHashMap::default();
    let living = leads.iter().filter(|lead| lead.created.is_some() && !lead.disqualified);
    for lead in living.filter(|lead| lead.created_day >= first && lead.created_day <= as_of) {
        let Some(week) = usize::try_from((lead.created_day - first) / 7).ok().filter(|week| *week < WEEKS)
        else {
            continue;
        };
        let (region, _) = place(lead, facts, crm);
        let scopes = scopes_of.entry(region).or_insert_with(|| {
            let region = region.and_then(|region| crm.regions.position(region));
            region.into_iter().flat_map(|region| crm.regions.upward(region)).chain([company]).collect()
        });
        for &mut scope in scopes {
            let (effective, converted) = &mut counts[scope][week];
            *effective += 1;
            *converted += i64::from(lead.converted_at.is_some());
        }
    }
    let names: Vec<String> = (first..)
        .step_by(7)
        .take(WEEKS)
        .map(|monday| date(monday).iso_week())
        .map(|iso| format!("{}-W{:02}", iso.year(), iso.week()))
        .collect();
    let week = |scope: usize, name: &String, (effective, converted)| Week {
        region: (scope < company).then_some(scope),
        name: name.clone(),
        effective,
        converted,
    };
    let weeks = counts.into_iter().enumerate();
    weeks
        .flat_map(|(scope, counts)| {
            names.iter().zip(counts).map(move |(name, counts)| week(scope, name, counts))
        })
        .collect()
}

/// The number of a rep by its number among the facts.
pub(crate) fn rep_positions(facts: &Facts, crm: &Crm) -> Vec<Option<usize>> {
    (0..facts.reps.len()).map(|number| crm.rep(facts.reps.get(u32::try_from(number).ok()?)?)).collect()
}

/// The CRM position of a fact's rep.
pub(crate) fn find(positions: &[Option<usize>], rep: Option<u32>) -> Option<usize> {
    positions.get(at(rep?)).copied().flatten()
}
