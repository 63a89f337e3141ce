//! What the documents of an object say about everything that it governs.

use crate::fleet::index::{Index, Instance};
use crate::model::{Binding, Refusal, RepoPath, Site};

use super::last_hold;

/// What an object says: a cluster about its node groups and its control plane, a control plane about itself.
#[derive(Debug, Clone, Default)]
pub(in crate::fleet) struct Governed {
    /// Whether it is paused.
    pub(in crate::fleet) paused: bool,
    /// The texts of its hold annotations.
    pub(in crate::fleet) holds: Vec<String>,
    /// Why nothing may be changed, and where that stands.
    pub(in crate::fleet) refused: Option<(RepoPath, usize, Refusal)>,
}

/// Whether an RFC 6902 operation pauses an object. One that takes that back later is left out of account.
pub(super) fn pauses(index: &Index<'_>, instances: &[Instance]) -> bool {
    let mut numbers = instances.iter().flat_map(Instance::sources);
    numbers.any(|number| {
        let operations = index.objects[number].operations();
        operations.iter().any(|operation| operation.pauses)
    })
}

impl Governed {
    /// Reads the manifest and its patches.
    pub(in crate::fleet) fn of(index: &Index<'_>, instances: &[Instance]) -> Self {
        let mut governed = Self {
            paused: pauses(index, instances),
            ..Self::default()
        };
        for number in instances.iter().flat_map(Instance::sources) {
            let object = &index.objects[number];
            let Some(said) = object.said() else { continue };
            governed.paused |= said.paused;
            governed.holds.extend(said.hold.clone());
            if let (None, Some(refused)) = (&governed.refused, &said.refused) {
                governed.refused = Some((object.path.clone(), refused.line, refused.refusal.clone()));
            }
        }
        let holds = instances.iter().flat_map(|instance| instance.holds.clone());
        governed.holds.extend(holds);
        governed
    }

    /// Makes a binding paused, held and refused like what governs it. The binding's own hold is the nearer one.
    pub(in crate::fleet) fn apply(&self, binding: &mut Binding) {
        let Self { paused, holds, refused } = self;
        binding.paused |= paused;
        if binding.hold.is_none() {
            binding.hold = last_hold(holds);
        }
        let Some((path, line, refusal)) = refused else { return };
        match &mut binding.site {
            Site::Refused { refusal, .. } => refusal.withdraw_patch(),
            site => {
                *site = Site::Refused {
                    path: Some(path.clone()),
                    line: *line,
                    refusal: refusal.clone(),
                }
            }
        }
    }
}
