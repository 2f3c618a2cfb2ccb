package journal

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// logMetrics are what the log of a folder and that of a bucket both tell, under the
// same names, so that one dashboard is good for either.
type logMetrics struct {
	appends     prometheus.Histogram
	batches     prometheus.Histogram
	bytes       prometheus.Counter
	compactions prometheus.Counter
	corrupt     prometheus.Counter
}

// newLogMetrics makes them; one is what makes a group of batches durable, and
// doublings of 50 µs are the buckets of the time that it takes.
func newLogMetrics(one string, doublings int) logMetrics {
	return logMetrics{
		appends:     histogram("easel_journal_append_seconds", "From an append to its durable answer.", prometheus.ExponentialBuckets(50e-6, 2, doublings)),
		batches:     histogram("easel_journal_group_batches", "Batches made durable by one "+one+".", prometheus.ExponentialBuckets(1, 2, 12)),
		bytes:       counter("easel_journal_written_bytes_total", "Bytes appended to the log."),
		compactions: counter("easel_journal_compactions_total", "Actors whose batches were merged or made a snapshot."),
		corrupt:     counter("easel_journal_corrupt_total", "Findings of damage in what is kept of actors."),
	}
}

// register registers them with those of one kind of log; reg may be nil.
func (m *logMetrics) register(reg prometheus.Registerer, more ...prometheus.Collector) error {
	if reg == nil {
		return nil
	}
	for _, c := range append(more, m.appends, m.batches, m.bytes, m.compactions, m.corrupt) {
		if err := reg.Register(c); err != nil {
			return fmt.Errorf("register journal metrics: %w", err)
		}
	}
	return nil
}

// metrics are those of a folder's log.
type metrics struct {
	logMetrics
	syncs    prometheus.Histogram
	failures prometheus.Counter
	segments prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	const doublings = 16 // to 1.6 s
	m := &metrics{
		logMetrics: newLogMetrics("sync", doublings),
		syncs:      histogram("easel_journal_sync_seconds", "Writing and syncing one group.", prometheus.ExponentialBuckets(50e-6, 2, doublings)),
		failures:   counter("easel_journal_write_failures_total", "Groups whose write or sync failed."),
		segments:   gauge("easel_journal_segments", "Live segments of the node log."),
	}
	return m, m.register(reg, m.syncs, m.failures, m.segments)
}

func (m *metrics) sync(d time.Duration, batches, bytes int) {
	m.syncs.Observe(d.Seconds())
	m.batches.Observe(float64(batches))
	m.bytes.Add(float64(bytes))
}

// bucketMetrics are those of a bucket's logs.
type bucketMetrics struct {
	logMetrics
	retries prometheus.Counter
	fenced  prometheus.Counter
	held    prometheus.Gauge
	tidied  prometheus.Counter
}

func newBucketMetrics(reg prometheus.Registerer) (*bucketMetrics, error) {
	m := &bucketMetrics{
		logMetrics: newLogMetrics("object", 20), // to 26 s
		retries:    counter("easel_journal_store_retries_total", "Requests to the store that were repeated because it did not answer."),
		fenced:     counter("easel_journal_fenced_total", "Terms that ended because another owner claimed the actor."),
		held:       gauge("easel_journal_held_bytes", "Bytes of appends that wait for their answer."),
		tidied:     counter("easel_journal_tidied_total", "Superseded objects deleted that a crash had left behind."),
	}
	return m, m.register(reg, m.retries, m.fenced, m.held, m.tidied)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}
