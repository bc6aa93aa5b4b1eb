//! Deals: a rep's expected sales of a day are his capacity × ramp × season × market. The expected wins of his
//! pipeline are a part of them; the run-rate, small deals that no opportunity announced, is the rest.

use crate::draw::{Draw, Stream};
use crate::event::{Event, Value};
use crate::kind::Kind;
use crate::life::hours::{business, minutes};
use crate::life::opportunity::{self, ADVANCE, LOSE, Opening, STAGES, amount_mean, move_probability};
use crate::life::pending::Pending;
use crate::life::profile::Survey;
use crate::number::{at, narrow};
use crate::world::{PRODUCTS, World};

/// Share of sales that comes through opportunities once the pipeline has settled.
const PIPELINE_SHARE: f64 = 0.45;
/// A run-rate deal's mean, in days of capacity.
const DEAL_DAYS: f64 = 1.6;
const DEAL_SIGMA: f64 = 0.6;

/// What is to be expected of every rep's pipeline, and what is opened and signed.
#[derive(Debug)]
pub(crate) struct Sales {
    /// Expected base amount of the open opportunities, by rep and stage.
    value: Vec<[f64; 7]>,
    /// Mean base amount of a new opportunity, by rep.
    amount_mean: Vec<f64>,
    survey: Survey,
    /// The next opportunity's number.
    next: u32,
    /// Expected sales of the day, by rep, minor units.
    pub(crate) expected: Vec<f64>,
}

impl Sales {
    /// The pipeline before the first day.
    pub(crate) fn new(world: &World) -> Self {
        let survey = Survey::new(world);
        let openings = world.pace.openings + world.pace.leads_per_rep * survey.conversion();
        let mean = |rep: &crate::world::rep::Rep| amount_mean(rep.capacity, PIPELINE_SHARE, openings);
        let reps = world.reps.len();
        Self {
            value: vec![[0.0; 7]; reps],
            amount_mean: world.reps.iter().map(mean).collect(),
            survey,
            next: 0,
            expected: vec![0.0; reps],
        }
    }

    /// Opportunities opened so far.
    pub(crate) fn opened(&self) -> u32 {
        self.next
    }

    /// Opens an opportunity.
    pub(crate) fn open(&mut self, world: &World, opening: Opening, pending: &mut Pending) {
        let opening =
            Opening { number: self.next, amount_mean: self.amount_mean[at(opening.rep)], ..opening };
        self.next += 1;
        opportunity::live(world, opening, pending);
    }

    /// The pipeline that was there before the first day: settled, as hazards don't age.
    pub(crate) fn migrate(&mut self, world: &World, pending: &mut Pending) {
        let openings = world.pace.openings + world.pace.leads_per_rep * self.survey.conversion();
        for rep in (0..narrow(world.reps.len())).filter(|&rep| world.reps[at(rep)].hired <= 0) {
            let mut draw = Draw::new(world.seed, Stream::Opening, u64::from(rep), 0);
            let mut reaching = openings;
            for stage in 0..STAGES.len() {
                let mean = reaching / (ADVANCE[stage] + LOSE[stage]);
                reaching *= move_probability(stage);
                self.value[at(rep)][stage] = mean * self.amount_mean[at(rep)];
                for _ in 0..draw.poisson(mean) {
                    let customer = world.customer_of(rep, 0, &mut draw);
                    let time = Some(world.clock.hour(0, draw.between(8.0, 9.0)));
                    self.open(world, Opening { time, stage, ..new_opening(rep, customer, 0) }, pending);
                }
            }
        }
    }

    /// One day of every rep: what he may expect, what he opens, what he signs.
    pub(crate) fn day(&mut self, world: &World, day: i32, pending: &mut Pending) {
        let working = world.calendar.day(day).working;
        let on_duty = world.reps.iter().filter(|rep| rep.on_duty(day)).count();
        let conversions = self.survey.conversions(world, day) / f64::from(narrow(on_duty)).max(1.0);
        self.inherit(world, day);
        for rep in 0..narrow(world.reps.len()) {
            self.expected[at(rep)] = 0.0;
            if !world.reps[at(rep)].on_duty(day) {
                continue;
            }
            let mut draw = Draw::new(world.seed, Stream::Deal, u64::from(rep), u64::from(day.unsigned_abs()));
            let factor = world.factor(rep, day);
            let wins = if working { self.advance(rep, day == 0) * factor } else { 0.0 };
            let openings = if working { world.pace.openings } else { 0.0 };
            self.value[at(rep)][0] += (openings + conversions) * self.amount_mean[at(rep)];
            for _ in 0..draw.poisson(openings) {
                let customer = world.customer_of(rep, day, &mut draw);
                self.open(world, new_opening(rep, customer, day), pending);
            }
            let rest = (world.reps[at(rep)].capacity * factor - wins).max(0.0);
            self.expected[at(rep)] = wins + rest;
            let mean = world.reps[at(rep)].capacity * DEAL_DAYS / world.pace.activity;
            for _ in 0..draw.poisson(rest / mean) {
                sign(world, rep, day, mean, &mut draw, pending);
            }
        }
    }

    /// Moves a rep's expected pipeline on by a working day; returns the expected base amount of wins. Nothing
    /// moves on the day when everything is migrated.
    fn advance(&mut self, rep: u32, first: bool) -> f64 {
        if first {
            return 0.0;
        }
        let value = &mut self.value[at(rep)];
        let wins = value[6] * ADVANCE[6];
        for stage in (0..7).rev() {
            let arriving = if stage == 0 { 0.0 } else { value[stage - 1] * ADVANCE[stage - 1] };
            value[stage] = value[stage] * (1.0 - ADVANCE[stage] - LOSE[stage]) + arriving;
        }
        wins
    }

    /// Hands the pipelines of reps who leave today to their heirs.
    fn inherit(&mut self, world: &World, day: i32) {
        for (gone, rep) in world.reps.iter().enumerate() {
            if let Some((left, heir)) = rep.left
                && left == day
            {
                let value = std::mem::take(&mut self.value[gone]);
                for (stage, amount) in value.into_iter().enumerate() {
                    self.value[at(heir)][stage] += amount;
                }
            }
        }
    }
}

fn new_opening(rep: u32, customer: u32, day: i32) -> Opening {
    Opening {
        number: 0,
        rep,
        customer,
        lead: crate::event::NONE,
        day,
        time: None,
        stage: 0,
        amount_mean: 0.0,
    }
}

/// Signs a deal that no opportunity announced.
fn sign(world: &World, rep: u32, day: i32, mean: f64, draw: &mut Draw, pending: &mut Pending) {
    let customer = world.customer_of(rep, day, draw);
    let amount = draw.amount(mean, DEAL_SIGMA);
    let time = world.clock.instant(day, business(draw));
    let deal = Event::new(Kind::DealSigned, time).of(rep, customer).amount(amount).attributes([
        ("product_id", Value::Product(draw.below(PRODUCTS))),
        ("region_id", Value::Other(world.territory_id(rep, day).into())),
    ]);
    pending.push(world, deal, day);
    if draw.chance(0.5) {
        let contract = Event::new(Kind::ContractSigned, time - minutes(3.0)).of(rep, customer).evidence(1);
        pending.push(world, contract, day);
    }
    let paid_on = day + draw.count(7, 45);
    let paid = world.clock.instant(paid_on, business(draw));
    pending.push(world, Event::new(Kind::PaymentReceived, paid).of(rep, customer).amount(amount), day);
}
