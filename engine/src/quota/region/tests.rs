//! Nested regions at their boundary: who divides what, and what a person is told.

use proptest::prelude::*;

use super::*;
use crate::quota::Layer;

const FREE: Limits = Limits { floor: None, ceiling: None, daily_low: None, daily_high: None, frozen: None };

fn region(parent: Option<u32>, plan: Option<i64>) -> Region {
    Region { parent, plan }
}

fn run(
    regions: &[Region],
    rep_region: &[Option<u32>],
    proposals: &[i64],
    limits: &[Limits],
) -> TreeReconciled {
    reconcile_tree(regions, rep_region, proposals, limits, RelaxOrder::default()).unwrap()
}

#[test]
fn a_parents_plan_wins_over_its_childrens() {
    let regions = [region(None, Some(1000)), region(Some(0), Some(300)), region(Some(0), None)];
    let r = run(&regions, &[Some(0), Some(1), Some(1), Some(2)], &[100, 50, 150, 100], &[FREE; 4]);
    // Claims: own rep 100, child plan 300, child proposals 100: twice as much is wanted.
    assert_eq!(r.quota, [200, 150, 450, 200]);
    let child = &r.regions[1];
    assert_eq!((child.allotted, child.quota_total, child.difference), (Some(600), 600, Some(300)));
    assert_eq!((r.regions[0].allotted, r.regions[0].difference), (None, Some(0)));
    assert_eq!((r.regions[0].scale, child.scale), (2.0, 3.0));
    assert_eq!(r.scale, [2.0, 3.0, 3.0, 2.0]);
    assert!(r.findings.is_empty());
}

#[test]
fn regions_without_a_plan_keep_their_proposals() {
    let regions = [region(None, None), region(Some(0), Some(90)), region(Some(1), None)];
    let r = run(&regions, &[Some(0), Some(1), Some(2)], &[70, 10, 20], &[FREE; 3]);
    assert_eq!(r.quota, [70, 30, 60]);
    assert_eq!((r.regions[0].quota_total, r.regions[0].difference, r.regions[0].scale), (160, None, 1.0));
}

#[test]
fn limits_below_bind_the_regions_above() {
    let regions = [region(None, Some(200)), region(Some(0), None), region(Some(0), None)];
    let capped = Limits { ceiling: Some(60), ..FREE };
    let r = run(&regions, &[Some(1), Some(2)], &[100, 50], &[capped, FREE]);
    assert_eq!(r.quota, [60, 140]);
    assert_eq!((r.regions[0].binding_reps, r.regions[1].binding_reps, r.regions[2].binding_reps), (1, 1, 0));
    let r = run(&regions, &[Some(1), Some(2)], &[100, 50], &[capped, capped]);
    assert_eq!(r.quota.iter().sum::<i64>(), 200);
    assert_eq!((r.regions[0].relaxed, r.regions[1].relaxed + r.regions[2].relaxed), (80, 80));
    assert!(r.regions[0].relaxations.is_empty());
    assert_eq!(
        (r.regions[1].relaxations[0].layer, r.regions[1].relaxations[0].side),
        (Layer::Ceiling, Side::Up)
    );
    assert_eq!(r.regions[1].relaxations[0].reps, [0]);
}

#[test]
fn oddities_are_findings() {
    let regions = [
        region(None, Some(500)),
        region(Some(2), Some(40)),
        region(Some(1), None),
        region(Some(77), None),
        region(Some(0), Some(5)),
    ];
    let r = run(&regions, &[None, Some(2), Some(99), Some(3)], &[10, 20, 30, 40], &[FREE; 4]);
    assert_eq!(r.quota, [10, 40, 30, 40]);
    assert_eq!(
        r.findings,
        [
            Finding::UnknownParent { region: 3, parent: 77 },
            Finding::Cycle { regions: vec![1, 2] },
            Finding::PlanWithoutReps { region: 0, plan: 500 },
            Finding::PlanWithoutReps { region: 4, plan: 5 },
            Finding::RepsWithoutRegion { reps: vec![0] },
            Finding::RepsInUnknownRegion { reps: vec![2] },
        ]
    );
    assert_eq!((r.regions[0].quota_total, r.regions[0].difference), (0, Some(-500)));
    let r = run(&[], &[], &[], &[]);
    assert!(r.quota.is_empty() && r.findings.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_level_adds_up(
        regions in proptest::collection::vec((proptest::option::of(0_u32..9), proptest::option::of(0_i64..1_000_000)), 1..9),
        reps in proptest::collection::vec(
            (proptest::option::weighted(0.9, 0_u32..10), 0_i64..50_000, proptest::option::of(0_i64..60_000), proptest::option::of(0_i64..60_000)),
            0..40,
        ),
    ) {
        let regions: Vec<Region> = regions.into_iter().map(|(parent, plan)| region(parent, plan)).collect();
        let rep_region: Vec<Option<u32>> = reps.iter().map(|r| r.0).collect();
        let proposals: Vec<i64> = reps.iter().map(|r| r.1).collect();
        let limits: Vec<Limits> = reps.iter()
            .map(|r| Limits { floor: r.2, ..FREE }.with_daily_cap(r.3.unwrap_or(0), if r.3.is_some() { 0.1 } else { f64::NAN }))
            .collect();
        let r = run(&regions, &rep_region, &proposals, &limits);
        let shape = top_down(regions.iter().map(|r| r.parent));
        for (i, outcome) in r.regions.iter().enumerate() {
            let own: i64 = r.quota.iter().zip(&rep_region).filter(|(_, g)| g.map(index) == Some(i)).map(|(q, _)| q).sum();
            let below: i64 = r.regions.iter().zip(&shape.parent).filter(|(_, p)| **p == Some(i)).map(|(o, _)| o.quota_total).sum();
            prop_assert_eq!(own + below, outcome.quota_total);
            let staffed = !r.findings.iter().any(|f| matches!(f, Finding::PlanWithoutReps { region, .. } if *region == i));
            let target = outcome.allotted.or(outcome.plan).filter(|_| staffed);
            if let Some(target) = target {
                prop_assert_eq!(target, outcome.quota_total);
            }
        }
    }
}
