//! Plans by month: what the company wants of each territory, and their sums upward, to the cent.

use chrono::Datelike;

use crate::draw::{Draw, Stream};
use crate::number::{at, narrow, real, whole};
use crate::world::World;

/// Growth that the company asks for above the true capacity.
const GROWTH: f64 = 1.03;

/// A plan of one region and month.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Such as `2026-01`.
    pub(crate) period: String,
    /// Position of the region.
    pub(crate) region: usize,
    /// Minor units.
    pub(crate) target: i64,
}

/// Plans of every month of the calendar that has all its days there, or any day generated.
pub(crate) fn plans(world: &World) -> Vec<Plan> {
    let territories = world.regions.territories.len();
    let mut months: Vec<(String, u64, bool, Vec<f64>)> = Vec::new();
    for (day, info) in world.calendar.iter() {
        let period = info.date.format("%Y-%m").to_string();
        if months.last().is_none_or(|(last, ..)| *last != period) {
            let key = u64::try_from(info.date.year() * 12).unwrap_or(0) + u64::from(info.date.month0());
            months.push((period, key, info.date.day() == 1, vec![0.0; territories]));
        }
        let Some((_, _, whole_month, sums)) = months.last_mut() else { continue };
        *whole_month |= world.covers(day);
        for rep in world.reps.iter().filter(|rep| rep.on_duty(day)) {
            sums[at(rep.territory)] += rep.capacity * rep.ramp(day) * info.season;
        }
    }
    let wanted = months.into_iter().filter(|(_, _, whole_month, _)| *whole_month);
    wanted.flat_map(|(period, key, _, sums)| of_month(world, &period, key, &sums)).collect()
}

fn of_month(world: &World, period: &str, key: u64, sums: &[f64]) -> Vec<Plan> {
    let regions = &world.regions;
    let mut targets = vec![0_i64; regions.all.len()];
    for (territory, sum) in sums.iter().enumerate() {
        let mut draw = Draw::new(world.seed, Stream::Region, 1_000 + u64::from(narrow(territory)), key);
        let minor = whole(sum * GROWTH * draw.between(0.92, 1.08));
        targets[regions.territories[territory]] = whole(real(minor) / 1_000.0) * 1_000 + 37;
    }
    for region in (1..regions.all.len()).rev() {
        if let Some(parent) = regions.all[region].parent {
            targets[parent] += targets[region];
        }
    }
    let plan = |(region, target)| Plan { period: period.to_owned(), region, target };
    targets.into_iter().enumerate().map(plan).collect()
}
