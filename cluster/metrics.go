package cluster

import "github.com/prometheus/client_golang/prometheus"

// metrics are labelled by outcome only: never by node, tenant or image.
type metrics struct {
	members   prometheus.Gauge
	changes   prometheus.Counter
	carried   *prometheus.CounterVec // outcome
	served    *prometheus.CounterVec // outcome
	seconds   prometheus.Histogram
	sent      prometheus.Counter
	received  prometheus.Counter
	parts     *prometheus.CounterVec // direction
	pending   prometheus.Gauge
	links     *prometheus.CounterVec // event
	malformed prometheus.Counter
	dropped   prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "easel_cluster_" + name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "easel_cluster_" + name, Help: help}, []string{label})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "easel_cluster_" + name, Help: help})
	}
	m := &metrics{
		members: gauge("members", "Nodes that this one sees alive, itself included."),
		changes: counter("topology_changes_total", "Changes of who the members are and what they own."),
		carried: vec("requests_carried_total", "Requests taken to other nodes, by outcome.", "outcome"),
		served:  vec("requests_served_total", "Requests of other nodes that were answered here, by outcome.", "outcome"),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "easel_cluster_request_seconds", Help: "Time from carrying a request to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 3, 11),
		}),
		sent:      counter("sent_bytes_total", "Bytes handed to links to other nodes."),
		received:  counter("received_bytes_total", "Bytes taken from links of other nodes."),
		parts:     vec("parts_total", "Parts of large bodies, by direction.", "direction"),
		pending:   gauge("requests_pending", "Requests taken to other nodes that have no answer yet."),
		links:     vec("link_events_total", "Links to other nodes that were made, or ended.", "event"),
		malformed: counter("malformed_total", "Messages of other nodes that could not be understood."),
		dropped:   counter("dropped_total", "Messages for other nodes that nobody waits for, and that could not be sent."),
	}
	if r != nil {
		r.MustRegister(m.members, m.changes, m.carried, m.served, m.seconds, m.sent, m.received, m.parts, m.pending,
			m.links, m.malformed, m.dropped)
	}
	return m
}
