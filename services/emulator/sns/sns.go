// Package sns is the emulator's Amazon SNS as far as Tandem uses it: Publish to
// a phone number. What was sent can be read, as in LocalStack, at
// /_aws/sns/sms-messages; the newest thousand are kept, in memory.
package sns

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"sync"

	"github.com/google/uuid"
)

const keep = 1000

// SMS is one text message.
type SMS struct {
	PhoneNumber string `json:"PhoneNumber"`
	Message     string `json:"Message"`
	MessageID   string `json:"MessageId"`
}

// Service keeps what was sent. It is safe for concurrent use.
type Service struct {
	mu   sync.Mutex
	sent []SMS
}

// New makes a Service.
func New() *Service { return &Service{} }

// phone is E.164.
var phone = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

type publishAnswer struct {
	XMLName   xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ PublishResponse"`
	MessageID string   `xml:"PublishResult>MessageId"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type errorAnswer struct {
	XMLName xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ ErrorResponse"`
	Type    string   `xml:"Error>Type"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

// Serve answers a request of the query protocol, whose form was parsed.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request) {
	if action := r.PostForm.Get("Action"); action != "Publish" {
		fail(w, "UnsupportedOperation", "The emulator has no "+action+": it knows what Tandem uses.")
		return
	}
	sms := SMS{PhoneNumber: r.PostForm.Get("PhoneNumber"), Message: r.PostForm.Get("Message"), MessageID: uuid.NewString()}
	switch {
	case !phone.MatchString(sms.PhoneNumber):
		fail(w, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: "+sms.PhoneNumber+" is not valid to publish to")
		return
	case sms.Message == "":
		fail(w, "InvalidParameter", "Invalid parameter: Empty message")
		return
	}
	s.mu.Lock()
	s.sent = append(s.sent[max(0, len(s.sent)-keep+1):], sms)
	s.mu.Unlock()
	write(w, http.StatusOK, publishAnswer{MessageID: sms.MessageID, RequestID: uuid.NewString()})
}

func fail(w http.ResponseWriter, code, text string) {
	write(w, http.StatusBadRequest, errorAnswer{Type: "Sender", Code: code, Message: text})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(v) // the client is gone if this fails
}

// Sent gives what was sent, by phone number.
func (s *Service) Sent() map[string][]SMS {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]SMS{}
	for _, m := range s.sent {
		out[m.PhoneNumber] = append(out[m.PhoneNumber], m)
	}
	return out
}

// Clear forgets what was sent.
func (s *Service) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = nil
}
