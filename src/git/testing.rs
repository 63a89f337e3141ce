//! What the tests of this room and of publish share: a remote with a person's clone of it, and a server. Drives the `git` of the machine.

mod server;
mod world;

pub(crate) use server::{Server, remote_server};
pub(crate) use world::{World, agent, git_in, noon};
