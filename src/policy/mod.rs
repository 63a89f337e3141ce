//! What people want: the policies and the fleet file, read, checked and turned into types that can't be wrong.

mod duration;
pub mod schedule;

pub use duration::{Duration, InvalidDuration};
pub use schedule::{InvalidSchedule, Schedule, Window};
