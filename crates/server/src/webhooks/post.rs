//! One post: the request, and what its answer means.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doudi_api::webhooks::{Posted, WebhookSecret};
use doudi_domain::webhook::{Endpoint, Trouble};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, StatusCode, body::Incoming, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use jiff::Timestamp;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::timeout;

use super::{Settings, backoff};

/// How long a connection that is not used is kept.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// The most that is read of an answer's body, in bytes, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What a post led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has the event.
    Delivered,
    /// The receiver is gone for good.
    Gone,
    /// The receiver does not want this event, and said so with a status; 0 where there was none.
    Refused(u16),
    /// Nothing is said about the event; try again, after a pause that the receiver may have asked for.
    Failed(Trouble, Option<Duration>),
}

/// Posts events. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // What is encrypted goes through it as well.
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trusting(system_roots()))
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(settings.in_flight_max)
            .build(connector);
        Self { http, timeout: settings.timeout }
    }

    /// Posts an event, signed with each of `secrets`, at the instant `now`.
    pub(super) async fn post(
        &self,
        endpoint: &Endpoint,
        event: &Posted,
        secrets: &[WebhookSecret],
        now: Timestamp,
    ) -> Outcome {
        let second = now.as_second();
        let signatures: Vec<String> =
            secrets.iter().map(|secret| secret.sign(&event.id, second, &event.body)).collect();
        let request = Request::post(endpoint.as_str())
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .header(header::USER_AGENT, concat!("doudi/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", second)
            .header("webhook-signature", signatures.join(" "))
            .body(Full::from(event.body.clone()));
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(?error, "an event cannot be put into a request");
                return Outcome::Refused(0);
            }
        };
        match timeout(self.timeout, self.answer(request)).await {
            Err(_) => Outcome::Failed(Trouble::TimedOut, None),
            Ok(Err(error)) => {
                tracing::debug!(?error, "a webhook's receiver cannot be reached");
                Outcome::Failed(Trouble::Unreachable, None)
            }
            Ok(Ok(answer)) => {
                let asked = answer.headers().get(header::RETRY_AFTER);
                let asked = asked.and_then(|asked| asked.to_str().ok());
                meaning(answer.status(), asked.and_then(|asked| backoff::asked(asked, now)))
            }
        }
    }

    /// The answer; what is of its body is read and forgotten.
    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Response<()>, legacy::Error> {
        let (head, body): (_, Incoming) = self.http.request(request).await?.into_parts();
        // The status says it all: a body that is too long or breaks off changes nothing.
        let _ = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        Ok(Response::from_parts(head, ()))
    }
}

/// What the status of an answer means. A status that is about the address and not about the event, such as 401
/// or 404, or that leads elsewhere, is waited out as a failure: it would refuse every event alike.
fn meaning(status: StatusCode, asked: Option<Duration>) -> Outcome {
    const ABOUT_THE_ADDRESS: [u16; 10] = [401, 403, 404, 405, 407, 408, 421, 425, 426, 429];
    match status.as_u16() {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Gone,
        code @ 400..=499 if !ABOUT_THE_ADDRESS.contains(&code) => Outcome::Refused(code),
        code => Outcome::Failed(Trouble::Answered(code), asked),
    }
}

/// Connections that trust whom these authorities vouch for.
fn trusting(roots: RootCertStore) -> ClientConfig {
    let versions: &[&rustls::SupportedProtocolVersion] =
        &[&rustls::version::TLS13, &rustls::version::TLS12];
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    match builder.with_protocol_versions(versions) {
        Ok(builder) => builder.with_root_certificates(roots).with_no_client_auth(),
        // Ring has suites for both versions.
        Err(error) => unreachable!("{error}"),
    }
}

/// The authorities that the system trusts, or those in the file of `SSL_CERT_FILE`.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors = found.errors;
        tracing::warn!(?errors, "no authority is trusted, so no webhook over https can deliver");
    }
    roots
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    fn of(code: u16) -> Outcome {
        meaning(StatusCode::from_u16(code).unwrap(), Some(Duration::from_secs(7)))
    }

    #[test]
    fn every_status_means_one_thing() {
        for code in [200, 201, 202, 204] {
            assert_eq!(of(code), Outcome::Delivered);
        }
        assert_eq!(of(410), Outcome::Gone);
        for code in [400, 402, 406, 409, 413, 415, 422, 451, 499] {
            assert_eq!(of(code), Outcome::Refused(code));
        }
        let asked = Some(Duration::from_secs(7));
        for code in [301, 302, 308, 401, 403, 404, 405, 408, 421, 425, 429, 500, 502, 503, 599] {
            assert_eq!(of(code), Outcome::Failed(Trouble::Answered(code), asked));
        }
    }

    /// A server that takes one connection, answers its first bytes so, and hangs up; then those bytes.
    async fn once(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let taken = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let length = connection.read(&mut bytes).await.unwrap();
            bytes.truncate(length);
            connection.write_all(answer).await.unwrap();
            bytes
        });
        (address, taken)
    }

    async fn post(url: &str) -> Outcome {
        let settings = Settings {
            in_flight_max: 1,
            timeout: Duration::from_millis(300),
            retry_min: Duration::ZERO,
            retry_max: Duration::ZERO,
            refusals_max: 1,
            position_interval: Duration::ZERO,
            secret_grace: Duration::ZERO,
            allow_http: true,
        };
        let event = Posted { id: "1".to_owned(), body: b"{}".to_vec() };
        let endpoint = Endpoint::parse(url).unwrap();
        Client::new(&settings).post(&endpoint, &event, &[], Timestamp::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn what_a_receiver_asks_for_is_heard_and_where_nobody_is_nobody_is_reached() {
        let busy = b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
        let (address, taken) = once(busy).await;
        let asked = Some(Duration::from_secs(7));
        let outcome = post(&format!("http://{address}/hook")).await;
        assert_eq!(outcome, Outcome::Failed(Trouble::Answered(503), asked));
        let taken = String::from_utf8(taken.await.unwrap()).unwrap();
        assert!(taken.starts_with("POST /hook HTTP/1.1\r\n"), "{taken}");
        let outcome = post(&format!("http://{address}/hook")).await;
        assert_eq!(outcome, Outcome::Failed(Trouble::Unreachable, None));
    }

    #[tokio::test]
    async fn who_is_called_encrypted_and_cannot_is_not_reached_and_reads_nothing() {
        let (address, taken) = once(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        let outcome = post(&format!("https://{address}/hook")).await;
        assert_eq!(outcome, Outcome::Failed(Trouble::Unreachable, None));
        // The first record of a handshake (RFC 8446, 5.1).
        assert_eq!(taken.await.unwrap().first(), Some(&22));
    }

    #[tokio::test]
    async fn who_does_not_answer_is_waited_for_no_longer_than_allowed() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let outcome = post(&format!("http://{address}/hook")).await;
        assert_eq!(outcome, Outcome::Failed(Trouble::TimedOut, None));
    }
}
