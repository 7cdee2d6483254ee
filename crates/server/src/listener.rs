//! The listening socket with bounds: on open connections in all and of one address, and on how long one may stay silent.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant, sleep, sleep_until},
};

use crate::stop::Stop;
use places::{Place, Places};
use usage::{Ending, Usage};

pub mod metrics;
mod places;
pub(crate) mod serve;
mod usage;

/// How long to wait when the operating system gives no further connection (no descriptors left).
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

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
pub(crate) struct Connection {
    stream: TcpStream,
    place: Place,
}

/// How long a connection is kept open.
pub(crate) struct Patience {
    usage: Arc<Usage>,
    accepted: Instant,
    bounds: Bounds,
    stop: Stop,
    told: Option<Ending>,
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

    /// The next connection, and how long it is to be kept. One that has said nothing yet ends at `stop`.
    pub(crate) async fn accept(&self, stop: &Stop) -> (Connection, Patience) {
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
            let (usage, stop, accepted) = (Arc::clone(&place.usage), stop.clone(), Instant::now());
            let patience = Patience { usage, accepted, bounds: self.bounds, stop, told: None };
            return (Connection { stream, place }, patience);
        }
    }
}

impl Patience {
    /// Until when it must be agreed how the connection is spoken on.
    pub(crate) fn agreed_until(&self) -> Instant {
        self.accepted + self.bounds.first_word_within
    }

    /// Done when the connection has been silent for too long, must not wait any longer for its first word, or is to end
    /// for another reason. Once told to end gently, it may be told to end at once.
    pub(crate) async fn over(&mut self) -> Ending {
        loop {
            let ending = self.usage.ending();
            if let Some(how) = ending.filter(|_| ending != self.told) {
                self.told = ending;
                return how;
            }
            let heard = self.usage.heard();
            let until = match heard {
                Some(at) => at + self.bounds.silence_max,
                None => self.agreed_until(),
            };
            if Instant::now() >= until {
                metrics::ended("silent");
                return Ending::AtOnce;
            }
            tokio::select! {
                () = self.usage.changed() => {}
                () = sleep_until(until) => {}
                () = self.stop.wait(), if heard.is_none() => {
                    if self.usage.heard().is_none() {
                        return Ending::AtOnce;
                    }
                }
            }
        }
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::{usage::OpenCall, *};

    fn listener(connections_max: usize, connections_per_address_max: usize) -> Listener {
        let bounds = Bounds {
            connections_max,
            connections_per_address_max,
            resets_per_second_max: 10,
            first_word_within: Duration::from_secs(10),
            silence_max: Duration::from_millis(50),
        };
        Listener::bind(([127, 0, 0, 1], 0).into(), bounds).unwrap()
    }

    #[tokio::test]
    async fn a_connection_beyond_the_share_of_its_address_is_closed_and_a_freed_place_is_taken() {
        let (listener, stop) = (listener(2, 1), Stop::new());
        let mut first = TcpStream::connect(listener.address()).await.unwrap();
        let (held, _) = listener.accept(&stop).await;
        let call = OpenCall::begin(&held.place.usage);
        let mut beyond = TcpStream::connect(listener.address()).await.unwrap();
        let mut word = [0];
        tokio::select! {
            _ = listener.accept(&stop) => panic!("the bound is 1"),
            read = beyond.read(&mut word) => assert!(matches!(read, Ok(0) | Err(_))),
        }
        drop((held, call));
        assert_eq!(first.read(&mut word).await.unwrap(), 0);
        let _third = TcpStream::connect(listener.address()).await.unwrap();
        listener.accept(&stop).await;
    }

    #[tokio::test]
    async fn where_an_address_may_have_all_places_it_can_ask_for_the_health_when_all_are_at_work() {
        let (listener, stop) = (listener(1, 1), Stop::new());
        let _first = TcpStream::connect(listener.address()).await.unwrap();
        let (held, _) = listener.accept(&stop).await;
        let _call = OpenCall::begin(&held.place.usage);
        let _second = TcpStream::connect(listener.address()).await.unwrap();
        assert!(listener.accept(&stop).await.0.place.usage.spare && !held.place.usage.spare);
    }

    #[tokio::test]
    async fn a_silent_connection_ends_at_the_stop_and_one_that_spoke_does_not() {
        let (listener, stop) = (listener(2, 2), Stop::new());
        let _silent = TcpStream::connect(listener.address()).await.unwrap();
        let (_held, mut of_silent) = listener.accept(&stop).await;
        let mut client = TcpStream::connect(listener.address()).await.unwrap();
        let (mut spoken, mut of_spoken) = listener.accept(&stop).await;
        client.write_all(b"PRI").await.unwrap();
        spoken.read_exact(&mut [0; 3]).await.unwrap();
        stop.now();
        assert_eq!(of_silent.over().await, Ending::AtOnce);
        tokio::select! {
            biased;
            _ = of_spoken.over() => panic!("it spoke"),
            () = tokio::task::yield_now() => {}
        }
    }

    #[tokio::test]
    async fn a_connection_that_falls_silent_ends_and_one_that_is_told_to_ends_as_it_is_told() {
        let (listener, stop) = (listener(2, 2), Stop::new());
        let mut client = TcpStream::connect(listener.address()).await.unwrap();
        let (mut held, mut patience) = listener.accept(&stop).await;
        client.write_all(b"PRI").await.unwrap();
        held.read_exact(&mut [0; 3]).await.unwrap();
        assert_eq!(patience.over().await, Ending::AtOnce, "silent");

        let _client = TcpStream::connect(listener.address()).await.unwrap();
        let (held, mut patience) = listener.accept(&stop).await;
        let usage = Arc::clone(&held.place.usage);
        usage.end(Ending::Gently);
        assert_eq!(patience.over().await, Ending::Gently);
        usage.end(Ending::AtOnce);
        usage.end(Ending::Gently);
        assert_eq!(patience.over().await, Ending::AtOnce);
    }
}
