//! The texts against the list of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

/// Words of the query that follow a prefix, comments left out.
fn words_after(text: &str, prefix: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    code.split(prefix)
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn every_file_is_listed_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("metrics");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(listed, files);
    assert_eq!(listed.len(), METRICS.len());
}

#[test]
fn a_metric_comes_after_exactly_what_it_reads() {
    let mut seen = BTreeSet::new();
    for metric in METRICS {
        let read: Vec<String> = words_after(metric.text, "metric.").into_iter().collect();
        assert_eq!(metric.depends_on, read, "{}", metric.name);
        assert!(metric.depends_on.iter().all(|name| seen.contains(name)), "{}", metric.name);
        seen.insert(metric.name);
    }
}

#[test]
fn every_parameter_is_given_used_and_declared() {
    let given = parameters("2026-11-20".parse().unwrap(), &Settings::default()).unwrap();
    let given: BTreeSet<String> = given.into_iter().map(|(name, _)| name.to_owned()).collect();
    let mut used = BTreeSet::new();
    for metric in METRICS {
        let words = words_after(metric.text, "$");
        for word in &words {
            let header = metric.text.split("WITH ").next().unwrap();
            assert!(header.contains(&format!("${word}")), "{} doesn't declare ${word}", metric.name);
        }
        used.extend(words);
    }
    assert_eq!(given, used);
}

#[test]
fn every_header_has_its_parts() {
    for metric in METRICS {
        for part in ["Grain:", "Inputs:", "Parameters:", "Output:", "Time column:", "Rerun:"] {
            assert!(metric.text.contains(&format!("\n-- {part:<13}")), "{} lacks {part}", metric.name);
        }
    }
}

#[test]
fn what_a_metric_needs_comes_first() {
    let names: Vec<&str> = needed(&["touch_density"]).iter().map(|metric| metric.name).collect();
    assert_eq!(names.first(), Some(&"event"));
    assert_eq!(names.last(), Some(&"touch_density"));
    assert!(names.contains(&"plan_in_force") && !names.contains(&"lead_life"));
    assert_eq!(needed(&["rep_in_force", "nothing"]), vec![Metric::named("rep_in_force").unwrap()]);
}
