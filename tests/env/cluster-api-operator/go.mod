module fleetscale/tests/env/cluster-api-operator

go 1.26

require sigs.k8s.io/cluster-api-operator v0.28.0
