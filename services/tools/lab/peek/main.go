// Command peek prints the messages of a queue, those in flight too, and receives none:
//
//	peek ride-requests-dlq
//
// AWS has no such call; it is the emulator's.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
)

// message is what is in a message, and state is where it is in its life.
type (
	message struct {
		MessageID string `json:"MessageId"`
		Body      string
		Own       some[struct {
			Name  string
			Value struct{ StringValue string }
		}] `json:"MessageAttribute"`
	}
	state struct {
		ID        string `json:"id"`
		State     string `json:"state"` // visible, in_flight or delayed
		VisibleIn int    `json:"visible_in_ms"`
		Receives  int    `json:"receives"`
	}
)

// some is a list that comes without its brackets where it has one element.
type some[T any] []T

func (s *some[T]) UnmarshalJSON(b []byte) error {
	if b[0] == '{' {
		b = append(append([]byte("["), b...), ']')
	}
	return json.Unmarshal(b, (*[]T)(s))
}

func main() {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if len(os.Args) != 2 || endpoint == "" {
		log.Fatal(`usage: peek QUEUE, after eval "$(bin/tandem env)"`)
	}

	var all struct {
		Queues []struct {
			Name     string  `json:"name"`
			Messages []state `json:"messages"`
		} `json:"queues"`
	}
	get(endpoint+"/_aws/emulator/state", &all)
	var inside struct {
		Response struct {
			Result struct{ Message some[message] } `json:"ReceiveMessageResult"`
		} `json:"ReceiveMessageResponse"`
	}
	query := url.Values{"QueueUrl": {endpoint + "/000000000000/" + os.Args[1]}, "ShowInvisible": {"true"}, "ShowDelayed": {"true"}}
	get(endpoint+"/_aws/sqs/messages?"+query.Encode(), &inside)

	states := map[string]state{}
	for _, q := range all.Queues {
		for _, s := range q.Messages {
			states[s.ID] = s
		}
	}
	for _, m := range inside.Response.Result.Message {
		s := states[m.MessageID]
		fmt.Printf("%s  %s, receives: %d, shows in %d s: %.40q\n", m.MessageID, s.State, s.Receives, (s.VisibleIn+999)/1000, m.Body)
		for _, a := range m.Own {
			fmt.Printf("    %s: %s\n", a.Name, a.Value.StringValue)
		}
	}
	fmt.Println(len(inside.Response.Result.Message), "in", os.Args[1])
}

func get(url string, out any) {
	resp, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode != http.StatusOK {
		log.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
}
