// Command first-ride becomes a rider, books a ride, and prints every event of it until
// a driver has said yes and its message is gone. With -slow it books the trip whose
// driver thinks for 20 seconds. It speaks to Tandem as a browser does, and knows none of
// its code.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"os"
	"time"
)

const (
	// From Plaza Independencia a few blocks along 18 de Julio.
	trip = `{"pickup": {"lat": -34.9065, "lon": -56.1993}, "dropoff": {"lat": -34.9053, "lon": -56.1903}}`
	// From Plaza Cagancha to Plaza Independencia: the simulated drivers know this one.
	slowTrip = `{"pickup": {"lat": -34.9053, "lon": -56.1917}, "dropoff": {"lat": -34.9066, "lon": -56.1997}}`
)

type event struct {
	Seq  int            `json:"seq"`
	Kind string         `json:"kind"`
	By   string         `json:"by"`
	At   time.Time      `json:"at"`
	Data map[string]any `json:"data"`
}

func main() {
	slow := flag.Bool("slow", false, "book the trip whose driver thinks for 20 seconds")
	flag.Parse()
	if os.Getenv("TANDEM_URL") == "" {
		log.Fatal(`TANDEM_URL is not set; first: eval "$(bin/tandem env)"`)
	}
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}

	var rider struct{ Subject string }
	call(client, http.MethodPost, "/session/rider", "", &rider)
	booking := trip
	if *slow {
		booking = slowTrip
	}
	var ride struct{ ID string }
	call(client, http.MethodPost, "/rider/v1/rides", booking, &ride)
	fmt.Printf("%s booked ride %s\n", rider.Subject, ride.ID)

	var booked time.Time
	assigned := false
	for after := 0; ; time.Sleep(200 * time.Millisecond) {
		var page struct{ Events []event }
		call(client, http.MethodGet, fmt.Sprintf("/rider/v1/rides/%s/events?after=%d", ride.ID, after), "", &page)
		for _, e := range page.Events {
			if after = e.Seq; booked.IsZero() {
				booked = e.At
			}
			fmt.Printf("%7d ms  %-10s by %-24s %s\n", e.At.Sub(booked).Milliseconds(), e.Kind, e.By, more(e))
			assigned = assigned || e.Kind == "assigned"
			if assigned && e.Kind == "deleted" || e.Kind == "unfulfilled" {
				return
			}
		}
	}
}

// more is what an event tells of the message, or of the driver.
func more(e event) string {
	switch e.Kind {
	case "received":
		return fmt.Sprintf("try %v, pid %v, message %v", e.Data["receives"], e.Data["pid"], e.Data["message_id"])
	case "assigned":
		return fmt.Sprint(e.Data["plate"])
	}
	return ""
}

func call(client *http.Client, method, path, body string, out any) {
	r, err := http.NewRequest(method, os.Getenv("TANDEM_URL")+path, bytes.NewBufferString(body))
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", os.Getenv("TANDEM_URL"))                    // a cookie is used by our own pages alone
	r.Header.Set("Idempotency-Key", fmt.Sprint(time.Now().UnixNano())) // of a booking: once for each key

	resp, err := client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode >= http.StatusBadRequest {
		log.Fatalf("%s %s: %s, %v", method, path, resp.Status, err)
	}
}
