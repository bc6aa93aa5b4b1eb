//! What is found again of levels that were made up.

use super::*;

/// Numbers that look random and are the same on every run (Lehmer's generator).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        crate::tabular::real(usize::try_from(self.0).unwrap()) / 2_147_483_647.0
    }

    /// About normal: Irwin and Hall's sum.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

#[derive(Default)]
struct Made {
    days: Vec<i32>,
    kinds: Vec<usize>,
    now: Vec<f64>,
    columns: Vec<Vec<f64>>,
    came: Vec<f64>,
}

/// Levels that go half the way back to the usual one of their thing, which a column tells, and are off by six points.
fn made(looks: i32, things: usize, seed: u64) -> Made {
    let mut dice = Dice(seed);
    let mut all = Made { columns: vec![Vec::new(); 3], ..Made::default() };
    for look in 0..looks {
        for thing in 0..things {
            let usual = 40.0 + 40.0 * dice.next();
            let now = usual + 8.0 * dice.normal();
            all.days.push(7 * look);
            all.kinds.push(0);
            all.now.push(now);
            all.columns[0].push(usual - now);
            all.columns[1].push(if thing % 3 == 0 { f64::NAN } else { dice.normal() });
            all.columns[2].push(1.0);
            all.came.push((now + 0.5 * (usual - now) + 6.0 * dice.normal()).clamp(0.0, 100.0));
        }
    }
    all
}

impl Made {
    fn looks(&self) -> Looks<'_> {
        Looks { days: &self.days, kinds: &self.kinds, now: &self.now, columns: &self.columns }
    }

    fn fit(&self) -> Option<Outlook> {
        fit(&self.looks(), &(0..self.days.len()).collect::<Vec<_>>(), &self.came, 14, 2)
    }
}

#[test]
fn what_was_made_up_is_found_again() {
    let learnt = made(30, 40, 7);
    let model = learnt.fit().unwrap();
    let ridge = &model.kinds()[0].as_ref().unwrap().ridge;
    assert!((ridge.weights[0] - 0.5).abs() < 0.06 && ridge.weights[1].abs() < 0.6, "{:?}", ridge.weights);
    assert!(ridge.weights[2].abs() < f64::EPSILON && model.kinds()[1].is_none() && model.is_sound(3));
    // On others: nearer than the level that is, as often inside the interval and under the line as was said.
    let others = made(30, 40, 11);
    let said: Vec<Expected> = model.ahead(&others.looks(), 60.0).into_iter().flatten().collect();
    assert_eq!(said.len(), others.now.len());
    let n = crate::tabular::real(said.len());
    let mean = |of: &dyn Fn(usize) -> f64| (0..said.len()).map(of).sum::<f64>() / n;
    let off = mean(&|row| (said[row].level - others.came[row]).abs());
    assert!(off < 0.92 * mean(&|row| (others.now[row] - others.came[row]).abs()), "{off}");
    let held = mean(&|row| f64::from(u8::from((said[row].low..=said[row].high).contains(&others.came[row]))));
    assert!((held - 0.8).abs() < 0.03, "{held}");
    let under = mean(&|row| f64::from(u8::from(others.came[row] < 60.0)) - said[row].p_under);
    assert!(under.abs() < 0.03, "{under}");
    let p: Vec<f64> = said.iter().map(|said| said.p_under).collect();
    let labels: Vec<bool> = others.came.iter().map(|came| *came < 60.0).collect();
    assert!(crate::tabular::measure(&p, &labels).ece < 0.05);
    for said in &said {
        assert!(0.0 <= said.low && said.low <= said.level && said.level <= said.high && said.high <= 100.0);
        assert!(0.0 < said.p_under && said.p_under < 1.0);
    }
}

#[test]
fn a_lower_line_is_less_probable_and_later_rows_change_nothing_before_them() {
    let all = made(24, 40, 3);
    let early: Vec<usize> = (0..all.days.len()).filter(|&row| all.days[row] < 100).collect();
    let fitted = |made: &Made| fit(&made.looks(), &early, &made.came, 14, 1).unwrap();
    let model = fitted(&all);
    let mut other = made(24, 40, 3);
    for row in early.len()..other.now.len() {
        (other.now[row], other.came[row]) = (0.0, 100.0);
    }
    assert_eq!(fitted(&other), model);
    let p = |line: f64| model.ahead(&all.looks(), line)[5].unwrap().p_under;
    assert!(p(30.0) < p(50.0) && p(50.0) < p(70.0) && p(0.0) < 0.05 && p(100.0) > 0.95);
}

#[test]
fn too_few_rows_and_damaged_parts() {
    assert!(made(2, 40, 5).fit().is_none());
    // Enough rows, but of one day: nothing later to judge by.
    assert!(made(1, 200, 5).fit().is_none());
    let model = made(20, 20, 5).fit().unwrap();
    assert!(!model.is_sound(2));
    let damages: [fn(&mut Kind); 4] = [
        |kind| kind.ridge.weights.truncate(2),
        |kind| kind.ridge.means[1] = f64::NAN,
        |kind| kind.ridge.intercept = f64::INFINITY,
        |kind| kind.spread = Spread::of(&[50.0, 60.0], &[f64::NAN, 1.0]).unwrap(),
    ];
    for damage in damages {
        let mut broken = model.clone();
        damage(broken.kinds[0].as_mut().unwrap());
        assert!(!broken.is_sound(3));
    }
}
