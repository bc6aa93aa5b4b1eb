//! Leads: created, assigned, answered, and in the end converted, lost or left lying.

use serde::Serialize;

use crate::clock::{HOUR, SECOND};
use crate::draw::{Draw, Stream};
use crate::event::{Event, Value, named, write_lead, write_rep};
use crate::kind::Kind;
use crate::life::deal::Sales;
use crate::life::hours::{business, minutes, waking};
use crate::life::opportunity::Opening;
use crate::life::pending::Pending;
use crate::life::profile::Profile;
use crate::number::{at, narrow, real, whole};
use crate::world::{PRODUCTS, World};

/// The truth about a lead.
#[derive(Debug, Serialize)]
pub(crate) struct LeadTruth {
    lead_id: String,
    created_at: String,
    rep_id: String,
    region_id: String,
    source: &'static str,
    p_convert: f64,
    converts: bool,
}

/// Draws the lives of the leads created on a day.
pub(crate) fn day(world: &World, day: i32, sales: &mut Sales, pending: &mut Pending) -> Vec<LeadTruth> {
    let on_duty: Vec<u32> =
        (0..narrow(world.reps.len())).filter(|&rep| world.reps[at(rep)].on_duty(day)).collect();
    let numbers = world.pace.leads_until(day - 1)..world.pace.leads_until(day);
    numbers.map(|number| live(world, number, day, &on_duty, sales, pending)).collect()
}

fn live(
    world: &World,
    number: u32,
    day: i32,
    on_duty: &[u32],
    sales: &mut Sales,
    pending: &mut Pending,
) -> LeadTruth {
    let mut draw = Draw::new(world.seed, Stream::Lead, u64::from(number), 0);
    let mut rep = draw.pick(on_duty);
    let first_rep = rep;
    let profile = Profile::new(&mut draw, world.reps[at(rep)].diligence);
    let created = world.clock.instant(day, waking(&mut draw));
    let region = world.territory_id(rep, day);
    push_creation(world, number, day, created, region, &profile, &mut draw, pending);
    let assigned = created + whole(draw.between(1.0, 40.0) * real(SECOND));
    let mut push = |kind, time, rep| {
        let mut event = Event::new(kind, time).lead(number);
        event.rep = rep;
        pending.push(world, event, day);
    };
    push(Kind::LeadAssigned, assigned, rep);
    if profile.response_seconds.is_none_or(|seconds| seconds > 7_200.0) && draw.chance(0.3) {
        rep = draw.pick(on_duty);
        push(Kind::LeadAssigned, assigned + HOUR, rep);
    }
    let mut answered = created;
    if let Some(seconds) = profile.response_seconds {
        answered = answer_time(world, day, created, seconds, &mut draw);
        push(Kind::LeadResponded, answered, rep);
        let touch = if draw.chance(0.6) { Kind::CallConnected } else { Kind::WechatMessageSent };
        push(touch, answered + minutes(draw.between(0.2, 20.0)), rep);
        if draw.chance(0.25 + 0.6 * world.reps[at(rep)].diligence) {
            let sent = world.clock.day_of(answered, day) + draw.count(1, 5);
            push(Kind::MaterialSent, world.clock.instant(sent, business(&mut draw)), rep);
        }
    } else {
        push(Kind::CallUnanswered, created + minutes(draw.between(60.0, 600.0)), rep);
    }
    let truth = LeadTruth {
        lead_id: named(write_lead, number),
        created_at: world.clock.text(created),
        rep_id: named(write_rep, first_rep),
        region_id: region.to_owned(),
        source: profile.source,
        p_convert: profile.p_convert,
        converts: draw.chance(profile.p_convert),
    };
    let after = |days: f64| created.max(answered) + whole(days * 24.0 * real(HOUR));
    let qualified = after(profile.qualified_after);
    let ended = after(profile.qualified_after + profile.ended_after);
    let end = Ending { number, rep, day, qualified, ended, converts: truth.converts };
    finish(world, &end, &mut draw, sales, pending);
    truth
}

