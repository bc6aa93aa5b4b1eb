//! A published day as it was computed: its inputs at the versions that it recorded, and every stage on them again.

use super::identity::{Configuration, config_hash, joined, program};
use super::marts::Measured;
use super::quotas::Quotas;
use super::scratch::Scratch;
use super::source::Sources;
use super::{Clock, Inputs, State, compute};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::lake::{Lake, Run, Table, published, read};
use crate::quota::{Predictor, Span};
use crate::rule::{self, Book};
use crate::score::{Models, models_of};
use crate::settings::Settings;
use crate::tile::{Tiles, content_id};
use crate::time::{Day, date};

/// What to compute again, and with what where the lake doesn't keep what the run was made with.
pub struct PastRequest<'a> {
    /// The prediction behind the quotas.
    pub predictor: &'a dyn Predictor,
    /// The present settings, tried where the lake has not kept those of the run.
    pub settings: &'a Settings,
    /// The present rules, likewise.
    pub rules: &'a Book,
    /// The present event catalogue, likewise.
    pub catalogue: &'a Catalogue,
    /// The models that the run used.
    pub models: Models<'a>,
    /// Told the name of each stage as it begins.
    pub progress: &'a mut dyn FnMut(&str),
}

impl std::fmt::Debug for PastRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PastRequest").finish_non_exhaustive()
    }
}

/// A published day, computed again.
#[derive(Debug)]
pub struct Past {
    /// The run.
    pub run: Run,
    /// The program that computes now.
    pub program: String,
    pub(super) settings: Settings,
    pub(super) rules: Book,
    pub(super) catalogue: Catalogue,
    pub(super) state: State,
    pub(super) scratch: Scratch,
}

/// The run with an id, or with an id that begins so; `None` takes the one shown for a day, or for the newest.
///
/// # Errors
/// [`EngineError::Input`] where there is none, or several begin so.
pub async fn find_run(lake: &Lake, run_id: Option<&str>, day: Option<Day>) -> Result<Run> {
    let runs = Run::load(&lake.table("ops.run").await?)?;
    let shown = published(&runs);
    let Some((newest, newest_run)) = shown.last_key_value() else {
        return Err(EngineError::Input("no day is published yet; `tideline daily` publishes one".to_owned()));
    };
    let Some(run_id) = run_id else {
        let Some(day) = day else { return Ok((*newest_run).clone()) };
        return shown.get(&day).map(|run| (*run).clone()).ok_or_else(|| {
            let message =
                format!("{} is not published; the newest published day is {}", date(day), date(*newest));
            EngineError::Input(message)
        });
    };
    let mut found = runs.iter().filter(|run| run.is_published() && run.run_id.starts_with(run_id));
    match (found.next(), found.next()) {
        (Some(run), None) if !run_id.is_empty() => Ok(run.clone()),
        (Some(_), Some(_)) => {
            Err(EngineError::Input(format!("several runs begin with {run_id}; give more of the id")))
        }
        _ => Err(EngineError::Input(format!(
            "there is no published run {run_id}; SELECT as_of, run_id FROM ops.run lists them"
        ))),
    }
}

