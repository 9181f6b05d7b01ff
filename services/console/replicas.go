package console

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/services/internal/auth"
)

// replicas is a peer whose name ends with -*: as many processes as its host has
// addresses at the moment, as with docker compose up --scale or a service behind
// DNS.
type replicas struct {
	kind   string // dispatch
	base   *url.URL
	signer *auth.Signer
	lookup func(ctx context.Context, host string) ([]string, error)
	now    func() time.Time

	mu      sync.Mutex
	clients map[string]*peer // by address, those seen at the last look
}

func newReplicas(p Peer, signer *auth.Signer, now func() time.Time) (*replicas, bool) {
	kind, all := strings.CutSuffix(p.Name, "-*")
	base, err := url.Parse(p.URL)
	if !all || err != nil {
		return nil, false
	}
	return &replicas{kind: kind, base: base, signer: signer, lookup: net.DefaultResolver.LookupHost, now: now}, true
}

// look returns a peer for each address that the host has now. Those of addresses
// that stay are kept, with their connections and what they have said.
func (r *replicas) look(ctx context.Context) []*peer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addresses, err := r.lookup(ctx, r.base.Hostname())
	if err != nil {
		addresses = nil // no replica runs: then the name does not exist
	}

	r.mu.Lock()
	defer r.mu.Unlock()

	// A name server that is slow says nothing about the replicas.
	if ctx.Err() != nil {
		addresses = slices.Collect(maps.Keys(r.clients))
	}

	now := map[string]*peer{}
	var out []*peer
	for _, a := range slices.Sorted(slices.Values(addresses)) {
		p, known := r.clients[a]
		if !known {
			at := *r.base
			at.Host = net.JoinHostPort(a, r.base.Port())
			p = newPeer(Peer{Name: r.kind + "-" + a, URL: at.String()}, r.signer, r.now)
			p.ask = p.namedStatus
		}
		now[a] = p
		out = append(out, p)
	}

	r.clients = now
	return out
}

// size is how many replicas were seen at the last look.
func (r *replicas) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.clients)
}

// namedStatus is the process's status under the name that the worker has in its
// logs: its address says nothing to people.
func (p *peer) namedStatus(ctx context.Context) (Service, error) {
	s, err := p.status(ctx)
	var detail struct {
		Worker string `json:"worker"`
	}
	if err == nil && json.Unmarshal(s.Detail, &detail) == nil && detail.Worker != "" {
		s.Name = detail.Worker
	}
	return s, err
}
