//! Where the values of the charts that install the components hold their numbers.
//!
//! Kamaji's own chart reads `replicaCount`, and never `replicas`. A chart that has it as a dependency passes the mapping `kamaji` on. kMetal's
//! chart says of its values that `kamaji.replicas` is the number.

use crate::model::ComponentName;

/// The keys of a chart's values, each as the way from the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartKeys {
    /// The keys of which one has the number of replicas. Of a chart that nobody has looked at it may be either.
    pub replicas: &'static [&'static [&'static str]],
    /// The list of further arguments.
    pub arguments: &'static [&'static str],
    /// What the container asks for.
    pub resources: &'static [&'static str],
    /// Whether the chart is known, so that a key that is not written is one that is missing.
    pub known: bool,
}

const KAMAJI: ChartKeys = ChartKeys {
    replicas: &[&["replicaCount"]],
    arguments: &["extraArgs"],
    resources: &["resources"],
    known: true,
};

const KMETAL: ChartKeys = ChartKeys {
    replicas: &[&["kamaji", "replicas"], &["kamaji", "replicaCount"]],
    arguments: &["kamaji", "extraArgs"],
    resources: &["kamaji", "resources"],
    known: true,
};

/// Any chart may have Kamaji's as a dependency, or map a key of its own to it.
const UMBRELLA: ChartKeys = ChartKeys { known: false, ..KMETAL };

/// The component that these charts install.
const COMPONENT: &str = "kamaji";

/// The keys of a component in the values of a chart; nothing for a component that no such chart installs.
pub fn chart_keys(component: &ComponentName, chart: Option<&str>) -> Option<ChartKeys> {
    if component.as_str() != COMPONENT || chart == Some(OPERATOR) {
        return None;
    }
    Some(match chart {
        Some("kamaji") => KAMAJI,
        Some("kmetal") => KMETAL,
        _ => UMBRELLA,
    })
}

/// The chart of the Cluster API operator.
pub const OPERATOR: &str = "cluster-api-operator";

/// The provider that a component is in the values of the operator's chart: the section and the name in it.
pub fn operator_provider(component: &ComponentName) -> Option<[&'static str; 2]> {
    let provider = match component.as_str() {
        "capi" => ["core", "cluster-api"],
        "capi-kubeadm-bootstrap" => ["bootstrap", "kubeadm"],
        "capi-kubeadm-control-plane" => ["controlPlane", "kubeadm"],
        "cacppk" => ["controlPlane", "kamaji"],
        "capm3" => ["infrastructure", "metal3"],
        "capx" => ["infrastructure", "nutanix"],
        "capk" => ["infrastructure", "kubevirt"],
        "caaph" => ["addon", "helm"],
        _ => return None,
    };
    Some(provider)
}

/// The words of which values mention at least one, if they say anything of a component: the first key on each way. Whoever takes away
/// what is below it has to name it, too. The names of charts are among them, for the charts themselves.
pub fn chart_words(component: &ComponentName) -> Vec<String> {
    if component.as_str() == COMPONENT {
        return ["replicaCount", "extraArgs", "kamaji", "kmetal"]
            .map(str::to_owned)
            .to_vec();
    }
    let provider = operator_provider(component);
    let sections = provider.map(|[section, _]| [":", "\"", "'"].map(|end| format!("{section}{end}")));
    let sections = sections.into_iter().flatten();
    sections.chain(provider.map(|_| OPERATOR.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::catalogue::managers;

    #[test]
    fn every_component_is_in_a_chart_but_the_one_that_no_provider_is() {
        for (name, _) in managers() {
            let component: ComponentName = name.parse().unwrap();
            let installed = chart_keys(&component, None).is_some() || operator_provider(&component).is_some();
            assert_eq!(installed, name != "bmo", "{name}");
            assert_eq!(installed, !chart_words(&component).is_empty(), "{name}");
        }
    }

    #[test]
    fn only_its_own_chart_has_kamajis_keys_at_the_root() {
        let kamaji = "kamaji".parse().unwrap();
        let keys = |chart| chart_keys(&kamaji, chart).map(|keys| (keys.replicas.len(), keys.arguments[0], keys.known));
        assert_eq!(keys(Some("kamaji")), Some((1, "extraArgs", true)));
        assert_eq!(keys(Some("kmetal")), Some((2, "kamaji", true)));
        assert_eq!(keys(Some("platform")), Some((2, "kamaji", false)));
        assert_eq!(keys(Some(OPERATOR)), None);
    }
}
