//! Orders by each customer's own rhythm, and the complaints that follow some of them.

use crate::draw::{Draw, Stream};
use crate::event::{Event, NONE, Value};
use crate::kind::Kind;
use crate::life::hours::waking;
use crate::life::pending::Pending;
use crate::number::{at, narrow, real, slot, whole_days};
use crate::world::{PRODUCTS, World};

/// Probability that an order is the last.
const CHURN: f64 = 0.03;
const COMPLAINT: f64 = 0.03;

/// Who orders when.
#[derive(Debug)]
pub(crate) struct Orders {
    /// Customers by the day of their next order.
    next: Vec<Vec<u32>>,
}

impl Orders {
    pub(crate) fn new(world: &World) -> Self {
        let mut orders = Self { next: vec![Vec::new(); slot(world.clock.days())] };
        for n in 0..narrow(world.customers.all.len()) {
            let customer = &world.customers.all[at(n)];
            if customer.interval_days > 0.0 && !customer.silent {
                let mut draw = Draw::new(world.seed, Stream::Order, u64::from(n), 0);
                let wait = whole_days(draw.unit() * f64::from(customer.interval_days));
                orders.wait(n, customer.created.max(-1) + 1 + wait);
            }
        }
        orders
    }

    fn wait(&mut self, customer: u32, day: i32) {
        if let Some(customers) = self.next.get_mut(slot(day)) {
            customers.push(customer);
        }
    }

    /// Places the orders of a day.
    pub(crate) fn day(&mut self, world: &World, day: i32, pending: &mut Pending) {
        for n in std::mem::take(&mut self.next[slot(day)]) {
            let customer = &world.customers.all[at(n)];
            let index = u64::from(day.unsigned_abs()) + 1;
            let mut draw = Draw::new(world.seed, Stream::Order, u64::from(n), index);
            let time = world.clock.instant(day, waking(&mut draw));
            let by_rep = draw.chance(0.7);
            let rep = if by_rep { world.customers.owner(n, day, &world.reps) } else { NONE };
            let order = Event::new(Kind::OrderPlaced, time)
                .of(rep, n)
                .amount(draw.amount(real(customer.order_mean), 0.4))
                .attributes([("product_id", Value::Product(draw.below(PRODUCTS)))]);
            pending.push(world, order, day);
            if draw.chance(COMPLAINT) {
                complain(world, n, day, &mut draw, pending);
            }
            if !draw.chance(CHURN) {
                let wait = draw.log_normal(f64::from(customer.interval_days), 0.25);
                self.wait(n, day + whole_days(wait).max(1));
            }
        }
    }
}

fn complain(world: &World, customer: u32, day: i32, draw: &mut Draw, pending: &mut Pending) {
    let raised_on = day + draw.count(1, 10);
    let raised = world.clock.instant(raised_on, waking(draw));
    let reason = draw.pick(&["quality", "delivery", "billing", "service"]);
    let event = Event::new(Kind::ComplaintRaised, raised)
        .of(NONE, customer)
        .attributes([("reason", Value::Text(reason))]);
    pending.push(world, event, day);
    if draw.chance(0.85) {
        let resolved = world.clock.instant(raised_on + draw.count(1, 5), waking(draw));
        pending.push(world, Event::new(Kind::ComplaintResolved, resolved).of(NONE, customer), day);
    }
}