impl Past {
    /// Computes a run's day again, publishing nothing; or says what of its inputs is missing.
    ///
    /// # Errors
    /// Where the lake can't be read, or there is no room beside it.
    pub async fn of(lake: &Lake, run: Run, request: PastRequest<'_>) -> Result<Result<Self, Vec<String>>> {
        let PastRequest { predictor, settings, rules, catalogue, models, progress } = request;
        progress("reading what the run read");
        let configuration = configuration(lake, &run, settings, rules).await?;
        let catalogue = catalogue_of(lake, &run, catalogue).await?;
        let sources = Sources::of_past(lake, &run).await?;
        let (configuration, catalogue, sources) = match (configuration, catalogue, sources) {
            (Ok(configuration), Ok(catalogue), Ok(sources)) => (configuration, catalogue, sources),
            (configuration, catalogue, sources) => {
                let mut missing: Vec<String> =
                    configuration.err().into_iter().chain(catalogue.err()).collect();
                missing.extend(sources.err().into_iter().flatten());
                return Ok(Err(missing));
            }
        };
        let (settings, rules) = configuration;
        let period = Span::of(run.as_of, settings.quota.period);
        let mut missing = sources.missing_runs(run.as_of, &period, settings.quota.period);
        let program = program(predictor, models);
        if !models_of(&run.program).eq(models_of(&program)) {
            missing
                .push(format!("the models of the run ({}); those given are others ({program})", run.program));
        }
        if !missing.is_empty() {
            return Ok(Err(missing));
        }
        let scratch = Scratch::beside(lake)?;
        let inputs = Inputs {
            as_of: run.as_of,
            settings: &settings,
            catalogue: &catalogue,
            predictor,
            rules: &rules,
            models,
        };
        let tiles = Tiles::open(&scratch.lake, None).await?;
        let mut clock = Clock::start();
        let ignored = (|_: &Measured<'_>| Ok(()), |_: &Measured<'_>, _: &Quotas| Ok(()));
        let computed = compute(&scratch.lake, (&sources, tiles), inputs, progress, &mut clock, ignored);
        let (state, ..) = Box::pin(computed).await?;
        Ok(Ok(Self { run, program, settings, rules, catalogue, state, scratch }))
    }

