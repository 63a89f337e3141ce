//! Carries a plan out: branches and pull requests, and the memory of what became of them.
pub mod escape;
