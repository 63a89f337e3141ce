//! A `Cluster` with a topology: `/spec/topology/workers/machineDeployments/<i>/replicas`, and `machinePools`, entries keyed by `name`.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::fleet::document::{self, Document};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::model::Refusal;
use crate::yaml::{Kind, Node};

use super::metadata::{Marks, is_spec_paused};
use super::reading::integer;
use super::{CAPI_GROUP, GroupClaim, Said, Shape, Unclaimed};

pub(super) const SHAPE: Shape = Shape {
    group: CAPI_GROUP,
    kind: "Cluster",
    read,
};

const WORKERS: [&str; 3] = ["spec", "topology", "workers"];

const MACHINE_DEPLOYMENTS: &str = "machineDeployments";

const MACHINE_POOLS: &str = "machinePools";

/// The list of a topology's workers that a node group stands in.
pub(in crate::fleet) fn list_of(pool: bool) -> &'static str {
    if pool { MACHINE_POOLS } else { MACHINE_DEPLOYMENTS }
}

fn read(document: &Document<'_>) -> Said {
    let marks = Marks::of(document.path, document.root);
    let mut said = Said {
        paused: marks.paused || is_spec_paused(document.root),
        hold: marks.hold,
        refused: marks.refused,
        class: class(document),
        ..Said::default()
    };
    for name in [MACHINE_DEPLOYMENTS, MACHINE_POOLS] {
        match list(document, name) {
            Ok(entries) => read_entries(document, name, &entries, &mut said),
            Err(refused) => said.unbound.push(Unclaimed {
                line: refused.line,
                what: format!("{name} of {}", document.key),
                refusal: refused.refusal,
            }),
        }
    }
    said
}

/// The class of a topology: `classRef` in v1beta2, `class` and `classNamespace` in v1beta1.
fn class(document: &Document<'_>) -> Option<(String, Option<String>)> {
    let topology = find(document.root, &["spec", "topology"])?;
    let text = |keys: &[&str]| find(topology, keys)?.text().map(str::to_owned);
    let name = text(&["classRef", "name"]).or_else(|| text(&["class"]))?;
    Some((
        name,
        text(&["classRef", "namespace"]).or_else(|| text(&["classNamespace"])),
    ))
}

/// The entries of a list of the topology's workers; none if the cluster has no topology.
fn list<'s>(document: &Document<'s>, name: &str) -> Result<Vec<Node<'s>>, Refused> {
    let below = [WORKERS[0], WORKERS[1], WORKERS[2], name];
    if let Some(node) = find(document.root, &below) {
        return match node.kind() {
            Kind::Sequence { .. } => Ok(node.items().collect()),
            Kind::Alias => Err(Refused::at(node.position().line, Refusal::Alias)),
            _ if node.is_null() => Ok(Vec::new()),
            _ => Err(Refused::shape(node.position().line, format!("{name} is no list"))),
        };
    }
    let pointer = json_patch::jsonptr::PointerBuf::from_tokens(below);
    match document.root.lookup(&pointer).map_err(document::refused) {
        Ok(_) => Ok(Vec::new()),
        // An anchor or a tag above it brings no list.
        Err(Refused {
            refusal: Refusal::Absent { .. } | Refusal::SharedAnchor | Refusal::Tag,
            ..
        }) => Ok(Vec::new()),
        Err(refused) => Err(refused),
    }
}

fn read_entries(document: &Document<'_>, list: &str, entries: &[Node<'_>], said: &mut Said) {
    let first = said.groups.len();
    let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let number = index.to_string();
        let below = [WORKERS[0], WORKERS[1], WORKERS[2], list, &number];
        match read_entry(document, list, *entry, &below) {
            Ok((name, claim)) => {
                lines.entry(name).or_default().push(claim.line);
                said.groups.push(claim);
            }
            Err(Refused { line, refusal }) => said.unbound.push(Unclaimed {
                line,
                what: format!("entry {index} of {list} of {}", document.key),
                refusal,
            }),
        }
    }
    for claim in &mut said.groups[first..] {
        if let Some(lines) = lines.get(claim.group.as_str()).filter(|lines| lines.len() > 1) {
            let places = lines.iter().map(|line| format!("{}:{line}", document.path)).collect();
            let refused = Refused::at(claim.line, Refusal::Ambiguous { places });
            claim.replicas.refuse(document, Some(refused));
        }
    }
}

