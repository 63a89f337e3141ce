//! The values of a component in the releases of charts.

use crate::fleet::field::Field;
use crate::fleet::index::{Index, Instance};
use crate::fleet::layers::Read;
use crate::fleet::release::{Asker, Release, Rendered, Wanted};
use crate::fleet::shapes::{OPERATOR_GROUP, Reading, integer, quantity};
use crate::model::{Claim, ComponentName, FlagName, Form, ManagementClusterName, Refusal, Resource, Site};
use crate::policy::ChartKey;
use crate::policy::catalogue::{ChartKeys, OPERATOR, Provider, chart_keys, manager_of, operator_provider, provider_of};

use super::provider;

/// A component on a management cluster.
pub(super) struct Component<'a, 't> {
    pub(super) asker: &'a Asker<'a, 't>,
    pub(super) management_cluster: &'a ManagementClusterName,
    pub(super) name: &'a ComponentName,
    /// What the policy says about the chart.
    pub(super) chart: Option<&'a ChartKey>,
}

impl Component<'_, '_> {
    /// The number of replicas in each release that says it, or whose chart is known to have it.
    pub(super) fn replicas(&self) -> Vec<Reading> {
        self.each(|release, keys, key| {
            let reading = match key {
                Some(key) => self.asker.read(release, &Wanted::number(key)),
                None => self.either(release, keys),
            };
            let rendered = self.rendered(release, reading, Field::replicas(), Some(integer));
            rendered.into_iter().collect()
        })
    }

    /// A flag in each release that says it, or whose chart is known to have it.
    pub(super) fn flag(&self, flag: &FlagName) -> Vec<Reading> {
        let mut readings = self.each(|release, keys, key| {
            let wanted = Wanted::flag(key.unwrap_or(keys.arguments), flag);
            let reading = self.asker.read(release, &wanted);
            let field = Field::of_container(self.container(), &["args"]);
            self.rendered(release, reading, field, None)
                .filter(|reading| reading.written || keys.known)
                .into_iter()
                .collect()
        });
        readings.extend(self.of_provider(flag));
        readings
    }

