//! The rules for the fleet file.

use std::collections::BTreeMap;

use super::check::Check;
use super::common::{self, RawWindow};
use crate::model::{Direction, ManagementClusterName, RegionName, RepoPath};
use crate::policy::fleet_file::{
    Author, Budget, FleetFile, Forge, Freeze, Limits, ManagementCluster, Region, Repository,
};
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
        author,
    } = spec;
    let repository = repository.and_then(|raw| self::repository(check, &raw));
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
    let author = self::author(check, author.as_ref());
    Some(FleetFile {
        name: meta.name.to_string(),
        repository: repository?,
        branch: branch?,
        policies: policies?,
        forge: forge?,
        snapshot: snapshot.flatten(),
        regions: regions?,
        limits: limits?,
        freezes: freezes?,
        author: author?,
        warnings: Vec::new(),
    })
}

fn repository(check: &mut Check<'_>, raw: &v1alpha1::Repository) -> Option<Repository> {
    let at = "/spec/repository";
    let v1alpha1::Repository { import, path, url } = raw;
    let broken = check.is_broken_below(at);
    match (import, path, url) {
        (Some(folder), None, None) => file(check, &format!("{at}/import"), &folder.0).map(Repository::Import),
        (None, Some(folder), None) => file(check, &format!("{at}/path"), &folder.0).map(Repository::Path),
        (None, None, Some(address)) => self::url(check, &format!("{at}/url"), address).map(Repository::Url),
        (None, None, None) if broken => None,
        (None, None, None) => {
            check.error(at, "names no repository", "give one of `import`, `path` and `url`");
            None
        }
        _ => {
            check.error(
                at,
                "names more than one repository",
                "keep one of `import`, `path` and `url`",
            );
            None
        }
    }
}

/// An address without secrets: the fleet file is read by many.
fn url(check: &mut Check<'_>, at: &str, address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split('/').next().unwrap_or_default();
    if !matches!(scheme, "https" | "http" | "ssh") || authority.is_empty() {
        // The address itself is not repeated: it may hold a secret.
        check.error(
            at,
            "is not an address that can be used",
            "write `https://git.example.org/platform/fleet.git`",
        );
        return None;
    }
    if let Some((user, _)) = authority.rsplit_once('@')
        && (user.contains(':') || scheme != "ssh")
    {
        check.error(
            at,
            "contains a user or a password",
            "remove it from the file, and change the password if it was one",
        );
        return None;
    }
    Some(address.to_owned())
}

fn file(check: &mut Check<'_>, at: &str, text: &str) -> Option<String> {
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
    let Some(v1alpha1::Forge { local }) = check.or(at, raw.map(Some), None)? else {
        return Some(Forge::Local { path: None });
    };
    let Some(v1alpha1::LocalForge { path }) = local else {
        if !check.is_broken_below(at) {
            check.error(at, "names no forge", "write `local: {}`");
        }
        return None;
    };
    match path {
        Some(text) => file(check, "/spec/forge/local/path", &text.0).map(|path| Forge::Local { path: Some(path) }),
        None => Some(Forge::Local { path: None }),
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
            management_clusters,
        },
    ) in raw.iter().enumerate()
    {
        let at = format!("/spec/regions/{index}");
        let name = unique(check, &format!("{at}/name"), name.as_ref(), &mut region_names);
        let mut clusters = Vec::new();
        for (index, v1alpha1::ManagementCluster { name, paths }) in management_clusters.iter().flatten().enumerate() {
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
            clusters.push(name.zip(paths).map(|(name, paths)| ManagementCluster { name, paths }));
        }
        let clusters = clusters.into_iter().collect::<Option<Vec<_>>>().map(|mut clusters| {
            clusters.sort_by(|a, b| a.name.cmp(&b.name));
            clusters
        });
        regions.push(name.zip(clusters).map(|(name, management_clusters)| Region {
            name,
            management_clusters,
        }));
    }
    let mut regions: Vec<Region> = regions.into_iter().collect::<Option<_>>()?;
    regions.sort_by(|a, b| a.name.cmp(&b.name));
    Some(regions)
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
