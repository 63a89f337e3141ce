//! The `fleetscale` binary.

fn main() {}
