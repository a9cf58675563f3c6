//! An hour of an upstream that fails in every way, in uneven steps of a clock that stands still between them: what is stale stands in as long as
//! its window lasts, says so, and is replaced by no error; after that the failure is told; and when the upstream is back, it is fresh again.
//!
//! What must be answered at each step is worked out from the declared windows alone. A way of keeping answers is one entry of [`KEPT`].

use crate::support::answers::{Delivery, Reply};
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::proof::{Random, scaled};
use crate::support::stepped::SteppedSite;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

crate::cases!(
    what_is_stale_stands_in_for_an_hour_of_failure,
    an_upstream_that_comes_and_goes_never_spoils_what_is_stored,
);

/// A way of keeping what the upstream answers.
struct Kept {
    /// Its name, which is the path of its route and that of what it asks for.
    name: &'static str,
    /// The route's file, after its path.
    route: &'static str,
    /// Keys of its source, if it has one.
    source: &'static str,
    /// What the upstream says beside the content.
    said: Option<&'static str>,
    /// For how long it is fresh.
    fresh: u64,
    /// How long after that it is served while it is made anew.
    while_revalidating: u64,
    /// How long after that it stands in for errors.
    on_error: u64,
    /// Which errors of an origin those are.
    stands_for: StandsFor,
    /// Whether the upstream's answers are passed on as they are: its status, and what of its body there is.
    is_passed_on: bool,
    /// Whether what is kept is data, of whose age an answer says nothing.
    is_data: bool,
}

/// Which failures a stale answer stands in for, once it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StandsFor {
    /// All of them.
    All,
    /// Those that RFC 5861 names: an origin that is not there, 500, 502, 503, 504.
    Errors,
    /// An origin that is not there, and those of a gateway: where nobody has asked for more.
    Gateway,
}

const DAY: u64 = 86_400;
const NONE: Kept = Kept {
    name: "",
    route: "",
    source: "",
    said: None,
    fresh: 0,
    while_revalidating: 0,
    on_error: 0,
    stands_for: StandsFor::All,
    is_passed_on: false,
    is_data: false,
};
const PROXY: Kept = Kept { route: "proxy = \"up\"\n", is_passed_on: true, stands_for: StandsFor::Errors, ..NONE };

const KEPT: &[Kept] = &[
    Kept {
        name: "page",
        route: "layout = \"page.html\"\n[cache]\ns-maxage = \"1m\"\nstale-while-revalidate = \"2m\"\nstale-if-error = \"30m\"\n",
        fresh: 60,
        while_revalidating: 120,
        on_error: 1800,
        ..NONE
    },
    Kept {
        name: "page-without-revalidation",
        route: "layout = \"page.html\"\n[cache]\ns-maxage = \"5m\"\nstale-if-error = \"10m\"\n",
        fresh: 300,
        on_error: 600,
        ..NONE
    },
    Kept {
        name: "json",
        route: "json = { v = \"{a.v}\" }\n[cache]\ns-maxage = \"2m\"\nstale-while-revalidate = \"20m\"\nstale-if-error = \"5m\"\n",
        fresh: 120,
        while_revalidating: 1200,
        on_error: 300,
        ..NONE
    },
    Kept {
        name: "json-without-windows",
        route: "json = { v = \"{a.v}\" }\n[cache]\ns-maxage = \"1m\"\n",
        fresh: 60,
        ..NONE
    },
    Kept {
        name: "source",
        route: "json = { v = \"{a.v}\" }\n",
        source: "cache = { max-age = \"1m\", stale-while-revalidate = \"2m\", stale-if-error = \"20m\" }\n",
        fresh: 60,
        while_revalidating: 120,
        on_error: 1200,
        is_data: true,
        ..NONE
    },
    Kept {
        name: "source-without-windows",
        route: "layout = \"page.html\"\n",
        source: "cache = { max-age = \"100s\", stale-if-error = \"0s\" }\n",
        fresh: 100,
        is_data: true,
        ..NONE
    },
    Kept {
        name: "proxy-said",
        said: Some("max-age=60, stale-while-revalidate=120, stale-if-error=1800"),
        fresh: 60,
        while_revalidating: 120,
        on_error: 1800,
        ..PROXY
    },
    Kept {
        name: "proxy-default",
        said: Some("max-age=100"),
        fresh: 100,
        on_error: DAY,
        stands_for: StandsFor::Gateway,
        ..PROXY
    },
    Kept { name: "proxy-must-revalidate", said: Some("max-age=60, must-revalidate"), fresh: 60, ..PROXY },
    // A shared lifetime forbids what is stale (RFC 9111, section 5.2.2.10), unless its sender says when it may be served.
    Kept { name: "proxy-s-maxage", said: Some("s-maxage=90"), fresh: 90, ..PROXY },
    Kept {
        name: "proxy-s-maxage-said",
        said: Some("s-maxage=90, stale-if-error=1800"),
        fresh: 90,
        on_error: 1800,
        ..PROXY
    },
    Kept {
        name: "proxy-declared",
        route: "proxy = \"up\"\n[cache]\nmax-age = \"2m\"\nstale-while-revalidate = \"1m\"\nstale-if-error = \"10m\"\n",
        fresh: 120,
        while_revalidating: 60,
        on_error: 600,
        ..PROXY
    },
];

