//! What must hold for any bytes, as the integration tests have it: there every fixture is tried, here whatever a fuzzer makes of them.

#![allow(clippy::unwrap_used, dead_code, reason = "these are the helpers of the integration tests")]

#[path = "../../integration/fuzzed/oracles.rs"]
mod oracles;

#[path = "../../integration/support"]
mod support {
    pub(crate) mod readers;
    pub(crate) mod repository;
}

/// Values are found where a pointer says.
pub fn yaml_locate(bytes: &[u8]) {
    oracles::yaml_locate(bytes);
}

/// Values of a text are edited or refused.
pub fn yaml_edit(bytes: &[u8]) {
    oracles::yaml_edit(bytes);
}

/// A flag of a manifest's container is edited or refused.
pub fn args_edit(bytes: &[u8]) {
    oracles::args_edit(bytes);
}

/// Numbers of a repository with kustomizations are edited or refused.
pub fn kustomization(bytes: &[u8]) {
    oracles::kustomization(bytes);
}
