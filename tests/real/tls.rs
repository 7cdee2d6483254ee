//! The API over TLS: to whoever trusts its certificate, and to nobody in the clear.

use std::{net::SocketAddr, time::Duration};

use doudi_api::{permission::Role, proto::GetEnterpriseRequest};
use doudi_server::{client::Client, token};
use doudi_tests::world::{self, Ground};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Error};

use super::requests::{reason, register};

/// The certificate of 127.0.0.1 until 2120, by itself, with its key. It protects nothing.
pub(super) const PEM: &str = include_str!("loopback.pem");

const ENTERPRISE: &str = "91210212DD0000001D";

/// The longest that anything here may take.
const BOUND: Duration = Duration::from_secs(20);

async fn encrypted(to: SocketAddr, trusting: ClientTlsConfig) -> Result<Channel, Error> {
    Endpoint::from_shared(format!("https://{to}"))?.tls_config(trusting)?.connect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_spoken_encrypted_and_never_in_the_clear() {
    let mut ground = Ground::start().await;
    let pem = ground.folder.path().join("loopback.pem");
    std::fs::write(&pem, PEM).unwrap();
    (ground.config.grpc.tls_cert, ground.config.grpc.tls_key) = (pem.clone(), pem);
    ground.config.grpc.handshake_timeout = Duration::from_secs(1);
    let running = ground.run().await;
    let token = ground.token(&token::claims(Role::Admin));
    // Those who come first and agree on nothing hold up nobody.
    let mut halfway = vec![];
    for said in [&b""[..], &[0x16, 3, 1], b"PRI * HTTP/2.0"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(said).await.unwrap();
        halfway.push(stream);
    }
    let trusting = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(PEM));
    let channel = timeout(BOUND, encrypted(running.address, trusting)).await.unwrap().unwrap();
    let mut client = Client::new(&channel, &token).unwrap();
    client.enterprises.register_enterprise(register(ENTERPRISE)).await.unwrap();
    let get = || GetEnterpriseRequest { enterprise_id: ENTERPRISE.to_owned(), ..<_>::default() };
    let found = client.enterprises.get_enterprise(get()).await.unwrap().into_inner();
    assert!(found.enterprise.is_some());
    let status = Client::new(&channel, "no token").unwrap();
    let status = status.enterprises.clone().get_enterprise(get()).await.unwrap_err();
    assert_eq!(reason(&status), "TOKEN_MALFORMED");
    // Without trust, and without encryption, nobody is answered.
    let doubting = encrypted(running.address, ClientTlsConfig::new());
    assert!(timeout(BOUND, doubting).await.unwrap().is_err());
    let clear = Client::new(&world::connect(running.address).await, &token).unwrap();
    let status = timeout(BOUND, clear.enterprises.clone().get_enterprise(get())).await.unwrap();
    assert_eq!(reason(&status.unwrap_err()), "");
    // They do not stay, whatever they said.
    for mut stream in halfway {
        timeout(BOUND, stream.read_to_end(&mut vec![])).await.expect("it ends").ok();
    }
    drop((channel, client, clear));
    running.stop().await;
}
