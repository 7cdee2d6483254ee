//! The listening socket with bounds: on open connections in all and of one address, and on how long one may stay silent.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{
    FutureExt as _, Stream,
    future::{BoxFuture, Fuse},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant, sleep, sleep_until},
};
use tonic::transport::server::Connected;

use crate::stop::Stop;
use places::{Place, Places};

pub(crate) mod in_use;
pub mod metrics;
mod places;
mod usage;

pub use usage::Usage;

/// How long to wait when the operating system gives no further connection (no descriptors left).
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

type Patience = Fuse<BoxFuture<'static, ()>>;

/// Bounds of the connections.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most at once.
    pub connections_max: usize,
    /// The most at once from one address, or one network (/64) of IPv6.
    pub connections_per_address_max: usize,
    /// How many calls a client may give up in a second on one connection, over ten seconds, before it is closed.
    pub resets_per_second_max: u32,
    /// How long one may take to say its first word.
    pub first_word_within: Duration,
    /// How long one may be silent later.
    pub silence_max: Duration,
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    places: Arc<Places>,
    bounds: Bounds,
    address: SocketAddr,
}

/// An accepted connection; its place is free again when it is dropped.
pub struct Connection {
    stream: TcpStream,
    place: Place,
    /// Ends when the connection is to be closed.
    patience: Patience,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.stream).finish()
    }
}

impl Listener {
    /// Binds `address`. Connections beyond the bounds take the place of one that is idle, or are closed.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn bind(address: SocketAddr, bounds: Bounds) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let Bounds { connections_max, connections_per_address_max, resets_per_second_max, .. } =
            bounds;
        let places =
            Places::new(connections_max, connections_per_address_max, resets_per_second_max);
        Ok(Self { listener, places, bounds, address })
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
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(?error, "a connection cannot be accepted");
                    sleep(ACCEPT_AGAIN_AFTER).await;
                    continue;
                }
            };
            // Dropping the stream closes a connection beyond the bounds at once.
            let Some(place) = self.places.take(peer.ip()) else { continue };
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let patience = patience(Arc::clone(&place.usage), self.bounds, stop.clone());
            return Connection { stream, place, patience: patience.boxed().fuse() };
        }
    }
}

/// Done when the connection has been silent for too long, must not wait any longer for its first word, or is to be
/// closed for another reason.
async fn patience(usage: Arc<Usage>, bounds: Bounds, stop: Stop) {
    let accepted = Instant::now();
    loop {
        let heard = usage.heard();
        let until = match heard {
            Some(at) => at + bounds.silence_max,
            None => accepted + bounds.first_word_within,
        };
        if Instant::now() >= until {
            metrics::ended("silent");
            return;
        }
        tokio::select! {
            () = usage.over() => return,
            () = sleep_until(until) => {}
            () = stop.wait(), if heard.is_none() => {
                if usage.heard().is_none() {
                    return;
                }
            }
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Arc<Usage>;

    fn connect_info(&self) -> Arc<Usage> {
        Arc::clone(&self.place.usage)
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
            self.place.usage.hear();
        }
        self.unless_over(context, read)
    }
}

impl Connection {
    /// What came of reading or writing, unless the connection is over. Who takes nothing in is not read from any more, so
    /// it is looked for in both.
    fn unless_over<T>(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let usage = &self.place.usage;
        if done.is_pending() && self.patience.poll_unpin(context).is_ready() {
            usage.end();
        }
        if usage.is_over() { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { done }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_over(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.unless_over(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.unless_over(context, flushed)
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

    fn bounds(connections_max: usize) -> Bounds {
        Bounds {
            connections_max,
            connections_per_address_max: connections_max,
            resets_per_second_max: 10,
            first_word_within: Duration::from_secs(10),
            silence_max: Duration::from_secs(60),
        }
    }

    #[tokio::test]
    async fn a_connection_beyond_the_bound_is_closed_and_a_freed_place_is_taken() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), bounds(1)).unwrap();
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
    async fn a_connection_that_takes_nothing_in_ends_when_it_is_to_make_room() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), bounds(1)).unwrap();
        let address = listener.address();
        let mut connections = pin!(listener.connections(Stop::new()));
        let _client = TcpStream::connect(address).await.unwrap();
        let mut held = connections.next().await.unwrap().unwrap();
        let usage = held.connect_info();
        let writing = tokio::spawn(async move {
            // Nobody reads it.
            let much = vec![0; 64 << 20];
            held.write_all(&much).await
        });
        usage.end();
        let ended = tokio::time::timeout(Duration::from_secs(10), writing).await.unwrap();
        assert_eq!(ended.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_silent_connection_ends_at_the_stop_and_one_that_spoke_does_not() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), bounds(2)).unwrap();
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

    #[tokio::test]
    async fn a_connection_that_falls_silent_ends_and_one_for_which_there_is_another_ends_too() {
        let silence_max = Duration::from_millis(50);
        let bounds = Bounds { silence_max, ..bounds(2) };
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), bounds).unwrap();
        let (address, places) = (listener.address(), Arc::clone(&listener.places));
        let mut connections = pin!(listener.connections(Stop::new()));
        let mut client = TcpStream::connect(address).await.unwrap();
        let mut silent = connections.next().await.unwrap().unwrap();
        client.write_all(b"PRI").await.unwrap();
        let mut word = [0; 3];
        silent.read_exact(&mut word).await.unwrap();
        assert_eq!(silent.read(&mut word).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(silent);

        let _client = TcpStream::connect(address).await.unwrap();
        let mut held = connections.next().await.unwrap().unwrap();
        let usage = held.connect_info();
        let ended = tokio::spawn(async move { held.read(&mut [0; 3]).await });
        usage.end();
        assert_eq!(ended.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(places.take(address.ip()).is_some());
    }
}