    /// The settings of the run.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// A table at a version, or why it can't be had.
///
/// Where files of that version are gone because others took their place, a later version serves that holds the same
/// rows and nothing more.
pub(super) async fn table_at(
    lake: &Lake,
    name: &str,
    version: i64,
    newest: Table,
) -> Result<Result<Table, String>> {
    let wanted = match lake.table_at(name, version).await {
        Ok(table) => table,
        Err(error @ EngineError::Delta { .. }) => {
            return Ok(Err(format!("version {version} of {name} can't be opened: {}", chain(&error))));
        }
        Err(error) => return Err(error),
    };
    let Some(gone) = wanted.gone().next() else { return Ok(Ok(wanted)) };
    let content =
        |table: &Table| table.files().iter().fold(0, |sum: u64, file| sum.wrapping_add(content_id(file)));
    for later in version + 1..=newest.version() {
        let table = lake.table_at(name, later).await?;
        if content(&table) != content(&wanted) {
            break;
        }
        if table.gone().next().is_none() {
            return Ok(Ok(table));
        }
    }
    Ok(Err(format!(
        "version {version} of {name} is no longer whole: {} of its {} files were deleted, such as {};          `tideline lake maintain` keeps what is replaced for maintain.keep_days days",
        wanted.gone().count(),
        wanted.files().len(),
        gone.path
    )))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A text that the lake has kept under a hash.
async fn kept(lake: &Lake, kind: &str, hash: &str) -> Result<Option<String>> {
    let table = lake.table("ops.text").await?;
    for file in table.files() {
        for batch in read(&table.dir().join(&file.path), &[])? {
            let column = |name: &str| {
                let column = batch.column_by_name(name).map(arrow::array::AsArray::as_string::<i32>);
                column.ok_or_else(|| EngineError::Lake(format!("ops.text has no column {name}")))
            };
            let (kinds, hashes, texts) = (column("kind")?, column("hash")?, column("text")?);
            if let Some(row) =
                (0..batch.num_rows()).find(|&row| kinds.value(row) == kind && hashes.value(row) == hash)
            {
                return Ok(Some(texts.value(row).to_owned()));
            }
        }
    }
    Ok(None)
}

/// Settings and rules of a run: those that the lake has kept, or the present ones where their hash is the same.
async fn configuration(
    lake: &Lake,
    run: &Run,
    settings: &Settings,
    rules: &Book,
) -> Result<Result<(Settings, Book), String>> {
    if config_hash(settings, rules) == run.config_hash {
        return Ok(Ok((settings.clone(), rules.clone())));
    }
    let Some(text) = kept(lake, Configuration::KIND, &run.config_hash).await? else {
        return Ok(Err(unknown(run, settings, rules)));
    };
    let damaged = |what: &str| format!("what ops.text keeps under {} can't be used: {what}", run.config_hash);
    let Configuration { settings, rules } = match serde_json::from_str(&text) {
        Ok(configuration) => configuration,
        Err(error) => return Ok(Err(damaged(&error.to_string()))),
    };
    Ok(match rule::read(&rules) {
        Ok(book) if hash_of_text(&text, &rules, &book).as_ref() == Some(&run.config_hash) => {
            Ok((settings, book))
        }
        Ok(_) => Err(damaged("its hash is another")),
        Err(faults) => Err(damaged(&faults.first().map(|fault| fault.message.clone()).unwrap_or_default())),
    })
}

/// The hash of a kept configuration as it was written: a key that came later has its default, and changes nothing.
fn hash_of_text(text: &str, rules: &str, book: &Book) -> Option<String> {
    let end = format!(",\"rules\":{}}}", serde_json::to_string(rules).ok()?);
    let settings = text.strip_prefix("{\"settings\":")?.strip_suffix(&end)?;
    Some(joined(blake3::hash(settings.as_bytes()).to_hex()[..32].to_owned(), book))
}

/// That nobody knows the configuration of a run, and which key differs where one key is all.
fn unknown(run: &Run, settings: &Settings, rules: &Book) -> String {
    let head = format!(
        "the configuration of the run (config_hash {}) was not kept, and the present one ({}) is another",
        run.config_hash,
        config_hash(settings, rules)
    );
    let without_rules = config_hash(settings, &Book::default()) == run.config_hash;
    if without_rules {
        return format!("{head}: the run had no rules");
    }
    let same = |settings: &Settings| config_hash(settings, rules) == run.config_hash;
    if same(&Settings::default()) {
        return format!("{head}: the run had the default settings");
    }
    let (Ok(now), Ok(usual)) = (serde_json::to_value(settings), serde_json::to_value(Settings::default()))
    else {
        return head;
    };
    let mut keys = Vec::new();
    differences(&now, &usual, String::new(), &mut keys);
    let alone = keys.iter().find(|key| {
        let mut changed = now.clone();
        let pointer = format!("/{}", key.replace('.', "/"));
        match (changed.pointer_mut(&pointer), usual.pointer(&pointer)) {
            (Some(slot), Some(value)) => *slot = value.clone(),
            _ => return false,
        }
        serde_json::from_value::<Settings>(changed).is_ok_and(|settings| same(&settings))
    });
    match alone {
        Some(key) => format!("{head}: the run had the default {key}"),
        None => head,
    }
}

/// The keys, with dots, whose values differ.
fn differences(now: &serde_json::Value, usual: &serde_json::Value, path: String, keys: &mut Vec<String>) {
    match (now.as_object(), usual.as_object()) {
        (Some(now), Some(usual)) => {
            for (key, value) in now {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match usual.get(key) {
                    Some(usual) => differences(value, usual, path, keys),
                    None => keys.push(path),
                }
            }
        }
        _ if now != usual => keys.push(path),
        _ => {}
    }
}

/// The event catalogue of a run: the present or the built-in one where its hash is the same, or the one kept.
async fn catalogue_of(lake: &Lake, run: &Run, present: &Catalogue) -> Result<Result<Catalogue, String>> {
    let same = |catalogue: &Catalogue| catalogue.hash() == run.catalogue_hash;
    if same(present) {
        return Ok(Ok(present.clone()));
    }
    if let Some(builtin) = Catalogue::builtin().ok().filter(same) {
        return Ok(Ok(builtin));
    }
    let kept = kept(lake, Configuration::CATALOGUE, &run.catalogue_hash).await?;
    let read = kept.and_then(|text| Catalogue::from_toml(&text, "ops.text").ok()).filter(same);
    Ok(read.ok_or_else(|| {
        format!(
            "the event catalogue of the run (catalogue_hash {}) was not kept, and the present one is another",
            run.catalogue_hash
        )
    }))
}
