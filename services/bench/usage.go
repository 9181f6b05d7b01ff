package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/services/demo/runfile"
)

// usage is what processes have used so far.
type usage struct {
	cpu    time.Duration
	memory int64 // bytes that are resident now
}

// used returns what the demo's processes have used by role, this one as the producer,
// and Postgres. It reads Linux' /proc, without which it is an error.
func (d *demo) used() (map[string]usage, error) {
	run, err := runfile.Read(d.dir)
	if err != nil {
		return nil, err
	}
	pids := map[string]int{"producer": os.Getpid()}
	for _, p := range run.Processes {
		if slices.Contains(growthParts(), p.Role) {
			pids[p.Role] = p.PID
		}
	}
	text, err := os.ReadFile(filepath.Join(d.dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return nil, err
	}
	if pids["postgres"], err = strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0]); err != nil {
		return nil, err
	}

	out := map[string]usage{}
	for role, pid := range pids {
		if out[role], err = processUsage(pid, role == "postgres"); err != nil {
			return nil, fmt.Errorf("what %s uses: %w", role, err)
		}
	}
	return out, nil
}

// processUsage is that of a process, with the processor time of its children, those that
// have ended too, if asked for.
func processUsage(pid int, children bool) (usage, error) {
	u, ended, _, err := stat(pid)
	if err != nil || !children {
		return u, err
	}

	u.cpu += ended
	others, err := filepath.Glob("/proc/[0-9]*")
	for _, dir := range others {
		child, _ := strconv.Atoi(filepath.Base(dir))
		if c, _, parent, err := stat(child); err == nil && parent == pid { // one may have ended meanwhile
			u.cpu += c.cpu
		}
	}
	return u, err
}

// stat reads proc_pid_stat(5): 100 ticks are a second, a page has 4 KiB.
func stat(pid int) (u usage, ended time.Duration, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, 0, 0, err
	}
	// A program's name may have spaces in it, and is in brackets.
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(f) < 24 {
		return u, 0, 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	field := func(n int) int64 { v, _ := strconv.ParseInt(f[n-3], 10, 64); return v }
	const tick = 10 * time.Millisecond
	u = usage{cpu: time.Duration(field(14)+field(15)) * tick, memory: field(24) * 4096}
	return u, time.Duration(field(16)+field(17)) * tick, int(field(4)), nil
}
