package archive

// Tick tells how far a long work is.
type Tick struct {
	Phase string // "actors", "blobs", …
	Done  int64  // of Total; parts or objects
	Total int64  // 0: unknown
	Bytes int64  // moved or read so far, in all phases
}

// Report is called with ticks, often. It must be quick.
type Report func(Tick)

// meter makes ticks.
type meter struct {
	report Report
	tick   Tick
}

func (m *meter) phase(name string, total int64) {
	m.tick.Phase, m.tick.Done, m.tick.Total = name, 0, total
	m.tell()
}

func (m *meter) step(bytes int64) {
	m.tick.Done++
	m.tick.Bytes += bytes
	m.tell()
}

func (m *meter) tell() {
	if m.report != nil {
		m.report(m.tick)
	}
}
