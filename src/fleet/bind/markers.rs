//! What markers say of numbers, held against what is bound already.
//!
//! A marker gives a place to what has none, and is an assertion about everything else: a number that is marked in one place and takes effect
//! in another is refused, since one of the two is a mistake that only a person can find. It never moves a binding.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::jsonptr::PointerBuf;

use smol_str::SmolStr;

use crate::fleet::document::{Document, Opened};
use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::markers::{self, Marker};
use crate::fleet::shapes::{self, Reading, Said, arguments, values};
use crate::fleet::tree::FleetTree;
use crate::model::{
    Binding, Declared, ManagementClusterName, NodeGroupKey, Refusal, RegionName, RepoPath, Site, Target, Unbound,
};
use crate::policy::{Candidate, FleetFile, PolicySet, Selector};

use super::placed;

/// Binds what markers name, and refuses what they contradict.
pub(super) fn bind(
    fleet: &FleetFile,
    policies: &PolicySet,
    tree: &FleetTree,
    index: &Index<'_>,
    declared: &mut Declared,
) {
    let (markers, unbound) = markers::read(tree);
    declared.unbound.extend(unbound);
    if markers.is_empty() {
        return;
    }
    let opened = &index.opened;
    let binder = Binder {
        fleet,
        policies,
        opened,
    };
    let groups = Groups::of(declared, index);
    let mut claims: BTreeMap<Target, Vec<Marker>> = BTreeMap::new();
    let mut unbound = Vec::new();
    for marker in markers {
        match binder.targets(&marker, &groups) {
            Ok(targets) => targets
                .into_iter()
                .for_each(|target| claims.entry(target).or_default().push(marker.clone())),
            Err(message) => unbound.push(unbound_marker(&marker, message)),
        }
    }
    declared.unbound.extend(unbound);
    for (target, markers) in claims {
        match &markers[..] {
            [marker] => binder.claim(target, marker, declared),
            several => {
                let places: Vec<String> = several.iter().map(place_of).collect();
                match declared.bindings.get_mut(&target) {
                    Some(binding) => binding.site.refuse(None, || Refusal::Ambiguous { places }),
                    None => {
                        let message = format!("{target} is marked in several places: {}", places.join(", "));
                        let unbound = several.iter().map(|marker| unbound_marker(marker, message.clone()));
                        declared.unbound.extend(unbound);
                    }
                }
            }
        }
    }
}

/// The bound node groups, for looking them up.
#[derive(Default)]
struct Groups<'d> {
    by_path: BTreeMap<&'d RepoPath, Vec<(&'d NodeGroupKey, &'d Site)>>,
    by_name: BTreeMap<&'d str, Vec<&'d NodeGroupKey>>,
    /// By file and document: what comes of it.
    comes_of: BTreeMap<(&'d RepoPath, usize), BTreeSet<&'d Identity>>,
}

impl<'d> Groups<'d> {
    fn of(declared: &'d Declared, index: &'d Index<'_>) -> Self {
        let mut groups = Self::default();
        for (target, Binding { site, .. }) in &declared.bindings {
            let Target::NodeGroup(key) = target else { continue };
            groups.by_name.entry(key.group.as_str()).or_default().push(key);
            let path = match site {
                Site::Writable(place) => Some(&place.path),
                Site::Refused { path, .. } => path.as_ref(),
            };
            if let Some(path) = path {
                groups.by_path.entry(path).or_default().push((key, site));
            }
        }
        for (identity, instances) in &index.instances {
            for number in instances.iter().flat_map(Instance::sources) {
                let Object { path, at, .. } = &index.objects[number];
                groups.comes_of.entry((path, at.document)).or_default().insert(identity);
            }
        }
        groups
    }

    /// The node groups of a name that come of a document.
    fn of_document(&self, marker: &Marker, group: &str) -> Vec<&'d NodeGroupKey> {
        let identities = self.comes_of.get(&(&marker.path, marker.document));
        let keys = identities.into_iter().flatten().flat_map(|identity| {
            // A patch with a target may bear any name; that of the object counts.
            let of_cluster = identity.kind == "Cluster";
            let name = if of_cluster { group } else { identity.name.as_str() };
            let named = self.by_name.get(name).into_iter().flatten().copied();
            named.filter(move |key| {
                key.management_cluster == identity.management_cluster
                    && identity.namespace.as_deref() == Some(key.namespace.as_str())
                    && (!of_cluster || key.cluster.as_str() == identity.name)
            })
        });
        keys.collect()
    }
}

struct Binder<'a, 't> {
    fleet: &'a FleetFile,
    policies: &'a PolicySet,
    opened: &'a Opened<'t>,
}

fn place_of(marker: &Marker) -> String {
    format!("{}:{}", marker.path, marker.line)
}

