//go:build race

package cluster_test

const raceBuilt = true
