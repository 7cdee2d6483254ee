//! Traces: a real OpenTelemetry collector in this process is told of a command from the call to the view,
//! and a collector that does not answer holds up nothing.

use std::{net::SocketAddr, time::Duration};

use doudi_api::{permission::Role, proto::SubmitAppealRequest};
use doudi_server::{client::Client, token};
use doudi_tests::{
    program::{self, free_address},
    until,
    world::Ground,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::{Span, span::SpanKind},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{net::TcpListener, process::Child, sync::mpsc, time::timeout};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

use super::{metrics::series, requests::submit};

const BOUND: Duration = Duration::from_secs(60);

/// Hands on what it is sent.
struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let gone = |_| Status::unavailable("the test is over");
        self.0.send(request.into_inner()).map_err(gone)?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// What a collector was told so far.
struct Told {
    address: SocketAddr,
    receiver: mpsc::UnboundedReceiver<ExportTraceServiceRequest>,
    spans: Vec<Span>,
}

impl Told {
    /// Starts a collector on loopback.
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = mpsc::unbounded_channel();
        let server = Server::builder().add_service(TraceServiceServer::new(Collector(sender)));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Self { address, receiver, spans: Vec::new() }
    }

    /// Waits until the spans are as `wanted` says.
    async fn wait(&mut self, wanted: impl Fn(&[Span]) -> bool) {
        let enough = async {
            while !wanted(&self.spans) {
                let request = self.receiver.recv().await.unwrap();
                self.take(request);
            }
        };
        if timeout(BOUND, Box::pin(enough)).await.is_err() {
            panic!("not told: {:#?}", self.spans);
        }
    }

    fn take(&mut self, request: ExportTraceServiceRequest) {
        for resource in request.resource_spans {
            let said = format!("{:?}", resource.resource);
            assert!(said.contains("service.name") && said.contains("doudi"), "{said}");
            for scope in resource.scope_spans {
                self.spans.extend(scope.spans);
            }
        }
    }
}

/// A trace that a caller has begun.
#[derive(Clone, Copy)]
struct Begun {
    trace: u128,
    span: u64,
}

impl Begun {
    fn begins(self, request: SubmitAppealRequest) -> Request<SubmitAppealRequest> {
        let mut request = Request::new(request);
        let traceparent = format!("00-{:032x}-{:016x}-01", self.trace, self.span);
        request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
        request
    }

    fn has(self, span: &Span) -> bool {
        span.trace_id == self.trace.to_be_bytes()
    }

    /// Whether one of its spans has that name.
    fn named(self, spans: &[Span], name: &str) -> bool {
        spans.iter().any(|span| self.has(span) && span.name == name)
    }

    /// Whether the timeline took it in, below the call that caused it or beside others.
    fn projected(self, spans: &[Span]) -> bool {
        spans.iter().any(|span| {
            let of_timeline = format!("{:?}", span.attributes).contains("timeline");
            let linked = span.links.iter().any(|link| link.trace_id == self.trace.to_be_bytes());
            span.name == "project" && of_timeline && (self.has(span) || linked)
        })
    }
}

const RPC: &str = "doudi.v1.AppealService/SubmitAppeal";
const ENTERPRISE: &str = "91210212DD0000001D";

/// Starts a role that sends its spans to `collector`, none of its own accord.
fn start(
    ground: &Ground,
    role: &str,
    collector: SocketAddr,
    metrics: SocketAddr,
) -> (Child, SocketAddr) {
    let listen = free_address();
    let mut command = program::command();
    program::configure(&mut command, &ground.config, listen);
    command.env("DOUDI_TRACING__OTLP_ENDPOINT", format!("http://{collector}"));
    command.env("DOUDI_TRACING__SAMPLE_RATIO", "0");
    command.env("DOUDI_METRICS__LISTEN", metrics.to_string());
    (command.arg(role).spawn().unwrap(), listen)
}

