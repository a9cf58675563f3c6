//! The part of the example upstream that remembers: accounts, sessions, orders, baskets, tokens. Everything is in memory, and begins anew
//! with each start.
//!
//! `cargo run --example accounts` serves it at 127.0.0.1:4200, or where its argument says. Alice, Bob and Root may sign in; the password of
//! each is the name and `-secret`.

#![allow(clippy::print_stdout, reason = "it says where it listens")]

mod accounts;

use std::error::Error;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4200".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(&address).await?;
        println!("listening on http://{}", listener.local_addr()?);
        accounts::serve(listener, |asked| println!("{asked}")).await;
        Ok(())
    })
}
