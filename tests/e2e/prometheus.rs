//! Measurements from a real Prometheus with a past of our making: what it computes is what we compute from the same samples.

mod faults;
pub(super) mod fleet;
mod groups;
mod labels;
mod pods;
