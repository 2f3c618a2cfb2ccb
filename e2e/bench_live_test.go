package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// viewer is one live socket that speaks WebSocket by hand: it looks at the frames
// that it gets and keeps none.
type viewer struct {
	*wire
	seen func(frame []byte) // on the viewer's own goroutine; the bytes are lent
}

// join opens a socket on an image and returns once the snapshot is there.
func (n *node) join(b *testing.B, token, image, client string, seen func(frame []byte)) *viewer {
	b.Helper()
	v := &viewer{wire: dial(b, n), seen: seen}
	request := httpRequest("GET", "/api/images/"+image+"/live", token, "", nil)
	request = append(request[:len(request)-2], "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: easel.v1\r\n\r\n"...)
	if status, err := v.do(request); status != http.StatusSwitchingProtocols || err != nil {
		b.Fatalf("upgrade: %d, %v", status, err)
	}
	v.send(b, []byte(`{"t":"hello","client":"`+client+`"}`))
	for {
		frame, err := v.next()
		if err != nil {
			b.Fatalf("no snapshot: %v", err)
		}
		if bytes.HasPrefix(frame, []byte(`{"t":"snap"`)) && bytes.Contains(frame[:min(len(frame), 100)], []byte(`"last":true`)) {
			break
		}
	}
	go func() { // ends when the connection is closed, with the benchmark
		for {
			frame, err := v.next()
			if err != nil {
				return
			}
			v.seen(frame)
		}
	}()
	return v
}

// send masks with zeros, which leaves the bytes as they are.
func (v *viewer) send(b *testing.B, text []byte) {
	head := []byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}
	if len(text) > 125 {
		head = append([]byte{0x81, 0x80 | 126}, binary.BigEndian.AppendUint16(nil, uint16(len(text)))...)
		head = append(head, 0, 0, 0, 0)
	}
	if _, err := v.c.Write(append(head, text...)); err != nil {
		b.Errorf("send: %v", err)
	}
}

// next returns the next frame's content, which is good until the call after.
func (v *viewer) next() ([]byte, error) {
	var head [10]byte
	if _, err := io.ReadFull(v.r, head[:2]); err != nil {
		return nil, err
	}
	n := int(head[1])
	switch n {
	case 126:
		if _, err := io.ReadFull(v.r, head[2:4]); err != nil {
			return nil, err
		}
		n = int(binary.BigEndian.Uint16(head[2:]))
	case 127:
		if _, err := io.ReadFull(v.r, head[2:10]); err != nil {
			return nil, err
		}
		n = int(binary.BigEndian.Uint64(head[2:]))
	}
	if n > v.r.Size() {
		v.r = bufio.NewReaderSize(v.r, n)
	}
	frame, err := v.r.Peek(n)
	if err != nil {
		return nil, err
	}
	_, err = v.r.Discard(n)
	return frame, err
}

// The frames of the benchmarks carry the time at which they were sent, in
// microseconds of this process, after these keys.
var (
	opStamp     = []byte(`"label":"at`)
	cursorStamp = []byte(`"view":[`)
)

// since returns how long ago a frame was sent that carries its time after key.
func since(begun time.Time, frame, key []byte) (time.Duration, bool) {
	i := bytes.Index(frame, key)
	if i < 0 {
		return 0, false
	}
	digits := frame[i+len(key):]
	end := bytes.IndexAny(digits, `"]`)
	µs, err := strconv.Atoi(string(digits[:max(end, 0)]))
	return time.Since(begun) - time.Duration(µs)*time.Microsecond, err == nil
}

// draw is an op frame of one put that carries its time.
func draw(seq int, begun time.Time) []byte {
	return fmt.Appendf(nil, `{"t":"op","seq":%d,"ops":[{"k":"put","annotation":{"label":"at%d","x":0.1,"y":0.2,"width":0.3,"height":0.4}}]}`,
		seq, time.Since(begun).Microseconds())
}

// delays collects how long frames were on their way.
type delays struct {
	mu  sync.Mutex // guards all
	all []time.Duration
}

func (d *delays) add(one time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, one)
}

func (d *delays) report(b *testing.B) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.Sort(d.all)
	if n := len(d.all); n > 0 {
		b.ReportMetric(float64(d.all[n/2].Microseconds())/1e3, "p50-ms")
		b.ReportMetric(float64(d.all[n*99/100].Microseconds())/1e3, "p99-ms")
	}
}

// settle waits until count stands at want, or does not grow any more.
func settle(count *atomic.Int64, want int64) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	last, still := int64(-1), 0
	for now := count.Load(); now < want && still < 1000; now = count.Load() {
		if still++; now != last {
			last, still = now, 0
		}
		<-tick.C
	}
}

