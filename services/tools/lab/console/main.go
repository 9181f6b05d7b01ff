// Command console asks the running demo what its page /admin asks:
//
//	console readers       every reader of the stream, and whether it keeps up
//	console kill NAME     kill -9 of a process, such as history; waits for the next one
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"os"
	"syscall"
	"time"
)

// overview is the part of the answer that is used here.
type overview struct {
	Readers []struct {
		Reader   string `json:"reader"`
		Points   int64  `json:"points"`
		BehindMS *int64 `json:"behind_ms"` // null: not known
	} `json:"readers"`
	Services []struct {
		Name string `json:"name"`
		PID  int    `json:"pid"` // 0: not known
	} `json:"services"`
}

func main() {
	url, args := os.Getenv("TANDEM_URL"), os.Args[1:]
	if url == "" {
		log.Fatal(`TANDEM_URL is not set; first: eval "$(bin/tandem env)"`)
	}
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	c := console{&http.Client{Jar: jar, Timeout: 10 * time.Second}, url}
	c.call(http.MethodPost, "/session/admin", nil) // a demo lets anybody on this machine in

	switch {
	case len(args) == 1 && args[0] == "readers":
		c.readers()
	case len(args) == 2 && args[0] == "kill":
		c.kill(args[1])
	default:
		log.Fatal("usage: console readers | kill NAME")
	}
}

type console struct {
	client *http.Client
	url    string
}

func (c console) readers() {
	for _, r := range c.overview().Readers {
		state := "is not known to keep up"
		switch {
		case r.BehindMS != nil && *r.BehindMS <= 10_000:
			state = "keeps up"
		case r.BehindMS != nil:
			state = fmt.Sprintf("is %d s behind", *r.BehindMS/1000)
		}
		fmt.Printf("%-8s has applied %d points and %s\n", r.Reader, r.Points, state)
	}
}

func (c console) kill(name string) {
	old := c.pid(name)
	if old == 0 {
		log.Fatalf("no process is known as %s", name)
	}
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		log.Fatal(err)
	}

	for ; ; time.Sleep(200 * time.Millisecond) {
		if next := c.pid(name); next != old && next != 0 {
			fmt.Printf("%s: process %d was killed, process %d goes on\n", name, old, next)
			return
		}
	}
}

func (c console) pid(name string) int {
	for _, s := range c.overview().Services {
		if s.Name == name {
			return s.PID
		}
	}
	return 0
}

func (c console) overview() (o overview) {
	c.call(http.MethodGet, "/admin/v1/overview", &o)
	return o
}

func (c console) call(method, path string, out any) {
	r, err := http.NewRequestWithContext(context.Background(), method, c.url+path, nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Origin", c.url) // a cookie is used by our own pages alone

	resp, err := c.client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		log.Fatalf("%s %s: %s, %v: %s", method, path, resp.Status, err, body)
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			log.Fatal(err)
		}
	}
}
