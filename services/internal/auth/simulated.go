package auth

import "strings"

// SimulatedPrefix begins the subject of every simulated rider and driver. A guest's
// subject is the gateway's to choose and never begins so; only who has the operator's
// key names its own.
const SimulatedPrefix = "sim-"

// Simulated reports whether a subject is no person, but one of the simulator's.
func Simulated(subject string) bool { return strings.HasPrefix(subject, SimulatedPrefix) }
