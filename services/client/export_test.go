package client

import "time"

// StepEvery makes a driver's second shorter.
func (d *Driver) StepEvery(t time.Duration) { d.every = t }

// KeepAtMost has fewer fixes wait.
func (d *Driver) KeepAtMost(n int) { d.keeps = n }
