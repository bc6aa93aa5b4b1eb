//! The rules of this repository that no compiler checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lines of a file that need a reason, and lines that no reason is good enough for.
const LINES_LONG: usize = 500;
const LINES_MAX: usize = 800;

/// Files over [`LINES_LONG`] lines, and why they are not cut.
const LONG_FILES: [(&str, &str); 0] = [];

/// What a crate of ours must not depend on, tests included.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("engine", &["models", "sql", "jobs", "benches", "clap", "anyhow", "linfa", "polars", "ndarray"]),
    (
        "models",
        &["engine", "sql", "jobs", "benches", "data-samples", "clap", "anyhow", "tokio", "datafusion"],
    ),
    ("sql", &["models", "jobs", "benches", "clap", "anyhow"]),
    ("data-samples", &["engine", "models", "sql", "jobs", "benches", "datafusion", "tokio", "anyhow"]),
    ("jobs", &["benches"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Files of our crates with that ending, relative to the root.
fn files(ending: &str) -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        members().into_iter().map(|member| root.join(member)).filter(|folder| folder.exists()).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn manifest(path: &str) -> toml::Table {
    toml::from_str(&std::fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

fn members() -> Vec<String> {
    let workspace = manifest("Cargo.toml");
    let members = workspace["workspace"]["members"].as_array().unwrap();
    members.iter().map(|member| member.as_str().unwrap().to_owned()).collect()
}

#[test]
fn crates_depend_in_one_direction() {
    let mut metadata = cargo_metadata::MetadataCommand::new();
    metadata.manifest_path(root().join("Cargo.toml")).no_deps().other_options(vec!["--offline".to_owned()]);
    let packages = metadata.exec().unwrap().packages;
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let names = package.dependencies.iter().map(|dependency| dependency.name.clone());
        edges.insert(package.name.to_string(), names.collect());
    }
    for (from, forbidden) in FORBIDDEN {
        for to in forbidden {
            assert!(!edges[from].contains(*to), "{from} must not depend on {to}");
        }
    }
}

#[test]
fn a_member_is_a_folder_of_its_own_name_that_keeps_the_workspaces_rules() {
    for member in members() {
        let manifest = manifest(&format!("{member}/Cargo.toml"));
        assert_eq!(manifest["package"]["name"].as_str(), Some(member.as_str()));
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{member}");
    }
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<PathBuf> = files("rs")
        .into_iter()
        .filter(|file| !std::fs::read_to_string(root().join(file)).unwrap().starts_with("//!"))
        .collect();
    assert_eq!(silent, Vec::<PathBuf>::new(), "these files don't begin with //!");
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for file in files("rs") {
        let lines = std::fs::read_to_string(root().join(&file)).unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines, at most {LINES_MAX} are allowed", file.display());
        if lines > LINES_LONG {
            long.push(file.to_string_lossy().into_owned());
        }
    }
    let known: Vec<&str> = LONG_FILES.iter().map(|(file, _)| *file).collect();
    assert_eq!(
        long, known,
        "files over {LINES_LONG} lines stand in LONG_FILES with their reason, and no others"
    );
}

#[test]
fn no_module_is_a_drawer_for_odds_and_ends() {
    let drawers = ["utils", "util", "helpers", "helper", "common", "misc", "manager"];
    for file in files("rs") {
        for part in file.with_extension("").components() {
            let part = part.as_os_str().to_string_lossy().into_owned();
            assert!(!drawers.contains(&part.as_str()), "{}", file.display());
        }
    }
}

#[test]
fn one_major_of_arrow_is_locked() {
    let lock = manifest("Cargo.lock");
    for name in ["arrow", "arrow-array", "parquet", "datafusion", "object_store"] {
        let majors: BTreeSet<&str> = lock["package"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|package| package["name"].as_str() == Some(name))
            .map(|package| package["version"].as_str().unwrap())
            .map(
                |version| {
                    if version.starts_with("0.") { version } else { version.split('.').next().unwrap() }
                },
            )
            .collect();
        assert_eq!(majors.len(), 1, "{name}: {majors:?}");
    }
}

#[test]
fn documents_name_paths_that_exist() {
    let root = root();
    for document in ["README.md", "ARCHITECTURE.md"] {
        let Ok(text) = std::fs::read_to_string(root.join(document)) else { continue };
        // Every second piece between backticks is code.
        for code in text.split('`').skip(1).step_by(2) {
            let path = code.trim_end_matches('/');
            let is_path = path.contains('/')
                && path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'))
                && path.split('/').next().is_some_and(|first| {
                    // What a build makes may be there or not.
                    !matches!(first, "" | "target") && root.join(first).exists()
                });
            assert!(!is_path || root.join(path).exists(), "{document} names `{path}`, which doesn't exist");
        }
    }
}
