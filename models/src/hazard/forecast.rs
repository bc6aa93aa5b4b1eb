//! From hazards to chances by any day, backwards from day 0.

use super::Hazards;

/// Working days that a forecast looks ahead: about a year.
pub const DAYS_MAX: usize = 260;
/// Ages that are told apart: an older stay is as one of this age.
const AGES: usize = 120;

/// Chances of a win and of an end, by days ahead, stage and age.
#[derive(Debug, Clone)]
pub struct Forecast {
    stages: usize,
    /// `[day][stage · AGES + age]`.
    won: Vec<Vec<f64>>,
    over: Vec<Vec<f64>>,
}

impl Forecast {
    /// Works out all chances up to [`DAYS_MAX`] days ahead.
    pub fn new(hazards: &Hazards) -> Self {
        let stages = hazards.stages();
        let on: Vec<(f64, f64)> =
            (0..stages * AGES).map(|place| hazards.on(place / AGES, place % AGES)).collect();
        let mut forecast =
            Self { stages, won: vec![vec![0.0; stages * AGES]], over: vec![vec![0.0; stages * AGES]] };
        for day in 1..=DAYS_MAX {
            let won = next(hazards, &on, &forecast.won[day - 1], 0.0);
            let over = next(hazards, &on, &forecast.over[day - 1], 1.0);
            forecast.won.push(won);
            forecast.over.push(over);
        }
        forecast
    }

    /// The chance that an opportunity which has been in a stage for `age` working days is won within `days` more.
    pub fn p_win(&self, stage: usize, age: usize, days: usize) -> f64 {
        self.won[days.min(DAYS_MAX)].get(self.place(stage, age)).copied().unwrap_or(0.0)
    }

    /// The working day, counted from the next one as 1, by which it is over, won or lost, with a chance of one half; none
    /// where that lies more than [`DAYS_MAX`] days ahead.
    pub fn median_days(&self, stage: usize, age: usize) -> Option<usize> {
        let place = self.place(stage, age);
        // Chances only rise with time.
        let after = self.over.partition_point(|chances| chances.get(place).is_none_or(|&p| p < 0.5));
        (after <= DAYS_MAX && stage < self.stages).then_some(after)
    }

    fn place(&self, stage: usize, age: usize) -> usize {
        if stage < self.stages { stage * AGES + age.min(AGES - 1) } else { usize::MAX }
    }
}

