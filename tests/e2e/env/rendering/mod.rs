//! What a repository comes to, asked from the tools that people run: kustomize, Helm, and a kube-apiserver.
//!
//! A test renders a place before and after an edit, and compares:
//!
//! ```ignore
//! let before = objects(&kustomize_build(&repository, "overlays/eu")?)?;
//! // ... the edit ...
//! let after = objects(&kustomize_build(&repository, "overlays/eu")?)?;
//! assert_eq!(difference(&before, &after), [Difference::change("apps/v1 Deployment kamaji-system/kamaji", "/spec/replicas", 2, 3)]);
//! ```
//!
//! | function | asks | gives |
//! |---|---|---|
//! | [`kustomize_build`] | kustomize 5.8.1 | the stream of a folder |
//! | [`helm_template`] | Helm 3.22.0 | the stream of a chart under layers of values |
//! | [`flux_build`] | kustomize, with what a Flux Kustomization adds | the stream that Flux applies |
//! | [`flux_substitute`] | nobody: a part of Flux's rules, written anew | the stream with its variables replaced |
//! | [`objects`], [`difference`] | nobody | the objects of a stream; every value in which two sets of them differ |
//! | [`server_accepts`] | kube-apiserver 1.35.3 with Cluster API's definitions | the objects as the server would keep them |
//!
//! The tools run without an environment and reach no network: what would be fetched is an error. They write outside of the repository only.

mod flux;
mod helm;
mod objects;
mod server;

use std::path::Path;
use std::process::Command;

use super::built;
pub(crate) use flux::{copy_folder, flux_build, flux_substitute};
pub(crate) use helm::{Values, helm_template};
pub(crate) use objects::{Difference, Objects, difference, documents, objects};
pub(crate) use server::{server, server_accepts};

/// The stream that `kustomize build` makes of a folder, or what kustomize says against it.
///
/// Files may be loaded from anywhere, as Flux allows it. Argo CD's default refuses those outside of the folder; that is not modelled.
pub(crate) fn kustomize_build(repository: &Path, folder: &str) -> Result<String, String> {
    let load = ["build", "--load-restrictor", "LoadRestrictionsNone"];
    run("kustomize", |command| {
        command.current_dir(repository).args(load).arg(folder);
        // As Argo CD's `kustomize.buildOptions` may have it.
        let helm = built("helm").join("helm");
        command.args(["--enable-helm", "--helm-command"]).arg(helm);
    })
}

/// The version that a tool says it has.
pub(crate) fn version(tool: &str) -> String {
    let arguments: &[&str] = match tool {
        "helm" => &["version", "--template={{.Version}}"],
        _ => &["version"],
    };
    let said = run(tool, |command| {
        command.args(arguments);
    });
    said.unwrap().trim().to_owned()
}

/// What a tool writes to stdout, or what it writes to stderr where it fails.
fn run(tool: &str, arguments: impl FnOnce(&mut Command)) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(built(tool).join(tool));
    // No PATH: kustomize would find git there and clone. Nobody listens on port 9, so that a fetch over HTTP fails at once.
    command.env_clear().env("HOME", home.path());
    command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    command.env("HTTP_PROXY", "http://127.0.0.1:9");
    arguments(&mut command);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}
