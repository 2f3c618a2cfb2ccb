package easel_test

import (
	"testing"

	"github.com/easelhq/easel"
)

func TestIDTellsItsRegion(t *testing.T) {
	seen := map[easel.ID]bool{}
	for _, region := range []string{"eu", "us", "local", ""} {
		for range 100 {
			id := easel.NewIDIn(region)
			if !id.Valid() || seen[id] {
				t.Fatalf("id %s", id)
			}
			seen[id] = true
			for _, other := range []string{"eu", "us", "local", ""} {
				if got := id.AtHome(easel.RegionTag(other)); got != (other == region) {
					t.Fatalf("%s of %q is at home in %q: %v", id, region, other, got)
				}
			}
		}
	}
	if easel.ID("0123").AtHome("0123") {
		t.Error("what is no id is at home somewhere")
	}
}
