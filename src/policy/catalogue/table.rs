//! The catalogue's data, read from the `main.go` of each component's releases, last in August 2026.

use super::Default::{Computed, Duration, Whole};
use super::{Component, Flag, Minor};

const CAPI_112: &str = "cluster-api up to v1.12, main.go";
const CAPI_113: &str = "cluster-api v1.13, main.go (raised by #13317 and #13496)";
const CAPI_SAME: &str = "cluster-api up to v1.14, main.go";
const CAPM3: &str = "cluster-api-provider-metal3 v1.8 to v1.14, main.go";
const BMO: &str = "baremetal-operator v0.6 to v0.14, main.go";
const CAPX: &str = "cluster-api-provider-nutanix v1.4 to v1.10, main.go";
const CAPK: &str = "cluster-api-provider-kubevirt v0.11, main.go";
const KAMAJI: &str = "kamaji v0.6 to v1.0 and 26.8, cmd/manager/cmd.go";
const CACPPK: &str = "cluster-api-control-plane-provider-kamaji v0.12 to v0.20, main.go";
const CAAPH: &str = "cluster-api-addon-provider-helm v0.6, main.go";

macro_rules! flags {
    ($($name:literal: $($minor:expr => $default:expr),+ $(; removed in $removed:expr)?;)*) => {
        &[$(Flag {
            name: $name,
            defaults: &[$(($minor, $default)),+],
            removed: flags!(@removed $($removed)?),
        }),*]
    };
    (@removed) => { None };
    (@removed $removed:expr) => { Some($removed) };
}

