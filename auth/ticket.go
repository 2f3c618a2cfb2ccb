package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/easelhq/easel"
)

// TicketTTL is how long a ticket opens its image.
const TicketTTL = 60 * time.Second

// maxTicket bounds a ticket's length in bytes.
const maxTicket = 4 << 10

// tickets makes and reads tickets. A ticket is stateless: a payload and its
// HMAC, so any node that has the same root secret takes it.
type tickets struct {
	key []byte
	now func() time.Time
}

// stub is a ticket's payload.
type stub struct {
	Tenant     easel.TenantID `json:"t"`
	TenantName string         `json:"tn"`
	User       string         `json:"u"`
	Name       string         `json:"n"`
	Role       easel.Role     `json:"r"`
	Image      easel.ID       `json:"i"`
	Key        easel.ID       `json:"k,omitempty"`
	Until      int64          `json:"e"` // of the ticket, Unix milliseconds
	Expires    int64          `json:"x"` // of the credential it was made with, Unix milliseconds
}

func newTickets(root []byte, now func() time.Time) (*tickets, error) {
	key, err := hkdf.Key(sha256.New, root, nil, "easel ticket 1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive ticket key: %w", err)
	}
	return &tickets{key: key, now: now}, nil
}

// sign returns a ticket for p to open image, and when it ends.
func (t *tickets) sign(p easel.Principal, image easel.ID) (string, time.Time) {
	until := t.now().Add(TicketTTL).Truncate(time.Millisecond)
	if p.Expires.Before(until) {
		until = p.Expires
	}
	b, err := json.Marshal(stub{
		Tenant: p.Tenant, TenantName: p.TenantName, User: p.User, Name: p.Name, Role: p.Role,
		Image: image, Key: p.Key, Until: until.UnixMilli(), Expires: p.Expires.UnixMilli(),
	})
	if err != nil {
		panic("auth: a ticket is always JSON: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b) + "." + base64.RawURLEncoding.EncodeToString(t.mac(b)), until
}

// open returns whom the ticket was made for, if it opens image now.
func (t *tickets) open(ticket string, image easel.ID) (easel.Principal, error) {
	if len(ticket) > maxTicket {
		return easel.Principal{}, badToken("ticket is too long")
	}
	payload, mac, _ := strings.Cut(ticket, ".")
	enc := base64.RawURLEncoding.Strict()
	b, err := enc.DecodeString(payload)
	if err != nil {
		return easel.Principal{}, badToken("ticket: %v", err)
	}
	got, err := enc.DecodeString(mac)
	if err != nil || !hmac.Equal(got, t.mac(b)) {
		return easel.Principal{}, badToken("ticket with a bad signature")
	}
	var s stub
	if err := json.Unmarshal(b, &s); err != nil {
		return easel.Principal{}, badToken("ticket: %v", err)
	}
	if t.now().UnixMilli() >= s.Until {
		return easel.Principal{}, badToken("ticket has ended")
	}
	if s.Image != image {
		return easel.Principal{}, badToken("ticket of another image")
	}
	return easel.Principal{
		Tenant: s.Tenant, TenantName: s.TenantName, User: s.User, Name: s.Name, Role: s.Role,
		Image: s.Image, Key: s.Key, Expires: time.UnixMilli(s.Expires),
	}, nil
}

func (t *tickets) mac(b []byte) []byte {
	m := hmac.New(sha256.New, t.key)
	m.Write(b)
	return m.Sum(nil)
}
