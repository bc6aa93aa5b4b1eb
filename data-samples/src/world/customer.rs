//! Customers: who owns each on a day, how lively it is, and the rhythm of its orders.

use crate::draw::{Draw, Stream};
use crate::number::{at, narrow, real, whole_days};
use crate::world::rep::Rep;

/// Share of a mean portfolio that a newly hired rep is handed by his colleagues.
const PORTFOLIO_FOR_NEW_REP: f64 = 0.6;
const SEGMENTS: [&str; 3] = ["key", "growth", "standard"];
const INDUSTRIES: [&str; 8] =
    ["manufacturing", "retail", "software", "logistics", "healthcare", "education", "energy", "finance"];
const SIZE_BANDS: [&str; 4] = ["1-49", "50-249", "250-999", "1000+"];

/// A customer.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    /// Owner at first.
    pub(crate) owner: u32,
    /// Owner from a day on, as he was handed to a new rep; the day is `i32::MAX` if never.
    pub(crate) handover: (i32, u32),
    /// Day created; negative before the first day generated.
    pub(crate) created: i32,
    /// Territory.
    pub(crate) territory: u32,
    /// Mean days between orders; 0 = never orders.
    pub(crate) interval_days: f32,
    /// Mean order, minor units.
    pub(crate) order_mean: i64,
    /// Whether nobody ever hears of him.
    pub(crate) silent: bool,
    /// Position among the segments.
    segment: u8,
    /// Position among the industries.
    industry: u8,
    /// Position among the size bands.
    size: u8,
}

impl Customer {
    /// `key`, `growth` or `standard`.
    pub(crate) fn segment(&self) -> &'static str {
        SEGMENTS[usize::from(self.segment)]
    }

    /// Industry.
    pub(crate) fn industry(&self) -> &'static str {
        INDUSTRIES[usize::from(self.industry)]
    }

    /// Employees, as a band.
    pub(crate) fn size_band(&self) -> &'static str {
        SIZE_BANDS[usize::from(self.size)]
    }
}

/// All customers, and who may own which.
#[derive(Debug)]
pub(crate) struct Customers {
    /// By number.
    pub(crate) all: Vec<Customer>,
    /// Where a rep's customers begin in `by_rep`; one more entry than reps.
    starts: Vec<u32>,
    /// Customers by first owner, then by the rep they are handed to.
    by_rep: Vec<u32>,
    /// Steps through all customers in an order unlike that of their numbers.
    stride: u64,
}

impl Customers {
    /// The customers of some reps. `ordering` is the share of those that order at all.
    pub(crate) fn new(seed: u64, count: u32, reps: &[Rep], days: i32, ordering: f64) -> Self {
        let mut all: Vec<Customer> = (0..count).map(|n| describe(seed, n, reps, days, ordering)).collect();
        hand_over(seed, &mut all, reps);
        let mut starts = vec![0_u32; reps.len() + 1];
        for owner in all.iter().flat_map(owners) {
            starts[at(owner) + 1] += 1;
        }
        for rep in 0..reps.len() {
            starts[rep + 1] += starts[rep];
        }
        let mut next = starts.clone();
        let mut by_rep = vec![0; at(starts[reps.len()])];
        for (customer, n) in all.iter().zip(0..) {
            for owner in owners(customer) {
                by_rep[at(next[at(owner)])] = n;
                next[at(owner)] += 1;
            }
        }
        Self { all, starts, by_rep, stride: stride(count) }
    }

    /// One of a rep's customers on a day; anybody where he has none.
    pub(crate) fn of_rep(&self, rep: u32, day: i32, reps: &[Rep], draw: &mut Draw) -> u32 {
        let (from, to) = (self.starts[at(rep)], self.starts[at(rep) + 1]);
        if to == from {
            return self.anybody(day, draw);
        }
        let mut found = self.by_rep[at(from + draw.below(to - from))];
        for _ in 0..6 {
            let customer = &self.all[at(found)];
            if customer.created <= day && !customer.silent && self.owner(found, day, reps) == rep {
                return found;
            }
            found = self.by_rep[at(from + draw.below(to - from))];
        }
        if self.all[at(found)].created <= day { found } else { self.anybody(day, draw) }
    }

