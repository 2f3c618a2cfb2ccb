package main

import (
	"fmt"
	"math"
	"time"
)

// suite is a test that goes on for long.
type suite struct {
	name  string
	pkg   string // below the module
	test  string // regular expression, as go test takes it
	share float64
	// args are the test's own flags, given how many times the usual number of
	// rounds it shall do and how long it may take.
	args func(scale float64, budget time.Duration) []string
	full bool // left out of the short run
	// whole: it does not stop when its time is up, since a part of it shows nothing.
	// Such suites come last.
	whole bool
}

// suites are in the order in which they run: those that fail fast come first.
var suites = []suite{
	{
		name: "contracts on S3 servers", pkg: "./blob", test: "OnS3", share: 1,
		args: func(float64, time.Duration) []string { return nil },
	},
	{
		name: "journal on S3 servers", pkg: "./journal", test: "OnS3", share: 1,
		args: func(float64, time.Duration) []string { return nil },
	},
	{
		name: "node on S3 servers", pkg: "./e2e", test: "NodeOnS3|UploadsStream", share: 1,
		args: func(float64, time.Duration) []string { return nil },
	},
	{
		name: "memory while the store hangs", pkg: "./e2e", test: "HoldsABounded", share: 2, full: true,
		args: func(float64, time.Duration) []string { return nil },
	},
	{
		name: "planted faults are noticed", pkg: "./journal", test: "NoticesPlantedFaults", share: 1,
		args: func(float64, time.Duration) []string { return nil },
	},
	{
		name: "planted bugs are noticed", pkg: "./e2e/linear", test: "CatchesPlantedBugs", share: 1,
		args: func(float64, time.Duration) []string { return nil },
	},
	{
		name: "power loss at every step", pkg: "./journal", test: "PowerLossAtEveryStep", share: 2,
		args: func(scale float64, _ time.Duration) []string {
			return []string{fmt.Sprint("-journal.stride=", max(1, int(math.Round(1/scale))))}
		},
	},
	{
		name: "fencing model", pkg: "./journal", test: "FencingModel$", share: 3,
		args: func(scale float64, budget time.Duration) []string {
			return []string{times("-journal.rounds", 3000, scale), within("-journal.within", budget)}
		},
	},
	{name: "owners on one thread", pkg: "./journal/fencing", test: "OwnersShareALog", share: 1, args: simulated(30_000)},
	{name: "nodes on one thread", pkg: "./live", test: "NodesShareAnImage", share: 1, args: simulated(10_000)},
	{
		name: "planted bugs are noticed on one thread", pkg: "./journal/fencing", test: "NoticesPlantedBugs", share: 1,
		args: func(float64, time.Duration) []string { return nil },
	},
	{
		name: "bit flips", pkg: "./journal", test: "FlippedBit|DamageIs", share: 4,
		args: func(scale float64, budget time.Duration) []string {
			return []string{times("-journal.flips", 10_000, scale), within("-journal.within", budget/2)}
		},
	},
	{
		name: "bit flips, blobs", pkg: "./gallery", test: "FlippedBit", share: 1,
		args: func(scale float64, budget time.Duration) []string {
			return []string{times("-gallery.flips", 10_000, scale), within("-gallery.within", budget)}
		},
	},
	{name: "faults, in process", pkg: "./e2e", test: "FaultsOnS3", share: 3, args: faultsOn("fake")},
	{name: "faults, versitygw", pkg: "./e2e", test: "FaultsOnS3", share: 5, args: faultsOn("versitygw")},
	{name: "faults, minio", pkg: "./e2e", test: "FaultsOnS3", share: 5, args: faultsOn("minio"), full: true},
	{name: "zombie, versitygw", pkg: "./e2e", test: "ZombieOnS3", share: 6, args: roundsOn("zombie.rounds", 100, "versitygw")},
	{name: "zombie, minio", pkg: "./e2e", test: "ZombieOnS3", share: 3, args: roundsOn("zombie.rounds", 20, "minio"), full: true},
	{name: "crash, folder", pkg: "./e2e", test: "TestCrash$", share: 4, args: roundsOn("crash.rounds", 100, "fake")},
	{name: "crash, versitygw", pkg: "./e2e", test: "CrashOnS3", share: 10, args: roundsOn("crash.rounds", 200, "versitygw")},
	{name: "crash, minio", pkg: "./e2e", test: "CrashOnS3", share: 4, args: roundsOn("crash.rounds", 40, "minio"), full: true},
	{
		name: "linearizability, in process", pkg: "./e2e/linear", test: "ImageIsLinearizable", share: 3,
		args: func(_ float64, budget time.Duration) []string {
			return []string{fmt.Sprintf("-linear.seconds=%.0f", budget.Seconds())}
		},
	},
	{
		name: "linearizability, folder", pkg: "./e2e", test: "TestLinear$", share: 3,
		args: func(_ float64, budget time.Duration) []string {
			return []string{fmt.Sprintf("-linear.seconds=%.0f", budget.Seconds())}
		},
	},
	{
		name: "linearizability, versitygw", pkg: "./e2e", test: "LinearOnS3", share: 6,
		args: func(_ float64, budget time.Duration) []string {
			return []string{"-faults.server=versitygw", fmt.Sprintf("-linear.s3seconds=%.0f", budget.Seconds())}
		},
	},
	{
		name: "sleeping images", pkg: "./e2e", test: "SleepingImagesCostNothing/bucket", share: 10, whole: true,
		args: func(scale float64, _ time.Duration) []string {
			return []string{"-scale.few=2000", times("-scale.images", 1_000_000, scale)}
		},
	},
}

