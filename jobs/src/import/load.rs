//! From files to the tables that a mapping names its inputs.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use arrow::array::{Array as _, BooleanArray, StringArray, StringBuilder};
use arrow::compute::{concat, filter};

use super::error::{BadInput, did_you_mean};
use super::mapping::Mapping;
use super::read::scan::Broken;
use super::read::{self, Content, Listed};
use super::spec::InputSpec;
use super::summary::{Reason, Reject, TableSummary};
use super::table::{Column, Source, Stored, Table};

/// Why the second of two equal rows is left out.
const SAME_ROW: &str = "the same row again";

/// What the files hold, before anything is computed.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) tables: Vec<Table>,
    pub(super) files: Vec<PathBuf>,
    pub(super) summaries: Vec<TableSummary>,
    pub(super) rejects: Vec<Reject>,
    pub(super) unused_files: Vec<PathBuf>,
}

pub(super) fn load(mapping: &Mapping, inputs: &[PathBuf]) -> anyhow::Result<Loaded> {
    let listed = read::files(inputs)?;
    let specs: Vec<&InputSpec> = mapping.spec.input.iter().map(toml::Spanned::get_ref).collect();
    let from_files = specs.iter().filter(|spec| spec.file.is_some()).count();
    let mut used: BTreeSet<&Path> = BTreeSet::new();
    let mut loaded = Loaded::default();
    for spec in specs {
        if spec.file.is_none() {
            loaded.add_inline(mapping, spec)?;
            continue;
        }
        let mut paths = read::matching(spec, &listed);
        if from_files == 1 {
            // The only input takes whatever file is named.
            paths = listed
                .iter()
                .filter(|file| file.named || paths.contains(&file.path.as_path()))
                .map(|file| file.path.as_path())
                .collect();
        }
        if paths.is_empty() && !spec.optional_file {
            return Err(no_file(spec, &listed).into());
        }
        used.extend(&paths);
        loaded.add_files(spec, &paths)?;
    }
    for file in &listed {
        if used.contains(file.path.as_path()) {
            continue;
        }
        if file.named {
            let patterns: Vec<&str> = mapping.spec.input.iter().flat_map(|s| patterns(s.get_ref())).collect();
            let (name, patterns) = (file.path.display(), patterns.join(", "));
            let message =
                format!("{name}: no [[input]] of the mapping wants this file; they want {patterns}");
            return Err(BadInput::new(message).into());
        }
        loaded.unused_files.push(file.path.clone());
    }
    Ok(loaded)
}

fn patterns(spec: &InputSpec) -> impl Iterator<Item = &str> {
    spec.file.iter().flat_map(|names| &names.0).map(String::as_str)
}

