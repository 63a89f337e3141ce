module fleetscale/tests/env/cluster-api-kamaji

go 1.26

require github.com/clastix/cluster-api-control-plane-provider-kamaji v0.20.0
