package live

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	sessions   prometheus.Gauge
	deliveries prometheus.Counter
	slow       prometheus.Counter
	alarms     prometheus.Counter
	reads      *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "easel_live_sessions", Help: "Sockets and event streams that are open.",
		}),
		deliveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_live_deliveries_total", Help: "Frames of rooms times the sessions they went to.",
		}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_live_slow_total", Help: "Sessions that were cut off because they read too slowly.",
		}),
		alarms: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_live_alarms_total", Help: "Broken invariants that a room met. Any is a bug.",
		}),
	}
	m.reads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "easel_live_reads_total",
		Help: "Reads that a copy on this node might have answered: answered; none, if there is no copy; behind, if it had not reached the version in time; stale, if it was too old.",
	}, []string{"outcome"})
	if reg != nil {
		reg.MustRegister(m.sessions, m.deliveries, m.slow, m.alarms, m.reads)
	}
	return m
}
