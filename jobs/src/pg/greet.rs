//! The first messages of a connection: encryption, who it is, and what the client wants to know first.

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::{
    Authentication, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, SecretKey, Startup,
};
use tokio::net::TcpStream;

use super::Shared;
use super::cancel::Place;
use super::failure::Failure;
use super::settings::Settings;
use super::wire::{Broken, Greeting, Wire};

/// Rounds of asking for one kind of encryption or another.
const ROUNDS_MAX: usize = 3;
/// The newest minor version of the protocol that is spoken, as version 3 of it.
const PROTOCOL: i32 = 3 << 16;

/// Somebody who was let in.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) wire: Wire,
    pub(super) user: String,
    pub(super) settings: Settings,
    pub(super) place: Place,
}

/// Greets a client; none where there was only a request to cancel. Without a place it is told that there is none;
/// requests to cancel need none.
///
/// # Errors
/// Together with the connection, if it still stands, so that the client can be told.
pub(super) async fn greet(
    stream: TcpStream,
    shared: &Shared,
    has_place: bool,
) -> Result<Option<Guest>, (Broken, Option<Wire>)> {
    let mut wire = Wire::new(Box::new(stream), shared.patience);
    let mut secure = false;
    for _ in 0..ROUNDS_MAX {
        match wire.greeting().await {
            Ok(Greeting::Tls) => match &shared.tls {
                Some(tls) if !secure => {
                    if let Err(error) = tls.refresh() {
                        tracing::error!("{error}; the certificate known before stays");
                    }
                    let acceptor = tls.acceptor();
                    wire.send_byte(b'S').await.map_err(|error| (error, None))?;
                    // What was read is exactly the request, so nothing that came in the clear is taken for encrypted.
                    let stream = acceptor.accept(wire.into_io()).await.map_err(|_| (Broken::Gone, None))?;
                    wire = Wire::new(Box::new(stream), shared.patience);
                    secure = true;
                }
                _ => wire.send_byte(b'N').await.map_err(|error| (error, None))?,
            },
            Ok(Greeting::Gss) => wire.send_byte(b'N').await.map_err(|error| (error, None))?,
            Ok(Greeting::Cancel(pid, secret)) => {
                shared.cancels.cancel(pid, &secret);
                return Ok(None);
            }
            Ok(Greeting::Startup(_)) if !has_place => {
                let message = "as many connections as serve.pg.connections_max are open already";
                return Err((Broken::Told(Failure::new("53300", message).fatal()), Some(wire)));
            }
            Ok(Greeting::Startup(startup)) => {
                return match admit(&mut wire, &startup, secure, shared).await {
                    Ok((user, settings, place)) => Ok(Some(Guest { wire, user, settings, place })),
                    Err(error) => Err((error, Some(wire))),
                };
            }
            Err(error) => return Err((error, Some(wire))),
        }
    }
    Err((Broken::Gone, None))
}

async fn admit(
    wire: &mut Wire,
    startup: &Startup,
    secure: bool,
    shared: &Shared,
) -> Result<(String, Settings, Place), Broken> {
    let refuse = |code, message: &str| Err(Broken::Told(Failure::new(code, message).fatal()));
    if startup.protocol_number_major != 3 {
        return refuse("08P01", "version 3 of the protocol is spoken here");
    }
    if shared.tls.is_some() && !secure {
        return refuse("28000", "connections must be encrypted; connect with sslmode=require");
    }
    if startup.parameters.contains_key("replication") {
        return refuse("0A000", "there is nothing to replicate");
    }
    let unknown: Vec<String> =
        startup.parameters.keys().filter(|name| name.starts_with("_pq_.")).cloned().collect();
    if startup.protocol_number_minor > 0 || !unknown.is_empty() {
        let negotiate = NegotiateProtocolVersion::new(PROTOCOL, unknown);
        wire.send(PgWireBackendMessage::NegotiateProtocolVersion(negotiate)).await?;
    }
    let Some(user) = startup.parameters.get("user").filter(|user| !user.is_empty()) else {
        return refuse("28000", "no user was named");
    };
    if let Some(account) = &shared.account {
        account.ask(user, wire).await?;
    }
    let settings =
        Settings::new(user, &startup.parameters).map_err(|failure| Broken::Told(failure.fatal()))?;
    let Some(place) = shared.cancels.enter() else {
        return refuse("58000", "the system has no random bits");
    };
    wire.send(PgWireBackendMessage::Authentication(Authentication::Ok)).await?;
    for (name, value) in settings.reported() {
        let status = ParameterStatus::new(name.to_owned(), value.to_owned());
        wire.send(PgWireBackendMessage::ParameterStatus(status)).await?;
    }
    let key = BackendKeyData::new(place.pid, SecretKey::I32(i32::from_be_bytes(place.secret)));
    wire.send(PgWireBackendMessage::BackendKeyData(key)).await?;
    let ready = ReadyForQuery::new(TransactionStatus::Idle);
    wire.send(PgWireBackendMessage::ReadyForQuery(ready)).await?;
    wire.flush().await?;
    Ok((user.clone(), settings, place))
}
