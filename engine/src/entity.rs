//! The CRM as of a day: of every entity the version in force, and the region tree.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{
    Array, BooleanArray, Date32Array, Decimal128Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::lake::{Table, read};
use crate::tile::keys::{Keys, NO_KEY, index};
use crate::time::{Day, Micros};

/// No version time: in force since ever.
const SINCE_EVER: Micros = Micros::MIN;

/// All versions of a `crm.*` stream.
#[derive(Debug)]
pub struct Versions {
    stream: Stream,
    batches: Vec<RecordBatch>,
}

/// A version: its batch and row.
type Place = (usize, usize);

impl Versions {
    /// Reads every version.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub fn load(stream: Stream, table: &Table) -> Result<Self> {
        let batches: Vec<Vec<RecordBatch>> =
            table.files().par_iter().map(|file| read(&table.dir().join(&file.path), &[])).collect::<Result<_>>()?;
        Ok(Self { stream, batches: batches.concat() })
    }

    fn column<T: Array + 'static>(&self, batch: usize, name: &str) -> Option<&T> {
        self.batches.get(batch)?.column_by_name(name)?.as_any().downcast_ref::<T>()
    }

    fn text(&self, (batch, row): Place, name: &str) -> Option<&str> {
        let array = self.column::<StringArray>(batch, name)?;
        array.is_valid(row).then(|| array.value(row)).filter(|text| !text.is_empty())
    }

    fn day(&self, (batch, row): Place, name: &str) -> Option<Day> {
        let array = self.column::<Date32Array>(batch, name)?;
        array.is_valid(row).then(|| array.value(row))
    }

    fn amount(&self, (batch, row): Place, name: &str) -> Option<i64> {
        let array = self.column::<Decimal128Array>(batch, name)?;
        array.is_valid(row).then(|| i64::try_from(array.value(row)).unwrap_or(i64::MAX))
    }

    /// The ids of the first key column, version by version.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let name = self.stream.key().first().copied().unwrap_or_default();
        (0..self.batches.len())
            .filter_map(move |batch| self.column::<StringArray>(batch, name))
            .flat_map(|array| array.iter().flatten())
    }

    fn updated_at(&self, batch: usize) -> Option<&TimestampMicrosecondArray> {
        self.column(batch, "updated_at")
    }

    /// Whether the version at `new` replaces the one at `old`, both known at `end`.
    fn newer(&self, new: (Micros, Place), old: (Micros, Place)) -> Result<bool> {
        match new.0.cmp(&old.0) {
            Ordering::Less => Ok(false),
            Ordering::Greater => Ok(true),
            Ordering::Equal => Ok(self.content(new.1)? > self.content(old.1)?),
        }
    }

    /// Bytes that order versions by content: columns in schema order, nulls first.
    fn content(&self, (batch, row): Place) -> Result<Vec<u8>> {
        let slice = self.batches[batch].slice(row, 1);
        let schema: &Schema = slice.schema_ref();
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(EngineError::arrow("ordering versions"))?;
        let rows = converter.convert_columns(slice.columns()).map_err(EngineError::arrow("ordering versions"))?;
        Ok(rows.row(0).as_ref().to_vec())
    }

    /// The version in force at `end` of every entity, by its key columns.
    fn in_force(&self, end: Micros) -> Result<BTreeMap<Vec<String>, Place>> {
        let mut chosen: BTreeMap<Vec<String>, (Micros, Place)> = BTreeMap::new();
        for (batch, data) in self.batches.iter().enumerate() {
            let updated = self.updated_at(batch);
            for row in 0..data.num_rows() {
                let at = updated.filter(|array| array.is_valid(row)).map_or(SINCE_EVER, |array| array.value(row));
                if at >= end {
                    continue;
                }
                let place = (batch, row);
                let key: Vec<String> = self
                    .stream
                    .key()
                    .iter()
                    .map(|name| match self.day(place, name) {
                        Some(day) => day.to_string(),
                        None => self.text(place, name).unwrap_or_default().to_owned(),
                    })
                    .collect();
                let replace = match chosen.get(&key) {
                    Some(old) => self.newer((at, place), *old)?,
                    None => true,
                };
                if replace {
                    chosen.insert(key, (at, place));
                }
            }
        }
        Ok(chosen.into_iter().map(|(key, (_, place))| (key, place)).collect())
    }
}

/// A rep as of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rep {
    /// `rep_id`.
    pub id: String,
    /// Position in [`Regions`].
    pub region: Option<usize>,
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

/// Regions as a tree, by ascending id. Cycles are cut at the region that closes them.
#[derive(Debug, Clone, Default)]
pub struct Regions {
    /// Ids, ascending.
    pub ids: Vec<String>,
    /// The region above, if any.
    pub parent: Vec<Option<usize>>,
    /// Regions whose parent had to be cut because it leads back to them.
    pub cut: Vec<usize>,
}