/// When an answer that takes some seconds by day really comes: half of those due at night wait for the morning.
fn answer_time(world: &World, day: i32, created: i64, seconds: f64, draw: &mut Draw) -> i64 {
    let due = created + whole(seconds * real(SECOND));
    let due_day = world.clock.day_of(due, day);
    let asleep = due > world.clock.hour(due_day, 19.5) || due < world.clock.hour(due_day, 8.5);
    if asleep && draw.chance(0.5) {
        let morning = if due < world.clock.hour(due_day, 8.5) { due_day } else { due_day + 1 };
        world.clock.hour(morning, draw.between(9.0, 9.5))
    } else {
        due
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one event, called once")]
fn push_creation(
    world: &World,
    number: u32,
    day: i32,
    created: i64,
    region: &str,
    profile: &Profile,
    draw: &mut Draw,
    pending: &mut Pending,
) {
    let mut attributes: Vec<(&'static str, Value)> = Vec::with_capacity(10);
    if let Some(budget) = profile.budget {
        attributes.push(("budget", Value::Number(budget)));
    }
    attributes.push(("company_size", Value::Text(profile.size)));
    attributes.push(("industry", Value::Text(profile.industry)));
    if let Some(title) = profile.title {
        attributes.push(("job_title", Value::Text(title)));
    }
    if let Some(digits) = profile.phone {
        attributes.push(("phone", Value::Other(format!("138****{digits:04}").into())));
    }
    attributes.push(("product_id", Value::Product(draw.below(PRODUCTS))));
    attributes.push(("region_id", Value::Other(region.into())));
    attributes.push(("source", Value::Text(profile.source)));
    if let Some(timeline) = profile.timeline {
        attributes.push(("timeline", Value::Text(timeline)));
    }
    let mut event = Event::new(Kind::LeadCreated, created).lead(number);
    event.attributes = Some(attributes.into_boxed_slice());
    pending.push(world, event, day);
    if profile.form {
        pending.push(world, Event::new(Kind::WebFormSubmitted, created + SECOND).lead(number), day);
    }
    for _ in 0..profile.pricing_views {
        let time = created + minutes(draw.between(5.0, 4_000.0));
        pending.push(world, Event::new(Kind::WebPricingViewed, time).lead(number), day);
    }
}

/// How a lead ends.
struct Ending {
    number: u32,
    rep: u32,
    day: i32,
    qualified: i64,
    ended: i64,
    converts: bool,
}

fn finish(world: &World, end: &Ending, draw: &mut Draw, sales: &mut Sales, pending: &mut Pending) {
    let event = |kind, time| {
        let mut event = Event::new(kind, time).lead(end.number);
        event.rep = end.rep;
        event
    };
    if !end.converts {
        let fate = draw.unit();
        if fate < 0.35 {
            pending.push(world, event(Kind::LeadQualified, end.qualified), end.day);
            let reason = [("reason", Value::Text(draw.pick(&["price", "timing", "competitor"])))];
            pending.push(world, event(Kind::LeadLost, end.ended).attributes(reason), end.day);
        } else if fate < 0.80 {
            let reason = [("reason", Value::Text(draw.pick(&["no_budget", "unreachable", "not_a_fit"])))];
            pending.push(world, event(Kind::LeadDisqualified, end.qualified).attributes(reason), end.day);
        }
        return;
    }
    pending.push(world, event(Kind::LeadQualified, end.qualified), end.day);
    let opened_on = world.clock.day_of(end.ended, end.day);
    if !world.covers(opened_on) {
        return;
    }
    let rep = world.acting(end.rep, opened_on);
    let customer = world.customer_of(rep, opened_on, draw);
    let mut converted = event(Kind::LeadConverted, end.ended).opportunity(sales.opened());
    converted.customer = customer;
    pending.push(world, converted, end.day);
    let opening = Opening {
        number: 0,
        rep,
        customer,
        lead: end.number,
        day: opened_on,
        time: Some(end.ended + SECOND),
        stage: 0,
        amount_mean: 0.0,
    };
    sales.open(world, opening, pending);
}
