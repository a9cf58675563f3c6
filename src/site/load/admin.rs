//! `[admin]`: the listener for those who run the server. Who may reach it is decided here, before it listens.

use super::super::code;
use super::super::settings::{Admin, AdminDecl, Token};
use super::site::listen_address;
use crate::config::{Declared as _, Environment, Template};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::source;
use std::net::SocketAddr;

/// Bytes that a token has at least: fewer could be tried one after the other.
const SHORTEST_TOKEN: usize = 16;

/// The listener that is declared, if there is one; `server` are the addresses for visitors.
pub(super) fn compile(
    decl: &AdminDecl,
    server: &[String],
    environment: &Environment,
    findings: &mut Findings,
) -> Option<Admin> {
    let token = decl.token.as_ref().and_then(|written| token(written, environment, findings));
    let Some(written) = &decl.listen else {
        if let Some(token) = decl.token.as_ref().filter(|_| !decl.is_lost("listen")) {
            findings.push(Finding::new(&code::ADMIN_LISTEN, token.place, "`token` without `listen`"));
        }
        return None;
    };
    let listen = listen_address(written, environment, findings)?;
    if server.iter().any(|address| is_same(address, &listen)) {
        let message = format!("`{listen}` is where the server listens for visitors");
        findings.push(Finding::new(&code::ADMIN_LISTEN, written.place, message));
    }
    let is_said = decl.token.is_some() || decl.is_lost("token");
    if !is_said && listen.parse::<SocketAddr>().is_ok_and(|address| !address.ip().to_canonical().is_loopback()) {
        let message = format!("others than this machine can reach `{listen}`, and there is no token");
        findings.push(
            Finding::new(&code::OPEN_ADMIN, written.place, message)
                .help("token = \"{env.ADMIN_TOKEN}\"; or listen on `127.0.0.1` or a Unix socket"),
        );
    }
    Some(Admin { listen, token })
}

/// Whether two addresses are one. Any free port is another each time.
fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<SocketAddr>(), other.parse::<SocketAddr>()) {
        (Ok(one), Ok(other)) => {
            let ips = [one.ip().to_canonical(), other.ip().to_canonical()];
            let meet = ips[0] == ips[1] || ips.iter().any(std::net::IpAddr::is_unspecified);
            one.port() == other.port() && one.port() != 0 && meet
        }
        _ => one == other,
    }
}

/// The token that a variable of the environment holds.
fn token(written: &Spanned<Template>, environment: &Environment, findings: &mut Findings) -> Option<Token> {
    let help = "token = \"{env.ADMIN_TOKEN}\"";
    let mut variables = written.value.environment();
    let (Some(variable), None) = (variables.next(), variables.next()) else {
        return refuse(findings, written, "the token is not a variable of the environment", help);
    };
    let mut rest = written.value.clone();
    rest.resolve_environment(|_| String::new());
    if rest.as_literal() != Some("") || variable.default.is_some() {
        return refuse(findings, written, "a part of the token is written in the site", help);
    }
    if environment.is_public(&variable.name) {
        let message = format!("`{}` is the token of the admin listener, and declared as public", variable.name);
        findings.push(Finding::new(&source::PUBLIC_CREDENTIAL, variable.place, message));
    }
    let secret = environment.secret(variable, findings);
    // That it is not set has been said.
    if !secret.expose().is_empty() && secret.expose().len() < SHORTEST_TOKEN {
        let message = format!("the value of `{}` is too short for a token", variable.name);
        return refuse(findings, written, &message, "16 bytes or more, as of `openssl rand -hex 16`");
    }
    Some(Token { variable: variable.name.clone(), secret })
}

fn refuse(findings: &mut Findings, written: &Spanned<Template>, message: &str, help: &'static str) -> Option<Token> {
    findings.push(Finding::new(&code::BAD_TOKEN, written.place, message).help(help));
    None
}
