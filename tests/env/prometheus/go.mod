module fleetscale/tests/env/prometheus

go 1.26.8

require github.com/prometheus/prometheus v0.308.0 // indirect
