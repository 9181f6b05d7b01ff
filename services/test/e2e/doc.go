// Package e2e starts the demo as a person does (bin/tandem demo), uses it in a real
// browser, kills its processes and its supervisor, and checks what is left. `make
// e2e` builds the binary and sets TANDEM_E2E. `make chaos` takes parts of it away for
// minutes instead, and `make soak` leaves it alone for an hour.
package e2e
