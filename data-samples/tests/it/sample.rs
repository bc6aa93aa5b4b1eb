//! The same parameters give the same bytes, and the committed sample is what they give today.

use std::path::Path;

use data_samples::{Format, GenerateError, Scale, generate, sample_scale};

use crate::world::{World, small, tree};

const FORMATS: [Format; 5] =
    [Format::Ndjson, Format::NdjsonGz, Format::NdjsonZst, Format::Csv, Format::Parquet];

#[test]
fn same_parameters_same_bytes() {
    for format in FORMATS {
        let (one, two) = (World::new(&small(), format), World::new(&small(), format));
        assert_eq!(tree(one.path()), tree(two.path()), "{format:?}");
        let other = World::new(&Scale { seed: 12, ..small() }, format);
        let (one, other) = (tree(one.path()), tree(other.path()));
        assert!(one.keys().eq(other.keys()));
        let same: Vec<_> =
            one.iter().filter(|(name, bytes)| other[*name] == **bytes).map(|(n, _)| n).collect();
        // The calendar, the laws and the names of regions are facts, not draws.
        let facts =
            ["crm.calendar.ndjson", "crm.region.ndjson", "truth/hazard.ndjson", "truth/season.ndjson"];
        assert_eq!(same, facts.map(Path::new), "{format:?}");
    }
}

#[test]
fn a_run_can_be_repeated_in_its_folder_but_not_mixed_with_another() {
    let world = World::new(&small(), Format::Ndjson);
    let before = tree(world.path());
    generate(&small(), world.path(), Format::Ndjson, &mut |_| {}).unwrap();
    assert_eq!(tree(world.path()), before);
    let fewer_days = Scale { days: 5, ..small() };
    let error = generate(&fewer_days, world.path(), Format::Ndjson, &mut |_| {}).unwrap_err();
    assert!(matches!(error, GenerateError::OutputInUse { .. }), "{error}");
    assert_eq!(tree(world.path()), before);
}

#[test]
fn progress_comes_by_day() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut seen = Vec::new();
    let summary = generate(&small(), folder.path(), Format::Csv, &mut |at| seen.push(at)).unwrap();
    assert_eq!(seen.len(), 12);
    assert_eq!((seen[11].date, seen[11].days_done), (small().end, 12));
    assert_eq!(seen[11].records, summary.records);
}

#[test]
fn parameters_out_of_range_are_refused_before_anything_is_written() {
    let folder = tempfile::TempDir::new().unwrap();
    let check = |scale: Scale, field: &str| {
        let error = generate(&scale, folder.path(), Format::Csv, &mut |_| {}).unwrap_err();
        assert!(matches!(error, GenerateError::Scale { field: found, .. } if found == field), "{error}");
    };
    check(Scale { reps: 0, ..small() }, "reps");
    check(Scale { customers: 0, ..small() }, "customers");
    check(Scale { days: 0, ..small() }, "days");
    check(Scale { events_per_day: 0, ..small() }, "events_per_day");
    let mut dirty = small();
    dirty.dirt.late = f64::NAN;
    check(dirty, "dirt");
    assert!(tree(folder.path()).is_empty());
}

/// The smallest worlds, odd zones and extreme requests still come out.
#[test]
fn extremes() {
    let tiny = Scale { reps: 1, customers: 1, days: 1, events_per_day: 1, ..small() };
    World::new(&tiny, Format::Ndjson);
    World::new(&Scale { leads: 2_000, customers: 1, ..small() }, Format::Csv);
    World::new(&Scale { reps: 500, customers: 3, events_per_day: 5, days: 40, ..small() }, Format::Ndjson);
    let zone = Scale { timezone: chrono_tz::America::Sao_Paulo, days: 20, ..small() };
    World::new(&Scale { end: "2018-11-10".parse().unwrap(), ..zone }, Format::Ndjson);
}

/// To renew the sample: generate `sample_scale()` as NDJSON and copy the files of the same names.
#[test]
fn the_committed_sample_is_what_is_generated() {
    let committed = tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample"));
    assert!(committed.len() > 15);
    let world = World::new(&sample_scale(), Format::Ndjson);
    let now = tree(world.path());
    for (name, bytes) in &committed {
        assert!(now.get(name) == Some(bytes), "{} is not what is generated now", name.display());
    }
    for name in now.keys().filter(|name| !name.starts_with("behaviour")) {
        assert!(committed.contains_key(name), "{} is not in the sample", name.display());
    }
}
