//! The extended protocol: statements prepared once, bound to parameters, and read in pieces.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::ParamValues;
use datafusion::common::ScalarValue;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::prelude::DataFrame;
use datafusion::sql::parser::Statement;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, PortalSuspended,
};
use pgwire::messages::response::EmptyQueryResponse;

use super::command::{Command, command};
use super::failure::Failure;
use super::parameter::{Parameter, parameters};
use super::rows::Shape;
use super::session::{Session, Stop};
use super::work::{Planned, Running, Turn};

/// Prepared statements of a connection, and portals, at most.
const NAMES_MAX: usize = 1_000;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    what: What,
    parameters: Vec<Parameter>,
    /// The columns of its answer.
    schema: Option<SchemaRef>,
}

#[derive(Debug)]
enum What {
    Empty,
    Command(Command),
    Query { statement: Box<Statement>, word: &'static str, planned: Planned },
}

/// A prepared statement with its parameters, being read.
#[derive(Debug)]
pub(super) struct Portal {
    prepared: Arc<Prepared>,
    values: Vec<ScalarValue>,
    formats: Vec<i16>,
    state: State,
}

#[derive(Debug)]
enum State {
    Fresh,
    Running(Box<Running>),
    Done,
}

impl Session<'_> {
    pub(super) async fn parse(&mut self, asked: Parse) -> Result<(), Stop> {
        let name = asked.name.unwrap_or_default();
        if !name.is_empty() && self.prepared.contains_key(&name) {
            return Err(Failure::new("42P05", format!("prepared statement \"{name}\" already exists")).into());
        }
        if self.prepared.len() >= NAMES_MAX {
            return Err(Failure::new("53400", format!("{NAMES_MAX} statements are prepared already")).into());
        }
        let mut told = self.guest.place.told.clone();
        let mut turn = self.shared.work.turn(&self.guest.settings, &mut told);
        let mut statements = self.shared.work.parse(&mut turn, asked.query).await?;
        if statements.len() > 1 {
            return Err(
                Failure::new("42601", "cannot insert multiple commands into a prepared statement").into()
            );
        }
        let taken = statements.pop().map(|statement| command(statement, &self.guest.settings)).transpose()?;
        let prepared = match taken {
            None => Prepared { what: What::Empty, parameters: Vec::new(), schema: None },
            Some(Command::Query(statement, word)) => {
                self.may(None)?;
                let made = self
                    .shared
                    .work
                    .plan(&mut turn, (*statement).clone(), &self.guest.user, &self.guest.settings)
                    .await?;
                let parameters = parameters(made.frame.logical_plan(), &asked.type_oids)?;
                let schema = Some(Arc::clone(made.frame.schema().inner()));
                Prepared { what: What::Query { statement, word, planned: made }, parameters, schema }
            }
            Some(other) => Prepared { what: What::Command(other), parameters: Vec::new(), schema: None },
        };
        self.prepared.insert(name, Arc::new(prepared));
        Ok(self.guest.wire.send(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await?)
    }

    pub(super) async fn bind(&mut self, bind: &Bind) -> Result<(), Stop> {
        let name = bind.statement_name.as_deref().unwrap_or_default();
        let prepared = Arc::clone(self.statement(name)?);
        let (given, wanted) = (bind.parameters.len(), prepared.parameters.len());
        if given != wanted {
            let message = format!("{given} parameters were given, and the statement has {wanted}");
            return Err(Failure::new("08P01", message).into());
        }
        let formats = &bind.parameter_format_codes;
        if formats.len() > 1 && formats.len() != given {
            let message = format!("{} formats were given for {given} parameters", formats.len());
            return Err(Failure::new("08P01", message).into());
        }
        let mut values = Vec::with_capacity(given);
        for (place, (parameter, bytes)) in prepared.parameters.iter().zip(&bind.parameters).enumerate() {
            let format = formats.get(place).or(formats.first()).copied().unwrap_or(0);
            values.push(parameter.value(place + 1, bytes.as_deref(), format == 1)?);
        }
        if self.portals.len() >= NAMES_MAX {
            return Err(Failure::new("53400", format!("{NAMES_MAX} portals are open already")).into());
        }
        let formats = bind.result_column_format_codes.clone();
        let portal = Portal { prepared, values, formats, state: State::Fresh };
        self.portals.insert(bind.portal_name.clone().unwrap_or_default(), portal);
        Ok(self.guest.wire.send(PgWireBackendMessage::BindComplete(BindComplete::new())).await?)
    }

    pub(super) async fn describe(&mut self, describe: &Describe) -> Result<(), Stop> {
        let name = describe.name.as_deref().unwrap_or_default();
        let (schema, formats) = if describe.target_type == b'S' {
            let prepared = Arc::clone(self.statement(name)?);
            let oids = prepared.parameters.iter().map(|parameter| parameter.pg_type.oid()).collect();
            let described = ParameterDescription::new(oids);
            self.guest.wire.send(PgWireBackendMessage::ParameterDescription(described)).await?;
            (prepared.schema.clone(), Vec::new())
        } else {
            let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
            (portal.prepared.schema.clone(), portal.formats.clone())
        };
        let message = match schema {
            Some(schema) => {
                PgWireBackendMessage::RowDescription(Shape::new(&schema, &formats)?.description())
            }
            None => PgWireBackendMessage::NoData(NoData::new()),
        };
        Ok(self.guest.wire.send(message).await?)
    }

    pub(super) async fn execute(&mut self, execute: &Execute) -> Result<(), Stop> {
        let name = execute.name.clone().unwrap_or_default();
        // Taken out, so that a failure leaves nothing behind that could be read on.
        let mut portal = self.portals.remove(&name).ok_or_else(|| no_portal(&name))?;
        let prepared = Arc::clone(&portal.prepared);
        let (statement, word, planned) = match &prepared.what {
            What::Empty => {
                let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
                self.guest.wire.send(empty).await?;
                self.portals.insert(name, portal);
                return Ok(());
            }
            What::Command(command) => {
                self.may(Some(command))?;
                let word = self.obey(command.clone()).await?;
                return self.complete(word).await;
            }
            What::Query { statement, word, planned } => (statement, *word, planned),
        };
        self.may(None)?;
        let mut told = self.guest.place.told.clone();
        let mut turn = self.shared.work.turn(&self.guest.settings, &mut told);
        let mut running = match std::mem::replace(&mut portal.state, State::Done) {
            State::Done => return self.complete(&format!("{word} 0")).await,
            State::Fresh => {
                let frame = self.bound(&mut turn, &portal, statement, planned).await?;
                let schema =
                    prepared.schema.as_ref().map_or_else(|| Arc::clone(frame.schema().inner()), Arc::clone);
                let shape = Shape::new(&schema, &portal.formats)?;
                Box::new(self.shared.work.start(&mut turn, frame, shape).await?)
            }
            State::Running(running) => {
                self.shared.work.resume(&mut turn, &running).await?;
                running
            }
        };
        let wanted = u64::try_from(execute.max_rows).ok().filter(|rows| *rows > 0).unwrap_or(u64::MAX);
        let mut rows = 0;
        while rows < wanted {
            let Some(piece) = self.next(&mut running, &mut turn, wanted - rows).await? else {
                self.portals.insert(name, portal);
                return self.complete(&format!("{word} {rows}")).await;
            };
            rows += piece.rows;
            self.send(&mut turn, piece.bytes.as_ref().as_ref()).await?;
        }
        running.suspend();
        portal.state = State::Running(running);
        self.portals.insert(name, portal);
        Ok(self.guest.wire.send(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await?)
    }

    /// The plan of a portal's statement on the lake as it stands, with the values of its parameters.
    async fn bound(
        &self,
        turn: &mut Turn<'_>,
        portal: &Portal,
        statement: &Statement,
        planned: &Planned,
    ) -> Result<DataFrame, Failure> {
        let work = &self.shared.work;
        let frame = if work.snapshot(turn).await? == planned.snapshot {
            planned.frame.clone()
        } else {
            work.plan(turn, statement.clone(), &self.guest.user, &self.guest.settings).await?.frame
        };
        if portal.values.is_empty() {
            return Ok(frame);
        }
        let values = portal.values.iter().cloned().map(ScalarAndMetadata::from).collect();
        work.within(turn, async move { Ok(frame.with_param_values(ParamValues::List(values))?) }).await
    }

    pub(super) async fn close(&mut self, close: &Close) -> Result<(), Stop> {
        let name = close.name.as_deref().unwrap_or_default();
        if close.target_type == b'S' {
            self.prepared.remove(name);
        } else {
            self.portals.remove(name);
        }
        Ok(self.guest.wire.send(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?)
    }

    fn statement(&self, name: &str) -> Result<&Arc<Prepared>, Failure> {
        self.prepared
            .get(name)
            .ok_or_else(|| Failure::new("26000", format!("prepared statement \"{name}\" does not exist")))
    }
}

fn no_portal(name: &str) -> Failure {
    Failure::new("34000", format!("portal \"{name}\" does not exist"))
}
