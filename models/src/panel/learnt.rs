//! What a period's start teaches: kernels, season and calibration. Found once a period, used by every forecast within it.

use std::sync::Arc;

use super::calibrate::{Calibration, Region};
use super::deviation::Kernels;
use super::forecast::{Ask, RawForecast, raw};
use super::input::Panel;
use super::kernel::Hyper;
use super::quota::{QuotaParams, ask};
use crate::error::ModelError;

/// Days of history before the period's start under which the days of the period itself count as history.
const HISTORY_DAYS_MIN: i32 = 28;

/// A period, and the day as of whose end it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodDay {
    /// The period's first day.
    pub start: i32,
    /// The day after its last.
    pub end: i32,
    /// The day: all before it is in the panel, and of the day itself what is attained.
    pub as_of: i32,
}

impl PeriodDay {
    /// The day before which a forecast looks, `first` being the first day of which anything is known: the period's start,
    /// but where a period is all that is known, its own days tell of those left.
    pub fn origin(&self, first: Option<i32>) -> i32 {
        let young = first.is_some_and(|first| first > self.start - HISTORY_DAYS_MIN);
        if young { self.as_of.clamp(self.start, self.end - 1) } else { self.start }
    }
}

/// What was learnt from all that was known before a period. It is of regions, not of reps.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    pub(super) kernels: Kernels,
    /// The season of the period against that of the year, 1 where less than a year is known.
    pub(super) season: f64,
    pub(super) calibration: Arc<Calibration>,
}

/// Learns from what happened before `start` for a forecast of `[start, end)`; none where nothing did.
///
/// # Errors
/// As [`super::forecast`].
pub fn learn(
    panel: &Panel,
    start: i32,
    end: i32,
    params: &QuotaParams,
) -> Result<Option<Learnt>, ModelError> {
    let ask = ask(panel, (start, end), params, None)?;
    let Some(RawForecast { window, kernels, season, .. }) = raw(panel, &ask) else { return Ok(None) };
    let again = Ask { kernels: Some(&kernels), ..ask };
    let calibration = Calibration::of(panel, &again, window.n, params.attain_probability);
    Ok(Some(Learnt { kernels, season, calibration: Arc::new(calibration) }))
}

/// Numbers of a kernel.
const HYPER: usize = 7;

fn of_hyper(h: &Hyper) -> [f64; HYPER] {
    [h.level, h.slope, h.wander, h.bump, h.season, h.slot, h.noise]
}

fn to_hyper([level, slope, wander, bump, season, slot, noise]: [f64; HYPER]) -> Hyper {
    Hyper { level, slope, wander, bump, season, slot, noise }
}

impl Learnt {
    /// As numbers that can be kept: lengths first, then the values in a fixed order.
    pub fn to_values(&self) -> Vec<f64> {
        let Kernels { market, region, rep } = &self.kernels;
        let found = &*self.calibration;
        let lengths = [found.levels.len(), found.regions.len(), found.coefficients.len()];
        let mut values: Vec<f64> = lengths.into_iter().map(super::beside::count).collect();
        values.extend([market, region, rep].into_iter().flat_map(of_hyper));
        values.extend([self.season, found.periods]);
        values.extend(found.levels.iter().chain(&found.coefficients));
        for region in found.regions.iter().chain([&found.elsewhere]) {
            values.push(region.half);
            values.extend(&region.nodes);
        }
        values
    }

