//! From rows to models and definitions: what each field means, and every check that a single row or the whole allows.

use super::toml_rows::{Result, Row, SENT_FIELDS, Source, rows};
use super::{
    CatalogueError, Channel, Definition, Duration, Entity, EntitySet, EventCode, Flags, Model, Sequence,
    contract,
};

/// Models a catalogue may have.
const MODELS_MAX: usize = 4096;
/// Fields that every derived model has; its kind adds its own.
const DERIVED_FIELDS: [&str; 5] = ["en", "zh", "flags", "entity", "kind"];
const ENTITIES: &str = "rep, customer, lead or opportunity";
const KINDS: &str = "first, streak, silence_after or idle";
const TIMES: &str = "a time like \"90s\", \"15min\", \"72h\" or \"7d\", at most ten years";

/// Reads a whole file: models in the order of their codes, and the derived ones' sequences.
pub(super) fn read(text: &str, file: &str) -> Result<(Vec<Model>, Vec<Definition>)> {
    let source = Source { text, file };
    let root = source.parse()?;
    let mut rows = rows(root.get_ref(), source)?;
    if rows.len() > MODELS_MAX {
        return Err(CatalogueError::TooManyModels {
            file: file.to_owned(),
            found: rows.len(),
            max: MODELS_MAX,
        });
    }
    let mut models = Vec::with_capacity(rows.len());
    for row in &rows {
        let model = match row.channel {
            Some(channel) => sent_model(row, channel)?,
            None => derived_model(row)?,
        };
        check_contract(row, &model, source)?;
        models.push(model);
    }
    rows.sort_by(|a, b| (&a.code, a.offset).cmp(&(&b.code, b.offset)));
    models.sort_by(|a, b| a.code.cmp(&b.code));
    if let Some((first, second)) = rows.iter().zip(rows.iter().skip(1)).find(|(a, b)| a.code == b.code) {
        return Err(CatalogueError::DuplicateCode {
            place: source.place(second.offset),
            code: second.code.clone(),
            first_line: source.place(first.offset).line,
        });
    }
    if let Some(fixed) = contract::missing_from(&models) {
        return Err(CatalogueError::FixedMissing {
            file: file.to_owned(),
            code: fixed.code,
            channel: fixed.channel.as_str(),
            flags: listed(fixed.flags),
        });
    }
    let mut definitions = Vec::new();
    for (row, code) in rows.iter().zip(EventCode::all()).filter(|(row, _)| row.channel.is_none()) {
        let (entity, sequence) = (entity(row)?, Reader { row, source, models: &models }.sequence()?);
        definitions.push(Definition { code, name: row.code.clone(), entity, sequence });
    }
    Ok((models, definitions))
}

fn sent_model(row: &Row<'_>, channel: Channel) -> Result<Model> {
    row.only(&SENT_FIELDS)?;
    let mut required = EntitySet::default();
    let ids = format!("a list of {ENTITIES}");
    for (offset, word) in row.words("requires", &ids)? {
        let entity = Entity::parse(word);
        let entity = entity.ok_or_else(|| row.wrong("requires", offset, format!("\"{word}\""), &ids))?;
        required = required.with(entity);
    }
    let words: Vec<&str> = Flags::ALL.iter().map(|&(_, word)| word).collect();
    let flags = flags(row, &words)?;
    if flags.contains(Flags::EFFECTIVE_TOUCH) && !flags.contains(Flags::TOUCH) {
        let expected = "\"touch\" beside it: an effective touch is a touch";
        return Err(row.wrong(
            "flags",
            row.offset_of("flags"),
            "effective_touch without touch".to_owned(),
            expected,
        ));
    }
    Ok(Model {
        code: row.code.clone(),
        name_en: row.text("en", "its English name")?.to_owned(),
        name_zh: row.text("zh", "its Chinese name")?.to_owned(),
        channel,
        required,
        amount_required: row.switch("amount_required")?,
        flags,
        attributes: attributes(row)?,
        derived: false,
    })
}

fn derived_model(row: &Row<'_>) -> Result<Model> {
    Ok(Model {
        code: row.code.clone(),
        name_en: row.text("en", "its English name")?.to_owned(),
        name_zh: row.text("zh", "its Chinese name")?.to_owned(),
        channel: Channel::System,
        required: EntitySet::default().with(entity(row)?),
        amount_required: false,
        flags: flags(row, &["price_sensitive", "risk"])?,
        attributes: Vec::new(),
        derived: true,
    })
}

fn entity(row: &Row<'_>) -> Result<Entity> {
    let word = row.text("entity", ENTITIES)?;
    let wrong = || row.wrong("entity", row.offset_of("entity"), format!("\"{word}\""), ENTITIES);
    Entity::parse(word).ok_or_else(wrong)
}

fn flags(row: &Row<'_>, allowed: &[&str]) -> Result<Flags> {
    let expected = format!("a list of {}", allowed.join(", "));
    row.words("flags", &expected)?.into_iter().try_fold(Flags::NONE, |flags, (offset, word)| {
        let flag = Flags::parse(word).filter(|_| allowed.contains(&word));
        flag.map(|flag| flags.with(flag))
            .ok_or_else(|| row.wrong("flags", offset, format!("\"{word}\""), &expected))
    })
}

