//! HTTP/2 as no gRPC library speaks it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};
use h2::{
    RecvStream, SendStream,
    client::{self, ResponseFuture, SendRequest},
};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};
use tonic::codegen::http::{HeaderMap, Request};

/// The first words of a connection that takes nothing in: the preface, and settings with windows of no bytes.
pub(super) const DEAF: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";

/// The first words of a connection: the preface and empty settings.
pub(super) const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A call that only reads.
pub(super) const LIST: &str = "/doudi.v1.TimelineService/ListTimeline";

/// A connection that can do what it should not.
pub(super) struct Hostile {
    send: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

/// A message as gRPC frames it.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(message.encoded_len().try_into().unwrap());
    message.encode(&mut bytes).unwrap();
    bytes.freeze()
}

/// The head of a call.
pub(super) fn call(path: &str, token: &str) -> Request<()> {
    Request::post(format!("http://doudi{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap()
}

impl Hostile {
    /// None when there is no place for it.
    pub(super) async fn connect(to: SocketAddr, window: u32) -> Option<Self> {
        Self::connect_from(Ipv4Addr::LOCALHOST.into(), to, window).await
    }

    /// The same from another address.
    pub(super) async fn connect_from(from: IpAddr, to: SocketAddr, window: u32) -> Option<Self> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.bind((from, 0).into()).ok()?;
        let stream = socket.connect(to).await.ok()?;
        let mut builder = client::Builder::new();
        builder.initial_window_size(window).max_concurrent_reset_streams(10_000);
        let (send, connection) = builder.handshake(stream).await.ok()?;
        Some(Self { send, connection: tokio::spawn(connection) })
    }

    /// Makes a call with a whole message, and reads nothing of its answer.
    pub(super) async fn ask(
        &mut self,
        head: Request<()>,
        message: Bytes,
    ) -> Result<ResponseFuture, h2::Error> {
        let mut send = self.send.clone().ready().await?;
        let (answer, mut body) = send.send_request(head, false)?;
        body.send_data(message, true)?;
        Ok(answer)
    }

    /// Begins a call with these parts of what it says, and says no more.
    pub(super) async fn begin(
        &mut self,
        head: Request<()>,
        parts: &[Bytes],
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        let mut send = self.send.clone().ready().await?;
        let (answer, mut body) = send.send_request(head, false)?;
        for part in parts {
            body.send_data(part.clone(), false)?;
        }
        Ok((answer, body))
    }

    /// Makes a call with a whole message, reads its answer, and says how it ended.
    pub(super) async fn list(
        &mut self,
        token: &str,
        message: &impl Message,
    ) -> Result<HeaderMap, h2::Error> {
        let answer = self.ask(call(LIST, token), framed(message)).await?;
        status(answer.await?.into_parts()).await
    }

    /// Makes a call with a message of so many bytes, as much of it as is taken, and answers with its status.
    pub(super) async fn flood(
        &mut self,
        head: Request<()>,
        bytes: usize,
    ) -> Result<HeaderMap, h2::Error> {
        let mut send = self.send.clone().ready().await?;
        let (answer, mut body) = send.send_request(head, false)?;
        let mut prefix = BytesMut::new();
        prefix.put_u8(0);
        prefix.put_u32(bytes.try_into().unwrap());
        body.send_data(prefix.freeze(), false)?;
        let part = Bytes::from(vec![b' '; 16 << 10]);
        let sending = async {
            for _ in 0..bytes / part.len() {
                body.reserve_capacity(part.len());
                match std::future::poll_fn(|context| body.poll_capacity(context)).await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                }
                if body.send_data(part.clone(), false).is_err() {
                    return;
                }
            }
        };
        let (response, ()) = tokio::join!(answer, sending);
        status(response?.into_parts()).await
    }

    /// Whether the other end closed it.
    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_finished()
    }
}

/// The headers or trailers that say how a call ended.
async fn status(
    (head, mut body): (tonic::codegen::http::response::Parts, RecvStream),
) -> Result<HeaderMap, h2::Error> {
    if head.headers.contains_key("grpc-status") || !head.status.is_success() {
        let mut headers = head.headers;
        headers.insert("http-status", head.status.as_u16().into());
        return Ok(headers);
    }
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data?.len())?;
    }
    Ok(body.trailers().await?.unwrap_or_default())
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// A connection that says these bytes and no more.
pub(super) async fn says(to: SocketAddr, bytes: &[u8]) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(to).await.ok()?;
    stream.write_all(bytes).await.ok()?;
    Some(stream)
}

/// A frame of HTTP/2 on a stream.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The frame with the only message of a call.
pub(super) fn message(stream: u32, bytes: &[u8]) -> Vec<u8> {
    frame(0, 1, stream, bytes)
}

/// The kinds of the frames in what was read.
pub(super) fn kinds(mut told: &[u8]) -> Vec<u8> {
    let mut kinds = vec![];
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = told {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]);
        told = rest.get(usize::try_from(length).unwrap()..).unwrap_or_default();
    }
    kinds
}

/// A text as HPACK spells it, without compression.
fn spelled(text: &str) -> Vec<u8> {
    let mut bytes = vec![];
    match text.len() {
        short @ 0..127 => bytes.push(u8::try_from(short).unwrap()),
        long => {
            bytes.push(127);
            let mut rest = long - 127;
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128 + 128).unwrap());
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap());
        }
    }
    bytes.extend(text.as_bytes());
    bytes
}

/// The frame that begins a call, whose message may come or not.
pub(super) fn beginning(stream: u32, path: &str, token: &str) -> Vec<u8> {
    let bearer = format!("Bearer {token}");
    let fields: [(&[u8], &str); 4] = [
        // POST, http, and a path, by their places in HPACK's own table; so are the names after them.
        (&[0x83, 0x86, 0x04], path),
        (&[0x01], "doudi"),
        (&[0x0f, 0x10], "application/grpc"),
        (&[0x0f, 0x08], &bearer),
    ];
    let mut block: Vec<u8> = vec![];
    for (name, value) in fields {
        block.extend(name);
        block.extend(spelled(value));
    }
    block.push(0);
    block.extend(spelled("te"));
    block.extend(spelled("trailers"));
    frame(1, 4, stream, &block)
}

/// The frame that takes a call back.
pub(super) fn taken_back(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &8_u32.to_be_bytes())
}

/// Waits until the other end closes the connection. What it says before is read and thrown away.
pub(super) async fn closed(stream: &mut TcpStream) {
    let mut told = [0; 4096];
    while matches!(stream.read(&mut told).await, Ok(1..)) {}
}
