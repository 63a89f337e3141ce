//! The validated policies: what `decide`, `fleet` and `plan` work with.
//!
//! Nothing here can contradict itself: bounds have min <= max, a down never triggers an up, ladders ascend, schedules fire. Whoever holds
//! such a value need not check it again.

use json_patch::jsonptr::PointerBuf;

use crate::model::{
    ComponentName, Digest, Direction, Duration, FlagName, ManagementClusterName, Namespace, PolicyName, PolicyRef,
    Priority, RegionName, RepoPath, ShardName, Signal,
};
use crate::policy::v1alpha1::{GroupBy, Kind, Mode, OnSharedBase};
use crate::policy::{Candidate, Ladder, PathTemplate, Percent, Problem, Selector, Template, Window};

/// All policies of a fleet, each list in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet {
    /// For node groups.
    pub node_groups: Vec<NodeGroupPolicy>,
    /// For platform components.
    pub platforms: Vec<PlatformPolicy>,
    /// For controllers.
    pub controllers: Vec<ControllerPolicy>,
    /// For new clusters; at most one per region.
    pub sharding: Vec<ShardingPolicy>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
    /// The digest of the manifests' content: the same for other comments, other order or other files.
    pub digest: Digest,
}

/// What every policy has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its name.
    pub name: PolicyName,
    /// Its kind.
    pub kind: Kind,
    /// Whether it acts.
    pub mode: Mode,
    /// Whether it holds everything that it selects.
    pub suspend: bool,
    /// The file that it stands in, as given to the loader.
    pub file: String,
    /// The line of its first key, counted from 1.
    pub line: usize,
}

impl Meta {
    /// How decisions name it.
    pub fn reference(&self) -> PolicyRef {
        PolicyRef {
            kind: self.kind.as_str().to_owned(),
            name: self.name.clone(),
        }
    }
}

/// When node groups grow and shrink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeGroupPolicy {
    /// Name, mode, suspension.
    pub meta: Meta,
    /// Which node groups.
    pub selector: Selector,
    /// How many nodes.
    pub bounds: Bounds,
    /// When they grow.
    pub scale_up: ScaleUp,
    /// When they shrink; nothing means never.
    pub scale_down: Option<ScaleDown>,
    /// How long they rest.
    pub cooldown: Cooldown,
    /// Older measurements are stale.
    pub max_age: Duration,
    /// Measurements with fewer samples are partial.
    pub min_coverage: Percent,
    /// What becomes one pull request.
    pub group_by: GroupBy,
    /// The topology variable of the cluster that holds the number, if a ClusterClass takes it from one.
    pub variable: Option<String>,
    /// Where the number is written, if not found by identity.
    pub write_to: Option<WriteTo>,
    /// What becomes of a number that several overlays share.
    pub on_shared_base: OnSharedBase,
}

/// A smallest and a largest number of nodes, `1 <= min <= max <= 5000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    min: u32,
    max: u32,
}

impl Bounds {
    /// Bounds, unless they contradict each other.
    pub fn new(min: u32, max: u32) -> Option<Self> {
        (1 <= min && min <= max).then_some(Self { min, max })
    }

    /// The smallest number.
    pub fn min(self) -> u32 {
        self.min
    }

    /// The largest number.
    pub fn max(self) -> u32 {
        self.max
    }
}

/// When node groups grow. The target is below every threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleUp {
    /// P1.
    pub urgent: Trigger,
    /// P2.
    pub sustained: Trigger,
    /// The use that is aimed at.
    pub target: Percent,
    /// How far one change may go.
    pub max_step: Step,
}

impl ScaleUp {
    /// The triggers with their priorities, the urgent one first.
    pub fn triggers(&self) -> [(Priority, Trigger); 2] {
        [(Priority::P1, self.urgent), (Priority::P2, self.sustained)]
    }

    /// The lowest threshold of all.
    pub fn lowest_threshold(&self) -> Percent {
        let Self {
            urgent,
            sustained,
            target: _,
            max_step: _,
        } = self;
        urgent.cpu.min(urgent.memory).min(sustained.cpu).min(sustained.memory)
    }
}

/// A window and the averages over it that trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// The time that is averaged over.
    pub window: Duration,
    /// The threshold for CPU.
    pub cpu: Percent,
    /// The threshold for memory.
    pub memory: Percent,
}

impl Trigger {
    /// The threshold for a signal; nothing for signals that node groups don't have.
    pub fn threshold(&self, signal: Signal) -> Option<Percent> {
        match signal {
            Signal::Cpu => Some(self.cpu),
            Signal::Memory => Some(self.memory),
            Signal::ClientRequests | Signal::QueueDepth => None,
        }
    }
}

/// When node groups shrink. The target is at most that of ups, and five points below every threshold of ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleDown {
    /// The times that are averaged over, ascending; all must agree. Never empty.
    pub lookback: Vec<Duration>,
    /// The use must be below this.
    pub below: Percent,
    /// The projected use must be at or below this.
    pub target: Percent,
    /// How far one change may go.
    pub max_step: Step,
    /// When downs may be proposed; empty means at any time.
    pub windows: Vec<Window>,
}

/// How far one change may go. Without either it may go any distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Nodes, at least one.
    pub nodes: Option<u32>,
    /// Share of the nodes that are there.
    pub percent: Option<Percent>,
}

impl Step {
    /// The most nodes that a group of this size may gain or lose at once.
    pub fn of(&self, nodes: u32) -> u32 {
        let Self { nodes: most, percent } = self;
        let share = percent.map_or(u32::MAX, |percent| percent.of_count(nodes));
        most.unwrap_or(u32::MAX).min(share)
    }
}

/// How long a value rests after its last change was seen live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    /// No up within this time.
    pub up: Duration,
    /// No down within this time.
    pub down: Duration,
}

