package actors

import (
	"context"
	"fmt"
)

// consult offers e to the companion.
func (a *durable) consult(e *envelope) (answer Message, mine bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.companionPanicked(p)
			answer, mine, err = nil, true, fmt.Errorf("companion of %s panicked: %v", a.key, p)
		}
	}()
	return a.companion.Receive(a.companionContext(e.ctx, e.from), e.message)
}

// companionPanicked makes a new companion.
func (a *durable) companionPanicked(p any) {
	a.sys.metrics.panics.WithLabelValues(a.kind.Name).Inc()
	a.log.Error("companion panicked", "panic", p, "stack", stack())
	if a.companion != nil {
		a.companion = a.kind.NewCompanion(a.key)
	}
}

// callBack runs a function that the companion gave to be called back.
func (a *durable) callBack(f func()) {
	defer func() {
		if p := recover(); p != nil {
			a.companionPanicked(p)
		}
	}()
	f()
}

func (a *durable) published(o *output) {
	if a.companion == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			a.companionPanicked(p)
		}
	}()
	a.companion.Published(a.companionContext(o.ctx, Ref{}), o.publish)
}

func (a *durable) companionContext(ctx context.Context, from Ref) *Context {
	if a.context == nil {
		a.context = &Context{sys: a.sys, key: a.key, mail: &a.mail, log: a.log, run: a.callBack}
	}
	a.context.ctx, a.context.from = ctx, from
	return a.context
}