    /// From [`Learnt::to_values`]; none where the numbers can't have come from there.
    pub fn from_values(values: &[f64]) -> Option<Self> {
        let mut left = values;
        let mut take = |n: usize| {
            let (taken, rest) = left.split_at_checked(n)?;
            left = rest;
            Some(taken)
        };
        let lengths = take(3)?.iter().map(|&length| whole(length)).collect::<Option<Vec<usize>>>()?;
        let [n_levels, n_regions, n_factors] = <[usize; 3]>::try_from(lengths).ok()?;
        let mut hyper = || Some(to_hyper(take(HYPER)?.try_into().ok()?));
        let kernels = Kernels { market: hyper()?, region: hyper()?, rep: hyper()? };
        let [season, periods] = <[f64; 2]>::try_from(take(2)?).ok()?;
        let (levels, coefficients) = (take(n_levels)?.to_vec(), take(n_factors)?.to_vec());
        let mut region = || Some(Region { half: *take(1)?.first()?, nodes: take(n_levels)?.to_vec() });
        let regions = (0..n_regions).map(|_| region()).collect::<Option<Vec<Region>>>()?;
        let elsewhere = region()?;
        let whole = left.is_empty() && n_levels > 0;
        let calibration = Calibration { levels, regions, elsewhere, periods, coefficients };
        whole.then(|| Self { kernels, season, calibration: Arc::new(calibration) })
    }
}

/// A length kept as a number.
fn whole(value: f64) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked first")]
    let length = ((0.0..=1e9).contains(&value) && value.fract() == 0.0).then_some(value as usize);
    length
}

#[cfg(test)]
mod tests {
    use super::super::input::{PanelRows, Staff};
    use super::super::standing::Standing;
    use super::*;

    const START: i32 = 20_000;

    /// Four reps in two regions, sixty weeks up to the period's start and some days of it.
    fn company(factor: f64) -> Panel {
        let (mut day, mut rep, mut amount) = (Vec::new(), Vec::new(), Vec::new());
        for week in 0..63 {
            for number in 0..4_u32 {
                day.push(START - 60 * 7 + 7 * week);
                rep.push(number);
                let season = 1.0 + 0.2 * f64::from(week).sin();
                let later = if week >= 60 { factor } else { 1.0 };
                amount.push(f64::from(number + 1) * 100.0 * season * later);
            }
        }
        let rows = PanelRows::without_factors(&day, &rep, &[0; 252], &amount);
        let staff: Vec<Staff> =
            (0..4).map(|rep| Staff { region: rep % 2, hired: None, left: None }).collect();
        Panel::new(&rows).unwrap().with_staff(&staff).unwrap()
    }

    fn found(panel: &Panel, learnt: &Learnt) -> Vec<u64> {
        let moment = PeriodDay { start: START, end: START + 28, as_of: START + 15 };
        let known = (&[5.0; 4][..], None);
        let standing = Standing::with(panel, moment, known, &QuotaParams::default(), Some(learnt)).unwrap();
        (0..4)
            .flat_map(|rep| [standing.low(rep), standing.quantile(rep, 0.4), standing.high(rep)])
            .map(f64::to_bits)
            .collect()
    }

    #[test]
    fn what_was_kept_says_the_same_to_the_last_bit() {
        let panel = company(1.0);
        let learnt = learn(&panel, START, START + 28, &QuotaParams::default()).unwrap().unwrap();
        let kept = Learnt::from_values(&learnt.to_values()).unwrap();
        assert_eq!(kept, learnt);
        assert_eq!(found(&panel, &kept), found(&panel, &learnt));
        let standing = Standing::of(
            &panel,
            PeriodDay { start: START, end: START + 28, as_of: START + 15 },
            &[5.0; 4],
            None,
            &QuotaParams::default(),
        );
        assert_eq!(found(&panel, &kept)[0], standing.unwrap().low(0).to_bits());
    }

    #[test]
    fn nothing_within_the_period_is_learnt_from() {
        let of = |panel: &Panel| learn(panel, START, START + 28, &QuotaParams::default()).unwrap();
        assert_eq!(of(&company(1.0)), of(&company(7.0)));
    }

    #[test]
    fn damaged_numbers_are_none() {
        let learnt = learn(&company(1.0), START, START + 28, &QuotaParams::default()).unwrap().unwrap();
        let values = learnt.to_values();
        for wrong in
            [&values[..values.len() - 1], &values[..2], &[], &[&values[..], &[0.0]].concat(), &[-1.0; 40]]
        {
            assert!(Learnt::from_values(wrong).is_none());
        }
        let mut wrong = values.clone();
        wrong[0] = f64::NAN;
        assert!(Learnt::from_values(&wrong).is_none());
    }
}
