package console

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
)

// replicas is a peer whose name ends with -*: as many processes as its host has
// addresses at the moment, as with docker compose up --scale or a service behind
// DNS.
type replicas struct {
	kind   string // dispatch
	base   *url.URL
	signer *auth.Signer
	lookup func(ctx context.Context, host string) ([]string, error)

	mu      sync.Mutex
	clients map[string]peerClient // by address, those seen at the last look
}

func newReplicas(p Peer, signer *auth.Signer) (*replicas, bool) {
	kind, all := strings.CutSuffix(p.Name, "-*")
	base, err := url.Parse(p.URL)
	if !all || err != nil {
		return nil, false
	}
	return &replicas{kind: kind, base: base, signer: signer, lookup: net.DefaultResolver.LookupHost}, true
}

// ask returns each replica's status, by name. Where there is none, one entry says
// that the service does not answer.
func (r *replicas) ask(ctx context.Context) []Service {
	peers := r.look(ctx)
	if len(peers) == 0 {
		return []Service{{Name: r.kind}}
	}

	out := make([]Service, len(peers))
	var wg sync.WaitGroup
	for i, p := range peers {
		wg.Go(func() {
			out[i] = askPeer(ctx, p)

			// An address says nothing to people: the name that the worker has in its
			// logs does.
			var detail struct {
				Worker string `json:"worker"`
			}
			if json.Unmarshal(out[i].Detail, &detail) == nil && detail.Worker != "" {
				out[i].Name = detail.Worker
			}
		})
	}
	wg.Wait()

	slices.SortFunc(out, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// look returns a client for each address that the host has now. Clients of
// addresses that stay are kept, with their connections.
func (r *replicas) look(ctx context.Context) []peerClient {
	addresses, err := r.lookup(ctx, r.base.Hostname())
	if err != nil {
		addresses = nil // no replica runs: then the name does not exist
	}

	r.mu.Lock()
	defer r.mu.Unlock()

	now := map[string]peerClient{}
	var out []peerClient
	for _, a := range addresses {
		p, known := r.clients[a]
		if !known {
			at := *r.base
			at.Host = net.JoinHostPort(a, r.base.Port())
			p = peerClient{Peer{Name: r.kind + "-" + a, URL: at.String()}, httpclient.ForService(at.String(), r.signer, serviceName)}
		}
		now[a] = p
		out = append(out, p)
	}

	r.clients = now
	return out
}
