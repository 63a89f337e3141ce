//! The rules for the fleet file.

use std::collections::BTreeMap;

use super::check::Check;
use super::common::{self, RawWindow};
use super::repository;
use super::sources;
use crate::model::{Direction, ManagementClusterName, RegionName, RepoPath};
use crate::policy::fleet_file::{Author, Budget, FleetFile, Forge, Freeze, Limits, ManagementCluster, Region};
use crate::policy::set::Meta;
use crate::policy::v1alpha1::{self, BudgetDirection, BudgetPer, FleetSpec};
use crate::policy::{InGap, Percent};

const BRANCH: &str = "main";
const POLICIES: &str = "fleetscale";

/// What a person reads between two runs.
const NEW_PULL_REQUESTS: u32 = 5;
const NEW_URGENT_PULL_REQUESTS: u32 = 20;
const OPEN_PULL_REQUESTS: u32 = 20;

/// Karpenter's default for disruption budgets.
const DOWN_BUDGET: Percent = Percent::of(10);

pub(super) fn read(check: &mut Check<'_>, meta: Meta, spec: FleetSpec) -> Option<FleetFile> {
    let FleetSpec {
        repository,
        branch,
        policies,
        forge,
        source,
        regions,
        limits,
        freezes,
        deadlines,
        author,
    } = spec;
    let aliases = repository
        .as_ref()
        .map_or(Some(Vec::new()), |raw| repository::aliases(check, raw));
    let repository = repository.and_then(|raw| repository::read(check, &raw));
    let branch = match branch {
        Some(text) => check.parse("/spec/branch", text.as_ref()),
        None => check.or("/spec/branch", None, BRANCH.parse().ok()?),
    };
    let at = "/spec/policies/path";
    let policies = match policies.and_then(|policies| policies.path) {
        Some(text) => check.parse(at, text.as_ref()),
        None => check.or(at, None, POLICIES.parse().ok()?),
    };
    let forge = self::forge(check, forge.as_ref());
    let snapshot = source.map(|v1alpha1::Source { snapshot }| {
        if snapshot.is_none() && !check.is_broken_below("/spec/source") {
            check.error(
                "/spec/source",
                "names no source",
                "give `snapshot`, or remove `source` and name a snapshot on the command line",
            );
        }
        snapshot.and_then(|text| file(check, "/spec/source/snapshot", &text.0))
    });
    let regions = regions.and_then(|raw| self::regions(check, &raw));
    let limits = self::limits(check, limits.as_ref());
    let freezes = self::freezes(check, freezes.as_deref());
    let deadlines = sources::deadlines(check, deadlines.as_ref());
    let author = self::author(check, author.as_ref());
    Some(FleetFile {
        name: meta.name.to_string(),
        repository: repository?,
        aliases: aliases?,
        branch: branch?,
        policies: policies?,
        forge: forge?,
        snapshot: snapshot.flatten(),
        regions: regions?,
        limits: limits?,
        freezes: freezes?,
        deadlines: deadlines?,
        author: author?,
        warnings: Vec::new(),
    })
}

pub(super) fn file(check: &mut Check<'_>, at: &str, text: &str) -> Option<String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        check.error(
            at,
            "is no path of a file or folder",
            "write it relative to the fleet file's folder",
        );
        return None;
    }
    Some(text.to_owned())
}

