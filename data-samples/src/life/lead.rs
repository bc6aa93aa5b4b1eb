//! Leads: where they come from, how fast they are answered, and the true probability that they convert.

use serde::Serialize;

use crate::clock::{HOUR, SECOND};
use crate::draw::{Draw, Stream};
use crate::event::{Event, Value, named, write_lead, write_rep};
use crate::kind::Kind;
use crate::life::deal::Sales;
use crate::life::hours::{business, minutes, waking};
use crate::life::opportunity::Opening;
use crate::life::pending::Pending;
use crate::number::{at, exp, narrow, real, slot, whole, whole_days};
use crate::world::{PRODUCTS, World};

/// Sources with their weight and their effect on the log-odds of conversion.
const SOURCES: [(&str, f64, f64); 6] = [
    ("web_form", 0.30, 0.2),
    ("advertisement", 0.20, -0.3),
    ("wechat", 0.18, 0.0),
    ("referral", 0.12, 0.9),
    ("exhibition", 0.10, 0.1),
    ("cold_list", 0.10, -0.9),
];
/// Company sizes, likewise.
const SIZES: [(&str, f64, f64); 4] =
    [("1-49", 0.45, -0.2), ("50-249", 0.30, 0.1), ("250-999", 0.18, 0.3), ("1000+", 0.07, 0.0)];
const INDUSTRIES: [&str; 5] = ["manufacturing", "retail", "software", "logistics", "healthcare"];
const BASE_LOG_ODDS: f64 = -1.9;
const SURVEYED: u32 = 4_096;

/// What a lead is like, and what will come of it.
struct Profile {
    source: &'static str,
    size: &'static str,
    budget: bool,
    title: bool,
    timeline: bool,
    phone: bool,
    pricing_views: u32,
    form: bool,
    /// Seconds until answered by day; none = never.
    response_seconds: Option<f64>,
    p_convert: f64,
    /// Days from creation to qualification, and from there to conversion or loss.
    qualified_after: f64,
    ended_after: f64,
}

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

fn profile(draw: &mut Draw, diligence: f64) -> Profile {
    let source = SOURCES[draw.weighted(&SOURCES.map(|(_, weight, _)| weight))];
    let size = SIZES[draw.weighted(&SIZES.map(|(_, weight, _)| weight))];
    let (budget, title) = (draw.chance(0.35), draw.chance(0.6));
    let (timeline, phone) = (draw.chance(0.3), draw.chance(0.7));
    let pricing_views = draw.poisson(0.8).min(5);
    let form = source.0 == "web_form" || draw.chance(0.1);
    let seconds = draw.log_normal(300.0 * exp(1.6 * (0.5 - diligence)), 1.1).clamp(5.0, 300_000.0);
    let response_seconds = (!draw.chance(0.10 - 0.06 * diligence)).then_some(seconds);
    let speed = match response_seconds {
        Some(seconds) if seconds <= 900.0 => 0.5,
        Some(seconds) if seconds <= 1_800.0 => 0.1,
        Some(_) => -0.2,
        None => -2.5,
    };
    let yes = |fact: bool, effect: f64| if fact { effect } else { 0.0 };
    let log_odds = BASE_LOG_ODDS
        + source.2
        + size.2
        + speed
        + yes(budget, 0.5)
        + yes(title, 0.3)
        + yes(timeline, 0.6)
        + yes(phone, 0.1)
        + yes(form, 0.2)
        + 0.3 * f64::from(pricing_views.min(3))
        + 0.8 * (diligence - 0.5);
    Profile {
        source: source.0,
        size: size.0,
        budget,
        title,
        timeline,
        phone,
        pricing_views,
        form,
        response_seconds,
        p_convert: 1.0 / (1.0 + exp(-log_odds)),
        qualified_after: draw.between(0.5, 4.0),
        ended_after: draw.between(1.0, 12.0),
    }
}

/// The mean of many hypothetical leads, by which the expected pipeline is fed.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Conversions per lead, by whole days after its creation.
    by_lag: Vec<f64>,
}

impl Survey {
    pub(crate) fn new(world: &World) -> Self {
        let mut by_lag = vec![0.0; 20];
        for n in 0..SURVEYED {
            let mut draw = Draw::new(world.seed, Stream::LeadSurvey, u64::from(n), 0);
            let rep = &world.reps[at(draw.below(narrow(world.reps.len())))];
            let one = profile(&mut draw, rep.diligence);
            let lag = whole_days((one.qualified_after + one.ended_after + 0.1).floor());
            by_lag[slot(lag).min(19)] += one.p_convert / f64::from(SURVEYED);
        }
        Self { by_lag }
    }

    /// Conversions per lead.
    pub(crate) fn conversion(&self) -> f64 {
        self.by_lag.iter().sum()
    }

    /// Conversions to be expected on a day.
    pub(crate) fn conversions(&self, world: &World, day: i32) -> f64 {
        let created = |day: i32| {
            if day < 0 { 0 } else { world.pace.leads_until(day) - world.pace.leads_until(day - 1) }
        };
        (0..).zip(&self.by_lag).map(|(lag, share)| share * f64::from(created(day - lag))).sum()
    }
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
    let profile = profile(&mut draw, world.reps[at(rep)].diligence);
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
    if profile.budget {
        attributes.push(("budget", Value::Number(10_000 * (1 + draw.below(50)))));
    }
    attributes.push(("company_size", Value::Text(profile.size)));
    attributes.push(("industry", Value::Text(draw.pick(&INDUSTRIES))));
    if profile.title {
        attributes.push(("job_title", Value::Text(draw.pick(&["buyer", "director", "engineer", "owner"]))));
    }
    if profile.phone {
        attributes.push(("phone", Value::Other(format!("138****{:04}", draw.below(10_000)).into())));
    }
    attributes.push(("product_id", Value::Product(draw.below(PRODUCTS))));
    attributes.push(("region_id", Value::Other(region.into())));
    attributes.push(("source", Value::Text(profile.source)));
    if profile.timeline {
        attributes.push(("timeline", Value::Text(draw.pick(&["now", "1_month", "3_months", "6_months"]))));
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
