//! What comes to be outside of all management clusters: nobody knows whose it is.

use smol_str::SmolStr;

use crate::fleet::kustomize::{Destination, Kustomization, Role};
use crate::fleet::resolve::{Context, Graph};
use crate::fleet::steps::Steps;

use super::build::Builder;
use super::{Index, Object};

/// A use of a document outside of all management clusters.
pub(super) struct Left {
    /// The number of the object.
    object: usize,
    /// The kustomizations on the way, as in a [`Context`].
    chain: Vec<usize>,
}

impl Builder<'_> {
    /// Leaves a use of an object out, and says who makes something of it there, if that is not its own file.
    pub(super) fn leave_out(&mut self, object: usize, context: &Context) -> Option<String> {
        let chain = context.chain.clone();
        let by = user(&self.graph, &chain);
        self.index.left.push(Left { object, chain });
        by
    }
}

impl Index<'_> {
    /// The objects that come to be outside of all management clusters, each with its name in the end and with who makes it so.
    pub(in crate::fleet) fn left_out(&self) -> impl Iterator<Item = (&Object, SmolStr, Option<String>)> {
        self.left.iter().map(|Left { object, chain }| {
            let object = &self.objects[*object];
            let key = &object.key;
            let name = Steps::of(&self.graph, chain).name([&key.group, &key.kind, &key.name]);
            (object, name, user(&self.graph, chain))
        })
    }
}

/// Whoever is the last on the way, for people.
fn user(graph: &Graph, chain: &[usize]) -> Option<String> {
    let Kustomization { path, role, .. } = &graph.kustomizations[*chain.last()?];
    Some(match role {
        Role::Folder | Role::Component => path.to_string(),
        Role::Flux { elsewhere: true, .. } => {
            format!("the Flux Kustomization in {path}, whose kubeConfig names another cluster,")
        }
        Role::Flux { .. } => format!("the Flux Kustomization in {path}"),
        Role::Argo { destination, .. } => match destination {
            Destination::Own => format!("the Application in {path}"),
            Destination::Named(name) => format!("the Application in {path} for the cluster {name}"),
            Destination::Unknown => format!("the Application in {path}, whose destination is not named,"),
        },
    })
}
