//! Where conditions hold and what rules do, on a handful of reps.

use crate::rule::{Book, Columns, Ruled, Subject, Texts, apply, apply_beyond_plan, read};

/// Reps a, b and c: orders every 20 and 40 days, and never; in regions EAST/SH, EAST and none.
fn columns() -> Columns {
    let mut columns = Columns::new(3);
    let subject = |key| Subject::find(key).unwrap();
    columns.set_numbers(subject("repurchase_interval"), [Some(20.0), Some(40.0), None]);
    columns.set_numbers(subject("customers"), [Some(1.0), Some(2.0), Some(3.0)]);
    let path = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    columns.set_texts(subject("region_id"), Texts::new([path(&["SH", "EAST"]), path(&["EAST"]), None]));
    columns.set_texts(subject("rep_id"), Texts::new([path(&["a"]), path(&["b"]), path(&["c"])]));
    columns
}

fn book(text: &str) -> Book {
    read(text).unwrap()
}

/// Applies one sentence on day 20,000 to proposals of 1,000.00, with bases of 2,000.00.
fn ruled(text: &str) -> Vec<Ruled> {
    apply(&book(text), 20_000, &columns(), &[100_000; 3], &[200_000; 3])
}

fn touched(condition: &str) -> String {
    let ruled = ruled(&format!("when {condition} then raise quota by 10%"));
    "abc".chars().zip(&ruled).filter(|(_, ruled)| !ruled.steps.is_empty()).map(|(rep, _)| rep).collect()
}

#[test]
fn what_is_unknown_is_neither_true_nor_false() {
    for (condition, reps) in [
        ("repurchase_interval < 30 days", "a"),
        ("not (repurchase_interval < 30 days)", "b"),
        ("repurchase_interval is not between 30 and 50 days", "a"),
        ("repurchase_interval is known", "ab"),
        ("repurchase_interval is unknown", "c"),
        ("repurchase_interval < 30 days or customers > 2", "ac"),
        ("repurchase_interval < 50 days and customers > 1", "b"),
        ("not (repurchase_interval < 30 days and customers > 1)", "ab"),
        ("not (repurchase_interval > 0 days or customers > 2)", ""),
        ("region_id is EAST", "ab"),
        ("region_id is SH", "a"),
        ("region_id is not SH", "b"),
        ("region_id is one of \"SH\", \"WEST\"", "a"),
        ("customers = 2", "b"),
        ("customers != 2", "ac"),
        ("attainment > 0%", ""),
    ] {
        assert_eq!(touched(condition), reps, "{condition}");
    }
}

#[test]
fn a_rule_acts_within_its_scope_and_its_days() {
    let of = |head: &str| {
        let ruled = ruled(&format!("{head}\nalways raise quota by 10%"));
        ruled.iter().map(|ruled| ruled.proposal / 1_000).collect::<Vec<_>>()
    };
    assert_eq!(of("scope: region EAST"), [110, 110, 100]);
    assert_eq!(of("scope: rep a, c"), [110, 100, 110]);
    assert_eq!(of("scope: manager m"), [100; 3]);
    // Day 20,000 is 2024-10-04.
    assert_eq!(of("valid: 2024-10-04 to 2024-10-04"), [110; 3]);
    assert_eq!(of("valid: until 2024-10-03"), [100; 3]);
    assert_eq!(of("valid: from 2024-10-05"), [100; 3]);
}

#[test]
fn actions_do_what_they_say_in_their_order() {
    let first = |text: &str| ruled(text).swap_remove(0);
    assert_eq!(first("always raise quota by 15%").proposal, 115_000);
    assert_eq!(first("always lower quota by 30 yuan").proposal, 97_000);
    assert_eq!(first("always lower quota by 100%").proposal, 1);
    let both = first("priority: 2\nalways raise quota by 10 yuan\n\npriority: 1\nalways raise quota by 10%");
    assert_eq!(both.proposal, 111_000);
    assert_eq!(
        both.steps.iter().map(|step| (step.before, step.after)).collect::<Vec<_>>(),
        [(100_000, 110_000), (110_000, 111_000)]
    );
    let caps =
        first("always cap quota at 1500 yuan\nalways cap quota at 70% of base\nalways floor quota at 5 yuan");
    assert_eq!((caps.cap, caps.floor, caps.proposal), (Some(140_000), Some(500), 100_000));
    assert!(first("always freeze quota").frozen);
    let weights = first("always set attainment weight to 1.5\n\nalways set attainment weight to 1.2");
    assert_eq!(weights.weight, Some(1.2));
}

#[test]
fn what_is_beyond_the_plan_acts_on_the_quota_that_meets_it() {
    let beyond = |text: &str, previous| {
        let mut ruled = ruled(text).swap_remove(0);
        assert_eq!((ruled.proposal, ruled.steps.len()), (100_000, 0));
        let quota = apply_beyond_plan(&book(text), &mut ruled, (120_000, 200_000), previous);
        assert_eq!(ruled.steps.last().map(|step| step.after), Some(quota));
        quota
    };
    assert_eq!(beyond("always raise quota by 10% beyond plan", None), 132_000);
    assert_eq!(beyond("always cap quota at 50% of base beyond plan", None), 100_000);
    assert_eq!(beyond("always freeze quota beyond plan", Some(90_000)), 90_000);
    assert_eq!(beyond("always freeze quota beyond plan", None), 120_000);
}
