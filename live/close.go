package live

import "strconv"

// Close is one way to end a socket. Its number says what the client should do:
// 44xx and 1009 are not to be retried unchanged, 45xx are, with backoff.
type Close struct {
	Code int    // WebSocket close code
	Name string // reason, for people and for SSE
}

// The closes of the protocol. They are compared by value.
var (
	CloseTooLarge     = Close{1009, "frame too large"}
	CloseBadFrame     = Close{4400, "bad frame"}
	CloseUnauthorized = Close{4401, "unauthenticated"}
	CloseForbidden    = Close{4403, "forbidden"}
	CloseNoImage      = Close{4404, "no such image"}
	CloseReplaced     = Close{4409, "replaced"}
	CloseTooOld       = Close{4426, "client too old"}
	CloseQuota        = Close{4429, "quota"}
	CloseInternal     = Close{4500, "internal"}
	CloseDraining     = Close{4503, "draining"}
	CloseSlow         = Close{4508, "slow consumer"}
	CloseNoHello      = Close{4510, "no hello"}
	CloseNoPong       = Close{4512, "no pong"}
	// CloseGone says that the client left by itself; nobody is told.
	CloseGone = Close{1000, "gone"}
)

// Retry reports whether the client should come back by itself.
func (c Close) Retry() bool { return c.Code >= 4500 && c.Code < 4600 }

// String returns the number and the reason.
func (c Close) String() string { return strconv.Itoa(c.Code) + " " + c.Name }
