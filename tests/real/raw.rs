//! Rpcs called by their descriptors, with messages as the bytes that they are on the wire.

use prost_reflect::MethodDescriptor;
use tonic::{
    Request, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// A request of these messages by the bearer of a token.
pub(super) fn request(token: &str, messages: Vec<Vec<u8>>) -> Request<Vec<Vec<u8>>> {
    let mut request = Request::new(messages);
    let bearer = format!("Bearer {token}").parse().expect("a token in ASCII");
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// The path of an rpc.
pub(super) fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Calls an rpc, whether it takes one message or many. Of one that answers with one, what comes first is that
/// message or why there is none.
pub(super) async fn ask(
    channel: &Channel,
    path: &str,
    request: Request<Vec<Vec<u8>>>,
) -> Result<Streaming<Vec<u8>>, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("the server listens");
    let path = path.parse().expect("names make a path");
    Ok(grpc.streaming(request.map(futures::stream::iter), path, Raw).await?.into_inner())
}

/// Sends and takes bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let bytes = bytes::Buf::copy_to_bytes(buffer, bytes::Buf::remaining(buffer));
        Ok(Some(bytes.to_vec()))
    }
}
