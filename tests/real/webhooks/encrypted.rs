//! Posted over TLS: to who is vouched for by an authority that the system trusts, and to nobody else.

use std::{net::SocketAddr, sync::Arc};

use doudi_server::token;
use doudi_tests::{program, until, world};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use super::{
    super::{metrics::series, tls::PEM},
    killed::quickly,
    *,
};

async fn receiver() -> Receiver {
    let certificate = CertificateDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Receiver::speaking(Some(TlsAcceptor::from(Arc::new(config)))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_reached_encrypted_when_its_certificate_is_trusted() {
    let ground = Ground::start().await;
    let (named, unnamed) = (receiver().await, receiver().await);
    let file = ground.folder.path().join("authorities.pem");
    std::fs::write(&file, PEM).unwrap();
    let [listen, metrics]: [SocketAddr; 2] = [(); 2].map(|()| program::free_address());
    let mut command = quickly(&ground.config, "all", listen);
    let mut served = command
        .env("SSL_CERT_FILE", file)
        .env("DOUDI_WEBHOOKS__ALLOW_HTTP", "false")
        .env("DOUDI_METRICS__LISTEN", metrics.to_string())
        .spawn()
        .unwrap();
    let up = until(BOUND, || async { tokio::net::TcpStream::connect(listen).await.ok() });
    assert!(up.await.is_some());
    let channel = world::connect(listen).await;
    let admin = Client::new(&channel, &ground.token(&token::claims(Role::Admin))).unwrap();
    let secret = registered(&admin, &named).await.secret;
    // The certificate says nothing of this name.
    let other = to(unnamed.url().replace("127.0.0.1", "localhost"));
    let other = admin.webhooks.clone().register_webhook(other).await.unwrap();
    let other = other.into_inner().webhook_id;
    for enterprise in ALL {
        admin.enterprises.clone().register_enterprise(register(enterprise)).await.unwrap();
    }
    let posts = accepted(&named, 3).await;
    assert!(posts.iter().all(|post| post.is_signed_with(&secret)));
    stands(&admin, &other, |found| {
        found.webhook.as_ref().unwrap().trouble() == WebhookTrouble::Unreachable
    })
    .await;
    assert!(unnamed.posts().is_empty());
    // Prometheus is told of both, and by no name that a partner has.
    let told = until(BOUND, || async {
        let told = series(metrics).await?;
        let posts =
            |outcome| told.get(&format!("doudi_webhook_posts_total{{outcome=\"{outcome}\"}}"));
        let lag = *told.get("doudi_webhook_lag_seconds")?;
        (posts("delivered") == Some(&3.0) && posts("failed") >= Some(&3.0) && lag > 0.0)
            .then(|| told.get("doudi_webhook_set_aside_enterprises").copied())?
    });
    assert_eq!(told.await, Some(0.0));
    served.kill().await.unwrap();
}
