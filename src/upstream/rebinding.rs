//! Names that change their minds between two look-ups: what was checked is what is connected to.

use super::client::http_client;
use super::resolver::{Names, Resolver};
use super::roots;
use super::{ClientSettings, Failure, Trust};
use reqwest::dns::{Name, Resolve as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A name server whose answer to the look-up of any IPv4 address is the next of a list, to be forgotten at once; to others, nothing.
struct NameServer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    fn start(answers: Vec<Vec<[u8; 4]>>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut packet = [0; 1500];
            while let Ok((length, client)) = socket.recv_from(&mut packet) {
                let question = &packet[12..length];
                let name = question.iter().position(|byte| *byte == 0).unwrap();
                let addresses = match question[name + 1..name + 3] {
                    [0, 1] => answers[counted.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1)].clone(),
                    _ => Vec::new(),
                };
                socket.send_to(&answer(&packet[..2], &question[..name + 5], &addresses), client).unwrap();
            }
        });
        Self { address, asked }
    }

    fn resolver(&self, trust: Trust) -> Resolver {
        Resolver { names: Arc::new(Names::of_server(self.address, TIMEOUT)), trust }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// A message of RFC 1035, section 4: header, question, answers.
fn answer(id: &[u8], question: &[u8], addresses: &[[u8; 4]]) -> Vec<u8> {
    let count = u8::try_from(addresses.len()).unwrap();
    let mut message = [id, &[0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0], question].concat();
    for address in addresses {
        message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        message.extend_from_slice(address);
    }
    message
}

async fn resolved(resolver: &Resolver, name: &str) -> Result<Vec<IpAddr>, String> {
    let name: Name = name.parse().unwrap();
    match resolver.resolve(name).await {
        Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
        Err(error) => {
            Err(error.downcast_ref::<Failure>().map_or("another".to_owned(), |failure| failure.word().into()))
        }
    }
}

#[tokio::test]
async fn every_look_up_is_judged_by_itself() {
    let server = NameServer::start(vec![
        vec![[1, 1, 1, 1]],
        vec![[127, 0, 0, 1]],
        vec![[169, 254, 169, 254]],
        vec![[10, 0, 0, 1], [8, 8, 8, 8], [192, 168, 0, 1]],
        vec![[100, 64, 0, 1], [0, 0, 0, 0]],
    ]);
    let resolver = server.resolver(Trust::Public);
    let refused = || Err("refused-address".to_owned());
    let public = |text: &str| Ok(vec![text.parse().unwrap()]);
    for expected in [public("1.1.1.1"), refused(), refused(), public("8.8.8.8"), refused()] {
        assert_eq!(resolved(&resolver, "rebind.example.").await, expected);
    }
    assert_eq!(server.asked(), 5, "nothing is remembered beyond its time");
}

#[tokio::test]
async fn a_connection_goes_where_its_one_look_up_said() {
    // Two addresses of this machine, and a listener at each that tells where it was reached.
    let here = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = here.local_addr().unwrap().port();
    let there = TcpListener::bind(("127.0.0.2", port)).unwrap();
    for listener in [here, there] {
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let head = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                assert!(head.count() > 1);
                let reached = stream.local_addr().unwrap().ip().to_string();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{reached}",
                    reached.len()
                );
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
    }
    let server = NameServer::start(vec![vec![[127, 0, 0, 1]], vec![[127, 0, 0, 2]], vec![[127, 0, 0, 1]]]);
    let client =
        http_client(ClientSettings::default(), roots::tls().unwrap(), server.resolver(Trust::Private), 0).unwrap();
    for (calls, expected) in [(1, "127.0.0.1"), (2, "127.0.0.2"), (3, "127.0.0.1")] {
        let answer = client.get(format!("http://rebind.example.:{port}/")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), expected);
        assert_eq!(server.asked(), calls, "one look-up for each connection, and none after the check");
    }
    let client =
        http_client(ClientSettings::default(), roots::tls().unwrap(), server.resolver(Trust::Public), 0).unwrap();
    assert!(client.get(format!("http://rebind.example.:{port}/")).send().await.is_err());
}
