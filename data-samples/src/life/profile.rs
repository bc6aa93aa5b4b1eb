//! What a lead is like: the true probability that it converts, from what is known of it and how it is treated.

use crate::draw::{Draw, Stream};
use crate::number::{at, exp, narrow, slot, whole_days};
use crate::world::World;

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
const TITLES: [&str; 4] = ["buyer", "director", "engineer", "owner"];
const TIMELINES: [&str; 4] = ["now", "1_month", "3_months", "6_months"];
const BASE_LOG_ODDS: f64 = -1.9;
const SURVEYED: u32 = 4_096;

/// What a lead is like, and what will come of it.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Where it comes from.
    pub(crate) source: &'static str,
    /// Employees, as a band.
    pub(crate) size: &'static str,
    /// Industry.
    pub(crate) industry: &'static str,
    /// Budget in major units, where given.
    pub(crate) budget: Option<u32>,
    /// The person's job, where given.
    pub(crate) title: Option<&'static str>,
    /// When they mean to buy, where given.
    pub(crate) timeline: Option<&'static str>,
    /// Last digits of the telephone number, where given.
    pub(crate) phone: Option<u32>,
    /// Views of the pricing page.
    pub(crate) pricing_views: u32,
    /// Whether it came by a form.
    pub(crate) form: bool,
    /// Seconds until answered, by day; none = never.
    pub(crate) response_seconds: Option<f64>,
    /// True probability of conversion.
    pub(crate) p_convert: f64,
    /// Days from creation or answer to qualification.
    pub(crate) qualified_after: f64,
    /// Days from there to conversion or loss.
    pub(crate) ended_after: f64,
}

impl Profile {
    /// A lead in the hands of a rep.
    pub(crate) fn new(draw: &mut Draw, diligence: f64) -> Self {
        let source = SOURCES[draw.weighted(&SOURCES.map(|(_, weight, _)| weight))];
        let size = SIZES[draw.weighted(&SIZES.map(|(_, weight, _)| weight))];
        let industry = draw.pick(&INDUSTRIES);
        let budget = draw.chance(0.35).then(|| 10_000 * (1 + draw.below(50)));
        let title = draw.chance(0.6).then(|| draw.pick(&TITLES));
        let timeline = draw.chance(0.3).then(|| draw.pick(&TIMELINES));
        let phone = draw.chance(0.7).then(|| draw.below(10_000));
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
            + yes(budget.is_some(), 0.5)
            + yes(title.is_some(), 0.3)
            + yes(timeline.is_some(), 0.6)
            + yes(phone.is_some(), 0.1)
            + yes(form, 0.2)
            + 0.3 * f64::from(pricing_views.min(3))
            + 0.8 * (diligence - 0.5);
        Self {
            source: source.0,
            size: size.0,
            industry,
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
            let one = Profile::new(&mut draw, rep.diligence);
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