// clusterSuites measure what people see of nodes that come and go.
var clusterSuites = []suite{
	{
		name: "one service, and a node lost", pkg: "./e2e", test: "ClusterIsOneService|ClusterLosesANode|ClusterGivesANewNode", share: 1,
		args: func(float64, time.Duration) []string { return nil },
	},
	{name: "owner crash, 3 nodes", pkg: "./e2e", test: "ClusterOwnerCrash", share: 4, args: clusterRounds("cluster.kills", 100)},
	{name: "owner frozen, 3 nodes", pkg: "./e2e", test: "ClusterOwnerFreezes", share: 6, args: clusterRounds("cluster.kills", 100)},
	{
		name: "rolling restart, 3 nodes", pkg: "./e2e", test: "ClusterRollingRestart", share: 4,
		args: clusterRounds("cluster.rounds", 10, "-cluster.sockets=200", "-cluster.pace=1s"),
	},
	{
		name: "join, 3 nodes", pkg: "./e2e", test: "ClusterJoinUnderLoad", share: 3,
		args: clusterRounds("cluster.joins", 20, "-cluster.sockets=200", "-cluster.pace=1s"),
	},
	{
		name: "no processors, 3 nodes", pkg: "./e2e", test: "ClusterKeepsMembersWithoutProcessors", share: 1,
		args: func(_ float64, budget time.Duration) []string {
			return []string{within("-cluster.burn", min(budget/2, time.Minute))}
		},
	},
	{
		name: "partitions", pkg: "./e2e", test: "ClusterPartition", share: 3,
		args: func(float64, time.Duration) []string { return []string{"-cluster.cuts=4"} },
	},
}

func clusterRounds(flag string, n int, more ...string) func(float64, time.Duration) []string {
	return func(scale float64, budget time.Duration) []string {
		return append([]string{times("-"+flag, n, scale), within("-within", budget)}, more...)
	}
}

// simulated runs n seeds.
func simulated(n int) func(float64, time.Duration) []string {
	return func(scale float64, budget time.Duration) []string {
		return []string{times("-sim.seeds", n, scale), within("-sim.within", budget)}
	}
}

func times(flag string, n int, scale float64) string {
	return fmt.Sprintf("%s=%d", flag, max(1, int(math.Round(float64(n)*scale))))
}

func within(flag string, budget time.Duration) string {
	return fmt.Sprintf("%s=%s", flag, budget.Round(time.Second))
}

func roundsOn(flag string, n int, server string) func(float64, time.Duration) []string {
	return func(scale float64, budget time.Duration) []string {
		return []string{times("-"+flag, n, scale), within("-within", budget), "-s3.server=" + server}
	}
}

// faultsOn goes through all troubles three times, those that outlast the node's
// patience too; with less than a third of the rounds, once and only the short ones.
func faultsOn(server string) func(float64, time.Duration) []string {
	return func(scale float64, budget time.Duration) []string {
		seconds := "2"
		if scale < 0.3 {
			seconds = "0.4"
		}
		return []string{times("-faults.rounds", 3, scale), "-faults.seconds=" + seconds, within("-within", budget), "-faults.server=" + server}
	}
}

func chosen(s settings) []suite {
	var out []suite
	all := suites
	if s.cluster {
		all = clusterSuites
	}
	for _, one := range all {
		if s.only.MatchString(one.name) && !(s.short && one.full) {
			out = append(out, one)
		}
	}
	return out
}

// leastShare is what each suite gets even if no time is left: a table with holes
// says nothing.
const leastShare = 10 * time.Second

// share is how much of the time that is left the first of suites gets.
func share(left []suite, total time.Duration) time.Duration {
	var sum float64
	for _, one := range left {
		sum += one.share
	}
	return max(leastShare, time.Duration(float64(total)*left[0].share/sum))
}
