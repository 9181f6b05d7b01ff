package kinesis

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"tandem/services/emulator/wire"
)

// tokenLife is how long a NextToken can be used.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html
const tokenLife = 300 * time.Second

// pageLimit gives how many entries a page has: at most most, whatever is asked.
func pageLimit(name string, asked *int, otherwise, most int) (int, error) {
	if asked == nil {
		return otherwise, nil
	}
	if *asked < 1 || *asked > 10_000 {
		return 0, invalid(name, "have value between 1 and 10000")
	}
	return min(*asked, most), nil
}

// token is what a NextToken holds: where the next page begins, and of what.
type token struct {
	Stream  string       `json:"n"`
	Created int64        `json:"c"`
	After   string       `json:"a"` // the last entry of the page before
	Filter  *shardFilter `json:"f,omitempty"`
	Issued  int64        `json:"i"`
}

func (t token) text() string {
	b, _ := json.Marshal(t) // text and numbers
	return base64.StdEncoding.EncodeToString(b)
}

func parseToken(text string) (t token, err error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err == nil && t.Stream == "" {
		err = fmt.Errorf("it names no stream")
	}
	if err != nil {
		return token{}, wire.Bad("InvalidArgumentException", "The NextToken is invalid: %v.", err)
	}
	return t, nil
}

// openToken reads a token that may still be used.
func (s *Service) openToken(text string) (token, error) {
	t, err := parseToken(text)
	if err == nil && s.nowMS()-t.Issued > tokenLife.Milliseconds() {
		err = wire.Bad("ExpiredNextTokenException", "The NextToken is older than %s.", tokenLife)
	}
	return t, err
}

// made says whether a stream is the one that was created at this time; 0: any.
func (n *streamInfo) made(createdMS int64) error {
	if createdMS != 0 && createdMS/1000 != n.Created/1000 {
		return noStream(fmt.Sprintf("%s created at %s", n.Name, time.UnixMilli(createdMS).UTC().Format(time.RFC3339)))
	}
	return nil
}

func msOf(at *wire.Seconds) int64 {
	if at == nil {
		return 0
	}
	return time.Time(*at).UnixMilli()
}