/// An entry that lies at these keys, with its name.
fn read_entry<'s>(
    document: &Document<'s>,
    list: &str,
    entry: Node<'s>,
    below: &[&str],
) -> Result<(&'s str, GroupClaim), Refused> {
    let line = entry.position().line;
    let Some(name) = find(entry, &["name"]).and_then(|name| name.text()) else {
        return Err(match entry.kind() {
            Kind::Alias => Refused::at(line, Refusal::Alias),
            _ => Refused::shape(line, "the entry has no name"),
        });
    };
    let marks = Marks::of(document.path, entry);
    let replicas: Vec<&str> = below.iter().copied().chain(["replicas"]).collect();
    let mut replicas = integer(document, &replicas);
    replicas.refuse(document, marks.refused.clone());
    let claim = GroupClaim {
        cluster: Some(document.key.name.clone()).filter(|name| !name.is_empty()),
        group: name.into(),
        pool: list == MACHINE_POOLS,
        class: find(entry, &["class"]).and_then(Node::text).map(SmolStr::from),
        line,
        replicas,
        autoscaler: marks.autoscaler,
        autoscaler_line: marks.autoscaler_line,
        sized: marks.sized,
        refused: marks.refused,
        paused: marks.paused,
        hold: marks.hold,
    };
    Ok((name, claim))
}

/// The entries that an RFC 6902 operation brings to a cluster: one of a list, or all of a list that it writes with what that is in.
///
/// `at` leads to the operation's value in its document, `path` is where in the cluster it goes.
pub(in crate::fleet) fn brought(
    document: &Document<'_>,
    at: &[&str],
    path: &[String],
) -> (Vec<GroupClaim>, Vec<Unclaimed>) {
    let (mut groups, mut unbound) = (Vec::new(), Vec::new());
    let Some(value) = find(document.root, at) else {
        return (groups, unbound);
    };
    let mut add = |list: &str, entry: Node<'_>, below: &[&str]| match read_entry(document, list, entry, below) {
        Ok((_, claim)) => groups.push(claim),
        Err(Refused { line, refusal }) => unbound.push(Unclaimed {
            line,
            what: format!("an entry of {list}"),
            refusal,
        }),
    };
    for list in [MACHINE_DEPLOYMENTS, MACHINE_POOLS] {
        let way = [WORKERS[0], WORKERS[1], WORKERS[2], list];
        let leads_there = path.iter().zip(way).all(|(token, key)| token == key);
        match way.get(path.len()..) {
            _ if !leads_there => {}
            None if path.len() == way.len() + 1 => add(list, value, at),
            None => {}
            Some(rest) => {
                let items = find(value, rest).into_iter().flat_map(Node::items);
                for (index, item) in items.enumerate() {
                    let index = index.to_string();
                    let below: Vec<&str> = at.iter().chain(rest).copied().chain([index.as_str()]).collect();
                    add(list, item, &below);
                }
            }
        }
    }
    (groups, unbound)
}