fn no_file(spec: &InputSpec, listed: &[Listed]) -> BadInput {
    let wanted: Vec<&str> = patterns(spec).collect();
    let seen: Vec<String> = listed
        .iter()
        .map(|file| file.path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    let seen = if seen.is_empty() { "no file at all".to_owned() } else { seen.join(", ") };
    let (name, wanted) = (&spec.name, wanted.join(" or "));
    BadInput::new(format!("input `{name}`: no file is called {wanted}; given: {seen}"))
}

impl Loaded {
    fn add_inline(&mut self, mapping: &Mapping, spec: &InputSpec) -> anyhow::Result<()> {
        let mut columns: Vec<StringBuilder> = spec.columns.iter().map(|_| StringBuilder::new()).collect();
        for (index, row) in spec.rows.iter().enumerate() {
            if row.len() != spec.columns.len() {
                let (found, right) = (row.len(), spec.columns.len());
                let message = format!(
                    "[[input]] {}: row {} has {found} values, columns has {right}",
                    spec.name,
                    index + 1
                );
                return Err(mapping.place.error_without_line(message).into());
            }
            for (column, cell) in columns.iter_mut().zip(row) {
                column.append_option(Some(cell.trim()).filter(|cell| !cell.is_empty()));
            }
        }
        let content = Content {
            header: spec.columns.clone(),
            columns: columns.iter_mut().map(StringBuilder::finish).collect(),
            lines: (1..=u32::try_from(spec.rows.len())?).collect(),
            broken: Vec::new(),
        };
        self.add(spec, vec![(PathBuf::from(mapping.name()), content)])
    }

    fn add_files(&mut self, spec: &InputSpec, paths: &[&Path]) -> anyhow::Result<()> {
        let contents: Vec<(PathBuf, Content)> = paths
            .iter()
            .map(|path| Ok((path.to_path_buf(), read::read(path, spec)?)))
            .collect::<anyhow::Result<_>>()?;
        self.add(spec, contents)
    }

    /// Joins the files of one input to a table: the union of their columns, rows file after file.
    fn add(&mut self, spec: &InputSpec, contents: Vec<(PathBuf, Content)>) -> anyhow::Result<()> {
        let mut summary = TableSummary { table: spec.name.clone(), ..TableSummary::default() };
        let mut table = Table {
            name: spec.name.clone(),
            columns: Vec::new(),
            column_names: Vec::new(),
            by_name: HashMap::new(),
            source: Source::Rows(Stored::default()),
            lacking: HashMap::new(),
        };
        for (path, content) in &contents {
            for name in &content.header {
                if !table.by_name.contains_key(name) {
                    let index = table.columns.len();
                    table.add(name, Column::Stored(index));
                }
            }
            summary.files.push(path.clone());
            summary.rows += u64::try_from(content.lines.len() + content.broken.len())?;
        }
        let mut stored = Stored::default();
        for name in &table.column_names {
            let mut parts: Vec<StringArray> = Vec::new();
            for (path, content) in &contents {
                let position = content.header.iter().position(|found| found == name);
                let column = position.and_then(|index| content.columns.get(index)).cloned();
                parts.push(column.unwrap_or_else(|| {
                    table.lacking.insert(name.clone(), format!("is not in {}", path.display()));
                    StringArray::new_null(content.lines.len())
                }));
            }
            let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(|part| part as _).collect();
            let whole = concat(&parts).with_context(|| format!("input {}", spec.name))?;
            stored.columns.push(StringArray::from(whole.to_data()));
        }
        for (path, content) in contents {
            let file = self.files.len();
            stored.origins.extend(content.lines.iter().map(|line| (file, *line)));
            let table = &spec.name;
            self.rejects.extend(content.broken.into_iter().map(|broken| broken_row(&path, table, broken)));
            self.files.push(path);
        }
        summary.rejected = u64::try_from(self.rejects.iter().filter(|r| r.table == spec.name).count())?;
        rename(&mut table, spec);
        let stored = self.without_duplicates(spec, &table, stored, &mut summary)?;
        table.source = Source::Rows(stored);
        self.tables.push(table);
        self.summaries.push(summary);
        Ok(())
    }

    /// Holds the input's `key`: an equal row is left out, a contradicting one rejected.
    fn without_duplicates(
        &mut self,
        spec: &InputSpec,
        table: &Table,
        stored: Stored,
        summary: &mut TableSummary,
    ) -> anyhow::Result<Stored> {
        if spec.key.is_empty() {
            return Ok(stored);
        }
        let cell =
            |column: &StringArray, row: usize| column.is_valid(row).then(|| column.value(row).to_owned());
        let mut key_columns = Vec::new();
        for name in &spec.key {
            let column = table.by_name.get(name).and_then(|id| table.columns.get(*id));
            let Some(Column::Stored(index)) = column else {
                let hint = did_you_mean(name, table.column_names.iter().map(String::as_str));
                let message = format!("input `{}`: its key `{name}` is no column of it{hint}", spec.name);
                return Err(BadInput::new(message).into());
            };
            key_columns.push(&stored.columns[*index]);
        }
        let mut first: HashMap<Vec<Option<String>>, usize> = HashMap::new();
        let mut keep = Vec::with_capacity(stored.origins.len());
        for (row, (file, line)) in stored.origins.iter().enumerate() {
            let key: Vec<_> = key_columns.iter().map(|column| cell(column, row)).collect();
            let earlier = *first.entry(key.clone()).or_insert(row);
            keep.push(earlier == row);
            if earlier == row {
                continue;
            }
            if stored.columns.iter().all(|column| cell(column, row) == cell(column, earlier)) {
                *summary.skipped.entry(SAME_ROW.to_owned()).or_default() += 1;
                continue;
            }
            summary.rejected += 1;
            let (earlier_file, earlier_line) = stored.origins[earlier];
            let earlier_file = self.files[earlier_file].display();
            let value: Vec<String> = key.into_iter().flatten().collect();
            self.rejects.push(Reject {
                file: self.files[*file].clone(),
                row: *line,
                table: spec.name.clone(),
                stream: None,
                step: String::new(),
                reason: Reason::DuplicateKey,
                column: spec.key.join(", "),
                value: value.join(", "),
                right: format!(
                    "one row per key; {earlier_file}, row {earlier_line} has it too, with other content"
                ),
                raw: raw(table, &stored, row),
            });
        }
        let keep = BooleanArray::from(keep);
        let columns =
            stored.columns.iter().map(|column| Ok(StringArray::from(filter(column, &keep)?.to_data())));
        let columns = columns.collect::<anyhow::Result<_>>()?;
        let kept = stored.origins.iter().zip(&keep).filter(|(_, keep)| *keep == Some(true));
        Ok(Stored { columns, origins: kept.map(|(origin, _)| *origin).collect() })
    }
}

fn raw(table: &Table, stored: &Stored, row: usize) -> String {
    let cells = table.column_names.iter().zip(&stored.columns).filter(|(_, column)| column.is_valid(row));
    let object = cells.map(|(name, column)| (name.clone(), column.value(row).into())).collect();
    serde_json::Value::Object(object).to_string()
}

fn broken_row(path: &Path, table: &str, broken: Broken) -> Reject {
    Reject {
        file: path.to_owned(),
        row: broken.line,
        table: table.to_owned(),
        stream: None,
        step: String::new(),
        reason: broken.reason,
        column: String::new(),
        value: String::new(),
        right: broken.right,
        raw: broken.raw,
    }
}

/// Gives columns the mapping's names and adds the optional ones that the files lack.
fn rename(table: &mut Table, spec: &InputSpec) {
    for (name, sources) in &spec.rename {
        let found = sources.0.iter().find_map(|source| {
            let exact = table.by_name.get(source).copied();
            exact.or_else(|| table.column_names.iter().position(|known| known.eq_ignore_ascii_case(source)))
        });
        match found {
            Some(id) => {
                table.by_name.insert(name.clone(), id);
            }
            None if spec.optional.contains(name) => {
                table.add(name, Column::Absent);
            }
            None => {
                let known = table.column_names.iter().map(String::as_str);
                let hint = sources.0.first().map(|source| did_you_mean(source, known)).unwrap_or_default();
                let wanted = sources.0.join("` or `");
                table
                    .lacking
                    .insert(name.clone(), format!("is the file's `{wanted}`, which it has not{hint}"));
            }
        }
    }
    for name in &spec.optional {
        table.lacking.remove(name);
        if !table.by_name.contains_key(name) && !spec.rename.contains_key(name) {
            table.add(name, Column::Absent);
        }
    }
}
