//! A Prometheus as the fleet file names it, the shipped kinds of policies, and answers by hand.

use jiff::Timestamp;

use crate::model::Finite;
use crate::policy::{FleetFile, PolicySet, PrometheusRef};

use super::answer::{Reading, Vector};

pub(super) const NOW: &str = "2026-10-06T09:00:00Z";

const FLEET: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: example}
spec:
  repository: {path: fleet.git}
  regions:
    - name: eu
      prometheus: {url: 'http://127.0.0.1:9090'}
      managementClusters: [{name: eu-1, paths: [clusters/eu]}]
";

const NODES: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata: {name: workers}
spec:
  selector: {namespaces: [shard-*]}
  bounds: {min: 3, max: 12}
  scaleDown: {lookback: [1h, 24h, 7d]}
";

const CONTROLLERS: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: ControllerPolicy
metadata: {name: capi}
spec:
  component: capi
  selector: {regions: ['*']}
  flags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 150}]}]
";

pub(super) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub(super) fn source() -> PrometheusRef {
    let fleet = FleetFile::load("fleet.yaml", FLEET.as_bytes()).unwrap();
    fleet.regions[0].prometheus.clone().unwrap()
}

pub(super) fn policies() -> PolicySet {
    let fleet = FleetFile::load("fleet.yaml", FLEET.as_bytes()).unwrap();
    let files = [("nodes.yaml", NODES), ("controllers.yaml", CONTROLLERS)];
    PolicySet::load(files, Some(&fleet)).unwrap()
}

/// An answer: numbers by the labels' values with commas between them.
pub(super) fn vector(readings: &[(&str, f64)]) -> Vector {
    let readings = readings.iter().map(|(at, number)| {
        let reading = match Finite::try_from(*number) {
            Ok(number) => Reading::Number(number),
            Err(_) if number.is_nan() => Reading::Nothing,
            Err(_) => Reading::Nonsense(number.to_string()),
        };
        (at.split(',').map(str::to_owned).collect(), reading)
    });
    Vector {
        readings: readings.collect(),
        partial: None,
    }
}
