//! Reps: how much each can sell, how he works, and when he joins, moves and leaves.

use crate::draw::{Draw, Stream};
use crate::number::{at, narrow, real};

/// Median true capacity, in minor units a working day.
const CAPACITY_MEDIAN_MINOR: f64 = 400_000.0;
const CAPACITY_SIGMA: f64 = 0.45;
const RAMP_FLOOR: f64 = 0.25;
const REPS_PER_MANAGER: u32 = 8;

/// A rep.
#[derive(Debug, Clone)]
pub(crate) struct Rep {
    /// Day hired; negative before the first day generated.
    pub(crate) hired: i32,
    /// First day no longer on duty, and who takes over.
    pub(crate) left: Option<(i32, u32)>,
    /// Territory at first.
    pub(crate) territory: u32,
    /// Manager at first.
    pub(crate) manager: u32,
    /// A move, if any.
    pub(crate) moved: Option<Move>,
    /// True capacity, minor units a working day at full ramp in a neutral season and market.
    pub(crate) capacity: f64,
    /// Days from hiring to full capacity.
    pub(crate) ramp_days: i32,
    /// How thorough he is, 0 to 1: visits, evidence, discovery, speed of answers.
    pub(crate) diligence: f64,
    /// Role.
    pub(crate) role: &'static str,
    /// Whether he has agreed to the use of his behaviour.
    pub(crate) consents: bool,
}

/// A change of territory, of manager, or of both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    /// The day it takes effect.
    pub(crate) day: i32,
    /// The new territory.
    pub(crate) territory: u32,
    /// The new manager.
    pub(crate) manager: u32,
}

impl Rep {
    /// Whether he sells on a day.
    pub(crate) fn on_duty(&self, day: i32) -> bool {
        self.hired <= day && self.left.is_none_or(|(left, _)| day < left)
    }

    /// Share of his capacity that he has reached on a day.
    pub(crate) fn ramp(&self, day: i32) -> f64 {
        let tenure = real(i64::from((day - self.hired).max(0)));
        RAMP_FLOOR + (1.0 - RAMP_FLOOR) * (tenure / f64::from(self.ramp_days)).min(1.0)
    }

    /// His territory on a day.
    pub(crate) fn territory_on(&self, day: i32) -> u32 {
        self.moved.filter(|moved| moved.day <= day).map_or(self.territory, |moved| moved.territory)
    }
}

/// The managers of a number of reps over some territories: those of a territory are consecutive.
struct Managers {
    per_territory: u32,
}

impl Managers {
    fn new(reps: u32, territories: u32) -> Self {
        Self { per_territory: (reps / territories).div_ceil(REPS_PER_MANAGER).max(1) }
    }

    fn of(&self, territory: u32, draw: &mut Draw) -> u32 {
        territory * self.per_territory + draw.below(self.per_territory)
    }
}

/// Every rep of the world.
pub(crate) fn reps(seed: u64, count: u32, territories: u32, days: i32) -> Vec<Rep> {
    let managers = Managers::new(count, territories);
    let mut all: Vec<Rep> = (0..count).map(|n| describe(seed, n, territories, &managers, days)).collect();
    let stays = |rep: &Rep| rep.hired <= 0 && rep.left.is_none() && rep.moved.is_none();
    let stable: Vec<(u32, u32)> =
        all.iter().zip(0..).filter(|(rep, _)| stays(rep)).map(|(rep, n)| (n, rep.territory)).collect();
    for n in 0..count {
        let rep = &all[at(n)];
        let Some((day, _)) = rep.left else { continue };
        let mut draw = Draw::new(seed, Stream::Rep, u64::from(n), 2);
        let near: Vec<u32> = stable.iter().filter(|(_, t)| *t == rep.territory).map(|(n, _)| *n).collect();
        let heir =
            if near.is_empty() { stable[at(draw.below(narrow(stable.len())))].0 } else { draw.pick(&near) };
        all[at(n)].left = Some((day, heir));
    }
    all
}

fn describe(seed: u64, n: u32, territories: u32, managers: &Managers, days: i32) -> Rep {
    let mut draw = Draw::new(seed, Stream::Rep, u64::from(n), 0);
    let skill = draw.normal();
    let own = draw.normal();
    // Rank of a correlated normal, squeezed into (0, 1).
    let style = 0.6 * skill + 0.8 * own;
    let diligence = 0.5 + 0.5 * style / (1.0 + style.abs());
    let territory = n % territories;
    let mut rep = Rep {
        hired: -draw.count(120, 2_500),
        left: None,
        territory,
        manager: managers.of(territory, &mut draw),
        moved: None,
        capacity: CAPACITY_MEDIAN_MINOR * crate::number::exp(CAPACITY_SIGMA * skill),
        ramp_days: draw.count(60, 180),
        diligence,
        role: "account_executive",
        consents: draw.chance(0.97),
    };
    rep.role = match rep.hired {
        ..-1_200 => "senior_account_executive",
        -300.. => "junior_account_executive",
        _ => "account_executive",
    };
    // The first rep is always there; short worlds have no changes.
    if n > 0 && days >= 10 {
        change(&mut rep, &mut Draw::new(seed, Stream::Rep, u64::from(n), 1), territories, managers, days);
    }
    rep
}

fn change(rep: &mut Rep, draw: &mut Draw, territories: u32, managers: &Managers, days: i32) {
    let fate = draw.unit();
    let day = draw.count(days / 5, days - 2);
    if fate < 0.08 {
        rep.hired = day;
        rep.role = "junior_account_executive";
    } else if fate < 0.18 {
        rep.hired = -draw.count(0, 119);
        rep.role = "junior_account_executive";
    } else if fate < 0.24 {
        rep.left = Some((day, 0));
    } else if fate < 0.30 {
        let changes_territory = territories > 1 && draw.chance(0.6);
        let step = if changes_territory { 1 + draw.below(territories - 1) } else { 0 };
        let territory = (rep.territory + step) % territories;
        rep.moved = Some(Move { day, territory, manager: managers.of(territory, draw) });
    }
}
