//! Customer health, density and life cycle: one row per customer in force.

use rayon::prelude::*;

use super::{at, real};
use crate::entity::Crm;
use crate::settings::{Health, Lifecycle, Settings};
use crate::time::{DAY, Day, Micros, SECOND, Zone};
use crate::window::{CustomerWindows, NEVER, OrderDay, OrderHistory, Touches};

/// The measures of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CustomerMeasure {
    pub(crate) key: u32,
    pub(crate) touches: i64,
    pub(crate) effective: i64,
    pub(crate) evidenced: i64,
    pub(crate) evidence: i64,
    pub(crate) last_touch: Option<Micros>,
    pub(crate) overdue_days: i64,
    pub(crate) health: i64,
    pub(crate) color: Color,
    pub(crate) dense: bool,
    pub(crate) improved: bool,
    pub(crate) orders: i64,
    pub(crate) order_amount: i64,
    pub(crate) repurchase_interval: Option<f64>,
    pub(crate) stage: Lifestage,
}

/// A traffic light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Color {
    Red,
    Amber,
    Green,
}

impl Color {
    pub(crate) const ALL: [Self; 3] = [Self::Red, Self::Amber, Self::Green];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Amber => "amber",
            Self::Green => "green",
        }
    }

    /// Red below one threshold, amber below the other.
    pub(crate) fn of<T: PartialOrd + Copy>(value: T, red_below: T, amber_below: T) -> Self {
        if value < red_below {
            Self::Red
        } else if value < amber_below {
            Self::Amber
        } else {
            Self::Green
        }
    }
}

/// A customer's place in its life with the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lifestage {
    Prospect,
    New,
    Growing,
    Mature,
    AtRisk,
    Lost,
}

impl Lifestage {
    pub(crate) const ALL: [Self; 6] =
        [Self::Prospect, Self::New, Self::Growing, Self::Mature, Self::AtRisk, Self::Lost];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Prospect => "prospect",
            Self::New => "new",
            Self::Growing => "growing",
            Self::Mature => "mature",
            Self::AtRisk => "at_risk",
            Self::Lost => "lost",
        }
    }
}

/// Measures every customer in force, in the order of [`crate::entity::Customers::keys`].
pub(crate) fn customers(
    crm: &Crm,
    windows: &CustomerWindows,
    orders: &OrderHistory,
    settings: &Settings,
    zone: &Zone,
    as_of: Day,
) -> Vec<CustomerMeasure> {
    let rule = CustomerRule { settings, zone, as_of };
    crm.customers
        .keys
        .par_iter()
        .map_init(Vec::new, |room, &key| {
            let slot = at(key);
            let (now, before) = (windows.now.of(slot), windows.before.of(slot));
            let days = orders.of(slot, room);
            rule.measure(
                key,
                crm.customers.created_on[slot],
                (&now, &before),
                (days, orders.first_order(slot)),
            )
        })
        .collect()
}

/// How a customer is measured as of a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CustomerRule<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) zone: &'a Zone,
    pub(crate) as_of: Day,
}

impl CustomerRule<'_> {
    /// Measures one customer, from its touches of the last 30 days and of the 30 before, and from its orders of the last
    /// 365 days with the day of the first ever.
    pub(crate) fn measure(
        &self,
        key: u32,
        created_on: Option<Day>,
        (now, before): (&Touches, &Touches),
        (days, first_order): (&[OrderDay], Option<Day>),
    ) -> CustomerMeasure {
        let Self { settings, zone, as_of } = *self;
        let health = HealthRule { settings: &settings.health, zone };
        let score = |touches: &Touches, overdue_days: i64| {
            health.score(i64::from(touches.count), touches.evidence, overdue_days)
        };
        let overdue_days = health.overdue_days(now.last_touch, created_on, as_of);
        let health_now = score(now, overdue_days);
        let health_before = score(before, health.overdue_days(before.last_touch, created_on, as_of - 30));
        let interval = repurchase_interval(days);
        let (evidenced, effective) = (i64::from(now.evidenced), i64::from(now.effective));
        CustomerMeasure {
            key,
            touches: i64::from(now.count),
            effective,
            evidenced,
            evidence: now.evidence,
            last_touch: (now.last_touch != NEVER).then_some(now.last_touch),
            overdue_days,
            health: health_now,
            color: Color::of(health_now, settings.health.red_below, settings.health.amber_below),
            dense: effective >= settings.health.dense_touches && evidenced > 0,
            improved: health_now > health_before,
            orders: days.iter().map(|day| i64::from(day.orders)).sum(),
            order_amount: amount(days),
            repurchase_interval: interval,
            stage: life_stage(days, first_order, interval, &settings.lifecycle, as_of),
        }
    }
}

struct HealthRule<'a> {
    settings: &'a Health,
    zone: &'a Zone,
}

