//! The shipped fleet, bound.

use fleetscale::fleet::{FleetTree, Lent, Mode, TreeEntry, applied_paths, bind, screen};
use fleetscale::model::{Binding, Declared, DeclaredShard, PlacementRequest, Site, Unbound};

use super::{quickstart, tree};

fn site(site: &Site) -> String {
    match site {
        Site::Writable(place) => format!("{}:{} {} {:?}", place.path, place.line, place.pointer, place.form),
        Site::Refused { path, line, refusal } => {
            let path = path.as_ref().map_or("", |path| path.as_str());
            format!("{path}:{line} {refusal}")
        }
    }
}

fn shown(declared: &Declared) -> String {
    let Declared {
        base: _,
        bindings,
        requests,
        shards,
        unbound,
    } = declared;
    let mut text = String::new();
    for (target, binding) in bindings {
        let Binding {
            value,
            site: at,
            autoscaler,
            unscaled,
            paused,
            hold,
        } = binding;
        let value = value.as_ref().map_or("-".to_owned(), ToString::to_string);
        text += &format!("{target} = {value}\n    {}\n", site(at));
        if let Some(bounds) = autoscaler {
            text += &format!("    autoscaler {}..{}\n", bounds.min, bounds.max);
        }
        if let Some(why) = unscaled {
            text += &format!("    {why}\n");
        }
        if *paused {
            text += "    paused\n";
        }
        if let Some(hold) = hold {
            text += &format!("    held: {} until {:?}\n", hold.reason, hold.until);
        }
    }
    for (target, request) in requests {
        let PlacementRequest {
            path, documents, hold, ..
        } = request;
        text += &format!("{target} {path}\n");
        match documents {
            Ok(documents) => {
                for document in documents {
                    text += &format!(
                        "    {} {} in {:?}\n",
                        document.document, document.object, document.namespace
                    );
                }
            }
            Err(refused) => text += &format!("    line {}: {}\n", refused.line, refused.refusal),
        }
        if let Some(hold) = hold {
            text += &format!("    held: {} until {:?}\n", hold.reason, hold.until);
        }
    }
    for (name, shard) in shards {
        let DeclaredShard {
            management_cluster,
            namespace,
            clusters,
            kustomization,
            folder,
            files,
        } = shard;
        let clusters: Vec<&str> = clusters.iter().map(|name| name.as_str()).collect();
        text += &format!("shard {name} = {management_cluster}/{namespace} in {folder}\n");
        text += &format!(
            "    clusters {}\n    files {}\n    {}\n",
            clusters.join(" "),
            files.join(" "),
            site(kustomization)
        );
    }
    for Unbound {
        path,
        line,
        what,
        refusal,
    } in unbound
    {
        text += &format!("unbound {path}:{line} {what}: {refusal}\n");
    }
    text
}

#[test]
fn the_quickstart_fleet_is_bound_as_its_authors_meant() {
    let (fleet, policies, files) = quickstart();
    let tree = tree(&files);
    insta::assert_snapshot!(shown(&bind(&fleet, &policies, &tree)));
    let applied = applied_paths(&fleet, &tree);
    for policy in &policies.sharding {
        let applied = applied.iter().map(|(path, who)| (path.as_ref(), who.as_str()));
        assert_eq!(policy.outside_applied_paths(applied), []);
    }
    let applied: Vec<String> = applied
        .into_iter()
        .map(|(path, who)| {
            format!(
                "{}: {who}\n",
                path.map_or("everything".to_owned(), |path| path.to_string())
            )
        })
        .collect();
    insta::assert_snapshot!(applied.concat());
}

#[test]
fn what_the_screen_leaves_out_of_the_quickstart_fleet_does_not_matter() {
    let (fleet, policies, files) = quickstart();
    let whole = tree(&files);
    let entries = files.iter().map(|(path, bytes)| TreeEntry {
        path: path.parse().unwrap(),
        mode: Mode::File,
        id: bytes,
    });
    let screened = FleetTree::read(
        whole.base().clone(),
        entries,
        &screen(&fleet, &policies),
        |bytes, lend| {
            lend(bytes);
            Ok::<_, std::convert::Infallible>(Lent::Whole)
        },
    )
    .unwrap();
    assert!(screened.kept().count() < whole.kept().count());
    assert_eq!(bind(&fleet, &policies, &screened), bind(&fleet, &policies, &whole));
    assert_eq!(applied_paths(&fleet, &screened), applied_paths(&fleet, &whole));
}
