//! The CRM as of a day: of every entity the version in force, and the region tree.

mod customer;
mod region;
mod versions;

use std::collections::BTreeMap;

use arrow::array::{Array, BooleanArray};

pub use customer::Customers;
pub use region::Regions;
pub use versions::Versions;

use self::customer::{customer_columns, regions_met};
pub(crate) use self::customer::{customers_in_force, segments};
use self::versions::Place;
use crate::error::Result;
use crate::tile::keys::Keys;
use crate::time::{Day, Micros};

/// A rep as of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rep {
    /// `rep_id`.
    pub id: String,
    /// Position in [`Regions`].
    pub region: Option<usize>,
    /// `team`.
    pub team: Option<String>,
    /// `role`.
    pub role: Option<String>,
    /// `manager_id`.
    pub manager: Option<String>,
    /// First day at work.
    pub hired_on: Option<Day>,
    /// First day no longer at work.
    pub left_on: Option<Day>,
    /// Free text; `left` and `inactive` mean off duty.
    pub status: Option<String>,
}

impl Rep {
    /// Whether the rep works on `day`.
    pub fn on_duty(&self, day: Day) -> bool {
        !matches!(self.status.as_deref(), Some("left" | "inactive"))
            && self.hired_on.is_none_or(|hired| hired <= day)
            && self.left_on.is_none_or(|left| left > day)
    }
}

/// The CRM as of a day.
#[derive(Debug, Default)]
pub struct Crm {
    /// Reps in force, by ascending id.
    pub reps: Vec<Rep>,
    /// Regions in force, and those that reps, customers or plans only name.
    pub regions: Regions,
    /// Customers in force.
    pub customers: Customers,
    /// Target per period and region position, minor units.
    pub plan: BTreeMap<(String, usize), i64>,
    /// Working days that the calendar states.
    pub calendar: BTreeMap<Day, bool>,
}

/// All versions of the streams that a run reads.
#[derive(Debug)]
pub struct CrmVersions {
    /// `crm.rep`.
    pub reps: Versions,
    /// `crm.customer`.
    pub customers: Versions,
    /// `crm.region`.
    pub regions: Versions,
    /// `crm.plan`.
    pub plan: Versions,
    /// `crm.calendar`.
    pub calendar: Versions,
}

impl Crm {
    /// The versions in force at `end`, the midnight that ends the day.
    ///
    /// # Errors
    /// Where versions can't be ordered.
    pub fn as_of(versions: &CrmVersions, keys: &Keys, end: Micros) -> Result<Self> {
        let rep_rows = versions.reps.in_force(end)?;
        let plan_rows = versions.plan.in_force(end)?;
        let customers = customers_in_force(&versions.customers, keys, end)?;
        let mut parents: BTreeMap<String, Option<String>> = versions
            .regions
            .in_force(end)?
            .into_values()
            .filter_map(|place| {
                let id = versions.regions.text(place, "region_id")?;
                Some((id.to_owned(), versions.regions.text(place, "parent_region_id").map(str::to_owned)))
            })
            .collect();
        let named_by_reps = rep_rows.values().filter_map(|&place| versions.reps.text(place, "region_id"));
        let named_by_plans = plan_rows.values().filter_map(|&place| versions.plan.text(place, "region_id"));
        for id in named_by_reps.chain(named_by_plans) {
            parents.entry(id.to_owned()).or_insert(None);
        }
        for id in regions_met(&versions.customers, &customers) {
            parents.entry(id.to_owned()).or_insert(None);
        }
        let regions = Regions::new(parents);
        let reps: Vec<Rep> = rep_rows
            .into_iter()
            .map(|(key, place)| rep(&versions.reps, key.concat(), place, &regions))
            .collect();
        let plan = plan_rows
            .into_values()
            .filter_map(|place| {
                let period = normal_period(versions.plan.text(place, "period")?);
                let region = regions.position(versions.plan.text(place, "region_id")?)?;
                Some(((period, region), versions.plan.amount(place, "target_amount")?))
            })
            .collect();
        let calendar = calendar(&versions.calendar, end)?;
        let customers = customer_columns(&versions.customers, &customers, keys, &reps, &regions);
        Ok(Self { reps, regions, customers, plan, calendar })
    }

    /// The position of a rep.
    pub fn rep(&self, id: &str) -> Option<usize> {
        self.reps.binary_search_by(|rep| rep.id.as_str().cmp(id)).ok()
    }

    /// Whether people work on `day`: the calendar's word, Monday to Friday without one.
    pub fn is_working_day(&self, day: Day) -> bool {
        self.calendar.get(&day).copied().unwrap_or_else(|| (day + 3).rem_euclid(7) < 5)
    }

    /// Working days from `first` to `last`, both included.
    pub fn working_days(&self, first: Day, last: Day) -> i64 {
        i64::try_from((first..=last).filter(|&day| self.is_working_day(day)).count()).unwrap_or(0)
    }
}

/// `2026-Q4` for `2026Q4`; other texts as they are.
fn normal_period(text: &str) -> String {
    let text = text.trim();
    match text.split_once(['Q', 'q']) {
        Some((year, quarter)) => format!("{}-Q{quarter}", year.trim_end_matches('-')),
        None => text.to_owned(),
    }
}

fn rep(versions: &Versions, id: String, place: Place, regions: &Regions) -> Rep {
    Rep {
        id,
        region: versions.text(place, "region_id").and_then(|region| regions.position(region)),
        team: versions.text(place, "team").map(str::to_owned),
        role: versions.text(place, "role").map(str::to_owned),
        manager: versions.text(place, "manager_id").map(str::to_owned),
        hired_on: versions.day(place, "hired_on"),
        left_on: versions.day(place, "left_on"),
        status: versions.text(place, "status").map(str::to_lowercase),
    }
}

/// The working days that the calendar in force at `end` states.
pub(crate) fn calendar(versions: &Versions, end: Micros) -> Result<BTreeMap<Day, bool>> {
    let rows = versions.in_force(end)?.into_values();
    Ok(rows
        .filter_map(|place| {
            let working = versions.column::<BooleanArray>(place.0, "is_working_day")?;
            working.is_valid(place.1).then_some((versions.day(place, "date")?, working.value(place.1)))
        })
        .collect())
}
