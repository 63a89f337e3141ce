//! What it takes to observe a management cluster with 30,000 MachineDeployments and 60,000 Machines: time and peak memory of the real
//! program, beside the time that a bare client takes to read the same pages.
//!
//! The API server is a process of its own that replays pages. Its objects have what real ones have: labels, conditions, and
//! `managedFields`, which are half of their size and which nobody needs.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The flag with which this binary starts itself as the server.
pub(crate) const REPLAY: &str = "--replay-pages";

const CLUSTERS: usize = 3_000;
const GROUPS: usize = 30_000;
const MACHINES: usize = 60_000;

/// Observes it once and prints the row.
pub(crate) fn measure() {
    let mut server = Server::start();
    let folder = tempfile::TempDir::new().unwrap();
    let fleet = prepare(folder.path(), &server.address);
    let (bytes, read) = crate::timed(|| read_all(&server.address));
    let (peak, observed) = crate::timed(|| observe(&fleet, folder.path()));
    let snapshot = fs::read_to_string(folder.path().join("snapshot.json")).unwrap();
    let groups = snapshot.matches("\"upToDate\"").count();
    assert_eq!(groups, GROUPS, "every node group is in the snapshot");
    println!(
        "observe: {CLUSTERS} clusters, {GROUPS} MachineDeployments, {MACHINES} Machines, {} MiB of pages: {}, peak memory {peak} MiB; \
         only to read the pages: {}; ratio {:.1}",
        bytes >> 20,
        crate::milliseconds(observed),
        crate::milliseconds(read),
        observed.as_secs_f64() / read.as_secs_f64()
    );
    server.stop();
}

fn observe(fleet: &Path, folder: &Path) -> u64 {
    let mut program = Command::new(env!("CARGO_BIN_EXE_fleetscale"));
    program
        .args(["observe", "-o", "json", "--out"])
        .arg(folder.join("snapshot.json"))
        .arg("--fleet")
        .arg(fleet)
        .arg("--work-dir")
        .arg(folder.join("work"));
    // Partial: there is no Prometheus to ask.
    crate::peak_memory_of(&mut program, 2)
}

/// A repository with one policy, and the fleet file.
fn prepare(folder: &Path, address: &str) -> std::path::PathBuf {
    let tree = folder.join("fleet/fleetscale");
    fs::create_dir_all(&tree).unwrap();
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/node-groups.yaml");
    fs::copy(policies, tree.join("node-groups.yaml")).unwrap();
    fs::write(folder.join("token"), "token").unwrap();
    let text = format!(
        "apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {{name: large}}
spec:
  repository: {{import: fleet}}
  regions:
    - name: eu
      managementClusters:
        - {{name: eu-1, paths: [clusters], kubernetes: {{server: \"{address}\", tokenFile: token}}}}
"
    );
    let path = folder.join("fleet.yaml");
    fs::write(&path, text).unwrap();
    path
}

/// The floor: all pages over plain sockets, thrown away.
fn read_all(address: &str) -> usize {
    let mut bytes = 0;
    for (plural, count) in [
        ("clusters", CLUSTERS),
        ("machinedeployments", GROUPS),
        ("machines", MACHINES),
    ] {
        for start in (0..count).step_by(500) {
            let path = format!("/apis/cluster.x-k8s.io/v1beta2/{plural}?limit=500&continue={start}");
            let mut stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            bytes += answer.len();
        }
    }
    bytes
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(REPLAY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            child,
            address: address.trim().to_owned(),
        }
    }

    fn stop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The server: prints its address, and serves until its standard input ends.
pub(crate) fn replay() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn serve(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut close = false;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            close |= header.to_ascii_lowercase().starts_with("connection: close");
            if header.trim().is_empty() {
                break;
            }
        }
        let (status, body) = answer(first.split(' ').nth(1)?);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        if close {
            return None;
        }
    }
}

fn answer(path: &str) -> (&'static str, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let start: usize = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("continue=")?.parse().ok())
        .unwrap_or(0);
    match path.rsplit('/').next().unwrap_or_default() {
        "version" => ("200 OK", r#"{"major":"1","minor":"35","gitVersion":"v1.35.3"}"#.to_owned()),
        "cluster.x-k8s.io" => (
            "200 OK",
            r#"{"kind":"APIGroup","name":"cluster.x-k8s.io","versions":[{"version":"v1beta2"}],"preferredVersion":{"version":"v1beta2"}}"#
                .to_owned(),
        ),
        "clusters" => page("ClusterList", start, CLUSTERS, cluster),
        "machinedeployments" => page("MachineDeploymentList", start, GROUPS, group),
        "machines" => page("MachineList", start, MACHINES, machine),
        "deployments" => page("DeploymentList", 0, 0, cluster),
        _ => ("404 Not Found", r#"{"kind":"Status","code":404,"message":"not found"}"#.to_owned()),
    }
}

fn page(kind: &str, start: usize, count: usize, object: fn(usize) -> String) -> (&'static str, String) {
    let end = (start + 500).min(count);
    let objects: Vec<String> = (start..end).map(object).collect();
    let token = if end < count { end.to_string() } else { String::new() };
    let text = format!(
        r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{{"resourceVersion":"1","continue":"{token}"}},"items":[{}]}}"#,
        objects.join(",")
    );
    ("200 OK", text)
}

fn cluster(index: usize) -> String {
    object(
        &format!("c{index}"),
        "{}",
        r#"{"infrastructureRef":{"kind":"DevCluster"}}"#,
        "{}",
    )
}

/// Ten node groups a cluster.
fn group(index: usize) -> String {
    let cluster = index / 10;
    object(
        &format!("c{cluster}-md-{index}"),
        &format!(r#"{{"cluster.x-k8s.io/cluster-name":"c{cluster}"}}"#),
        &format!(r#"{{"clusterName":"c{cluster}","replicas":2,"template":{{"spec":{{"version":"v1.35.3"}}}}}}"#),
        r#"{"observedGeneration":1,"replicas":2,"readyReplicas":2,"availableReplicas":2,"upToDateReplicas":2,"phase":"Running"}"#,
    )
}

/// Two machines a node group.
fn machine(index: usize) -> String {
    let (group, cluster) = (index / 2, index / 20);
    object(
        &format!("c{cluster}-md-{group}-{index}"),
        &format!(
            r#"{{"cluster.x-k8s.io/cluster-name":"c{cluster}","cluster.x-k8s.io/deployment-name":"c{cluster}-md-{group}"}}"#
        ),
        &format!(r#"{{"clusterName":"c{cluster}","version":"v1.35.3","providerID":"dev://{index}"}}"#),
        &format!(r#"{{"nodeRef":{{"name":"c{cluster}-md-{group}-{index}"}},"phase":"Running"}}"#),
    )
}

fn object(name: &str, labels: &str, spec: &str, status: &str) -> String {
    let mut fields = String::new();
    for index in 0..40 {
        let _ = write!(
            fields,
            r#""f:field-{index}":{{".":{{}},"k:{{\"type\":\"Ready\"}}":{{}}}},"#
        );
    }
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"tenants","uid":"{name}","resourceVersion":"1","generation":1,
"creationTimestamp":"2026-01-01T00:00:00Z","labels":{labels},"managedFields":[{{"manager":"manager","operation":"Update",
"apiVersion":"cluster.x-k8s.io/v1beta2","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{{{fields}"f:spec":{{}}}}}}]}},
"spec":{spec},"status":{status}}}"#
    )
}
