package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/client"
)

// membersTenant is in whose name the command asks, if it is given no token: a
// tenant without images. The role is what counts.
const membersTenant = "easel-operator"

// once is the patience of a command whose user waits: a node that does not answer
// is not asked again.
const once = time.Nanosecond

// membersCommand asks a node which nodes there are.
type membersCommand struct {
	url    string
	token  string
	image  string
	tenant string
	json   bool
}

func (m *membersCommand) flags(fs *flag.FlagSet) {
	fs.StringVar(&m.url, "url", "", "any node (default: http://ADDR of the configuration)")
	fs.StringVar(&m.token, "token", "", "an admin's token or key (default: signed with the node's secret)")
	fs.StringVar(&m.image, "image", "", "also say which node owns this image of --tenant")
	fs.StringVar(&m.tenant, "tenant", membersTenant, "whose image it is")
	fs.BoolVar(&m.json, "json", false, "print what the node answers")
}

func (m *membersCommand) run(ctx context.Context, sh shell) error {
	c, err := loader{
		command: "members",
		only:    []string{"addr", "data", "jwt-secret", "jwt-issuer", "jwt-audience"},
		extra:   m.flags,
	}.load(sh)
	if err != nil {
		return err
	}
	if m.url == "" {
		m.url = "http://" + c.HTTP.Addr
	}
	if m.token == "" {
		if m.token, err = m.sign(ctx, c); err != nil {
			return err
		}
	}
	answer, err := m.ask(ctx)
	if err != nil {
		return err
	}
	if m.json {
		return json.NewEncoder(sh.stdout).Encode(answer)
	}
	if err := printMembers(sh.stdout, answer.Members, answer.Node, time.Now()); err != nil {
		return err
	}
	if m.image != "" {
		_, err = fmt.Fprintf(sh.stdout, "\n%s is owned by %s\n", m.image, answer.Owner)
	}
	return err
}

// sign makes a token with the secret of the node on this machine.
func (m *membersCommand) sign(ctx context.Context, c Config) (string, error) {
	if _, err := os.Stat(filepath.Join(c.Store.Data, secretFile)); len(c.Identity.Secrets) == 0 && err != nil {
		return "", badKey("token", "is required: there is no node's secret in %s", c.Store.Data)
	}
	list, _, err := loadSecrets(c)
	if err != nil {
		return "", err
	}
	tokens, err := auth.NewTokens(ctx, auth.TokenConfig{
		Secrets: secretBytes(list), Issuer: c.Identity.Issuer, Audience: c.Identity.Audience,
	})
	if err != nil {
		return "", err
	}
	return tokens.Sign(auth.Grant{User: "easel members", Tenant: m.tenant, Role: easel.Admin, TTL: time.Minute})
}

func (m *membersCommand) ask(ctx context.Context) (client.Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	node, err := client.New(client.Config{URL: m.url, Token: m.token, Patience: once})
	if err != nil {
		return client.Cluster{}, badKey("url", "%v", err)
	}
	answer, err := node.Cluster(ctx, easel.ID(m.image))
	switch _, garbled := errors.AsType[*json.SyntaxError](err); {
	case garbled:
		return answer, fmt.Errorf("%s answers what is no list of nodes: %w", m.url, err)
	case err != nil:
		return answer, fmt.Errorf("%s: %w", m.url, err)
	}
	return answer, nil
}

// printMembers writes a table of the nodes; the one that answered has a star.
func printMembers(w io.Writer, members []client.Node, self string, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tREGION\tZONE\tSTATE\tOWNED\tOPEN\tSOCKETS\tFOR\tVERSION")
	for _, m := range members {
		name := m.Name
		if name == self {
			name += " *"
		}
		owned, open, sockets := "?", "?", "?"
		if l := m.Load; l != nil {
			owned, open, sockets = strconv.Itoa(l.Owned), strconv.Itoa(l.Open), strconv.Itoa(l.Sockets)
		}
		zone := m.Zone
		if zone == "" {
			zone = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, m.Region, zone, m.State,
			owned, open, sockets, now.Sub(m.Since.Std()).Round(time.Second), m.Version)
	}
	return t.Flush()
}