fn archive(upstream: SocketAddr) -> String {
    let mut files = format!(
        "-- site.toml --\n[limits]\ndeadline = \"4s\"\n[upstreams.up]\nbase-url = \"http://{upstream}\"\nallow-private = true\n\
         retries = 0\ntimeout = \"3s\"\n-- layouts/page.html --\n{{\"v\":{{{{ a.v }}}}}}\n"
    );
    for Kept { name, route, source, is_passed_on, .. } in KEPT {
        write!(files, "-- routes/{name}.toml --\npath = \"/{name}\"\n{route}").expect("memory");
        if !is_passed_on {
            write!(files, "[sources.a]\nupstream = \"up\"\npath = \"/{name}\"\n{source}").expect("memory");
        }
    }
    files
}

/// How the upstream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It answers, with this number.
    Well(u64),
    Refusing,
    Resetting,
    Status(u16),
    Silent,
    Garbled,
    /// It ends before its answer does.
    Short,
}

const FAILURES: [State; 10] = [
    State::Refusing,
    State::Resetting,
    State::Status(500),
    State::Status(501),
    State::Status(502),
    State::Status(503),
    State::Status(504),
    State::Silent,
    State::Garbled,
    State::Short,
];

/// A site before such an upstream, and what must be stored of it.
struct Hour {
    site: SteppedSite,
    address: SocketAddr,
    fault: Option<FaultServer>,
    state: State,
    /// Seconds since the beginning.
    now: u64,
    /// When the upstream came to be as it is.
    turned: u64,
    /// Of each of [`KEPT`] the number that is stored, since when at the earliest, and since when at the latest: they are the same where
    /// answers say their age.
    stored: Vec<(u64, u64, u64)>,
}

impl Hour {
    fn begin() -> Self {
        let fault = FaultServer::start();
        let address = fault.address();
        let site = SteppedSite::start(&archive(address));
        let mut hour = Self {
            site,
            address,
            fault: Some(fault),
            state: State::Refusing,
            now: 0,
            turned: 0,
            stored: vec![(0, 0, 0); KEPT.len()],
        };
        hour.turn(State::Well(1));
        for at in 0..KEPT.len() {
            hour.is_fresh_again(at, 1);
        }
        hour
    }

    /// So many seconds pass. Before anything changes: what the upstream still does is of now.
    fn pass(&mut self, seconds: u64) {
        self.now += seconds;
        self.site.advance(Duration::from_secs(seconds));
    }

    fn turn(&mut self, state: State) {
        self.state = state;
        self.turned = self.now;
        if state == State::Refusing {
            self.fault = None;
            return;
        }
        let fault = self.fault.get_or_insert_with(|| FaultServer::start_at(self.address));
        for Kept { name, said, .. } in KEPT {
            let well = |number: u64| {
                let reply = Reply::json(format!("{{\"v\":{number}}}"));
                said.iter().fold(reply, |reply, said| reply.header("cache-control", said))
            };
            let reply = match state {
                State::Well(number) => well(number),
                State::Refusing => return,
                State::Resetting => well(0).delivered(Delivery::Reset(0)),
                State::Status(status) => Reply::json("{\"v\":0}").status(status),
                State::Silent => well(0).delivered(Delivery::Raw(Vec::new())),
                State::Garbled => well(0).delivered(Delivery::Raw(b"\0\x01 garbage\r\n\r\n".to_vec())),
                State::Short => well(0).delivered(Delivery::Short(50)),
            };
            fault.put(&format!("/{name}"), reply);
        }
        // Whoever was asked before in silence is not to be told now.
        fault.drop_connections();
    }

