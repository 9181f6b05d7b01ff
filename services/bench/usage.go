package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what processes have used so far.
type usage struct {
	cpu    time.Duration
	memory int64 // bytes that are resident now
}

// used returns what the demo's processes have used by role, this one as the producer,
// and Postgres. It reads Linux' /proc: elsewhere it finds nothing.
func (d *demo) used() map[string]usage {
	out := map[string]usage{"producer": processUsage(os.Getpid(), false)}
	for _, p := range d.Processes {
		out[p.Role] = processUsage(p.PID, false)
	}
	if text, err := os.ReadFile(filepath.Join(d.dir, "postgres", "postmaster.pid")); err == nil {
		pid, _ := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
		out["postgres"] = processUsage(pid, true)
	}
	return out
}

// processUsage is that of a process, with the processor time of its children, those that
// have ended too, if asked for.
func processUsage(pid int, children bool) usage {
	u, ended, _ := stat(pid)
	if !children {
		return u
	}

	u.cpu += ended
	others, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range others {
		child, _ := strconv.Atoi(filepath.Base(dir))
		if c, _, parent := stat(child); parent == pid {
			u.cpu += c.cpu
		}
	}
	return u
}

// stat reads proc_pid_stat(5): 100 ticks are a second, a page has 4 KiB.
func stat(pid int) (u usage, ended time.Duration, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, 0, 0
	}
	// A program's name may have spaces in it, and is in brackets.
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	field := func(n int) int64 { v, _ := strconv.ParseInt(f[n-3], 10, 64); return v }
	const tick = 10 * time.Millisecond
	u = usage{cpu: time.Duration(field(14)+field(15)) * tick, memory: field(24) * 4096}
	return u, time.Duration(field(16)+field(17)) * tick, int(field(4))
}
