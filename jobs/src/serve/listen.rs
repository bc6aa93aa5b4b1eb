//! Connections: so many at a time, and none that goes on for long without anything being sent on it.
//!
//! A client that dawdles over its request, or over taking the answer, is told apart from one that works by the last
//! byte that could be sent: a connection on which none was sent for a while is closed, whatever comes in meanwhile.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Pause after the system refused a connection, e.g. for want of file handles.
const REFUSED_PAUSE: Duration = Duration::from_millis(200);

/// How often a deadline is moved while it lasts, at most.
const EXTENDED_EVERY: u32 = 16;

/// Accepts connections.
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    idle: Duration,
    tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Door {
    /// Speaks TLS where `tls` is given, clear text otherwise.
    pub(super) fn new(
        listener: TcpListener,
        connections: usize,
        idle: Duration,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(connections)), idle, tls }
    }
}

impl Listener for Door {
    type Io = Channel;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Channel, SocketAddr) {
        loop {
            let place = Arc::clone(&self.places).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Small answers shouldn't wait for more.
                    drop(stream.set_nodelay(true));
                    let deadline = Box::pin(tokio::time::sleep(self.idle));
                    let connection = Connection {
                        stream,
                        idle: self.idle,
                        deadline,
                        extend_at: Instant::now(),
                        _place: place,
                    };
                    return (Channel::new(connection, self.tls.as_ref()), address);
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection");
                    tokio::time::sleep(REFUSED_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that gives up after a while.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    /// To move the deadline costs more than to look at the clock.
    extend_at: Instant,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn sent<T>(&mut self, context: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            let now = Instant::now();
            if now >= self.extend_at {
                self.deadline.as_mut().reset(now + self.idle);
                self.extend_at = now + self.idle / EXTENDED_EVERY;
            }
            return sent;
        }
        self.expire(context)
    }

    fn expire<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.deadline.is_elapsed() {
            return self.expire(context);
        }
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.expire(context),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.sent(context, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.sent(context, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A connection, with TLS around it where that is spoken. The handshake is done by whoever reads or writes first, so
/// that a client that dawdles over it keeps nobody else from being accepted.
pub(super) enum Channel {
    Clear(Connection),
    Shaking(Box<tokio_rustls::Accept<Connection>>),
    Tls(Box<TlsStream<Connection>>),
}

impl Channel {
    fn new(connection: Connection, tls: Option<&TlsAcceptor>) -> Self {
        match tls {
            Some(tls) => Self::Shaking(Box::new(tls.accept(connection))),
            None => Self::Clear(connection),
        }
    }

    /// Gets the handshake done.
    fn shake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Self::Shaking(accept) = self {
            let stream = ready!(Pin::new(accept.as_mut()).poll(context))?;
            *self = Self::Tls(Box::new(stream));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Channel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.shake(context))?;
        match &mut *self {
            Self::Clear(connection) => Pin::new(connection).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
            Self::Shaking(_) => Poll::Pending,
        }
    }
}

impl AsyncWrite for Channel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.shake(context))?;
        match &mut *self {
            Self::Clear(connection) => Pin::new(connection).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
            Self::Shaking(_) => Poll::Pending,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.shake(context))?;
        match &mut *self {
            Self::Clear(connection) => Pin::new(connection).poll_write_vectored(context, pieces),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(context, pieces),
            Self::Shaking(_) => Poll::Pending,
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.shake(context))?;
        match &mut *self {
            Self::Clear(connection) => Pin::new(connection).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            Self::Shaking(_) => Poll::Pending,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Clear(connection) => Pin::new(connection).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            // Nothing was said that would have to be ended.
            Self::Shaking(_) => Poll::Ready(Ok(())),
        }
    }
}
