//! Serving with the real binary: the start, what it prints, signals, and the end.

use crate::support::site::{Folder, Options, Site, binary};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread;

crate::cases!(
    an_empty_site_answers_404,
    a_route_is_served_and_logged,
    one_line_says_where_the_site_is,
    unix_sockets_stand_beside_addresses,
    an_address_in_use_is_said_with_a_way_out,
    a_site_with_errors_is_not_served,
    warnings_do_not_keep_a_site_from_being_served,
    a_wrong_number_of_threads_is_refused,
    the_access_log_can_be_off,
    a_signal_ends_it_well,
    sigterm_under_load_loses_no_request,
);

const HELLO: &str = "-- site.toml --\n-- routes/hello.toml --\njson = { hello = \"world\" }\n";

fn an_empty_site_answers_404() {
    let site = Site::start("-- site.toml --\n");
    for target in ["/", "/a/b", "/index.html"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
}

fn a_route_is_served_and_logged() {
    let site = Site::start(HELLO);
    let response = site.get("/hello");
    assert_eq!((response.status, response.text()), (200, "{\"hello\":\"world\"}"));
    let line = site.wait_for_access(|line| line.contains("\"/hello\""));
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((line["status"].as_u64(), line["route"].as_str()), (Some(200), Some("routes/hello.toml")));
}

fn one_line_says_where_the_site_is() {
    let site = Site::start(HELLO);
    let messages = site.messages();
    let expected = format!("listening on http://{} (1 route, loaded in ", site.address());
    assert!(messages.starts_with(&expected) && messages.ends_with(" ms)"), "{messages}");
    assert_eq!(messages.lines().count(), 1);
    assert_ne!(site.address().port(), 0);
}

fn unix_sockets_stand_beside_addresses() {
    let sockets = Folder::new();
    let path = sockets.path().join("site.sock");
    let listen = format!("server.listen=[\"127.0.0.1:0\", \"unix:{}\"]", path.display());
    let mut site = Options::default().set(&listen).start(HELLO);
    let line = site.wait_for_message(|line| line.starts_with("listening on "));
    assert!(line.contains(&format!(", unix:{} (1 route", path.display())), "{line}");
    assert!(path.exists());
    site.signal("TERM");
    assert!(site.wait().success());
    assert!(!path.exists(), "the file of the socket goes with the server");
}

fn an_address_in_use_is_said_with_a_way_out() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("an address").to_string();
    let folder = Folder::new();
    folder.unpack(HELLO);
    let output = binary()
        .arg("--config")
        .arg(folder.path().join("site.toml"))
        .args(["--set", &format!("server.listen=[\"{address}\"]")])
        .output()
        .expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains(&format!("cannot listen on {address}")), "{message}");
    assert!(message.contains("choose another address"), "{message}");
    assert!(!message.contains("listening"), "{message}");
}

fn a_site_with_errors_is_not_served() {
    let folder = Folder::new();
    folder.unpack("-- site.toml --\n[server]\nlisten = [\"localhost:80\"]\nprot = 1\n");
    let output = binary().arg("--config").arg(folder.path().join("site.toml")).output().expect("the binary");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let message = String::from_utf8_lossy(&output.stderr);
    for part in ["site.toml:2:", "site.toml:3:1", "the site is not served: 2 errors"] {
        assert!(message.contains(part), "{part} in\n{message}");
    }
}

fn warnings_do_not_keep_a_site_from_being_served() {
    let site = Site::start(&format!("{HELLO}-- layouts/unused.html --\n<p>x</p>\n"));
    assert!(site.messages().contains("layout/unused"), "{}", site.messages());
    assert_eq!(site.get("/hello").status, 200);
}

fn a_wrong_number_of_threads_is_refused() {
    let folder = Folder::new();
    folder.unpack(HELLO);
    for wrong in ["0", "many", "-1", ""] {
        let mut command = binary();
        command.arg("--config").arg(folder.path().join("site.toml")).args(["--set", "server.listen=[\"127.0.0.1:0\"]"]);
        let output = command.env("TOKIO_WORKER_THREADS", wrong).output().expect("the binary");
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("TOKIO_WORKER_THREADS"), "{wrong:?}");
    }
    let site = Options::default().env("TOKIO_WORKER_THREADS", "1").start(HELLO);
    assert_eq!(site.get("/hello").status, 200);
}

fn the_access_log_can_be_off() {
    let mut site = Options::default().set("log.access=off").start(HELLO);
    assert_eq!(site.get("/hello").status, 200);
    site.signal("TERM");
    assert!(site.wait().success());
    assert_eq!(site.access_log(), "");
}

fn a_signal_ends_it_well() {
    for signal in ["TERM", "INT"] {
        let mut site = Site::start(HELLO);
        assert_eq!(site.get("/hello").status, 200);
        site.signal(signal);
        assert_eq!(site.wait().code(), Some(0), "{signal}");
        assert!(site.access_log().contains("/hello"), "the last lines are written before the end");
    }
}

/// Every request on a connection that the server has not ended must be answered, until an answer says that it was the last.
fn sigterm_under_load_loses_no_request() {
    const CLIENTS: usize = 8;
    let mut site = Site::start(HELLO);
    let (warm, warmed) = channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (mut connection, warm) = (site.connect(), warm.clone());
            thread::spawn(move || {
                let mut answered = 0;
                loop {
                    let response = connection.get("/hello");
                    assert_eq!((response.status, response.text()), (200, "{\"hello\":\"world\"}"));
                    answered += 1;
                    if answered == 50 {
                        warm.send(()).expect("a listener");
                    }
                    if response.header("connection") == Some("close") {
                        return answered;
                    }
                }
            })
        })
        .collect();
    // A client that fails takes its sender with it, and the wait for it ends.
    drop(warm);
    for _ in 0..CLIENTS {
        warmed.recv().expect("every client gets answers");
    }
    site.signal("TERM");
    let answered: usize = clients.into_iter().map(|client| client.join().expect("no request is lost")).sum();
    assert!(answered >= CLIENTS * 50);
    assert_eq!(site.wait().code(), Some(0));
    assert_eq!(site.access_log().lines().count(), answered, "each is logged");
}