fn attributes(row: &Row<'_>) -> Result<Vec<String>> {
    const EXPECTED: &str = "a list of attribute names without spaces or commas";
    let words = row.words("attributes", EXPECTED)?;
    let plain = |word: &str| !word.is_empty() && !word.contains(|c: char| c == ',' || c.is_whitespace());
    match words.iter().find(|(_, word)| !plain(word)) {
        Some((offset, word)) => Err(row.wrong("attributes", *offset, format!("\"{word}\""), EXPECTED)),
        None => Ok(words.into_iter().map(|(_, word)| word.to_owned()).collect()),
    }
}

/// Holds a model to what the contract fixes of its code.
fn check_contract(row: &Row<'_>, model: &Model, source: Source<'_>) -> Result<()> {
    let Some((channel, flags)) = contract::required_of(&model.code) else { return Ok(()) };
    let (field, expected, found) = if model.channel != channel {
        ("channel", channel.as_str().to_owned(), model.channel.as_str().to_owned())
    } else if model.flags != flags {
        ("flags", listed(flags), listed(model.flags))
    } else {
        return Ok(());
    };
    let place = source.place(row.offset_of(field));
    Err(CatalogueError::Fixed { place, code: model.code.clone(), field, expected, found })
}

/// Flags as a message shows them.
fn listed(flags: Flags) -> String {
    if flags == Flags::NONE { "none".to_owned() } else { flags.to_string() }
}

/// Reads the sequence of one derived model against the models it may name.
struct Reader<'a, 't> {
    row: &'a Row<'t>,
    source: Source<'t>,
    /// In the order of their codes.
    models: &'a [Model],
}

impl Reader<'_, '_> {
    fn sequence(&self) -> Result<Sequence> {
        let row = self.row;
        let kind = row.text("kind", KINDS)?;
        let fields = |own: &[&'static str]| row.only(&[&DERIVED_FIELDS[..], own].concat());
        match kind {
            "first" => {
                fields(&["codes"])?;
                Ok(Sequence::First { codes: self.codes("codes")? })
            }
            "streak" => {
                fields(&["codes", "count", "without"])?;
                let (codes, without) = (self.codes("codes")?, self.codes("without")?);
                self.disjoint(("codes", &codes), ("without", &without))?;
                Ok(Sequence::Streak { codes, count: row.count("count", 2)?, without })
            }
            "silence_after" => {
                fields(&["trigger", "until", "within"])?;
                let (trigger, until) = (self.codes("trigger")?, self.codes("until")?);
                self.disjoint(("trigger", &trigger), ("until", &until))?;
                Ok(Sequence::SilenceAfter { trigger, until, within: self.within()? })
            }
            "idle" => {
                fields(&["codes", "within", "ends"])?;
                let codes = self.codes("codes")?;
                let ends = if row.has("ends") { self.codes("ends")? } else { Vec::new() };
                self.disjoint(("codes", &codes), ("ends", &ends))?;
                Ok(Sequence::Idle { codes, ends, within: self.within()? })
            }
            other => Err(row.wrong("kind", row.offset_of("kind"), format!("\"{other}\""), KINDS)),
        }
    }

    fn within(&self) -> Result<Duration> {
        let text = self.row.text("within", TIMES)?;
        let wrong = || self.row.wrong("within", self.row.offset_of("within"), format!("\"{text}\""), TIMES);
        Duration::parse(text).ok_or_else(wrong)
    }

    /// A list of codes and flag names as ascending dense codes; never empty.
    fn codes(&self, field: &'static str) -> Result<Vec<EventCode>> {
        const EXPECTED: &str = "a list of codes, or of flags that stand for all sent codes with that flag";
        let words = self.row.words(field, EXPECTED)?;
        if words.is_empty() {
            return Err(self.row.missing(field, EXPECTED));
        }
        let mut codes = Vec::new();
        for (offset, word) in words {
            let known = codes.len();
            let flag = Flags::parse(word);
            let named = |model: &Model| flag.map_or(model.code == word, |flag| model.flags.contains(flag));
            let sent = self.models.iter().zip(EventCode::all()).filter(|(model, _)| !model.derived);
            codes.extend(sent.filter(|(model, _)| named(model)).map(|(_, code)| code));
            if codes.len() == known {
                return Err(CatalogueError::UnknownCode {
                    place: self.source.place(offset),
                    code: self.row.code.clone(),
                    field,
                    found: word.to_owned(),
                    nearest: self.nearest(word),
                });
            }
        }
        codes.sort_unstable();
        codes.dedup();
        Ok(codes)
    }

    fn disjoint(
        &self,
        first: (&'static str, &[EventCode]),
        second: (&'static str, &[EventCode]),
    ) -> Result<()> {
        let both = first.1.iter().find(|code| second.1.contains(code));
        let Some(model) = both.and_then(|code| self.models.get(code.index())) else { return Ok(()) };
        Err(CatalogueError::Contrary {
            place: self.source.place(self.row.offset_of(second.0)),
            code: self.row.code.clone(),
            both: model.code.clone(),
            first: first.0,
            second: second.0,
        })
    }

    /// "; did you mean …?" for a code at most two edits away.
    fn nearest(&self, word: &str) -> String {
        let sent = self.models.iter().filter(|model| !model.derived);
        let closest = sent.map(|model| (strsim::levenshtein(word, &model.code), &model.code)).min();
        match closest {
            Some((distance, code)) if distance <= 2 => format!("; did you mean `{code}`?"),
            _ => String::new(),
        }
    }
}
