//! Every rpc with every role: what the server answers must equal the committed table.
//!
//! The rows come from the descriptors of `proto/`, so an rpc that the table does not list fails.

use std::fmt::Write as _;

use doudi_api::permission::Role;
use doudi_api::proto::FILE_DESCRIPTOR_SET;
use doudi_server::token;
use doudi_tests::world::World;
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::{Code, Request, Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

const TABLE: &str = include_str!("authorization.txt");

/// Every rpc of `proto/`: its path and whether it answers with a stream.
fn rpcs() -> Vec<(String, bool)> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    let mut rpcs = Vec::new();
    for file in files {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                rpcs.push((path, method.server_streaming()));
            }
        }
    }
    rpcs.sort();
    rpcs
}

/// Calls with an empty request: whoever may call is told what is missing in it.
async fn call(
    channel: &Channel,
    token: Option<&str>,
    path: &str,
    streams: bool,
) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    let path = path.parse().unwrap();
    let codec = ProstCodec::<(), ()>::default();
    if streams {
        grpc.server_streaming(request, path, codec).await.map(|_| ())
    } else {
        grpc.unary(request, path, codec).await.map(|_| ())
    }
}

/// A token for each role: that of case holders is the one that a submission gives out.
async fn tokens(world: &World) -> Vec<(Role, String)> {
    let request = super::requests::submit("91210212DD0000001D", "T06", "");
    let mut dispatcher = world.role(Role::Dispatcher);
    let submitted = dispatcher.appeals.submit_appeal(request).await.unwrap().into_inner();
    let token = |role| {
        if role == Role::CaseHolder {
            return submitted.case_token.clone();
        }
        world.ground.token(&token::claims(role))
    };
    Role::ALL.map(|role| (role, token(role))).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_answers_every_role_as_the_table_says() {
    let world = World::bare().await;
    let channel = &world.running.channel;
    let tokens = tokens(&world).await;
    let mut found = String::new();
    for role in Role::ALL {
        let _ = write!(found, "{role} ");
    }
    found.push('\n');
    for (path, streams) in rpcs() {
        let nobody = call(channel, None, &path, streams).await.unwrap_err();
        assert_eq!(nobody.code(), Code::Unauthenticated, "{path} without a token: {nobody:?}");
        for (role, token) in &tokens {
            let answer = call(channel, Some(token), &path, streams).await;
            let code = answer.err().map(|status| status.code());
            assert_ne!(code, Some(Code::Unauthenticated), "{path} as {role}");
            found.push(if code == Some(Code::PermissionDenied) { '.' } else { 'x' });
        }
        let _ = writeln!(found, " {path}");
    }
    assert_eq!(
        found, TABLE,
        "update tests/real/authorization.txt only if the change is meant:\n{found}"
    );
    world.stop().await;
}
