package main

import (
	"context"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/tenant"
)

// keyLook is how often the service keys of open sockets are looked after. Other
// credentials cannot be revoked and end by themselves.
const keyLook = time.Second

// recheck says whether a service key still exists. Its secret is not known any
// more, so it is looked for in the tenant's list.
func recheck(a actors.Asker) live.Recheck {
	return func(ctx context.Context, who easel.Principal) (easel.Principal, error) {
		page := tenant.KeyList{By: tenant.Author{User: who.User, Role: easel.Admin}, Limit: 1000}
		for {
			list, err := actors.Ask[tenant.KeyListReply](ctx, a, actors.Request{To: tenant.Key(who.Tenant), Message: page})
			if err != nil {
				return easel.Principal{}, err
			}
			for _, k := range list.Keys {
				if k.ID == who.Key {
					who.Role = k.Role
					return who, nil
				}
			}
			if list.Next == "" {
				return easel.Principal{}, easel.Errorf(easel.CodeUnauthorized, "the key was deleted")
			}
			page.Cursor = list.Next
		}
	}
}
