//! Opportunities: from stage to stage by known daily hazards, with what is said and sent on the way.
//!
//! On every working day after its opening an opportunity in stage s moves on with probability `ADVANCE[s]`
//! and is lost with `LOSE[s]`; moving on from the last stage is a win. The amount at a win is the opportunity's
//! base amount × the rep's true factor of that day.

use crate::clock::Clock;
use crate::draw::{Draw, Stream};
use crate::event::{Event, NONE, Value};
use crate::kind::Kind;
use crate::life::hours::{business, minutes};
use crate::life::pending::Pending;
use crate::number::{at, real, whole};
use crate::world::{PRODUCTS, World};

/// The stages, in order.
pub(crate) const STAGES: [&str; 7] =
    ["prospecting", "qualification", "discovery", "solution", "proposal", "negotiation", "contract"];
/// Probability of moving on, by working day.
pub(crate) const ADVANCE: [f64; 7] = [0.065, 0.06, 0.055, 0.05, 0.045, 0.045, 0.07];
/// Probability of being lost, by working day.
pub(crate) const LOSE: [f64; 7] = [0.014, 0.014, 0.014, 0.013, 0.011, 0.0125, 0.0055];
const LOSS_REASONS: [&str; 5] = ["price", "competitor", "no_budget", "timing", "no_need"];
/// Spread of base amounts around their mean.
pub(crate) const AMOUNT_SIGMA: f64 = 0.7;

/// Probability that a new opportunity is won in the end.
pub(crate) fn win_probability() -> f64 {
    (0..7).map(move_probability).product()
}

/// Probability of leaving a stage forwards.
pub(crate) fn move_probability(stage: usize) -> f64 {
    ADVANCE[stage] / (ADVANCE[stage] + LOSE[stage])
}

/// How an opportunity begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    /// Its number.
    pub(crate) number: u32,
    /// Owner.
    pub(crate) rep: u32,
    /// Customer.
    pub(crate) customer: u32,
    /// The lead it comes from, or [`NONE`].
    pub(crate) lead: u32,
    /// Day opened.
    pub(crate) day: i32,
    /// When, or none for some business hour.
    pub(crate) time: Option<i64>,
    /// Position of its first stage: not 0 where the pipeline was there before the first day.
    pub(crate) stage: usize,
    /// Mean of the base amount, minor units.
    pub(crate) amount_mean: f64,
}

/// An opportunity as it goes on.
struct Course<'a> {
    world: &'a World,
    pending: &'a mut Pending,
    opening: Opening,
    draw: Draw,
    base: f64,
    product: u32,
    discount: u32,
}

/// Draws the life of an opportunity.
pub(crate) fn live(world: &World, opening: Opening, pending: &mut Pending) {
    let mut draw = Draw::new(world.seed, Stream::Opportunity, u64::from(opening.number), 0);
    let base = draw.log_normal_of_mean(opening.amount_mean, AMOUNT_SIGMA);
    let product = draw.below(PRODUCTS);
    let discount = draw.below(21);
    let mut course = Course { world, pending, opening, draw, base, product, discount };
    course.open();
    let mut stage = opening.stage;
    let mut day = opening.day;
    loop {
        day += 1;
        if day >= world.clock.days() {
            return;
        }
        if !world.calendar.day(day).working {
            continue;
        }
        let u = course.draw.unit();
        if u < ADVANCE[stage] && stage + 1 == STAGES.len() {
            return course.win(day);
        } else if u < ADVANCE[stage] {
            stage += 1;
            course.enter(day, stage);
        } else if u < ADVANCE[stage] + LOSE[stage] {
            return course.lose(day, stage);
        }
    }
}

