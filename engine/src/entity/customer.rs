//! Customers as of a day, by dense key.

use arrow::array::{Array, Date32Array, StringArray};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Rep;
use super::region::Regions;
use super::versions::{Place, SINCE_EVER, Versions};
use crate::error::Result;
use crate::tile::keys::{Keys, NO_KEY, index};
use crate::time::{Day, Micros};

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
    /// Position in `segments`, by key.
    pub segment: Vec<Option<u32>>,
    /// The segments that customers in force name, ascending.
    pub segments: Vec<String>,
}

/// The version in force of every customer, by key.
pub(crate) fn customers_in_force(
    versions: &Versions,
    keys: &Keys,
    end: Micros,
) -> Result<Vec<Option<Place>>> {
    let mut chosen: Vec<Option<(Micros, Place)>> = vec![None; keys.len()];
    for batch in 0..versions.batches.len() {
        let Some(ids) = versions.column::<StringArray>(batch, "customer_id") else { continue };
        let updated = versions.updated_at(batch);
        for (row, key) in keys.get_column(ids).into_iter().enumerate() {
            let at = updated.filter(|array| array.is_valid(row)).map_or(SINCE_EVER, |array| array.value(row));
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

/// The columns of a batch of versions that measures need.
struct Columns<'a> {
    owner: Option<&'a StringArray>,
    region: Option<&'a StringArray>,
    created_on: Option<&'a Date32Array>,
    segment: Option<&'a StringArray>,
}

impl<'a> Columns<'a> {
    fn of(versions: &'a Versions) -> Vec<Self> {
        let batches = 0..versions.batches.len();
        let columns = batches.map(|batch| Self {
            owner: versions.column(batch, "owner_rep_id"),
            region: versions.column(batch, "region_id"),
            created_on: versions.column(batch, "created_on"),
            segment: versions.column(batch, "segment"),
        });
        columns.collect()
    }
}

fn text(array: Option<&StringArray>, row: usize) -> Option<&str> {
    array.filter(|array| array.is_valid(row)).map(|array| array.value(row)).filter(|text| !text.is_empty())
}

/// The regions that customers in force name.
pub(super) fn regions_met<'a>(versions: &'a Versions, places: &[Option<Place>]) -> FxHashSet<&'a str> {
    let columns = Columns::of(versions);
    let named = places.iter().flatten().filter_map(|(batch, row)| text(columns[*batch].region, *row));
    named.collect()
}

/// The segments that customers in force name, ascending, and the position of each customer's, by key.
pub(crate) fn segments(versions: &Versions, places: &[Option<Place>]) -> (Vec<String>, Vec<Option<u32>>) {
    let columns = Columns::of(versions);
    let of = |place: &Option<Place>| place.and_then(|(batch, row)| text(columns[batch].segment, row));
    let mut names: Vec<&str> = places.iter().filter_map(of).collect::<FxHashSet<_>>().into_iter().collect();
    names.sort_unstable();
    let numbers: FxHashMap<&str, u32> = names.iter().copied().zip(0_u32..).collect();
    let segment = places.iter().map(|place| of(place).and_then(|name| numbers.get(name).copied())).collect();
    (names.into_iter().map(str::to_owned).collect(), segment)
}

pub(super) fn customer_columns(
    versions: &Versions,
    places: &[Option<Place>],
    keys: &Keys,
    reps: &[Rep],
    regions: &Regions,
) -> Customers {
    let rep_numbers: FxHashMap<&str, u32> = reps.iter().map(|rep| rep.id.as_str()).zip(0_u32..).collect();
    let region_numbers: FxHashMap<&str, u32> = regions.ids.iter().map(String::as_str).zip(0_u32..).collect();
    let columns = Columns::of(versions);
    let (segments, segment) = segments(versions, places);
    let mut customers = Customers {
        segment,
        segments,
        owner: vec![None; places.len()],
        region: vec![None; places.len()],
        created_on: vec![None; places.len()],
        ..Customers::default()
    };
    for (slot, place) in places.iter().enumerate() {
        let (Some((batch, row)), Ok(key)) = (*place, u32::try_from(slot)) else { continue };
        let columns = &columns[batch];
        customers.keys.push(key);
        if let Some(owner) = text(columns.owner, row) {
            match rep_numbers.get(owner) {
                Some(&rep) => customers.owner[slot] = Some(rep),
                None => {
                    customers.owner_named.insert(key, owner.to_owned());
                }
            }
        }
        customers.region[slot] =
            text(columns.region, row).and_then(|region| region_numbers.get(region).copied());
        customers.created_on[slot] =
            columns.created_on.filter(|days| days.is_valid(row)).map(|days| days.value(row));
    }
    keys.sort_by_id(&mut customers.keys);
    customers
}
