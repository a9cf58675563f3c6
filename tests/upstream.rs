//! Calls to upstreams that misbehave: every fault ends in its own failure, before the deadline, within the bounds.

use crate::support::SAFETY_NET;
use crate::support::fault::FaultServer;
use http::{HeaderValue, Method};
use siteserver::upstream::{
    Answer, BodyLimits, BreakerSettings, Call, Client, ClientSettings, CodingFault, Failure, NameFault, Part,
    Redirects, Timeouts, Trust, Unreachable, UpstreamSettings, UpstreamState, Url, Wait,
};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

crate::cases!(
    good_answers_arrive_whole,
    every_fault_has_its_failure,
    whatever_never_ends_is_a_timeout,
    a_reset_at_any_byte_is_an_interruption,
    the_caps_hold_to_the_byte,
    a_call_is_sent_as_it_is_written,
    nothing_is_remembered_between_calls,
    private_addresses_are_refused_before_connecting,
    localhost_is_a_name_that_needs_no_file,
    passing_trouble_is_tried_again,
    no_post_is_ever_sent_twice,
    retries_end_with_the_deadline,
    retries_are_a_small_share_of_all_calls,
    a_redirect_is_an_answer,
    redirects_lead_to_declared_places_without_credentials,
    no_more_calls_at_once_than_allowed,
    waiting_for_a_turn_counts_against_the_deadline,
    a_caller_who_leaves_gives_up_its_place,
    an_upstream_that_fails_is_left_alone,
    only_faults_of_the_upstream_open_the_breaker,
    large_answers_take_turns,
    sixty_four_bombs_at_once_are_defused,
    what_reads_shares_connections_and_what_writes_does_not,
    no_failure_tells_a_secret,
);

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(SAFETY_NET, test).await.expect("a call outlived its deadline") })
}

fn client() -> Client {
    Client::new(ClientSettings::default()).unwrap()
}

/// One call at a time at least, and no breaker.
fn upstream(max_concurrent: usize) -> Arc<UpstreamState> {
    state(&UpstreamSettings { max_concurrent, breaker: None, ..UpstreamSettings::default() })
}

fn state(settings: &UpstreamSettings) -> Arc<UpstreamState> {
    Arc::new(UpstreamState::new(settings))
}

/// Far enough away for everything that should succeed.
fn later() -> Instant {
    Instant::now() + SAFETY_NET
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(300)
}

fn call(method: Method, url: &str) -> Call {
    let timeouts = Timeouts { first_byte: SAFETY_NET, total: SAFETY_NET };
    Call { trust: Trust::Private, retries: 0, timeouts, ..Call::new(method, Url::parse(url).unwrap()) }
}

fn get(server: &FaultServer, target: &str) -> Call {
    call(Method::GET, &server.url(target))
}

fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn good_answers_arrive_whole() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(8));
        let plain = client.fetch(&get(&server, "/json/items?n=300"), &upstream, later()).await.unwrap();
        assert_eq!(json(&plain)["items"][299]["sku"], "SKU-00300");
        assert_eq!(plain.headers["content-type"], "application/json");
        for form in [
            "coded/gzip",
            "coded/br",
            "coded/zstd",
            "chunked",
            "until-close",
            "interim",
            "chunked/coded/gzip",
            "labelled/identity",
        ] {
            let answer = client.fetch(&get(&server, &format!("/{form}/json/items?n=300")), &upstream, later()).await;
            let answer = answer.unwrap_or_else(|failure| panic!("{form}: {failure}"));
            assert!(answer.body == plain.body, "{form}");
            assert!(
                !answer.headers.contains_key("content-encoding") && !answer.headers.contains_key("content-length"),
                "{form}"
            );
        }
        for (method, target) in [
            (Method::GET, "/status/204"),
            (Method::GET, "/status/304"),
            (Method::GET, "/labelled/gzip/status/204"),
            (Method::GET, "/labelled/gzip/bytes/0"),
            (Method::HEAD, "/json/items"),
            (Method::HEAD, "/coded/gzip/json/items"),
        ] {
            let answer = client.fetch(&call(method.clone(), &server.url(target)), &upstream, later()).await;
            let answer = answer.unwrap_or_else(|failure| panic!("{method} {target}: {failure}"));
            assert!(answer.body.is_empty(), "{method} {target}");
        }
        for status in [200, 201, 400, 401, 404, 410, 418, 429, 500, 503, 599] {
            let answer = client.fetch(&get(&server, &format!("/status/{status}")), &upstream, later()).await.unwrap();
            assert_eq!(answer.status.as_u16(), status);
        }
    });
}

