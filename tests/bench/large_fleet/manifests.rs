//! The texts of a made-up cluster's files, about two kilobytes each.
//!
//! All numbers are writable; how they are written differs (comments, alignment, quoted keys, flow style, CRLF), because no two teams write
//! alike.

use super::fleet::{Cluster, GROUPS};

/// A MachineDeployment and its template.
pub(super) fn workers(of: Cluster, group: usize) -> String {
    let (cluster, kind, replicas) = (of.name(), GROUPS[group], of.replicas(group));
    let replicas = match of.dice(20 + group, 12) {
        0 => format!("replicas:   {replicas}      # two racks"),
        1 => format!("replicas: {replicas} # see the capacity review of spring"),
        2 => format!("\"replicas\": {replicas}"),
        _ => format!("replicas: {replicas}"),
    };
    let rollout = match of.dice(30 + group, 3) {
        0 => "rollingUpdate: {maxSurge: 1, maxUnavailable: 0}".to_owned(),
        _ => "rollingUpdate:\n      maxSurge: 1\n      maxUnavailable: 0".to_owned(),
    };
    let (team, patch, zone) = (
        of.dice(40, 60),
        of.dice(41, 12),
        ["a", "b", "c"][of.dice(42 + group, 3)],
    );
    let (cores, image) = (8 << of.dice(43 + group, 3), of.dice(44, 1 << 20));
    let text = format!(
        "# The {kind} nodes of {cluster}.
# Questions: #team-{team:02} in the chat. The number of nodes follows the capacity review; please don't set it by hand
# in the cluster, Flux puts it back.
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata:
  name: {cluster}-{kind}
  labels:
    cluster.x-k8s.io/cluster-name: {cluster}
    fleet.example.org/pool: {kind}
    fleet.example.org/team: \"team-{team:02}\"
  annotations:
    fleet.example.org/cost-centre: \"{centre}\"
    fleet.example.org/runbook: https://runbooks.example.org/nodes/{kind}?cluster={cluster}
spec:
  clusterName: {cluster}
  {replicas}
  minReadySeconds: 30
  progressDeadlineSeconds: 1800
  selector:
    matchLabels:
      cluster.x-k8s.io/cluster-name: {cluster}
      fleet.example.org/pool: {kind}
  strategy:
    type: RollingUpdate
    {rollout}
  template:
    metadata:
      labels:
        cluster.x-k8s.io/cluster-name: {cluster}
        fleet.example.org/pool: {kind}
    spec:
      clusterName: {cluster}
      version: v1.33.{patch}
      failureDomain: zone-{zone}
      nodeDrainTimeout: 15m
      bootstrap:
        configRef:
          apiVersion: bootstrap.cluster.x-k8s.io/v1beta1
          kind: KubeadmConfigTemplate
          name: {cluster}
      infrastructureRef:
        apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
        kind: Metal3MachineTemplate
        name: {cluster}-{kind}-{image:05x}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: Metal3MachineTemplate
metadata:
  name: {cluster}-{kind}-{image:05x}
spec:
  nodeReuse: true
  template:
    spec:
      automatedCleaningMode: metadata
      hostSelector:
        matchLabels: {{rack: r{rack:03}, cores: \"{cores}\"}}
      image:
        url: https://images.example.org/nodes-{image:05x}.qcow2
        checksum: https://images.example.org/nodes-{image:05x}.qcow2.sha256
        format: qcow2
",
        centre = 1_000 + of.dice(45, 9_000),
        rack = of.dice(46, 400),
    );
    if of.dice(47, 40) == 0 {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

/// The Cluster, its control plane and its infrastructure.
pub(super) fn cluster(of: Cluster) -> String {
    let cluster = of.name();
    format!(
        "apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata:
  name: {cluster}
  labels:
    cni: cilium
    fleet.example.org/tier: {tier}
  annotations:
    # Who is called at night.
    fleet.example.org/contact: \"team-{team:02}@example.org\"
spec:
  clusterNetwork:
    pods:
      cidrBlocks: [\"10.{pods}.0.0/16\"]
    services:
      cidrBlocks:
      - 172.{services}.0.0/16
    serviceDomain: cluster.local
  controlPlaneRef:
    apiVersion: controlplane.cluster.x-k8s.io/v1alpha1
    kind: KamajiControlPlane
    name: {cluster}
  infrastructureRef:
    apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
    kind: Metal3Cluster
    name: {cluster}
---
apiVersion: controlplane.cluster.x-k8s.io/v1alpha1
kind: KamajiControlPlane
metadata:
  name: {cluster}
spec:
  dataStoreName: etcd-{store:02}
  replicas: 3
  version: v1.33.{patch}
  addons:
    coreDNS: {{}}
    kubeProxy: {{}}
    konnectivity:
      server: {{port: 8132}}
  kubelet:
    cgroupfs: systemd
    preferredAddressTypes: [InternalIP, ExternalIP, Hostname]
  network:
    serviceType: LoadBalancer
    certSANs:
    - {cluster}.k8s.example.org
  deployment:
    podAdditionalMetadata:
      labels: {{fleet.example.org/cluster: {cluster}}}
  apiServer:
    extraArgs:
    - --max-requests-inflight={inflight}
    - --audit-log-path=/var/log/kubernetes/audit.log
    - --audit-log-maxage=7
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: Metal3Cluster
metadata:
  name: {cluster}
spec:
  controlPlaneEndpoint:
    host: {cluster}.k8s.example.org
    port: 6443
  cloudProviderEnabled: false
",
        tier = ["gold", "silver", "bronze"][of.dice(50, 3)],
        team = of.dice(40, 60),
        pods = of.dice(51, 250),
        services = 16 + of.dice(52, 16),
        store = of.dice(53, 40),
        patch = of.dice(41, 12),
        inflight = 200 + 100 * of.dice(54, 8),
    )
}

/// What lists the others.
pub(super) fn kustomization(of: Cluster) -> String {
    format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {}
resources:
- cluster.yaml
- general.yaml
- memory.yaml
- release.yaml
labels:
- pairs: {{fleet.example.org/managed-by: flux}}
",
        of.shard()
    )
}

/// What is installed in the cluster, with its values.
pub(super) fn release(of: Cluster) -> String {
    let cluster = of.name();
    format!(
        "# What every cluster gets on its first day: network, storage, log shipping.
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {cluster}-base
spec:
  interval: 15m
  chart:
    spec:
      chart: cluster-base
      version: \"4.{minor}.{patch}\"
      sourceRef:
        kind: HelmRepository
        name: platform
        namespace: flux-system
  install:
    remediation: {{retries: 5}}
  upgrade:
    remediation: {{retries: 5, remediateLastFailure: true}}
  kubeConfig:
    secretRef:
      name: {cluster}-kubeconfig
  values:
    cilium:
      ipam: {{mode: kubernetes}}
      operator:
        replicas: 2       # one may drain
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{memory: 512Mi}}
      hubble:
        enabled: {hubble}
    storage:
      classes:
      - name: fast
        default: true
        parameters: {{pool: nvme-{pool:02}, replication: \"3\"}}
      - name: bulk
        parameters: {{pool: hdd-{pool:02}, replication: \"2\"}}
    logs:
      sink: https://logs.example.org/ingest/{cluster}
      retentionDays: {days}
      extraConfig: |
        # Read by the shipper, not by Helm.
        [filter]
          drop = kube-probe
          replicas: this is no number of ours
    ingress:
      hosts:
      - {cluster}.apps.example.org
      - '*.{cluster}.apps.example.org'
    podDisruptionBudget: {{minAvailable: 1}}
    topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: ScheduleAnyway
",
        minor = of.dice(60, 30),
        patch = of.dice(61, 9),
        hubble = of.dice(62, 2) == 0,
        pool = of.dice(63, 20),
        days = 7 * (1 + of.dice(64, 8)),
    )
}
