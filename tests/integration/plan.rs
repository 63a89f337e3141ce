//! From decisions to proposals: scopes, budgets, what is under review, and what a reviewer has said.

mod budgets;
mod checks;
mod review;
mod scopes;

use crate::support::words::told;
use crate::support::world::World;

/// The plan of a healthy fleet with a deviation, as text.
fn plan(deviation: impl FnOnce(&mut World)) -> String {
    told(&World::healthy().with(deviation).plan())
}
