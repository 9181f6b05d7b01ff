package httpserver

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"tandem/services/internal/problem"
)

// Hosts are the names under which a server may be asked: loopback's, the address
// that the client has connected to, and those that were named.
//
// A page from elsewhere can reach a server on this machine under a name of its own
// (DNS rebinding). The browser then says that name as Host and as Origin, so the
// two prove nothing about each other: both are held against this list.
type Hosts struct{ named map[string]bool } // in lower case: name, or name:port

// NewHosts returns Hosts with further names. With a port, a name is known at that
// port alone, which then need not be the server's own (a published port).
func NewHosts(named []string) (Hosts, error) {
	h := Hosts{named: map[string]bool{}}
	for _, n := range named {
		if n == "" || strings.ContainsAny(n, "/*@ ") {
			return Hosts{}, fmt.Errorf("%q is not a host: --allow-host takes names such as tandem.example.com or 127.0.0.1:9090", n)
		}
		h.named[strings.ToLower(n)] = true
	}
	return h, nil
}

// Known reports whether the request's Host is one of h. Loopback's names are known
// at any port, since ports are forwarded; no DNS server can make them lead
// elsewhere.
func (h Hosts) Known(r *http.Request) bool {
	name, port := splitHost(r.Host)
	return loopback(name) || h.has(name, port) || sameAddress(name, connectedTo(r))
}

// Own reports whether origin is that of a page that this server has served. On
// loopback other programs serve pages too, so there the port must be the server's.
func (h Hosts) Own(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return false
	}

	name, port := splitHost(u.Host)
	_, ownPort := splitHost(connectedTo(r))
	implied := port == ""
	if implied {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}

	switch {
	case h.named[net.JoinHostPort(name, port)]:
		return true
	case loopback(name) || sameAddress(name, connectedTo(r)):
		return port == ownPort
	}
	// A proxy before the server may serve the name at the scheme's port.
	return h.named[name] && (implied || port == ownPort)
}

func (h Hosts) has(name, port string) bool {
	return h.named[name] || h.named[net.JoinHostPort(name, port)]
}

// guard refuses a request under another name, or from a page of another site,
// before anything else of the server sees it.
func (h Hosts) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		switch {
		case !h.Known(r):
			WriteProblem(w, problem.New(problem.Misdirected, "%q is not a name of this server. If it should be, start the server with --allow-host.", r.Host))
		case origin != "" && !h.Own(r, origin):
			WriteProblem(w, problem.New(problem.Forbidden, "A page of %s may not ask this server. If it should, start the server with --allow-host.", origin))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// FromOwnPage reports whether a page of this server's asks. Browsers send Origin
// with every request that changes something, and guard has refused any other's.
func FromOwnPage(r *http.Request) bool { return r.Header.Get("Origin") != "" }

// splitHost returns a host's name as it is compared, and its port or "".
func splitHost(host string) (name, port string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	return strings.TrimSuffix(strings.ToLower(name), "."), port
}

// loopback reports whether a name can only lead to the client's own machine.
func loopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

// connectedTo returns the address at which the connection was accepted.
func connectedTo(r *http.Request) string {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return ""
	}
	return addr.String()
}

// sameAddress reports whether name is the IP address of the host and port addr.
func sameAddress(name, addr string) bool {
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	own, err := netip.ParseAddrPort(addr)
	return err == nil && own.Addr().Unmap() == ip.Unmap()
}
