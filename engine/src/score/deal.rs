//! Opportunities as stays in stages, counted in working days.

use std::collections::BTreeMap;

use super::WinScorer;
use crate::error::{EngineError, Result};
use crate::measure::opportunity::Opportunity;
use crate::quota::Span;
use crate::settings::Period;
use crate::time::{Day, Zone};

/// Days that the working days of a forecast lie within.
const DAYS_AHEAD: Day = 400;

/// The working days of a span, counted up.
#[derive(Debug, Clone, Default)]
pub struct Workdays {
    first: Day,
    /// Working days up to and with each day.
    until: Vec<usize>,
}

impl Workdays {
    /// The working days from `first` to `last`: the calendar's word, Monday to Friday without one.
    pub(crate) fn new(first: Day, last: Day, calendar: &BTreeMap<Day, bool>) -> Self {
        let mut count = 0;
        let until = (first..=last)
            .map(|day| {
                let weekday = (day + 3).rem_euclid(7) < 5;
                count += usize::from(calendar.get(&day).copied().unwrap_or(weekday));
                count
            })
            .collect();
        Self { first, until }
    }

    /// Working days after `from`, up to and with `to`.
    pub(crate) fn between(&self, from: Day, to: Day) -> usize {
        self.up_to(to).saturating_sub(self.up_to(from))
    }

    /// The `n`-th working day after `from`, counted from 1.
    pub(crate) fn after(&self, from: Day, n: usize) -> Option<Day> {
        let wanted = self.up_to(from) + n;
        let place = self.until.partition_point(|&count| count < wanted);
        let found = place < self.until.len();
        found.then(|| self.first + Day::try_from(place).unwrap_or(0))
    }

    fn up_to(&self, day: Day) -> usize {
        let Ok(place) = usize::try_from(day - self.first) else { return 0 };
        self.until.get(place).or(self.until.last()).copied().unwrap_or(0)
    }
}

/// The number of a stage: its rank, or the one after the last for a stage that isn't configured.
pub(crate) fn stage_number(rank: Option<i64>, configured: usize) -> usize {
    rank.and_then(|rank| usize::try_from(rank).ok()).unwrap_or(configured).min(configured)
}

/// How long an opportunity was in a stage, and how that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// The number of the stage.
    pub stage: usize,
    /// Working days on which it could have ended, at least 1.
    pub days: usize,
    /// How the last of them ended.
    pub end: StayEnd,
}

/// How a stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StayEnd {
    /// Not yet.
    Open,
    /// In another stage.
    Moved(usize),
    /// With the win.
    Won,
    /// With the loss.
    Lost,
}

/// An opportunity as it stood at the end of a past day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DealLook {
    /// The day.
    pub day: Day,
    /// The number of its stage.
    pub stage: usize,
    /// Working days in that stage.
    pub age: usize,
    /// Working days until the quota period ends, of the thirty days after.
    pub days_ahead: usize,
    /// Whether it was won within them.
    pub won: bool,
}

/// What models of wins learn from.
#[derive(Debug, Clone, Default)]
pub struct DealRows {
    /// The names of the stages; one number more stands for others.
    pub stages: Vec<Vec<String>>,
    /// Open opportunities on past days, in the order of the days.
    pub looks: Vec<DealLook>,
    paths: Vec<Path>,
    workdays: Workdays,
}

/// An opportunity's way through stages.
#[derive(Debug, Clone)]
struct Path {
    /// Stage and day of entering, in order.
    entered: Vec<(usize, Day)>,
    closed: Option<(Day, bool)>,
}