fn every_fault_has_its_failure() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(8));
        for (target, failure) in [
            ("/cut/0", Failure::Interrupted(Part::Head)),
            ("/cut/20", Failure::Interrupted(Part::Head)),
            ("/short/1/json/items", Failure::Interrupted(Part::Body)),
            ("/short/1000/bytes/0", Failure::Interrupted(Part::Body)),
            ("/cut/2000/chunked/json/items", Failure::Interrupted(Part::Body)),
            ("/not-http", Failure::InvalidResponse),
            ("/bad-field", Failure::InvalidResponse),
            ("/bad-chunk", Failure::InvalidResponse),
            ("/bad-length", Failure::InvalidResponse),
            ("/switch", Failure::InvalidResponse),
            ("/long-head/40000", Failure::TooLarge(Part::Head)),
            ("/long-head/1000000", Failure::TooLarge(Part::Head)),
            ("/many-fields/101", Failure::TooLarge(Part::Head)),
            ("/bytes/3000000", Failure::TooLarge(Part::Body)),
            ("/chunked/bytes/3000000", Failure::TooLarge(Part::Body)),
            ("/until-close/bytes/3000000", Failure::TooLarge(Part::Body)),
            ("/endless", Failure::TooLarge(Part::Body)),
            ("/bomb/gzip/64", Failure::TooLarge(Part::Decoded)),
            ("/bomb/br/64", Failure::TooLarge(Part::Decoded)),
            ("/bomb/zstd/64", Failure::TooLarge(Part::Decoded)),
            ("/truncated/gzip/json/items", Failure::Undecodable(CodingFault::Broken)),
            ("/truncated/br/json/items", Failure::Undecodable(CodingFault::Broken)),
            ("/truncated/zstd/json/items", Failure::Undecodable(CodingFault::Broken)),
            ("/labelled/gzip/json/items", Failure::Undecodable(CodingFault::Broken)),
            ("/labelled/br/json/items", Failure::Undecodable(CodingFault::Broken)),
            ("/labelled/zstd/json/items", Failure::Undecodable(CodingFault::Broken)),
            ("/labelled/deflate/json/items", Failure::Undecodable(CodingFault::Unknown)),
            ("/labelled/gzip,gzip/json/items", Failure::Undecodable(CodingFault::Stacked)),
        ] {
            let outcome = client.fetch(&get(&server, target), &upstream, later()).await;
            assert_eq!(outcome.err(), Some(failure), "{target}");
        }
        let refusing = format!("http://{}/", FaultServer::refusing());
        let outcome = client.fetch(&call(Method::GET, &refusing), &upstream, later()).await;
        assert_eq!(outcome.err(), Some(Failure::Unreachable(Unreachable::Refused)));
        let tls = format!("https://{}/", server.address());
        let outcome = client.fetch(&call(Method::GET, &tls), &upstream, soon()).await;
        assert!(matches!(outcome, Err(Failure::Unreachable(_) | Failure::Timeout(_))), "{outcome:?}");
        let unsendable = client.fetch(&call(Method::GET, "ftp://example.com/"), &upstream, later()).await;
        assert!(matches!(unsendable, Err(Failure::Unsendable(_))));
    });
}

