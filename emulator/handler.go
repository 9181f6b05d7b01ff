package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tandem/emulator/faults"
	"tandem/emulator/journal"
	"tandem/emulator/kinesis"
	"tandem/emulator/sns"
	"tandem/emulator/wire"
)

const (
	maxForm = 2 << 20 // bytes: a 256 KB message in a form
	// identity is the only operation of STS.
	identity = "GetCallerIdentity"
	// sqsQueryVersion is of SQS's query protocol; SNS's has another.
	sqsQueryVersion = "2012-11-05"
)

type baseKey struct{}

// handler answers AWS's protocols at POST /. Under /_aws/ is what shows the state
// and what sets faults.
func (e *emulator) handler() http.Handler {
	base := func(ctx context.Context) string { s, _ := ctx.Value(baseKey{}).(string); return s }
	queues := wire.Service{Prefix: "AmazonSQS", ContentType: "application/x-amz-json-1.0", Ops: e.queues.Ops(base)}
	streams := wire.Service{Prefix: "Kinesis_20131202", ContentType: "application/x-amz-json-1.1", Ops: e.streams.Ops(), CBOR: true}

	rules := faults.New(faults.Options{On: e.faults, StreamOf: kinesis.StreamOf, Operations: map[string][]string{
		"sqs": slices.Collect(maps.Keys(queues.Ops)), "kinesis": slices.Collect(maps.Keys(streams.Ops)), "sns": e.topics.Operations(), "sts": {identity},
	}})

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", e.readyz)

	mux.HandleFunc("GET /_aws/sqs/messages", e.queues.ServePeek)
	mux.HandleFunc("GET /_aws/sqs/messages/{region}/{account}/{queue}", e.queues.ServePeek)
	mux.HandleFunc("GET /_aws/sns/sms-messages", e.topics.Texts)
	mux.HandleFunc("DELETE /_aws/sns/sms-messages", e.topics.Texts)
	mux.HandleFunc("GET /_aws/emulator/state", e.state)
	for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
		mux.Handle(method+" /_aws/faults", rules)
	}

	// Faults come before everything that an SDK calls, and before nothing else.
	mux.Handle("POST /", rules.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Queue URLs begin with the address that the client uses.
		r = r.WithContext(context.WithValue(r.Context(), baseKey{}, "http://"+r.Host))

		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasPrefix(target, streams.Prefix+"."):
			streams.Serve(w, r, target, e.log)
		case target != "":
			// Another service's target comes here too: UnsupportedOperation, with its name.
			queues.Serve(w, r, target, e.log)
		default:
			e.query(w, r)
		}
	})))
	return mux
}

// query answers the form-encoded protocol: SNS's, and STS's GetCallerIdentity.
// SQS's older one is refused by its name.
func (e *emulator) query(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		sns.Fail(w, wire.Bad("MalformedQueryString", "The form cannot be read: %v", err))
		return
	}

	switch form := r.PostForm; {
	case form.Get("Action") == identity:
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::000000000000:root</Arn><UserId>EMULATOR</UserId><Account>000000000000</Account>`+
			`</GetCallerIdentityResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></GetCallerIdentityResponse>`, wire.RequestID(w))
	case form.Get("Action") == "":
		sns.Fail(w, wire.Bad("UnsupportedProtocol", "The request names no operation that the emulator can find. It speaks AWS's JSON protocols, which name it in X-Amz-Target, "+
			"and SNS's and STS's form with an Action; this is %q %s.", r.Header.Get("Content-Type"), r.Header.Get("Smithy-Protocol")))
	case form.Get("Version") == sqsQueryVersion:
		sns.Fail(w, wire.Bad("UnsupportedProtocol", "%s is of SQS's older query protocol, and the emulator speaks the JSON protocol with clients of SQS, "+
			"as AWS's SDKs and CLI do since the end of 2023: update this one.", form.Get("Action")))
	default:
		e.topics.Serve(w, r)
	}
}

// readyz answers 200 while what is sent can be stored, and else 503 with the
// reason, in the form of Tandem's services. What is stored is read all the same.
func (e *emulator) readyz(w http.ResponseWriter, _ *http.Request) {
	status, disk := http.StatusOK, "ok"
	if err := e.streams.Writable(); err != nil {
		status, disk = http.StatusServiceUnavailable, "nothing can be stored, only read: "+journal.Cause(err)
	}

	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"service": "emulator", "checks": map[string]string{"disk": disk}}) // the client is gone if this fails
}

// state shows queues, shards, consumers and topics, with rates. It changes nothing.
func (e *emulator) state(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client is gone if this fails
		"queues": e.queues.Look(), "shards": e.streams.Look(), "consumers": e.streams.LookConsumers(), "topics": e.topics.Look(),
	})
}