/// What an RFC 6902 operation makes of an entry without saying its name: a copy, or one of another name.
///
/// `path` is where in the cluster it goes.
pub(in crate::fleet) fn renamed(path: &[String], is_copy: bool, line: usize) -> Option<Unclaimed> {
    let (workers, rest) = path.split_at_checked(WORKERS.len())?;
    let list = [MACHINE_DEPLOYMENTS, MACHINE_POOLS]
        .into_iter()
        .find(|list| rest.first().is_some_and(|token| token == list))?;
    let what = match rest {
        [_] | [_, _] if is_copy => format!("an entry of {list}"),
        [_, _, field] if field == "name" => format!("the name of an entry of {list}"),
        _ => return None,
    };
    let message = "an operation copies or renames it, so that its number is not followed here: write the entry out";
    (workers == WORKERS).then(|| Unclaimed {
        line,
        what,
        refusal: Refusal::WrongShape {
            message: message.to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown, with_objects};
    use crate::model::AutoscalerBounds;

    fn said(workers: &str) -> Said {
        let text = format!(
            "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata:\n  name: blue\n  namespace: shard-a\nspec:\n  topology:\n    \
             workers:{workers}\n"
        );
        with_objects(&text, |objects| read(&objects[0]))
    }

    fn groups(said: &Said) -> Vec<String> {
        let groups = said.groups.iter();
        groups
            .map(|claim| format!("{}: {}", claim.group, shown(&claim.replicas)))
            .collect()
    }

    fn unbound(said: &Said) -> Vec<String> {
        let unbound = said.unbound.iter();
        unbound
            .map(|Unclaimed { line, what, refusal }| format!("line {line}: {what}: {}", refusal.id()))
            .collect()
    }

    const AT: &str = "a.yaml#0/spec/topology/workers/machineDeployments";

    #[test]
    fn entries_have_names_and_exact_indices() {
        let said = said(
            "
      machineDeployments:
      # the first
      - {class: default-worker, name: md-0, replicas: 3}
      -   name: 'md-gpu'
          class: gpu
          metadata:
            annotations:
              cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size: \"0\"
              cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: \"6\"
              fleetscale.io/hold: new cards come
      - class: default-worker

        replicas:   12 # twelve
        name: md-2
      machinePools:
      - {class: pool, name: mp-0, replicas: 2}",
        );
        assert_eq!(
            groups(&said),
            [
                format!("md-0: Integer(3) {AT}/0/replicas:11 Scalar"),
                "md-gpu: - line 12: /spec/topology/workers/machineDeployments/1/replicas absent".to_owned(),
                format!("md-2: Integer(12) {AT}/2/replicas:21 Scalar"),
                "mp-0: Integer(2) a.yaml#0/spec/topology/workers/machinePools/0/replicas:24 Scalar".to_owned(),
            ]
        );
        assert_eq!(said.groups[1].autoscaler, Some(AutoscalerBounds { min: 0, max: 6 }));
        assert_eq!(said.groups[1].hold.as_deref(), Some("new cards come"));
        assert_eq!(said.groups[0].cluster.as_deref(), Some("blue"));
        let pools: Vec<bool> = said.groups.iter().map(|claim| claim.pool).collect();
        assert_eq!((pools, unbound(&said).len()), (vec![false, false, false, true], 0));
    }

    #[test]
    fn a_cluster_without_a_topology_still_says_that_it_is_paused() {
        let text = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: a, annotations: {fleetscale.io/hold: x}}\n\
                    spec: {paused: true}\n";
        let said = with_objects(text, |objects| read(&objects[0]));
        assert_eq!(said.groups, []);
        assert_eq!((said.paused, said.hold.as_deref()), (true, Some("x")));
        for nothing in [
            "",
            " {}",
            "\n      machineDeployments:",
            "\n      machineDeployments: []",
        ] {
            let said = super::tests::said(nothing);
            assert_eq!((said.groups.len(), said.unbound.len()), (0, 0), "{nothing:?}");
        }
    }

    #[test]
    fn two_entries_of_one_name_are_refused_both() {
        let said =
            said(" {machineDeployments: [{name: a, replicas: 1}, {name: b, replicas: 1}, {name: a, replicas: 2}]}");
        assert_eq!(
            groups(&said),
            [
                "a: Integer(1) line 8: ambiguous a.yaml:8, a.yaml:8".to_owned(),
                format!("b: Integer(1) {AT}/1/replicas:8 Scalar"),
                "a: Integer(2) line 8: ambiguous a.yaml:8, a.yaml:8".to_owned(),
            ]
        );
    }

    #[test]
    fn entries_that_can_not_be_read_are_named() {
        let all = said(" &w {machineDeployments: [{name: a, replicas: 1}, {class: x}, *w, 3]}");
        assert_eq!(
            unbound(&all),
            [
                "line 8: entry 1 of machineDeployments of Cluster shard-a/blue: wrong-shape",
                "line 8: entry 2 of machineDeployments of Cluster shard-a/blue: alias",
                "line 8: entry 3 of machineDeployments of Cluster shard-a/blue: wrong-shape",
            ]
        );
        assert_eq!(groups(&all), ["a: Integer(1) line 8: shared-anchor"]);
        let list = |workers| unbound(&said(workers));
        let what = "machineDeployments of Cluster shard-a/blue";
        assert_eq!(
            list(" {machineDeployments: {a: 1}}"),
            [format!("line 8: {what}: wrong-shape")]
        );
        assert_eq!(
            list(" {x: &x [], machineDeployments: *x}"),
            [format!("line 8: {what}: alias")]
        );
        let both = |why| {
            ["machineDeployments", "machinePools"].map(|list| format!("line 8: {list} of Cluster shard-a/blue: {why}"))
        };
        assert_eq!(list(" {x: &x {}, <<: *x}"), both("merge-key"));
        assert_eq!(list(" 3"), both("wrong-shape"));
        let twice = "\n      machineDeployments: []\n      machineDeployments: []";
        assert_eq!(list(twice), [format!("line 10: {what}: duplicate-key")]);
    }
}
