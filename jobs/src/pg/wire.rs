//! Messages to and from a client: read whole, within a size, and written in pieces.

use std::io;
use std::time::Duration;

use pgwire::messages::startup::Startup;
use pgwire::messages::{DecodeContext, PgWireBackendMessage, PgWireFrontendMessage};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::failure::Failure;

/// Bytes of a message before anybody is let in.
pub(super) const GREETING_BYTES_MAX: usize = 10_000;
/// Bytes of a message, at most.
pub(super) const MESSAGE_BYTES_MAX: usize = 8 << 20;
/// Bytes that are gathered before they are sent.
const WRITE_BYTES: usize = 64 << 10;

/// What bytes come from and go to.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// Why nothing more can be said to a client.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection is gone.
    Gone,
    /// The client is told, and the connection ends.
    Told(Failure),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// What a connection begins with.
#[derive(Debug)]
pub(super) enum Greeting {
    Startup(Startup),
    /// The number of a connection and its secret.
    Cancel(i32, Vec<u8>),
    Tls,
    Gss,
}

/// A connection to a client.
pub(super) struct Wire {
    io: Box<dyn Duplex>,
    /// What came while a statement was computed.
    ahead: Vec<u8>,
    out: Vec<u8>,
    context: DecodeContext,
    /// How long a client may take nothing.
    patience: Duration,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("gathered", &self.out.len()).finish_non_exhaustive()
    }
}

impl Wire {
    pub(super) fn new(io: Box<dyn Duplex>, patience: Duration) -> Self {
        let mut context = DecodeContext::default();
        context.awaiting_frontend_ssl = false;
        Self { io, ahead: Vec::new(), out: Vec::new(), context, patience }
    }

    /// The bytes' source, where nothing is gathered any more.
    pub(super) fn into_io(self) -> Box<dyn Duplex> {
        self.io
    }

    /// Reads what a connection begins with.
    ///
    /// # Errors
    /// Where it is longer than allowed, or no greeting.
    pub(super) async fn greeting(&mut self) -> Result<Greeting, Broken> {
        const TLS: [u8; 4] = 80_877_103_i32.to_be_bytes();
        const GSS: [u8; 4] = 80_877_104_i32.to_be_bytes();
        const CANCEL: [u8; 4] = 80_877_102_i32.to_be_bytes();
        let mut head = [0; 8];
        self.io.read_exact(&mut head).await?;
        let length = usize::try_from(i32::from_be_bytes([head[0], head[1], head[2], head[3]])).unwrap_or(0);
        if !(8..=GREETING_BYTES_MAX).contains(&length) {
            return Err(Broken::Told(Failure::protocol("that is no greeting of PostgreSQL's protocol")));
        }
        let code: [u8; 4] = [head[4], head[5], head[6], head[7]];
        let mut bytes = head.to_vec();
        bytes.resize(length, 0);
        self.io.read_exact(&mut bytes[8..]).await?;
        match code {
            TLS => Ok(Greeting::Tls),
            GSS => Ok(Greeting::Gss),
            CANCEL if length >= 16 => {
                let pid = i32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
                Ok(Greeting::Cancel(pid, bytes[12..].to_vec()))
            }
            _ => match self.decode(&bytes)? {
                PgWireFrontendMessage::Startup(startup) => {
                    self.context.awaiting_frontend_startup = false;
                    Ok(Greeting::Startup(startup))
                }
                _ => Err(Broken::Told(Failure::protocol("a startup message was expected"))),
            },
        }
    }

    /// Reads a message; none where the client has left.
    ///
    /// # Errors
    /// Where it is longer than allowed, or none of the protocol.
    pub(super) async fn read(&mut self, bytes_max: usize) -> Result<Option<PgWireFrontendMessage>, Broken> {
        let ahead = std::mem::take(&mut self.ahead);
        let mut source = ahead.as_slice().chain(&mut self.io);
        let mut kind = [0; 1];
        if source.read(&mut kind).await? == 0 {
            return Ok(None);
        }
        let mut head = [0; 4];
        source.read_exact(&mut head).await?;
        let length = usize::try_from(i32::from_be_bytes(head)).unwrap_or(0);
        if length < 4 || length > bytes_max {
            let message = format!("a message of {length} bytes was announced, at most {bytes_max} are taken");
            return Err(Broken::Told(Failure::protocol(message)));
        }
        let mut bytes = Vec::with_capacity(length.min(WRITE_BYTES) + 1);
        bytes.push(kind[0]);
        bytes.extend_from_slice(&head);
        // As it comes: what was announced may never be sent.
        let wanted = u64::try_from(length - 4).unwrap_or(u64::MAX);
        let got = (&mut source).take(wanted).read_to_end(&mut bytes).await?;
        if got + 4 < length {
            return Err(Broken::Gone);
        }
        self.ahead = source.into_inner().0.to_vec();
        self.decode(&bytes).map(Some)
    }

    /// Waits until the client has gone; what it sends meanwhile is read later. A client that sends much ahead isn't watched
    /// any further.
    pub(super) async fn gone(&mut self) {
        while self.ahead.len() < WRITE_BYTES {
            match self.io.read_buf(&mut self.ahead).await {
                Ok(got) if got > 0 => {}
                _ => return,
            }
        }
        std::future::pending::<()>().await;
    }

    fn decode(&self, bytes: &[u8]) -> Result<PgWireFrontendMessage, Broken> {
        let mut buffer = bytes.into();
        match PgWireFrontendMessage::decode(&mut buffer, &self.context) {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(Broken::Told(Failure::protocol("the message is shorter than its parts say"))),
            Err(error) => Err(Broken::Told(Failure::protocol(error.to_string()))),
        }
    }

    /// Gathers a message to be sent.
    ///
    /// # Errors
    /// Where the client takes nothing any more.
    pub(super) async fn send(&mut self, message: PgWireBackendMessage) -> Result<(), Broken> {
        let mut buffer = Vec::new().as_slice().into();
        message
            .encode(&mut buffer)
            .map_err(|error| Broken::Told(Failure::new("XX000", error.to_string())))?;
        self.send_bytes(&buffer).await
    }

    /// Gathers bytes that are messages already.
    ///
    /// # Errors
    /// Where the client takes nothing any more.
    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if self.out.len() + bytes.len() > WRITE_BYTES {
            self.flush().await?;
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Sends one byte of the time before messages.
    ///
    /// # Errors
    /// Where the client takes nothing any more.
    pub(super) async fn send_byte(&mut self, byte: u8) -> Result<(), Broken> {
        self.out.push(byte);
        self.flush().await
    }

    /// Sends what was gathered.
    ///
    /// # Errors
    /// Where the client takes nothing any more.
    pub(super) async fn flush(&mut self) -> Result<(), Broken> {
        let out = std::mem::take(&mut self.out);
        let sending = async {
            self.io.write_all(&out).await?;
            self.io.flush().await
        };
        timeout(self.patience, sending).await.map_err(|_| Broken::Gone)??;
        self.out = out;
        self.out.clear();
        Ok(())
    }

    /// Says good-bye.
    pub(super) async fn close(&mut self) {
        drop(self.flush().await);
        drop(timeout(self.patience, self.io.shutdown()).await);
    }
}
