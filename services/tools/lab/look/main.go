// Command look prints what the console's page shows: the queues, the workers that
// take from the queue of ride requests, and the readers of the stream.
//
//	look                     a line for each
//	look 'history.*parked'   waits until a line matches, and prints it
//	look -pid history        the number of its process
//	look -kill history       kill -9 of its process; waits for the next one
//	look -for 60s            a row every 5 s: what waits, and how far behind each reader is
package main

import (
	"flag"
	"fmt"
	"log"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	pid := flag.String("pid", "", "print the number of this process")
	kill := flag.String("kill", "", "kill this process, and wait until another has taken its place")
	rows := flag.Duration("for", 0, "print a row every 5 s, for so long")
	flag.Parse()
	c := signIn()

	switch began := time.Now(); {
	case *pid != "":
		fmt.Println(c.pid(*pid))
	case *kill != "":
		c.kill(*kill)
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

func (c *console) kill(name string) {
	old := c.pid(name)
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		log.Fatal(err)
	}

	for ; ; time.Sleep(200 * time.Millisecond) {
		if next := c.pid(name); next != old {
			fmt.Printf("%s: process %d was killed, process %d goes on\n", name, old, next)
			return
		}
	}
}

func (o overview) lines() (out []string) {
	for _, q := range o.Queues {
		out = append(out, fmt.Sprintf("queue   %-24s %s waiting, %s in flight, %s delayed", q.Name, q.Visible, q.InFlight, q.Delayed))
	}
	for _, w := range o.Workers {
		out = append(out, fmt.Sprintf("worker  %-24s pid %d, holds %s", w.Name, w.PID, w.Handling))
	}
	for _, r := range o.Readers {
		line := fmt.Sprintf("reader  %-24s pid %d, %s s behind, %s points", r.Reader, o.pid(r.Reader), r.BehindMS.seconds(), r.Points)
		if r.Parked > 0 {
			line += fmt.Sprintf(", %d parked", r.Parked)
		}
		out = append(out, line)
	}
	return out
}

func (o overview) row() string {
	behind := map[string]number{}
	for _, r := range o.Readers {
		behind[r.Reader] = r.BehindMS.seconds()
	}
	for _, q := range o.Queues {
		if q.Name == "ride-requests" {
			return fmt.Sprintf("%7s  %9s  %5s s  %5s s  %5s s  %4s s", q.Visible, q.InFlight, behind["history"], behind["heatmap"], behind["mapfeed"], behind["nearby"])
		}
	}
	return "SQS has not answered yet"
}
