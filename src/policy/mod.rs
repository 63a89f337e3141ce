//! What people want: the policies and the fleet file, read, checked and turned into types that can't be wrong.

pub mod schedule;

pub use schedule::{InGap, InvalidSchedule, Schedule, Window};
