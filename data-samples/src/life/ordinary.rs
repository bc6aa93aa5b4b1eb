//! Ordinary events: the calls, messages, visits and page views that make up most of a day. One cheap draw of
//! a customer, its rep, a type and a time each.

use crate::draw::{Draw, Stream};
use crate::event::{Event, NONE, Value};
use crate::kind::{Channel, Kind};
use crate::life::hours::{business, waking};
use crate::number::at;
use crate::world::{PRODUCTS, World};

/// How often each type happens, in thousandths or so.
const WEIGHTS: [(Kind, usize); 26] = [
    (Kind::CallConnected, 140),
    (Kind::CallUnanswered, 60),
    (Kind::CallVoicemailLeft, 15),
    (Kind::WechatMessageSent, 150),
    (Kind::WechatMessageReceived, 90),
    (Kind::WechatMaterialOpened, 40),
    (Kind::EmailSent, 90),
    (Kind::EmailOpened, 70),
    (Kind::EmailReplied, 20),
    (Kind::VisitCheckedIn, 60),
    (Kind::MeetingHeld, 38),
    (Kind::MaterialSent, 60),
    (Kind::DemoGiven, 12),
    (Kind::DemoDeclined, 3),
    (Kind::NeedRecorded, 18),
    (Kind::BudgetConfirmed, 10),
    (Kind::DecisionMakerIdentified, 9),
    (Kind::CompetitorMentioned, 8),
    (Kind::SolutionAccepted, 2),
    (Kind::SolutionRejected, 2),
    (Kind::PriceMentioned, 8),
    (Kind::PriceObjection, 4),
    (Kind::WebPageViewed, 60),
    (Kind::WebProductViewed, 40),
    (Kind::WebPricingViewed, 15),
    (Kind::WebFormSubmitted, 4),
];
const SLOTS: usize = 1_024;
const PAGES: [&str; 8] =
    ["/", "/about", "/blog", "/cases", "/contact", "/products", "/solutions", "/support"];
const MATERIALS: [&str; 6] =
    ["brochure", "case_book", "data_sheet", "price_list", "reference_list", "white_paper"];

/// The types by lot: as many slots each as its weight.
#[derive(Debug)]
pub(crate) struct Mix {
    slots: Vec<Kind>,
}

impl Mix {
    pub(crate) fn new() -> Self {
        let mut slots: Vec<Kind> =
            WEIGHTS.iter().flat_map(|&(kind, weight)| std::iter::repeat_n(kind, weight)).collect();
        slots.resize(SLOTS, Kind::WechatMessageSent);
        Self { slots }
    }

    /// Appends some ordinary events of a day.
    pub(crate) fn fill(&self, world: &World, day: i32, count: u64, events: &mut Vec<Event>) {
        let day_key = u64::from(day.unsigned_abs());
        for n in 0..count {
            let mut draw = Draw::new(world.seed, Stream::Ordinary, day_key, n);
            events.push(self.one(world, day, &mut draw));
        }
    }

    fn one(&self, world: &World, day: i32, draw: &mut Draw) -> Event {
        let slot = usize::try_from(draw.bits() >> 54).unwrap_or(0);
        let customer = world.customers.anybody(day, draw);
        let rep = world.customers.owner(customer, day, &world.reps);
        let diligence = world.reps[at(rep)].diligence;
        let kind = by_habit(self.slots[slot], diligence, draw);
        let by_customer = matches!(kind.channel(), Channel::Web) || !kind.needs_rep() && draw.chance(0.5);
        let offset = if by_customer { waking(draw) } else { business(draw) };
        let event = Event::new(kind, world.clock.instant(day, offset));
        let mut event = event.of(if by_customer { NONE } else { rep }, customer);
        if kind.is_touch() && draw.chance(0.1 + 0.4 * diligence) {
            event.evidence = 1 + u8::from(draw.chance(0.2)) + u8::from(draw.chance(0.05));
        }
        describe(event, draw)
    }
}

/// What takes effort becomes a message or a call with those who shun it.
fn by_habit(kind: Kind, diligence: f64, draw: &mut Draw) -> Kind {
    let costly = matches!(
        kind,
        Kind::VisitCheckedIn
            | Kind::MeetingHeld
            | Kind::MaterialSent
            | Kind::DemoGiven
            | Kind::NeedRecorded
            | Kind::BudgetConfirmed
            | Kind::DecisionMakerIdentified
    );
    if costly && draw.unit() > 0.3 + 0.9 * diligence {
        if draw.chance(0.5) { Kind::WechatMessageSent } else { Kind::CallConnected }
    } else {
        kind
    }
}

fn describe(event: Event, draw: &mut Draw) -> Event {
    match event.kind {
        Kind::CallConnected => event.attributes([("duration_seconds", Value::Number(15 + draw.below(900)))]),
        Kind::MeetingHeld => event.attributes([("duration_seconds", Value::Number(900 + draw.below(6_300)))]),
        Kind::MaterialSent | Kind::WechatMaterialOpened => {
            event.attributes([("material_id", Value::Text(draw.pick(&MATERIALS)))])
        }
        Kind::WebPageViewed => event.attributes([("url", Value::Text(draw.pick(&PAGES)))]),
        Kind::WebProductViewed | Kind::DemoGiven | Kind::DemoDeclined => {
            event.attributes([("product_id", Value::Product(draw.below(PRODUCTS)))])
        }
        Kind::CompetitorMentioned => {
            event.attributes([("competitor", Value::Text(draw.pick(&["alder", "birch", "cedar"])))])
        }
        _ => event,
    }
}
