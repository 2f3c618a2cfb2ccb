package actors

import "github.com/prometheus/client_golang/prometheus"

// metrics of the runtime; labels are kinds, never actors.
type metrics struct {
	owned, open, ephemeral *prometheus.GaugeVec
	activation             *prometheus.HistogramVec
	batch, turn            *prometheus.HistogramVec
	wait, gate             *prometheus.HistogramVec
	panics, overloaded     *prometheus.CounterVec
	corrupt, fenced        *prometheus.CounterVec
	alarms                 *prometheus.CounterVec
	shed                   *prometheus.CounterVec
	work                   prometheus.Gauge
	carried, moved         *prometheus.CounterVec
	repeated               *prometheus.CounterVec
	dropped, pauses        prometheus.Counter
	yield                  prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "easel", Subsystem: "actors", Name: name, Help: help}, []string{"kind"})
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "easel", Subsystem: "actors", Name: name, Help: help}, append([]string{"kind"}, labels...))
	}
	histogram := func(name, help, label string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "easel", Subsystem: "actors", Name: name, Help: help, Buckets: buckets}, []string{label})
	}
	seconds := prometheus.ExponentialBuckets(20e-6, 3, 14) // 20 µs to 32 s
	m := &metrics{
		owned:      gauge("owned", "Durable actors that this node owns."),
		open:       gauge("open", "Durable actors whose file is open."),
		ephemeral:  gauge("ephemeral", "Ephemeral actors that run."),
		activation: histogram("activation_seconds", "Time to claim an actor, and to open its file cold (restored) or warm.", "step", seconds),
		batch:      histogram("batch_messages", "Messages of one turn.", "kind", prometheus.ExponentialBuckets(1, 2, 9)),
		turn:       histogram("commit_seconds", "Time to commit a turn and capture its pages.", "kind", seconds),
		wait:       histogram("mailbox_wait_seconds", "Time a message waited for its turn.", "kind", seconds),
		gate:       histogram("gate_wait_seconds", "Time a turn's output waited until it was durable.", "kind", seconds),
		panics:     counter("panics_total", "Panics recovered in actors."),
		overloaded: counter("overloaded_total", "Messages refused by a full mailbox."),
		corrupt:    counter("corrupt_total", "Activations refused because the actor's history is corrupt."),
		fenced:     counter("fenced_total", "Activations that lost their ownership."),
		alarms:     counter("alarms_total", "Alarms called.", "outcome"),
		shed:       counter("shed_total", "Working copies deleted to make room on the disk."),
		work: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "easel", Subsystem: "actors", Name: "work_bytes", Help: "Bytes that working copies take on disk.",
		}),
		carried: counter("carried_total", "Messages that were carried to another node, attempts counted."),
		moved:   counter("moved_total", "Actors that were released because they belong on another node."),
		repeated: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "easel", Subsystem: "actors", Name: "repeated_total",
			Help: "Attempts of an ask after which another was made, by what came of them.",
		}, []string{"why"}),
		pauses: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "easel", Subsystem: "actors", Name: "pauses_total",
			Help: "Pauses of the process after which all actors were dropped.",
		}),
		yield: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "easel", Subsystem: "actors", Name: "yield_seconds", Buckets: seconds,
			Help: "Time that a claim waited for the actor's owner before to release it.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "easel", Subsystem: "actors", Name: "dropped_total", Help: "Told messages and jobs that were dropped.",
		}),
	}
	if r != nil {
		r.MustRegister(m.owned, m.open, m.ephemeral, m.activation, m.batch, m.turn, m.wait, m.gate,
			m.panics, m.overloaded, m.corrupt, m.fenced, m.alarms, m.shed, m.work, m.dropped,
			m.carried, m.moved, m.repeated, m.pauses, m.yield)
	}
	return m
}