impl DealRows {
    /// The opportunities whose opening is known, looked at on `days`.
    pub(crate) fn new(
        deals: &[Opportunity],
        stages: &[Vec<String>],
        workdays: Workdays,
        days: &[Day],
        period: Period,
    ) -> Self {
        let paths: Vec<Path> = deals
            .iter()
            .filter(|deal| deal.has_opened())
            .map(|deal| Path {
                entered: deal.entered().map(|(rank, day)| (stage_number(rank, stages.len()), day)).collect(),
                closed: deal.closed_at.map(|_| (deal.closed_day, deal.won)),
            })
            .collect();
        let mut looks = Vec::new();
        for &day in days {
            let until = Span::of(day, period).last.min(day + super::HORIZON_DAYS);
            // On a period's last day nothing is left to be asked.
            if workdays.between(day, until) > 0 {
                looks.extend(paths.iter().filter_map(|path| path.look(&workdays, day, until)));
            }
        }
        Self { stages: stages.to_vec(), looks, paths, workdays }
    }

    /// Stays as known at the end of `until`, in the order in which they began.
    pub fn stays(&self, until: Day) -> Vec<Stay> {
        let mut stays: Vec<(Day, Stay)> = Vec::new();
        for path in &self.paths {
            for (place, &(stage, from)) in path.entered.iter().enumerate() {
                let next = path.entered.get(place + 1).map(|&(to, day)| (day, StayEnd::Moved(to)));
                let closed =
                    path.closed.map(|(day, won)| (day, if won { StayEnd::Won } else { StayEnd::Lost }));
                let (day, end) =
                    next.or(closed).filter(|(day, _)| *day <= until).unwrap_or((until, StayEnd::Open));
                let days = self.workdays.between(from, day);
                // What ends on the day it began had that day to end on.
                let days = if end == StayEnd::Open { days } else { days.max(1) };
                if from <= until && days > 0 {
                    stays.push((from, Stay { stage, days, end }));
                }
            }
        }
        stays.sort_by_key(|(from, _)| *from);
        stays.into_iter().map(|(_, stay)| stay).collect()
    }
}

impl Path {
    fn look(&self, workdays: &Workdays, day: Day, until: Day) -> Option<DealLook> {
        let &(stage, since) = self.entered.iter().rfind(|(_, entered)| *entered <= day)?;
        if self.closed.is_some_and(|(closed, _)| closed <= day) {
            return None;
        }
        Some(DealLook {
            day,
            stage,
            age: workdays.between(since, day),
            days_ahead: workdays.between(day, until),
            won: self.closed.is_some_and(|(closed, won)| won && closed <= until),
        })
    }
}

/// What a model of wins is asked as of a day.
#[derive(Debug)]
pub(crate) struct WinLook {
    as_of: Day,
    stages: usize,
    workdays: Workdays,
    /// Working days left in the period.
    left: usize,
}

impl WinLook {
    /// For opportunities as of `as_of`, and others that have not changed their stage for longer.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the model was fitted with other stages.
    pub(crate) fn new(
        model: &dyn WinScorer,
        stages: &[Vec<String>],
        deals: &[Opportunity],
        (zone, calendar): (&Zone, &BTreeMap<Day, bool>),
        (as_of, period): (Day, &Span),
    ) -> Result<Self> {
        if model.stages() != stages {
            return Err(EngineError::Input(format!(
                "the model of wins {} was fitted with other stages than pipeline.stages names; `tideline train` fits \
                 another, `tideline model rollback --of win` takes it back",
                model.id()
            )));
        }
        let since = deals.iter().filter(|deal| deal.opened_at.is_some()).map(|deal| deal.stage_changed_at);
        let first = since.map(|at| zone.day(at)).min().unwrap_or(as_of).min(as_of);
        let workdays = Workdays::new(first, as_of + DAYS_AHEAD, calendar);
        let left = workdays.between(as_of, period.last);
        Ok(Self { as_of, stages: stages.len(), workdays, left })
    }

    /// Stage and working days in it; none of what is not open.
    fn asked(&self, zone: &Zone, deal: &Opportunity) -> Option<(usize, usize)> {
        let since = zone.day(deal.stage_changed_at);
        let asked = (stage_number(deal.rank, self.stages), self.workdays.between(since, self.as_of));
        deal.is_open().then_some(asked)
    }

