//! The standard normal distribution: its cumulative probability and its quantiles.

/// `P(Z ≤ x)` for a standard normal `Z`, to about 1e-15, and to eight digits in the far tails; NaN for NaN.
///
/// Hart, Computer Approximations (1968), algorithm 5666, in the form of West, Wilmott (2005).
pub(crate) fn normal_cdf(x: f64) -> f64 {
    const ABOVE: [f64; 7] = [
        3.526_249_659_989_11e-2,
        0.700_383_064_443_688,
        6.373_962_203_531_65,
        33.912_866_078_383,
        112.079_291_497_871,
        221.213_596_169_931,
        220.206_867_912_376,
    ];
    const BELOW: [f64; 8] = [
        8.838_834_764_831_84e-2,
        1.755_667_163_182_64,
        16.064_177_579_207,
        86.780_732_202_946_1,
        296.564_248_779_674,
        637.333_633_378_831,
        793.826_512_519_948,
        440.413_735_824_752,
    ];
    if x.is_nan() {
        return x;
    }
    let z = x.abs();
    let tail = if z > 37.0 {
        0.0
    } else {
        let density = (-0.5 * z * z).exp();
        if z < 7.071_067_811_865_47 {
            density * horner(&ABOVE, z) / horner(&BELOW, z)
        } else {
            let fraction = z + 1.0 / (z + 2.0 / (z + 3.0 / (z + 4.0 / (z + 0.65))));
            density / fraction / 2.506_628_274_631
        }
    };
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// The `x` with `P(Z ≤ x) = p`; minus infinity at 0, infinity at 1, NaN outside.
///
/// Acklam's rational approximation (relative error 1.15e-9), then one step of Halley's method.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    const TAIL: f64 = 0.024_25;
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let x = if p < TAIL {
        let q = (-2.0 * p.ln()).sqrt();
        horner(&C, q) / horner(&D, q)
    } else if p > 1.0 - TAIL {
        let q = (-2.0 * (1.0 - p).ln()).sqrt();
        -horner(&C, q) / horner(&D, q)
    } else {
        let q = p - 0.5;
        q * horner(&A, q * q) / horner(&B, q * q)
    };
    // Above the middle the error is taken of the other tail, where it isn't lost beside 1.
    let error = if x > 0.0 { (1.0 - p) - normal_cdf(-x) } else { normal_cdf(x) - p };
    let step = error * (2.0 * std::f64::consts::PI).sqrt() * (0.5 * x * x).exp();
    if step.is_finite() { x - step / (1.0 + 0.5 * x * step) } else { x }
}

/// A polynomial, highest power first.
fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, &c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: Python 3, `math.erfc` and `statistics.NormalDist.inv_cdf`. The far tail is a continued
    /// fraction cut after its fifth step, hence the wider tolerance there.
    #[test]
    fn agrees_with_reference_values() {
        let cdf = [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.96, 0.024_997_895_148_220_435),
            (3.5, 0.999_767_370_920_964_5),
            (-8.0, 6.220_960_574_271_819e-16),
        ];
        for (x, expected) in cdf {
            let tolerance = if x < -7.0 { 1e-7 } else { 1e-11 };
            assert!((normal_cdf(x) / expected - 1.0).abs() < tolerance, "cdf({x}) = {}", normal_cdf(x));
        }
        let quantiles = [
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_8),
            (0.975, 1.959_963_984_540_053_6),
            (0.4, -0.253_347_103_135_799_8),
            (0.001, -3.090_232_306_167_813),
            (1e-10, -6.361_340_902_404_056),
        ];
        for (p, expected) in quantiles {
            let tolerance = if p < 1e-6 { 1e-9 } else { 1e-11 };
            assert!(
                (normal_quantile(p) - expected).abs() < tolerance,
                "quantile({p}) = {}",
                normal_quantile(p)
            );
        }
    }

    #[test]
    fn quantiles_invert_probabilities_and_edges_are_infinite() {
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-14);
        }
        assert!(normal_quantile(0.0) < f64::MIN && normal_quantile(1.0) > f64::MAX);
        assert!(
            normal_quantile(1.1).is_nan()
                && normal_quantile(f64::NAN).is_nan()
                && normal_cdf(f64::NAN).is_nan()
        );
        assert!(normal_quantile(5e-324).is_finite());
    }
}
