//! The listening socket with bounds: on open connections, and on how long one may stay silent at first.

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Duration, sleep},
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::stop::Stop;

/// How long a connection may take to say its first word. Later silence is found out by HTTP/2 pings.
const FIRST_WORD_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait when the operating system gives no further connection (no descriptors left).
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

type Silence = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    places: Arc<Semaphore>,
    address: SocketAddr,
}

/// An accepted connection; its place is free again when it is dropped.
pub struct Connection {
    stream: TcpStream,
    /// Ends when the connection has been silent for too long, or must not wait any longer.
    silence: Option<Silence>,
    _place: OwnedSemaphorePermit,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.stream).finish()
    }
}

impl Listener {
    /// Binds `address`; at most `connections_max` connections are open at once, more are closed.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn bind(address: SocketAddr, connections_max: usize) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, places: Arc::new(Semaphore::new(connections_max)), address })
    }

    /// Where it listens, with the port that was found when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connections as they come. One that has said nothing yet ends at `stop`.
    pub fn connections(self, stop: Stop) -> impl Stream<Item = io::Result<Connection>> {
        futures::stream::unfold((self, stop), |(listener, stop)| async move {
            let connection = listener.accept(&stop).await;
            Some((Ok(connection), (listener, stop)))
        })
    }

    async fn accept(&self, stop: &Stop) -> Connection {
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(?error, "a connection cannot be accepted");
                    sleep(ACCEPT_AGAIN_AFTER).await;
                    continue;
                }
            };
            // Dropping the stream closes a connection beyond the bound at once.
            let Ok(place) = self.places.clone().try_acquire_owned() else { continue };
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let stop = stop.clone();
            let silence = Box::pin(async move {
                tokio::select! {
                    () = sleep(FIRST_WORD_WITHIN) => {}
                    () = stop.wait() => {}
                }
            });
            return Connection { stream, silence: Some(silence), _place: place };
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() && buffer.filled().len() > before {
            self.silence = None;
        }
        let silent = |silence: &mut Silence| silence.as_mut().poll(context).is_ready();
        if read.is_pending() && self.silence.as_mut().is_some_and(silent) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
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

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::StreamExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_connection_beyond_the_bound_is_closed_and_a_freed_place_is_taken() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), 1).unwrap();
        let address = listener.address();
        let mut connections = pin!(listener.connections(Stop::new()));
        let mut first = TcpStream::connect(address).await.unwrap();
        let held = connections.next().await.unwrap().unwrap();
        let mut beyond = TcpStream::connect(address).await.unwrap();
        let mut word = [0];
        tokio::select! {
            _ = connections.next() => panic!("the bound is 1"),
            read = beyond.read(&mut word) => assert!(matches!(read, Ok(0) | Err(_))),
        }
        drop(held);
        assert_eq!(first.read(&mut word).await.unwrap(), 0);
        let _third = TcpStream::connect(address).await.unwrap();
        connections.next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_silent_connection_ends_at_the_stop_and_one_that_spoke_does_not() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), 2).unwrap();
        let address = listener.address();
        let stop = Stop::new();
        let mut connections = pin!(listener.connections(stop.clone()));
        let _silent = TcpStream::connect(address).await.unwrap();
        let mut silent = connections.next().await.unwrap().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let mut spoken = connections.next().await.unwrap().unwrap();
        client.write_all(b"PRI").await.unwrap();
        let mut word = [0; 3];
        spoken.read_exact(&mut word).await.unwrap();
        stop.now();
        let ended = silent.read(&mut word).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        client.write_all(b" * ").await.unwrap();
        spoken.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b" * ");
    }
}