impl HealthRule<'_> {
    /// Whole days by which the silence at the end of `day` exceeds the allowed hours, from 0 to the maximum.
    fn overdue_days(&self, last_touch: Micros, created_on: Option<Day>, day: Day) -> i64 {
        let since =
            if last_touch == NEVER { created_on.map(|day| self.zone.start(day)) } else { Some(last_touch) };
        let Some(since) = since else { return self.settings.overdue_days_max };
        let silence = self.zone.end(day) - since - self.settings.overdue_after_hours * 3_600 * SECOND;
        silence.div_euclid(DAY).clamp(0, self.settings.overdue_days_max)
    }

    fn score(&self, touches: i64, evidence: i64, overdue_days: i64) -> i64 {
        self.settings.touch_weight * touches + self.settings.evidence_weight * evidence
            - self.settings.overdue_weight * overdue_days
    }
}

/// The median of the whole days between successive orders; orders of one day are 0 days apart.
pub(crate) fn repurchase_interval(days: &[OrderDay]) -> Option<f64> {
    let orders: i64 = days.iter().map(|day| i64::from(day.orders)).sum();
    if orders < 2 {
        return None;
    }
    let zeros = orders - super::count(days.len());
    // Few order on so many days that the gaps need room of their own.
    let (mut few, mut many) = ([0; 32], Vec::new());
    let gaps = if days.len() <= few.len() {
        &mut few[..days.len() - 1]
    } else {
        many.resize(days.len() - 1, 0);
        &mut many[..]
    };
    for (gap, pair) in gaps.iter_mut().zip(days.windows(2)) {
        *gap = i64::from(pair[1].day - pair[0].day);
    }
    gaps.sort_unstable();
    let length = orders - 1;
    let nth = |position: i64| {
        if position < zeros {
            0
        } else {
            usize::try_from(position - zeros).ok().and_then(|n| gaps.get(n).copied()).unwrap_or(0)
        }
    };
    Some(if length % 2 == 1 {
        real(nth(length / 2))
    } else {
        real(nth(length / 2 - 1) + nth(length / 2)) / 2.0
    })
}

/// The amount of days' orders; at the end of what an amount can hold it stays there.
fn amount(days: &[OrderDay]) -> i64 {
    days.iter().fold(0, |sum: i64, day| sum.saturating_add(day.amount))
}

/// Where a customer is in its life, from the orders of the last 365 days and the day of the first ever.
pub(crate) fn life_stage(
    days: &[OrderDay],
    first: Option<Day>,
    interval: Option<f64>,
    settings: &Lifecycle,
    as_of: Day,
) -> Lifestage {
    let Some(first) = first else { return Lifestage::Prospect };
    if as_of - first < settings.new_days {
        return Lifestage::New;
    }
    // Nothing in the last 365 days: silent for longer than any window.
    let Some(last) = days.last() else { return Lifestage::Lost };
    let interval = interval.map_or(settings.interval_days, |days| days.max(1.0));
    let silent = f64::from(as_of - last.day);
    if silent > settings.lost_intervals * interval {
        return Lifestage::Lost;
    }
    if silent > settings.at_risk_intervals * interval {
        return Lifestage::AtRisk;
    }
    let (earlier, recent) = days.split_at(days.partition_point(|day| day.day <= as_of - 182));
    if amount(recent) > amount(earlier) { Lifestage::Growing } else { Lifestage::Mature }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_interval(days: &[(Day, i32)], expected: Option<f64>) {
        let days: Vec<OrderDay> =
            days.iter().map(|&(day, orders)| OrderDay { day, orders, amount: 0 }).collect();
        assert_eq!(repurchase_interval(&days), expected);
    }

    #[test]
    fn the_interval_is_the_median_gap() {
        check_interval(&[(10, 1)], None);
        check_interval(&[(10, 2)], Some(0.0));
        check_interval(&[(10, 1), (17, 1)], Some(7.0));
        check_interval(&[(10, 1), (17, 1), (27, 1)], Some(8.5));
        check_interval(&[(10, 2), (17, 1)], Some(3.5));
        check_interval(&[(10, 1), (17, 1), (20, 1), (60, 1)], Some(7.0));
    }

    #[test]
    fn overdue_days_are_whole_days_over_72_hours() {
        let settings = Health::default();
        let zone = Zone::new("UTC").unwrap();
        let rule = HealthRule { settings: &settings, zone: &zone };
        let end = zone.end(20_000);
        assert_eq!(rule.overdue_days(end - 3 * DAY, None, 20_000), 0);
        assert_eq!(rule.overdue_days(end - 4 * DAY, None, 20_000), 1);
        assert_eq!(rule.overdue_days(end - 4 * DAY + 1, None, 20_000), 0);
        assert_eq!(rule.overdue_days(end - 100 * DAY, None, 20_000), 30);
        assert_eq!(rule.overdue_days(NEVER, Some(19_990), 20_000), 8);
        assert_eq!(rule.overdue_days(NEVER, Some(20_005), 20_000), 0);
        assert_eq!(rule.overdue_days(NEVER, None, 20_000), 30);
    }
}
