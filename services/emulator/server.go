package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/services/emulator/faults"
	"tandem/services/emulator/kinesis"
	"tandem/services/emulator/wire"
	"tandem/services/internal/lifecycle"
)

const (
	maxConnections = 4096
	maxForm        = 2 << 20 // a 256 KB message in a form
)

// identity is STS's only operation here.
const identity = "GetCallerIdentity"

type baseKey struct{}

// serve answers until ctx ends; long polls end with it.
func (e *emulator) serve(ctx context.Context, env lifecycle.Env) error {
	srv := &http.Server{
		Handler: e.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(env.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(limitListener(env.Listener, maxConnections)) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := lifecycle.Drain(ctx)
	defer cancel()
	return srv.Shutdown(drain)
}

func (e *emulator) handler() http.Handler {
	base := func(ctx context.Context) string { s, _ := ctx.Value(baseKey{}).(string); return s }
	queues := wire.Service{Prefix: "AmazonSQS", ContentType: "application/x-amz-json-1.0", Ops: e.queues.Ops(base)}
	streams := wire.Service{Prefix: "Kinesis_20131202", ContentType: "application/x-amz-json-1.1", Ops: e.streams.Ops()}
	mux := http.NewServeMux()
	for _, path := range []string{"GET /healthz", "GET /readyz"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	}
	mux.HandleFunc("GET /_aws/sqs/messages", e.peek)
	mux.HandleFunc("GET /_aws/sns/sms-messages", e.topics.Texts)
	mux.HandleFunc("DELETE /_aws/sns/sms-messages", e.topics.Texts)
	mux.HandleFunc("GET /_aws/emulator/state", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"queues": e.queues.Look(), "shards": e.streams.Look()})
	})
	rules := faults.New(faults.Options{On: e.faults, StreamOf: kinesis.StreamOf, Operations: map[string][]string{
		"sqs": slices.Collect(maps.Keys(queues.Ops)), "kinesis": slices.Collect(maps.Keys(streams.Ops)), "sns": e.topics.Operations(), "sts": {identity},
	}})
	for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
		mux.Handle(method+" /_aws/faults", rules)
	}
	mux.Handle("POST /", rules.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(context.WithValue(r.Context(), baseKey{}, "http://"+r.Host))
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasPrefix(target, queues.Prefix+"."):
			queues.Serve(w, r, target, e.log)
		case strings.HasPrefix(target, streams.Prefix+"."):
			streams.Serve(w, r, target, e.log)
		case target != "":
			queues.Serve(w, r, target, e.log) // UnsupportedOperation, by name
		default:
			e.query(w, r)
		}
	})))
	return mux
}

// query answers the form-encoded protocol: SNS, and STS's GetCallerIdentity.
func (e *emulator) query(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	if r.PostForm.Get("Action") == identity {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::000000000000:root</Arn><UserId>EMULATOR</UserId><Account>000000000000</Account>`+
			`</GetCallerIdentityResult><ResponseMetadata><RequestId>emulator</RequestId></ResponseMetadata></GetCallerIdentityResponse>`)
		return
	}
	e.topics.Serve(w, r)
}

func (e *emulator) peek(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, "the query cannot be read", http.StatusBadRequest)
		return
	}
	messages, err := e.queues.Peek(q.Get("QueueUrl"), q.Get("ShowInvisible") == "true")
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	// One shape only: LocalStack's null, object or list is its query protocol's.
	writeJSON(w, map[string]any{"ReceiveMessageResponse": map[string]any{"ReceiveMessageResult": map[string]any{"Message": messages}}})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}

// limited is a listener with at most so many open connections; more wait.
type limited struct {
	net.Listener
	slots chan struct{}
}

func limitListener(l net.Listener, n int) net.Listener {
	return &limited{l, make(chan struct{}, n)}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, release: func() { <-l.slots }}, nil
}

type limitedConn struct {
	net.Conn
	once    sync.Once
	release func()
}

// SetLinger is the TCP connection's: a reset needs it.
func (c *limitedConn) SetLinger(seconds int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.release)
	return err
}
