//! Explanations add up, whatever two days are compared.

use super::*;

fn quota(amount: i64, base: i64, ratios: &[(&str, f64)]) -> Quota {
    let mut level = vec![0; ratios.len()];
    let plain: Vec<f64> = ratios.iter().map(|(_, ratio)| *ratio).collect();
    Explainer::new().level(base, amount, &plain, &mut level).unwrap();
    let base = Term { name: "base".to_owned(), amount: base, ratio: real(base) };
    let rest = ratios.iter().zip(level).map(|(&(name, ratio), amount)| Term {
        name: name.to_owned(),
        amount,
        ratio,
    });
    Quota {
        period: "2026-03".to_owned(),
        region: "r-1".to_owned(),
        amount,
        attained: 2_500_000,
        expected: 10_000_000,
        low: 8_000_000,
        high: 12_000_000,
        p_attain: 0.6,
        bound: "daily_cap".to_owned(),
        leans_on: "own years".to_owned(),
        previous: None,
        terms: std::iter::once(base).chain(rest).collect(),
    }
}

#[test]
fn a_level_is_told_in_terms_that_add_up() {
    let text =
        level("rep-1", 20_454, &quota(10_500_000, 10_000_000, &[("market_heat", 1.05), ("season", 1.0)]));
    let expected = "\
rep-1 (r-1), 2026-03, as of 2026-01-01: quota 105,000.00
  signed so far 25,000.00 (23.8 % of the quota); most likely by the end 100,000.00 (four times in five between 80,000.00 and 120,000.00);
  the chance of reaching the quota is 60.0 %; it is held by its daily cap
  the forecast leans on: own years

Why it is 105,000.00:
  +100,000.00  base capacity (what it sells at neutral factors)
    +5,000.00  market heat
  +105,000.00  quota
  without effect: season";
    assert_eq!(text, expected);
}

#[test]
fn a_change_is_told_in_terms_that_add_up() {
    let before = quota(10_500_000, 10_000_000, &[("market_heat", 1.05), ("season", 1.0)]);
    let now = quota(10_395_000, 11_000_000, &[("market_heat", 0.945), ("season", 1.0)]);
    let text = change(20_453, &before, &now).unwrap();
    let expected = "\
Since 2025-12-31 it went from 105,000.00 to 103,950.00, by -1,050.00:
   +9,957.45  base capacity (what it sells at neutral factors)
  -11,007.45  market heat
   -1,050.00  change
  without effect: season";
    assert_eq!(text, expected);
    let mut other = before.clone();
    other.period = "2026-02".to_owned();
    assert!(change(20_453, &other, &now).unwrap().contains("don't compare"));
    assert!(change(20_453, &now, &now).unwrap().ends_with("no change."));
}
