package main

import (
	"encoding/json"
	"log"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strconv"
	"time"
)

// overview is the part of the console's answer that is used here.
type overview struct {
	Queues []struct {
		Name     string `json:"name"`
		Visible  number `json:"visible"`
		InFlight number `json:"in_flight"`
		Delayed  number `json:"delayed"`
	} `json:"queues"`
	Workers []struct {
		Name     string `json:"name"`
		PID      int    `json:"pid"`
		Handling number `json:"handling"`
	} `json:"workers"`
	Readers []struct {
		Reader   string `json:"reader"`
		BehindMS number `json:"behind_ms"`
		Points   number `json:"points"`
		Parked   int    `json:"parked"`
	} `json:"readers"`
	Services []struct {
		Name string `json:"name"`
		PID  int    `json:"pid"`
	} `json:"services"`
}

// number is null where nobody knows it, which is not 0.
type number struct{ *int }

func (n number) String() string {
	if n.int == nil {
		return "?"
	}
	return strconv.Itoa(*n.int)
}

func (n *number) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &n.int) }

// seconds is of milliseconds.
func (n number) seconds() number {
	if n.int == nil {
		return n
	}
	s := *n.int / 1000
	return number{&s}
}

// console asks as an operator, whom the demo lets in by one click.
type console struct{ client *http.Client }

func signIn() *console {
	if os.Getenv("TANDEM_URL") == "" {
		log.Fatal(`TANDEM_URL is not set; first: eval "$(bin/tandem env)"`)
	}
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	c := &console{&http.Client{Jar: jar, Timeout: 10 * time.Second}}
	c.call(http.MethodPost, "/session/admin", &struct{}{})
	return c
}

func (c *console) overview() (o overview) {
	c.call(http.MethodGet, "/admin/v1/overview", &o)
	return o
}

func (c *console) call(method, path string, out any) {
	r, err := http.NewRequest(method, os.Getenv("TANDEM_URL")+path, nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Origin", os.Getenv("TANDEM_URL")) // a cookie is used by our own pages alone

	resp, err := c.client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode != http.StatusOK {
		log.Fatalf("%s %s: %s, %v", method, path, resp.Status, err)
	}
}

// pid waits until the process is known: kill with a 0 would end the caller's own group.
func (c *console) pid(name string) int {
	for range 120 {
		if pid := c.overview().pid(name); pid > 0 {
			return pid
		}
		time.Sleep(200 * time.Millisecond)
	}
	log.Fatalf("no process is known as %s", name)
	return 0
}

// pid is 0 where it is not known.
func (o overview) pid(name string) int {
	for _, s := range o.Services {
		if s.Name == name {
			return s.PID
		}
	}
	return 0
}
