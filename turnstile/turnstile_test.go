package turnstile_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/turnstile"
)

func TestOneTenantLeavesRoomForOthers(t *testing.T) {
	s := turnstile.New(4)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var leaves []func()
	for _, who := range []string{"a", "a", "b"} {
		leave, err := s.Enter(t.Context(), easel.TenantID(who))
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	// Of two that can be chosen either is, so a context that is over proves nothing
	// alone; that it never gets in does.
	for range 50 {
		if _, err := s.Enter(over, "a"); err == nil {
			t.Fatal("a third of one tenant is let in")
		}
	}
	leave, err := s.Enter(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if _, err := s.Enter(over, "c"); err == nil {
			t.Fatal("a fifth is let in")
		}
	}
	for _, leave := range append(leaves, leave) {
		leave()
	}
	if n := s.Tenants(); n != 0 {
		t.Errorf("%d tenants are remembered", n)
	}
}

// TestWhoGivesUpTakesNoPlaceOfItsTenant: neither while its tenant has its share, nor
// while others have all there is.
func TestWhoGivesUpTakesNoPlaceOfItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := turnstile.New(2)
		leave, err := s.Enter(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.Enter(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { // takes the one place of its tenant, and waits for the others
			if _, err := s.Enter(ctx, "c"); err == nil {
				t.Error("a third is let in")
			}
		}()
		synctest.Wait()
		go func() { // waits for the place
			if done, err := s.Enter(t.Context(), "c"); err == nil {
				done()
			}
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		leave()
		other()
		synctest.Wait()
		if n := s.Tenants(); n != 0 {
			t.Errorf("%d tenants are in or wait, and nobody is there", n)
		}
	})
}
