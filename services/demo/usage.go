package demo

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// usage is what all of the demo's processes use together.
type usage struct {
	memoryMB   float64 // PSS: a page that n processes share counts 1/n in each
	cpuSeconds float64 // since each started; a process that was killed is not counted
}

// usage adds up the supervised processes, their children (Postgres has many) and
// this process. It is zero on a system without /proc.
func (d *demo) usage() usage {
	roots := map[int]bool{os.Getpid(): true}
	for _, s := range d.sup.Status() {
		if s.PID != 0 {
			roots[s.PID] = true
		}
	}
	return usageOf("/proc", roots)
}

func usageOf(proc string, roots map[int]bool) usage {
	var u usage
	stats, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "stat")) // the pattern is well-formed

	for _, path := range stats {
		st, err := readStat(path)
		if err != nil || !roots[st.pid] && !roots[st.parent] {
			continue
		}

		u.cpuSeconds += st.cpuSeconds
		u.memoryMB += pssMB(filepath.Join(filepath.Dir(path), "smaps_rollup"))
	}

	return u
}

type stat struct {
	pid, parent int
	cpuSeconds  float64
}

// clockTicks is USER_HZ, the unit in which the kernel reports CPU time to user
// space: 100 a second on every platform that Go runs on.
const clockTicks = 100

func readStat(path string) (stat, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return stat{}, err
	}

	// The line is "pid (name) state ppid ...". The name may contain anything, also
	// parentheses, so the fields begin after the last one.
	end := bytes.LastIndexByte(b, ')')
	fields := strings.Fields(string(b[end+1:]))

	pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
	if end < 0 || len(fields) < 13 || err != nil {
		return stat{}, fmt.Errorf("%s cannot be read", path)
	}

	parent, errParent := strconv.Atoi(fields[1])
	user, errUser := strconv.ParseFloat(fields[11], 64)
	system, errSystem := strconv.ParseFloat(fields[12], 64)
	if errParent != nil || errUser != nil || errSystem != nil {

		return stat{}, fmt.Errorf("%s cannot be read", path)
	}
	return stat{pid: pid, parent: parent, cpuSeconds: (user + system) / clockTicks}, nil
}

func pssMB(path string) float64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0 // it has ended meanwhile
	}

	for line := range strings.Lines(string(b)) {
		if kb, ok := strings.CutPrefix(line, "Pss:"); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 64)
			return n / 1024
		}
	}

	return 0
}