pub(super) const COMPONENTS: &[Component] = &[
    Component {
        name: "capi",
        first: Minor(1, 4),
        last: Minor(1, 14),
        flags: flags! {
            "kube-api-qps": Minor(1, 5) => Whole(20, CAPI_112), Minor(1, 13) => Whole(100, CAPI_113);
            "kube-api-burst": Minor(1, 5) => Whole(30, CAPI_112), Minor(1, 13) => Whole(200, CAPI_113);
            "cluster-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(50, CAPI_113);
            "clustertopology-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(50, CAPI_113);
            "machine-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(100, CAPI_113);
            "machineset-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(50, CAPI_113);
            "machinedeployment-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(50, CAPI_113);
            "machinepool-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(50, CAPI_113);
            "machinehealthcheck-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(50, CAPI_113);
            "clusterclass-concurrency": Minor(1, 4) => Whole(10, CAPI_SAME);
            "extensionconfig-concurrency": Minor(1, 4) => Whole(10, CAPI_SAME);
            "clusterresourceset-concurrency": Minor(1, 4) => Whole(10, CAPI_SAME);
            "clustercachetracker-concurrency": Minor(1, 6) => Whole(10, CAPI_112); removed in Minor(1, 9);
            "clustercache-concurrency": Minor(1, 9) => Whole(100, CAPI_SAME);
            "clustercache-client-qps": Minor(1, 9) => Whole(20, CAPI_SAME);
            "clustercache-client-burst": Minor(1, 9) => Whole(30, CAPI_SAME);
            "sync-period": Minor(1, 4) => Duration("10m");
        },
    },
    Component {
        name: "capi-kubeadm-bootstrap",
        first: Minor(1, 4),
        last: Minor(1, 14),
        flags: flags! {
            "kube-api-qps": Minor(1, 5) => Whole(20, CAPI_112), Minor(1, 13) => Whole(100, CAPI_113);
            "kube-api-burst": Minor(1, 5) => Whole(30, CAPI_112), Minor(1, 13) => Whole(200, CAPI_113);
            "kubeadmconfig-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(100, CAPI_113);
            "sync-period": Minor(1, 4) => Duration("10m");
        },
    },
    Component {
        name: "capi-kubeadm-control-plane",
        first: Minor(1, 4),
        last: Minor(1, 14),
        flags: flags! {
            "kube-api-qps": Minor(1, 5) => Whole(20, CAPI_112), Minor(1, 13) => Whole(100, CAPI_113);
            "kube-api-burst": Minor(1, 5) => Whole(30, CAPI_112), Minor(1, 13) => Whole(200, CAPI_113);
            "kubeadmcontrolplane-concurrency": Minor(1, 4) => Whole(10, CAPI_112), Minor(1, 13) => Whole(100, CAPI_113);
            "sync-period": Minor(1, 4) => Duration("10m");
        },
    },
    Component {
        name: "capm3",
        first: Minor(1, 8),
        last: Minor(1, 14),
        flags: flags! {
            "kube-api-qps": Minor(1, 8) => Whole(20, CAPM3);
            "kube-api-burst": Minor(1, 8) => Whole(30, CAPM3);
            "metal3machine-concurrency": Minor(1, 8) => Whole(10, CAPM3);
            "metal3cluster-concurrency": Minor(1, 8) => Whole(10, CAPM3);
            "metal3datatemplate-concurrency": Minor(1, 8) => Whole(10, CAPM3);
            "metal3data-concurrency": Minor(1, 8) => Whole(10, CAPM3);
            "metal3labelsync-concurrency": Minor(1, 8) => Whole(10, CAPM3);
            "metal3machinetemplate-concurrency": Minor(1, 8) => Whole(10, CAPM3);
            "metal3remediation-concurrency": Minor(1, 8) => Whole(10, CAPM3);
            "sync-period": Minor(1, 8) => Duration("10m");
        },
    },
    Component {
        name: "bmo",
        first: Minor(0, 6),
        last: Minor(0, 14),
        flags: flags! {
            "kube-api-qps": Minor(0, 6) => Whole(20, BMO);
            "kube-api-burst": Minor(0, 6) => Whole(30, BMO);
            "controller-concurrency": Minor(0, 6) => Computed("BMO_CONCURRENCY, or the number of CPUs between 2 and 8");
        },
    },
    Component {
        name: "capx",
        first: Minor(1, 4),
        last: Minor(1, 10),
        flags: flags! {
            "max-concurrent-reconciles": Minor(1, 4) => Whole(10, CAPX);
            "rate-limiter-qps": Minor(1, 4) => Whole(10, CAPX);
            "rate-limiter-bucket-size": Minor(1, 4) => Whole(100, CAPX);
            "rate-limiter-base-delay": Minor(1, 4) => Duration("500ms");
            "rate-limiter-max-delay": Minor(1, 4) => Duration("15m");
        },
    },
    Component {
        name: "capk",
        first: Minor(0, 11),
        last: Minor(0, 11),
        flags: flags! {
            "kube-api-qps": Minor(0, 11) => Whole(20, CAPK);
            "kube-api-burst": Minor(0, 11) => Whole(30, CAPK);
            "concurrency": Minor(0, 11) => Whole(10, CAPK);
            "sync-period": Minor(0, 11) => Duration("60s");
        },
    },
    Component {
        name: "kamaji",
        first: Minor(0, 6),
        last: Minor(26, 8),
        flags: flags! {
            "max-concurrent-tcp-reconciles": Minor(0, 6) => Whole(1, KAMAJI);
            "controller-reconcile-timeout": Minor(0, 6) => Duration("30s");
            "cache-resync-period": Minor(0, 6) => Duration("10h");
        },
    },
    Component {
        name: "cacppk",
        first: Minor(0, 12),
        last: Minor(0, 20),
        flags: flags! {
            "max-concurrent-reconciles": Minor(0, 12) => Whole(1, CACPPK);
        },
    },
    Component {
        name: "caaph",
        first: Minor(0, 6),
        last: Minor(0, 6),
        flags: flags! {
            "kube-api-qps": Minor(0, 6) => Whole(20, CAAPH);
            "kube-api-burst": Minor(0, 6) => Whole(30, CAAPH);
            "helm-chart-proxy-concurrency": Minor(0, 6) => Whole(10, CAAPH);
            "helm-release-proxy-concurrency": Minor(0, 6) => Whole(10, CAAPH);
            "sync-period": Minor(0, 6) => Duration("10m");
        },
    },
];
