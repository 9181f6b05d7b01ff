package mapfeed

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
)

const (
	benchDrivers = 10_000 // each moves once a second
	benchTenth   = 0.1    // of the map's width is in each client's view
	benchLength  = 10 * time.Second
)

var benchKey = []byte(strings.Repeat("k", 32)) // startWith's

// BenchmarkFanOut has 200 clients look at a tenth of 10,000 moving cars each, and
// counts the updates of cars in their views for each second of processor time of the
// server: mapfeed, and a hub that sends everybody everything as one JSON text a tick.
// The clients are a process of their own. Run it with -benchtime 1x.
func BenchmarkFanOut(b *testing.B) {
	for range b.N {
		ours := benchFeed(b, 200)
		hub := benchHub(b, 200)
		b.ReportMetric(ours, "mapfeed-updates/cpu-s")
		b.ReportMetric(hub, "hub-updates/cpu-s")
		b.ReportMetric(ours/hub, "ratio")
	}
}

// BenchmarkManyClients is how old an update is when a client has it, as clients grow.
func BenchmarkManyClients(b *testing.B) {
	for _, n := range []int{500, 1000, 2000, 4000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for range b.N {
				f, base, _ := startBench(b)
				stop := drive(f)
				report := benchClients(b, base, n, 0.02, 0)
				stop()
				b.ReportMetric(report.P50, "p50-ms")
				b.ReportMetric(report.P99, "p99-ms")
				b.ReportMetric(float64(report.Updates)/benchLength.Seconds()/float64(n), "updates/client-s")
				b.ReportMetric(report.CPU/benchLength.Seconds(), "server-cores")
				b.ReportMetric(float64(residentKB())/float64(n), "kB/client")
			}
		})
	}
}

// BenchmarkStalledClients is how old an update is for 1,000 clients that read, alone and
// beside 50 that never do.
func BenchmarkStalledClients(b *testing.B) {
	for range b.N {
		p99 := map[int]float64{}
		for _, stalled := range []int{0, 50} {
			f, base, _ := startBench(b)
			stop := drive(f)
			p99[stalled] = benchClients(b, base, 1000, 0.02, stalled).P99
			stop()
		}
		b.ReportMetric(p99[0], "p99-ms-alone")
		b.ReportMetric(p99[50], "p99-ms-beside")
		b.ReportMetric(p99[50]/p99[0], "ratio")
	}
}

// drive moves each car once a second, spread over it, until stop.
func drive(f *feed) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	at := make([][2]float64, benchDrivers)
	for i := range at {
		at[i] = [2]float64{-34.95 + 0.2*rand.Float64(), -56.4 + 0.4*rand.Float64()}
	}
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; {
			select {
			case <-done:
				return
			case now := <-tick.C:
				for range benchDrivers / 50 {
					f.world.apply(point("driver-"+strconv.Itoa(i%benchDrivers), now.UnixMilli(), at[i%benchDrivers][0], at[i%benchDrivers][1]), now)
					i++
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

func startBench(b *testing.B) (*feed, string, *auth.Signer) {
	b.Helper()
	return startWith(b, "", func(*feed) {})
}

func benchFeed(b *testing.B, clients int) (perCPU float64) {
	f, base, _ := startBench(b)
	defer drive(f)()
	r := benchClients(b, base, clients, benchTenth, 0)
	return float64(r.Updates) / r.CPU
}

// benchHub is a hub as most have it: what moved since the last tick, as one JSON text to
// everybody. Of it, what lies in a client's view is of use to that client.
func benchHub(b *testing.B, clients int) (perCPU float64) {
	f := newFeed(Config{}, nil)
	var mu sync.Mutex
	conns := map[*websocket.Conn]chan *websocket.PreparedMessage{}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		frames := make(chan *websocket.PreparedMessage, 4)
		mu.Lock()
		conns[conn] = frames
		mu.Unlock()
		go func() { _, _ = io.Copy(io.Discard, conn.NetConn()) }()
		for m := range frames {
			if conn.WritePreparedMessage(m) != nil {
				return
			}
		}
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()

	defer drive(f)()
	done, ended := make(chan struct{}), make(chan struct{})
	defer func() { close(done); <-ended }()
	go func() {
		defer close(ended)
		tick := time.NewTicker(framesEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				f.world.mu.Lock()
				out := make([]position, 0, len(f.world.moved))
				for _, v := range f.world.moved {
					v.moved = false
					out = append(out, position{Vehicle: v.id, Lat: v.point.Lat, Lon: v.point.Lon, Speed: v.point.Speed, Heading: v.point.Heading, At: v.point.At, AgeMS: uint32(now.Sub(v.arrived).Milliseconds())})
				}
				f.world.moved = f.world.moved[:0]
				f.world.mu.Unlock()
				text, _ := json.Marshal(out)
				m, _ := websocket.NewPreparedMessage(websocket.TextMessage, text)
				mu.Lock()
				for _, frames := range conns {
					select {
					case frames <- m:
					default:
					}
				}
				mu.Unlock()
			}
		}
	}()
	r := benchClients(b, "ws://"+l.Addr().String(), clients, -benchTenth, 0)
	return float64(r.Updates) / r.CPU
}

type benchReport struct {
	Updates  int64
	P50, P99 float64
	CPU      float64 // of this process, in seconds
}

// benchClients runs clients in a process of their own for benchLength, each with a view
// of so large a part of the map. width below 0: every message has JSON of all, of which
// that part is counted.
// Beside them so many are stalled: they never read.
func benchClients(b *testing.B, base string, n int, width float64, stalled int) benchReport {
	b.Helper()
	child := exec.Command(os.Args[0], "-test.run=TestBenchClients$", "-test.v")
	child.Env = append(os.Environ(), "MAPFEED_BENCH="+fmt.Sprint(base, " ", n, " ", width, " ", stalled))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, child.Start())

	var r benchReport
	var began time.Duration
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "began":
			began = processorTime()
		case strings.HasPrefix(line, "{"):
			r.CPU = (processorTime() - began).Seconds()
			require.NoError(b, json.Unmarshal([]byte(line), &r))
		default:
			b.Log(line)
		}
	}
	require.NoError(b, child.Wait())
	return r
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func residentKB() int {
	text, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return pages * os.Getpagesize() / 1024
}
