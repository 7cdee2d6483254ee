//! A TCP proxy between a log and its nats-server that holds, swallows and cuts on command.
//!
//! Every connection is a tunnel with a number, counted from 1, so that a client that comes back can
//! be treated otherwise than its lost connection. What a tunnel has taken from its client is delivered even after the client's
//! side was cut, once the tunnel is not held any more.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use doudi_tests::until;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

const BOUND: Duration = Duration::from_secs(20);

/// How much is read at once: more than any one message here, so that a phrase is seen in one piece.
const READ_BYTES: usize = 64 * 1024;

/// How an append begins on the wire, and how the server words a conflict.
const APPEND: &[u8] = b"HPUB ev.";
const CONFLICT: &[u8] = b"wrong last sequence";

#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    /// From an append on, what clients send is held back.
    trap: bool,
    /// The one tunnel that is let out of the trap.
    released: u64,
    /// Up to this tunnel, clients hear nothing more from the server.
    swallowed: u64,
    /// Up to this tunnel, clients are cut off.
    cut: u64,
    /// A client that hears of a conflict is cut off, and nobody gets in any more.
    conflict_is_last: bool,
    /// Nobody gets in.
    shut: bool,
}

#[derive(Debug, Default)]
struct Counts {
    tunnels: AtomicU64,
    /// The highest number of a tunnel that holds an append.
    holding: AtomicU64,
}

/// The proxy; ends when dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn start(server_url: &str) -> Proxy {
        let server: SocketAddr = server_url.strip_prefix("nats://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (orders, counts) = (watch::Sender::new(Orders::default()), Arc::<Counts>::default());
        let accepting = tokio::spawn(accept(listener, server, orders.clone(), counts.clone()));
        Proxy { address, orders, counts, accepting }
    }

    pub(super) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// How many connections there have been.
    pub(super) fn tunnels(&self) -> u64 {
        self.counts.tunnels.load(SeqCst)
    }

    /// Holds back what is sent from the next append on, of all tunnels there are and will be.
    pub(super) fn trap(&self) {
        self.orders.send_modify(|orders| orders.trap = true);
    }

    /// Waits until a tunnel with at least this number holds an append, and gives its number.
    pub(super) async fn holds(&self, at_least: u64) -> u64 {
        let holding = || async {
            let number = self.counts.holding.load(SeqCst);
            (number >= at_least).then_some(number)
        };
        until(BOUND, holding).await.expect("an append comes by")
    }

    /// Lets through what the tunnel with this number holds.
    pub(super) fn release(&self, number: u64) {
        self.orders.send_modify(|orders| orders.released = number);
    }

    /// The end of the trap.
    pub(super) fn release_all(&self) {
        self.orders.send_modify(|orders| orders.trap = false);
    }

    /// From now on the clients of the present tunnels hear nothing.
    pub(super) fn swallow(&self) {
        self.orders.send_modify(|orders| orders.swallowed = self.tunnels());
    }

    /// Cuts off the clients of the present tunnels; they may come back.
    pub(super) fn cut(&self) {
        self.orders.send_modify(|orders| orders.cut = self.tunnels());
    }

    /// Whether clients that come are sent away.
    pub(super) fn shut(&self, shut: bool) {
        self.orders.send_modify(|orders| orders.shut = shut);
    }

    /// Once a client has heard of a conflict, it is cut off and nobody gets in.
    pub(super) fn let_a_conflict_be_last(&self) {
        self.orders.send_modify(|orders| orders.conflict_is_last = true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.orders.send_modify(|orders| {
            (orders.cut, orders.shut, orders.trap) = (u64::MAX, true, false);
        });
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    orders: watch::Sender<Orders>,
    counts: Arc<Counts>,
) {
    while let Ok((client, _)) = listener.accept().await {
        if orders.borrow().shut {
            continue;
        }
        let number = counts.tunnels.fetch_add(1, SeqCst) + 1;
        let Ok(server) = TcpStream::connect(server).await else { continue };
        for side in [&client, &server] {
            side.set_nodelay(true).unwrap();
        }
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        let (orders, watching) = (orders.clone(), orders.subscribe());
        tokio::spawn(up(number, from_client, to_server, watching, counts.clone()));
        tokio::spawn(down(number, from_server, to_client, orders));
    }
}

/// From the client to the server.
async fn up(
    number: u64,
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    mut orders: watch::Receiver<Orders>,
    counts: Arc<Counts>,
) {
    let (mut taken, mut open) = (Vec::new(), true);
    loop {
        let now = *orders.borrow_and_update();
        open &= now.cut < number;
        let append = position(&taken, APPEND);
        let passes = match append {
            Some(at) if now.trap && now.released != number => {
                counts.holding.fetch_max(number, SeqCst);
                at
            }
            Some(_) | None => taken.len(),
        };
        if server.write_all(&taken[..passes]).await.is_err() {
            return;
        }
        taken.drain(..passes);
        if !open {
            if taken.is_empty() {
                return;
            }
            // Both halves gone, the client's connection is closed; the ghost of it waits on.
            drop(client);
            return haunt(number, taken, server, orders).await;
        }
        taken.reserve(READ_BYTES);
        tokio::select! {
            _ = orders.changed() => {}
            read = client.read_buf(&mut taken) => open = read.is_ok_and(|bytes| bytes > 0),
        }
    }
}

/// Delivers what a client that is gone left behind, once it may pass.
async fn haunt(
    number: u64,
    taken: Vec<u8>,
    mut server: OwnedWriteHalf,
    mut orders: watch::Receiver<Orders>,
) {
    let _ = orders.wait_for(|now| !now.trap || now.released == number).await;
    let _ = server.write_all(&taken).await;
}

/// From the server to the client; a server whose client is cut off is heard out.
async fn down(
    number: u64,
    mut server: OwnedReadHalf,
    client: OwnedWriteHalf,
    orders: watch::Sender<Orders>,
) {
    let (mut client, mut watching) = (Some(client), orders.subscribe());
    let mut heard = Vec::with_capacity(READ_BYTES);
    loop {
        tokio::select! {
            biased;
            _ = watching.wait_for(|now| now.cut >= number), if client.is_some() => client = None,
            read = server.read_buf(&mut heard) => if !read.is_ok_and(|bytes| bytes > 0) { return },
        }
        let now = *orders.borrow();
        if let Some(client) = client.as_mut().filter(|_| now.swallowed < number)
            && client.write_all(&heard).await.is_err()
        {
            return;
        }
        if now.conflict_is_last && position(&heard, CONFLICT).is_some() {
            orders.send_modify(|orders| {
                (orders.shut, orders.cut) = (true, orders.cut.max(number));
                orders.conflict_is_last = false;
            });
        }
        heard.clear();
    }
}

fn position(bytes: &[u8], phrase: &[u8]) -> Option<usize> {
    bytes.windows(phrase.len()).position(|window| window == phrase)
}
