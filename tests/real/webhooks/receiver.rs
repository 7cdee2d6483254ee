//! A partner system: a real HTTP server that keeps what is posted to it, and answers as the test says.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

/// A status and perhaps a header for an event.
pub(super) type Answer = Box<dyn Fn(&Value) -> (u16, Option<(&'static str, String)>) + Send>;

/// One post as it came.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
    pub(super) event: Value,
    /// What it was answered with.
    pub(super) status: u16,
}

impl Post {
    pub(super) fn text(&self, attribute: &str) -> String {
        self.event[attribute].as_str().unwrap_or_default().to_owned()
    }

    /// Whether it is signed with that secret, as a receiver finds out.
    pub(super) fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let [id, second] = ["webhook-id", "webhook-timestamp"].map(|name| &self.headers[name]);
        self.headers["webhook-signature"].split(' ').any(|signature| {
            let (version, signature) = signature.split_once(',').unwrap();
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(format!("{id}.{second}.").as_bytes());
            mac.update(&self.body);
            let signature = BASE64_STANDARD.decode(signature).unwrap();
            version == "v1" && mac.verify_slice(&signature).is_ok()
        })
    }
}

struct Shared {
    posts: Vec<Post>,
    answer: Answer,
}

/// The server. It listens until it is told not to, or dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    listening: Option<JoinHandle<()>>,
    /// What it speaks TLS with, if it does.
    tls: Option<TlsAcceptor>,
}

impl Receiver {
    /// Listens on a free port, and accepts everything.
    pub(super) async fn start() -> Self {
        Self::speaking(None).await
    }

    /// The same, encrypted where there is something to do it with.
    pub(super) async fn speaking(tls: Option<TlsAcceptor>) -> Self {
        let answer: Answer = Box::new(|_| (204, None));
        let shared = Arc::new(Mutex::new(Shared { posts: vec![], answer }));
        let mut receiver =
            Self { address: ([127, 0, 0, 1], 0).into(), shared, listening: None, tls };
        receiver.up().await;
        receiver
    }

    pub(super) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/hook?from=doudi", self.address)
    }

    /// Answers so from now on.
    pub(super) fn answer(&self, answer: Answer) {
        self.shared.lock().unwrap().answer = answer;
    }

    /// Listens again on the port that it had.
    pub(super) async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.listening =
            Some(tokio::spawn(listen(listener, self.tls.clone(), self.shared.clone())));
    }

    /// Cuts all connections off and listens no more.
    pub(super) async fn down(&mut self) {
        let listening = self.listening.take().unwrap();
        listening.abort();
        let _ = listening.await;
    }

    /// All posts in the order in which they came.
    pub(super) fn posts(&self) -> Vec<Post> {
        self.shared.lock().unwrap().posts.clone()
    }

    /// Those that were accepted.
    pub(super) fn accepted(&self) -> Vec<Post> {
        self.posts().into_iter().filter(|post| (200..300).contains(&post.status)).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.iter().for_each(JoinHandle::abort);
    }
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Mutex<Shared>>) {
    // Aborting this task drops them all.
    let mut connections = JoinSet::new();
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let (tls, shared) = (tls.clone(), shared.clone());
        connections.spawn(async move {
            let serve = service_fn(move |request| take(request, shared.clone()));
            let http = http1::Builder::new();
            // A client that hangs up is no fault.
            let _ = match tls {
                None => http.serve_connection(TokioIo::new(connection), serve).await,
                Some(tls) => match tls.accept(connection).await {
                    Ok(connection) => http.serve_connection(TokioIo::new(connection), serve).await,
                    Err(_) => Ok(()),
                },
            };
        });
    }
}

async fn take(
    request: Request<Incoming>,
    shared: Arc<Mutex<Shared>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "/hook?from=doudi");
    let headers = request.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    // One that is cut off was not taken.
    let Ok(body) = request.into_body().collect().await else {
        return Ok(Response::builder().status(400).body(Empty::new()).unwrap());
    };
    let body = body.to_bytes();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let mut shared = shared.lock().unwrap();
    let (status, header) = (shared.answer)(&event);
    shared.posts.push(Post { headers, body, event, status });
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    Ok(response.body(Empty::new()).unwrap())
}
