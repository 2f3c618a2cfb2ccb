package gallery_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

// silent answers up to a message and then, as in an outage, nothing within budget.
type silent struct {
	until  string
	budget time.Duration
	silent atomic.Bool
}

func (s *silent) Ask(ctx context.Context, r actors.Request) (actors.Message, error) {
	if r.Message.MessageName() == s.until {
		s.silent.Store(true)
	}
	if !s.silent.Load() {
		return tenant.Claimed{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	<-ctx.Done()
	return nil, easel.Errorf(easel.CodeUnavailable, "no answer in time")
}

// TestBulkInAnOutageAnswersSoon: whoever waits hears of an outage soon after it is
// known, and does not wait for what is cleared up after it.
func TestBulkInAnOutageAnswersSoon(t *testing.T) {
	const budget = 5 * time.Second
	for _, images := range []int{1, 3} {
		t.Run(fmt.Sprint(images, " images"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				until := "canvas.apply"
				if images > 1 {
					until = "canvas.prepare"
				}
				g := gallery.New(gallery.Config{Asker: &silent{until: until, budget: budget}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
				var items []gallery.Item
				for i := range images {
					items = append(items, gallery.Item{Image: easel.ID(strings.Repeat(fmt.Sprint(i), 32)), Draft: draft("x")})
				}
				began := time.Now()
				_, err := g.Bulk(t.Context(), anna, items, actors.Once{ID: "key"})
				if easel.CodeOf(err) != easel.CodeUnavailable {
					t.Errorf("it is answered %v", err)
				}
				if late := time.Since(began) - budget; late > 2*time.Second {
					t.Errorf("the answer is %s late", late)
				}
			})
		})
	}
}
