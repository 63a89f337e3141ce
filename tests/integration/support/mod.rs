//! What several tests share.

pub(crate) mod parts;
pub(crate) mod readers;
pub(crate) mod repository;
pub(crate) mod words;
pub(crate) mod world;