fn whatever_never_ends_is_a_timeout() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(8));
        let brief = Duration::from_millis(300);
        // On a machine that is busy, the head of the last may be late as well.
        for (target, waits) in [
            ("/silent", &[Wait::FirstByte][..]),
            ("/gate/closed/json/items", &[Wait::FirstByte]),
            ("/trickle/json/items", &[Wait::FirstByte]),
            ("/silent-after-head/json/items", &[Wait::Body, Wait::FirstByte]),
        ] {
            let expected = |outcome: &Result<Answer, Failure>| matches!(outcome, Err(Failure::Timeout(wait)) if waits.contains(wait));
            let outcome = client.fetch(&get(&server, target), &upstream, soon()).await;
            assert!(expected(&outcome), "{target}, by the deadline: {outcome:?}");
            let timeouts = Timeouts { first_byte: SAFETY_NET, total: brief };
            let outcome = client.fetch(&Call { timeouts, ..get(&server, target) }, &upstream, later()).await;
            assert!(expected(&outcome), "{target}, by the call's own total: {outcome:?}");
        }
        let timeouts = Timeouts { first_byte: brief, total: SAFETY_NET };
        let outcome = client.fetch(&Call { timeouts, ..get(&server, "/silent") }, &upstream, later()).await;
        assert_eq!(outcome.err(), Some(Failure::Timeout(Wait::FirstByte)));
        let past = Instant::now();
        let outcome = client.fetch(&get(&server, "/json/items"), &upstream, past).await;
        assert!(matches!(outcome, Err(Failure::Timeout(_))), "a deadline that has passed: {outcome:?}");
    });
}

fn a_reset_at_any_byte_is_an_interruption() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(8));
        let head = b"HTTP/1.1 200 Whatever\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n".len();
        for at in 0..head + 11 {
            let outcome = client.fetch(&get(&server, &format!("/reset/{at}")), &upstream, later()).await;
            // Where head and body arrive together with the reset, either may be what was missed.
            match outcome {
                Err(Failure::Interrupted(Part::Head)) => {}
                Err(Failure::Interrupted(Part::Body)) if at >= head => {}
                other => panic!("reset at byte {at} of {}: {other:?}", head + 11),
            }
        }
    });
}

fn the_caps_hold_to_the_byte() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(8));
        let limits = BodyLimits { raw: 1000, decoded: 5000 };
        for (target, fits) in [
            ("/bytes/1000", true),
            ("/bytes/1001", false),
            ("/chunked/bytes/1000", true),
            ("/chunked/bytes/1001", false),
            ("/until-close/bytes/1001", false),
            ("/coded/gzip/bytes/5000", true),
            ("/coded/gzip/bytes/5001", false),
            ("/coded/zstd/bytes/5000", true),
            ("/coded/zstd/bytes/5001", false),
            ("/coded/br/bytes/5000", true),
            ("/coded/br/bytes/5001", false),
        ] {
            let outcome = client.fetch(&Call { limits, ..get(&server, target) }, &upstream, later()).await;
            assert_eq!(outcome.is_ok(), fits, "{target}: {outcome:?}");
        }
    });
}

fn a_call_is_sent_as_it_is_written() {
    let server = FaultServer::start();
    run(async {
        let mut call = call(Method::from_bytes(b"REPORT").unwrap(), &server.url("/echo?a=1&b=%26%20x"));
        call.headers.append("x-list", HeaderValue::from_static("one"));
        call.headers.append("x-list", HeaderValue::from_static("two"));
        call.headers.insert("host", HeaderValue::from_static("shop.example"));
        call.headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
        call.body = Some("{\"q\":1}".into());
        let answer = client().fetch(&call, &upstream(1), later()).await.unwrap();
        let seen = json(&answer);
        assert_eq!(seen["method"], "REPORT");
        assert_eq!(seen["target"], "/echo?a=1&b=%26%20x");
        assert_eq!(seen["body"], "{\"q\":1}");
        let version = concat!("siteserver/", env!("CARGO_PKG_VERSION"));
        let expected = serde_json::json!({
            "host": "shop.example", "x-list": "one, two", "content-length": "7", "user-agent": version,
            "accept": "*/*", "accept-encoding": "gzip, br, zstd",
        });
        assert_eq!(seen["headers"], expected, "and nothing else");
    });
}

