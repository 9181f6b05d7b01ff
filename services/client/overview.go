package client

import (
	"context"
	"net/http"
	"time"

	"tandem/services/internal/httpclient"
)

// Overview is what the console says of queues, workers and readers; for admins. What is nil is
// not known.
type Overview struct {
	At     time.Time `json:"at"`
	Queues []struct {
		Name     string `json:"name"`
		Visible  *int   `json:"visible"`
		InFlight *int   `json:"in_flight"`
		Error    string `json:"error"` // why the counts are not of now
	} `json:"queues"`
	Workers []struct {
		Name string `json:"name"`
		OK   bool   `json:"ok"`
	} `json:"workers"`
	Readers []struct {
		Reader   string `json:"reader"`
		BehindMS *int64 `json:"behind_ms"` // behind the stream's tip
		Shards   []struct {
			Shard    string `json:"shard"`
			Sequence string `json:"sequence"` // of the newest record read; empty: none
		} `json:"shards"`
	} `json:"readers"`
	Rides *struct {
		OldestWaiting *time.Time `json:"oldest_waiting"`
	} `json:"rides"`
	Autoscale *struct {
		Want    int    `json:"want"`
		Because string `json:"because"`
	} `json:"autoscale"`
}

// Overview asks once: who looks every few seconds has no use for a late answer.
func (s *Session) Overview(ctx context.Context) (o Overview, err error) {
	_, err = s.http.Once(ctx, httpclient.Request{Method: http.MethodGet, Path: "/v1/overview", Out: &o})
	return o, err
}
