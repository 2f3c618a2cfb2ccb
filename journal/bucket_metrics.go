package journal

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type bucketMetrics struct {
	appends     prometheus.Histogram
	batches     prometheus.Histogram
	bytes       prometheus.Counter
	retries     prometheus.Counter
	fenced      prometheus.Counter
	held        prometheus.Gauge
	compactions prometheus.Counter
	tidied      prometheus.Counter
	corrupt     prometheus.Counter
}

func newBucketMetrics(reg prometheus.Registerer) (*bucketMetrics, error) {
	m := &bucketMetrics{
		appends: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "easel_journal_append_seconds",
			Help:    "From an append to its durable answer.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 20),
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "easel_journal_group_batches",
			Help:    "Batches made durable by one object.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 12),
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_written_bytes_total",
			Help: "Bytes appended to logs.",
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_store_retries_total",
			Help: "Requests to the store that were repeated because it did not answer.",
		}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_fenced_total",
			Help: "Terms that ended because another owner claimed the actor.",
		}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "easel_journal_held_bytes",
			Help: "Bytes of appends that wait for their answer.",
		}),
		compactions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_compactions_total",
			Help: "Actors whose batches were merged or made a snapshot.",
		}),
		tidied: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "easel_journal_tidied_total",
			Help: "Superseded objects deleted that a crash had left behind.",
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
		m.appends, m.batches, m.bytes, m.retries, m.fenced, m.held, m.compactions, m.tidied, m.corrupt,
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register journal metrics: %w", err)
		}
	}
	return m, nil
}
