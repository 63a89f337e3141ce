//! The runner itself: a scenario that says anything else than what is fails.

use fleetscale::model::Scalar;

use super::{Scenario, first, run};
use crate::scenario::{Refused, all};

/// The scenario that the others deviate from.
fn healthy() -> Scenario {
    let found = all()
        .into_iter()
        .flatten()
        .find(|scenario| scenario.name == "machine-deployment-v1beta2");
    found.unwrap()
}

fn fails(change: impl FnOnce(&mut Scenario)) -> String {
    let mut scenario = healthy();
    assert_eq!((scenario.check(), run(&scenario)), (Ok(()), Ok(())));
    change(&mut scenario);
    scenario.check().and_then(|()| run(&scenario)).unwrap_err()
}

#[test]
fn whatever_is_not_as_a_scenario_says_fails() {
    let error = fails(|scenario| first(scenario).from = Some(Scalar::Integer(77)));
    assert!(error.contains("not Some(Integer(77))"), "{error}");
    let error = fails(|scenario| first(scenario).from = Some(Scalar::Text("3".to_owned())));
    assert!(error.contains("not Some(Text(\"3\"))"), "{error}");
    let error = fails(|scenario| first(scenario).to = Scalar::Integer(77));
    assert!(error.contains("differs at line"), "{error}");
    let error = fails(|scenario| first(scenario).shape = Some("topology".to_owned()));
    assert!(error.contains("has the shape"), "{error}");
    let error = fails(|scenario| first(scenario).target = "node-group/eu-1/a/b/c/replicas".parse().unwrap());
    assert!(error.contains("is not found"), "{error}");
    let error = fails(|scenario| {
        let target = first(scenario).target.clone();
        scenario.absent.push(target);
    });
    assert!(error.contains("is there"), "{error}");
    let error = fails(|scenario| {
        let (target, why, at) = (first(scenario).target.clone(), "alias".to_owned(), "x:1".to_owned());
        scenario.refused.push(Refused {
            target,
            value: None,
            why,
            at,
            says: None,
            shape: None,
            owner: None,
        });
    });
    assert!(error.contains("not refused"), "{error}");
    let error = fails(|scenario| {
        for bytes in scenario.expected.values_mut().flatten() {
            bytes.extend(b"# and more\n");
        }
    });
    assert!(error.contains("differs at its end"), "{error}");
}

#[test]
fn a_scenario_without_content_or_with_more_than_is_read_fails() {
    let error = fails(|scenario| scenario.set.clear());
    assert!(error.contains("nothing is set"), "{error}");
    let error = fails(|scenario| scenario.expected.clear());
    assert!(error.contains("go together"), "{error}");
    let error = fails(|scenario| {
        scenario.expected.insert("eu-1/more.yaml".to_owned(), Some(Vec::new()));
    });
    assert!(error.contains("is not in repo/"), "{error}");
    let error = fails(|scenario| {
        let (path, bytes) = scenario.before.first_key_value().unwrap();
        let (path, bytes) = (path.clone(), bytes.clone());
        scenario.before.insert("eu-1/more.yaml".to_owned(), bytes.clone());
        scenario.expected.insert("eu-1/more.yaml".to_owned(), bytes);
        assert!(path.starts_with("eu-1/"));
    });
    assert!(error.contains("does not change"), "{error}");
    let error = fails(|scenario| scenario.render.clear());
    assert!(error.contains("neither `render` nor `notRendered`"), "{error}");
    let error = fails(|scenario| scenario.render.iter_mut().for_each(|render| render.changes.clear()));
    assert!(error.contains("changes what is rendered"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let load = || Scenario::load(folder.path()).unwrap_err();
    assert!(load().contains("scenario.yaml"));
    let text = "about: x\nset: []\nrefused: []\n";
    std::fs::create_dir(folder.path().join("repo")).unwrap();
    std::fs::write(folder.path().join("scenario.yaml"), text).unwrap();
    assert!(load().contains("nothing is set"));
    std::fs::write(folder.path().join("scenario.yaml"), format!("{text}more: 1\n")).unwrap();
    assert!(load().contains("unknown field"));
    std::fs::write(folder.path().join("notes.txt"), "").unwrap();
    std::fs::write(folder.path().join("scenario.yaml"), text).unwrap();
    assert!(load().contains("nothing reads notes.txt"));
}