fn forge(check: &mut Check<'_>, raw: Option<&v1alpha1::Forge>) -> Option<Forge> {
    let at = "/spec/forge";
    let Some(v1alpha1::Forge { local, gitea, github }) = check.or(at, raw.map(Some), None)? else {
        return Some(Forge::Local { path: None });
    };
    match (local, gitea, github) {
        (Some(v1alpha1::LocalForge { path: None }), None, None) => Some(Forge::Local { path: None }),
        (Some(v1alpha1::LocalForge { path: Some(text) }), None, None) => {
            file(check, "/spec/forge/local/path", &text.0).map(|path| Forge::Local { path: Some(path) })
        }
        (None, Some(gitea), None) => sources::gitea(check, &format!("{at}/gitea"), gitea)
            .map(|(server, repository)| Forge::Gitea { server, repository }),
        (None, None, Some(github)) => sources::github(check, &format!("{at}/github"), github)
            .map(|(server, repository)| Forge::GitHub { server, repository }),
        (None, None, None) => {
            if !check.is_broken_below(at) {
                check.error(at, "names no forge", "give one of `local: {}`, `gitea` and `github`");
            }
            None
        }
        _ => {
            check.error(
                at,
                "names more than one forge",
                "keep one of `local`, `gitea` and `github`",
            );
            None
        }
    }
}

fn regions(check: &mut Check<'_>, raw: &[v1alpha1::Region]) -> Option<Vec<Region>> {
    let mut region_names: BTreeMap<RegionName, String> = BTreeMap::new();
    let mut cluster_names: BTreeMap<ManagementClusterName, String> = BTreeMap::new();
    let mut folders: Vec<(RepoPath, ManagementClusterName)> = Vec::new();
    let mut regions = Vec::new();
    for (
        index,
        v1alpha1::Region {
            name,
            prometheus,
            management_clusters,
        },
    ) in raw.iter().enumerate()
    {
        let at = format!("/spec/regions/{index}");
        let name = unique(check, &format!("{at}/name"), name.as_ref(), &mut region_names);
        let mut clusters = Vec::new();
        let prometheus = self::prometheus(check, &format!("{at}/prometheus"), prometheus.as_ref());
        for (index, raw) in management_clusters.iter().flatten().enumerate() {
            let v1alpha1::ManagementCluster {
                name,
                paths,
                kubernetes,
                prometheus,
            } = raw;
            let at = format!("{at}/managementClusters/{index}");
            let name = unique(check, &format!("{at}/name"), name.as_ref(), &mut cluster_names);
            let paths: Vec<Option<RepoPath>> = paths
                .iter()
                .flatten()
                .enumerate()
                .map(|(index, text)| check.parse(&format!("{at}/paths/{index}"), text.as_ref()))
                .collect();
            for (index, path) in paths.iter().enumerate() {
                let (Some(path), Some(name)) = (path, &name) else {
                    continue;
                };
                if let Some((_, owner)) = folders.iter().find(|(folder, _)| folder == path) {
                    check.error(
                        &format!("{at}/paths/{index}"),
                        format!("{path} belongs to the management cluster {owner} already"),
                        "an object belongs to one management cluster: give each folders of its own",
                    );
                }
                folders.push((path.clone(), name.clone()));
            }
            let paths = paths.into_iter().collect::<Option<Vec<RepoPath>>>().map(|mut paths| {
                paths.sort();
                paths
            });
            let kubernetes = match kubernetes {
                Some(raw) => sources::kubernetes(check, &format!("{at}/kubernetes"), raw).map(Some),
                None => Some(None),
            };
            let prometheus = self::prometheus(check, &format!("{at}/prometheus"), prometheus.as_ref());
            clusters.push(name.zip(paths).zip(kubernetes).zip(prometheus).map(
                |(((name, paths), kubernetes), prometheus)| ManagementCluster {
                    name,
                    paths,
                    kubernetes,
                    prometheus,
                },
            ));
        }
        let clusters = clusters.into_iter().collect::<Option<Vec<_>>>().map(|mut clusters| {
            clusters.sort_by(|a, b| a.name.cmp(&b.name));
            clusters
        });
        regions.push(
            name.zip(clusters)
                .zip(prometheus)
                .map(|((name, management_clusters), prometheus)| Region {
                    name,
                    management_clusters,
                    prometheus,
                }),
        );
    }
    let mut regions: Vec<Region> = regions.into_iter().collect::<Option<_>>()?;
    regions.sort_by(|a, b| a.name.cmp(&b.name));
    Some(regions)
}