fn nothing_is_remembered_between_calls() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        let first =
            get(&server, "/json/items?header=set-cookie:id%3D1&header=strict-transport-security:max-age%3D99999");
        client.fetch(&first, &upstream, later()).await.unwrap();
        let answer = client.fetch(&get(&server, "/echo"), &upstream, later()).await.unwrap();
        let headers = &json(&answer)["headers"];
        assert!(headers["cookie"].is_null() && headers["referer"].is_null(), "{headers}");
    });
}

fn private_addresses_are_refused_before_connecting() {
    let server = FaultServer::start();
    let port = server.address().port();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        for host in [
            "127.0.0.1",
            "localhost",
            "LOCALHOST.",
            "shop.localhost",
            "2130706433",
            "0x7f.1",
            "[::ffff:127.0.0.1]",
            "[::1]",
        ] {
            let call =
                Call { trust: Trust::Public, retries: 5, ..call(Method::GET, &format!("http://{host}:{port}/")) };
            let outcome = client.fetch(&call, &upstream, later()).await;
            assert_eq!(outcome.err(), Some(Failure::RefusedAddress("loopback")), "{host}");
        }
        // A connection that is allowed to be there is not for those who are not.
        client.fetch(&get(&server, "/"), &upstream, later()).await.unwrap();
        let call = Call { trust: Trust::Public, ..call(Method::GET, &format!("http://localhost:{port}/")) };
        assert!(client.fetch(&call, &upstream, later()).await.is_err());
    });
    assert_eq!((server.total_calls(), server.connections()), (1, 1));
}

fn localhost_is_a_name_that_needs_no_file() {
    let server = FaultServer::start();
    let port = server.address().port();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        for host in ["localhost", "shop.localhost"] {
            let answer =
                client.fetch(&call(Method::GET, &format!("http://{host}:{port}/")), &upstream, later()).await.unwrap();
            assert_eq!(answer.status, 200, "{host}");
        }
        // RFC 6761, section 6.4: this one never exists.
        let outcome = client.fetch(&call(Method::GET, "http://shop.invalid/"), &upstream, later()).await;
        let failure = outcome.expect_err("a name that does not exist");
        let by_name = matches!(
            failure,
            Failure::Unreachable(Unreachable::Name(
                NameFault::NoServers | NameFault::NotFound | NameFault::LookupFailed
            ))
        );
        assert!(by_name || failure == Failure::Timeout(Wait::Connection), "{failure:?}");
    });
}

fn passing_trouble_is_tried_again() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        for (target, retries, calls, status) in [
            ("/flaky/1/a", 1, 2, Some(404)),
            ("/flaky/2", 2, 3, Some(200)),
            ("/flaky/3", 2, 3, Some(503)),
            ("/flaky/4", 0, 1, Some(503)),
            ("/flaky-reset/1", 1, 2, Some(200)),
            ("/flaky-reset/2", 1, 2, None),
            ("/status/502?header=retry-after:0", 1, 2, Some(502)),
            ("/status/500", 1, 1, Some(500)),
            ("/status/429", 1, 1, Some(429)),
            ("/short/1", 1, 1, None),
            ("/not-http", 1, 1, None),
            // The last: it is left alone afterwards.
            ("/status/503?header=retry-after:3600", 1, 1, Some(503)),
        ] {
            let call = Call { retries, ..get(&server, target) };
            let outcome = client.fetch(&call, &upstream, later()).await;
            assert_eq!(outcome.map(|answer| answer.status.as_u16()).ok(), status, "{target}");
            assert_eq!(server.calls(call.url.path()), calls, "{target}");
        }
    });
}

