//! A line between doudi and nats-server that somebody cuts, slows down, or makes deaf to what the server says.

use std::{future::pending, net::SocketAddr, time::Duration};

use doudi_tests::until;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::timeout,
};

/// How the line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// How long it holds up whatever passes.
    delay: Duration,
    /// What the server says is lost.
    deaf: bool,
    /// How often it was cut. No connection outlives that.
    cuts: usize,
}

/// The line; all its connections go with it.
#[derive(Debug)]
pub(in crate::real) struct Link {
    pub(in crate::real) address: SocketAddr,
    state: watch::Sender<State>,
    _accepting: JoinSet<()>,
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    FromServer,
}

impl Link {
    /// A line to the server at `url`.
    pub(in crate::real) async fn to(url: &str) -> Self {
        let server: SocketAddr = url.trim_start_matches("nats://").parse().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new(State::default());
        let line = state.subscribe();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            loop {
                let client = listener.accept().await.unwrap().0;
                let Ok(server) = TcpStream::connect(server).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(carry(Way::ToServer, from_client, to_server, line.clone()));
                tokio::spawn(carry(Way::FromServer, from_server, to_client, line.clone()));
            }
        });
        Self { address, state, _accepting: accepting }
    }

    /// Ends every connection.
    pub(super) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Holds up each part of what passes for `delay` from now on.
    pub(in crate::real) fn hold_up(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Holds up what passes for `delay`, for as long as `span`.
    pub(super) async fn slow(&self, delay: Duration, span: Duration) {
        self.hold_up(delay);
        pass(span).await;
        self.hold_up(Duration::ZERO);
    }

    /// Loses what the server says for as long as `span`. A line that lost something is cut.
    pub(super) async fn deafen(&self, span: Duration) {
        self.state.send_modify(|state| state.deaf = true);
        pass(span).await;
        self.state.send_modify(|state| {
            state.deaf = false;
            state.cuts += 1;
        });
    }
}

/// Lets some time pass.
pub(in crate::real) async fn pass(span: Duration) {
    // Nothing comes of it.
    let _ = until::<(), _>(span, pending).await;
}

async fn carry(
    way: Way,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut line: watch::Receiver<State>,
) {
    let cuts = line.borrow().cuts;
    let mut cut = line.clone();
    let carrying = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let Ok(length @ 1..) = from.read(&mut bytes).await else { return };
            let State { delay, deaf, .. } = *line.borrow_and_update();
            if !delay.is_zero() {
                let _ = timeout(delay, pending::<()>()).await;
            }
            if deaf && way == Way::FromServer {
                continue;
            }
            if to.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = carrying => {}
        _ = cut.wait_for(|state| state.cuts != cuts) => {}
    }
}
