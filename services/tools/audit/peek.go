package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// peeked is one message of GET /_aws/sqs/messages.
type peeked struct {
	MessageID string `json:"MessageId"`
	Body      string `json:"Body"`
	// The emulator writes attributes as the SDK's answers do, LocalStack as XML
	// made into JSON: one is an object, several are a list.
	MessageAttributes map[string]attributeValue `json:"MessageAttributes"`
	MessageAttribute  json.RawMessage           `json:"MessageAttribute"`
}

type attributeValue struct {
	StringValue string `json:"StringValue"`
}

func (p peeked) attribute(name string) string {
	if v, ok := p.MessageAttributes[name]; ok {
		return v.StringValue
	}

	type attribute struct {
		Name  string
		Value attributeValue
	}
	var all []attribute
	if json.Unmarshal(p.MessageAttribute, &all) != nil {
		all = make([]attribute, 1)
		if json.Unmarshal(p.MessageAttribute, &all[0]) != nil {
			return ""
		}
	}

	for _, at := range all {
		if at.Name == name {
			return at.Value.StringValue
		}
	}
	return ""
}

const maxPeek = 64 << 20

func peek(ctx context.Context, endpoint, queueURL string) ([]peeked, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	at := strings.TrimSuffix(endpoint, "/") + "/_aws/sqs/messages?" + url.Values{"QueueUrl": {queueURL}, "ShowInvisible": {"true"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()

	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("peek answered %s", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPeek))
	if err != nil {
		return nil, err
	}
	return decodePeek(b)
}

// decodePeek reads null, one object, or a list.
func decodePeek(b []byte) ([]peeked, error) {
	var answer struct {
		ReceiveMessageResponse struct {
			ReceiveMessageResult *struct{ Message json.RawMessage }
		}
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("peek: %w", err)
	}
	result := answer.ReceiveMessageResponse.ReceiveMessageResult
	if result == nil || len(result.Message) == 0 || string(result.Message) == "null" {
		return nil, nil
	}

	var list []peeked
	if json.Unmarshal(result.Message, &list) == nil {
		return list, nil
	}
	var one peeked
	if err := json.Unmarshal(result.Message, &one); err != nil {
		return nil, fmt.Errorf("peek: %w", err)
	}
	return []peeked{one}, nil
}