impl Cooldown {
    /// How long a change in a direction has to wait.
    pub fn before(&self, direction: Direction) -> Duration {
        match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        }
    }
}

/// How many replicas a platform component has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformPolicy {
    /// Name, mode, suspension.
    pub meta: Meta,
    /// The component.
    pub component: ComponentName,
    /// On which management clusters.
    pub selector: Selector,
    /// Replicas by tenants. The lowest rung has at least 2.
    pub ladder: Ladder,
    /// When replicas may become fewer (empty: at any time); nothing means never.
    pub scale_down: Option<Vec<Window>>,
    /// How long the component rests.
    pub cooldown: Cooldown,
    /// An older count of tenants is stale.
    pub max_age: Duration,
    /// The chart in whose values the number is, if that is said.
    pub chart: Option<ChartKey>,
    /// Where the number is written, if not found by identity.
    pub write_to: Option<WriteTo>,
    /// What becomes of a number that several overlays share.
    pub on_shared_base: OnSharedBase,
}

/// Which flags a controller runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerPolicy {
    /// Name, mode, suspension.
    pub meta: Meta,
    /// The component, one of the catalogue's.
    pub component: ComponentName,
    /// On which management clusters.
    pub selector: Selector,
    /// The flags in the order of their names, each once, each known to the catalogue as a whole number.
    pub flags: Vec<FlagLadder>,
    /// What must be seen before anything is raised.
    pub evidence: Evidence,
    /// How long the controller rests. Only ups happen.
    pub cooldown: Cooldown,
    /// Older measurements are stale.
    pub max_age: Duration,
    /// The chart in whose values the flags are, if that is said.
    pub chart: Option<ChartKey>,
    /// Where the flags are written, if not found by identity.
    pub write_to: Option<WriteTo>,
}

/// A flag and its values by the number of workload clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagLadder {
    /// The flag without its dashes.
    pub name: FlagName,
    /// The values.
    pub ladder: Ladder,
}

/// What must be seen before a flag is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The time that is averaged over.
    pub window: Duration,
    /// The longer time that the queues are compared with.
    pub baseline: Duration,
    /// The rate of requests as a share of the limit in force.
    pub client_requests: Percent,
}

/// Where a region's new clusters go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardingPolicy {
    /// Name, mode, suspension.
    pub meta: Meta,
    /// The region.
    pub region: RegionName,
    /// How many clusters fit into all shards of one management cluster together.
    pub management_cluster_capacity: u32,
    /// The folder in which new clusters' manifests wait.
    pub requests: RepoPath,
    /// Where that stands in the policy's file: line and column, for messages.
    pub requests_position: (usize, usize),
    /// The shards in the order of their names. Never empty.
    pub shards: Vec<Shard>,
}

/// A namespace of a management cluster with its own set of controllers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its name.
    pub name: ShardName,
    /// Its management cluster.
    pub management_cluster: ManagementClusterName,
    /// Its namespace.
    pub namespace: Namespace,
    /// The folder of its manifests.
    pub path: RepoPath,
    /// How many clusters fit.
    pub capacity: u32,
}

/// A chart, and where its values hold something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartKey {
    /// The chart's name.
    pub name: String,
    /// The key in its values; nothing for the one that the catalogue knows.
    pub key: Option<PointerBuf>,
}

/// Where a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTo {
    /// The file.
    pub path: PathTemplate,
    /// The object in it; nothing for a file that is no Kubernetes object.
    pub object: Option<WriteToObject>,
    /// The value; nothing for the kind's usual place. Always given without an object.
    pub pointer: Option<PointerBuf>,
    /// The container whose `args` hold flags.
    pub container: Option<String>,
}

/// An object in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteToObject {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: Option<Template>,
    /// Its namespace.
    pub namespace: Option<Template>,
}

impl PolicySet {
    /// The policies that select a node group, in the order of their names. More than one is a conflict that the decision reports.
    pub fn for_node_group<'a>(&'a self, candidate: &Candidate<'_>) -> impl Iterator<Item = &'a NodeGroupPolicy> {
        self.node_groups
            .iter()
            .filter(move |policy| policy.selector.matches(candidate))
    }

    /// The policies that select a platform component, in the order of their names.
    pub fn for_platform<'a>(
        &'a self,
        component: &ComponentName,
        candidate: &Candidate<'_>,
    ) -> impl Iterator<Item = &'a PlatformPolicy> {
        self.platforms
            .iter()
            .filter(move |policy| policy.component == *component && policy.selector.matches(candidate))
    }

    /// The policies that select a controller, in the order of their names.
    pub fn for_controller<'a>(
        &'a self,
        component: &ComponentName,
        candidate: &Candidate<'_>,
    ) -> impl Iterator<Item = &'a ControllerPolicy> {
        self.controllers
            .iter()
            .filter(move |policy| policy.component == *component && policy.selector.matches(candidate))
    }

    /// The sharding policy of a region.
    pub fn for_region(&self, region: &RegionName) -> Option<&ShardingPolicy> {
        self.sharding.iter().find(|policy| policy.region == *region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_step_limits_the_smaller_counts() {
        let step = Step {
            nodes: Some(4),
            percent: Some(Percent::of(50)),
        };
        assert_eq!([1, 3, 8, 100].map(|nodes| step.of(nodes)), [1, 2, 4, 4]);
        assert_eq!(
            Step {
                nodes: None,
                percent: None
            }
            .of(3),
            u32::MAX
        );
    }

    #[test]
    fn bounds_never_cross() {
        assert!(Bounds::new(3, 2).is_none() && Bounds::new(0, 2).is_none());
        assert_eq!(
            Bounds::new(3, 3).map(|bounds| (bounds.min(), bounds.max())),
            Some((3, 3))
        );
    }
}
