module fleetscale/tests/env/cluster-api

go 1.26

require sigs.k8s.io/cluster-api v1.13.0
