package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/easelhq/easel/archive"
)

// progressBar shows how far a long command is: one line that is drawn over and over
// on a terminal, a line now and then elsewhere.
type progressBar struct {
	w     io.Writer
	name  string // of the command
	live  bool   // w is a terminal
	now   func() time.Time
	shown time.Time
	phase string
	width int // of the line on the terminal
}

// How often a bar is drawn, and a line written.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 10 * time.Second
	barCells  = 30
)

func newProgressBar(w io.Writer, name string) *progressBar {
	b := &progressBar{w: w, name: name, now: time.Now}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		b.live = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	b.shown = b.now()
	return b
}

// show implements archive.Report.
func (b *progressBar) show(t archive.Tick) {
	now := b.now()
	every := lineEvery
	if b.live {
		every = barEvery
	}
	if t.Phase == b.phase && now.Sub(b.shown) < every {
		return
	}
	if !b.live && t.Phase != b.phase && t.Done == 0 && t.Bytes == 0 {
		b.phase = t.Phase
		return // nothing to tell yet
	}
	b.phase, b.shown = t.Phase, now
	text := fmt.Sprintf("%s %d", t.Phase, t.Done)
	if t.Total > 0 {
		text += fmt.Sprintf(" of %d", t.Total)
	}
	text += ", " + bytesText(t.Bytes)
	if !b.live {
		fmt.Fprintf(b.w, "easel %s: %s\n", b.name, text)
		return
	}
	if t.Total > 0 {
		full := int(min(t.Done, t.Total) * barCells / t.Total)
		text = "[" + strings.Repeat("#", full) + strings.Repeat(".", barCells-full) + "] " + text
	}
	pad := max(0, b.width-len(text))
	b.width = len(text)
	fmt.Fprintf(b.w, "\r%s%s", text, strings.Repeat(" ", pad))
}

// end leaves the terminal at the start of a clean line.
func (b *progressBar) end() {
	if b.live && b.width > 0 {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", b.width))
		b.width = 0
	}
}

// bytesText says a size to people.
func bytesText(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d B", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MiB", n>>20)
	default:
		return fmt.Sprintf("%d GiB", n>>30)
	}
}
