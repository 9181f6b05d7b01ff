package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stub shows the machine's limit. It decodes a request as the emulator must,
// answers, and keeps nothing but one batch to return again and again.
type stub struct {
	mu      sync.Mutex
	records []byte // GetRecords' answer, encoded once from the records that were put first
	bodies  []string
}

func serveStub(l net.Listener) error {
	s := &stub{}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	return srv.Serve(l)
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}

	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	out, err := s.answer(op, body, "http://"+r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}

	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = w.Write(out)
}

func (s *stub) answer(op string, body []byte, base string) ([]byte, error) {
	switch op {
	case "PutRecords":
		return s.putRecords(body)
	case "GetRecords":
		var in struct{ ShardIterator string }
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.records, nil
	case "GetShardIterator":
		return []byte(`{"ShardIterator":"stub"}`), nil
	case "CreateStream":
		return []byte(`{}`), nil
	case "DescribeStreamSummary":
		return []byte(`{"StreamDescriptionSummary":{"StreamStatus":"ACTIVE"}}`), nil
	case "CreateQueue":
		return json.Marshal(map[string]string{"QueueUrl": base + "/000000000000/stub"})
	case "SendMessageBatch":
		return s.send(body)
	case "ReceiveMessage":
		return s.receive()
	case "DeleteMessageBatch":
		return remove(body)
	}
	return nil, fmt.Errorf("the stub has no %s", op)
}

func (s *stub) putRecords(body []byte) ([]byte, error) {
	var in struct {
		Records []struct {
			Data         []byte
			PartitionKey string
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}

	type one struct {
		ShardID        string `json:"ShardId"`
		SequenceNumber string
	}
	out := struct {
		FailedRecordCount int
		Records           []one
	}{Records: make([]one, len(in.Records))}
	for i := range in.Records {
		out.Records[i] = one{"shardId-000000000000", strconv.Itoa(i)}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	// Only the first call's records are kept: encoding them again for each
	// GetRecords would measure JSON.
	if s.records == nil {
		b := []byte(`{"MillisBehindLatest":1,"NextShardIterator":"stub","Records":[`)
		for i, r := range in.Records {
			if i > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `{"ApproximateArrivalTimestamp":1.8e9,"Data":"%s","PartitionKey":"%s","SequenceNumber":"%d"}`,
				base64.StdEncoding.EncodeToString(r.Data), r.PartitionKey, i)
		}
		s.records = append(b, "]}"...)
	}

	return json.Marshal(out)
}

func (s *stub) send(body []byte) ([]byte, error) {
	var in struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []struct{ ID, MessageBody string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}

	type one struct {
		ID               string `json:"Id"`
		MessageID        string `json:"MessageId"`
		MD5OfMessageBody string
	}
	out := struct{ Successful []one }{}

	bodies := make([]string, 0, len(in.Entries))
	for _, e := range in.Entries {
		bodies = append(bodies, e.MessageBody)
		out.Successful = append(out.Successful, one{e.ID, "stub", sum(e.MessageBody)})
	}

	s.mu.Lock()
	s.bodies = bodies
	s.mu.Unlock()
	return json.Marshal(out)
}

func (s *stub) receive() ([]byte, error) {
	type one struct {
		MessageID                      string `json:"MessageId"`
		ReceiptHandle, Body, MD5OfBody string
	}
	out := struct{ Messages []one }{}

	s.mu.Lock()
	defer s.mu.Unlock()
	for i, b := range s.bodies {
		out.Messages = append(out.Messages, one{"stub", strconv.Itoa(i), b, sum(b)})
	}

	return json.Marshal(out)
}

func remove(body []byte) ([]byte, error) {
	var in struct {
		Entries []struct{ ID, ReceiptHandle string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}

	type one struct {
		ID string `json:"Id"`
	}
	out := struct{ Successful []one }{}
	for _, e := range in.Entries {
		out.Successful = append(out.Successful, one{e.ID})
	}

	return json.Marshal(out)
}