// BenchmarkRoomSaturated has eight people draw as fast as they are acknowledged
// in a room of 500. One op is 500 deliveries.
func BenchmarkRoomSaturated(b *testing.B) {
	const sockets, writers, ahead = 500, 8, 16
	n, token := benchNode(b)
	image := n.upload(b, token, 100)
	var delivered atomic.Int64
	acked := make([]chan struct{}, sockets)
	var all []*viewer
	for i := range sockets {
		acked[i] = make(chan struct{}, ahead)
		all = append(all, n.join(b, token, image, "c"+strconv.Itoa(i), func(frame []byte) {
			switch {
			case bytes.HasPrefix(frame, []byte(`{"t":"ops"`)):
				delivered.Add(1)
			case bytes.HasPrefix(frame, []byte(`{"t":"ack"`)):
				acked[i] <- struct{}{} // never blocks: no more than ahead are unanswered
			}
		}))
	}
	begun := time.Now()
	before := n.cpu(b)
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			unanswered := 0
			for i, seq := w, 1; i < b.N; i, seq = i+writers, seq+1 {
				if unanswered == ahead {
					<-acked[w]
					unanswered--
				}
				all[w].send(b, draw(seq, begun))
				unanswered++
			}
		})
	}
	wg.Wait()
	settle(&delivered, int64(b.N)*sockets)
	b.StopTimer()
	if got := delivered.Load(); got != int64(b.N)*sockets {
		b.Errorf("%d deliveries; want %d", got, b.N*sockets)
	}
	count := float64(b.N) * sockets
	b.ReportMetric(count/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64((n.cpu(b)-before).Nanoseconds())/1e3/count, "server-µs/delivery")
	b.ReportMetric(n.rss(b)/1e6, "server-MB")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRoomAt40 has 40 ops a second drawn in a room of 500 and measures from
// sending to each delivery.
func BenchmarkRoomAt40(b *testing.B) {
	const sockets, writers = 500, 8
	n, token := benchNode(b)
	image := n.upload(b, token, 100)
	var delivered atomic.Int64
	var d delays
	begun := time.Now()
	var all []*viewer
	for i := range sockets {
		all = append(all, n.join(b, token, image, "c"+strconv.Itoa(i), func(frame []byte) {
			if !bytes.HasPrefix(frame, []byte(`{"t":"ops"`)) {
				return
			}
			if took, ok := since(begun, frame, opStamp); ok {
				d.add(took)
				delivered.Add(1)
			}
		}))
	}
	before := n.cpu(b)
	b.ResetTimer()
	tick := time.NewTicker(time.Second / 40)
	defer tick.Stop()
	for i := range b.N {
		<-tick.C
		all[i%writers].send(b, draw(1+i/writers, begun))
	}
	settle(&delivered, int64(b.N)*sockets)
	b.StopTimer()
	d.report(b)
	b.ReportMetric(float64((n.cpu(b)-before).Nanoseconds())/1e3/float64(b.N*sockets), "server-µs/delivery")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRoomsCursors has 200 rooms of five in which everyone moves the cursor
// ten times a second. One op is one move of each, 4,000 deliveries.
func BenchmarkRoomsCursors(b *testing.B) {
	const rooms, people = 200, 5
	n, token := benchNode(b)
	var delivered atomic.Int64
	var d delays
	begun := time.Now()
	var all []*viewer
	for range rooms {
		image := n.upload(b, token, 100)
		for i := range people {
			all = append(all, n.join(b, token, image, "c"+strconv.Itoa(i), func(frame []byte) {
				if !bytes.HasPrefix(frame, []byte(`{"t":"pres"`)) {
					return
				}
				if took, ok := since(begun, frame, cursorStamp); ok {
					d.add(took)
					delivered.Add(1)
				}
			}))
		}
	}
	before := n.cpu(b)
	b.ResetTimer()
	// A hundredth of them moves every millisecond.
	const steps = 100
	tick := time.NewTicker(time.Second / 10 / steps)
	defer tick.Stop()
	for range b.N {
		for s := range steps {
			<-tick.C
			for i := s; i < len(all); i += steps {
				all[i].send(b, fmt.Appendf(nil, `{"t":"pres","state":{"cursor":[0.25,0.75],"view":[%d]}}`, time.Since(begun).Microseconds()))
			}
		}
	}
	want := int64(b.N) * rooms * people * (people - 1)
	settle(&delivered, want)
	b.StopTimer()
	d.report(b)
	b.ReportMetric(100*float64(delivered.Load())/float64(want), "%delivered")
	b.ReportMetric(float64(delivered.Load())/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric((n.cpu(b)-before).Seconds()/b.Elapsed().Seconds(), "server-cores")
	b.ReportMetric(0, "ns/op")
}
