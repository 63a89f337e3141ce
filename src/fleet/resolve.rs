//! Who lists whom among kustomizations, and therefore in which namespace, and how often, an object of a file comes to be.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use smol_str::SmolStr;

use crate::model::{ObjectKey, Refusal, RepoPath, Unbound};
use crate::threads::in_halves;

use super::applied::folder as folder_of;
use super::gate::Refused;
use super::kustomize::{self, Kustomization, Listed, Role};
use super::screen::is_manifest_name;
use super::tree::{FleetTree, Mode};

/// The longest chain of kustomizations that is followed. Written overlays nest three or four deep; the bound stops circles.
const LONGEST_CHAIN: usize = 32;

/// The most overlays of one file or kustomization that are told apart.
///
/// A file with more than one can't be edited anyway; beyond this many, the overlays' objects are not even named. The bound keeps a few
/// hostile files from standing for millions of objects.
const MOST_CONTEXTS: usize = 1_000;

/// From how many kustomizations on a second thread reads half of them: one takes some microseconds.
const MANY_FILES: usize = 500;

/// One way in which a file's objects come to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Context {
    /// The kustomizations on the way, the one that lists the file first. Empty for a file that none lists.
    pub(super) chain: Vec<usize>,
    /// The namespace that they give: the outermost one that gives any counts.
    pub(super) namespace: Option<SmolStr>,
    /// The namespace of what has none after all.
    pub(super) default_namespace: Option<SmolStr>,
}

impl Context {
    /// The namespace that an object gets: kustomize overwrites the one that is written.
    pub(super) fn namespace_of(&self, key: &ObjectKey) -> Option<SmolStr> {
        let written = Some(&key.namespace).filter(|namespace| !namespace.is_empty());
        let namespace = self.namespace.as_ref().or(written);
        namespace.or(self.default_namespace.as_ref()).cloned()
    }
}

/// All kustomizations of a repository and their links.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    /// In the order of their paths.
    pub(super) kustomizations: Vec<Kustomization>,
    /// What could not be read or followed.
    pub(super) unbound: Vec<Unbound>,
    /// By folder: the kustomization that can't be read, and its line. What it does to what lies there is unknown.
    unread: BTreeMap<Option<RepoPath>, (RepoPath, usize)>,
    /// By file: the kustomizations that list it.
    users_of_file: BTreeMap<RepoPath, BTreeSet<usize>>,
    /// By kustomization: those that list it or its folder.
    users: Vec<BTreeSet<usize>>,
    /// By kustomization: the components that it lists, in its order.
    components: Vec<Vec<usize>>,
    contexts: Vec<Option<Rc<[Rc<Context>]>>>,
}

impl Graph {
    /// Reads the kustomizations of a tree alone.
    pub(super) fn of_folders(tree: &FleetTree) -> Self {
        Self::unlinked(tree).linked(tree, Vec::new())
    }

    /// Reads the kustomizations of a tree, whose links are still to be found.
    pub(super) fn unlinked(tree: &FleetTree) -> Self {
        let mut graph = Self::default();
        // Links, too: kustomize follows them.
        let paths: Vec<&RepoPath> = tree
            .paths()
            .filter(|path| kustomize::is_name(path.file_name()))
            .collect();
        let halves: Vec<Vec<_>> = in_halves(&paths, MANY_FILES, |paths| {
            paths.iter().map(|path| kustomize::read(tree, path)).collect()
        });
        for (path, read) in paths.into_iter().zip(halves.into_iter().flatten()) {
            match read {
                Ok(kustomization) => graph.kustomizations.push(kustomization),
                Err(Refused { line, refusal }) => {
                    graph.unread.insert(path.parent(), (path.clone(), line));
                    graph.unbound.push(Unbound {
                        path: path.clone(),
                        line,
                        what: "kustomization".to_owned(),
                        refusal,
                    });
                }
            }
        }
        graph
    }

    /// Adds what applies folders, and finds who lists whom.
    pub(super) fn linked(mut self, tree: &FleetTree, appliers: Vec<Kustomization>) -> Self {
        self.kustomizations.extend(appliers);
        self.link(tree);
        self.contexts = vec![None; self.kustomizations.len()];
        for index in 0..self.kustomizations.len() {
            self.contexts_of(index, &mut Vec::new());
        }
        self
    }

