//! What a real API server can't be brought to do on demand: a small server that answers by a script.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::policy::{AuthoritiesRef, KubernetesRef};

/// What is answered to a request.
enum Reply {
    /// A status, more headers, and a body.
    Status(u16, &'static str, String),
    /// Nothing, and the connection stays open.
    Silence,
    /// Nothing, and the connection is closed.
    Close,
}

/// A server that answers by a script. It knows every path that was asked for, in order.
struct Stub {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// `script` gets a path with its query and how often it was asked for before.
    fn start(script: impl Fn(&str, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let paths = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = [0; 4_096];
                let read = stream.read(&mut bytes).unwrap_or(0);
                let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
                let Some(path) = request.split(' ').nth(1) else {
                    continue;
                };
                let before = paths.lock().unwrap().iter().filter(|asked| *asked == path).count();
                paths.lock().unwrap().push(path.to_owned());
                match script(path, before) {
                    Reply::Status(code, headers, body) => {
                        let length = body.len();
                        let head = format!(
                            "HTTP/1.1 {code} x\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
                        );
                        let _ = stream.write_all(head.as_bytes());
                        let _ = stream.write_all(body.as_bytes());
                    }
                    Reply::Silence => silent.push(stream),
                    Reply::Close => {}
                }
            }
        });
        Self { url, asked }
    }

    fn asked(&self, plural: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|path| path.contains(&format!("/{plural}?")))
            .cloned()
            .collect()
    }
}

fn ok(body: Value) -> Reply {
    Reply::Status(200, "Date: Tue, 06 Oct 2026 09:00:00 GMT\r\n", body.to_string())
}

fn refused(code: u16, headers: &'static str) -> Reply {
    Reply::Status(
        code,
        headers,
        json!({"kind": "Status", "message": "no", "metadata": {"continue": "inconsistent"}}).to_string(),
    )
}

fn list(kind: &str, items: Vec<Value>, token: &str) -> Value {
    json!({"kind": format!("{kind}List"), "metadata": {"continue": token}, "items": items})
}

fn cluster(number: usize) -> Value {
    json!({"metadata": {"name": format!("c{number}"), "namespace": "shard-a"}, "spec": {}})
}

/// A management cluster with 6 clusters in pages of 2, and nothing else.
fn healthy(path: &str) -> Reply {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let plural = path.rsplit('/').next().unwrap();
    match plural {
        "version" => ok(json!({"gitVersion": "v1.35.3"})),
        "cluster.x-k8s.io" => ok(json!({"versions": [{"version": "v1beta1"}, {"version": "v1beta2"}]})),
        "kamaji.clastix.io" => {
            ok(json!({"versions": [{"version": "v1alpha1"}], "preferredVersion": {"version": "v1alpha1"}}))
        }
        "clusters" => {
            let page: usize = query
                .rsplit_once("continue=p")
                .map_or(0, |(_, page)| page.parse().unwrap());
            let token = if page < 2 {
                format!("p{}", page + 1)
            } else {
                String::new()
            };
            ok(list("Cluster", vec![cluster(2 * page), cluster(2 * page + 1)], &token))
        }
        "machinedeployments" => ok(list("MachineDeployment", vec![], "")),
        "machines" => ok(list("Machine", vec![], "")),
        "tenantcontrolplanes" => ok(list("TenantControlPlane", vec![json!({"metadata": {}})], "")),
        "deployments" if query.contains("metadata.name%3Dkamaji") => ok(list("Deployment", vec![kamaji()], "")),
        "deployments" => ok(list("Deployment", vec![], "")),
        other => panic!("{other}"),
    }
}

fn kamaji() -> Value {
    json!({
        "metadata": {"name": "kamaji", "namespace": "kamaji-system"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "manager", "image": "kamaji:v1.0.0"}]}}},
    })
}

