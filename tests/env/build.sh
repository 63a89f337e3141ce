#!/usr/bin/env bash
# Builds the real servers that the tests talk to and the real tools that they ask, from pinned Go modules and npm packages, and links them
# into target/servers.
#
#   tests/env/build.sh            all of them
#   tests/env/build.sh etcd ...   these
#   tests/env/build.sh --check    none: only says what is missing on this machine
#
# What a program is made of (its go.mod and go.sum, the Go version, the line below that builds it) is hashed; a folder of that
# name in the cache is used as it is. The cache is FLEETSCALE_SERVERS, or ~/.cache/fleetscale/servers: a fresh clone on the same
# machine builds nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
links=$here/../../target/servers
cache=${FLEETSCALE_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/fleetscale/servers}

missing() {
    printf 'make test needs %s: %s.\nmake test-offline runs the part of the tests that needs no servers.\n' "$1" "$2" >&2
    exit 1
}
command -v go >/dev/null || missing Go 'install Go 1.26 or later (go.dev/dl)'
command -v cc >/dev/null || missing 'a C compiler' 'install gcc or clang'
command -v npm >/dev/null || missing npm 'install Node.js with npm (nodejs.org)'

[ "${1:-}" != --check ] || exit 0

# A toolchain that the go command would fetch by itself is not what the hash says.
export GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOWORK=off
go_version=$(go env GOVERSION)

# program NAME CGO TAGS LDFLAGS BINARY=PACKAGE...
program() {
    local name=$1 cgo=$2 tags=$3 ldflags=$4 binary
    shift 4
    wanted "$name" || return 0
    local folder
    folder=$cache/$name-$(cat "$here/$name/go.mod" "$here/$name/go.sum" <(echo "$go_version $cgo $tags $ldflags $*") | digest)
    if [ ! -e "$folder/complete" ]; then
        local start=$SECONDS
        printf '=== %s: building\n' "$name"
        mkdir -p "$folder"
        for binary in "$@"; do
            (cd "$here/$name" && CGO_ENABLED=$cgo go build -trimpath -tags "$tags" -ldflags "-s -w $ldflags" \
                -o "$folder/${binary%%=*}" "${binary#*=}")
        done
        touch "$folder/complete"
        printf '=== %s: built in %d s\n' "$name" $((SECONDS - start))
    fi
    link "$name" "$folder"
}

# module NAME MODULE: the source of a module, for the files that lie in it.
module() {
    local name=$1 module=$2 folder
    wanted "$name" || return 0
    (cd "$here/$name" && go mod download "$module")
    folder=$(cd "$here/$name" && go list -m -f '{{.Dir}}' "$module")
    link "$name-source" "$folder"
}

wanted() { [ -z "$wanted_names" ] || [[ " $wanted_names " == *" $1 "* ]]; }
digest() { sha256sum | cut -c1-16; }
link() { mkdir -p "$links" && ln -sfn "$2" "$links/$1"; }
wanted_names="$*"

program etcd 0 '' '' etcd=go.etcd.io/etcd/server/v3
# An API server that is built without these calls itself v0.0.0-master.
version=k8s.io/component-base/version
program kube-apiserver 0 '' \
    "-X $version.gitVersion=v1.35.3 -X $version.gitMajor=1 -X $version.gitMinor=35 -X $version.gitTreeState=clean -X $version.buildDate=1970-01-01T00:00:00Z" \
    kube-apiserver=k8s.io/kubernetes/cmd/kube-apiserver
# remove_all_sd: no service discovery, whose modules are not all to be had.
program prometheus 0 remove_all_sd '' \
    prometheus=github.com/prometheus/prometheus/cmd/prometheus promtool=github.com/prometheus/prometheus/cmd/promtool
program gitea 1 'sqlite sqlite_unlock_notify' '' gitea=code.gitea.io/gitea
# Templates and options are read from the source at run time.
module gitea code.gitea.io/gitea
module cluster-api sigs.k8s.io/cluster-api
# KamajiControlPlane. Kamaji itself is no module that can be had.
module cluster-api-kamaji github.com/clastix/cluster-api-control-plane-provider-kamaji
# Definitions and the chart.
module cluster-api-operator sigs.k8s.io/cluster-api-operator
# The version that kustomize says is that of its module.
program kustomize 0 '' '' kustomize=sigs.k8s.io/kustomize/kustomize/v5
# Helm built without these calls itself v3.22 and takes the cluster for Kubernetes 1.20; its releases say 1.x of their client-go 0.x.
kubernetes=helm.sh/helm/v3/pkg/chartutil.k8sVersion
program helm 0 '' "-X helm.sh/helm/v3/internal/version.version=v3.22.0 -X ${kubernetes}Major=1 -X ${kubernetes}Minor=37" \
    helm=helm.sh/helm/v3/cmd/helm

# GitHub's emulator. Later versions under this name are another package, and it needs Node 24, which npm brings too.
if wanted emulate; then
    folder=$cache/emulate-$(cat "$here/emulate/package.json" "$here/emulate/package-lock.json" | digest)
    if [ ! -e "$folder/complete" ]; then
        start=$SECONDS
        printf '=== emulate: installing\n'
        mkdir -p "$folder"
        cp "$here/emulate/package.json" "$here/emulate/package-lock.json" "$folder"
        (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
        touch "$folder/complete"
        printf '=== emulate: installed in %d s\n' $((SECONDS - start))
    fi
    link emulate "$folder"
fi