    /// A value that comes to be in a field of the component's Deployment.
    fn rendered<'f>(
        &'f self,
        release: &Release,
        reading: Option<Reading>,
        field: Field<'f>,
        read: Option<Read>,
    ) -> Option<Reading> {
        let beside = |name: &str| format!("{}-{name}", release.name);
        let deployment = manager_of(self.name).map_or(self.name.as_str(), |manager| manager.deployment);
        let (of_component, of_chart) = (
            beside(self.name.as_str()),
            beside(release.chart.as_deref().unwrap_or_default()),
        );
        let rendered = Rendered {
            object: ["apps", "Deployment"],
            names: &[deployment, &release.name, &of_component, &of_chart],
            field,
            read,
        };
        self.asker.rendered(release, &rendered, reading)
    }

    /// Whether all that there is of its Deployment are patches of what a chart makes: the release has been asked about them.
    pub(super) fn patches_alone(&self, index: &Index<'_>) -> bool {
        let Some(manager) = manager_of(self.name) else {
            return false;
        };
        let object = ["apps", "Deployment", manager.deployment];
        let mut found = index.all_named(self.management_cluster, object).peekable();
        let is_patch = |instance: &Instance| {
            let mut releases = self.asker.releases.on(self.management_cluster);
            releases.any(|release| release.is_patched_by(&index.objects[instance.object]))
        };
        found.peek().is_some() && found.all(|(_, instance)| is_patch(instance))
    }

    /// The container that runs it.
    fn container(&self) -> &'static str {
        manager_of(self.name).map_or("", |manager| manager.container)
    }

    /// Asks the releases whose chart may install the component.
    fn each(&self, ask: impl Fn(&Release, ChartKeys, Option<&[&str]>) -> Vec<Reading>) -> Vec<Reading> {
        let key: Option<Vec<String>> = self
            .chart
            .and_then(|chart| chart.key.as_ref())
            .map(|key| key.tokens().map(|token| token.decoded().into_owned()).collect());
        let key: Option<Vec<&str>> = key.as_ref().map(|key| key.iter().map(String::as_str).collect());
        let mut readings = Vec::new();
        for release in self.asker.releases.on(self.management_cluster) {
            let chart = release.chart.as_deref();
            if self.chart.is_some_and(|named| Some(named.name.as_str()) != chart) {
                continue;
            }
            let Some(mut keys) = chart_keys(self.name, chart) else {
                continue;
            };
            keys.known |= self.chart.is_some();
            readings.extend(ask(release, keys, key.as_deref()));
        }
        readings
    }

    /// The one key that is written; of several that are, none is certain.
    fn either(&self, release: &Release, keys: ChartKeys) -> Option<Reading> {
        let asked: Vec<Reading> = keys
            .replicas
            .iter()
            .filter_map(|key| self.asker.read(release, &Wanted::number(key)))
            .collect();
        let (mut written, missing): (Vec<Reading>, Vec<Reading>) =
            asked.into_iter().partition(|reading| reading.written);
        match written.len() {
            0 => missing.into_iter().find(|_| keys.known),
            1 => written.pop(),
            _ => {
                let places = places(&written);
                let mut first = written.swap_remove(0);
                first.value = None;
                ambiguous(&mut first, places);
                Some(first)
            }
        }
    }

    /// What its container asks for, as far as values say it.
    pub(super) fn resources(&self, claim: Claim, resource: Resource) -> Vec<Reading> {
        let [claim, resource] = [claim.as_str(), resource.as_str()];
        let mut readings = self.each(|release, keys, _| {
            let keys: Vec<&str> = keys.resources.iter().copied().chain([claim, resource]).collect();
            let reading = self.asker.read(release, &Wanted::quantity(&keys));
            let field = Field::of_container(self.container(), &["resources", claim, resource]);
            let rendered = self.rendered(release, reading, field, Some(quantity));
            rendered.into_iter().collect()
        });
        if let (Some(provider), Some(manager)) = (operator_provider(self.name), manager_of(self.name)) {
            let wanted = Wanted::quantity_of_provider(provider, manager, [claim, resource]);
            readings.extend(self.of_operator(&wanted, &["resources", claim, resource]));
        }
        readings.retain(says_something);
        readings
    }

    /// What the releases of the operator's chart say.
    fn of_operator(&self, wanted: &Wanted<'_>, keys: &[&str]) -> Vec<Reading> {
        let Some(Provider { kind, name }) = provider_of(self.name) else {
            return Vec::new();
        };
        let releases = self.asker.releases.on(self.management_cluster);
        let operators = releases.filter(|release| release.chart.as_deref() == Some(OPERATOR));
        let readings = operators.filter_map(|release| {
            let reading = self.asker.read(release, wanted);
            let rendered = Rendered {
                object: [OPERATOR_GROUP, kind],
                names: &[name],
                field: provider::of_container(self.container(), keys),
                read: None,
            };
            self.asker.rendered(release, &rendered, reading)
        });
        readings.filter(|reading| reading.written).collect()
    }

    /// A flag of a provider in the values of the operator's chart.
    fn of_provider(&self, flag: &FlagName) -> Vec<Reading> {
        let (Some(provider), Some(manager)) = (operator_provider(self.name), manager_of(self.name)) else {
            return Vec::new();
        };
        let dashed = format!("--{flag}");
        let wanted = Wanted::of_provider(provider, manager, &dashed);
        let readings = self.of_operator(&wanted, &["args", &dashed]).into_iter();
        readings
            .map(|mut reading| {
                if let Site::Writable(place) = &mut reading.site
                    && let Form::Inserted { key } = &mut place.form
                {
                    key.clone_from(&dashed);
                }
                reading
            })
            .collect()
    }
}

/// Whether a value is there, or something that can't be read as one or has no effect.
pub(super) fn says_something(reading: &Reading) -> bool {
    let is_there = match &reading.site {
        Site::Refused { refusal, .. } => !matches!(refusal, Refusal::Absent { .. }),
        Site::Writable(_) => false,
    };
    reading.value.is_some() || (reading.written && is_there)
}

/// Refuses a value that more than one place declares.
pub(super) fn ambiguous(reading: &mut Reading, places: Vec<String>) {
    let (path, line) = match &reading.site {
        Site::Writable(place) => (Some(place.path.clone()), place.line),
        Site::Refused { path, line, .. } => (path.clone(), *line),
    };
    let refusal = Refusal::Ambiguous { places };
    reading.site = Site::Refused { path, line, refusal };
}

/// Where readings are, for people.
pub(super) fn places(readings: &[Reading]) -> Vec<String> {
    let place = |reading: &Reading| match &reading.site {
        Site::Writable(place) => format!("{}:{}", place.path, place.line),
        Site::Refused { path, line, .. } => match path {
            Some(path) => format!("{path}:{line}"),
            None => "a place without a file".to_owned(),
        },
    };
    readings.iter().map(place).collect()
}
