package httpserver

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"tandem/services/internal/auth"
)

// ClientHeader is the header by which the gateway tells a service which address its
// client has. The service believes it for its signature (auth.Signer.Vouch): that a
// request comes from the gateway's own address proves nothing where others share it.
const ClientHeader = "Tandem-Client"

// proxies are the networks whose X-Forwarded-For is believed.
type proxies []netip.Prefix

func newProxies(networks []string) (proxies, error) {
	var out proxies
	for _, n := range networks {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network: --trusted-proxies takes networks such as 10.0.0.0/8 or 203.0.113.7/32", n)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (p proxies) trust(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// client returns the address of whoever asks, as limits tell clients apart.
func (p proxies) client(r *http.Request, signer *auth.Signer) string {
	if told := r.Header.Get(ClientHeader); told != "" && signer != nil {
		if address, ok := signer.Vouched(told); ok {
			return address
		}
	}

	// From the right: each proxy has added the address that it was asked from, and
	// what stands left of an address that is no proxy's, anybody can have written.
	at := connected(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trust(at); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = hop.Unmap()
	}
	return one(at)
}

// one returns what stands for one client's addresses: an IPv6 client has a whole /64
// network, and would be another one with each request.
func one(a netip.Addr) string {
	if a.Is4() || !a.IsValid() {
		return a.String()
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().String()
}

// connected returns the IP address of a connection's other end.
func connected(addr string) netip.Addr {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

type clientKey struct{}

// addressed finds out the client's address once, for all that ask for it.
func (p proxies) addressed(next http.Handler, signer *auth.Signer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, p.client(r, signer))))
	})
}

// Client returns the address of whoever asks: the connection's, or the one that a
// trusted proxy or the gateway has named.
func Client(r *http.Request) string {
	if address, ok := r.Context().Value(clientKey{}).(string); ok {
		return address
	}
	return one(connected(r.RemoteAddr))
}

// Person returns what tells the one who asks from others: role and subject, and the
// address of who has no name. All viewers have the same subject.
func Person(r *http.Request, id auth.Identity) string {
	if id.Subject == "" || id.Role == auth.Viewer {
		return "viewer@" + Client(r)
	}
	return string(id.Role) + ":" + id.Subject
}

// forMany reports whether a role acts for many people, and is not limited as one:
// only the operator's key or the deployment's signing key makes such a token.
func forMany(role auth.Role) bool { return role == auth.Importer || role == auth.Service }