/// A Prometheus, if there is one. The outer nothing means that it is wrong.
#[expect(clippy::option_option, reason = "wrong and absent lead to different ends")]
fn prometheus(
    check: &mut Check<'_>,
    at: &str,
    raw: Option<&v1alpha1::Prometheus>,
) -> Option<Option<crate::policy::PrometheusRef>> {
    match raw {
        Some(raw) => sources::prometheus(check, at, raw).map(Some),
        None => Some(None),
    }
}

/// A name that no other entry has.
fn unique<T>(
    check: &mut Check<'_>,
    at: &str,
    text: Option<&v1alpha1::NameText>,
    seen: &mut BTreeMap<T, String>,
) -> Option<T>
where
    T: std::str::FromStr<Err: std::fmt::Display> + Ord + Clone + std::fmt::Display,
{
    let name: T = check.required(at, text)?;
    if let Some(first) = seen.get(&name) {
        check.error(
            at,
            format!("the name {name} is taken already, by {first}"),
            "every name stands once in a fleet file",
        );
        return None;
    }
    let place = super::check::field(at.strip_suffix("/name").unwrap_or(at));
    seen.insert(name.clone(), place);
    Some(name)
}

fn limits(check: &mut Check<'_>, raw: Option<&v1alpha1::Limits>) -> Option<Limits> {
    let at = "/spec/limits";
    let default = v1alpha1::Limits::default();
    let v1alpha1::Limits {
        new_pull_requests,
        new_urgent_pull_requests,
        open_pull_requests,
        budgets,
    } = check.or(at, raw, &default)?;
    let new = check.or(&format!("{at}/newPullRequests"), *new_pull_requests, NEW_PULL_REQUESTS);
    let urgent = check.or(
        &format!("{at}/newUrgentPullRequests"),
        *new_urgent_pull_requests,
        NEW_URGENT_PULL_REQUESTS,
    );
    let open = check.or(
        &format!("{at}/openPullRequests"),
        *open_pull_requests,
        OPEN_PULL_REQUESTS,
    );
    let at = format!("{at}/budgets");
    let budgets = match check.or(&at, budgets.as_ref().map(Some), None) {
        Some(Some(raw)) => {
            let read: Vec<_> = raw
                .iter()
                .enumerate()
                .map(|(index, raw)| budget(check, &format!("{at}/{index}"), raw))
                .collect();
            read.into_iter().collect::<Option<Vec<Budget>>>()
        }
        Some(None) => Some(vec![Budget {
            direction: Some(Direction::Down),
            max_changes: None,
            max_nodes: None,
            max_percent: Some(DOWN_BUDGET),
            per: BudgetPer::ManagementCluster,
            window: None,
        }]),
        None => None,
    };
    Some(Limits {
        new_pull_requests: new?,
        new_urgent_pull_requests: urgent?,
        open_pull_requests: open?,
        budgets: budgets?,
    })
}

