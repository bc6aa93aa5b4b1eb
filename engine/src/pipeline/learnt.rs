//! What the predictor learnt for a period, kept in the lake for as long as what it was learnt from is the same.
//!
//! Who was known and what they had sold when the period began decides it, so that who comes, goes, moves or sells within
//! the period changes nothing, and a day costs a forecast instead of the search behind it.

use std::sync::Arc;

use arrow::array::Float64Array;

use super::history::History;
use super::quotas::refuse;
use super::source::Sources;
use crate::entity::Crm;
use crate::error::Result;
use crate::lake::{Lake, read};
use crate::measure::at;
use crate::quota::{Learnt, Member, PredictInput, Predictor, Sold};
use crate::tile::keys::column;
use crate::tile::{batch, life_file, replace, write_life};
use crate::time::Day;

const TABLE: &str = "tile.learnt";

/// Read where it is known, else learnt and written.
pub(super) async fn learnt(
    lake: &Lake,
    sources: &Sources,
    crm: &Crm,
    history: &History,
    predictor: &dyn Predictor,
) -> Result<Learnt> {
    let known = known(lake, sources, crm, history, predictor.learns_before(&history.input))?;
    let (day, stamp) = (known.period.0, stamp(predictor.name(), &known));
    let mut table = lake.table(TABLE).await?;
    if let Some(file) = life_file(&table, day, &stamp) {
        let mut values = Vec::new();
        for batch in read(&table.dir().join(&file.path), &[])? {
            values.extend_from_slice(column::<Float64Array>(&batch, 0)?.values());
        }
        return Ok(Learnt(values));
    }
    let learnt = predictor.learn(&known).map_err(refuse)?;
    let values = Float64Array::from_iter_values(learnt.0.iter().copied());
    let file = write_life(&table, day, &stamp, &batch(TABLE, vec![Arc::new(values)])?)?;
    replace(&mut table, day, file).await?;
    Ok(learnt)
}

/// The history as it stood when `before` began: by position in the CRM, so that who is on duty now doesn't matter.
fn known(
    lake: &Lake,
    sources: &Sources,
    crm: &Crm,
    History { input, order }: &History,
    before: Day,
) -> Result<PredictInput> {
    let regions = sources.versions.reps.texts_in_force("region_id", lake.zone().start(before))?;
    let nowhere = u32::try_from(crm.regions.ids.len()).unwrap_or(u32::MAX);
    let mut sold = vec![false; order.len()];
    input.sales.iter().filter(|sale| sale.day < before).for_each(|sale| sold[at(sale.rep)] = true);
    let there = |&row: &usize| sold[row] || regions.contains_key(&crm.reps[order[row]].id);
    let mut rows: Vec<usize> = (0..order.len()).filter(there).collect();
    rows.sort_unstable_by_key(|&row| order[row]);
    let mut number = vec![None; order.len()];
    for (&row, to) in rows.iter().zip(0_u32..) {
        number[row] = Some(to);
    }
    let member = |&row: &usize| {
        let then = regions.get(&crm.reps[order[row]].id);
        let position = |region: &String| u32::try_from(crm.regions.position(region)?).ok();
        Member {
            // Of whom the CRM tells only since, where it is now.
            region: then.map_or(input.staff[row].region, |region| position(region).unwrap_or(nowhere)),
            hired: input.staff[row].hired,
            left: input.staff[row].left.filter(|left| *left <= before),
        }
    };
    let sale = |sale: &Sold| Some(Sold { rep: number[at(sale.rep)]?, ..*sale });
    let mut sales: Vec<Sold> = input.sales.iter().filter(|sale| sale.day < before).filter_map(sale).collect();
    sales.sort_by_key(|sale| (sale.rep, sale.day));
    Ok(PredictInput {
        as_of: before,
        staff: rows.iter().map(member).collect(),
        sales,
        attained: Vec::new(),
        pipeline: None,
        working: input.working.clone(),
        ..*input
    })
}

/// A hash of all that learning looks at.
fn stamp(predictor: &str, known: &PredictInput) -> String {
    // Hashed at once: a hash of a million small pieces takes ten times as long.
    let mut text: Vec<u8> = Vec::with_capacity(16 * (known.sales.len() + known.staff.len()) + 256);
    let mut add = |bytes: &[u8]| text.extend_from_slice(bytes);
    add(predictor.as_bytes());
    let (first, last) = known.period;
    let maybe = |day: Option<Day>| day.unwrap_or(Day::MIN);
    for day in [first, last, known.as_of, known.first_day] {
        add(&day.to_le_bytes());
    }
    add(&u64::try_from(known.history_months).unwrap_or(u64::MAX).to_le_bytes());
    add(&known.attain_probability.to_le_bytes());
    add(&u64::try_from(known.staff.len()).unwrap_or(u64::MAX).to_le_bytes());
    for member in &known.staff {
        add(&member.region.to_le_bytes());
        add(&maybe(member.hired).to_le_bytes());
        add(&maybe(member.left).to_le_bytes());
    }
    add(&known.working.iter().map(|working| u8::from(*working)).collect::<Vec<u8>>());
    for sale in &known.sales {
        add(&sale.rep.to_le_bytes());
        add(&sale.day.to_le_bytes());
        add(&sale.amount.to_le_bytes());
    }
    blake3::hash(&text).to_hex()[..16].to_owned()
}