    fn link(&mut self, tree: &FleetTree) {
        let count = self.kustomizations.len();
        self.users = vec![BTreeSet::new(); count];
        self.components = vec![Vec::new(); count];
        let by_path: BTreeMap<&RepoPath, usize> = self
            .kustomizations
            .iter()
            .enumerate()
            .filter(|(_, read)| !read.role.applies())
            .map(|(index, read)| (&read.path, index))
            .collect();
        for (index, kustomization) in self.kustomizations.iter().enumerate() {
            for Listed { text, line } in &kustomization.lists {
                if kustomization.role.applies() {
                    let (files, folders) = applied(tree, text, &kustomization.role, &by_path);
                    for file in files {
                        self.users_of_file.entry(file).or_default().insert(index);
                    }
                    for folder in folders {
                        self.users[folder].insert(index);
                        if self.kustomizations[folder].role == Role::Component {
                            self.components[index].push(folder);
                        }
                    }
                    continue;
                }
                let Some(path) = kustomize::relative(&kustomization.path, text) else {
                    continue;
                };
                let refusal = match tree.mode(&path) {
                    Some(Mode::File | Mode::Executable) => {
                        self.users_of_file.entry(path).or_default().insert(index);
                        continue;
                    }
                    Some(Mode::Symlink) => Refusal::Symlink,
                    Some(Mode::Submodule) => Refusal::Submodule,
                    None => {
                        let listed = kustomize::of_folder(tree, &path).and_then(|path| by_path.get(&path).copied());
                        if let Some(listed) = listed.filter(|listed| *listed != index) {
                            self.users[listed].insert(index);
                            if self.kustomizations[listed].role == Role::Component {
                                self.components[index].push(listed);
                            }
                        }
                        continue;
                    }
                };
                self.unbound.push(Unbound {
                    path: kustomization.path.clone(),
                    line: *line,
                    what: format!("resource {text}"),
                    refusal,
                });
            }
        }
    }

    /// The ways in which a kustomization is used, found once and kept. `above` are those that ask: a circle ends at the first of them.
    fn contexts_of(&mut self, index: usize, above: &mut Vec<usize>) -> Rc<[Rc<Context>]> {
        if let Some(known) = &self.contexts[index] {
            return Rc::clone(known);
        }
        let own = &self.kustomizations[index];
        let namespace = own.namespace.clone();
        let default_namespace = match &own.role {
            Role::Argo { namespace, .. } => namespace.clone(),
            _ => None,
        };
        above.push(index);
        let users: Vec<usize> = match above.len() {
            LONGEST_CHAIN.. => Vec::new(),
            _ => self.users[index]
                .iter()
                .copied()
                .filter(|user| !above.contains(user))
                .collect(),
        };
        let mut contexts = BTreeSet::new();
        for user in &users {
            for outer in self.contexts_of(*user, above).iter() {
                let mut chain = vec![index];
                chain.extend(&outer.chain);
                contexts.insert(Context {
                    chain,
                    namespace: outer.namespace.clone().or_else(|| namespace.clone()),
                    default_namespace: outer.default_namespace.clone(),
                });
            }
        }
        above.pop();
        if users.is_empty() {
            let chain = vec![index];
            contexts.insert(Context {
                chain,
                namespace,
                default_namespace,
            });
        }
        let contexts = self.bounded(index, contexts);
        self.contexts[index] = Some(Rc::clone(&contexts));
        contexts
    }

    fn bounded(&mut self, index: usize, contexts: BTreeSet<Context>) -> Rc<[Rc<Context>]> {
        if contexts.len() > MOST_CONTEXTS {
            let message = format!("more than {MOST_CONTEXTS} overlays use the kustomization");
            self.unbound.push(Unbound {
                path: self.kustomizations[index].path.clone(),
                line: 0,
                what: "kustomization".to_owned(),
                refusal: Refusal::TooComplex { message },
            });
        }
        contexts.into_iter().take(MOST_CONTEXTS).map(Rc::new).collect()
    }

    /// The kustomization in the folder of a file, or in one above it, that can't be read, and its line.
    pub(super) fn unread_above(&self, file: &RepoPath) -> Option<&(RepoPath, usize)> {
        let folders = std::iter::successors(Some(file.parent()), |folder| folder.as_ref().map(RepoPath::parent));
        folders.filter_map(|folder| self.unread.get(&folder)).next()
    }

    /// The ways in which a kustomization is used.
    pub(super) fn contexts(&self, index: usize) -> &[Rc<Context>] {
        self.contexts[index].as_deref().unwrap_or_default()
    }

