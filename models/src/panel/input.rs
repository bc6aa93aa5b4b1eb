//! The table that the panel forecast reads: who sold what, when and where.

use ndarray::ArrayView2;

use super::calendar::weekday;
use crate::error::{ModelError, Range, check_shape, check_values};

/// Rows of a sales table, in any order.
#[derive(Debug, Clone, Copy)]
pub struct PanelRows<'a> {
    /// Day of each row, counted from 1970-01-01, `(n_rows)`.
    pub day: &'a [i32],
    /// Rep of each row, numbered from 0, `(n_rows)`.
    pub rep: &'a [u32],
    /// Region of the rep on that day, numbered from 0, `(n_rows)`.
    pub region: &'a [u32],
    /// Amount sold; returns are negative, `(n_rows)`.
    pub amount: &'a [f64],
    /// Factors as observed on that day, NaN where unknown, `(n_rows, n_factors)`.
    pub factors: ArrayView2<'a, f64>,
}

impl<'a> PanelRows<'a> {
    /// Rows without factors.
    pub fn without_factors(day: &'a [i32], rep: &'a [u32], region: &'a [u32], amount: &'a [f64]) -> Self {
        let none = ArrayView2::from_shape((day.len(), 0), &[]);
        // A table without columns has any number of rows.
        let factors = none.unwrap_or_else(|_| ArrayView2::from(&[[]; 0]));
        Self { day, rep, region, amount, factors }
    }
}

/// What a company knows of a rep beside what it sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staff {
    /// Its region, numbered from 0.
    pub region: u32,
    /// The first day at work; none where nobody knows.
    pub hired: Option<i32>,
    /// The first day no longer at work.
    pub left: Option<i32>,
}

/// The days on which people work, from a day on; days outside are taken for Monday to Friday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workdays {
    /// The first day known.
    pub first: i32,
    /// Whether people work, from that day on.
    pub working: Vec<bool>,
}

impl Workdays {
    pub(crate) fn is_working(&self, day: i32) -> bool {
        let known = usize::try_from(day - self.first).ok().and_then(|place| self.working.get(place));
        known.copied().unwrap_or_else(|| weekday(day) < 5)
    }
}

/// A rep's rows in order of days, one a day.
#[derive(Debug, Clone, Default)]
pub(crate) struct RepRows {
    pub(crate) day: Vec<i32>,
    pub(crate) amount: Vec<f64>,
    pub(crate) region: Vec<u32>,
    /// `(n_days * n_factors)`, by rows.
    pub(crate) factors: Vec<f64>,
}

impl RepRows {
    /// Rows before a day.
    pub(crate) fn before(&self, day: i32) -> usize {
        self.day.partition_point(|&d| d < day)
    }

    /// Amount of the days from `start` up to `end`, that day excluded.
    pub(crate) fn sum(&self, start: i32, end: i32) -> f64 {
        self.amount[self.before(start)..self.before(end).max(self.before(start))].iter().sum()
    }
}

/// A checked table, by rep: the same whatever the order of its rows.
#[derive(Debug, Clone)]
pub struct Panel {
    pub(crate) reps: Vec<RepRows>,
    /// All days that have rows, in order.
    pub(crate) days: Vec<i32>,
    /// What all reps together sold on these days; returns count as nothing.
    pub(crate) totals: Vec<f64>,
    pub(crate) n_regions: usize,
    pub(crate) n_factors: usize,
    /// What is known of each rep beside its rows; empty where nothing is.
    pub(crate) staff: Vec<Staff>,
    pub(crate) workdays: Option<Workdays>,
}

/// The days that have rows, in order, and what all reps together sold on each.
fn daily(reps: &[RepRows]) -> (Vec<i32>, Vec<f64>) {
    let ends = |rep: &RepRows| Some((*rep.day.first()?, *rep.day.last()?));
    let ends = reps.iter().filter_map(ends).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let Some((first, last)) = ends else { return (Vec::new(), Vec::new()) };
    // Days are held to a few million: a place for each.
    let place = |day: i32| usize::try_from(day - first).unwrap_or(0);
    let mut sums: Vec<Option<f64>> = vec![None; place(last) + 1];
    for (day, amount) in reps.iter().flat_map(|rep| rep.day.iter().zip(&rep.amount)) {
        *sums[place(*day)].get_or_insert(0.0) += amount.max(0.0);
    }
    (first..=last).zip(sums).filter_map(|(day, sum)| Some((day, sum?))).unzip()
}

/// Numbers of reps and regions stay below this.
const IDS_MAX: u32 = 10_000_000;
/// Days stay within this of 1970-01-01: some 2,700 years.
const DAYS_MAX: i32 = 1_000_000;