impl Regions {
    /// The position of an id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.ids.binary_search_by(|known| known.as_str().cmp(id)).ok()
    }

    /// A region and every region above it.
    pub fn upward(&self, region: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(region), |&region| self.parent.get(region).copied().flatten())
    }

    fn new(mut parents: BTreeMap<String, Option<String>>) -> Self {
        for parent in parents.values().flatten().cloned().collect::<BTreeSet<String>>() {
            parents.entry(parent).or_insert(None);
        }
        let ids: Vec<String> = parents.keys().cloned().collect();
        let find = |id: &String| ids.binary_search(id).ok();
        let parent: Vec<Option<usize>> = parents.values().map(|parent| parent.as_ref().and_then(find)).collect();
        let mut regions = Self { ids, parent, cut: Vec::new() };
        for region in 0..regions.ids.len() {
            let mut above = regions.parent[region];
            let mut steps = 0;
            while let Some(next) = above {
                steps += 1;
                if next == region || steps > regions.ids.len() {
                    regions.parent[region] = None;
                    regions.cut.push(region);
                    break;
                }
                above = regions.parent[next];
            }
        }
        regions
    }
}

/// Customers as of a day, by customer key.
#[derive(Debug, Default)]
pub struct Customers {
    /// Keys of the customers in force, by ascending customer id.
    pub keys: Vec<u32>,
    /// Position in [`Crm::reps`] of the owner, by key.
    pub owner: Vec<Option<u32>>,
    /// The owner as named, where it is no rep in force, by key.
    pub owner_named: FxHashMap<u32, String>,
    /// Position in [`Regions`], by key.
    pub region: Vec<Option<u32>>,
    /// `created_on`, by key.
    pub created_on: Vec<Option<Day>>,
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
        let mut regions_met: BTreeSet<&str> = BTreeSet::new();
        for place in customers.iter().flatten() {
            regions_met.extend(versions.customers.text(*place, "region_id"));
        }
        for id in regions_met {
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
        manager: versions.text(place, "manager_id").map(str::to_owned),
        hired_on: versions.day(place, "hired_on"),
        left_on: versions.day(place, "left_on"),
        status: versions.text(place, "status").map(str::to_lowercase),
    }
}

fn calendar(versions: &Versions, end: Micros) -> Result<BTreeMap<Day, bool>> {
    let rows = versions.in_force(end)?.into_values();
    Ok(rows
        .filter_map(|place| {
            let working = versions.column::<BooleanArray>(place.0, "is_working_day")?;
            Some((versions.day(place, "date")?, working.is_valid(place.1) && working.value(place.1)))
        })
        .collect())
}

/// The version in force of every customer, by key.
fn customers_in_force(versions: &Versions, keys: &Keys, end: Micros) -> Result<Vec<Option<Place>>> {
    let mut chosen: Vec<Option<(Micros, Place)>> = vec![None; keys.len()];
    for batch in 0..versions.batches.len() {
        let Some(ids) = versions.column::<StringArray>(batch, "customer_id") else { continue };
        let updated = versions.updated_at(batch);
        for row in 0..ids.len() {
            let at = updated.filter(|array| array.is_valid(row)).map_or(SINCE_EVER, |array| array.value(row));
            let key = keys.get(ids.value(row));
            if at >= end || key == NO_KEY {
                continue;
            }
            let slot = index(key);
            let replace = match chosen[slot] {
                Some(old) => versions.newer((at, (batch, row)), old)?,
                None => true,
            };
            if replace {
                chosen[slot] = Some((at, (batch, row)));
            }
        }
    }
    Ok(chosen.into_iter().map(|version| version.map(|(_, place)| place)).collect())
}

fn customer_columns(
    versions: &Versions,
    places: &[Option<Place>],
    keys: &Keys,
    reps: &[Rep],
    regions: &Regions,
) -> Customers {
    let rep_numbers: FxHashMap<&str, u32> = reps.iter().map(|rep| rep.id.as_str()).zip(0_u32..).collect();
    let region_numbers: FxHashMap<&str, u32> = regions.ids.iter().map(String::as_str).zip(0_u32..).collect();
    let mut customers = Customers {
        owner: vec![None; places.len()],
        region: vec![None; places.len()],
        created_on: vec![None; places.len()],
        ..Customers::default()
    };
    for (slot, place) in places.iter().enumerate() {
        let (Some(place), Ok(key)) = (*place, u32::try_from(slot)) else { continue };
        customers.keys.push(key);
        if let Some(owner) = versions.text(place, "owner_rep_id") {
            match rep_numbers.get(owner) {
                Some(&rep) => customers.owner[slot] = Some(rep),
                None => {
                    customers.owner_named.insert(key, owner.to_owned());
                }
            }
        }
        let region = versions.text(place, "region_id");
        customers.region[slot] = region.and_then(|region| region_numbers.get(region).copied());
        customers.created_on[slot] = versions.day(place, "created_on");
    }
    let sorted = customers.keys.windows(2).all(|pair| keys.id(index(pair[0])) <= keys.id(index(pair[1])));
    if !sorted {
        customers.keys.par_sort_unstable_by(|&a, &b| keys.id(index(a)).cmp(keys.id(index(b))));
    }
    customers
}
