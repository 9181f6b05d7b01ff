package sns

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"tandem/emulator/sqs"
)

const keepTexts = 1000

// SMS is one text message, as LocalStack shows it.
type SMS struct {
	PhoneNumber     string
	TopicArn        *string
	SubscriptionArn *string
	MessageID       string `json:"MessageId"`
	Message         string
	Attributes      map[string]sqs.Attribute `json:"MessageAttributes"`
	Structure       *string                  `json:"MessageStructure"`
	Subject         *string
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// keep keeps the newest texts, so that a long run needs no more memory.
func (s *Service) keep(m SMS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts[max(0, len(s.texts)-keepTexts+1):], m)
}

// Texts answers /_aws/sns/sms-messages as LocalStack does: GET returns what was
// sent, by phone number; DELETE forgets it; phoneNumber chooses one. Another
// account or region than the emulator's own has none.
// https://docs.localstack.cloud/aws/services/sns/
func (s *Service) Texts(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, "the query cannot be read", http.StatusBadRequest)
		return
	}

	own := (q.Get("accountId") == "" || q.Get("accountId") == account) && (q.Get("region") == "" || q.Get("region") == region)
	number := q.Get("phoneNumber")

	if r.Method == http.MethodDelete {
		if own {
			s.forget(number)
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}

	out := map[string][]SMS{}
	if number != "" {
		out[number] = []SMS{}
	}

	if own {
		s.mu.Lock()
		for _, m := range s.texts {
			if number == "" || number == m.PhoneNumber {
				out[m.PhoneNumber] = append(out[m.PhoneNumber], m)
			}
		}
		s.mu.Unlock()
	}

	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client is gone if this fails
		"sms_messages": out, "region": cmp.Or(q.Get("region"), region),
	})
}

// forget forgets the texts to a number, or all if it is empty.
func (s *Service) forget(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = slices.DeleteFunc(s.texts, func(m SMS) bool { return number == "" || number == m.PhoneNumber })
}
