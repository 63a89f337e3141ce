//! Where in a file a number stands that can't be changed there: its document and, as far as that is certain, its pointer.
//!
//! What refuses a value keeps its file and its line and no place, since nothing may be written there. A person wants to go and look at it all
//! the same. The pointer is told only where a scalar on that line says what was read, so that nothing is made up.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{Document, Opened};
use crate::fleet::find::find as node_at;
use crate::model::{Binding, Embedded, ObjectKey, Place, Refusal, RepoPath, Site, Target};
use crate::yaml::{Kind, Node};

/// The part of a file that a number stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Which document of the file's stream, counted from 0.
    pub document: usize,
    /// What that document says it is.
    pub object: ObjectKey,
    /// The value within the document (RFC 6901); nothing where that is not certain.
    pub pointer: Option<PointerBuf>,
    /// Where in the text at that pointer, if a scalar there holds YAML itself.
    pub embedded: Option<Box<Embedded>>,
}

impl Spot {
    /// Finds the spot of a target's value; nothing where no file declares it, or the file can't be read.
    pub(super) fn of(opened: &Opened<'_>, target: &Target, binding: &Binding) -> Option<Self> {
        match &binding.site {
            Site::Writable(Place {
                path: _,
                document,
                object,
                pointer,
                embedded,
                line: _,
                form: _,
            }) => Some(Self {
                document: *document,
                object: object.clone(),
                pointer: Some(pointer.clone()),
                embedded: embedded.clone(),
            }),
            Site::Refused { path, line, refusal } => {
                let sought = Sought {
                    target,
                    value: binding.value.as_ref().map(ToString::to_string),
                    refusal,
                    line: *line,
                };
                sought.find(opened, path.as_ref()?)
            }
        }
    }
}

/// What is known of a number that can't be changed.
struct Sought<'a> {
    target: &'a Target,
    value: Option<String>,
    refusal: &'a Refusal,
    line: usize,
}

