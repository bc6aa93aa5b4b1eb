//! What scenario files say, and how what is wrong in them is named.

use std::path::Path;

use engine::pipeline::Shift;

use super::{What, read};

fn one(text: &str) -> super::Scenario {
    read(Path::new("s.toml"), text).unwrap().remove(0)
}

fn wrong(text: &str) -> String {
    read(Path::new("s.toml"), text).unwrap_err().to_string()
}

#[test]
fn sweeps_are_lists_of_values() {
    let text = "[[scenario]]\nmarket_heat = \"80..120 step 5\"\ntau = [0.5, 0.6]\nplan.R1 = \"-10%..+10% step 5%\"\n";
    let scenario = one(text);
    let sizes: Vec<(&str, usize)> =
        scenario.knobs.iter().map(|knob| (knob.key.as_str(), knob.values.len())).collect();
    assert_eq!(sizes, [("market_heat", 9), ("tau", 2), ("plan.R1", 5)]);
    assert_eq!(scenario.knobs[0].values[8], Shift::To(120.0));
    let Shift::Share(share) = scenario.knobs[2].values[4] else { panic!("a share") };
    assert!((share - 0.1).abs() < 1e-12);
    let uneven = one("[[scenario]]\nfactor.workload = \"+0..+1 step 0.3\"\n");
    assert_eq!(uneven.knobs[0].values.len(), 4);
    let by_region = one("[[scenario]]\nmarket_heat.R2 = 90\n");
    assert_eq!(by_region.knobs[0].what, What::Factor(0, Some("R2".to_owned())));
}

#[test]
fn what_is_wrong_is_named_by_line_and_key() {
    let cases = [
        (
            "[[scenario]]\nmarket_heat = 100\nmarket_hea = 90\n",
            "s.toml, line 3: unknown key market_hea; did you mean market_heat?",
        ),
        ("scenarios = 1\n", "s.toml, line 1: unknown key scenarios; scenarios begin with [[scenario]]"),
        (
            "[[scenario]]\nmarket_heat = 0\n",
            "s.toml, line 2: market_heat: 0 is not a market heat between 1 and 1,000 (100 is normal)",
        ),
        (
            "[[scenario]]\ntau = \"80..120\"\n",
            "s.toml, line 2: tau: '80..120' lacks its step: \"80..120 step 5\"",
        ),
        ("[[scenario]]\ntau = 1.5\n", "s.toml, line 2: tau: 1.5 is not a chance between 0 and 1"),
        (
            "[[scenario]]\nfactor.worklod = \"+1\"\n",
            "s.toml, line 2: there is no factor worklod; did you mean workload?",
        ),
        (
            "[[scenario]]\nplan.R1 = \"5%\"\n",
            "s.toml, line 2: plan.R1: '5%' is open: \"+5%\" is more, \"-5%\" is less",
        ),
        (
            "[[scenario]]\n\nhires = [{ tenure_months = 3 }]\n",
            "s.toml, line 3: a hire needs its region: { region = \"R1\" }",
        ),
        (
            "[[scenario]]\nmarket_heat = \"120..80 step 5\"\n",
            "s.toml, line 2: market_heat: '120..80 step 5' has to go upward, by a step above 0",
        ),
        ("", "s.toml holds no [[scenario]]"),
    ];
    for (text, message) in cases {
        assert_eq!(wrong(text), message, "{text}");
    }
}