async fn connect(listen: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{listen}")).unwrap();
    until(BOUND, || async { endpoint.connect().await.ok() }).await.unwrap()
}

/// Tells a child to stop and waits until it has ended well.
async fn stop(mut child: Child) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ended = timeout(BOUND, child.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_the_callers_span_through_the_commit_to_the_view() {
    let ground = Ground::start().await;
    let mut told = Told::start().await;
    let (serve, listen) = start(&ground, "serve", told.address, free_address());
    let channel = connect(listen).await;
    let claims = token::claims(Role::Dispatcher);
    let bearer = ground.token(&claims);
    let mut dispatcher = Client::new(&channel, &bearer).unwrap();

    let words = SubmitAppealRequest {
        description: "赵泄露说报装两周未答复".to_owned(),
        ..submit(ENTERPRISE, "T06", "13987654321")
    };
    let (one, two) = (Begun { trace: 0xA1, span: 0xB1 }, Begun { trace: 0xA2, span: 0xB2 });
    let mut cases = Vec::new();
    for begun in [one, two] {
        let words =
            SubmitAppealRequest { command_id: doudi_server::client::command_id(), ..words.clone() };
        let answer = dispatcher.appeals.submit_appeal(begun.begins(words)).await.unwrap();
        cases.push(answer.into_inner());
    }
    // A trace that nobody asked for is not sent.
    dispatcher.appeals.submit_appeal(words).await.unwrap();
    // What waits is sent before the process ends.
    stop(serve).await;
    told.wait(|spans| two.named(spans, RPC) && two.named(spans, "append")).await;

    let spans = told.spans.clone();
    let of = |name: &str| spans.iter().find(|span| one.has(span) && span.name == name).unwrap();
    let (rpc, execute, append) = (of(RPC), of("execute"), of("append"));
    assert_eq!(rpc.parent_span_id, one.span.to_be_bytes());
    assert_eq!(rpc.kind, i32::from(SpanKind::Server as u8));
    assert_eq!(execute.parent_span_id, rpc.span_id);
    assert_eq!(append.parent_span_id, execute.span_id);

    let (project, _) = start(&ground, "project", told.address, free_address());
    told.wait(|spans| one.projected(spans) && two.projected(spans)).await;
    stop(project).await;
    for span in told.spans.iter().filter(|span| one.has(span) && span.name == "project") {
        assert_eq!(span.parent_span_id, rpc.span_id, "below the call that caused it");
    }
    assert!(told.spans.iter().all(|span| one.has(span) || two.has(span)), "nobody asked for more");
    let all = format!("{:?}", told.spans);
    let mut words = vec!["赵泄露", "13987654321", ENTERPRISE, &claims.sub, &bearer];
    words.extend(cases.iter().flat_map(|case| [&*case.appeal_id, &case.case_token, &case.number]));
    for word in words {
        assert!(!all.contains(word), "{word} is in a span: {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_does_not_answer_holds_up_nothing() {
    let ground = Ground::start().await;
    // It takes connections, as far as a client can tell, and never says a word.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let metrics = free_address();
    let (doudi, listen) = start(&ground, "all", silent.local_addr().unwrap(), metrics);
    let channel = connect(listen).await;
    let bearer = ground.token(&token::claims(Role::Dispatcher));
    let mut dispatcher = Client::new(&channel, &bearer).unwrap();
    let failed = "doudi_trace_spans_total{outcome=\"failed\"}";
    let mut next = 0;
    // Calls are answered while a batch waits in vain, and after it failed.
    let given_up = async {
        loop {
            next += 1;
            let begun = Begun { trace: next, span: 1 };
            let request = begun.begins(submit(ENTERPRISE, "T06", ""));
            dispatcher.appeals.submit_appeal(request).await.unwrap();
            if series(metrics).await.unwrap().get(failed).is_some_and(|spans| *spans > 0.0) {
                return;
            }
        }
    };
    timeout(BOUND, given_up).await.unwrap();
    stop(doudi).await;
}
