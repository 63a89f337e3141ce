//! A `MachineDeployment` or `MachinePool` that stands on its own: `/spec/replicas`, in v1beta1 and v1beta2 alike.

use smol_str::SmolStr;

use crate::fleet::document::Document;
use crate::fleet::find::find;
use crate::model::{Owner, Refusal};

use super::metadata::{Marks, is_generated, is_spec_paused};
use super::reading::integer;
use super::{CAPI_GROUP, GroupClaim, Said, Shape, Unclaimed};

pub(super) const DEPLOYMENT: Shape = Shape {
    group: CAPI_GROUP,
    kind: "MachineDeployment",
    read,
};

pub(super) const POOL: Shape = Shape {
    group: CAPI_GROUP,
    kind: "MachinePool",
    read,
};

fn read(document: &Document<'_>) -> Said {
    let mut said = Said::default();
    let line = document.line();
    if is_generated(document.root) {
        let by = "the topology of a Cluster generates it and overwrites every change".to_owned();
        said.unbound.push(Unclaimed {
            line,
            what: document.key.to_string(),
            refusal: Refusal::Owned {
                owner: Owner::Topology,
                by,
            },
        });
        return said;
    }
    let Marks {
        paused,
        hold,
        autoscaler,
        autoscaler_line,
        sized,
        refused,
    } = Marks::of(document.path, document.root);
    let mut replicas = integer(document, &["spec", "replicas"]);
    replicas.refuse(document, refused.clone());
    // A push would make room for four.
    said.groups.reserve_exact(1);
    said.groups.push(GroupClaim {
        cluster: find(document.root, &["spec", "clusterName"])
            .and_then(|name| name.text())
            .map(SmolStr::from),
        group: document.key.name.clone(),
        pool: document.key.kind == POOL.kind,
        class: None,
        line,
        replicas,
        autoscaler,
        autoscaler_line,
        sized,
        refused,
        paused: paused || is_spec_paused(document.root),
        hold,
    });
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown, with_objects};
    use crate::model::AutoscalerBounds;

    fn said(text: &str) -> Vec<Said> {
        with_objects(text, |objects| objects.iter().map(read).collect())
    }

    const V1BETA1: &str = "\
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: blue-md-0, namespace: shard-a}
spec:
  clusterName: blue
  replicas: 3   # three of them
  strategy: {rollingUpdate: {maxSurge: 1}}
  template: {spec: {clusterName: blue}}
";

    const V1BETA2: &str = "apiVersion: cluster.x-k8s.io/v1beta2\r\nkind: MachineDeployment\r\nmetadata:\r\n  name: \"blue-md-1\"\r\n  \
        annotations:\r\n    cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: \"6\"\r\n    fleetscale.io/hold: later\r\nspec:\r\n  \
        paused: true\r\n  \"replicas\": 4\r\n  clusterName: 'blue'\r\n";

    #[test]
    fn both_versions_say_their_replicas_at_the_same_path() {
        let [first, second] = &said(&format!("{V1BETA1}---\n{V1BETA2}"))[..] else {
            panic!("two objects");
        };
        assert_eq!(
            shown(&first.groups[0].replicas),
            "Integer(3) a.yaml#0/spec/replicas:6 Scalar"
        );
        assert_eq!(
            shown(&second.groups[0].replicas),
            "Integer(4) a.yaml#1/spec/replicas:19 Scalar"
        );
        let GroupClaim {
            cluster,
            group,
            pool,
            class: _,
            line,
            replicas: _,
            autoscaler,
            autoscaler_line,
            sized: _,
            refused,
            paused,
            hold,
        } = &second.groups[0];
        assert_eq!(
            (cluster.as_deref(), group.as_str(), *line),
            (Some("blue"), "blue-md-1", 10)
        );
        assert_eq!(
            (*autoscaler, *autoscaler_line),
            (Some(AutoscalerBounds { min: 0, max: 6 }), 15)
        );
        assert_eq!((*pool, refused), (false, &None));
        assert_eq!((*paused, hold.as_deref()), (true, Some("later")));
        assert_eq!(
            (
                first.groups[0].paused,
                &first.groups[0].hold,
                first.groups[0].autoscaler
            ),
            (false, &None, None)
        );
    }

    #[test]
    fn a_machine_pool_is_a_node_group_like_the_others() {
        let text = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachinePool\nmetadata: {name: a}\nspec:\n  clusterName: b\n  replicas: 3\n";
        let said = &said(text)[0];
        let claim = &said.groups[0];
        assert_eq!(
            (claim.pool, shown(&claim.replicas).as_str()),
            (true, "Integer(3) a.yaml#0/spec/replicas:6 Scalar")
        );
    }

    #[test]
    fn json_is_read_like_yaml() {
        let text = "{\n  \"apiVersion\": \"cluster.x-k8s.io/v1beta1\",\n  \"kind\": \"MachineDeployment\",\n  \"metadata\": {\"name\": \"a\"},\n  \
            \"spec\": {\"clusterName\": \"b\", \"replicas\": 2}\n}\n";
        assert_eq!(
            shown(&said(text)[0].groups[0].replicas),
            "Integer(2) a.yaml#0/spec/replicas:5 Scalar"
        );
    }

    #[test]
    fn an_item_of_a_list_has_the_lists_pointer_before_its_own() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: cluster.x-k8s.io/v1beta1\n  kind: MachineDeployment\n  \
            metadata: {name: a}\n  spec: {clusterName: b, replicas: 2}\n";
        assert_eq!(
            shown(&said(text)[0].groups[0].replicas),
            "Integer(2) a.yaml#0/items/0/spec/replicas:7 Scalar"
        );
    }

    #[test]
    fn what_a_topology_generates_is_not_bound() {
        let text = V1BETA1.replace(
            "name: blue-md-0,",
            "name: blue-md-0, labels: {topology.cluster.x-k8s.io/owned: ''},",
        );
        let said = said(&text);
        assert_eq!(said[0].groups, []);
        assert_eq!(said[0].unbound[0].what, "MachineDeployment shard-a/blue-md-0");
    }

    #[test]
    fn an_owner_named_by_annotation_refuses() {
        let text = V1BETA1.replace(
            "name: blue-md-0,",
            "name: blue-md-0, annotations: {cluster.x-k8s.io/replicas-managed-by: keda},",
        );
        assert_eq!(
            shown(&said(&text)[0].groups[0].replicas),
            "Integer(3) line 6: the external scaler that cluster.x-k8s.io/replicas-managed-by names (a.yaml:3)"
        );
    }
}
