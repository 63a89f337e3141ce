//! What people want: the policies and the fleet file, read, checked and turned into types that can't be wrong.
//!
//! [`v1alpha1`] is what people write, with the reference on its fields and a JSON Schema made of them ([`schema()`]). `load` and `validate` turn
//! it into [`PolicySet`] and [`FleetFile`], or into every [`Problem`] in one go, each with its line and the way out. [`schedule`] knows when
//! a window is open, [`catalogue`] which flag a version of a controller has.
//!
//! Absent on purpose: reading files (whoever calls has their bytes), the clock (times are arguments), and every decision.

pub mod catalogue;
mod fleet_file;
mod hold;
mod ladder;
mod load;
mod percent;
mod problem;
pub mod schedule;
mod schema;
mod selector;
mod set;
mod sources;
mod template;
pub mod v1alpha1;
mod validate;

pub use fleet_file::{
    Author, Budget, BudgetPer, FleetFile, Forge, ForgeRepository, Freeze, Limits, ManagementCluster, Region, Repository,
};
pub use hold::{HOLD_ANNOTATION, parse_hold};
pub use ladder::{InvalidLadder, Ladder, Rung};
pub use percent::{InvalidPercent, Percent};
pub use problem::{Problem, Severity};
pub use schedule::{InGap, InvalidSchedule, Schedule, Window};
pub use schema::{schema, schema_file};
pub use selector::{Candidate, InvalidPattern, Pattern, Selector};
pub use set::{
    Bounds, ChartKey, ControllerPolicy, Cooldown, Evidence, FlagLadder, Meta, NodeGroupPolicy, PlatformPolicy,
    PolicySet, ScaleDown, ScaleUp, Shard, ShardingPolicy, Step, Trigger, WriteTo, WriteToObject,
};
pub use sources::{AuthoritiesRef, CredentialsRef, Deadlines, KubernetesRef, PrometheusRef, SecretRef, ServerRef};
pub use template::{InvalidTemplate, PathTemplate, Template, Variable};
pub use v1alpha1::{GroupBy, Kind, Mode, OnSharedBase};
pub(crate) use validate::{FLAG_PAIRS, did_you_mean};
