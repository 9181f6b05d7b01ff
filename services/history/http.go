package history

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
)

const (
	defaultPage = 1_000
	maxPage     = 10_000
)

// reader is the running service.
type reader struct {
	store *store
	stats *points.Stats
	seen  *points.Recent
	group *shardgroup.Group
}

func (r *reader) routes() []httpserver.Route {
	operators := []auth.Role{auth.Admin, auth.Service}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/drivers/:id/last", Roles: []auth.Role{auth.Driver, auth.Importer, auth.Service, auth.Admin}, Handle: r.lastHTTP},
		{Method: http.MethodGet, Path: "/v1/drivers/:id/points", Roles: operators, Handle: r.pointsHTTP},
		{Method: http.MethodGet, Path: "/v1/seen", Roles: operators, Handle: r.seenHTTP},
	}
}

// lastHTTP answers with a driver's newest point: its app goes on counting
// sequences from there.
func (r *reader) lastHTTP(c *gin.Context) error {
	driver, id := c.Param("id"), httpserver.Identity(c)
	if id.Role == auth.Driver && id.Subject != driver {
		return problem.New(problem.NotFound, "A driver sees its own points.")
	}
	p, ok, err := r.store.last(c.Request.Context(), driver)
	if err != nil {
		return err
	}
	if !ok {
		return problem.New(problem.NotFound, "There is no point of driver %s yet.", driver)
	}
	c.JSON(http.StatusOK, p)
	return nil
}

// pointsHTTP answers with a driver's points of a span, oldest first. Where
// there are more than limit, next is the from to go on with.
func (r *reader) pointsHTTP(c *gin.Context) error {
	to, err := timeParam(c, "to", time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	from, err := timeParam(c, "from", to.Add(-2*time.Hour))
	if err != nil {
		return err
	}
	limit := defaultPage
	if q := c.Query("limit"); q != "" {
		if limit, err = strconv.Atoi(q); err != nil || limit < 1 || limit > maxPage {
			return problem.Field("limit", "It is a number from 1 to %d.", maxPage)
		}
	}
	points, err := r.store.between(c.Request.Context(), c.Param("id"), from, to, limit)
	if err != nil {
		return err
	}
	answer := gin.H{"points": points}
	if len(points) == limit {
		answer["next"] = points[limit-1].Seq + 1
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

// timeParam reads a time in RFC 3339 or in ms since 1970.
func timeParam(c *gin.Context, name string, missing time.Time) (time.Time, error) {
	q := c.Query(name)
	if q == "" {
		return missing, nil
	}
	if ms, err := strconv.ParseInt(q, 10, 64); err == nil && ms >= 0 && ms < 1e13 {
		return time.UnixMilli(ms), nil
	}
	t, err := time.Parse(time.RFC3339Nano, q)
	if err != nil {
		return time.Time{}, problem.Field(name, "It is a time like 2026-11-24T12:00:00.000Z, or milliseconds since 1970.")
	}
	return t, nil
}

func (r *reader) seenHTTP(c *gin.Context) error {
	driver := c.Query("driver")
	if driver == "" {
		return problem.Field("driver", "Name a driver.")
	}
	c.JSON(http.StatusOK, gin.H{"seen": r.seen.Last(driver)})
	return nil
}

func (r *reader) status() any {
	d, group := r.stats.Detail(name), r.group.Status()
	d.Records, d.Parked, d.Gaps = group.Records, group.Parked, group.Gaps
	for _, s := range group.Shards {
		one := points.ShardDetail{Shard: s.Shard, Sequence: s.Sequence, BehindMS: s.Behind.Milliseconds(), Worker: s.Worker, Drained: s.Drained}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		d.Shards = append(d.Shards, one)
	}
	return d
}

func (r *reader) processor(string) shardgroup.Processor {
	return &processor{store: r.store, stats: r.stats, seen: r.seen, newest: map[string]int64{}}
}
