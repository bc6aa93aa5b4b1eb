//! A mapping as the caller holds it: read, and sound in its own terms; the inputs are not known yet.

use std::path::Path;

use anyhow::Context as _;
use chrono_tz::Tz;

use super::error::{BadInput, Place, did_you_mean};
use super::preset;
use super::spec::MappingSpec;
use super::stamp::Format;
use super::value_spec::Names;

/// Longest name of a mapping or of an emit, in bytes: both are part of every event id.
pub(crate) const NAME_BYTES_MAX: usize = 24;

/// How one CRM's export becomes records of the input contract.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(crate) spec: MappingSpec,
    pub(crate) place: Place,
    pub(crate) zone: Tz,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`BadInput`] with file and line where it is no sound mapping, an I/O error where it can't be read.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let label = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read the mapping {label}"))?;
        let text = String::from_utf8(bytes).map_err(|_| BadInput::new(format!("{label}: not UTF-8")))?;
        Ok(Self::parse(&label, &text)?)
    }

    /// One of the built-in mappings, by name.
    ///
    /// # Errors
    /// [`BadInput`] that lists the presets where `name` is none of them.
    pub fn preset(name: &str) -> Result<Self, BadInput> {
        let text = preset::text(name).ok_or_else(|| {
            let known: Vec<&str> = preset::names().collect();
            let hint = did_you_mean(name, known.iter().copied());
            BadInput::new(format!("there is no preset `{name}`{hint}; presets: {}", known.join(", ")))
        })?;
        Self::parse(&format!("preset {name}"), text)
    }

    /// Reads the text of a mapping; `label` names it in errors.
    ///
    /// # Errors
    /// [`BadInput`] with `label` and line.
    pub fn parse(label: &str, text: &str) -> Result<Self, BadInput> {
        let place = Place::new(label, text);
        let spec: MappingSpec = toml::from_str(text).map_err(|error| match error.span() {
            Some(span) => place.error(&span, error.message()),
            None => place.error_without_line(error.message()),
        })?;
        check_name(spec.name.get_ref()).map_err(|problem| place.error(&spec.name.span(), problem))?;
        if spec.emit.is_empty() {
            return Err(place.error_without_line("a mapping needs at least one [[emit]]"));
        }
        for (name, formats) in &spec.formats {
            check_formats(name, formats).map_err(|problem| place.error_without_line(problem))?;
        }
        let zone = match &spec.timezone {
            None => Tz::UTC,
            Some(name) => zone(name.get_ref()).map_err(|problem| place.error(&name.span(), problem))?,
        };
        Ok(Self { spec, place, zone })
    }

    /// The name that begins every event id of this mapping.
    pub fn name(&self) -> &str {
        self.spec.name.get_ref()
    }

    /// The streams it writes, each once, in the order of the emits.
    pub fn streams(&self) -> Vec<&str> {
        let mut streams: Vec<&str> = Vec::new();
        for emit in &self.spec.emit {
            let stream = emit.get_ref().stream.as_str();
            if !streams.contains(&stream) {
                streams.push(stream);
            }
        }
        streams
    }

    /// Replaces the time zone of stamps that carry none, for a preset used elsewhere.
    ///
    /// # Errors
    /// [`BadInput`] where `name` is no IANA time zone.
    pub fn set_timezone(&mut self, name: &str) -> Result<(), BadInput> {
        self.zone = zone(name).map_err(BadInput::new)?;
        Ok(())
    }

    /// Replaces a named list of date formats, for a preset used in another locale.
    ///
    /// # Errors
    /// [`BadInput`] where the mapping has no such list or a format is wrong.
    pub fn set_formats(&mut self, name: &str, formats: &[&str]) -> Result<(), BadInput> {
        let formats = Names(formats.iter().map(|&format| format.to_owned()).collect());
        check_formats(name, &formats).map_err(BadInput::new)?;
        let known: Vec<&str> = self.spec.formats.keys().map(String::as_str).collect();
        if !known.contains(&name) {
            let known = known.join(", ");
            return Err(self.place.error_without_line(format!("no [formats] `{name}`; there are: {known}")));
        }
        self.spec.formats.insert(name.to_owned(), formats);
        Ok(())
    }
}

/// A name that goes into event ids: short, and without their separator.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
    if fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        return Ok(());
    }
    Err(format!(
        "the name `{name}` must be 1 to {NAME_BYTES_MAX} of a-z A-Z 0-9 _ . -, for it begins event ids"
    ))
}

fn check_formats(name: &str, formats: &Names) -> Result<(), String> {
    if formats.0.is_empty() {
        return Err(format!("[formats] `{name}` is empty"));
    }
    match formats.0.iter().find(|format| Format::new(format).is_none()) {
        Some(wrong) => Err(format!("[formats] {name}: {}", format_hint(wrong))),
        None => Ok(()),
    }
}

/// What to write instead of a format that isn't one.
pub(crate) fn format_hint(wrong: &str) -> String {
    format!(
        "`{wrong}` is no date format; write rfc3339, epoch_s, epoch_ms, epoch_us or a pattern such as %Y-%m-%d %H:%M:%S"
    )
}

fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        let hint = did_you_mean(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        format!("`{name}` is no IANA time zone{hint}")
    })
}
