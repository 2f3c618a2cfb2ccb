package cluster

import (
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/easelhq/easel/actors"
)

// Seat is a node as placement sees it.
type Seat struct {
	Name     string // stable: the same after a restart
	Region   string
	Weight   float64 // its share, relative to the others'; 0: 1
	Draining bool    // it owns nothing
}

// Ring says which of its seats owns a key, by weighted rendezvous hashing: every
// node that knows the same seats gives the same answer without asking, and when a
// seat comes or goes only the keys move that it wins or had. It is immutable.
type Ring struct {
	seats []hashed
}

type hashed struct {
	Seat
	hash uint64
}

// NewRing makes the ring of those seats that may own something.
func NewRing(seats []Seat) *Ring {
	r := &Ring{}
	for _, s := range seats {
		if s.Draining {
			continue
		}
		if s.Weight <= 0 {
			s.Weight = 1
		}
		r.seats = append(r.seats, hashed{s, mix(xxhash.Sum64String(s.Name))})
	}
	return r
}

// Owner returns the name of the seat that owns key: one of region if there is
// any, else the best of all; "" if there is none.
func (r *Ring) Owner(key actors.Key, region string) string {
	h := hashKey(key)
	best, name, home := math.Inf(-1), "", false
	for i := range r.seats {
		s := &r.seats[i]
		here := region != "" && s.Region == region
		if home && !here {
			continue
		}
		score := s.Weight / -math.Log(unit(mix(h^s.hash)))
		if here && !home || score > best || score == best && s.Name < name {
			best, name, home = score, s.Name, here
		}
	}
	return name
}

// OwnerAmong returns the owner of key among seats, as Ring.Owner does.
func OwnerAmong(seats []Seat, region string, key actors.Key) string {
	return NewRing(seats).Owner(key, region)
}

func hashKey(key actors.Key) uint64 {
	return mix(xxhash.Sum64String(key.ID) ^ mix(xxhash.Sum64String(key.Kind)))
}

// mix spreads every bit of x over all of the result. Without it names that differ
// in the last character get shares of 50, 25 and 25 %.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// unit maps x into the open interval from 0 to 1.
func unit(x uint64) float64 { return (float64(x>>11) + 0.5) / (1 << 53) }
