// Command look prints what the console's page shows: the queues, the workers that
// take from the queue of ride requests, and the readers of the stream.
//
//	look                     a line for each
//	look 'history.*parked'   waits until a line matches, and prints it
//	look -pid history        the number of its process
//	look -for 60s            a row every 5 s: what waits, and how far behind each reader is
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

type overview struct {
	Queues []struct {
		Name     string `json:"name"`
		Visible  int    `json:"visible"`
		InFlight int    `json:"in_flight"`
		Delayed  int    `json:"delayed"`
	} `json:"queues"`
	Workers []struct {
		Name     string `json:"name"`
		PID      int    `json:"pid"`
		Handling int    `json:"handling"`
	} `json:"workers"`
	Readers []struct {
		Reader   string `json:"reader"`
		BehindMS int    `json:"behind_ms"`
		Parked   int    `json:"parked"`
	} `json:"readers"`
	Services []struct {
		Name string `json:"name"`
		PID  int    `json:"pid"`
	} `json:"services"`
}

func main() {
	pid := flag.String("pid", "", "print the number of this process")
	rows := flag.Duration("for", 0, "print a row every 5 s, for so long")
	flag.Parse()
	c := signIn()

	switch began := time.Now(); {
	case *pid != "":
		fmt.Println(c.overview().pid(*pid))
	case *rows > 0:
		fmt.Println("   after  waiting  in flight  history  heatmap  mapfeed  nearby")
		for at := time.Duration(0); at <= *rows; at += 5 * time.Second {
			time.Sleep(time.Until(began.Add(at)))
			fmt.Printf("%6.0f s  %s\n", at.Seconds(), c.overview().row())
		}
	default:
		await(c, regexp.MustCompile(flag.Arg(0)))
	}
}

// await prints the lines that match, once there is one.
func await(c *console, pattern *regexp.Regexp) {
	var lines []string
	for range 120 {
		lines = c.overview().lines()
		found := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !pattern.MatchString(l) })
		if len(found) > 0 {
			fmt.Println(strings.Join(found, "\n"))
			return
		}
		time.Sleep(time.Second)
	}
	log.Fatalf("for two minutes no line has matched %s:\n%s", pattern, strings.Join(lines, "\n"))
}

func (o overview) pid(name string) int {
	for _, s := range o.Services {
		if s.Name == name {
			return s.PID
		}
	}
	log.Fatalf("there is no %s", name)
	return 0
}

func (o overview) lines() (out []string) {
	for _, q := range o.Queues {
		out = append(out, fmt.Sprintf("queue   %-24s %d waiting, %d in flight, %d delayed", q.Name, q.Visible, q.InFlight, q.Delayed))
	}
	for _, w := range o.Workers {
		out = append(out, fmt.Sprintf("worker  %-24s pid %d, holds %d", w.Name, w.PID, w.Handling))
	}
	for _, r := range o.Readers {
		line := fmt.Sprintf("reader  %-24s pid %d, %d s behind", r.Reader, o.pid(r.Reader), r.BehindMS/1000)
		if r.Parked > 0 {
			line += fmt.Sprintf(", %d parked", r.Parked)
		}
		out = append(out, line)
	}
	return out
}

func (o overview) row() string {
	behind := map[string]int{}
	for _, r := range o.Readers {
		behind[r.Reader] = r.BehindMS / 1000
	}
	for _, q := range o.Queues {
		if q.Name == "ride-requests" {
			return fmt.Sprintf("%7d  %9d  %5d s  %5d s  %5d s  %4d s", q.Visible, q.InFlight, behind["history"], behind["heatmap"], behind["mapfeed"], behind["nearby"])
		}
	}
	return "SQS has not answered yet"
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
