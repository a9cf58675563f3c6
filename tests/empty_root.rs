//! One file is all there is to ship: the binary is static, and serves from a root directory that holds nothing but itself
//! and a site.

use crate::support::fault::FaultServer;
use crate::support::http;
use crate::support::site::{Folder, binary, copy_program};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

crate::cases!(the_binary_is_static, it_serves_from_an_empty_root);

/// The release binary where the test script built one, else the one of this build: both are linked in the same way.
fn executable() -> PathBuf {
    std::env::var_os("SITESERVER_RELEASE").map_or_else(|| binary().get_program().into(), PathBuf::from)
}

fn the_binary_is_static() {
    let output = Command::new("ldd").arg(executable()).output().expect("ldd");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("statically linked") || said.contains("not a dynamic executable"), "{said}");
}

/// Names are looked up without the C library, certificates come with the binary, and random numbers from the kernel.
fn it_serves_from_an_empty_root() {
    if !is_root() {
        println!("skipped: needs root");
        return;
    }
    let fault = FaultServer::start();
    let port = fault.address().port();
    let root = Folder::new();
    root.unpack(&format!(
        r#"
-- site.toml --
[upstreams]
address = {{ base-url = "http://127.0.0.1:{port}", allow-private = true }}
name = {{ base-url = "http://localhost:{port}", allow-private = true }}
-- routes/index.toml --
layout = "page.html"
sources.a = {{ upstream = "address", path = "/count", extract.n = "$.count" }}
sources.b = {{ upstream = "name", path = "/echo", extract.path = "$.path" }}
-- layouts/page.html --
<p>{{{{ a.n }}}} {{{{ b.path }}}}</p>
"#
    ));
    copy_program(&executable(), &root.path().join("siteserver"));
    let mut child = Command::new("chroot")
        .arg(root.path())
        .args(["/siteserver", "--config", "/site.toml", "--set", "server.listen=[\"127.0.0.1:0\"]"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("chroot");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("listening on http://")));
    let address = line.as_deref().and_then(|line| line.split("http://").nth(1)).and_then(|rest| rest.split(' ').next());
    let answer = address.and_then(|address| address.parse().ok()).map(|address| http::get(address, "/"));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let answer = answer.expect("it listens");
    assert_eq!((answer.status, answer.text()), (200, "<p>1 /echo</p>\n"));
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout.starts_with(b"0\n")
}