fn seen(url: &str, call: Duration, region: Duration) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "hunter2").unwrap();
    let reference = KubernetesRef::Server {
        url: url.to_owned(),
        authorities: AuthoritiesRef::System,
        token_file: "token".to_owned(),
    };
    let access = KubeAccess {
        reference: &reference,
        folder: Path::new(folder.path()),
        default_kubeconfig: None,
        in_cluster: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let now = "2026-10-06T09:00:00Z".parse().unwrap();
    runtime.block_on(async {
        let deadline = Deadline::after(region);
        observe(&access, "eu".parse().unwrap(), call, deadline, now).await
    })
}

/// What is seen through a script that changes a healthy server, and what it was asked.
fn through(script: impl Fn(&str, usize) -> Option<Reply> + Send + 'static) -> (Seen, Stub) {
    let stub = Stub::start(move |path, before| script(path, before).unwrap_or_else(|| healthy(path)));
    (seen(&stub.url, Duration::from_secs(20), Duration::from_secs(60)), stub)
}

fn causes(seen: &Seen) -> Vec<(Inventory, &str)> {
    seen.live
        .gaps
        .iter()
        .map(|gap| (gap.what, gap.cause.as_str()))
        .collect()
}

const CLUSTERS: Inventory = Inventory::Clusters;

#[test]
fn a_healthy_server_has_no_gaps() {
    let (seen, stub) = through(|_, _| None);
    assert_eq!((seen.live.cluster_count(), causes(&seen)), (6, vec![]));
    assert_eq!(seen.clock, "2026-10-06T09:00:00Z".parse().ok());
    let kamaji: ComponentName = "kamaji".parse().unwrap();
    assert_eq!(
        seen.live.platforms[&kamaji].tenants.value.map(|count| count.get()),
        Some(1.0)
    );
    assert_eq!(seen.live.controllers[&kamaji].version.as_deref(), Some("v1.0.0"));
    assert_eq!(
        stub.asked("clusters")[1],
        "/apis/cluster.x-k8s.io/v1beta2/clusters?limit=500&continue=p1"
    );
}

#[test]
fn a_list_that_expires_begins_anew_and_never_goes_on_with_the_inconsistent_token() {
    let (seen, stub) = through(|path, before| (path.ends_with("continue=p2") && before < 2).then(|| refused(410, "")));
    assert_eq!((seen.live.cluster_count(), causes(&seen)), (6, vec![]));
    let ends: Vec<String> = stub
        .asked("clusters")
        .iter()
        .map(|path| path.rsplit('=').next().unwrap().to_owned())
        .collect();
    assert_eq!(ends, ["500", "p1", "p2", "500", "p1", "p2", "500", "p1", "p2"]);

    let (seen, _) = through(|path, _| path.ends_with("continue=p2").then(|| refused(410, "")));
    assert_eq!(seen.live.cluster_count(), 0);
    let cause = "listing clusters: the list expired while it was read (410), 4 times";
    assert_eq!(causes(&seen), [(CLUSTERS, cause)]);
}

#[test]
fn what_is_not_certainly_the_whole_list_is_a_gap() {
    type Page = fn() -> Reply;
    let broken: [(&str, Page); 6] = [
        ("EOF while parsing", || {
            Reply::Status(
                200,
                "",
                list("Cluster", vec![cluster(2)], "p2").to_string()[..60].to_owned(),
            )
        }),
        ("the answer is no list: it is of another kind", || {
            ok(json!({"kind": "Status", "items": []}))
        }),
        ("the answer is no list: it has no items", || {
            ok(json!({"kind": "ClusterList", "metadata": {}}))
        }),
        ("the answer is no list: it has no items", || {
            ok(json!({"kind": "ClusterList", "items": null}))
        }),
        ("the answer is no list: it goes round in circles", || {
            ok(list("Cluster", vec![], "p1"))
        }),
        ("missing field `metadata`", || {
            ok(list("Cluster", vec![json!({"spec": {}})], ""))
        }),
    ];
    for (words, reply) in broken {
        let (seen, _) = through(move |path, _| path.ends_with("continue=p1").then(reply));
        assert_eq!(seen.live.cluster_count(), 0, "{words}");
        let [(CLUSTERS, cause)] = causes(&seen)[..] else {
            panic!("{:?}", causes(&seen))
        };
        assert!(
            cause.starts_with("listing clusters: ") && cause.contains(words),
            "{cause}"
        );
    }
}

