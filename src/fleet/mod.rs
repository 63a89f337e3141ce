//! The fleet repository at one commit: what it declares, where each value is written, and why some can't be changed there.
//!
//! The way goes from bytes to places: the tree holds one commit's files, the gate and the documents turn them into objects, kustomizations
//! say where an object ends up and who patches it, the index finds it by identity, a shape finds the number in it, and `bind` gives each
//! target its place. Nothing here fails on what a repository contains: what can't be bound is a value with a line and a reason.
//!
//! Absent on purpose: writing (that is `render`), cluster access, and any attempt to render Helm or kustomize.

mod address;
mod affixes;
mod applied;
mod appliers;
mod bind;
mod common_annotations;
mod document;
mod field;
mod find;
mod gate;
mod generated;
mod guess;
mod ignored;
mod index;
mod kustomize;
mod layers;
mod markers;
mod operation;
mod owners;
mod patch_target;
mod release;
mod replacement;
mod resolve;
mod scan;
mod screen;
mod shapes;
mod shared;
mod sources;
mod steps;
mod substitute;
#[cfg(test)]
mod testing;
mod touched;
mod tree;

pub use applied::applied_paths;
pub use bind::{bind, screen};
pub use document::identify;
pub use gate::Refused;
pub use guess::{ChartValues, Guess, GuessedCluster, guess, kamaji_values, screen_to_guess};
pub use scan::{Number, Shape, Spot, scan, screen_everything};
pub use screen::Screen;
pub use tree::{FleetTree, LARGEST_FILE, Lent, Mode, TreeEntry};