impl Sought<'_> {
    fn find(&self, opened: &Opened<'_>, path: &RepoPath) -> Option<Spot> {
        let manifest = opened.manifest(path).ok()?;
        let objects = manifest.documents().objects;
        let on_line = || objects.iter().filter(|document| self.reaches(document.root));
        let is_meant = |document: &&Document<'_>| self.names(&document.key);
        let document = on_line().find(is_meant).or_else(|| on_line().next());
        let document = document.or_else(|| objects.iter().find(is_meant)).or(objects.first())?;
        let mut spot = Spot {
            document: document.index,
            object: document.key.clone(),
            pointer: None,
            embedded: None,
        };
        if let Some(below) = self.missing(document) {
            spot.pointer = Some(document.prefix.concat(&below));
        } else if let Some(below) = self.certain(document.root) {
            spot.pointer = Some(document.prefix.concat(&below));
        } else if let Some((below, embedded)) = self.within(document) {
            spot.pointer = Some(document.prefix.concat(&below));
            spot.embedded = Some(Box::new(embedded));
        }
        Some(spot)
    }

    /// Whether an object is likely to be the one that declares the target.
    fn names(&self, key: &ObjectKey) -> bool {
        match self.target {
            Target::NodeGroup(group) | Target::NodeGroupBound { group, .. } => {
                key.name == group.group.as_str() || (key.kind == "Cluster" && key.name == group.cluster.as_str())
            }
            Target::ControlPlane { cluster, .. } => key.name == cluster.as_str(),
            _ => key.kind == "Deployment",
        }
    }

    /// Whether the line is one of a node's.
    fn reaches(&self, node: Node<'_>) -> bool {
        let last = node.span().end.saturating_sub(1).max(node.span().start);
        (node.position().line..=node.stream().position(last).line).contains(&self.line)
    }

    /// Where the key would be that is not there.
    fn missing(&self, document: &Document<'_>) -> Option<PointerBuf> {
        let Refusal::Absent { pointer } = self.refusal else {
            return None;
        };
        let pointer = PointerBuf::parse(pointer.as_str()).ok()?;
        let tokens: Vec<String> = pointer.tokens().map(|token| token.decoded().into_owned()).collect();
        let (_, above) = tokens.split_last()?;
        let above: Vec<&str> = above.iter().map(String::as_str).collect();
        node_at(document.root, &above).map(|_| pointer)
    }

    /// The one scalar of the line that says what was read.
    fn certain(&self, root: Node<'_>) -> Option<PointerBuf> {
        let leaves = self.leaves(root).into_iter();
        let mut confirmed = leaves.filter(|(below, node)| self.is_field(below) && self.says(*node));
        match (confirmed.next(), confirmed.next()) {
            (Some((below, _)), None) => Some(PointerBuf::from_tokens(below)),
            _ => None,
        }
    }

    /// The same in a text that a scalar on the line holds.
    fn within(&self, document: &Document<'_>) -> Option<(PointerBuf, Embedded)> {
        self.leaves(document.root).into_iter().find_map(|(below, _)| {
            let below = PointerBuf::from_tokens(below);
            let found = document.within(&below, |texts| {
                let mut found = texts.objects.iter().filter_map(|inner| {
                    let pointer = self.certain(inner.root)?;
                    Some(Embedded {
                        document: inner.index,
                        object: inner.key.clone(),
                        pointer: inner.prefix.concat(&pointer),
                    })
                });
                found.next().filter(|_| found.next().is_none())
            });
            found.ok().flatten().map(|embedded| (below, embedded))
        })
    }

    /// The scalars and aliases that the line is one of.
    fn leaves<'s>(&self, root: Node<'s>) -> Vec<(Vec<String>, Node<'s>)> {
        let mut leaves = Vec::new();
        let mut open = vec![(Vec::new(), root)];
        while let Some((below, node)) = open.pop() {
            if !self.reaches(node) {
                continue;
            }
            let longer = |token: String| below.iter().cloned().chain([token]).collect::<Vec<String>>();
            if node.is_mapping() {
                let entries = node.entries();
                open.extend(entries.filter_map(|entry| Some((longer(entry.key_text()?.to_owned()), entry.value))));
            } else if node.is_sequence() {
                let items = node.items().enumerate();
                open.extend(items.map(|(index, item)| (longer(index.to_string()), item)));
            } else {
                leaves.push((below, node));
            }
        }
        leaves
    }

    /// Whether a key can be that of the target's value.
    fn is_field(&self, below: &[String]) -> bool {
        let Some(last) = below.last() else { return false };
        let is_annotation = below.iter().any(|key| key == "annotations");
        let is_name = last == "name" || last == "namespace";
        match self.target {
            Target::NodeGroupBound { .. } => is_annotation,
            Target::Resources { resource, .. } => last == resource.as_str(),
            Target::NodeGroup(_) | Target::ControlPlane { .. } | Target::Platform { .. } => !is_annotation && !is_name,
            Target::Controller { .. } | Target::Placement { .. } => !is_name,
        }
    }

    /// Whether a scalar is what was read: the value, alone or behind its flag, or the text that is none.
    fn says(&self, node: Node<'_>) -> bool {
        let text = node.text().unwrap_or_default();
        match (&self.value, self.refusal) {
            (Some(value), _) => {
                text == value
                    || text
                        .strip_suffix(value.as_str())
                        .is_some_and(|flag| flag.ends_with('='))
            }
            (None, Refusal::NotAnInteger { text: said }) => node.source().starts_with(said) || text.starts_with(said),
            (None, Refusal::Variable { text: said }) => text.starts_with(said),
            (None, Refusal::Alias) => node.kind() == Kind::Alias,
            (None, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fleet::scan::scan;
    use crate::fleet::testing::{fleet, tree};
    use crate::model::Site;
    use crate::policy::PolicySet;

    const FILE: &str = "clusters/eu-1/a.yaml";

    /// Shape, document and pointers of everything that can't be changed.
    fn spots(files: &[(&str, &str)]) -> Vec<String> {
        let fleet = fleet(&[("eu-1", &["clusters/eu-1"])]);
        let policies = PolicySet::load([("policies.yaml", "")], Some(&fleet)).unwrap();
        let (numbers, _) = scan(&fleet, &policies, &tree(files));
        let refused = numbers
            .into_iter()
            .filter(|number| matches!(number.binding.site, Site::Refused { .. }));
        let shown = refused.map(|number| {
            let Some(spot) = number.spot else {
                return number.shape.as_str().to_owned();
            };
            let pointer = spot.pointer.map_or("-".to_owned(), |pointer| pointer.to_string());
            let inner = spot
                .embedded
                .map_or(String::new(), |inner| format!(" | {}", inner.pointer));
            format!("{} {}#{pointer}{inner}", number.shape.as_str(), spot.document)
        });
        shown.collect()
    }

    fn machines(name: &str, spec: &str) -> String {
        format!(
            "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata: {{name: {name}, namespace: a}}\nspec: {spec}\n"
        )
    }

    #[test]
    fn what_a_line_says_for_certain_has_a_pointer() {
        for (spec, want) in [
            ("{clusterName: blue, replicas: '3'}", "0#/spec/replicas"),
            ("\n  clusterName: blue\n  replicas: ${n}", "0#/spec/replicas"),
            ("\n  clusterName: blue\n  replicas: &n 3\n  x: *n", "0#/spec/replicas"),
            ("\n  clusterName: blue\n  x: &n 3\n  replicas: *n", "0#/spec/replicas"),
            // Which of two is meant is not known; a key that is absent is where it would be.
            ("{clusterName: blue, replicas: &n 3, x: *n, y: 3}", "0#-"),
            ("\n  clusterName: blue", "0#/spec/replicas"),
            ("\n  clusterName: blue\n  replicas:", "0#-"),
        ] {
            let text = machines("md", spec);
            assert_eq!(
                spots(&[(FILE, &text)]),
                [format!("machine-deployment {want}")],
                "{spec}"
            );
        }
        let two = format!(
            "{}---\n{}",
            machines("a", "{replicas: 03}"),
            machines("b", "{replicas: 04}")
        );
        let want = [
            "machine-deployment 0#/spec/replicas",
            "machine-deployment 1#/spec/replicas",
        ];
        let two = two.replace("{replicas", "{clusterName: blue, replicas");
        assert_eq!(spots(&[(FILE, &two)]), want);
        let listed = format!(
            "{{apiVersion: v1, kind: List, items: [{{apiVersion: cluster.x-k8s.io/v1beta2, kind: MachinePool, metadata: {{name: {}, namespace: a}}, \
             spec: {{clusterName: blue, replicas: 0x3}}}}]}}\n",
            "mp"
        );
        assert_eq!(spots(&[(FILE, &listed)]), ["machine-pool 0#/items/0/spec/replicas"]);
    }

    #[test]
    fn a_file_that_is_refused_as_a_whole_still_names_the_object() {
        let generated = format!(
            "# generated, do not edit\n{}",
            machines("md", "{clusterName: blue, replicas: 3}")
        );
        assert_eq!(spots(&[(FILE, &generated)]), ["machine-deployment 0#-"]);
        let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\n";
        let template = format!(
            "{other}{}# {{{{ x }}}}\n",
            machines("md", "{clusterName: blue, replicas: 3}")
        );
        assert_eq!(spots(&[(FILE, &template)]), ["machine-deployment 1#-"]);
    }

    #[test]
    fn a_text_in_a_kustomization_is_looked_into() {
        let manifest = machines("md", "{clusterName: blue, replicas: 1}");
        for (patch, want) in [
            (
                "|-\n    - {op: replace, path: /spec/replicas, value: '${n}'}",
                "json-patch 0#/patches/0/patch | /0/value",
            ),
            (
                "|-\n    apiVersion: cluster.x-k8s.io/v1beta2\n    kind: MachineDeployment\n    metadata: {name: md}\n    spec:\n      replicas: ${n}",
                "kustomize-patch 0#/patches/0/patch | /spec/replicas",
            ),
        ] {
            let text =
                format!("resources: [md.yaml]\npatches:\n- target: {{kind: MachineDeployment}}\n  patch: {patch}\n");
            let files = [
                ("clusters/eu-1/kustomization.yaml", text.as_str()),
                ("clusters/eu-1/md.yaml", &manifest),
            ];
            assert_eq!(spots(&files), [want], "{patch}");
        }
    }
}
