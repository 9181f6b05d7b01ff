package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
)

const (
	askWithin = 1500 * time.Millisecond
	shareFor  = 500 * time.Millisecond
)

// Peer is one process that the console asks for its status.
type Peer struct {
	Name string // booking, dispatch-1, history and so on; dispatch-*: every address of URL's host
	URL  string
}

// gatherer asks all peers and queues concurrently and shares the answer for a moment.
type gatherer struct {
	peers  []peerClient
	groups []*replicas
	queues []string
	sqs    queueAPI
	now    func() time.Time

	mu   sync.Mutex // held while gathering: askers share one round
	last Overview

	urlLock sync.Mutex
	urls    map[string]string // of queues, by name
}

type peerClient struct {
	Peer
	client *httpclient.Client
}

func newGatherer(cfg Config, q queueAPI, signer *auth.Signer) *gatherer {
	g := &gatherer{queues: cfg.Queues, sqs: q, now: time.Now, urls: map[string]string{}}
	for _, p := range cfg.Peers {
		if r, ok := newReplicas(p, signer); ok {
			g.groups = append(g.groups, r)
			continue
		}
		g.peers = append(g.peers, peerClient{p, httpclient.ForService(p.URL, signer, serviceName)})
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

	// The round outlives one asker that goes away, since others wait for it; so it
	// has its own deadline.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()

	o := Overview{At: g.now().UTC(), Workers: []Worker{}, Shards: []Shard{}, Readers: []Reader{}, Rides: Rides{ByState: map[string]int{}}}
	o.Queues = make([]Queue, len(g.queues))
	o.Services = make([]Service, len(g.peers))

	// All concurrently: one part that does not answer costs the others nothing.
	var wg sync.WaitGroup
	for i, p := range g.peers {
		wg.Go(func() { o.Services[i] = askPeer(ctx, p) })
	}
	scaled := make([][]Service, len(g.groups))
	for i, r := range g.groups {
		wg.Go(func() { scaled[i] = r.ask(ctx) })
	}
	for i, name := range g.queues {
		wg.Go(func() { o.Queues[i] = g.askQueue(ctx, name) })
	}
	wg.Wait()

	o.Services = slices.Concat(append([][]Service{o.Services}, scaled...)...)
	for _, s := range o.Services {
		o.place(s)
	}

	o.OK, o.Sentence = judge(o)
	g.last = o
	return o
}

// askPeer returns a service's status. One that does not answer is not OK.
func askPeer(ctx context.Context, p peerClient) Service {
	var status struct {
		httpserver.Status
		Detail json.RawMessage `json:"detail"`
	}

	s := Service{Name: p.Name}
	if _, err := p.client.Once(ctx, httpclient.Request{Method: http.MethodGet, Path: "/v1/status", Out: &status}); err != nil {
		return s
	}

	s.OK, s.PID, s.NotReady, s.Detail = true, status.PID, status.NotReady, status.Detail
	s.RSSMB = float64(status.RSSBytes) / (1 << 20)
	return s
}

// place puts what a service says of itself where the overview shows it.
func (o *Overview) place(s Service) {
	kind, _, _ := strings.Cut(s.Name, "-")
	switch kind {
	case "dispatch":
		w := Worker{}
		decodeDetail(s, &w)
		w.Name, w.OK, w.PID = s.Name, s.OK, s.PID
		o.Workers = append(o.Workers, w)
	case "nearby", "mapfeed", "history", "heatmap", "speeding":
		r := Reader{}
		decodeDetail(s, &r)
		r.Reader, r.OK = s.Name, s.OK
		if r.OK && r.Mode == "" {
			r.Mode = "polling" // points.Group says nothing: it has no other way
		}
		for _, shard := range r.Shards {
			r.BehindMS = max(r.BehindMS, shard.BehindMS)
		}
		o.Readers = append(o.Readers, r)
	case "booking":
		decodeDetail(s, &o.Rides)
	case "location":
		var d struct {
			Shards []Shard `json:"shards"`
		}
		decodeDetail(s, &d)
		o.Shards = append(o.Shards, d.Shards...)
	}
}

// decodeDetail leaves v as it is where the detail has another shape: a service
// of another version is shown with what can be read.
func decodeDetail(s Service, v any) {
	if len(s.Detail) > 0 {
		_ = json.Unmarshal(s.Detail, v)
	}
}
