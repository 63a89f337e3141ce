//! Which flags a component has in which version, and with which default.
//!
//! All these controllers exit on a flag that they don't know, so a flag is written only where this catalogue says that the running version
//! has it. A version that nobody has looked at is unknown, never assumed to be like its neighbours: Cluster API changed most of its
//! defaults in one minor (v1.13), and removed a flag in the same one.

mod charts;
mod managers;
mod table;

use std::fmt;

use crate::model::{ComponentName, FlagName};

pub use charts::{ChartKeys, OPERATOR, chart_keys, chart_words, operator_provider};
pub use managers::{Manager, Provider, manager_of, managers, provider_of};

/// What a version's default of a flag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagDefault {
    /// A whole number.
    Is {
        /// The number.
        value: u32,
        /// Where that is written.
        source: &'static str,
    },
    /// It depends on the machine or the environment, so no number is known to be above it.
    Computed {
        /// How.
        how: &'static str,
    },
    /// It is no whole number, but a duration.
    Duration {
        /// The default.
        value: &'static str,
    },
    /// The version does not have the flag: writing it would stop the controller.
    UnknownFlag,
    /// Nobody has looked at this version, or it can't be read.
    UnknownVersion,
    /// Nobody has looked at this component.
    UnknownComponent,
}

/// A release as far as the catalogue distinguishes them: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minor(pub u32, pub u32);

impl Minor {
    /// The minor release of an image tag: `v1.12.4`, `1.12.4`, `v1.13.0-rc.0`. Nothing for `latest`, `main` or a digest.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let mut parts = tag.strip_prefix('v').unwrap_or(tag).split(['.', '-', '+']);
        let mut number = || {
            let part = parts.next()?;
            // `parse` takes a plus sign, too.
            part.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| part.parse().ok())
                .flatten()
        };
        let minor = Self(number()?, number()?);
        // A third number keeps `2024-11` and other dates from passing for releases.
        let _patch: u32 = number()?;
        Some(minor)
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.0, self.1)
    }
}

/// A component: its versions that were looked at, and its flags.
struct Component {
    name: &'static str,
    /// The first and the last minor that were looked at.
    first: Minor,
    last: Minor,
    flags: &'static [Flag],
}

struct Flag {
    name: &'static str,
    /// The defaults, each from a minor on, in ascending order. Below the first the flag does not exist.
    defaults: &'static [(Minor, Default)],
    /// The first minor that lacks the flag again.
    removed: Option<Minor>,
}

