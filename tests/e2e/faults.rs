//! One region's servers fail in every way that we know of; the program is run as it is, and the other region must not notice.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::agent::{Agent, git, text};
use crate::env::{Fault, Proxy, Seen, free_port, json_answer};
use crate::region::{self, Named, SHARED, STOPPED, Servers};

/// What is wrong in the region eu, and what the run has to say about it.
struct Case {
    name: &'static str,
    spoil: fn(&mut Named),
    api: fn(&Seen) -> Fault,
    prometheus: fn(&Seen) -> Fault,
    /// Listings that have a gap then.
    gaps: &'static [&'static str],
    /// A part of the cause.
    cause: &'static str,
    /// The clusters of the region that still grow, beside the one whose pull request is open already.
    ups: &'static [&'static str],
}

/// Where the API server is to blame, nothing of it is known.
const ALL: &[&str] = &["clusters", "controllers", "platforms"];

const HEALTHY: Case = Case {
    name: "nothing",
    spoil: |_| {},
    api: |_| Fault::None,
    prometheus: |_| Fault::None,
    gaps: &[],
    cause: "",
    ups: &[],
};

fn answer(status: &str, kind: &str, body: &str) -> Fault {
    Fault::Answer(format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

/// An address at which nobody listens.
fn nobody() -> String {
    format!("http://127.0.0.1:{}", free_port())
}

/// An answer of Prometheus with other values.
fn with_values(body: Vec<u8>, value: impl Fn(&mut Vec<Value>)) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(&body).unwrap();
    if let Some(results) = answer["data"]["result"].as_array_mut() {
        value(results);
    }
    answer.to_string().into_bytes()
}

fn no_results(body: Vec<u8>) -> Vec<u8> {
    with_values(body, Vec::clear)
}

fn not_a_number(body: Vec<u8>) -> Vec<u8> {
    with_values(body, |results| {
        results.iter_mut().for_each(|result| result["value"][1] = json!("NaN"));
    })
}

/// A list that goes on behind its end.
fn with_more(body: Vec<u8>) -> Vec<u8> {
    let mut list: Value = serde_json::from_slice(&body).unwrap();
    list["metadata"]["continue"] = json!("more");
    list.to_string().into_bytes()
}

fn without_items(body: Vec<u8>) -> Vec<u8> {
    let mut list: Value = serde_json::from_slice(&body).unwrap();
    list["items"] = json!([]);
    list.to_string().into_bytes()
}

fn is_list(seen: &Seen, plural: &str) -> bool {
    seen.line.contains(&format!("/{plural}?limit="))
}

fn cases() -> Vec<Case> {
    let of_prometheus = |name, cause, prometheus| Case {
        name,
        cause,
        prometheus,
        ..HEALTHY
    };
    let of_api = |name, cause, api| Case {
        name,
        cause,
        api,
        gaps: ALL,
        ..HEALTHY
    };
    let metrics = |case| Case {
        gaps: &["metrics"],
        ..case
    };
    vec![
        Case {
            name: "Prometheus is down",
            spoil: |named| named.prometheus = nobody(),
            gaps: &["metrics"],
            cause: "connecting to http://127.0.0.1:",
            ..HEALTHY
        },
        metrics(of_prometheus("Prometheus hangs", "no answer within", |_| Fault::Hang)),
        metrics(of_prometheus("Prometheus is slow", "no answer within", |_| Fault::Slow)),
        metrics(of_prometheus(
            "Prometheus answers 503",
            "answers 503: starting up",
            |_| answer("503 Service Unavailable", "text/plain", "starting up"),
        )),
        metrics(of_prometheus(
            "Prometheus answers HTML",
            "the answer is not Prometheus'",
            |_| answer("200 OK", "text/html", "<!doctype html><p>Please sign in."),
        )),
        metrics(of_prometheus(
            "Prometheus is cut off",
            "reading the answer of http",
            |_| Fault::Cut(20),
        )),
        of_prometheus(
            "Prometheus has nothing",
            "no series of node_cpu_seconds_total at all",
            |_| Fault::Edit(no_results),
        ),
        of_prometheus("Prometheus says NaN", "is NaN on", |seen| {
            // The values alone: how many series there are is still told.
            if text(&seen.body).starts_with("query=1%20-%20") {
                Fault::Edit(not_a_number)
            } else {
                Fault::None
            }
        }),
        Case {
            name: "Prometheus does not answer for a day",
            prometheus: |seen| {
                if text(&seen.body).contains("86400") {
                    answer("422 Unprocessable Entity", "text/plain", "too many samples")
                } else {
                    Fault::None
                }
            },
            cause: "too many samples",
            ups: &["hot"],
            ..HEALTHY
        },
        Case {
            name: "the exporters stopped 20 minutes ago",
            spoil: |named| named.cluster_value = STOPPED.to_owned(),
            cause: "none of its nodes has had a sample for 5m",
            ..HEALTHY
        },
        Case {
            name: "somebody else's series have our label",
            spoil: |named| named.cluster_value = SHARED.to_owned(),
            cause: "more than one series",
            ..HEALTHY
        },
        Case {
            name: "the API server is down",
            spoil: |named| named.api = nobody(),
            gaps: ALL,
            cause: "onnect",
            ..HEALTHY
        },
        of_api("the API server hangs", "no answer within", |_| Fault::Hang),
        Case {
            name: "the API server answers 401",
            spoil: |named| named.token_file = named.token_file.replace("reader-token", "ca.crt.name"),
            gaps: ALL,
            cause: "401",
            ..HEALTHY
        },
        Case {
            name: "the API server answers 403 for one kind",
            spoil: |named| named.token_file = named.token_file.replace("reader", "blinded"),
            gaps: &["clusters"],
            cause: "machinedeployments",
            ..HEALTHY
        },
        Case {
            gaps: &["clusters"],
            ..of_api("the list of node groups expires again and again", "expired", |seen| {
                if seen.line.contains("&continue=") {
                    let body =
                        r#"{"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410}"#;
                    Fault::Answer(json_answer("410 Gone", "", body))
                } else if is_list(seen, "machinedeployments") {
                    Fault::Edit(with_more)
                } else {
                    Fault::None
                }
            })
        },
        Case {
            gaps: &[],
            ..of_api(
                "the API server has lost everything",
                "only 0 of 4 declared clusters are live",
                |seen| {
                    if seen.line.contains("?limit=") {
                        Fault::Edit(without_items)
                    } else {
                        Fault::None
                    }
                },
            )
        },
    ]
}

/// What a run said and left.
struct Told {
    /// Of the whole run.
    report: Value,
    snapshot: Value,
    out: String,
    err: String,
    code: Option<i32>,
    /// The files of all pull requests.
    requests: String,
}

impl Told {
    /// The region's part of the snapshot, as it is written down.
    fn live(&self, management_cluster: &str) -> String {
        self.snapshot["live"]["managementClusters"][management_cluster].to_string()
    }

    fn gaps(&self, management_cluster: &str) -> Vec<String> {
        let live = &self.snapshot["live"]["managementClusters"][management_cluster];
        let gaps = live["gaps"].as_array().cloned().unwrap_or_default();
        let mut gaps: Vec<String> = gaps
            .iter()
            .map(|gap| gap["what"].as_str().unwrap().to_owned())
            .collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// What is proposed for a management cluster, and what became of it. The numbers of pull requests are the forge's, one after the other
    /// for all regions.
    fn proposed(&self, management_cluster: &str) -> (Vec<Value>, Vec<Value>) {
        let of = |list: &Value| -> Vec<Value> {
            let is_of = |one: &&Value| {
                let branch = one["branch"].as_str().unwrap_or_default();
                branch.starts_with(&format!("fleetscale/{management_cluster}/"))
            };
            list.as_array().unwrap().iter().filter(is_of).cloned().collect()
        };
        let mut scopes = of(&self.report["scopes"]);
        for scope in scopes.iter_mut().filter_map(Value::as_object_mut) {
            scope.retain(|key, _| !matches!(key.as_str(), "number" | "location"));
        }
        (of(&self.report["plan"]["proposals"]), scopes)
    }
}

/// A folder with the fleet's repository, in which an earlier run has opened one pull request of each region.
fn earlier_run(folder: &Path, servers: &Servers) {
    let clone = folder.join("clone");
    std::fs::create_dir(&clone).unwrap();
    git(&clone, &["init", "-q", "-b", "main"]);
    region::commit_files(&clone);
    git(folder, &["clone", "-q", "--bare", "clone", "fleet.git"]);
    std::fs::remove_dir_all(&clone).unwrap();
    let output = start(folder, servers, &HEALTHY).run(&["run", "--select", "cluster=*-open"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

/// The program in a folder, with proxies of its own before the servers of the region eu.
fn start(folder: &Path, servers: &Servers, case: &Case) -> Agent {
    let [eu, us] = servers.kubernetes;
    let before = |kubernetes: &crate::env::kubernetes::Kubernetes| {
        let authorities = std::fs::read(kubernetes.folder.join("ca.crt")).unwrap();
        Proxy::before(&kubernetes.url, Some(&authorities))
    };
    let metrics = servers.prometheus.server.url();
    let (api, other) = (before(eu), before(us));
    let prometheus = Proxy::before(metrics, None);
    api.when(case.api);
    prometheus.when(case.prometheus);
    let mut named = [
        Named::new(api.url(), prometheus.url(), eu),
        Named::new(other.url(), metrics, us),
    ];
    (case.spoil)(&mut named[0]);
    if named[0].token_file.ends_with("ca.crt.name") {
        named[0].token_file = folder.join("unknown-token").display().to_string();
        std::fs::write(folder.join("unknown-token"), "nobody's").unwrap();
    }
    let head = "  repository: {path: fleet.git}\n  deadlines: {region: 5s, call: 2s}";
    let file = region::fleet_file(folder, head, &named);
    Agent::new(&file, &folder.join("work")).at(servers.now)
}

/// Runs the program in a copy of a folder.
fn run(origin: &Path, servers: &Servers, case: &Case) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(origin.join("."))
        .arg(folder.path())
        .status();
    assert!(copied.unwrap().success());
    let saved = folder.path().join("snapshot.json");
    let agent = start(folder.path(), servers, case);
    let output = agent.run(&["run", "-o", "json", "--snapshot-out", saved.to_str().unwrap()]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| panic!("{}: {out}\n{err}", case.name));
    let requests = Command::new("grep")
        .args(["-r", "", "."])
        .current_dir(folder.path().join("work/pull-requests"))
        .output();
    Told {
        report: read(&out),
        snapshot: read(&std::fs::read_to_string(&saved).unwrap_or_default()),
        code: output.status.code(),
        requests: text(&requests.unwrap().stdout),
        out,
        err,
    }
}

/// The clusters of the proposals in the region eu, each with its direction.
fn changes(told: &Told) -> Vec<String> {
    let (proposals, _) = told.proposed("eu-1");
    let branches = proposals.iter().map(|one| one["branch"].as_str().unwrap().to_owned());
    let mut branches: Vec<String> = branches.collect();
    branches.sort();
    branches
}

fn done(told: &Told, part: &str) -> String {
    let (_, scopes) = told.proposed("eu-1");
    let scope = scopes
        .iter()
        .find(|scope| scope["branch"].as_str().unwrap().contains(part));
    scope.map_or_else(String::new, |scope| scope["done"].as_str().unwrap().to_owned())
}

#[test]
fn whatever_fails_in_one_region_closes_nothing_shrinks_nothing_and_leaves_the_other_as_it_is() {
    let servers = Servers::shared();
    let origin = tempfile::tempdir().unwrap();
    earlier_run(origin.path(), servers);

    let healthy = run(origin.path(), servers, &HEALTHY);
    assert_eq!(healthy.code, Some(0), "{}\n{}", healthy.out, healthy.err);
    println!("fault-free: {:?}", changes(&healthy));
    for region in ["eu-1", "us-1"] {
        let (_, scopes) = healthy.proposed(region);
        let of = |part: &str| {
            let scope = scopes
                .iter()
                .find(|scope| scope["branch"].as_str().unwrap().contains(part));
            scope.map_or("", |scope| scope["done"].as_str().unwrap()).to_owned()
        };
        assert_eq!(
            [of("-hot"), of("-idle"), of("-open"), of("-calm")],
            ["created", "created", "unchanged", ""],
            "{region}: {scopes:?}"
        );
    }

    let failures = Mutex::new(Vec::new());
    let queue = Mutex::new(cases());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().pop() else { break };
                    let told = run(origin.path(), servers, &case);
                    let wrong = check(&case, &told, &healthy);
                    println!("{}: {:?} {:?}", case.name, told.code, told.gaps("eu-1"));
                    if !wrong.is_empty() {
                        let shown = format!("{}: {}\n{:.2000}", case.name, wrong.join("\n  "), told.live("eu-1"));
                        failures.lock().unwrap().push(shown);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// What is not as it has to be.
fn check(case: &Case, told: &Told, healthy: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |what: &str, is_so: bool| {
        if !is_so {
            wrong.push(what.to_owned());
        }
    };
    expect(
        "the healthy region's part of the snapshot",
        told.live("us-1") == healthy.live("us-1"),
    );
    let ((proposals, scopes), (wanted, ended)) = (told.proposed("us-1"), healthy.proposed("us-1"));
    expect("the healthy region's proposals", proposals == wanted);
    expect(&format!("what became of them: {scopes:?}"), scopes == ended);
    expect("the listings with gaps", told.gaps("eu-1") == case.gaps);
    let code = if case.gaps.is_empty() { 0 } else { 2 };
    expect(&format!("the exit code {:?}", told.code), told.code == Some(code));
    expect("the cause in the output", told.out.contains(case.cause));
    let (_, scopes) = told.proposed("eu-1");
    expect("no pull request is closed", {
        !scopes
            .iter()
            .any(|scope| scope["done"].as_str().unwrap().contains("close"))
            && !told.requests.contains("withdrawn")
    });
    expect("the open pull request stays", done(told, "-open") == "unchanged");
    expect("no down", !changes(told).iter().any(|branch| branch.contains("-idle")));
    let grown: Vec<String> = changes(told)
        .into_iter()
        .filter(|branch| !branch.contains("-open"))
        .collect();
    expect(&format!("the ups {grown:?}"), {
        grown.len() == case.ups.len()
            && case
                .ups
                .iter()
                .all(|name| grown.iter().any(|branch| branch.contains(name)))
    });
    wrong
}

#[test]
fn a_prometheus_that_is_down_is_one_line_and_the_exit_code_of_what_is_partial() {
    let servers = Servers::shared();
    let folder = tempfile::tempdir().unwrap();
    earlier_run(folder.path(), servers);
    let case = Case {
        spoil: |named| named.prometheus = nobody(),
        ..HEALTHY
    };
    let output = start(folder.path(), servers, &case).run(&["observe", "-o", "json"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.contains("not seen (1):\n  eu-1: metrics: connecting to http://127.0.0.1:"),
        "{err}"
    );
}
