// Package iam holds deploy/iam's policies against what Tandem really calls: all
// services run against the emulator with their calls recorded; every call must
// be allowed, and everything allowed must have been called.
package iam