#[test]
fn a_server_that_stumbles_is_asked_again_and_one_that_refuses_is_not() {
    for (name, reply, asked, gaps) in [
        (
            "503 twice",
            (|before| (before < 2).then(|| refused(503, ""))) as fn(usize) -> Option<Reply>,
            3,
            0,
        ),
        (
            "429 once",
            |before| (before < 1).then(|| refused(429, "Retry-After: 0\r\n")),
            2,
            0,
        ),
        ("dropped once", |before| (before < 1).then_some(Reply::Close), 2, 0),
        ("500 for ever", |_| Some(refused(500, "")), 3, 1),
        ("429 for an hour", |_| Some(refused(429, "Retry-After: 3600\r\n")), 1, 1),
        ("401", |_| Some(refused(401, "")), 1, 1),
        ("403", |_| Some(refused(403, "")), 1, 1),
        ("404", |_| Some(refused(404, "")), 1, 1),
        ("302", |_| Some(refused(302, "Location: http://127.0.0.1:1/\r\n")), 1, 1),
    ] {
        let (seen, stub) = through(move |path, before| {
            if path.contains("/machines?") {
                reply(before)
            } else {
                None
            }
        });
        assert_eq!(
            (stub.asked("machines").len(), seen.live.gaps.len()),
            (asked, gaps),
            "{name}: {:?}",
            causes(&seen)
        );
        // The other kinds are seen as ever.
        assert_eq!((seen.live.cluster_count(), seen.live.platforms.len()), (6, 1), "{name}");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let (seen, _) = through(|path, _| path.contains("/machines?").then(|| refused(403, "")));
    let cause = "listing machines: 403 forbidden: no; we may not list machines.cluster.x-k8s.io: the ClusterRole of the service account has \
                 to allow it";
    assert_eq!(causes(&seen), [(CLUSTERS, cause)]);

    let (seen, _) = through(|path, _| path.contains("/deployments?").then(|| refused(403, "")));
    let all: Vec<Inventory> = seen.live.gaps.iter().map(|gap| gap.what).collect();
    assert_eq!(all, [Inventory::Platforms, Inventory::Controllers]);

    let (seen, _) = through(|path, _| path.contains("/tenantcontrolplanes?").then(|| refused(403, "")));
    let tenants = &seen.live.platforms.values().next().unwrap().tenants;
    assert_eq!((tenants.value, causes(&seen)), (None, vec![]));
    assert!(
        tenants
            .cause
            .as_ref()
            .unwrap()
            .contains("tenantcontrolplanes.kamaji.clastix.io")
    );
}

#[test]
fn a_kind_that_hangs_is_a_gap_and_the_others_go_on() {
    let stub = Stub::start(|path, _| {
        if path.contains("/machinedeployments?") {
            Reply::Silence
        } else {
            healthy(path)
        }
    });
    let seen = seen(&stub.url, Duration::from_millis(300), Duration::from_secs(60));
    assert_eq!(
        causes(&seen),
        [(CLUSTERS, "listing machinedeployments: no answer within 300.0ms")]
    );
    assert_eq!((seen.live.cluster_count(), seen.live.platforms.len()), (6, 1));
}

#[test]
fn deployments_that_hang_are_waited_for_once() {
    let stub = Stub::start(|path, _| {
        if path.contains("/deployments?") {
            Reply::Silence
        } else {
            healthy(path)
        }
    });
    let seen = seen(&stub.url, Duration::from_millis(300), Duration::from_secs(60));
    let cause = "listing deployments: no answer within 300.0ms";
    assert_eq!(
        causes(&seen),
        [(Inventory::Platforms, cause), (Inventory::Controllers, cause)]
    );
    assert_eq!((seen.live.cluster_count(), stub.asked("deployments").len()), (6, 1));
}

#[test]
fn a_group_that_is_absent_is_not_one_that_is_hidden() {
    let (seen, _) = through(|path, _| path.ends_with("/cluster.x-k8s.io").then(|| refused(404, "")));
    assert_eq!(
        causes(&seen),
        [(
            CLUSTERS,
            "Cluster API is not installed: there is no API group cluster.x-k8s.io"
        )]
    );
    let (seen, _) = through(|path, _| path.ends_with("/cluster.x-k8s.io").then(|| refused(403, "")));
    assert_eq!(
        causes(&seen),
        [(CLUSTERS, "asking for the API group cluster.x-k8s.io: 403 forbidden: no")]
    );
    let (seen, _) = through(|path, _| path.ends_with("/kamaji.clastix.io").then(|| refused(404, "")));
    let tenants = &seen.live.platforms.values().next().unwrap().tenants;
    assert_eq!(
        tenants.cause.as_deref(),
        Some("there is no API group kamaji.clastix.io")
    );
    assert_eq!(causes(&seen), []);
}

#[test]
fn a_server_that_does_not_answer_is_blind_in_all() {
    let all = |seen: &Seen| seen.live.gaps.iter().map(|gap| gap.what).collect::<Vec<_>>();
    let every = [Inventory::Clusters, Inventory::Platforms, Inventory::Controllers];
    let (unauthorised, stub) = through(|_, _| Some(refused(401, "")));
    assert_eq!(
        (all(&unauthorised), stub.asked.lock().unwrap().len()),
        (every.to_vec(), 1)
    );
    assert!(causes(&unauthorised)[0].1.ends_with(": 401 unauthorized: no"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = seen(
        &format!("http://127.0.0.1:{port}"),
        Duration::from_secs(5),
        Duration::from_secs(20),
    );
    assert_eq!(all(&closed), every);
    assert!(
        causes(&closed)[0].1.contains("onnection refused"),
        "{:?}",
        causes(&closed)
    );
    let over = seen(&stub.url, Duration::from_secs(5), Duration::ZERO);
    assert_eq!(all(&over), every);
    assert!(causes(&over)[0].1.ends_with("the time for this region was over"));
}

/// Whatever happens to the pages of a list, its count is the truth or it has a gap.
#[test]
fn a_count_is_the_truth_or_there_is_a_gap() {
    let mut state: u64 = 7;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let (mut whole, mut gaps) = (0, 0);
    for _ in 0..200 {
        let faults: BTreeMap<usize, usize> = (0..3).map(|_| (random(9), random(12))).collect();
        let number = Mutex::new(0);
        let (seen, _) = through(move |path, _| {
            if !path.contains("/clusters?") {
                return None;
            }
            let mut number = number.lock().unwrap();
            *number += 1;
            match faults.get(&(*number - 1))? {
                0..=3 => Some(refused(410, "")),
                4 => Some(Reply::Status(
                    200,
                    "",
                    "{\"kind\":\"ClusterList\",\"items\":[".to_owned(),
                )),
                // The first page again, whichever was asked for.
                5 => Some(ok(list("Cluster", vec![cluster(0), cluster(1)], "p1"))),
                6 => Some(ok(json!({"kind": "ClusterList"}))),
                7 => Some(refused(404, "")),
                _ => None,
            }
        });
        match (seen.live.cluster_count(), seen.live.gaps.len()) {
            (6, 0) => whole += 1,
            (_, 1..) => gaps += 1,
            other => panic!("{other:?}: {:?}", causes(&seen)),
        }
    }
    assert!(whole > 20 && gaps > 20, "{whole} whole, {gaps} gaps");
}
