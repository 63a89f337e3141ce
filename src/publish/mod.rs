//! Carries a plan out: branches and pull requests, and the memory of what became of them. The only writer.
//!
//! Four steps. [`ledger`] and [`landed()`] read what we said before and what people did about it. [`mod@reconcile`] compares that with what the plan wants and
//! names one step for each branch; it is pure. [`mod@perform`] takes the steps one by one and reads back after each. [`mod@message`] finds the
//! words.
//!
//! Invariants: at most one open pull request for a branch; a person's commit, amend, close or deleted branch is never overwritten or argued
//! with; an ambiguous answer is read again and never repeated; a failed step stops no other.

mod desired;
pub mod escape;
mod landed;
mod message;
mod observe;
mod perform;
mod reconcile;
mod state;

#[cfg(test)]
mod testing;

pub use desired::{Desired, Want, desired};
pub use landed::landed;
pub use message::{Message, MessageError, closing_comment, message};
pub use observe::{ObserveError, ledger};
pub use perform::{Done, Moment, Outcome, Publication, Unready, Watch, draft, perform};
pub use reconcile::{Action, HandsOff, Lease, Step, reconcile};
