//! YAML as written: events, the bytes that they stand in, and the look-up of a value by JSON pointer.
//!
//! Every span counts bytes of the text that was parsed, so that an edit can replace a scalar and leave every other byte alone. A scalar is
//! only ever text here: whether `08`, `yes` or `1e3` is a number differs between readers, and nothing in this room decides it. An alias is
//! never expanded, so a hostile file costs no more than its own length.
//!
//! There are two ways in. [`Stream::parse`] asks the parser, and is what edits are planned and proven on. [`Stream::read`] gives the same
//! and spares the parser where a text is plainly written, for whoever only reads: a fleet has ten thousands of manifests and few edits.
//!
//! Absent on purpose: comments (they are bytes between spans), typed values (serde reads those), and writing.

mod ambiguous;
mod embedded;
mod ending;
mod lookup;
mod node;
mod parse;
mod position;
mod quick;
mod screen;
mod stream;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod samples;

pub use ambiguous::ambiguous;
pub use embedded::{Embedded, NotEmbedded};
pub use ending::{end_of_lines, has_certain_end};
pub use lookup::{Found, Obstacle, ObstacleKind};
pub use node::{DuplicateKey, Entry, Kind, Node};
pub use parse::{MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_EVENTS, ParseError, ParseErrorKind};
pub use position::Position;
pub use screen::mentions;
pub use stream::{Document, ScalarStyle, Stream};
