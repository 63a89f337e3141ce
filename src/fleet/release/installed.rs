//! What an object that installs charts says of itself, before anybody knows in which management cluster it is.

use std::collections::BTreeSet;

use crate::fleet::document::Document;
use crate::fleet::find::find;
use crate::fleet::generated::{Element, Elements, elements};
use crate::policy::catalogue::OPERATOR;
use crate::yaml;

use super::{argo, flux};

/// What whoever installs a component speaks of: its chart, or its mapping in the values of another one.
const COMPONENTS: [&str; 3] = ["kamaji", "kmetal", OPERATOR];

/// Whether an object is a release, or makes some, that has to do with a component.
pub(in crate::fleet) fn speaks_of_a_component(document: &Document<'_>) -> bool {
    let kind = (document.key.group.as_str(), document.key.kind.as_str());
    let is_release = matches!(
        kind,
        (flux::GROUP, flux::KIND) | (argo::GROUP, argo::APPLICATION | argo::SET)
    );
    is_release && yaml::mentions(document.root.source().as_bytes(), &COMPONENTS)
}

/// The names of the clusters that an `Application` goes to, or those that a set makes of its lists, as far as they are named.
pub(in crate::fleet) fn destinations(document: &Document<'_>) -> BTreeSet<String> {
    let name = |below: &[&str], element: &Element| {
        let application = find(document.root, below)?;
        element.fill(find(application, &["spec", "destination", "name"])?.text()?)
    };
    let names: Vec<String> = match (document.key.group.as_str(), document.key.kind.as_str()) {
        (argo::GROUP, argo::APPLICATION) => name(&[], &Element::default()).into_iter().collect(),
        (argo::GROUP, argo::SET) => {
            let Elements {
                elements,
                open,
                unknown,
                ..
            } = elements(document.root);
            let each = elements.iter().chain(open.then_some(&unknown));
            each.filter_map(|element| name(&["spec", "template"], element))
                .collect()
        }
        _ => Vec::new(),
    };
    let own = |name: &String| name != "in-cluster" && !name.is_empty();
    names.into_iter().filter(own).collect()
}