#[derive(Clone, Copy)]
enum Default {
    Whole(u32, &'static str),
    Computed(&'static str),
    Duration(&'static str),
}

/// The default of a component's flag in a version, the version being an image tag.
pub fn default_of(component: &ComponentName, flag: &FlagName, version: &str) -> FlagDefault {
    let Some(component) = table::COMPONENTS.iter().find(|known| known.name == component.as_str()) else {
        return FlagDefault::UnknownComponent;
    };
    let Some(minor) = Minor::of_tag(version).filter(|minor| (component.first..=component.last).contains(minor)) else {
        return FlagDefault::UnknownVersion;
    };
    component
        .flags
        .iter()
        .find(|known| known.name == flag.as_str())
        .filter(|known| known.removed.is_none_or(|removed| minor < removed))
        .and_then(|known| known.defaults.iter().rev().find(|(since, _)| *since <= minor))
        .map_or(FlagDefault::UnknownFlag, |(_, default)| default.public())
}

impl Default {
    fn public(self) -> FlagDefault {
        match self {
            Self::Whole(value, source) => FlagDefault::Is { value, source },
            Self::Computed(how) => FlagDefault::Computed { how },
            Self::Duration(value) => FlagDefault::Duration { value },
        }
    }
}

/// The components, in the catalogue's order.
pub fn components() -> impl Iterator<Item = &'static str> {
    table::COMPONENTS.iter().map(|component| component.name)
}

/// The flags that some version of a component knows; none for an unknown component.
pub fn flags_of(component: &str) -> impl Iterator<Item = &'static str> {
    let flags = table::COMPONENTS
        .iter()
        .find(|known| known.name == component)
        .map_or(&[][..], |known| known.flags);
    flags.iter().map(|flag| flag.name)
}

/// Every default that a flag has had, the oldest first.
pub fn defaults_of(component: &str, flag: &str) -> impl Iterator<Item = (Minor, FlagDefault)> {
    let known = table::COMPONENTS.iter().find(|known| known.name == component);
    let flag = known.and_then(|known| known.flags.iter().find(|known| known.name == flag));
    flag.map_or(&[][..], |flag| flag.defaults)
        .iter()
        .map(|(since, default)| (*since, default.public()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default(component: &str, flag: &str, version: &str) -> FlagDefault {
        default_of(&component.parse().unwrap(), &flag.parse().unwrap(), version)
    }

    fn number(component: &str, flag: &str, version: &str) -> Option<u32> {
        match default(component, flag, version) {
            FlagDefault::Is { value, .. } => Some(value),
            _ => None,
        }
    }

    #[test]
    fn cluster_api_raised_its_defaults_in_one_minor() {
        for (version, qps, burst, machines, clusters) in [
            ("v1.5.0", 20, 30, 10, 10),
            ("v1.12.4-vendor.1", 20, 30, 10, 10),
            ("v1.12.11", 20, 30, 10, 10),
            ("v1.13.0", 100, 200, 100, 50),
            ("1.14.0", 100, 200, 100, 50),
        ] {
            assert_eq!(number("capi", "kube-api-qps", version), Some(qps), "{version}");
            assert_eq!(number("capi", "kube-api-burst", version), Some(burst), "{version}");
            assert_eq!(
                number("capi", "machine-concurrency", version),
                Some(machines),
                "{version}"
            );
            assert_eq!(
                number("capi", "cluster-concurrency", version),
                Some(clusters),
                "{version}"
            );
        }
    }

    #[test]
    fn a_flag_that_a_version_does_not_have_is_unknown() {
        for (component, flag, version) in [
            ("capi", "kube-api-qps", "v1.4.9"),
            ("capi", "clustercachetracker-concurrency", "v1.9.0"),
            ("capi", "clustercache-concurrency", "v1.8.0"),
            ("capi", "kubeadmcontrolplane-concurrency", "v1.12.0"),
            ("capi-kubeadm-bootstrap", "cluster-concurrency", "v1.13.0"),
            ("kamaji", "kube-api-qps", "v1.0.0"),
            ("capx", "kube-api-qps", "v1.10.3"),
        ] {
            assert_eq!(
                default(component, flag, version),
                FlagDefault::UnknownFlag,
                "{component} {flag} {version}"
            );
        }
    }

    #[test]
    fn a_version_that_nobody_looked_at_has_no_default() {
        for version in [
            "latest",
            "main",
            "",
            "v1",
            "v1.13",
            "2024-11-01",
            "v1.99.0",
            "v0.4.0",
            "v1.3.9",
            "sha256:abc",
            "v+1.13.0",
            "v2.0.0",
        ] {
            assert_eq!(
                default("capi", "kube-api-qps", version),
                FlagDefault::UnknownVersion,
                "{version}"
            );
        }
        assert_eq!(
            default("cilium", "kube-api-qps", "v1.13.0"),
            FlagDefault::UnknownComponent
        );
    }

    #[test]
    fn the_table_is_in_order() {
        for component in table::COMPONENTS {
            assert!(component.first <= component.last, "{}", component.name);
            component.name.parse::<ComponentName>().unwrap();
            for flag in component.flags {
                flag.name.parse::<FlagName>().unwrap();
                assert!(flag.defaults.is_sorted_by(|(a, _), (b, _)| a < b), "{}", flag.name);
                assert!(!flag.defaults.is_empty(), "{}", flag.name);
                assert_eq!(
                    component.flags.iter().filter(|other| other.name == flag.name).count(),
                    1,
                    "{}",
                    flag.name
                );
            }
        }
    }
}