fn no_post_is_ever_sent_twice() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for target in
                ["/flaky/1", "/flaky-reset/1", "/status/503", "/cut/0", "/cut/9", "/reset/12", "/short/1", "/silent"]
            {
                let target = format!("{target}?{method}");
                let before = server.total_calls();
                let call = Call { retries: 5, body: Some("x=1".into()), ..call(method.clone(), &server.url(&target)) };
                let deadline = if target.starts_with("/silent") { soon() } else { later() };
                client.fetch(&call, &upstream, deadline).await.ok();
                assert_eq!(server.total_calls() - before, 1, "{method} {target}");
            }
        }
        // A declaration may say that one only reads.
        let reading = Call { retries: 1, safe: true, ..call(Method::POST, &server.url("/flaky/1/search")) };
        client.fetch(&reading, &upstream, later()).await.unwrap();
        assert_eq!(server.calls("/flaky/1/search"), 2);
    });
}

fn retries_end_with_the_deadline() {
    let server = FaultServer::start();
    run(async {
        let call = Call { retries: u32::MAX, ..get(&server, "/cut/0") };
        let outcome = client().fetch(&call, &upstream(1), soon()).await;
        assert!(matches!(outcome, Err(Failure::Interrupted(Part::Head) | Failure::Timeout(_))), "{outcome:?}");
    });
    assert!(server.calls("/cut/0") > 1);
}

fn retries_are_a_small_share_of_all_calls() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(40));
        let calls = vec![Call { retries: 1, ..get(&server, "/status/503") }; 40];
        let outcomes = together(&client, &upstream, &calls, later()).await;
        assert!(outcomes.iter().flatten().count() == 40);
    });
    // Ten to begin with, and one for every ten calls.
    let calls = server.calls("/status/503");
    assert!((50..=54).contains(&calls), "{calls}");
}

fn a_redirect_is_an_answer() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        for status in [301, 302, 303, 307, 308] {
            let target = format!("/redirect/{status}?to={}", server.url("/elsewhere"));
            let answer = client.fetch(&get(&server, &target), &upstream, later()).await.unwrap();
            assert_eq!(answer.status.as_u16(), status);
        }
    });
    assert_eq!(server.calls("/elsewhere"), 0);
}

fn redirects_lead_to_declared_places_without_credentials() {
    let (server, declared, undeclared) = (FaultServer::start(), FaultServer::start(), FaultServer::start());
    run(async {
        let (client, upstream) = (client(), upstream(1));
        let fetch = async |to: &str, most: u8| {
            let mut call = get(&server, &format!("/redirect/302?to={to}"));
            for name in ["authorization", "cookie", "x-api-key", "accept-language"] {
                call.headers.insert(name, HeaderValue::from_static("en"));
            }
            call.redirects = Some(Redirects { most, origins: vec![declared.url("")] });
            client.fetch(&call, &upstream, later()).await
        };
        let sent =
            |answer: &Answer| -> Vec<String> { json(answer)["headers"].as_object().unwrap().keys().cloned().collect() };
        let within = fetch("/echo", 1).await.unwrap();
        let to_itself = [
            "accept",
            "accept-encoding",
            "accept-language",
            "authorization",
            "cookie",
            "host",
            "user-agent",
            "x-api-key",
        ];
        assert_eq!(sent(&within), to_itself);
        let across = fetch(&declared.url("/echo"), 1).await.unwrap();
        assert_eq!(sent(&across), ["accept", "accept-encoding", "accept-language", "host", "user-agent"]);
        assert_eq!(fetch(&undeclared.url("/echo"), 1).await.err(), Some(Failure::RedirectRefused));
        assert_eq!(fetch("http://169.254.169.254/", 1).await.err(), Some(Failure::RedirectRefused));
        assert_eq!(fetch(&declared.url("/echo"), 0).await.err(), Some(Failure::TooManyRedirects));
        let twice = format!("/redirect/302%3Fto={}", declared.url("/echo"));
        assert_eq!(sent(&fetch(&twice, 2).await.unwrap()).len(), 5);
        assert_eq!(fetch(&twice, 1).await.err(), Some(Failure::TooManyRedirects));
    });
    assert_eq!(undeclared.connections(), 0);
}

/// Makes the calls at the same time and gives back what became of them.
async fn together(
    client: &Client,
    upstream: &Arc<UpstreamState>,
    calls: &[Call],
    deadline: Instant,
) -> Vec<Result<Answer, Failure>> {
    futures_util::future::join_all(calls.iter().map(|call| client.fetch(call, upstream, deadline))).await
}

