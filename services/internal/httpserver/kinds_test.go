package httpserver_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/httpserver"
)

type position struct {
	Lat float64 `json:"lat"`
}

// A member of another type is named as the client wrote it, in JSON's words and not in
// Go's.
func TestAMemberOfAnotherTypeIsNamed(t *testing.T) {
	type stop struct {
		position
		Name string `json:"name"`
	}
	type input struct {
		Stops []stop           `json:"stops"`
		First *stop            `json:"first"`
		Seats int              `json:"seats"`
		Night bool             `json:"night"`
		Notes map[string]int64 `json:"notes"`
	}
	f := start(t, httpserver.Options{Routes: []httpserver.Route{{Method: "POST", Path: "/v1/trips", Public: true, Handle: func(c *gin.Context) error {
		return httpserver.Bind(c, &input{})
	}}}})

	for body, want := range map[string][2]string{
		`{"stops":[{"lat":"x"}]}`:  {"stops.lat", "It is a string and has to be a number."},
		`{"first":{"lat":[1]}}`:    {"first.lat", "It is an array and has to be a number."},
		`{"first":{"name":7}}`:     {"first.name", "It is a number and has to be a string."},
		`{"first":7}`:              {"first", "It is a number and has to be an object."},
		`{"stops":{}}`:             {"stops", "It is an object and has to be an array."},
		`{"seats":1e99}`:           {"seats", "It is the number 1e99, which does not fit, and has to be a whole number of at most 64 bits."},
		`{"seats":1.5}`:            {"seats", "It is the number 1.5, which does not fit, and has to be a whole number of at most 64 bits."},
		`{"night":"yes"}`:          {"night", "It is a string and has to be true or false."},
		`{"night":0}`:              {"night", "It is a number and has to be true or false."},
		`{"seats":true}`:           {"seats", "It is a boolean and has to be a whole number of at most 64 bits."},
		`{"first":{"lat":1e9999}}`: {"first.lat", "It is the number 1e9999, which does not fit, and has to be a number."},
		`{"first":{"nam":"x"}}`:    {"first.nam", "There is no such member here; there are lat, name."},
		`{"stops":[{},{"x":{}}]}`:  {"stops.x", "There is no such member here; there are lat, name."},
		`{"notes":{"x":1},"no":1}`: {"no", "There is no such member here; there are stops, first, seats, night, notes."},
		`[]`:                       {"", "It is an array and has to be an object."},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/v1/trips", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		status, _, answer := send(t, req)
		require.Equal(t, 400, status, "%s: %s", body, answer)

		var got struct{ Field, Detail string }
		require.NoError(t, json.Unmarshal(answer, &got))
		require.Equal(t, want, [2]string{got.Field, got.Detail}, body)
	}
}