    /// Asks for everything while the upstream fails.
    fn is_endured(&self, seen: &mut Seen) {
        let each = thread::scope(|scope| {
            // Together: some wait until they give up.
            let asked: Vec<_> = (0..KEPT.len()).map(|at| scope.spawn(move || self.endures(at))).collect();
            asked.into_iter().map(|asked| asked.join().expect("what must be answered is answered")).collect::<Vec<_>>()
        });
        for one in each {
            match one {
                Told::Fresh => seen.fresh += 1,
                Told::Stale => seen.stale += 1,
                Told::Failure => seen.failures += 1,
            }
        }
    }

    fn endures(&self, at: usize) -> Told {
        let kept = &KEPT[at];
        let (number, since, latest) = self.stored[at];
        let age = self.now - since;
        let answer = self.site.get(&format!("/{}", kept.name));
        let context = || format!("{}, {age} s old, {:?}: {answer:?}", kept.name, self.state);
        let overdue = age.checked_sub(kept.fresh);
        let is_within = kept.is_within(age, self.state);
        // Since when data is kept nobody says: where that matters, or a few seconds that pass by themselves, either is right.
        if kept.is_data && kept.is_within(self.now - latest, self.state) != kept.is_within(age + 9, self.state) {
            return Told::Stale;
        }
        // An answer that is passed on as it comes has been begun when it breaks off.
        let is_begun = kept.is_passed_on && self.state == State::Short;
        let may_be_tried =
            age * 10 >= kept.fresh * 9 && overdue.is_none_or(|overdue| overdue >= kept.while_revalidating);
        if is_begun && may_be_tried && answer.is_err() {
            return Told::Failure;
        }
        let response = answer.as_ref().unwrap_or_else(|_| panic!("{}", context()));
        if is_within {
            assert_eq!((response.status, number_of(response)), (200, Some(number)), "{}", context());
            if kept.is_data {
                return if overdue.is_none() { Told::Fresh } else { Told::Stale };
            }
            let told = response.header("age").and_then(|age| age.parse::<u64>().ok());
            // How long the upstream took to answer counts, too.
            assert!(told.is_some_and(|told| (age..=age + 4).contains(&told)), "{}", context());
            let status = response.header("cache-status").unwrap_or_default();
            let ttl = parameter(status, "ttl").unwrap_or_else(|| panic!("{}", context()));
            let expected = i64::try_from(kept.fresh).expect("a second") - i64::try_from(age).expect("a second");
            assert!((expected - 4..=expected).contains(&ttl), "{}", context());
            assert!(status.contains("; hit") || status.contains("fwd=stale"), "{}", context());
            return if overdue.is_none() { Told::Fresh } else { Told::Stale };
        }
        let expected: &[u16] = match self.state {
            State::Status(status) if kept.is_passed_on => &[status],
            State::Silent => &[504],
            State::Well(_) | State::Refusing | State::Resetting | State::Status(_) | State::Garbled | State::Short => {
                &[502, 503, 504]
            }
        };
        assert!(expected.contains(&response.status), "{}", context());
        assert!(!response.text().contains(&format!("\"v\":{number}")), "{}", context());
        Told::Failure
    }

    /// Asks until it is fresh; it was not answered with anything but what was stored before.
    fn is_fresh_again(&mut self, at: usize, number: u64) {
        let target = format!("/{}", KEPT[at].name);
        let mut asked = 0;
        loop {
            let answer = self.site.get(&target);
            let response = answer.as_ref().unwrap_or_else(|error| panic!("{target}: {error}"));
            assert_eq!(response.status, 200, "{target}: {response:?}");
            match number_of(response) {
                Some(found) if found == number => break,
                found => assert_eq!(found, Some(self.stored[at].0), "{target}: {response:?}"),
            }
            asked += 1;
            assert!(asked < 20_000, "{target} stays as it was");
            // An attempt of before that ended late lets it rest for a second.
            if asked % 50 == 0 {
                self.pass(2);
            }
        }
        if KEPT[at].is_data {
            self.stored[at] = (number, self.turned, self.now);
            return;
        }
        let again = self.site.get(&target).expect("an answer");
        let age = again.header("age").and_then(|age| age.parse::<u64>().ok()).unwrap_or(0);
        let status = again.header("cache-status").unwrap_or_default();
        assert!(status.contains("; hit") && parameter(status, "ttl").is_some_and(|ttl| ttl > 0), "{target}: {again:?}");
        assert!(age <= self.now - self.turned + 4, "{target}: {again:?}");
        let since = self.now - age.min(self.now - self.turned);
        self.stored[at] = (number, since, since);
    }

