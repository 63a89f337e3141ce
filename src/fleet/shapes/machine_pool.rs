//! A `MachinePool`: named, so that nobody wonders where it went, and not bound.
//!
//! Its machines belong to an infrastructure provider's own scaler as often as to Git, and nothing in the manifest tells which.

use crate::fleet::document::Document;
use crate::model::Refusal;

use super::{CAPI_GROUP, Said, Shape, Unclaimed};

pub(super) const SHAPE: Shape = Shape {
    group: CAPI_GROUP,
    kind: "MachinePool",
    read,
};

fn read(document: &Document<'_>) -> Said {
    let unclaimed = unclaimed(document.line(), document.key.to_string());
    Said {
        unbound: vec![unclaimed],
        ..Said::default()
    }
}

/// A machine pool, on its own or in a topology.
pub(super) fn unclaimed(line: usize, what: String) -> Unclaimed {
    let message = "machine pools are not scaled: who owns their size is not written in Git".to_owned();
    let refusal = Refusal::WrongShape { message };
    Unclaimed { line, what, refusal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::with_objects;

    #[test]
    fn a_machine_pool_is_named_and_not_bound() {
        let text = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachinePool\nmetadata: {name: a, namespace: b}\nspec: {replicas: 3}\n";
        let said = with_objects(text, |objects| read(&objects[0]));
        assert_eq!(
            (said.groups.len(), said.unbound[0].what.as_str()),
            (0, "MachinePool b/a")
        );
    }
}