    /// The files that a kustomization lists, each with the first that does.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&RepoPath, &RepoPath)> {
        let listed = self.users_of_file.iter();
        listed.filter_map(|(file, users)| {
            let mut users = users.iter().map(|user| &self.kustomizations[*user]);
            Some((file, &users.find(|user| !user.role.applies())?.path))
        })
    }

    /// The ways in which a file is used: one, without a chain, if no kustomization lists it.
    pub(super) fn contexts_of_file(&self, path: &RepoPath) -> Vec<Rc<Context>> {
        match self.users_of_file.get(path) {
            None => vec![Rc::default()],
            Some(users) => {
                let contexts = users.iter().flat_map(|user| self.contexts(*user));
                contexts.take(MOST_CONTEXTS).cloned().collect()
            }
        }
    }

    /// The number of the kustomization that a file is.
    pub(super) fn number_of(&self, path: &RepoPath) -> Option<usize> {
        let own = |kustomization: &Kustomization| kustomization.path == *path && !kustomization.role.applies();
        let is_one = kustomize::is_name(path.file_name());
        is_one.then(|| self.kustomizations.iter().position(own)).flatten()
    }

    /// The kustomizations whose patches reach what comes along a chain: the chain itself and the components that it lists, in the order
    /// in which they apply. A component applies before whoever lists it (kustomize's `accumulateTarget`).
    pub(super) fn patching(&self, chain: &[usize]) -> Vec<usize> {
        let (mut patching, mut seen) = (Vec::new(), BTreeSet::new());
        for index in chain {
            self.add_patching(*index, &mut patching, &mut seen);
        }
        patching
    }

    fn add_patching(&self, index: usize, patching: &mut Vec<usize>, seen: &mut BTreeSet<usize>) {
        // It counts as seen before its components are, so that components that list each other end.
        if !seen.insert(index) || seen.len() > MOST_CONTEXTS {
            return;
        }
        for component in &self.components[index] {
            self.add_patching(*component, patching, seen);
        }
        patching.push(index);
    }

    /// The overlay that makes one use of a file another than every other: the last on the way whose listed file or kustomization has several
    /// users. What lists the overlay alone, and what lists that, may be nobody's.
    pub(super) fn overlay(&self, path: &RepoPath, chain: &[usize]) -> Option<RepoPath> {
        let several = |users: Option<&BTreeSet<usize>>| users.is_some_and(|users| users.len() > 1);
        let listed = std::iter::once(several(self.users_of_file.get(path)));
        let listed = listed.chain(chain.iter().map(|index| several(self.users.get(*index))));
        let makers = chain.iter().zip(listed).filter(|(_, by_several)| *by_several);
        let maker = makers.last().map(|(index, _)| index).or(chain.last());
        maker.map(|index| self.kustomizations[*index].path.clone())
    }
}

