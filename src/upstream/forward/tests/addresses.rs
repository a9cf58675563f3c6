//! Several addresses: who gets what, what happens when one is gone, and TLS for whom the address stands for.

use super::origin::{Origin, PATIENT, asked, client, get, later, sent, settings, text, upstream, whole};
use crate::upstream::{
    Answer, Call, Client, ClientSettings, Failure, Forward, Spread, Timeouts, Trust, Unreachable, Upload,
    UpstreamSettings, UpstreamState, Url,
};
use bytes::Bytes;
use http::Method;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

/// A server that says its name.
async fn named(name: &str) -> Origin {
    Origin::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len())).await
}

/// An address where nobody listens.
fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

const BASE: &str = "http://shop.example/api";

#[tokio::test]
async fn each_address_gets_its_share_and_all_hear_the_same() {
    let (a, b, c) = (named("a").await, named("b").await, named("c").await);
    let (client, upstream) = (client(), upstream(BASE, &[a.address, b.address, c.address]));
    for _ in 0..30 {
        text(&client, &upstream).await.unwrap();
    }
    for origin in [&a, &b, &c] {
        assert_eq!((origin.heads().len(), origin.connections()), (10, 1));
        assert!(origin.heads().iter().all(|head| head.contains("\r\nhost: shop.example\r\n")));
    }
}

#[tokio::test]
async fn the_least_busy_gets_the_next() {
    let (a, b) = (named("a").await, named("b").await);
    let mut settings = settings(BASE, &[a.address, b.address]);
    settings.whereabouts.as_mut().unwrap().spread = Spread::LeastBusy;
    let (client, upstream) = (client(), Arc::new(UpstreamState::new(&settings)));
    // One answer that is not read keeps its address busy.
    let held = sent(&client, get("/"), &upstream).await.unwrap().into_body();
    let busy = usize::from(a.heads().is_empty());
    for _ in 0..10 {
        text(&client, &upstream).await.unwrap();
    }
    assert_eq!([a.heads().len(), b.heads().len()][busy], 1);
    assert_eq!([a.heads().len(), b.heads().len()][1 - busy], 10);
    whole(held).await.unwrap();
    for _ in 0..10 {
        text(&client, &upstream).await.unwrap();
    }
    assert_eq!(a.heads().len() + b.heads().len(), 21);
    assert_eq!([a.heads().len(), b.heads().len()][busy], 6, "turn by turn among equals");
}

#[tokio::test]
async fn where_nobody_listens_nobody_is_asked() {
    let (a, gone) = (named("a").await, nowhere());
    let (client, upstream) = (client(), upstream(BASE, &[gone, a.address]));
    for _ in 0..5 {
        // Also what must not be repeated: nothing of it was sent.
        let forward = Forward { body: Upload::none(), ..asked(Method::POST, "/") };
        let response = sent(&client, forward, &upstream).await.unwrap();
        assert_eq!(whole(response.into_body()).await.unwrap().0, "a");
    }
    let aside: Vec<_> =
        upstream.addresses(Instant::now()).map(|(address, aside)| (address.to_string(), aside)).collect();
    assert_eq!(aside, [(gone.to_string(), true), (a.address.to_string(), false)]);
}

#[tokio::test]
async fn if_nobody_is_there_that_is_the_failure() {
    let (client, upstream) = (client(), upstream(BASE, &[nowhere(), nowhere()]));
    for _ in 0..3 {
        assert_eq!(text(&client, &upstream).await, Err(Failure::Unreachable(Unreachable::Refused)));
    }
}

#[tokio::test]
async fn what_an_address_may_have_seen_goes_to_no_other() {
    let seen_and_gone = Origin::start(|mut wire| async move {
        wire.head().await;
    })
    .await;
    let a = named("a").await;
    let (client, upstream) = (client(), upstream(BASE, &[seen_and_gone.address, a.address]));
    let mut failed = 0;
    for _ in 0..20 {
        failed += usize::from(text(&client, &upstream).await.is_err());
    }
    assert_eq!(failed, 3, "three in a row, and it is left alone");
    assert_eq!((seen_and_gone.heads().len(), a.heads().len()), (3, 17));
}

#[tokio::test]
async fn one_that_says_that_nobody_is_there_is_left_alone() {
    let away = Origin::answering("HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\naway").await;
    let a = named("a").await;
    let (client, upstream) = (client(), upstream(BASE, &[away.address, a.address]));
    for _ in 0..20 {
        text(&client, &upstream).await.unwrap();
    }
    assert_eq!((away.heads().len(), a.heads().len()), (3, 17));
}

fn call(target: &str) -> Call {
    let timeouts = Timeouts { first_byte: super::origin::SAFETY_NET, total: super::origin::SAFETY_NET };
    let url = Url::parse(&format!("{BASE}{target}")).unwrap();
    Call { trust: Trust::Private, retries: 0, timeouts, ..Call::new(Method::GET, url) }
}

async fn fetched(client: &Client, call: &Call, upstream: &Arc<UpstreamState>) -> Result<Answer, Failure> {
    client.fetch(call, upstream, later()).await
}

