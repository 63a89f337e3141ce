use super::*;
use crate::fleet::applied_paths;
use crate::fleet::index::Territories;
use crate::fleet::testing::{fleet, tree};

const OWN: &str = "https://git.example.org/platform/fleet.git";
const ANOTHER: &str = "https://git.example.org/platform/addons.git";

fn git(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: {GROUP}/v1\nkind: {GIT_REPOSITORY}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n"
    )
}

fn flux(name: &str, source: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{path: ./, sourceRef: {{{source}}}}}\n"
    )
}

fn argo(name: &str, address: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\n\
         spec: {{source: {{path: ., repoURL: '{address}'}}}}\n"
    )
}

/// A fleet whose files name the repository itself and another one, by Flux and by Argo CD.
fn world() -> BTreeMap<String, String> {
    let files = [
        ("fleet", git("fleet", "flux-system", &format!("url: '{OWN}'"))),
        ("addons", git("addons", "flux-system", &format!("url: '{ANOTHER}'"))),
        ("own", flux("own", "kind: GitRepository, name: fleet")),
        ("foreign", flux("foreign", "kind: GitRepository, name: addons")),
        ("own-app", argo("own-app", "git@git.example.org:platform/fleet")),
        ("foreign-app", argo("foreign-app", ANOTHER)),
    ];
    let files = files.into_iter();
    files
        .map(|(name, text)| (format!("clusters/eu-1/{name}.yaml"), text))
        .collect()
}

/// The names of what applies this repository, of a fleet with the address.
fn applying(own: &[&str], files: &BTreeMap<String, String>) -> Vec<String> {
    let mut fleet = fleet(&[("eu-1", &["clusters/eu-1"]), ("eu-2", &["clusters/eu-2"])]);
    fleet.aliases = own.iter().map(|text| (*text).to_owned()).collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let tree = tree(&files);
    let territories = Territories::of(&fleet);
    let owner_of = |graph: &Graph, path: &RepoPath, context: &Context| territories.of_use(graph, path, context);
    let (graph, _) = graph(&tree, own_addresses(&fleet, &tree), &owner_of);
    let origins = graph
        .kustomizations
        .iter()
        .filter_map(|applier| applier.origin.as_ref());
    let names: Vec<String> = origins.map(|origin| origin.object.name.to_string()).collect();
    // Requests are kept from the same folders.
    assert_eq!(applied_paths(&fleet, &tree).len(), names.len());
    names
}

fn with(path: &str, text: String) -> Vec<String> {
    let mut files = world();
    files.insert(format!("clusters/{path}"), text);
    applying(&[OWN], &files)
}

const OURS: [&str; 2] = ["own-app", "own"];
const FLUX_UNCERTAIN: [&str; 3] = ["foreign", "own-app", "own"];

#[test]
fn what_applies_another_repository_applies_nothing_of_this_one() {
    assert_eq!(applying(&[OWN], &world()), OURS);
    let explicit = "kind: GitRepository, name: addons, namespace: flux-system";
    assert_eq!(with("eu-1/foreign.yaml", flux("foreign", explicit)), OURS);
    // Another object of that name in another cluster is not meant.
    let elsewhere = git("addons", "flux-system", &format!("url: '{OWN}'"));
    assert_eq!(with("eu-2/addons.yaml", elsewhere), OURS);
    let of_others = "resources: [addons.yaml, foreign.yaml, foreign-app.yaml]\npatches:\n\
                     - {target: {kind: GitRepository, name: fleet}, patch: '[{op: add, path: /spec/url, value: x}]'}\n\
                     - patch: |-\n    kind: Deployment\n    metadata: {name: x}\n";
    assert_eq!(with("eu-1/kustomization.yaml", of_others.to_owned()), OURS);
}

#[test]
fn what_is_not_certain_counts_as_this_repository() {
    let source = |spec: &str| with("eu-1/addons.yaml", git("addons", "flux-system", spec));
    for spec in [
        "url: '${addons}'",
        "url: 'https://mirror.example.com/platform/fleet'",
        &format!("url: '{ANOTHER}', include: [{{repository: {{name: fleet}}}}]"),
        "interval: 1m",
    ] {
        assert_eq!(source(spec), FLUX_UNCERTAIN, "{spec}");
    }
    let in_namespace = |namespace| {
        with(
            "eu-1/addons.yaml",
            git("addons", namespace, &format!("url: '{ANOTHER}'")),
        )
    };
    assert_eq!(in_namespace("other"), FLUX_UNCERTAIN);
    assert_eq!(in_namespace("''"), FLUX_UNCERTAIN);
    for reference in [
        "kind: OCIRepository, name: addons",
        "kind: GitRepository, name: unknown",
        "",
    ] {
        assert_eq!(
            with("eu-1/foreign.yaml", flux("foreign", reference)),
            FLUX_UNCERTAIN,
            "{reference}"
        );
    }
    // One that lies in nobody's files may be the one that is meant.
    let nobodys = git("addons", "flux-system", &format!("url: '{OWN}'"));
    assert_eq!(with("shared.yaml", nobodys), FLUX_UNCERTAIN);
    let mut files = world();
    let moved = files.remove("clusters/eu-1/addons.yaml").unwrap();
    files.insert("clusters/eu-2/addons.yaml".to_owned(), moved);
    assert_eq!(applying(&[OWN], &files), FLUX_UNCERTAIN);
}

#[test]
fn what_a_kustomization_may_change_is_not_certain() {
    let patched = |patch: &str| {
        let lists = "resources: [addons.yaml, foreign.yaml, foreign-app.yaml]\n";
        with("eu-1/kustomization.yaml", format!("{lists}{patch}"))
    };
    let replaced = "patch: '[{op: replace, path: /spec/url, value: x}]'";
    for target in [
        "{kind: GitRepository}",
        "{kind: GitRepository, name: addons}",
        "{group: source.*}",
    ] {
        let patch = format!("patches: [{{target: {target}, {replaced}}}]\n");
        assert_eq!(patched(&patch), FLUX_UNCERTAIN, "{target}");
    }
    let merge = "patches:\n- patch: |-\n    apiVersion: source.toolkit.fluxcd.io/v1\n    kind: GitRepository\n    metadata: {name: addons}\n    \
                 spec: {url: x}\n";
    assert_eq!(patched(merge), FLUX_UNCERTAIN);
    assert_eq!(patched("patches: [{path: elsewhere.txt}]\n").len(), 4);
    assert_eq!(patched("replacements: [{path: addresses.yaml}]\n").len(), 4);
    assert_eq!(patched("resources: [\n").len(), 4);
    let application = format!("patches: [{{target: {{kind: Application}}, {replaced}}}]\n");
    assert_eq!(patched(&application), ["foreign-app", "own-app", "own"]);
}

#[test]
fn an_own_address_that_is_unknown_or_named_by_nobody_tells_nothing() {
    assert_eq!(applying(&[], &world()).len(), 4);
    // A mirror with a path of its own.
    assert_eq!(
        applying(&["https://mirror.example.com/mirrors/eu.git"], &world()).len(),
        4
    );
    let both = ["https://mirror.example.com/mirrors/eu.git", ANOTHER];
    assert_eq!(applying(&both, &world()), ["foreign-app", "foreign"]);
}
