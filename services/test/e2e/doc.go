// Package e2e starts the demo as a person does (bin/tandem demo), uses it in a real
// browser, kills its processes and its supervisor, and checks what is left. `make
// e2e` builds the binary and sets TANDEM_E2E.
package e2e