fn budget(check: &mut Check<'_>, at: &str, raw: &v1alpha1::Budget) -> Option<Budget> {
    let v1alpha1::Budget {
        direction,
        max_changes,
        max_nodes,
        max_percent,
        per,
        schedule,
        time_zone,
        duration,
    } = raw;
    let at_percent = format!("{at}/maxPercent");
    let share = check.optional::<Percent>(&at_percent, max_percent.as_ref());
    let broken = ["maxChanges", "maxNodes", "maxPercent"]
        .iter()
        .any(|key| check.is_broken(&format!("{at}/{key}")));
    if max_changes.is_none() && max_nodes.is_none() && max_percent.is_none() && !broken {
        check.error(
            at,
            "a budget without a maximum",
            "give at least one of `maxChanges`, `maxNodes` and `maxPercent`",
        );
    }
    let broken = ["schedule", "duration"]
        .iter()
        .any(|key| check.is_broken(&format!("{at}/{key}")));
    let window = match (schedule, duration) {
        (Some(_), Some(_)) => {
            let raw = RawWindow {
                schedule: schedule.as_ref(),
                time_zone: time_zone.as_ref(),
                duration: duration.as_ref(),
                week: None,
                // A budget restricts, so a start that the clock leaves out must not be lost.
                in_gap: InGap::AtItsEnd,
            };
            common::window(check, at, &raw).map(Some)
        }
        _ if broken => None,
        (Some(_), None) => {
            check.error(
                &format!("{at}/schedule"),
                "says when the budget starts to apply, but not for how long",
                "add `duration`",
            );
            None
        }
        (None, Some(_)) => {
            check.error(
                &format!("{at}/duration"),
                "says for how long the budget applies, but not from when on",
                "add `schedule`",
            );
            None
        }
        (None, None) => {
            if time_zone.is_some() {
                check.error_at_key(
                    &format!("{at}/timeZone"),
                    "is the zone of a schedule, and there is none",
                    "add `schedule` and `duration`",
                );
            }
            Some(None)
        }
    };
    let direction = match (*direction)? {
        BudgetDirection::Up => Some(Direction::Up),
        BudgetDirection::Down => Some(Direction::Down),
        BudgetDirection::Any => None,
    };
    Some(Budget {
        direction,
        max_changes: *max_changes,
        max_nodes: *max_nodes,
        max_percent: share?,
        per: per.unwrap_or_default(),
        window: window?,
    })
}

fn freezes(check: &mut Check<'_>, raw: Option<&[v1alpha1::Freeze]>) -> Option<Vec<Freeze>> {
    let raw = check.or("/spec/freezes", raw, &[])?;
    let mut names: BTreeMap<crate::model::PolicyName, String> = BTreeMap::new();
    let mut freezes = Vec::new();
    for (
        index,
        v1alpha1::Freeze {
            name,
            schedule,
            time_zone,
            duration,
            week,
            reason,
        },
    ) in raw.iter().enumerate()
    {
        let at = format!("/spec/freezes/{index}");
        let name = unique(check, &format!("{at}/name"), name.as_ref(), &mut names);
        let raw = RawWindow {
            schedule: schedule.as_ref(),
            time_zone: time_zone.as_ref(),
            duration: duration.as_ref(),
            week: *week,
            // A freeze forbids, so a start that the clock leaves out must not be lost.
            in_gap: InGap::AtItsEnd,
        };
        let window = common::window(check, &at, &raw);
        freezes.push(name.zip(window).map(|(name, window)| Freeze {
            name: name.to_string(),
            window,
            reason: reason.clone(),
        }));
    }
    let mut freezes: Vec<Freeze> = freezes.into_iter().collect::<Option<_>>()?;
    freezes.sort_by(|a, b| a.name.cmp(&b.name));
    Some(freezes)
}

fn author(check: &mut Check<'_>, raw: Option<&v1alpha1::Author>) -> Option<Author> {
    let at = "/spec/author";
    let default = v1alpha1::Author::default();
    let v1alpha1::Author { name, email } = check.or(at, raw, &default)?;
    let mut words = |field: &str, text: &Option<String>, default: &str| {
        let at = format!("{at}/{field}");
        let text = check.or(&at, text.as_deref(), default)?;
        // Git ends a name at these, and would write another one than was meant.
        if text.trim().is_empty() || text.contains(['<', '>', '\n', '\0']) {
            check.error(
                &at,
                "is not one that Git can write",
                "no `<`, `>` or line break, and not empty",
            );
            return None;
        }
        Some(text.to_owned())
    };
    let (name, email) = (
        words("name", name, "fleetscale"),
        words("email", email, "fleetscale@localhost"),
    );
    Some(Author {
        name: name?,
        email: email?,
    })
}
