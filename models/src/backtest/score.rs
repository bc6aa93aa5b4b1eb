//! What a backtest shows: deviation, spread of attainment, fairness, coverage, moves, ratchet.

use super::run::{NEW_YEARS, QuotaBacktest, RepPeriod};

/// A way of setting quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The quota.
    Quota,
    /// The expected amount, as if it were the quota.
    Expected,
    /// The same period a year before, times the company's growth.
    Static,
    /// The same period a year before.
    SeasonalNaive,
    /// The same period a year before, times the rep's own growth.
    OwnGrowth,
    /// The last 91 days.
    RunRate,
}

impl Method {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Quota, Self::Expected, Self::Static, Self::OwnGrowth, Self::SeasonalNaive, Self::RunRate];

    /// What this method would have set.
    pub fn of(self, row: &RepPeriod) -> Option<f64> {
        match self {
            Self::Quota => Some(row.quota[0]),
            Self::Expected => Some(row.expected),
            Self::Static => row.baselines.static_quota,
            Self::SeasonalNaive => row.baselines.seasonal_naive,
            Self::OwnGrowth => row.baselines.own_growth,
            Self::RunRate => Some(row.baselines.run_rate),
        }
    }
}

/// Figures of one method, over the rows for which all methods have an answer.
#[derive(Debug, Clone, Copy)]
pub struct MethodScores {
    /// The method.
    pub method: Method,
    /// Rows.
    pub rows: usize,
    /// Mean over regions and periods of `|Σ actual − Σ quota| ÷ Σ quota`.
    pub deviation: Option<f64>,
    /// `Σ |actual − quota| ÷ Σ |actual|` over rows.
    pub wape: Option<f64>,
    /// Standard deviation of attainment over rows, each within 0 and [`ATTAINMENT_MAX`].
    pub spread: Option<f64>,
    /// Share of rows at or above quota.
    pub at_quota: Option<f64>,
}

/// Attainments beyond this count as this: a quota of next to nothing says nothing of the spread.
pub const ATTAINMENT_MAX: f64 = 5.0;

/// Share at quota, coverage and rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Number of the group: decile from the smallest quotas, region, or band.
    pub number: usize,
    /// Rows.
    pub rows: usize,
    /// Share at or above quota.
    pub at_quota: f64,
    /// Share within the 80 % interval.
    pub covered: f64,
}

/// A region in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionPeriod {
    /// Place of the period.
    pub period: usize,
    /// Number of the region.
    pub region: usize,
    /// Sum of quotas at the start, after a third, after two thirds.
    pub quota: [f64; 3],
    /// Sum of what came.
    pub actual: f64,
}

impl RegionPeriod {
    /// `(Σ actual − Σ quota) ÷ Σ quota` at the start, after a third, after two thirds.
    pub fn deviation(&self) -> [Option<f64>; 3] {
        self.quota.map(|quota| (quota > 0.0).then(|| (self.actual - quota) / quota))
    }
}

/// Names of the bands of tenure.
pub const TENURE_BANDS: [&str; 4] =
    ["under half a year", "half a year to two", "over two years", "before the table"];

/// Everything measured.
#[derive(Debug)]
pub struct QuotaScores {
    /// By method.
    pub methods: Vec<MethodScores>,
    /// By period and region.
    pub regions: Vec<RegionPeriod>,
    /// Mean deviation of quotas at the start, after a third, after two thirds.
    pub deviation: [Option<f64>; 3],
    /// Over all rows.
    pub all: Group,
    /// By decile of the quota within its period.
    pub deciles: Vec<Group>,
    /// By region.
    pub by_region: Vec<Group>,
    /// By band of tenure.
    pub by_tenure: Vec<Group>,
    /// By period.
    pub by_period: Vec<Group>,
    /// Largest and mean daily move, and the largest without the cap.
    pub moves: [f64; 3],
    /// Largest and mean ratchet.
    pub ratchet: Option<[f64; 2]>,
}

impl QuotaScores {
    /// Measures a backtest.
    pub fn of(backtest: &QuotaBacktest) -> Self {
        let rows = &backtest.rows;
        let regions = regions(rows, |row| Some(row.quota), |row| row.actual);
        let deviation = [0, 1, 2].map(|third| {
            let values: Vec<f64> = regions.iter().filter_map(|r| Some(r.deviation()[third]?.abs())).collect();
            mean(&values)
        });
        let groups = |n: usize, of: &dyn Fn(&RepPeriod) -> usize| groups(rows, n, of);
        let deciles = deciles(backtest);
        let n_regions = rows.iter().map(|row| row.region + 1).max().unwrap_or(0);
        let largest = |of: fn(&RepPeriod) -> f64| rows.iter().map(of).fold(0.0, f64::max);
        let ratchet = mean(&backtest.ratchets)
            .map(|mean| [backtest.ratchets.iter().copied().fold(f64::NEG_INFINITY, f64::max), mean]);
        Self {
            methods: methods(rows),
            deviation,
            all: group(0, &rows.iter().collect::<Vec<_>>()),
            deciles,
            by_region: groups(n_regions, &|row| row.region),
            by_tenure: groups(TENURE_BANDS.len(), &band),
            by_period: groups(backtest.periods.len(), &|row| row.period),
            moves: [
                largest(|row| row.move_max),
                mean(&rows.iter().map(|row| row.move_mean).collect::<Vec<_>>()).unwrap_or(0.0),
                largest(|row| row.move_free),
            ],
            ratchet,
            regions,
        }
    }
}

