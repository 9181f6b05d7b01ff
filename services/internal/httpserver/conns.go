package httpserver

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"tandem/services/internal/problem"
)

const (
	// DefaultMaxConnections is how many connections may be open where nothing else is
	// said. Each costs two goroutines and two buffers: about 20 kB.
	DefaultMaxConnections = 10_000
	// maxTold is how many connections beyond it are open only to hear that it is so.
	// Beyond those, a connection is closed without a word.
	maxTold = 256
)

// gate is a listener that bounds the open connections: all of them, and those of one
// address, which may have half. So one client that opens connections and sends
// nothing leaves the other half to others.
type gate struct {
	net.Listener
	most   int
	exempt proxies // each brings many clients

	mu    sync.Mutex
	open  int // without those that are told
	told  int
	by    map[netip.Addr]int
	freed time.Time // when one was closed last
}

func newGate(l net.Listener, most int, exempt proxies) *gate {
	return &gate{Listener: l, most: most, exempt: exempt, by: map[netip.Addr]int{}, freed: time.Now()}
}

// Accept returns the next connection that may stay, or be told that it may not.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if passed := g.pass(c); passed != nil {
			return passed, nil
		}
		_ = c.Close() // it has sent nothing that was read
	}
}

func (g *gate) pass(c net.Conn) *passed {
	address := connected(c.RemoteAddr().String())
	g.mu.Lock()
	defer g.mu.Unlock()

	out := &passed{Conn: c, gate: g, address: address}
	switch wait := min(max(time.Since(g.freed), time.Second), longestWait); {
	case g.open >= g.most:
		out.refusal = problem.New(problem.Unavailable, "This server has %d connections open, which is all it takes. Try again in %d s.", g.most, seconds(wait))
		out.refusal.RetryAfter = wait
	case g.by[address] >= g.most/2 && !g.exempt.trust(address):
		out.refusal = problem.New(problem.TooMany, "Your address has %d connections open, which is as many as one may have. Close some, and try again in %d s.", g.most/2, seconds(wait))
		out.refusal.RetryAfter = wait
	default:
		g.open++
		g.by[address]++
		return out
	}

	if g.told >= maxTold {
		return nil
	}
	g.told++
	return out
}

// passed is a connection that counts until it is closed.
type passed struct {
	net.Conn
	gate    *gate
	address netip.Addr
	refusal *problem.Error // nil: it may stay
	once    sync.Once
}

// Close may be called twice, but frees one place.
func (p *passed) Close() error {
	p.once.Do(func() {
		g := p.gate
		g.mu.Lock()
		defer g.mu.Unlock()
		if p.refusal != nil {
			g.told--
			return
		}

		g.open--
		g.freed = time.Now()
		if g.by[p.address]--; g.by[p.address] == 0 {
			delete(g.by, p.address)
		}
	})
	return p.Conn.Close()
}

// CloseWrite lets net/http wait until its last answer has been read, before it closes.
func (p *passed) CloseWrite() error {
	if tcp, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return tcp.CloseWrite()
	}
	return nil
}

type passedKey struct{}

// remember lets a request know its connection.
func remember(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, passedKey{}, c)
}

// tell answers what comes over a connection that may not stay.
func tell(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(passedKey{}).(*passed); ok && c.refusal != nil {
			w.Header().Set("Connection", "close")
			WriteProblem(w, c.refusal)
			return
		}
		next.ServeHTTP(w, r)
	})
}