fn no_more_calls_at_once_than_allowed() {
    let server = FaultServer::start();
    run(async {
        let client = client();
        // Twelve calls, four of which have to meet at a time: fewer at once would hang, more would show.
        let calls = vec![get(&server, "/barrier/four/4"); 12];
        let outcomes = together(&client, &upstream(4), &calls, later()).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(server.most_at_once("/barrier/four/4"), 4);
        // Three at once never make four.
        let calls = vec![get(&server, "/barrier/never/4"); 4];
        let outcomes = together(&client, &upstream(3), &calls, soon()).await;
        let turns = outcomes.iter().filter(|outcome| matches!(outcome, Err(Failure::Timeout(Wait::Turn)))).count();
        assert!(outcomes.iter().all(Result::is_err) && turns >= 1, "{outcomes:?}");
        assert!(server.calls("/barrier/never/4") <= 3);
    });
}

/// Until the first call of this path has arrived.
async fn arrival(server: &Arc<FaultServer>, path: &'static str) {
    let server = Arc::clone(server);
    tokio::task::spawn_blocking(move || server.wait_for(path, 1)).await.unwrap();
}

fn waiting_for_a_turn_counts_against_the_deadline() {
    let server = Arc::new(FaultServer::start());
    run(async {
        let (client, upstream) = (client(), upstream(1));
        let (first, second) = (get(&server, "/gate/first"), get(&server, "/json/items"));
        let holding = client.fetch(&first, &upstream, later());
        let waiting = async {
            arrival(&server, "/gate/first").await;
            let outcome = client.fetch(&second, &upstream, soon()).await;
            server.release("first");
            outcome
        };
        let (held, waited) = tokio::join!(holding, waiting);
        assert!(held.is_ok());
        assert_eq!(waited.err(), Some(Failure::Timeout(Wait::Turn)));
    });
    assert_eq!(server.calls("/json/items"), 0);
}

fn a_caller_who_leaves_gives_up_its_place() {
    let server = Arc::new(FaultServer::start());
    run(async {
        let (client, upstream) = (client(), upstream(1));
        let call = get(&server, "/silent");
        tokio::select! {
            outcome = client.fetch(&call, &upstream, later()) => panic!("{outcome:?}"),
            () = arrival(&server, "/silent") => {}
        }
        client.fetch(&get(&server, "/json/items"), &upstream, later()).await.unwrap();
    });
}

fn an_upstream_that_fails_is_left_alone() {
    let server = FaultServer::start();
    run(async {
        let client = client();
        let breaker = |open_for| {
            state(&UpstreamSettings {
                max_concurrent: 8,
                breaker: Some(BreakerSettings { failures: 3, open_for }),
                ..UpstreamSettings::default()
            })
        };
        let fetch = async |target: &str, upstream: &Arc<UpstreamState>| {
            client.fetch(&get(&server, target), upstream, later()).await.map(|answer| answer.status.as_u16())
        };
        let long = breaker(Duration::from_hours(1));
        for _ in 0..3 {
            assert_eq!(fetch("/status/500", &long).await, Ok(500));
        }
        assert_eq!(fetch("/json/items", &long).await, Err(Failure::BreakerOpen));
        assert_eq!(server.calls("/json/items"), 0);
        // With no time to stay open, the next call finds out.
        let short = breaker(Duration::ZERO);
        for _ in 0..3 {
            assert_eq!(fetch("/cut/0", &short).await, Err(Failure::Interrupted(Part::Head)));
        }
        assert_eq!(fetch("/json/items", &short).await, Ok(200));
        assert_eq!(fetch("/json/items", &short).await, Ok(200));
    });
}

