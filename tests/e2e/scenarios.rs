//! Every scenario of `fixtures/scenarios`, asked of the tools that people run: what the repository comes to differs in what it says, and in
//! nothing else.
//!
//! Nothing of fleetscale runs here. The bytes before and after are those of the scenario; that fleetscale writes these very bytes is what the
//! integration tests are for.

mod argo;
mod compose;
mod helm_release;

use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml::Value;

use crate::env::rendering::*;
use crate::scenario::{Change, Files, Helm, Render, Scenario, all};

/// What a server says of a kind whose definition it does not have.
const UNKNOWN: &str = "does not know this kind";

#[test]
fn every_scenario_comes_to_exactly_what_it_says() {
    let (mut wrong, mut rendered, mut accepted) = (Vec::new(), 0, 0);
    for scenario in all() {
        let outcome = scenario.and_then(|scenario| {
            let (before, after) = (written(&scenario.before), written(&scenario.after()));
            for (number, render) in scenario.render.iter().enumerate() {
                let checked = check(before.path(), after.path(), render);
                accepted += checked.map_err(|error| format!("{}: render {number}: {error}", scenario.name))?;
                rendered += 1;
            }
            Ok(())
        });
        wrong.extend(outcome.err());
    }
    println!("{rendered} renders, {accepted} objects accepted");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(rendered > 0 && accepted > 0);
}

/// A folder with the files of a repository. A link leads nowhere: nobody should follow it.
fn written(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => std::os::unix::fs::symlink("nowhere", path).unwrap(),
        }
    }
    folder
}

/// Renders before and after, and gives the number of objects that a server accepted.
fn check(before: &Path, after: &Path, render: &Render) -> Result<usize, String> {
    let streams = (stream(before, render)?, stream(after, render)?);
    let found = difference(&objects(&streams.0)?, &objects(&streams.1)?);
    let wanted = render.changes.iter().map(|change| {
        let Change {
            object,
            pointer,
            from,
            to,
        } = change.clone();
        Difference {
            object,
            pointer,
            from,
            to,
        }
    });
    let wanted: Vec<Difference> = wanted.collect();
    if found != wanted {
        return Err(format!("the difference is {found:#?}, expected {wanted:#?}"));
    }
    if !render.server {
        return Ok(0);
    }
    let (old, new) = (accepted(&streams.0)?, accepted(&streams.1)?);
    for Change { object, .. } in &render.changes {
        if !(old.contains_key(object) && new.contains_key(object)) {
            return Err(format!("the server knows nothing of {object}"));
        }
    }
    // Its defaults hide no difference and make none.
    let kept: Vec<Difference> = difference(&old, &new);
    let kept: Vec<(&str, &str)> = kept.iter().map(|d| (d.object.as_str(), d.pointer.as_str())).collect();
    let wanted: Vec<(&str, &str)> = wanted.iter().map(|d| (d.object.as_str(), d.pointer.as_str())).collect();
    match kept == wanted && !new.is_empty() {
        true => Ok(old.len() + new.len()),
        false => Err(format!(
            "the server keeps {kept:?}, expected {wanted:?} of {} objects",
            new.len()
        )),
    }
}

/// The objects of the kinds that the server knows, as it would keep them.
fn accepted(stream: &str) -> Result<Objects, String> {
    let mut found = Objects::new();
    for document in documents(stream) {
        match server_accepts(server(), &document) {
            Ok(accepted) => found.extend(accepted),
            Err(error) if error.contains(UNKNOWN) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The stream of one render of a repository.
fn stream(repository: &Path, render: &Render) -> Result<String, String> {
    let Render {
        files,
        kustomize,
        flux,
        helm,
        helm_release,
        argo,
        chart,
        with,
        ..
    } = render;
    let sources = [
        files.is_some(),
        kustomize.is_some(),
        flux.is_some(),
        helm.is_some(),
        helm_release.is_some(),
        argo.is_some(),
    ];
    if sources.iter().filter(|source| **source).count() != 1 {
        return Err("a render has one of files, kustomize, flux, helm, helmRelease, argo".to_owned());
    }
    let chart = chart.as_deref().map(self::chart).transpose()?;
    if let Some(files) = files {
        let texts: Result<Vec<String>, String> = files.iter().map(|path| compose::read(repository, path)).collect();
        return Ok(texts?.join("\n---\n"));
    }
    if let Some(folder) = kustomize {
        return kustomize_build(repository, folder);
    }
    if let Some(Helm {
        chart,
        release,
        namespace,
        values,
    }) = helm
    {
        let files: Vec<PathBuf> = values.iter().map(|path| repository.join(path)).collect();
        let layers: Vec<Values<'_>> = files.iter().map(|path| Values::File(path)).collect();
        return helm_template(&self::chart(chart)?, release, namespace, &layers);
    }
    let mut cluster = Objects::new();
    for path in with {
        cluster.extend(compose::objects_at(repository, path)?);
    }
    if let Some(reference) = flux {
        let (kustomization, _) = compose::object(repository, reference, "Kustomization")?;
        return flux_build(repository, &kustomization, &cluster);
    }
    if let Some(reference) = helm_release {
        let (release, beside) = compose::object(repository, reference, "HelmRelease")?;
        cluster.extend(beside);
        let chart = chart.ok_or("a HelmRelease needs `chart`")?;
        return helm_release::render(&release, &cluster, &chart);
    }
    let reference = argo.as_deref().unwrap_or_default();
    let application = argo::application(repository, reference)?;
    argo::render(repository, &application, chart.as_deref())
}

/// A chart of the tests.
fn chart(name: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/charts")
        .join(name);
    match path.is_dir() {
        true => Ok(path),
        false => Err(format!("there is no chart {name}")),
    }
}

#[test]
fn a_render_that_comes_to_something_else_fails() {
    let found = all()
        .into_iter()
        .flatten()
        .find(|scenario| scenario.name == "machine-deployment-v1beta2");
    let Scenario {
        before,
        expected,
        render,
        ..
    } = found.unwrap();
    let mut after = before.clone();
    after.extend(expected);
    let (before, after) = (written(&before), written(&after));
    let checked = |change: &dyn Fn(&mut Render)| {
        let mut render = render[0].clone();
        change(&mut render);
        check(before.path(), after.path(), &render)
    };
    assert!(checked(&|_| {}).is_ok_and(|accepted| accepted > 0));
    for change in [
        &(|render: &mut Render| render.changes[0].to = Some(Value::from(77))) as &dyn Fn(&mut Render),
        &|render| render.changes[0].from = Some(Value::from("3")),
        &|render| render.changes[0].pointer = "/spec/paused".to_owned(),
        &|render| drop(render.changes.pop()),
        &|render| render.kustomize = Some(".".to_owned()),
        &|render| render.files = None,
        &|render| render.files = Some(vec!["none.yaml".to_owned()]),
    ] {
        assert!(checked(change).is_err());
    }
}
