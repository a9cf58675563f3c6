//! What tests of behaviour stand on: a server that misbehaves on request, a client that sends any bytes, and sites run by the real binary.
//!
//! Nothing here sleeps to wait for something, uses a fixed port or judges by the clock. [`SAFETY_NET`] only turns a hang into a failure.

#![allow(dead_code, reason = "a kit: each test takes what it needs")]

pub(crate) mod accounts;
pub(crate) mod answers;
pub(crate) mod browser;
pub(crate) mod canary;
pub(crate) mod fault;
pub(crate) mod http;
pub(crate) mod links;
pub(crate) mod ours;
pub(crate) mod proof;
pub(crate) mod reader;
pub(crate) mod recorder;
pub(crate) mod site;
pub(crate) mod stepped;
pub(crate) mod tokens;
pub(crate) mod tools;
pub(crate) mod xml;

use std::time::Duration;

/// How long anything may take before a test gives up on it.
pub(crate) const SAFETY_NET: Duration = Duration::from_mins(1);