#[tokio::test]
async fn calls_of_sources_go_to_the_addresses_as_well() {
    let (a, b, gone) = (named("a").await, named("b").await, nowhere());
    let (client, upstream) = (client(), upstream(BASE, &[a.address, gone, b.address]));
    for _ in 0..20 {
        fetched(&client, &call("/x?y=z"), &upstream).await.unwrap();
    }
    // All but the first try, which found that one is gone.
    assert!(a.heads().len().min(b.heads().len()) >= 9 && a.heads().len() + b.heads().len() == 20);
    let head = &a.heads()[0];
    assert!(head.starts_with("GET /api/x?y=z HTTP/1.1\r\n"), "{head}");
    for field in ["host: shop.example", "accept-encoding: gzip, br, zstd", "user-agent: siteserver/"] {
        assert!(head.contains(&format!("\r\n{field}")), "{head}");
    }
    // A call that writes goes to the next one as well, as long as nothing was sent.
    let mut write = call("/x");
    (write.method, write.safe, write.body) = (Method::POST, false, Some(Bytes::from_static(b"{}")));
    fetched(&client, &write, &upstream).await.unwrap();
    assert!(a.heads().iter().chain(&b.heads()).any(|head| head.contains("\r\ncontent-length: 2\r\n")));
}

#[tokio::test]
async fn a_call_is_as_trusting_as_its_source_says() {
    let a = named("a").await;
    let (client, upstream) = (client(), upstream(BASE, &[a.address]));
    assert_eq!(fetched(&client, &call("/"), &upstream).await.unwrap().body, "a");
    // Not over the connection of the other kind either.
    let public = Call { trust: Trust::Public, ..call("/") };
    assert_eq!(fetched(&client, &public, &upstream).await.err(), Some(Failure::RefusedAddress("loopback")));
    assert_eq!(fetched(&client, &call("/"), &upstream).await.unwrap().body, "a", "and the address is none the worse");
    assert_eq!(a.connections(), 1);
}

/// A server with a certificate for `shop.example`, and a client that trusts its authority.
async fn secure() -> (SocketAddr, Client) {
    let certificate = CertificateDer::from(include_bytes!("tls/certificate.der").as_slice());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(include_bytes!("tls/key.der").as_slice()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                let protocol = tls.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
                assert_eq!(protocol, None, "this server offers none");
                let name = tls.get_ref().1.server_name().unwrap_or_default().to_owned();
                let mut seen = Vec::new();
                while tls.read_buf(&mut seen).await.is_ok_and(|count| count > 0) {
                    if seen.ends_with(b"\r\n\r\n") {
                        let is_cut = seen.starts_with(b"GET /cut");
                        let length = if is_cut { String::new() } else { format!("Content-Length: {}\r\n", name.len()) };
                        tls.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n{name}").as_bytes()).await.unwrap();
                        seen.clear();
                        if is_cut {
                            // Without a word of farewell, as one who cuts the wire would.
                            return;
                        }
                    }
                }
            });
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(include_bytes!("tls/authority.der").as_slice())).unwrap();
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client =
        Client::with_tls(ClientSettings::default(), &config.with_root_certificates(roots).with_no_client_auth());
    (address, client.unwrap())
}

#[tokio::test]
async fn the_certificate_is_of_whom_the_address_stands_for() {
    let (address, client) = secure().await;
    let at = |base: &str| upstream(base, &[address]);
    let shop = at("https://shop.example/api");
    for _ in 0..3 {
        assert_eq!(text(&client, &shop).await.unwrap(), "shop.example");
    }
    let tls = Err(Failure::Unreachable(Unreachable::Tls));
    for base in ["https://other.example", "https://127.0.0.1"] {
        assert_eq!(text(&client, &at(base)).await, tls, "{base}");
    }
    // A client that knows the usual authorities does not know this one.
    assert_eq!(text(&super::origin::client(), &at("https://shop.example")).await, tls);
    // And one who speaks no TLS at all.
    let plain = Origin::start(|mut wire| async move {
        wire.say("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        wire.gone().await;
    })
    .await;
    let failure = text(&client, &upstream("https://shop.example", &[plain.address])).await;
    assert_eq!(failure, tls);
}

#[tokio::test]
async fn what_is_cut_below_tls_is_no_end() {
    let (address, client) = secure().await;
    let upstream = upstream("https://shop.example", &[address]);
    let response = sent(&client, get("/cut"), &upstream).await.unwrap();
    assert!(whole(response.into_body()).await.is_err());
}

#[tokio::test]
async fn a_name_may_stand_for_a_machine() {
    let a = named("a").await;
    let mut settings = settings(BASE, &[]);
    let name = format!("localhost:{}", a.address.port());
    settings.whereabouts.as_mut().unwrap().addresses = vec![crate::upstream::Address::parse(&name).unwrap()];
    let upstream = Arc::new(UpstreamState::new(&UpstreamSettings { max_concurrent: 1, ..settings }));
    let outcome = client().forward(get("/"), &upstream, PATIENT, later()).await;
    assert_eq!(outcome.unwrap().status(), 200);
}
