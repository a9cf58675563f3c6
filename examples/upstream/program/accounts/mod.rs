//! A backend as many sites have one: HTTP in front, a few tables behind. The tables know nothing of HTTP (`tables`), and the tokens nothing of
//! either (`tokens`).
//!
//! Whatever is refused is told as JSON: a `message` for people, and where fields are to blame, `errors` by their names. Answers are about the
//! account whose `session` cookie the request carries; a basket may also belong to somebody unknown, by a cookie of its own.

mod message;
mod tables;
mod tokens;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use message::{Answer, Asked};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tables::{Account, Owner, Refused, Tables};
use tokio::net::TcpListener;

/// The largest body that is read.
const BODY: usize = 2 << 20;

/// What makes a session cookie one that neither scripts nor other sites get hold of.
const FLAGS: &str = "Path=/; HttpOnly; SameSite=Lax";

/// Serves whoever connects, until it is dropped. What is asked is told to `heard`, as `POST /orders`.
pub(crate) async fn serve(listener: TcpListener, heard: impl Fn(String) + Clone + Send + 'static) {
    let tables = Arc::new(Mutex::new(Tables::seeded()));
    loop {
        // One connection that could not be accepted is the loss of whoever made it.
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true).ok();
        let (tables, heard) = (Arc::clone(&tables), heard.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                let tables = Arc::clone(&tables);
                heard(format!("{} {}", request.method(), request.uri().path()));
                async move { Ok::<_, Infallible>(answer(&tables, request).await) }
            });
            http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

async fn answer(tables: &Mutex<Tables>, request: hyper::Request<Incoming>) -> hyper::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let answer = match Limited::new(body, BODY).collect().await {
        Ok(body) => Asked::read(&head, &body.to_bytes()).and_then(|asked| {
            let mut tables = tables.lock().unwrap_or_else(PoisonError::into_inner);
            route(&mut tables, &asked)
        }),
        Err(_) => Err(Refused::new(413, "That is too large.")),
    };
    answer.unwrap_or_else(Answer::from).into_response()
}

/// What there is, by method and path.
fn route(tables: &mut Tables, asked: &Asked) -> Result<Answer, Refused> {
    let path: Vec<&str> = asked.path.split('/').skip(1).collect();
    match (asked.method.as_str(), path.as_slice()) {
        ("POST", ["login"]) => login(tables, asked),
        ("POST", ["logout"]) => Ok(logout(tables, asked)),
        ("GET", ["whoami"]) => Ok(Answer::json(200, &account(tables, asked)?.1.told())),
        ("POST", ["name"]) => rename(tables, asked),
        ("GET", ["users"]) => users(tables, asked),
        ("GET", ["orders"]) => {
            let (id, _) = account(tables, asked)?;
            Ok(Answer::json(200, &json!({ "orders": tables.orders_of(&id) })))
        }
        ("POST", ["orders"]) => order(tables, asked),
        ("GET", ["orders", number]) => {
            let (id, _) = account(tables, asked)?;
            Ok(Answer::json(200, &tables.order_of(&id, number)?.told()))
        }
        ("DELETE", ["orders", number]) => {
            let (id, _) = account(tables, asked)?;
            tables.cancel(&id, number).map(|()| Answer::empty())
        }
        ("GET", ["basket"]) => Ok(Answer::json(200, &tables.basket_told(&owner(tables, asked)))),
        ("POST", ["basket", change @ ("add" | "remove")]) => change_basket(tables, asked, change),
        ("GET", ["picture"]) => {
            let (id, _) = account(tables, asked)?;
            let (kind, octets) = tables.pictures.get(&id).ok_or_else(Refused::not_found)?;
            Ok(Answer::octets(kind, octets.clone()))
        }
        ("POST", ["picture"]) => hang_picture(tables, asked),
        ("POST", ["token"]) => token(tables, asked),
        ("GET", ["jwks.json"]) => Ok(Answer::json(200, &tables.keys.published())),
        ("POST", ["jwks", "rotate"]) => {
            tables.keys.rotate();
            Ok(Answer::empty())
        }
        _ => Err(Refused::not_found()),
    }
}

/// Whose session, or whose token, the request carries.
fn account(tables: &Tables, asked: &Asked) -> Result<(String, Account), Refused> {
    let of_session = asked.cookie("session").and_then(|session| tables.sessions.get(session)).cloned();
    let of_token = || {
        let token = asked.field("authorization")?.strip_prefix("Bearer ")?;
        Some(tables.keys.verified(token, now())?["sub"].as_str()?.to_owned())
    };
    let id = of_session.or_else(of_token).ok_or_else(Refused::nobody)?;
    let account = tables.accounts.get(&id).ok_or_else(Refused::nobody)?;
    Ok((id, account.clone()))
}

/// The time as tokens say it: seconds since 1970.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn signed_in(tables: &Tables, asked: &Asked) -> Result<(String, Account), Refused> {
    let (name, password) = (asked.text("name"), asked.text("password"));
    let mut wrong = Refused::new(422, "Name and password, please.");
    wrong.blame_empty("name", name).blame_empty("password", password);
    wrong.unless_blameless()?;
    let known = tables.accounts.get(name).filter(|account| account.password == password);
    let account = known.ok_or_else(|| Refused::new(401, "We know nobody of this name with this password."))?;
    Ok((name.to_owned(), account.clone()))
}

