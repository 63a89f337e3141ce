//! What it takes to talk to a server: its address, credentials that print as stars, deadlines, and one HTTP client.
//!
//! Invariants: every call ends by its deadline; no redirect is followed, so a credential goes to the configured host alone; a body has a
//! largest size; an error says whether the request may have arrived, because then it may have had its effect. Nothing is tried twice here.
//!
//! The only user of reqwest. libgit2 and kube have transports of their own, which take their deadlines and secrets from here.

mod client;
mod deadline;
mod error;
mod secret;
mod server;

pub use client::{
    Answer, CONNECT, Client, Limits, Request, authorization, date, first_line, retry_after, tls_provider,
};
pub use deadline::Deadline;
pub use error::NetError;
pub use secret::Secret;
pub use server::{Credentials, InvalidAddress, Server};