/// What an applier takes from a folder of the repository: files, and kustomizations by number.
///
/// A folder with a kustomization is that. Else Flux makes one of every manifest below, and of the folders that have one of their own; Argo CD
/// takes the manifests of the folder itself, or all below it if it is told so.
fn applied(
    tree: &FleetTree,
    folder: &str,
    role: &Role,
    by_path: &BTreeMap<&RepoPath, usize>,
) -> (Vec<RepoPath>, BTreeSet<usize>) {
    let (mut files, mut folders) = (Vec::new(), BTreeSet::new());
    let Ok(folder) = folder_of(folder) else {
        return (files, folders);
    };
    let kustomization = |folder: &Option<RepoPath>| {
        let path = match folder {
            Some(folder) => kustomize::of_folder(tree, folder),
            None => kustomize::of_root(tree),
        };
        path.and_then(|path| by_path.get(&path).copied())
    };
    if let Some(own) = kustomization(&folder) {
        return (files, [own].into());
    }
    for (path, _) in tree.kept() {
        let below = folder.as_ref().is_none_or(|folder| path.is_under(folder));
        if !below || !is_manifest_name(path.file_name()) || kustomize::is_name(path.file_name()) {
            continue;
        }
        match role {
            Role::Argo { recurses: false, .. } if path.parent() != folder => {}
            Role::Argo { .. } => files.push(path.clone()),
            _ => {
                // The outermost folder below that has a kustomization stands for all that is in it.
                let above = std::iter::successors(path.parent(), RepoPath::parent);
                let within = above.take_while(|above| Some(above) != folder.as_ref()).map(Some);
                match within.filter_map(|above| kustomization(&above)).last() {
                    Some(inner) => drop(folders.insert(inner)),
                    None => files.push(path.clone()),
                }
            }
        }
    }
    (files, folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(files: &[(&str, &str)]) -> Graph {
        let files = files.iter().map(|(path, text)| (*path, *text));
        let tree = FleetTree::from_files("0".repeat(40).parse().unwrap(), files).unwrap();
        let link = "link".parse().unwrap();
        Graph::of_folders(&tree.with_entry(link, Mode::Symlink))
    }

    fn uses(graph: &Graph, path: &str) -> Vec<String> {
        let shown = |context: Rc<Context>| {
            let Context {
                chain,
                namespace,
                default_namespace,
            } = &*context;
            let namespace = namespace.as_ref().or(default_namespace.as_ref()).cloned();
            let chain: Vec<String> = chain
                .iter()
                .map(|index| graph.kustomizations[*index].path.parent().unwrap().to_string())
                .collect();
            format!("{} in {}", chain.join(" < "), namespace.unwrap_or_default())
        };
        graph
            .contexts_of_file(&path.parse().unwrap())
            .into_iter()
            .map(shown)
            .collect()
    }

    #[test]
    fn the_outermost_namespace_on_the_way_counts() {
        let graph = graph(&[
            ("a/md.yaml", ""),
            ("a/other.yaml", ""),
            ("a/kustomization.yaml", "resources: [md.yaml]\nnamespace: inner\n"),
            (
                "b/kustomization.yml",
                "resources: [../a/, nowhere.yaml, https://example.org/x]\n",
            ),
            ("c/Kustomization", "bases: [../b]\nnamespace: outer\n"),
        ]);
        assert_eq!(uses(&graph, "a/md.yaml"), ["a < b < c in outer"]);
        assert_eq!(uses(&graph, "a/other.yaml"), [" in "]);
        assert_eq!(graph.unbound, []);
    }

    #[test]
    fn a_base_comes_to_be_once_for_each_overlay() {
        let graph = graph(&[
            ("base/md.yaml", ""),
            ("base/kustomization.yaml", "resources: [md.yaml]\n"),
            ("one/kustomization.yaml", "resources: [../base]\nnamespace: one\n"),
            (
                "two/kustomization.yaml",
                "resources: [../base]\nnamespace: two\ncomponents: [../part]\n",
            ),
            ("part/kustomization.yaml", "kind: Component\ncomponents: [../part2]\n"),
            ("part2/kustomization.yaml", "kind: Component\ncomponents: [../part]\n"),
            ("all/kustomization.yaml", "resources: [../one, ../two]\n"),
        ]);
        let path = "base/md.yaml".parse().unwrap();
        assert_eq!(
            uses(&graph, "base/md.yaml"),
            ["base < one < all in one", "base < two < all in two"]
        );
        let overlays: Vec<Option<RepoPath>> = graph
            .contexts_of_file(&path)
            .iter()
            .map(|context| graph.overlay(&path, &context.chain))
            .collect();
        assert_eq!(
            overlays,
            ["one", "two"].map(|name| Some(format!("{name}/kustomization.yaml").parse().unwrap()))
        );
        let second = &graph.contexts_of_file(&path)[1];
        let patching: Vec<&str> = graph
            .patching(&second.chain)
            .into_iter()
            .map(|index| graph.kustomizations[index].path.as_str())
            .collect();
        let folder = |name| format!("{name}/kustomization.yaml");
        assert_eq!(patching, ["base", "part2", "part", "two", "all"].map(folder));
    }

    #[test]
    fn circles_and_ladders_end() {
        let circle = graph(&[
            ("a/md.yaml", ""),
            ("a/kustomization.yaml", "resources: [md.yaml, ../b, .]\n"),
            ("b/kustomization.yaml", "resources: [../a]\n"),
        ]);
        assert_eq!(uses(&circle, "a/md.yaml"), ["a < b in "]);

        let mut files = vec![("k0/kustomization.yaml".to_owned(), "resources: [md.yaml]".to_owned())];
        for level in 1..40 {
            let below = level - 1;
            files.push((
                format!("k{level}/kustomization.yaml"),
                format!("resources: [../k{below}, ../m{below}]"),
            ));
            files.push((
                format!("m{level}/kustomization.yaml"),
                format!("resources: [../k{below}, ../m{below}]"),
            ));
        }
        files.push(("k0/md.yaml".to_owned(), String::new()));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let ladder = graph(&files);
        assert_eq!(uses(&ladder, "k0/md.yaml").len(), MOST_CONTEXTS);
        assert!(
            ladder
                .unbound
                .iter()
                .any(|unbound| unbound.refusal.id() == "too-complex")
        );
    }

    #[test]
    fn what_can_not_be_followed_is_named() {
        let graph = graph(&[
            ("a/kustomization.yaml", "resources:\n- ../link\n"),
            ("b/kustomization.yaml", "resources: [\n"),
        ]);
        let unbound: Vec<String> = graph
            .unbound
            .iter()
            .map(
                |Unbound {
                     path,
                     line,
                     what,
                     refusal,
                 }| format!("{path}:{line} {what} {}", refusal.id()),
            )
            .collect();
        assert_eq!(
            unbound,
            [
                "b/kustomization.yaml:1 kustomization not-yaml",
                "a/kustomization.yaml:2 resource ../link symlink"
            ]
        );
    }
}
