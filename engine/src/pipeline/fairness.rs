//! Whether the run's quotas are equally hard: for regions, teams and times of service, against the company.

use std::collections::BTreeMap;

use super::stage::Windows;
use crate::measure::real;
use crate::quota::{GroupFairness, QuotaRun, Standing, fairness};
use crate::time::Day;

/// A group and how hard its quotas are.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) grouping: &'static str,
    pub(super) group_id: String,
    pub(super) fairness: GroupFairness,
}

/// Months of service below which a rep belongs to a band.
const BANDS: [(f64, &str); 3] =
    [(6.0, "under 6 months"), (24.0, "6 to 24 months"), (f64::INFINITY, "24 months or more")];
/// Days of an average month.
const MONTH_DAYS: f64 = 30.4;

/// Judges every group; the company is the first.
pub(super) fn judge(windows: &Windows, run: &QuotaRun, tolerance: f64, as_of: Day) -> Vec<Judged> {
    let crm = &windows.crm;
    let share = |part: i64, whole: i64| crate::measure::ratio(part, whole).unwrap_or(0.0);
    let standings: Vec<Standing> = (run.rows.iter())
        .map(|row| Standing {
            p_attain: row.p_attain,
            quota: real(row.quota),
            potential: real(row.expected),
            attainment: share(row.attained, row.quota),
            step: row
                .previous
                .filter(|previous| *previous > 0)
                .map(|previous| share(row.quota, previous) - 1.0),
        })
        .collect();
    let mut groups: BTreeMap<(&'static str, String), Vec<usize>> = BTreeMap::new();
    for (place, row) in run.rows.iter().enumerate() {
        let rep = &crm.reps[row.rep];
        let mut join = |grouping, id: &str| groups.entry((grouping, id.to_owned())).or_default().push(place);
        join("company", "company");
        for region in rep.region.into_iter().flat_map(|region| crm.regions.upward(region)) {
            join("region", crm.regions.ids.get(region).map_or("", String::as_str));
        }
        if let Some(team) = &rep.team {
            join("team", team);
        }
        let months = rep.hired_on.map(|hired| f64::from((as_of - hired).max(0)) / MONTH_DAYS);
        let band = months.and_then(|months| BANDS.iter().find(|(below, _)| months < *below));
        join("tenure", band.map_or("unknown", |(_, name)| name));
    }
    let (names, members): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
    let judged = fairness(&standings, &members, tolerance);
    let groups = names.into_iter().zip(judged);
    groups.map(|((grouping, group_id), fairness)| Judged { grouping, group_id, fairness }).collect()
}