fn unbound_marker(marker: &Marker, message: String) -> Unbound {
    Unbound {
        path: marker.path.clone(),
        line: marker.line,
        what: format!("marker {}", marker.text),
        refusal: Refusal::WrongShape { message },
    }
}

/// Whether a site is the value that a marker stands behind.
fn is_at(site: &Site, marker: &Marker) -> bool {
    match site {
        Site::Writable(place) => {
            place.path == marker.path
                && place.document == marker.document
                && place.pointer == marker.pointer
                && place.embedded.is_none()
        }
        Site::Refused { path, line, .. } => path.as_ref() == Some(&marker.path) && *line == marker.line,
    }
}

impl Binder<'_, '_> {
    /// What a marker is about, or why it is about nothing.
    fn targets(&self, marker: &Marker, groups: &Groups<'_>) -> Result<Vec<Target>, String> {
        let text = marker.text.as_str();
        if text.contains('/') {
            let target: Target = text
                .parse()
                .map_err(|error: crate::model::InvalidTarget| error.to_string())?;
            let Some(management_cluster) = target.management_cluster() else {
                return Err("the place of a new cluster is no number".to_owned());
            };
            let (_, owner) = self.owner(marker)?;
            if owner != management_cluster {
                return Err(format!("the file belongs to {owner}, not to {management_cluster}"));
            }
            return Ok(vec![target]);
        }
        if let Some((policy, flag)) = text.split_once(':') {
            return self.flag(marker, policy, flag);
        }
        let of_groups = self
            .policies
            .node_groups
            .iter()
            .find(|known| known.meta.name.as_str() == text);
        let platform = self
            .policies
            .platforms
            .iter()
            .find(|known| known.meta.name.as_str() == text);
        match (of_groups, platform) {
            (Some(_), Some(_)) => Err(format!(
                "{text} is a NodeGroupPolicy and a PlatformPolicy; write the whole target"
            )),
            (Some(policy), None) => self.node_groups(marker, &policy.selector, groups),
            (None, Some(policy)) => {
                let management_cluster = self.selected(marker, &policy.selector)?;
                let component = policy.component.clone();
                Ok(vec![Target::Platform {
                    management_cluster,
                    component,
                }])
            }
            (None, None) => Err(self.unknown(text)),
        }
    }

    fn unknown(&self, text: &str) -> String {
        let controllers = self.policies.controllers.iter().map(|policy| policy.meta.name.as_str());
        if let Some(name) = controllers.clone().find(|name| *name == text) {
            return format!("{name} is a ControllerPolicy; say which flag: `{name}:<flag>`");
        }
        let groups = self.policies.node_groups.iter().map(|policy| policy.meta.name.as_str());
        let platforms = self.policies.platforms.iter().map(|policy| policy.meta.name.as_str());
        let meant = crate::policy::did_you_mean(text, groups.chain(platforms).chain(controllers));
        let meant = meant.map_or(String::new(), |meant| format!("; {meant}"));
        format!("no policy is called so{meant}")
    }

    fn flag(&self, marker: &Marker, policy: &str, flag: &str) -> Result<Vec<Target>, String> {
        let known = self
            .policies
            .controllers
            .iter()
            .find(|known| known.meta.name.as_str() == policy);
        let policy = known.ok_or_else(|| format!("no ControllerPolicy is called {policy}"))?;
        let flag = flag.trim_start_matches("--");
        let known = policy.flags.iter().find(|known| known.name.as_str() == flag);
        let flag = known.ok_or_else(|| format!("the ControllerPolicy {} has no flag {flag}", policy.meta.name))?;
        Ok(vec![Target::Controller {
            management_cluster: self.selected(marker, &policy.selector)?,
            component: policy.component.clone(),
            flag: flag.name.clone(),
        }])
    }

    /// The management cluster of the marker's file.
    fn owner(&self, marker: &Marker) -> Result<(&RegionName, &ManagementClusterName), String> {
        let owner = self.fleet.owner_of(&marker.path);
        owner
            .map(|(region, cluster)| (region, &cluster.name))
            .ok_or_else(|| "the file lies outside the paths of every management cluster".to_owned())
    }

    /// The same, if a policy for components selects it.
    fn selected(&self, marker: &Marker, selector: &Selector) -> Result<ManagementClusterName, String> {
        let (region, owner) = self.owner(marker)?;
        if selector.matches(&Candidate::of_management_cluster(region, owner)) {
            Ok(owner.clone())
        } else {
            Err(format!("the policy does not select {owner}, which the file belongs to"))
        }
    }