fn only_faults_of_the_upstream_open_the_breaker() {
    let server = FaultServer::start();
    run(async {
        let client = client();
        let upstream = state(&UpstreamSettings {
            max_concurrent: 8,
            breaker: Some(BreakerSettings { failures: 2, open_for: Duration::from_hours(1) }),
            ..UpstreamSettings::default()
        });
        for target in
            ["/status/404", "/status/401", "/status/429", "/bytes/3000000", "/labelled/br/bytes/9", "/not-http"]
        {
            for _ in 0..3 {
                let outcome = client.fetch(&get(&server, target), &upstream, later()).await;
                assert_ne!(outcome.err(), Some(Failure::BreakerOpen), "{target}");
            }
        }
        for _ in 0..3 {
            let refused = Call { trust: Trust::Public, ..get(&server, "/") };
            assert_eq!(
                client.fetch(&refused, &upstream, later()).await.err(),
                Some(Failure::RefusedAddress("loopback"))
            );
        }
        assert!(client.fetch(&get(&server, "/"), &upstream, later()).await.is_ok());
    });
}

fn large_answers_take_turns() {
    let server = FaultServer::start();
    run(async {
        let client = Client::new(ClientSettings { large_answers: 2, ..ClientSettings::default() }).unwrap();
        let upstream = upstream(8);
        for target in ["/bytes/2000000", "/coded/gzip/bytes/2000000"] {
            let large = get(&server, target);
            let held = together(&client, &upstream, &[large.clone(), large.clone()], later()).await;
            assert!(held.iter().flatten().filter(|answer| answer.is_large()).count() == 2, "{target}");
            let third = client.fetch(&large, &upstream, soon()).await;
            assert!(third.is_err_and(Failure::is_timeout), "{target}: no place for a third");
            assert!(client.fetch(&get(&server, "/bytes/1000000"), &upstream, later()).await.is_ok(), "small ones pass");
            drop(held);
            assert!(client.fetch(&large, &upstream, later()).await.is_ok(), "{target}");
        }
    });
}

fn sixty_four_bombs_at_once_are_defused() {
    let server = FaultServer::start();
    run(async {
        let client = client();
        let targets = ["/bomb/gzip/64", "/bomb/br/64", "/bomb/zstd/64", "/endless", "/bytes/3000000", "/tiny-objects"];
        let calls: Vec<Call> = targets.iter().cycle().take(64).map(|target| get(&server, target)).collect();
        let fetches = calls.iter().map(|call| async {
            // Each is looked at and dropped, as a source does.
            client.fetch(call, &upstream(1), later()).await.map(|answer| answer.body.len())
        });
        for (call, outcome) in calls.iter().zip(futures_util::future::join_all(fetches).await) {
            match call.url.path() {
                "/tiny-objects" => assert_eq!(outcome, Ok(7_000_004)),
                _ => assert!(matches!(outcome, Err(Failure::TooLarge(_))), "{}: {outcome:?}", call.url),
            }
        }
    });
}

fn what_reads_shares_connections_and_what_writes_does_not() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        for _ in 0..5 {
            client.fetch(&get(&server, "/json/items"), &upstream, later()).await.unwrap();
        }
        // A connection may come back to its pool just after the next call has left without it, but not each time.
        let shared = server.connections();
        assert!(shared < 5, "{shared} connections for 5 calls");
        for _ in 0..3 {
            client.fetch(&call(Method::POST, &server.url("/echo")), &upstream, later()).await.unwrap();
        }
        assert_eq!(server.connections(), shared + 3);
    });
}

fn no_failure_tells_a_secret() {
    let server = FaultServer::start();
    run(async {
        let (client, upstream) = (client(), upstream(1));
        for target in [
            "/cut/0",
            "/silent",
            "/not-http",
            "/bad-field",
            "/short/9",
            "/bytes/3000000",
            "/labelled/br/bytes/9",
            "/long-head/40000",
        ] {
            let mut call = get(&server, &format!("{target}?key=s3cr3t"));
            call.headers.insert("x-api-key", HeaderValue::from_static("s3cr3t"));
            let failure = client.fetch(&call, &upstream, soon()).await.expect_err(target);
            let told = format!("{failure} {failure:?} {call:?} {client:?} {upstream:?} {}", failure.word());
            assert!(!told.contains("s3cr3t"), "{told}");
        }
    });
}