    /// The chance of a win by the end of the period; none of what is not open.
    pub(crate) fn p_win(&self, model: &dyn WinScorer, zone: &Zone, deal: &Opportunity) -> Option<f64> {
        let (stage, age) = self.asked(zone, deal)?;
        Some(model.p_win(stage, age, self.left))
    }

    /// The interval of that chance; none of what is not open, or where the model knows none.
    pub(crate) fn interval(
        &self,
        model: &dyn WinScorer,
        zone: &Zone,
        deal: &Opportunity,
    ) -> Option<[f64; 2]> {
        let (stage, age) = self.asked(zone, deal)?;
        model.interval(stage, age, self.left)
    }

    /// Whether a model knows intervals, which doesn't depend on what it is asked.
    pub(crate) fn knows_intervals(&self, model: &dyn WinScorer) -> bool {
        model.interval(0, 0, self.left).is_some()
    }

    /// When it will be over; none where that is too far ahead to tell.
    pub(crate) fn expected_close(
        &self,
        model: &dyn WinScorer,
        zone: &Zone,
        deal: &Opportunity,
    ) -> Option<Day> {
        let (stage, age) = self.asked(zone, deal)?;
        self.workdays.after(self.as_of, model.median_days(stage, age)?)
    }
}

/// What a model says of the opportunities, by number; none for those that are not open.
#[derive(Debug)]
pub(crate) struct ScoredDeals {
    pub(crate) model_id: String,
    pub(crate) p_win: Vec<Option<f64>>,
    /// None where the model knows no intervals.
    pub(crate) interval: Option<Vec<Option<[f64; 2]>>>,
    pub(crate) expected_close: Vec<Option<Day>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> DealRows {
        // 2026-01-05 is a Monday: day 20_458.
        let monday = 20_458;
        let paths = vec![
            Path { entered: vec![(0, monday), (1, monday + 2)], closed: Some((monday + 9, true)) },
            Path { entered: vec![(0, monday + 1)], closed: Some((monday + 1, false)) },
            Path { entered: vec![(0, monday + 4)], closed: None },
        ];
        let workdays = Workdays::new(monday - 10, monday + 60, &BTreeMap::from([(monday + 3, false)]));
        DealRows { paths, workdays, ..DealRows::default() }
    }

    #[test]
    fn stays_know_nothing_of_what_came_later() {
        let monday = 20_458;
        let stay = |stage, days, end| Stay { stage, days, end };
        assert_eq!(
            rows().stays(monday + 40),
            [
                stay(0, 2, StayEnd::Moved(1)),
                stay(0, 1, StayEnd::Lost),
                // Wednesday to Wednesday, without Thursday (the calendar's) and the weekend.
                stay(1, 4, StayEnd::Won),
                stay(0, 25, StayEnd::Open),
            ]
        );
        assert_eq!(rows().stays(monday + 1), [stay(0, 1, StayEnd::Open), stay(0, 1, StayEnd::Lost)]);
        assert!(rows().stays(monday - 1).is_empty());
    }

    #[test]
    fn looks_know_stage_age_and_what_came() {
        let monday = 20_458;
        let rows = rows();
        let look = rows.paths[0].look(&rows.workdays, monday + 4, monday + 26).unwrap();
        assert_eq!((look.stage, look.age, look.won), (1, 1, true));
        assert_eq!(look.days_ahead, rows.workdays.between(monday + 4, monday + 26));
        assert_eq!(rows.paths[0].look(&rows.workdays, monday + 9, monday + 26), None);
        // Won after the days asked for.
        assert!(!rows.paths[0].look(&rows.workdays, monday + 4, monday + 8).unwrap().won);
        assert!(!rows.paths[2].look(&rows.workdays, monday + 4, monday + 26).unwrap().won);
        // After Wednesday comes Friday, since Thursday is off.
        assert_eq!(rows.workdays.after(monday + 2, 1), Some(monday + 4));
        assert_eq!(rows.workdays.after(monday + 2, 2), Some(monday + 7));
        assert_eq!(rows.workdays.after(monday + 60, 1), None);
    }
}