fn band(row: &RepPeriod) -> usize {
    match row.tenure_years {
        Some(years) if years < NEW_YEARS => 0,
        Some(years) if years < 2.0 => 1,
        Some(_) => 2,
        None => 3,
    }
}

fn methods(rows: &[RepPeriod]) -> Vec<MethodScores> {
    let common: Vec<&RepPeriod> =
        rows.iter().filter(|row| Method::ALL.iter().all(|method| method.of(row).is_some())).collect();
    // Without a year of history the rules that need it have no answer; the others are measured on all rows.
    let reduced = common.is_empty();
    let score = |method: Method| {
        let used: Vec<(&RepPeriod, f64)> = if reduced {
            rows.iter().filter_map(|row| Some((row, method.of(row)?))).collect()
        } else {
            common.iter().filter_map(|row| Some((*row, method.of(row)?))).collect()
        };
        let sums =
            regions(used.iter().map(|(row, _)| *row), |row| Some([method.of(row)?; 3]), |row| row.actual);
        let deviations: Vec<f64> = sums.iter().filter_map(|r| Some(r.deviation()[0]?.abs())).collect();
        let missed: f64 = used.iter().map(|(row, quota)| (row.actual - quota).abs()).sum();
        let came: f64 = used.iter().map(|(row, _)| row.actual.abs()).sum();
        let attained: Vec<f64> = (used.iter())
            .filter(|(_, quota)| *quota > 0.0)
            .map(|(row, quota)| (row.actual / quota).clamp(0.0, ATTAINMENT_MAX))
            .collect();
        let reached: Vec<f64> =
            used.iter().map(|(row, quota)| f64::from(u8::from(row.actual >= *quota))).collect();
        MethodScores {
            method,
            rows: used.len(),
            deviation: mean(&deviations),
            wape: (came > 0.0).then(|| missed / came),
            spread: deviation(&attained),
            at_quota: mean(&reached),
        }
    };
    Method::ALL.map(score).to_vec()
}

fn regions<'a>(
    rows: impl IntoIterator<Item = &'a RepPeriod>,
    quota: impl Fn(&RepPeriod) -> Option<[f64; 3]>,
    actual: impl Fn(&RepPeriod) -> f64,
) -> Vec<RegionPeriod> {
    let mut sums = std::collections::BTreeMap::new();
    for row in rows {
        let Some(quota) = quota(row) else { continue };
        let empty = RegionPeriod { period: row.period, region: row.region, quota: [0.0; 3], actual: 0.0 };
        let sum = sums.entry((row.period, row.region)).or_insert(empty);
        sum.quota.iter_mut().zip(quota).for_each(|(sum, quota)| *sum += quota);
        sum.actual += actual(row);
    }
    sums.into_values().collect()
}

fn groups(rows: &[RepPeriod], n: usize, of: &dyn Fn(&RepPeriod) -> usize) -> Vec<Group> {
    let mut members: Vec<Vec<&RepPeriod>> = vec![Vec::new(); n];
    for row in rows {
        if let Some(members) = members.get_mut(of(row)) {
            members.push(row);
        }
    }
    let all = members.iter().enumerate().filter(|(_, members)| !members.is_empty());
    all.map(|(number, members)| group(number, members)).collect()
}

fn group(number: usize, rows: &[&RepPeriod]) -> Group {
    let share = |hit: fn(&RepPeriod) -> bool| {
        mean(&rows.iter().map(|row| f64::from(u8::from(hit(row)))).collect::<Vec<_>>()).unwrap_or(0.0)
    };
    Group {
        number,
        rows: rows.len(),
        at_quota: share(|row| row.actual >= row.quota[0]),
        covered: share(|row| row.low <= row.actual && row.actual <= row.high),
    }
}

/// Ten groups of each period by the size of the quota, the smallest first.
fn deciles(backtest: &QuotaBacktest) -> Vec<Group> {
    let mut members: Vec<Vec<&RepPeriod>> = vec![Vec::new(); 10];
    for period in 0..backtest.periods.len() {
        let mut rows: Vec<&RepPeriod> = backtest.rows.iter().filter(|row| row.period == period).collect();
        rows.sort_by(|a, b| a.quota[0].total_cmp(&b.quota[0]).then(a.rep.cmp(&b.rep)));
        let n = rows.len();
        for (place, row) in rows.into_iter().enumerate() {
            members[place * 10 / n].push(row);
        }
    }
    let all = members.iter().enumerate().filter(|(_, members)| !members.is_empty());
    all.map(|(number, members)| group(number, members)).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let n = values.len() as f64;
    (n > 0.0).then(|| values.iter().sum::<f64>() / n)
}

/// Standard deviation of a sample; none under two values.
fn deviation(values: &[f64]) -> Option<f64> {
    let middle = mean(values).filter(|_| values.len() > 1)?;
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let freedom = (values.len() - 1) as f64;
    Some((values.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / freedom).sqrt())
}