    /// The node groups whose number this is, or would be if no patch had the last word.
    fn node_groups(&self, marker: &Marker, selector: &Selector, groups: &Groups<'_>) -> Result<Vec<Target>, String> {
        let here = groups.by_path.get(&marker.path).into_iter().flatten();
        let here = here.filter(|(_, site)| is_at(site, marker));
        let mut found: BTreeSet<&NodeGroupKey> = here.map(|(key, _)| *key).collect();
        if found.is_empty()
            && let Some(group) = self.said(marker)
        {
            found.extend(groups.of_document(marker, &group));
        }
        if found.is_empty() {
            return Err("it is the number of no node group; write the whole target".to_owned());
        }
        for key in &found {
            self.check_selected(key, selector)?;
        }
        Ok(found.into_iter().cloned().map(Target::NodeGroup).collect())
    }

    fn check_selected(&self, key: &NodeGroupKey, selector: &Selector) -> Result<(), String> {
        let region = self
            .fleet
            .management_cluster(&key.management_cluster)
            .map(|(region, _)| region);
        let selects = |region| selector.matches(&Candidate::of_node_group(region, key));
        if region.is_some_and(selects) {
            Ok(())
        } else {
            Err(format!("the policy does not select {}", Target::NodeGroup(key.clone())))
        }
    }

    /// The node group whose number the object itself takes this for.
    fn said(&self, marker: &Marker) -> Option<SmolStr> {
        self.look(marker, |document, _| {
            let groups = (shapes::of(document)?.read)(document).groups;
            let mut group = groups.into_iter().filter(|group| is_at(&group.replicas.site, marker));
            group.next().map(|group| group.group)
        })?
    }

    /// Looks at the object that a marker stands in, and at where in it.
    fn look<T>(&self, marker: &Marker, look: impl FnOnce(&Document<'_>, &PointerBuf) -> T) -> Option<T> {
        let manifest = self.opened.manifest(&marker.path).ok()?;
        let whole = manifest.object(marker.document, &PointerBuf::root())?;
        let tokens: Vec<String> = marker
            .pointer
            .tokens()
            .map(|token| token.decoded().into_owned())
            .collect();
        // The items of a list are objects of their own.
        let item = match &tokens[..] {
            [items, item, _, ..] if items == "items" && whole.key.kind.ends_with("List") => Some([items, item]),
            _ => None,
        };
        let (document, below) = match item {
            Some(prefix) => {
                let prefix = PointerBuf::from_tokens(prefix.map(String::as_str));
                (manifest.object(marker.document, &prefix)?, &tokens[2..])
            }
            None => (whole, &tokens[..]),
        };
        let below = PointerBuf::from_tokens(below.iter().map(String::as_str));
        Some(look(&document, &below))
    }

    /// Gives a target its place, or holds the one that it has against it.
    fn claim(&self, target: Target, marker: &Marker, declared: &mut Declared) {
        let Some(binding) = declared.bindings.get_mut(&target) else {
            match self.reading(&target, marker) {
                Some(reading) => drop(declared.bindings.insert(target, placed(reading))),
                None => {
                    let message = "the object that it stands in can't be read".to_owned();
                    declared.unbound.push(unbound_marker(marker, message));
                }
            }
            return;
        };
        match &binding.site {
            site if is_at(site, marker) => {}
            Site::Writable(place) => {
                let message = format!(
                    "the marker at {} says that the number is there, but what takes effect is {}:{}",
                    place_of(marker),
                    place.path,
                    place.line
                );
                binding.site.refuse(None, || Refusal::WrongShape { message });
            }
            Site::Refused { path, refusal, .. } => {
                let nowhere = path.is_none() || matches!(refusal, Refusal::NoSuchFile | Refusal::NoSuchObject { .. });
                if let (true, Some(reading)) = (nowhere, self.reading(&target, marker)) {
                    let Binding { value, site, hold, .. } = placed(reading);
                    binding.value = value;
                    binding.site = site;
                    binding.hold = binding.hold.take().or(hold);
                }
            }
        }
    }

    /// The value that a marker stands behind.
    fn reading(&self, target: &Target, marker: &Marker) -> Option<Reading> {
        self.look(marker, |document, below| {
            let mut reading = read(document, below, target);
            let Said { hold, refused, .. } = shapes::marked(document);
            reading.holds.extend(hold);
            reading.refuse(document, refused);
            // A flag that stands twice in its list counts where it stands last.
            if !is_at(&reading.site, marker) {
                let message = format!("it is not what the marker at {} stands behind", place_of(marker));
                reading.refuse_as(Refusal::WrongShape { message });
            }
            reading
        })
    }
}

fn read(document: &Document<'_>, below: &PointerBuf, target: &Target) -> Reading {
    let in_list = below.parent().filter(|list| {
        let list = document.root.lookup(list);
        list.is_ok_and(|found| found.node.is_sequence())
    });
    match (target, in_list) {
        (Target::Controller { flag, .. }, Some(list)) => arguments::locate_in(document, list, flag),
        (Target::Resources { .. }, _) => {
            let tokens: Vec<String> = below.tokens().map(|token| token.decoded().into_owned()).collect();
            let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
            arguments::text_at(document, &tokens)
        }
        _ => values::locate(document, below),
    }
}
