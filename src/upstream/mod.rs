//! Calls to other servers: names, addresses, connections, sizes, times, retries.
//!
//! It knows requests and answers as bytes; what they mean is for the floors above.
