package journal

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	appends     prometheus.Histogram
	batches     prometheus.Histogram
	bytes       prometheus.Counter
	syncs       prometheus.Histogram
	failures    prometheus.Counter
	segments    prometheus.Gauge
	compactions prometheus.Counter
	corrupt     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		appends: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "easel_journal_append_seconds",
			Help:    "From an append to its durable answer.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16),
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "easel_journal_group_batches",
			Help:    "Batches made durable by one sync.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 12),
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_written_bytes_total",
			Help: "Bytes appended to the log.",
		}),
		syncs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "easel_journal_sync_seconds",
			Help:    "Writing and syncing one group.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16),
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_write_failures_total",
			Help: "Groups whose write or sync failed.",
		}),
		segments: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "easel_journal_segments",
			Help: "Live segments of the node log.",
		}),
		compactions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_compactions_total",
			Help: "Actors whose batches were merged or made a snapshot.",
		}),
		corrupt: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_corrupt_total",
			Help: "Findings of damage in what is kept of actors.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.appends, m.batches, m.bytes, m.syncs,
		m.failures, m.segments, m.compactions, m.corrupt,
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register journal metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) sync(d time.Duration, batches, bytes int) {
	m.syncs.Observe(d.Seconds())
	m.batches.Observe(float64(batches))
	m.bytes.Add(float64(bytes))
}
