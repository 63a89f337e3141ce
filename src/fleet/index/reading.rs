//! What the files of a tree declare, each by itself.

use crate::fleet::document::{Documents, Manifest};
use crate::fleet::gate::Refused;
use crate::fleet::shapes::Unclaimed;
use crate::fleet::tree::FleetTree;
use crate::model::{RepoPath, Unbound};
use crate::threads::in_halves;
use crate::yaml;

use super::kept::said;
use super::{Content, Object};

/// What a file that does not parse must mention to be worth a word.
const WORTH_A_WORD: [&str; 3] = ["MachineDeployment", "machineDeployments", "MachinePool"];

/// From how many files on a second thread takes half of them: a file takes a hundredth of a millisecond.
const MANY_FILES: usize = 500;

/// What files declare, in their order.
#[derive(Default)]
pub(super) struct Declarations {
    pub(super) objects: Vec<Object>,
    pub(super) unbound: Vec<Unbound>,
}

/// Reads these files of a tree.
pub(super) fn read_all(tree: &FleetTree, files: &[(&RepoPath, &[u8])]) -> Declarations {
    let halves = in_halves(files, MANY_FILES, |files| {
        let mut declarations = Declarations::default();
        for (path, bytes) in files {
            declarations.read(tree, path, bytes);
        }
        declarations
    });
    let mut halves = halves.into_iter();
    let mut all = halves.next().unwrap_or_default();
    for Declarations { objects, unbound } in halves {
        all.objects.extend(objects);
        all.unbound.extend(unbound);
    }
    all
}

impl Declarations {
    fn read(&mut self, tree: &FleetTree, path: &RepoPath, bytes: &[u8]) {
        let worth_a_word = yaml::mentions(bytes, &WORTH_A_WORD);
        match Manifest::open(tree, path) {
            Ok(manifest) => self.add_objects(path, manifest.documents(), worth_a_word),
            Err(refused) if worth_a_word => self.add_unbound(path, "file", refused),
            Err(_) => {}
        }
    }

    fn add_objects(&mut self, path: &RepoPath, documents: Documents<'_>, worth_a_word: bool) {
        let Documents { objects, unidentified } = documents;
        for refused in unidentified.into_iter().filter(|_| worth_a_word) {
            self.add_unbound(path, "document", refused);
        }
        for document in objects {
            let Some(mut said) = said(&document) else { continue };
            for Unclaimed { line, what, refusal } in said.unbound.drain(..) {
                self.add_unbound(path, &what, Refused { line, refusal });
            }
            self.objects.push(Object {
                path: path.clone(),
                at: document.at(),
                line: document.line(),
                key: document.key,
                content: Content::Says(Box::new(said)),
            });
        }
    }

    fn add_unbound(&mut self, path: &RepoPath, what: &str, refused: Refused) {
        let Refused { line, refusal } = refused;
        self.unbound.push(Unbound {
            path: path.clone(),
            line,
            what: what.to_owned(),
            refusal,
        });
    }
}
