// Command sms becomes a rider with a phone, books a ride, and waits for the text "Your
// driver is on the way". Then it sends the same event three more times, as a queue may
// deliver it again, and counts the texts once more. With -without-record nobody looks
// meanwhile whether the text was sent before.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
)

const trip = `{"pickup": {"lat": -34.9065, "lon": -56.1993}, "dropoff": {"lat": -34.9053, "lon": -56.1903}}`

func main() {
	without := flag.Bool("without-record", false, "repeats are sent as if there were no delivery record")
	flag.Parse()
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	b := browser{&http.Client{Jar: jar, Timeout: 10 * time.Second}}
	phone := fmt.Sprintf("+598%08d", rand.N(100_000_000))

	// A text goes only to a phone that the rider has proved to hold, by a code.
	var rider struct{ Subject string }
	b.call(http.MethodPost, "/session/rider", "", &rider)
	b.call(http.MethodPut, "/rider/v1/contact", `{"phone": "`+phone+`", "language": "en"}`, nil)
	b.call(http.MethodPost, "/rider/v1/contact/code", "", nil)
	code := regexp.MustCompile(`code is (\d+)`).FindStringSubmatch(b.texts(phone))[1]
	b.call(http.MethodPost, "/rider/v1/contact/verify", `{"code": "`+code+`"}`, nil)

	var ride struct{ ID string }
	b.call(http.MethodPost, "/rider/v1/rides", trip, &ride)
	const text = "Your driver is on the way"
	for !strings.Contains(b.texts(phone), text) {
		time.Sleep(200 * time.Millisecond)
	}
	fmt.Printf("%q: %d to %s\n", text, strings.Count(b.texts(phone), text), phone)

	b.call(http.MethodPost, "/session/admin", "", nil)
	id, _ := b.delivery(ride.ID)
	b.call(http.MethodPut, "/admin/v1/lab/double-sms", fmt.Sprintf(`{"on": %t}`, *without), nil)
	sendAgain(event.RideNotice{RideID: ride.ID, RiderID: rider.Subject}, id)
	b.call(http.MethodPut, "/admin/v1/lab/double-sms", `{"on": false}`, nil)
	fmt.Printf("the event %s was sent three more times\n", id)

	_, tries := b.delivery(ride.ID)
	fmt.Printf("%q: %d to %s, tries: %d\n", text, strings.Count(b.texts(phone), text), phone, tries)
}

//excerpt:again

// sendAgain sends copies of an event, and returns when they have been handled.
func sendAgain(notice event.RideNotice, id string) {
	ctx := context.Background()
	client := sqs.NewFromConfig(must(awsclient.New(ctx, awsclient.Config{}))) // AWS_ENDPOINT_URL says where
	queue := must(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: new(event.QueueNotifications)})).QueueUrl

	body := must(json.Marshal(must(event.New(id, event.TypeRideAssigned, time.Now(), notice))))
	for i := range 3 {
		must(client.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl: queue, MessageBody: new(string(body)), MessageGroupId: &notice.RideID,
			MessageDeduplicationId: new(fmt.Sprint(id, "-", i)), // else the queue itself would drop the copies
		}))
	}

	for empty := false; !empty; time.Sleep(100 * time.Millisecond) {
		a := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{"All"}})).Attributes
		empty = a["ApproximateNumberOfMessages"] == "0" && a["ApproximateNumberOfMessagesNotVisible"] == "0"
	}
}

//excerpt:end

// browser does what the rider's and the operator's pages do.
type browser struct{ client *http.Client }

// texts are all that SNS has sent to a phone, as the emulator and LocalStack keep it.
func (b browser) texts(phone string) string {
	resp := must(b.client.Get(os.Getenv("AWS_ENDPOINT_URL") + "/_aws/sns/sms-messages?phoneNumber=%2B" + phone[1:]))
	defer func() { _ = resp.Body.Close() }()
	return string(must(io.ReadAll(resp.Body)))
}

// delivery is what is recorded of the text about the ride's driver.
func (b browser) delivery(ride string) (event string, tries int) {
	var all struct {
		Deliveries []struct {
			EventID       string `json:"event_id"`
			Channel, Kind string
			Tries         int
		}
	}
	b.call(http.MethodGet, "/admin/v1/deliveries?ride_id="+ride, "", &all)
	for _, d := range all.Deliveries {
		if d.Channel == "sms" && d.Kind == "assigned" {
			return d.EventID, d.Tries
		}
	}
	log.Fatal("no text is recorded")
	return "", 0
}

func (b browser) call(method, path, body string, out any) {
	r := must(http.NewRequest(method, os.Getenv("TANDEM_URL")+path, strings.NewReader(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", os.Getenv("TANDEM_URL")) // a cookie is used by our own pages alone
	r.Header.Set("Idempotency-Key", fmt.Sprint(time.Now().UnixNano()))

	resp := must(b.client.Do(r))
	defer func() { _ = resp.Body.Close() }()
	answer := must(io.ReadAll(resp.Body))
	if resp.StatusCode >= http.StatusBadRequest {
		log.Fatalf("%s %s: %s %s", method, path, resp.Status, answer)
	}
	if out != nil {
		must(0, json.Unmarshal(answer, out))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