impl Course<'_> {
    fn event(&self, kind: Kind, time: i64) -> Event {
        Event::new(kind, time)
            .of(self.opening.rep, self.opening.customer)
            .opportunity(self.opening.number)
            .lead(if kind == Kind::OpportunityOpened { self.opening.lead } else { NONE })
    }

    fn push(&mut self, event: Event, day: i32) {
        self.pending.push(self.world, event, day);
    }

    /// A business time that leaves room for a few hours after it.
    fn time(&mut self, day: i32) -> i64 {
        let clock: &Clock = &self.world.clock;
        clock.hour(day, self.draw.between(9.0, 17.0))
    }

    fn diligence(&self) -> f64 {
        self.world.reps[at(self.opening.rep)].diligence
    }

    fn open(&mut self) {
        let Opening { day, stage, rep, lead, .. } = self.opening;
        let clock = &self.world.clock;
        let time = match self.opening.time {
            Some(time) => time,
            None => clock.instant(day, business(&mut self.draw)),
        };
        let close = clock.date(day + self.draw.count(20, 70)).to_string();
        let source = match (lead, stage) {
            (NONE, 0) => "rep",
            (NONE, _) => "migration",
            _ => "lead",
        };
        let region = self.world.territory_id(rep, day).into();
        let event = self.event(Kind::OpportunityOpened, time).amount(whole(self.base).max(100)).attributes([
            ("expected_close", Value::Other(close.into())),
            ("product_id", Value::Product(self.product)),
            ("region_id", Value::Other(region)),
            ("source", Value::Text(source)),
            ("stage", Value::Text(STAGES[stage])),
        ]);
        self.push(event, day);
        if stage == 0 && self.draw.chance(0.5) {
            self.act(day, time, Kind::NeedRecorded);
        }
    }

    fn enter(&mut self, day: i32, stage: usize) {
        let time = self.time(day);
        let event = self
            .event(Kind::OpportunityStageChanged, time)
            .attributes([("stage", Value::Text(STAGES[stage]))]);
        self.push(event, day);
        let diligence = self.diligence();
        let likely = 0.25 + 0.7 * diligence;
        let steps: &[(Kind, f64)] = match stage {
            1 => &[(Kind::CallConnected, 0.8), (Kind::NeedRecorded, likely * 0.6)],
            2 => &[
                (Kind::MeetingHeld, 0.7),
                (Kind::NeedRecorded, likely),
                (Kind::BudgetConfirmed, likely * 0.8),
                (Kind::DecisionMakerIdentified, likely * 0.8),
                (Kind::CompetitorMentioned, likely * 0.5),
            ],
            3 => &[
                (Kind::VisitCheckedIn, likely),
                (Kind::DemoDeclined, 0.15),
                (Kind::DemoGiven, 0.65),
                (Kind::MaterialSent, 0.5),
            ],
            4 => &[(Kind::QuoteSent, 1.0), (Kind::PriceMentioned, 0.4)],
            5 => &[
                (Kind::MeetingHeld, 0.6),
                (Kind::PriceObjection, 0.35),
                (Kind::SolutionRejected, 0.35 - 0.25 * diligence),
                (Kind::SolutionAccepted, 0.8),
            ],
            _ => &[(Kind::QuoteAccepted, 0.9)],
        };
        for &(kind, chance) in steps {
            if self.draw.chance(chance) {
                self.act(day, time, kind);
            }
        }
    }

    /// Something said or sent within two hours after a stage change.
    fn act(&mut self, day: i32, after: i64, kind: Kind) {
        let time = after + minutes(self.draw.between(1.0, 120.0));
        let mut event = self.event(kind, time);
        let has_evidence = kind.is_touch() && self.draw.chance(0.2 + 0.5 * self.diligence());
        event.evidence = u8::from(has_evidence);
        let discounted = self.base * (1.0 - f64::from(self.discount) / 100.0);
        event = match kind {
            Kind::QuoteSent | Kind::QuoteAccepted | Kind::QuoteRejected => {
                event.amount(whole(discounted).max(100)).attributes([
                    ("discount", Value::Number(self.discount)),
                    ("product_id", Value::Product(self.product)),
                ])
            }
            Kind::DemoGiven | Kind::DemoDeclined | Kind::MaterialSent | Kind::SolutionAccepted => {
                event.attributes([("product_id", Value::Product(self.product))])
            }
            _ => event,
        };
        self.push(event, day);
    }

    fn win(&mut self, day: i32) {
        let time = self.time(day);
        let rep = self.world.acting(self.opening.rep, day);
        let amount = whole(self.base * self.world.factor(rep, day)).max(1);
        let product = [("product_id", Value::Product(self.product))];
        let won = self.event(Kind::OpportunityWon, time).amount(amount).attributes(product.clone());
        self.push(won, day);
        let contract = self.event(Kind::ContractSigned, time + minutes(1.0)).amount(amount).evidence(1);
        self.push(contract, day);
        let region = self.world.territory_id(rep, day).into();
        let [product] = product;
        let deal = self
            .event(Kind::DealSigned, time + minutes(2.0))
            .amount(amount)
            .attributes([product, ("region_id", Value::Other(region))]);
        self.push(deal, day);
        let paid_on = day + self.draw.count(7, 45);
        let paid = self.world.clock.instant(paid_on, business(&mut self.draw));
        let payment = self.event(Kind::PaymentReceived, paid).amount(amount);
        self.push(payment, day);
    }

    fn lose(&mut self, day: i32, stage: usize) {
        let time = self.time(day);
        if stage >= 4 && self.draw.chance(0.6) {
            self.act(day, time - minutes(180.0), Kind::QuoteRejected);
        } else if stage >= 3 && self.draw.chance(0.6) {
            self.act(day, time - minutes(180.0), Kind::SolutionRejected);
        }
        let reason = LOSS_REASONS[self.draw.weighted(&[0.35, 0.25, 0.15, 0.15, 0.1])];
        let lost = self.event(Kind::OpportunityLost, time).attributes([("loss_reason", Value::Text(reason))]);
        self.push(lost, day);
    }
}

/// Mean of the base amounts of a rep's opportunities, minor units: such that in the long run they make up
/// `share` of his capacity at `openings` a working day.
pub(crate) fn amount_mean(capacity: f64, share: f64, openings: f64) -> f64 {
    share * capacity / (openings * win_probability()).max(1.0 / real(1 << 40))
}