impl Panel {
    /// Sorts and checks rows. Rows of one rep and day are summed; of their regions the one with the greatest number counts,
    /// of their factors the mean of what is known.
    ///
    /// # Errors
    /// [`ModelError::Shape`] where columns differ in length; [`ModelError::NotFinite`] for an amount that isn't a number;
    /// [`ModelError::OutOfRange`] for a day over a million days from 1970, or an id over ten million.
    pub fn new(rows: &PanelRows<'_>) -> Result<Self, ModelError> {
        let n = rows.day.len();
        check_shape("rep", &[n], &[rows.rep.len()])?;
        check_shape("region", &[n], &[rows.region.len()])?;
        check_shape("amount", &[n], &[rows.amount.len()])?;
        check_shape("factors", &[n, rows.factors.ncols()], rows.factors.shape())?;
        check_values("amount", rows.amount, Range::Finite)?;
        check_ids("rep", rows.rep)?;
        check_ids("region", rows.region)?;
        if let Some(position) = rows.day.iter().position(|day| day.abs() > DAYS_MAX) {
            let value = f64::from(rows.day[position]);
            let range = "a million days around 1970-01-01";
            return Err(ModelError::OutOfRange { what: "day", position, value, range });
        }
        let n_reps = rows.rep.iter().max().map_or(0, |&rep| rep as usize + 1);
        let n_regions = rows.region.iter().max().map_or(0, |&region| region as usize + 1);
        let mut order: Vec<usize> = (0..n).collect();
        let compare =
            |a: usize, b: usize| key(rows, a).cmp(&key(rows, b)).then_with(|| factors_order(rows, a, b));
        if !order.is_sorted_by(|&a, &b| compare(a, b).is_le()) {
            order.sort_by(|&a, &b| compare(a, b));
        }
        let mut reps = vec![RepRows::default(); n_reps];
        for same in order.chunk_by(|&a, &b| (rows.rep[a], rows.day[a]) == (rows.rep[b], rows.day[b])) {
            let (first, last) = (same[0], same[same.len() - 1]);
            let rep = &mut reps[rows.rep[first] as usize];
            rep.day.push(rows.day[first]);
            rep.amount.push(same.iter().map(|&row| rows.amount[row]).sum());
            rep.region.push(rows.region[last]);
            for factor in 0..rows.factors.ncols() {
                let known =
                    same.iter().map(|&row| rows.factors[[row, factor]]).filter(|value| value.is_finite());
                let (sum, count) = known.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
                rep.factors.push(if count > 0.0 { sum / count } else { f64::NAN });
            }
        }
        let (days, totals) = daily(&reps);
        let (staff, workdays) = (Vec::new(), None);
        Ok(Self { reps, days, totals, n_regions, n_factors: rows.factors.ncols(), staff, workdays })
    }

    /// The same table, with what a company knows of its reps; `staff` may name more reps than have rows.
    ///
    /// # Errors
    /// [`ModelError::Shape`] for fewer than have rows; [`ModelError::OutOfRange`] for a region over ten million.
    pub fn with_staff(mut self, staff: &[Staff]) -> Result<Self, ModelError> {
        if staff.len() < self.reps.len() {
            check_shape("staff", &[self.reps.len()], &[staff.len()])?;
        }
        check_ids("region", &staff.iter().map(|one| one.region).collect::<Vec<_>>())?;
        let regions = staff.iter().map(|one| one.region as usize + 1).max().unwrap_or(0);
        self.n_regions = self.n_regions.max(regions);
        self.reps.resize(staff.len(), RepRows::default());
        self.staff = staff.to_vec();
        Ok(self)
    }

    /// The same table, with the days on which people work.
    #[must_use]
    pub fn with_workdays(mut self, workdays: Workdays) -> Self {
        self.workdays = Some(workdays);
        self
    }

    /// What all reps together sold on some days; returns count as nothing.
    pub(crate) fn total(&self, days: std::ops::Range<i32>) -> f64 {
        let place = |day: i32| self.days.partition_point(|&other| other < day);
        self.totals[place(days.start)..place(days.end.max(days.start))].iter().sum()
    }

    /// Every `step`-th rep, by region, as a table of its own.
    pub(crate) fn every(&self, step: usize, region: impl Fn(usize) -> usize) -> Self {
        let mut order: Vec<usize> = (0..self.reps.len()).collect();
        order.sort_by_key(|&rep| region(rep));
        let mut taken: Vec<usize> = order.into_iter().step_by(step).collect();
        taken.sort_unstable();
        Self {
            reps: taken.iter().map(|&rep| self.reps[rep].clone()).collect(),
            staff: taken.iter().filter_map(|&rep| self.staff.get(rep).copied()).collect(),
            days: self.days.clone(),
            totals: self.totals.clone(),
            workdays: self.workdays.clone(),
            ..*self
        }
    }

    /// Numbers of reps, those without rows included.
    pub fn n_reps(&self) -> usize {
        self.reps.len()
    }

    /// Numbers of regions, those without rows included.
    pub fn n_regions(&self) -> usize {
        self.n_regions
    }

    /// The first and the last day with rows.
    pub fn span(&self) -> Option<(i32, i32)> {
        Some((*self.days.first()?, *self.days.last()?))
    }
}

fn key(rows: &PanelRows<'_>, row: usize) -> (u32, i32, u32, u64) {
    // Amounts in any order that is total: sums of equal rows must not depend on where the rows stood.
    (rows.rep[row], rows.day[row], rows.region[row], rows.amount[row].to_bits())
}

fn factors_order(rows: &PanelRows<'_>, a: usize, b: usize) -> std::cmp::Ordering {
    let bits = |row: usize| rows.factors.row(row).iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    bits(a).cmp(&bits(b))
}

fn check_ids(what: &'static str, ids: &[u32]) -> Result<(), ModelError> {
    match ids.iter().position(|&id| id > IDS_MAX) {
        None => Ok(()),
        Some(position) => {
            let range = "numbers up to ten million";
            Err(ModelError::OutOfRange { what, position, value: f64::from(ids[position]), range })
        }
    }
}
