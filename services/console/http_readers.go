package console

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
	"tandem/services/tools/reader"
)

// readerRoutes are for the stream's durable readers: `tandem reader` does the same.
func (s *service) readerRoutes() []httpserver.Route {
	admin := []auth.Role{auth.Admin}

	// Some of them read the stream, whose calls all readers of a shard share.
	few := httpserver.Limit{PerSecond: 5, Burst: 20}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/readers", Roles: admin, Limit: few, Handle: s.readersHTTP},
		{Method: http.MethodPost, Path: "/v1/readers/:group/pause", Roles: admin, Limit: few, Handle: s.pauseReaderHTTP},
		{Method: http.MethodPost, Path: "/v1/readers/:group/resume", Roles: admin, Limit: few, Handle: s.resumeReaderHTTP},
		{Method: http.MethodPost, Path: "/v1/readers/:group/seek", Roles: admin, Limit: few, Handle: s.seekReaderHTTP},
		{Method: http.MethodPost, Path: "/v1/readers/:group/park", Roles: admin, Limit: few, Handle: s.parkRecordHTTP},
		{Method: http.MethodPost, Path: "/v1/readers/:group/skip", Roles: admin, Limit: few, Handle: s.skipRecordHTTP},
	}
}

// readerShards is the answer of GET /v1/readers.
type readerShards struct {
	At     time.Time      `json:"at"`
	Shards []reader.Shard `json:"shards"`
}

// readersHTTP is GET /v1/readers.
func (s *service) readersHTTP(c *gin.Context) error {
	shards, err := s.readers.List(c.Request.Context(), "")
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, readerShards{time.Now().UTC(), shards})
	return nil
}

// ofShards is the body of an act on a reader's shards; without shards it is on all.
type ofShards struct {
	because
	Shards []string `json:"shards"`
}

func (o ofShards) check() error {
	// Whoever computes a list that comes out empty does not mean all.
	if o.Shards != nil && len(o.Shards) == 0 {
		return problem.Field("shards", "Name shards, or leave it out for all of them.")
	}
	return nil
}

// pauseReaderHTTP is POST /v1/readers/{group}/pause.
func (s *service) pauseReaderHTTP(c *gin.Context) error { return s.actOnShards(c, reader.Pause) }

// resumeReaderHTTP is POST /v1/readers/{group}/resume.
func (s *service) resumeReaderHTTP(c *gin.Context) error { return s.actOnShards(c, reader.Resume) }

func (s *service) actOnShards(c *gin.Context, act string) error {
	var in ofShards
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	return answerAct(c)(s.readers.Do(c.Request.Context(), act, c.Param("group"), reader.Ask{Shards: in.Shards}, in.by(c)))
}

// seekReaderHTTP is POST /v1/readers/{group}/seek.
func (s *service) seekReaderHTTP(c *gin.Context) error {
	var in struct {
		ofShards
		To string `json:"to"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}

	to, err := time.Parse(time.RFC3339, in.To)
	if err != nil {
		return problem.Field("to", "It is a time such as 2026-11-28T10:00:00Z.")
	}
	return answerAct(c)(s.readers.Do(c.Request.Context(), reader.Seek, c.Param("group"), reader.Ask{Shards: in.Shards, To: to}, in.by(c)))
}

// parkRecordHTTP is POST /v1/readers/{group}/park.
func (s *service) parkRecordHTTP(c *gin.Context) error { return s.actOnRecord(c, reader.Park) }

// skipRecordHTTP is POST /v1/readers/{group}/skip.
func (s *service) skipRecordHTTP(c *gin.Context) error { return s.actOnRecord(c, reader.Skip) }

func (s *service) actOnRecord(c *gin.Context, act string) error {
	var in struct {
		ofShards
		Record string `json:"record"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}

	// A client sends again what was not answered. Without the name that would pass over
	// the next record that fails, which nobody has looked at.
	if in.Record == "" {
		return problem.Field("record", "Name the record, as it is listed.")
	}
	return answerAct(c)(s.readers.Do(c.Request.Context(), act, c.Param("group"), reader.Ask{Shards: in.Shards, Record: in.Record}, in.by(c)))
}
