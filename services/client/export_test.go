package client

import "time"

// StepEvery makes a driver's second shorter.
func (d *Driver) StepEvery(t time.Duration) { d.every = t }
