// Package iam compares deploy/iam's policies with what Tandem really calls. All
// services run against the emulator with their calls recorded: every call must be
// allowed, and everything that is allowed must have been called.
package iam
