//! What is found again of customers that were made up, and what a customer is worth.

use super::*;

/// Numbers that look random and are the same on every run (Lehmer's generator).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        crate::tabular::real(usize::try_from(self.0).unwrap()) / 2_147_483_647.0
    }
}

#[derive(Default)]
struct Made {
    recency: Vec<f64>,
    interval: Vec<f64>,
    orders: Vec<f64>,
    tenure: Vec<f64>,
    segment: Vec<u32>,
    segments: Vec<String>,
    ordered: Vec<bool>,
    came: Vec<f64>,
}

impl Made {
    fn customers(&self) -> Customers<'_> {
        Customers {
            recency_days: &self.recency,
            interval_days: &self.interval,
            orders: &self.orders,
            tenure_days: &self.tenure,
            segment: &self.segment,
            segments: &self.segments,
        }
    }

    fn came(&self) -> Came<'_> {
        Came { ordered: &self.ordered, orders: &self.came }
    }

    fn push(&mut self, (recency, interval, segment): (f64, f64, u32), came: f64) {
        self.recency.push(recency);
        self.interval.push(interval);
        self.orders.push(4.0);
        self.tenure.push(300.0);
        self.segment.push(segment);
        self.ordered.push(came > 0.0);
        self.came.push(came);
    }
}

/// The law that rows are drawn by: whoever was silent for over twice the interval is gone, mostly.
fn law(recency: f64, interval: f64, segment: u32) -> f64 {
    let gone = if recency > 2.0 * interval { 0.1 } else { 1.0 };
    let usual = 1.0 - (-STEP_DAYS / interval).exp();
    (gone * usual * if segment == 1 { 0.5 } else { 1.0 }).min(0.95)
}

fn made(rows: usize) -> Made {
    let mut dice = Dice(11);
    let mut made = Made { segments: vec!["a".to_owned(), "b".to_owned()], ..Made::default() };
    for _ in 0..rows {
        let interval = (15.0 + 75.0 * dice.next()).round();
        let recency = (180.0 * dice.next() * dice.next()).round();
        let segment = u32::from(dice.next() < 0.5);
        let came = if dice.next() < law(recency, interval, segment) { per(interval) } else { 0.0 };
        made.push((recency, interval, segment), came);
    }
    made
}

fn per(interval: f64) -> f64 {
    (STEP_DAYS / interval).max(1.0)
}

fn fitted(made: &Made) -> Survival {
    let all: Vec<usize> = (0..made.recency.len()).collect();
    fit(&made.customers(), &all, &made.came()).unwrap()
}

#[test]
fn chances_are_near_those_that_rows_were_drawn_by() {
    let model = fitted(&made(6_000));
    assert!(model.is_sound() && model.columns().len() == model.weights().1.len());
    let mut asked = Made { segments: vec!["b".to_owned(), "a".to_owned()], ..Made::default() };
    let cases = [(5.0, 20.0), (10.0, 30.0), (20.0, 60.0), (70.0, 60.0), (110.0, 30.0), (140.0, 40.0)];
    for (recency, interval) in cases {
        // Here b comes first.
        asked.push((recency, interval, 1), 0.0);
        asked.push((recency, interval, 0), 0.0);
    }
    let found = model.p_order(&asked.customers());
    for (case, (recency, interval)) in cases.into_iter().enumerate() {
        for (place, segment) in [(0, 0), (1, 1)] {
            let (p, wanted) = (found[2 * case + place], law(recency, interval, segment));
            assert!((p - wanted).abs() < 0.1, "{recency} {interval} {segment}: {p} for {wanted}");
        }
    }
}

#[test]
fn silence_and_long_intervals_make_a_customer_worth_less() {
    let model = fitted(&made(6_000));
    let mut asked = Made { segments: vec!["a".to_owned()], ..Made::default() };
    for (recency, interval) in [(5.0, 20.0), (5.0, 60.0), (150.0, 20.0), (150.0, 60.0)] {
        asked.push((recency, interval, 0), 0.0);
    }
    let orders = model.orders_ahead(&asked.customers());
    assert!(orders[0] > 1.5 * orders[1], "{orders:?}");
    assert!(orders[2] < 0.8 * orders[0] && orders[3] < 0.9 * orders[1], "{orders:?}");
    // 36.5 steps, in each at most as many orders as the interval allows.
    assert!(orders.iter().all(|&orders| orders > 0.0 && orders < 36.6 * 1.5), "{orders:?}");
}

/// Where every step is alike, the sum is the number of steps times the chance.
#[test]
fn a_constant_chance_adds_up() {
    let model = Survival {
        intercept: 0.0,
        slopes: vec![0.0; COLUMNS],
        segments: Vec::new(),
        recency_max: 365.0,
        orders_scale: 1.2,
        penalty: 1.0,
    };
    let mut asked = Made::default();
    asked.push((10.0, 15.0, 9), 0.0);
    asked.push((10.0, f64::NAN, 9), 0.0);
    let orders = model.orders_ahead(&asked.customers());
    assert!((orders[0] - 36.5 * 0.5 * 2.0 * 1.2).abs() < 1e-9, "{orders:?}");
    assert!((orders[1] - 36.5 * 0.5 * 1.2).abs() < 1e-9, "{orders:?}");
}

#[test]
fn little_is_refused_and_the_same_rows_give_the_same_model() {
    let some = made(600);
    assert_eq!(fitted(&some), fitted(&some));
    assert!(fit(&some.customers(), &[], &some.came()).is_err());
    let none = vec![false; some.ordered.len()];
    let all: Vec<usize> = (0..none.len()).collect();
    assert!(fit(&some.customers(), &all, &Came { ordered: &none, orders: &some.came }).is_err());
    let mut cut = fitted(&some);
    cut.slopes.pop();
    assert!(!cut.is_sound());
}