    /// Asks for everything while the upstream is well.
    fn is_well(&mut self, number: u64) {
        for (at, kept) in KEPT.iter().enumerate() {
            let (stored, since, _) = self.stored[at];
            if (self.now - since) * 10 < kept.fresh * 9 {
                let response = self.site.get(&format!("/{}", kept.name)).expect("an answer");
                // What was made anew by an attempt of before is of this state already.
                assert!([Some(stored), Some(number)].contains(&number_of(&response)), "{}: {response:?}", kept.name);
                if number_of(&response) == Some(stored) {
                    continue;
                }
            }
            self.is_fresh_again(at, number);
        }
    }
}

impl Kept {
    /// Whether what is stored must be answered when it is so old and the upstream is like this.
    fn is_within(&self, age: u64, state: State) -> bool {
        match age.checked_sub(self.fresh) {
            None => true,
            Some(overdue) => overdue < self.while_revalidating || (overdue < self.on_error && self.stands_for(state)),
        }
    }

    fn stands_for(&self, state: State) -> bool {
        match (self.stands_for, state) {
            (_, State::Well(_)) => false,
            (StandsFor::All, _) => true,
            (StandsFor::Errors, State::Status(status)) => matches!(status, 500 | 502..=504),
            (StandsFor::Gateway, State::Status(status)) => matches!(status, 502..=504),
            (StandsFor::Errors | StandsFor::Gateway, _) => true,
        }
    }
}

/// What somebody was told.
enum Told {
    Fresh,
    Stale,
    Failure,
}

/// How often each was told.
#[derive(Debug, Default)]
struct Seen {
    fresh: usize,
    stale: usize,
    failures: usize,
}

fn number_of(response: &Response) -> Option<u64> {
    let text = response.text();
    let (_, rest) = text.split_once("\"v\":")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn parameter(status: &str, name: &str) -> Option<i64> {
    status.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

fn what_is_stale_stands_in_for_an_hour_of_failure() {
    let mut random = Random::new();
    let mut hour = Hour::begin();
    let mut seen = Seen::default();
    let mut step = 0;
    while hour.now < 3_600 {
        let seconds = if random.percent(40) { 1 + random.below(20) } else { 20 + random.below(200) };
        hour.pass(seconds as u64);
        // Each of them in turn, and then as it comes. Silence takes its time.
        let state = match FAILURES.get(step) {
            Some(state) => *state,
            None if random.percent(scaled(20, 3)) => State::Silent,
            None => *random.pick(&FAILURES.map(|state| if state == State::Silent { State::Refusing } else { state })),
        };
        hour.turn(state);
        hour.is_endured(&mut seen);
        step += 1;
    }
    println!("{step} steps: {seen:?}");
    assert!(seen.fresh > 0 && seen.stale > step && seen.failures > step, "all of it happened: {seen:?}");
    hour.turn(State::Well(2));
    hour.is_well(2);
    assert!(hour.stored.iter().all(|&(number, ..)| number == 2));
}

fn an_upstream_that_comes_and_goes_never_spoils_what_is_stored() {
    let mut random = Random::new();
    let mut hour = Hour::begin();
    let mut seen = Seen::default();
    for number in 2..scaled(300, 30) as u64 {
        for _ in 0..random.below(4) {
            hour.pass(1 + random.below(400) as u64);
            let failures = FAILURES.map(|state| if state == State::Silent { State::Garbled } else { state });
            hour.turn(*random.pick(&failures));
            hour.is_endured(&mut seen);
        }
        hour.pass(2 + random.below(400) as u64);
        hour.turn(State::Well(number));
        hour.is_well(number);
    }
    println!("{seen:?}");
}
