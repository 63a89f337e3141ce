//! API servers without nodes: one etcd for all of a process, one kube-apiserver per name.
//!
//! Whoever runs the tests needs neither kubectl nor openssl: an API server makes its own certificate, and the key of that signs the tokens of
//! service accounts, too.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use fleetscale::net::{Client, Credentials, Deadline, Limits, Request, Secret, Server};
use fleetscale::policy::{AuthoritiesRef, KubernetesRef};
use http::Method;
use serde_json::{Value, json};

use super::{Process, built, free_port, scratch, wait_until};

/// A running API server.
pub(crate) struct Kubernetes {
    /// Its address.
    pub(crate) url: String,
    /// Where `ca.crt` and a file per user lie, each called `<user>-token`.
    pub(crate) folder: PathBuf,
    admin: Client,
    /// Calls of the administrator wait for each other: each has a runtime of its own, and the end of one would cut a connection that another
    /// shares.
    turn: Mutex<()>,
    process: Process,
}

/// The users of every server. The first may do everything, the others what a test allows them.
const USERS: [&str; 3] = ["admin", "reader", "blinded"];

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    call: Duration::from_secs(60),
    body: 64 << 20,
};

/// The server of a name, started and set up by whoever asks for it first; it ends with the process.
pub(crate) fn cluster(name: &'static str, set_up: impl FnOnce(&Kubernetes)) -> &'static Kubernetes {
    static ALL: Mutex<BTreeMap<&str, &Kubernetes>> = Mutex::new(BTreeMap::new());
    let mut all = ALL.lock().unwrap();
    all.entry(name).or_insert_with(|| {
        let started = Kubernetes::start(name);
        set_up(&started);
        Box::leak(Box::new(started))
    })
}

/// The folder of this process.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| scratch("kubernetes"))
}

/// The etcd of this process, by its address.
fn etcd() -> &'static str {
    static ETCD: OnceLock<(String, Process)> = OnceLock::new();
    let (url, _) = ETCD.get_or_init(|| {
        let address = |port: u16| format!("http://127.0.0.1:{port}");
        let (clients, peers) = (address(free_port()), address(free_port()));
        let mut command = Command::new(built("etcd").join("etcd"));
        command.arg("--data-dir").arg(folder().join("etcd"));
        command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        command.args([
            "--initial-cluster",
            &format!("default={peers}"),
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]);
        let process = Process::start("etcd", folder(), &command);
        let api = Client::new(&Server::new(&clients).unwrap(), LIMITS).unwrap();
        process.wait_ready(|| send(&api, Method::GET, "/health", None).is_ok());
        (clients, process)
    });
    url
}

impl Kubernetes {
    fn start(name: &str) -> Self {
        let etcd = etcd();
        let folder = folder().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut tokens = String::new();
        for user in USERS {
            let groups = if user == "admin" { ",\"system:masters\"" } else { "" };
            tokens.push_str(&format!("{user}-of-{name},{user},{user}{groups}\n"));
            std::fs::write(folder.join(format!("{user}-token")), format!("{user}-of-{name}")).unwrap();
        }
        std::fs::write(folder.join("tokens.csv"), tokens).unwrap();
        let port = free_port().to_string();
        let key = folder.join("apiserver.key");
        let mut command = Command::new(built("kube-apiserver").join("kube-apiserver"));
        command.args(["--etcd-servers", etcd, "--etcd-prefix", &format!("/{name}")]);
        command.args(["--bind-address=127.0.0.1", "--secure-port", &port]);
        command.args([
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
        ]);
        command.arg("--cert-dir").arg(&folder);
        command.arg("--token-auth-file").arg(folder.join("tokens.csv"));
        command.arg("--service-account-issuer=https://kubernetes.default.svc");
        command.arg("--service-account-key-file").arg(&key);
        command.arg("--service-account-signing-key-file").arg(&key);
        let process = Process::start(&format!("kube-apiserver-{name}"), &folder, &command);

        let certificate = folder.join("apiserver.crt");
        process.wait_ready(|| certificate.exists() && key.exists());
        std::fs::copy(&certificate, folder.join("ca.crt")).unwrap();
        let url = format!("https://127.0.0.1:{port}");
        let mut server = Server::new(&url).unwrap();
        server.authorities = Some(std::fs::read(certificate).unwrap());
        server.credentials = Credentials::Bearer(Secret::new(&format!("admin-of-{name}")));
        let admin = Client::new(&server, LIMITS).unwrap();
        // The namespace is made last of what the server makes for itself.
        process.wait_ready(|| {
            send(&admin, Method::GET, "/readyz", None).is_ok()
                && send(&admin, Method::GET, "/api/v1/namespaces/default", None).is_ok()
        });
        Self {
            url,
            folder,
            admin,
            turn: Mutex::new(()),
            process,
        }
    }

    /// The server as a fleet file names it, for one of the users.
    pub(crate) fn reference(&self, user: &str) -> KubernetesRef {
        KubernetesRef::Server {
            url: self.url.clone(),
            authorities: AuthoritiesRef::File("ca.crt".to_owned()),
            token_file: format!("{user}-token"),
        }
    }

