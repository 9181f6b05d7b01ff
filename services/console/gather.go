package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
)

const shareFor = 500 * time.Millisecond

// Peer is one process that the console asks for its status.
type Peer struct {
	Name string // booking, dispatch-1, history and so on; dispatch-*: every address of URL's host
	URL  string
}

// gatherer asks all peers and queues concurrently and shares the answer for a moment.
type gatherer struct {
	peers  []*peer
	groups []*replicas
	roster roster
	queues []*part[QueueCounts]
	names  []string // of the queues
	sqs    queueAPI
	now    func() time.Time

	mu    sync.Mutex // held while gathering: askers share one round
	last  Overview
	reads readings
	live  []*peer // the live readers among those that were asked last

	urlLock sync.Mutex
	urls    map[string]string // of queues, by name
}

// peer is one process that is asked.
type peer struct {
	Peer
	client *httpclient.Client
	part[Service]
	arrivals part[points.Arrivals] // of a live reader
}

func newPeer(p Peer, signer *auth.Signer, now func() time.Time) *peer {
	out := &peer{Peer: p, client: httpclient.ForService(p.URL, signer, serviceName)}
	out.ask, out.now = out.status, now
	out.arrivals.ask, out.arrivals.now = out.askArrivals, now
	return out
}

func newGatherer(cfg Config, q queueAPI, signer *auth.Signer) *gatherer {
	g := &gatherer{names: cfg.Queues, sqs: q, now: time.Now, urls: map[string]string{}, reads: newReadings()}
	now := func() time.Time { return g.now() }
	g.roster.path, g.roster.signer, g.roster.now, g.roster.log = cfg.WorkersFile, signer, now, cfg.log

	for _, p := range cfg.Peers {
		if r, ok := newReplicas(p, signer, now); ok {
			g.groups = append(g.groups, r)
			continue
		}
		g.peers = append(g.peers, newPeer(p, signer, now))
	}
	for _, name := range cfg.Queues {
		ask := func(ctx context.Context) (QueueCounts, error) { return g.askQueue(ctx, name) }
		g.queues = append(g.queues, &part[QueueCounts]{ask: ask, now: now})
	}
	return g
}

// overview returns what was gathered at most shareFor ago.
func (g *gatherer) overview(ctx context.Context) Overview {
	g.mu.Lock()
	defer g.mu.Unlock()

	if now := g.now(); now.Sub(g.last.At) < shareFor {
		return g.last
	}

	// All concurrently: one part that does not answer costs the others nothing.
	peers := g.present(ctx)
	g.live = slices.Clone(peers)
	g.live = slices.DeleteFunc(g.live, func(p *peer) bool { return !readsLive(kindOf(p.Name)) })
	var asked []<-chan struct{}
	for _, p := range peers {
		asked = append(asked, p.begin(ctx))
	}
	for _, q := range g.queues {
		asked = append(asked, q.begin(ctx))
	}
	await(asked)

	now := g.now()
	o := Overview{At: now.UTC(), Queues: []Queue{}, Workers: []Worker{}, Shards: []Shard{}, Readers: []Reader{}, Autoscale: g.roster.autoscale()}
	for i, q := range g.queues {
		o.Queues = append(o.Queues, queueNow(g.names[i], q, now))
	}
	o.Services = g.services(now, peers)
	for _, s := range o.Services {
		o.place(s)
	}
	g.reads.judge(&o)

	o.OK, o.Sentence = judge(o)
	g.last = o
	return o
}

// present returns the processes that there are at the moment.
func (g *gatherer) present(ctx context.Context) []*peer {
	peers := slices.Clone(g.peers)
	for _, r := range g.groups {
		peers = append(peers, r.look(ctx)...)
	}
	return append(peers, g.roster.look()...)
}

// services returns the status of each process as last heard of. Where a group has
// none, one entry says that it is missed.
func (g *gatherer) services(now time.Time, peers []*peer) []Service {
	out := []Service{}
	for _, p := range peers {
		out = append(out, p.service(now))
	}
	for _, r := range g.groups {
		if r.size() == 0 {
			out = append(out, Service{Name: r.kind})
		}
	}
	return out
}

// service returns the process as it was last heard of.
func (p *peer) service(now time.Time) Service {
	s, heard, fresh := p.look(now)
	if s.Name == "" {
		s.Name = p.Name
	}
	s.OK, s.HeardAt = fresh, orNil(heard)
	return s
}

// status asks for the process's status.
func (p *peer) status(ctx context.Context) (Service, error) {
	var status struct {
		httpserver.Status
		Detail json.RawMessage `json:"detail"`
	}

	if _, err := p.client.Once(ctx, httpclient.Request{Method: http.MethodGet, Path: "/v1/status", Out: &status}); err != nil {
		return Service{}, err
	}

	s := Service{Name: p.Name, PID: status.PID, RSSMB: float64(status.RSSBytes) / (1 << 20), Detail: status.Detail}
	for check := range status.NotReady {
		if s.NotReady == nil {
			s.NotReady = map[string]string{}
		}
		s.NotReady[check] = inWords(check, status.Advice[check])
	}
	return s, nil
}
