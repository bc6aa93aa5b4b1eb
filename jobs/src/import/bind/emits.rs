//! Emits, bound to their table and checked against the contract.

use toml::Spanned;

use super::Binder;
use crate::import::contract::{STREAMS, Stream};
use crate::import::emit::Emit;
use crate::import::error::{BadInput, did_you_mean};
use crate::import::mapping::check_name;
use crate::import::spec::EmitSpec;
use crate::import::table::TableId;
use crate::import::value::Value;

impl Binder<'_> {
    pub(super) fn emit(&self, emit: &Spanned<EmitSpec>) -> Result<Emit, BadInput> {
        let (span, spec) = (emit.span(), emit.get_ref());
        let fail = |problem: String| self.error(&span, format!("[[emit]] {}: {problem}", spec.name));
        check_name(&spec.name).map_err(fail)?;
        let alike = self.mapping.spec.emit.iter().filter(|other| other.get_ref().name == spec.name).count();
        if alike > 1 {
            return Err(fail("there are two emits of this name, so their event ids would clash".to_owned()));
        }
        let table = self.table(&spec.table, &span)?;
        let stream = Stream::named(&spec.stream).ok_or_else(|| {
            let known: Vec<&str> = STREAMS.iter().map(|stream| stream.name).collect();
            let hint = did_you_mean(&spec.stream, known.iter().copied());
            fail(format!("there is no stream `{}`{hint}; streams: {}", spec.stream, known.join(", ")))
        })?;
        let fields = self.fields(spec, table, stream)?;
        if !spec.attributes.is_empty() && !stream.attributes {
            return Err(fail(format!("{} has no attributes", stream.name)));
        }
        for (field, value) in stream.fields.iter().zip(&fields) {
            let made = field.name == "event_id" && !spec.key.is_empty();
            if field.required && value.is_none() && !made {
                let hint = if field.name == "event_id" { " (or a `key` to make it from)" } else { "" };
                return Err(fail(format!("the required field `{}` is missing{hint}", field.name)));
            }
        }
        let attributes = spec.attributes.iter();
        Ok(Emit {
            name: spec.name.clone(),
            id_prefix: format!("{}:{}", self.mapping.name(), spec.name),
            table,
            stream,
            when: self.when(table, spec.when.as_ref())?,
            key: self.scope(table).columns(&spec.key).map_err(fail)?,
            distinct: spec.distinct,
            fields,
            attributes: attributes
                .map(|(name, value)| Ok((name.clone(), self.value(table, value, name)?)))
                .collect::<Result<_, BadInput>>()?,
        })
    }

    fn fields(
        &self,
        spec: &EmitSpec,
        table: TableId,
        stream: &Stream,
    ) -> Result<Vec<Option<Value>>, BadInput> {
        let mut fields: Vec<Option<Value>> = stream.fields.iter().map(|_| None).collect();
        for (name, value) in &spec.fields {
            let Some(position) = stream.position(name) else {
                let known: Vec<&str> = stream.fields.iter().map(|field| field.name).collect();
                let hint = did_you_mean(name, known.iter().copied());
                let more = if stream.attributes { " (others go under [emit.attributes])" } else { "" };
                let known = known.join(", ");
                let message = format!("{} has no field `{name}`{hint}; fields: {known}{more}", stream.name);
                return Err(self.error(&value.span(), message));
            };
            fields[position] = Some(self.value(table, value, name)?);
        }
        Ok(fields)
    }
}
