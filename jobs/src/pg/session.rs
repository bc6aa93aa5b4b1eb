//! One client, from the first query to the last: which message means what, and what is remembered between them.

use std::collections::HashMap;

use pgwire::messages::response::{
    CommandComplete, EmptyQueryResponse, ErrorResponse, ReadyForQuery, TransactionStatus,
};
use pgwire::messages::startup::ParameterStatus;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use tokio::time::timeout;

use super::Shared;
use super::command::{Command, command};
use super::extended::{Portal, Prepared};
use super::failure::Failure;
use super::greet::Guest;
use super::rows::Shape;
use super::wire::{Broken, MESSAGE_BYTES_MAX};
use super::work::{Piece, Running, Turn};

/// Why a message wasn't answered.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nothing more can be said.
    Broken(Broken),
    /// The client is told.
    Failed(Failure),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A client's session.
pub(super) struct Session<'a> {
    pub(super) shared: &'a Shared,
    pub(super) guest: Guest,
    pub(super) transaction: TransactionStatus,
    pub(super) prepared: HashMap<String, std::sync::Arc<Prepared>>,
    pub(super) portals: HashMap<String, Portal>,
    /// After a failure of the extended protocol, until the client says that it knows.
    skipping: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, guest: Guest) -> Self {
        Self {
            shared,
            guest,
            transaction: TransactionStatus::Idle,
            prepared: HashMap::new(),
            portals: HashMap::new(),
            skipping: false,
        }
    }

    /// Answers until the client leaves, is idle for too long, or the server stops.
    pub(super) async fn run(mut self) {
        let mut stopping = self.shared.stopping.clone();
        loop {
            let reading = timeout(self.shared.idle, self.guest.wire.read(MESSAGE_BYTES_MAX));
            let read = tokio::select! {
                read = reading => read,
                _ = stopping.wait_for(|stop| *stop) => Ok(Err(Broken::Told(Failure::stopping()))),
            };
            let answered = match read {
                Err(_) => Err(Broken::Told(
                    Failure::new("57P05", "the connection was idle for longer than serve.pg.idle_seconds")
                        .fatal(),
                )),
                Ok(Err(broken)) => Err(broken),
                Ok(Ok(None | Some(PgWireFrontendMessage::Terminate(_)))) => break,
                Ok(Ok(Some(message))) => self.answer(message).await,
            };
            match answered {
                Ok(()) => {}
                Err(Broken::Gone) => return,
                Err(Broken::Told(failure)) => {
                    drop(self.guest.wire.send(error(failure)).await);
                    break;
                }
            }
        }
        self.guest.wire.close().await;
    }

    async fn answer(&mut self, message: PgWireFrontendMessage) -> Result<(), Broken> {
        use PgWireFrontendMessage as Message;
        let done = match message {
            Message::Query(query) => {
                self.skipping = false;
                let done = self.query(query.query).await;
                self.tell(done, false).await?;
                return self.ready().await;
            }
            Message::Sync(_) => {
                self.skipping = false;
                if matches!(self.transaction, TransactionStatus::Idle) {
                    self.portals.clear();
                }
                return self.ready().await;
            }
            Message::Flush(_) => return self.guest.wire.flush().await,
            // What a client sends of its own accord for COPY, which there isn't.
            Message::CopyData(_) | Message::CopyDone(_) | Message::CopyFail(_) => return Ok(()),
            _ if self.skipping => return Ok(()),
            Message::Parse(parse) => self.parse(parse).await,
            Message::Bind(bind) => self.bind(&bind).await,
            Message::Describe(describe) => self.describe(&describe).await,
            Message::Execute(execute) => self.execute(&execute).await,
            Message::Close(close) => self.close(&close).await,
            _ => return Err(Broken::Told(Failure::protocol("that message has no place here"))),
        };
        self.tell(done, true).await
    }

    /// Tells a failure; after one of the extended protocol, passes over what was sent after it.
    async fn tell(&mut self, done: Result<(), Stop>, skip: bool) -> Result<(), Broken> {
        let failure = match done {
            Ok(()) => return Ok(()),
            Err(Stop::Broken(broken)) => return Err(broken),
            Err(Stop::Failed(failure)) => failure,
        };
        self.skipping = skip;
        self.transaction = self.transaction.to_error_state();
        if failure.fatal {
            return Err(Broken::Told(failure));
        }
        self.guest.wire.send(error(failure)).await?;
        if skip { self.guest.wire.flush().await } else { Ok(()) }
    }

    async fn ready(&mut self) -> Result<(), Broken> {
        let ready = ReadyForQuery::new(self.transaction);
        self.guest.wire.send(PgWireBackendMessage::ReadyForQuery(ready)).await?;
        self.guest.wire.flush().await
    }

    /// A text of statements, one after the other, until one fails.
    async fn query(&mut self, text: String) -> Result<(), Stop> {
        let mut told = self.guest.place.told.clone();
        let mut turn = self.shared.work.turn(&self.guest.settings, &mut told);
        let statements = self.shared.work.parse(&mut turn, text).await?;
        if statements.is_empty() {
            let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
            return Ok(self.guest.wire.send(empty).await?);
        }
        for statement in statements {
            let command = command(statement, &self.guest.settings)?;
            self.may(Some(&command))?;
            if let Command::Query(statement, word) = command {
                let mut turn = self.shared.work.turn(&self.guest.settings, &mut told);
                let planned = self
                    .shared
                    .work
                    .plan(&mut turn, *statement, &self.guest.user, &self.guest.settings)
                    .await?;
                let shape = Shape::new(planned.frame.schema().as_arrow(), &[])?;
                let description = PgWireBackendMessage::RowDescription(shape.description());
                let mut running = self.shared.work.start(&mut turn, planned.frame, shape).await?;
                self.guest.wire.send(description).await?;
                let mut rows = 0;
                while let Some(piece) = self.next(&mut running, &mut turn, u64::MAX).await? {
                    rows += piece.rows;
                    self.send(&mut turn, piece.bytes.as_ref().as_ref()).await?;
                }
                self.complete(&format!("{word} {rows}")).await?;
            } else {
                let word = self.obey(command).await?;
                self.complete(word).await?;
            }
        }
        Ok(())
    }

    /// The next rows of a statement, as long as there is somebody to take them: a statement whose client has gone would
    /// keep its place at the gate until its time is over.
    pub(super) async fn next(
        &mut self,
        running: &mut Running,
        turn: &mut Turn<'_>,
        rows_max: u64,
    ) -> Result<Option<Piece>, Stop> {
        tokio::select! {
            biased;
            piece = running.next(turn, rows_max) => Ok(piece?),
            () = self.guest.wire.gone() => Err(Broken::Gone.into()),
        }
    }

    /// Sends rows within the statement's time.
    pub(super) async fn send(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) -> Result<(), Stop> {
        turn.until(self.guest.wire.send_bytes(bytes)).await.map_err(|_| Broken::Gone)??;
        Ok(())
    }

    pub(super) async fn complete(&mut self, word: &str) -> Result<(), Stop> {
        let complete = CommandComplete::new(word.to_owned());
        Ok(self.guest.wire.send(PgWireBackendMessage::CommandComplete(complete)).await?)
    }

    /// Whether a command, or a query where there is none, is taken in the transaction's state.
    pub(super) fn may(&self, command: Option<&Command>) -> Result<(), Failure> {
        let over = matches!(self.transaction, TransactionStatus::Error);
        if !over || matches!(command, Some(Command::Commit | Command::Rollback | Command::RollbackTo)) {
            return Ok(());
        }
        let message = "the transaction has failed; nothing is done until it is rolled back";
        Err(Failure::new("25P02", message))
    }

    /// Does what a command says of the connection; the word that is told then.
    pub(super) async fn obey(&mut self, command: Command) -> Result<&'static str, Stop> {
        match command {
            Command::Query(..) => Ok("SELECT"),
            Command::Begin => {
                self.transaction = self.transaction.to_in_transaction_state();
                Ok("BEGIN")
            }
            Command::Commit | Command::Rollback => {
                let failed = matches!(self.transaction, TransactionStatus::Error);
                self.transaction = TransactionStatus::Idle;
                self.portals.clear();
                Ok(if failed || matches!(command, Command::Rollback) { "ROLLBACK" } else { "COMMIT" })
            }
            Command::RollbackTo => {
                if matches!(self.transaction, TransactionStatus::Idle) {
                    let message = "ROLLBACK TO SAVEPOINT can only be used in transaction blocks";
                    return Err(Failure::new("25P01", message).into());
                }
                self.transaction = TransactionStatus::Transaction;
                Ok("ROLLBACK")
            }
            Command::Nothing(word) => Ok(word),
            Command::Set(name, value) => {
                self.guest.settings.set(&name, &value)?;
                self.report(&name).await?;
                Ok("SET")
            }
            Command::Reset(name) => {
                self.guest.settings.reset(name.as_deref())?;
                Ok("RESET")
            }
            Command::Discard => {
                self.guest.settings.reset(None)?;
                self.prepared.clear();
                self.portals.clear();
                Ok("DISCARD ALL")
            }
            Command::Deallocate(None) => {
                self.prepared.clear();
                Ok("DEALLOCATE ALL")
            }
            Command::Deallocate(Some(name)) => {
                self.prepared.remove(&name).ok_or_else(|| {
                    Failure::new("26000", format!("prepared statement \"{name}\" does not exist"))
                })?;
                Ok("DEALLOCATE")
            }
            Command::Close(None) => {
                self.portals.clear();
                Ok("CLOSE CURSOR ALL")
            }
            Command::Close(Some(name)) => {
                let known = self.portals.remove(&name);
                known.ok_or_else(|| Failure::new("34000", format!("cursor \"{name}\" does not exist")))?;
                Ok("CLOSE CURSOR")
            }
        }
    }

    /// Tells the new value of a setting that clients are told of.
    async fn report(&mut self, name: &str) -> Result<(), Broken> {
        let mut reported = self.guest.settings.reported();
        let found = reported.find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((name, value)) = found.map(|(name, value)| (name.to_owned(), value.to_owned())) else {
            return Ok(());
        };
        drop(reported);
        let status = PgWireBackendMessage::ParameterStatus(ParameterStatus::new(name, value));
        self.guest.wire.send(status).await
    }
}

/// The message that tells a failure.
pub(super) fn error(failure: Failure) -> PgWireBackendMessage {
    let response: ErrorResponse = failure.response();
    PgWireBackendMessage::ErrorResponse(response)
}