fn login(tables: &mut Tables, asked: &Asked) -> Result<Answer, Refused> {
    let (id, account) = signed_in(tables, asked)?;
    // Whoever signs in gets a new session, so that one planted before is worth nothing; the basket comes along.
    if let Some(before) = asked.cookie("session") {
        tables.sessions.remove(before);
    }
    if let Some(unknown) = asked.cookie("basket") {
        tables.move_basket(unknown, &id);
    }
    let session = tokens::random();
    let cookie = format!("session={session}; {FLAGS}; Max-Age=43200");
    tables.sessions.insert(session, id);
    Ok(Answer::json(200, &account.told()).with("set-cookie", &cookie))
}

fn logout(tables: &mut Tables, asked: &Asked) -> Answer {
    if let Some(session) = asked.cookie("session") {
        tables.sessions.remove(session);
    }
    Answer::empty().with("set-cookie", &format!("session=; {FLAGS}; Max-Age=0"))
}

fn rename(tables: &mut Tables, asked: &Asked) -> Result<Answer, Refused> {
    let (id, _) = account(tables, asked)?;
    let name = asked.text("full_name").trim();
    let mut wrong = Refused::new(422, "That cannot be your name.");
    wrong.blame_empty("full_name", name);
    let taken = |(other, account): (&String, &Account)| *other != id && account.full_name.eq_ignore_ascii_case(name);
    if tables.accounts.iter().any(taken) {
        wrong.blame("full_name", "Somebody else is called that already.");
    }
    wrong.unless_blameless()?;
    let account = tables.accounts.get_mut(&id).ok_or_else(Refused::nobody)?;
    name.clone_into(&mut account.full_name);
    Ok(Answer::json(200, &account.told()))
}

fn users(tables: &Tables, asked: &Asked) -> Result<Answer, Refused> {
    let (_, account) = account(tables, asked)?;
    if account.role != "admin" {
        return Err(Refused::new(403, "Only for those who run the shop."));
    }
    let told = tables.accounts.iter().map(|(id, account)| {
        let mut told = account.told();
        told["orders"] = json!(tables.orders_of(id).len());
        told
    });
    Ok(Answer::json(200, &json!({ "users": told.collect::<Vec<_>>() })))
}

fn order(tables: &mut Tables, asked: &Asked) -> Result<Answer, Refused> {
    let (id, _) = account(tables, asked)?;
    // The same key is the same order, however often it is sent.
    let key = asked.field("idempotency-key").map(|key| (id.clone(), key.to_owned()));
    let known = key.as_ref().and_then(|key| tables.repeats.get(key).copied());
    let number = match known {
        Some(number) => number,
        None => tables.place(&id, asked.text("sku"), asked.number("count"))?,
    };
    if let Some(key) = key {
        tables.repeats.insert(key, number);
    }
    let told = tables.order_of(&id, &number.to_string())?.told();
    Ok(Answer::json(201, &json!({ "order": told })).with("location", &format!("/orders/{number}")))
}

/// Whose basket the request is about: the account's, or that of a cookie that only baskets have.
fn owner(tables: &Tables, asked: &Asked) -> Owner {
    let by_cookie = || Owner::Unknown(asked.cookie("basket").unwrap_or_default().to_owned());
    account(tables, asked).map_or_else(|_| by_cookie(), |(id, _)| Owner::Account(id))
}

fn change_basket(tables: &mut Tables, asked: &Asked, change: &str) -> Result<Answer, Refused> {
    let mut owner = owner(tables, asked);
    let mut cookie = None;
    // A name that we did not give may be one that somebody else has planted.
    if matches!(owner, Owner::Unknown(_)) && !tables.baskets.contains_key(&owner) {
        let name = tokens::random();
        cookie = Some(format!("basket={name}; {FLAGS}; Max-Age=2592000"));
        owner = Owner::Unknown(name);
    }
    let count = asked.number("count");
    match change {
        "add" => tables.put(&owner, asked.text("sku"), count)?,
        _ => tables.take(&owner, asked.text("sku")),
    }
    let answer = Answer::json(200, &tables.basket_told(&owner));
    Ok(match cookie {
        Some(cookie) => answer.with("set-cookie", &cookie),
        None => answer,
    })
}

fn hang_picture(tables: &mut Tables, asked: &Asked) -> Result<Answer, Refused> {
    let (id, _) = account(tables, asked)?;
    let mut wrong = Refused::new(422, "That is no picture.");
    let Some(picture) = asked.files.get("picture") else {
        wrong.blame("picture", "Choose one.");
        return Err(wrong);
    };
    // What it is, its first octets say, whatever its sender does.
    let kind = match picture.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        _ => {
            wrong.blame("picture", "PNG or JPEG only.");
            return Err(wrong);
        }
    };
    let told = json!({ "kind": kind, "size": picture.len() });
    tables.pictures.insert(id, (kind, picture.clone()));
    Ok(Answer::json(200, &told))
}

fn token(tables: &Tables, asked: &Asked) -> Result<Answer, Refused> {
    let (id, account) = signed_in(tables, asked)?;
    let (now, lifetime) = (now(), 300);
    let claims = json!({
        "iss": tokens::ISSUER,
        "aud": tokens::AUDIENCE,
        "sub": id,
        "id": id,
        "name": account.full_name,
        "role": account.role,
        "iat": now,
        "exp": now + lifetime,
    });
    let told = json!({ "token_type": "Bearer", "access_token": tables.keys.sign(&claims), "expires_in": lifetime });
    Ok(Answer::json(200, &told).with("cache-control", "no-store"))
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        let errors: serde_json::Map<String, Value> =
            refused.errors.iter().map(|(field, message)| ((*field).to_owned(), json!(message))).collect();
        Self::json(refused.status, &json!({ "message": refused.message, "errors": errors }))
    }
}