/// The chances one day further ahead; a loss counts `lost`.
fn next(hazards: &Hazards, on: &[(f64, f64)], before: &[f64], lost: f64) -> Vec<f64> {
    let entering: Vec<f64> = hazards
        .goes_to
        .iter()
        .map(|shares| {
            let (win, moves) = shares.split_last().map_or((0.0, &[][..]), |(win, moves)| (*win, moves));
            win + moves.iter().enumerate().map(|(to, share)| share * before[to * AGES]).sum::<f64>()
        })
        .collect();
    (0..on.len())
        .map(|place| {
            let (stage, age) = (place / AGES, place % AGES);
            let (onward, ended) = on[place];
            let stays = before[stage * AGES + (age + 1).min(AGES - 1)];
            onward * entering[stage] + ended * lost + (1.0 - onward - ended) * stays
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{End, PARTS, Spread, Stay, fit, parts};
    use super::*;

    /// Numbers that look random and are the same on every run (Lehmer's generator).
    struct Dice(u64);

    impl Dice {
        fn next(&mut self) -> f64 {
            self.0 = self.0 * 48_271 % 2_147_483_647;
            crate::tabular::real(usize::try_from(self.0).unwrap()) / 2_147_483_647.0
        }
    }

    const ADVANCE: [f64; 3] = [0.10, 0.05, 0.20];
    const LOSE: [f64; 3] = [0.02, 0.05, 0.01];

    /// Opportunities that go through three stages by constant hazards, some of them still open at the end.
    fn stays(deals: usize) -> Vec<Stay> {
        let mut dice = Dice(7);
        let mut stays = Vec::new();
        for _ in 0..deals {
            let (mut stage, mut days) = (0, 0);
            let mut left = 200;
            loop {
                days += 1;
                left -= 1;
                let u = dice.next();
                let end = if u < ADVANCE[stage] {
                    if stage == 2 { End::Won } else { End::Moved(stage + 1) }
                } else if u < ADVANCE[stage] + LOSE[stage] {
                    End::Lost
                } else if left == 0 {
                    End::Open
                } else {
                    continue;
                };
                stays.push(Stay { stage, days, end });
                let End::Moved(to) = end else { break };
                (stage, days) = (to, 0);
            }
        }
        stays
    }

    #[test]
    fn hazards_are_found_again_and_add_up() {
        let hazards = fit(&stays(4_000), 3).unwrap();
        assert!(hazards.is_sound());
        for stage in 0..3 {
            for age in [0, 3, 10] {
                let (onward, lost) = hazards.on(stage, age);
                assert!((onward / ADVANCE[stage] - 1.0).abs() < 0.15, "{stage} {age}: {onward}");
                assert!((lost - LOSE[stage]).abs() < 0.012, "{stage} {age}: {lost}");
            }
        }
        let forecast = Forecast::new(&hazards);
        // In the end: the product of the shares that go on. 0.1/0.12 · 0.05/0.1 · 0.2/0.21
        let ever = forecast.p_win(0, 0, DAYS_MAX);
        assert!((ever - 0.396_8).abs() < 0.03, "{ever}");
        // From the last stage within a day: its hazard, as fitted.
        assert!((forecast.p_win(2, 0, 1) - hazards.on(2, 0).0).abs() < 1e-3);
        assert!(forecast.p_win(0, 0, 0).abs() < f64::EPSILON);
        let rising: Vec<f64> = (0..=DAYS_MAX).map(|days| forecast.p_win(1, 4, days)).collect();
        assert!(rising.is_sorted() && rising[DAYS_MAX] < 1.0);
        // Half are over after ln ½ / ln(1 − 0.21) = 2.94 days: on the third, or with hazards a little lower the fourth.
        assert!(matches!(forecast.median_days(2, 0), Some(3 | 4)));
        assert_eq!((forecast.median_days(3, 0), forecast.p_win(9, 0, 10)), (None, 0.0));
    }

    #[test]
    fn more_stays_make_a_chance_surer() {
        let width = |deals: usize| {
            let stays = stays(deals);
            let hazards = fit(&stays, 3).unwrap();
            let parts = parts(&stays, &hazards).unwrap();
            assert_eq!(parts.len(), PARTS);
            let (forecast, spread) = (Forecast::new(&hazards), Spread::new(&parts).unwrap());
            let p = forecast.p_win(0, 2, 60);
            let [low, high] = spread.around(p, 0, 2, 60);
            assert!(low > 0.0 && low < p && p < high && high < 1.0, "{low} {p} {high}");
            assert_eq!(spread.around(0.0, 0, 2, 0).map(f64::to_bits), [0.0_f64; 2].map(f64::to_bits));
            (high - low, low, high)
        };
        let ((few, ..), (many, low, high)) = (width(200), width(1_800));
        // Nine times as many: about a third as wide.
        assert!(many < 0.7 * few, "{many} {few}");
        assert!(many < 0.15 && low < high);
        assert!(Spread::new(&[]).is_none());
    }

    #[test]
    fn the_order_of_threads_changes_nothing_and_little_is_refused() {
        let some = stays(300);
        assert_eq!(fit(&some, 3), fit(&some, 3));
        assert!(fit(&some[..1], 3).is_err() && fit(&[], 3).is_err());
        let open: Vec<Stay> = some.iter().map(|stay| Stay { end: End::Open, ..*stay }).collect();
        assert!(fit(&open, 3).is_err());
    }

    #[test]
    fn what_was_cut_or_edited_is_found_out() {
        let mut hazards = fit(&stays(300), 3).unwrap();
        hazards.goes_to[1][0] += 0.5;
        assert!(!hazards.is_sound());
        hazards.goes_to.pop();
        assert!(!hazards.is_sound());
    }
}