    /// Somebody, the lively far more often: the k-th liveliest of n with a density of about 1/√(k n).
    pub(crate) fn anybody(&self, day: i32, draw: &mut Draw) -> u32 {
        let count = narrow(self.all.len());
        for _ in 0..12 {
            let u = draw.unit();
            let rank = crate::number::whole(u * u * f64::from(count) - 0.5).max(0).unsigned_abs();
            let n = crate::number::low((rank * self.stride) % u64::from(count));
            let customer = &self.all[at(n)];
            if customer.created <= day && !customer.silent {
                return n;
            }
        }
        0
    }

    /// Who owns a customer on a day.
    pub(crate) fn owner(&self, n: u32, day: i32, reps: &[Rep]) -> u32 {
        let customer = &self.all[at(n)];
        let (handed, to) = customer.handover;
        acting(reps, if day >= handed { to } else { customer.owner }, day)
    }
}

/// Who does a rep's work on a day: himself, or his heir once he has left.
pub(crate) fn acting(reps: &[Rep], rep: u32, day: i32) -> u32 {
    match reps[at(rep)].left {
        Some((left, heir)) if left <= day => heir,
        _ => rep,
    }
}

fn owners(customer: &Customer) -> impl Iterator<Item = u32> + use<> {
    let (day, to) = customer.handover;
    [Some(customer.owner), (day < i32::MAX).then_some(to)].into_iter().flatten()
}

fn describe(seed: u64, n: u32, reps: &[Rep], days: i32, ordering: f64) -> Customer {
    let mut draw = Draw::new(seed, Stream::Customer, u64::from(n), 0);
    // The first customer is always there.
    let new = n > 0 && draw.chance(0.06);
    let created = if new { draw.count(0, days - 1) } else { -draw.count(1, 1_500) };
    let mut owner = draw.below(narrow(reps.len()));
    for _ in 0..8 {
        if reps[at(owner)].hired <= created.max(0) {
            break;
        }
        owner = draw.below(narrow(reps.len()));
    }
    if reps[at(owner)].hired > created.max(0) {
        owner = 0;
    }
    let segment = draw.weighted(&[0.1, 0.3, 0.6]);
    let order_mean = draw.amount([900_000.0, 350_000.0, 120_000.0][segment], 0.6);
    let interval = draw.log_normal(45.0, 0.5).clamp(3.0, 400.0);
    Customer {
        owner,
        handover: (i32::MAX, 0),
        created,
        territory: reps[at(owner)].territory_on(created.max(0)),
        interval_days: if draw.chance(ordering) { single(interval) } else { 0.0 },
        order_mean,
        silent: n > 0 && draw.chance(0.08),
        segment: u8::try_from(segment).unwrap_or(0),
        industry: u8::try_from(draw.below(8)).unwrap_or(0),
        size: u8::try_from(draw.weighted(&[0.45, 0.3, 0.18, 0.07])).unwrap_or(0),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an interval needs no more than single precision")]
fn single(x: f64) -> f32 {
    x as f32
}

/// Gives each newly hired rep customers of his territory.
fn hand_over(seed: u64, all: &mut [Customer], reps: &[Rep]) {
    let territories = reps.iter().map(|rep| at(rep.territory) + 1).max().unwrap_or(1);
    let mut newcomers: Vec<Vec<(i32, u32)>> = vec![Vec::new(); territories];
    let mut sizes = vec![0_i64; territories];
    for (rep, n) in reps.iter().zip(0..) {
        sizes[at(rep.territory)] += 1;
        if rep.hired > 0 {
            newcomers[at(rep.territory)].push((rep.hired, n));
        }
    }
    for (customer, n) in all.iter_mut().zip(0_u64..) {
        let territory = at(customer.territory).min(territories - 1);
        let ticket = Draw::new(seed, Stream::Customer, n, 1).unit() * real(sizes[territory]);
        let place =
            usize::try_from(whole_days((ticket / PORTFOLIO_FOR_NEW_REP).floor())).unwrap_or(usize::MAX);
        if let Some(&(day, rep)) = newcomers[territory].get(place)
            && customer.created < day
            && rep != customer.owner
        {
            customer.handover = (day, rep);
        }
    }
}

/// A step that shares no factor with `count`, near its golden section.
fn stride(count: u32) -> u64 {
    let count = u64::from(count);
    let mut step = (count * 618 / 1_000).max(1);
    while divisor(step, count) != 1 {
        step += 1;
    }
    step
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}