    /// Sends a request as the administrator.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, &Value)>,
    ) -> Result<Value, String> {
        let body = body.map(|(kind, value)| (kind, value.to_string().into_bytes()));
        self.send(method, path, body)
    }

    /// The same with a body as it is written.
    pub(crate) fn call_with(
        &self,
        method: Method,
        path: &str,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<Value, String> {
        self.send(method, path, Some((kind, body)))
    }

    fn send(&self, method: Method, path: &str, body: Option<(&'static str, Vec<u8>)>) -> Result<Value, String> {
        let _turn = self.turn.lock().unwrap();
        send(&self.admin, method, path, body)
    }

    /// Creates objects, or makes what is there already equal to them. `status` is set, too.
    pub(crate) fn apply(&self, objects: &[Value]) {
        for object in objects {
            let path = path_of(object);
            let mut spec = object.clone();
            let status = spec.as_object_mut().unwrap().remove("status");
            let query = "?fieldManager=test&force=true";
            let applied = self.call(
                Method::PATCH,
                &format!("{path}{query}"),
                Some(("application/apply-patch+yaml", &spec)),
            );
            applied.unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.process.log_end()));
            if let Some(status) = status {
                self.patch(&format!("{path}/status"), &json!({ "status": status }));
            }
        }
    }

    /// Changes fields of an object.
    pub(crate) fn patch(&self, path: &str, change: &Value) {
        let patched = self.call(Method::PATCH, path, Some(("application/merge-patch+json", change)));
        patched.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Installs the definitions of a YAML file and waits until they are served. Conversion needs a webhook, so that it is left out; with
    /// `version` that one alone is served and stored.
    pub(crate) fn define(&self, file: &PathBuf, version: Option<&str>) {
        let text = std::fs::read_to_string(file).unwrap();
        let mut definition: Value = serde_yaml::from_str(&text).unwrap();
        definition["spec"].as_object_mut().unwrap().remove("conversion");
        definition.as_object_mut().unwrap().remove("status");
        if let Some(version) = version {
            let versions = definition["spec"]["versions"].as_array_mut().unwrap();
            versions.retain(|known| known["name"] == version);
            versions[0]["storage"] = json!(true);
        }
        self.apply(std::slice::from_ref(&definition));
        let group = definition["spec"]["group"].as_str().unwrap();
        let plural = definition["spec"]["names"]["plural"].as_str().unwrap();
        let versions = definition["spec"]["versions"].as_array().unwrap().iter();
        for version in versions.filter(|version| version["served"] == true) {
            let path = format!("/apis/{group}/{}/{plural}", version["name"].as_str().unwrap());
            let served = wait_until(Duration::from_secs(60), || self.call(Method::GET, &path, None).is_ok());
            assert!(served, "{path} is not served");
        }
    }

    /// Installs Cluster API's definitions, in one version alone if one is given.
    pub(crate) fn define_cluster_api(&self, version: Option<&str>) {
        for plural in ["clusters", "machinedeployments", "machines"] {
            let file = format!("config/crd/bases/cluster.x-k8s.io_{plural}.yaml");
            self.define(&built("cluster-api-source").join(file), version);
        }
    }

    /// Installs Kamaji's definitions.
    pub(crate) fn define_kamaji(&self) {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/env/kamaji/crds.yaml");
        self.define(&file, None);
    }

    /// Lets a user list kinds, each `plural.group`, in all namespaces.
    pub(crate) fn allow(&self, user: &str, kinds: &[&str]) {
        let rules = kinds.iter().map(|kind| {
            let (plural, group) = kind.split_once('.').unwrap();
            json!({"apiGroups": [group], "resources": [plural], "verbs": ["list"]})
        });
        let rules: Vec<Value> = rules.collect();
        let rbac = "rbac.authorization.k8s.io";
        self.apply(&[
            json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": user}, "rules": rules}),
            json!({
                "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": user},
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": user},
                "subjects": [{"apiGroup": rbac, "kind": "User", "name": user}],
            }),
        ]);
    }
}

/// Where an object is: `/apis/<group>/<version>/namespaces/<namespace>/<plural>/<name>`.
pub(crate) fn path_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]).to_lowercase());
    let plural = match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    };
    let root = if version.contains('/') { "/apis" } else { "/api" };
    let namespace = match text(&object["metadata"]["namespace"]).as_str() {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    format!(
        "{root}/{version}{namespace}/{plural}/{}",
        text(&object["metadata"]["name"])
    )
}

/// Sends a request; what is no success is an error with what the server said.
fn send(client: &Client, method: Method, path: &str, body: Option<(&'static str, Vec<u8>)>) -> Result<Value, String> {
    let request = Request {
        method,
        path,
        query: &[],
        body,
    };
    let exchange = async { client.send(request, Deadline::after(LIMITS.call)).await };
    // Of its own thread, so that tests with a runtime may call it, too.
    let answer = std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(exchange)
        };
        scope.spawn(run).join().unwrap()
    });
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if !answer.is_success() {
        return Err(format!("{} {text}", answer.status));
    }
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
