// Package e2e starts the demo as a person does (bin/tandem demo), uses it in a real
// browser, kills its processes and its supervisor, and checks what is left. `make
// e2e` builds the binary and sets TANDEM_E2E. `make frozen` looks at the pages while
// parts are frozen or killed, `make chaos` takes parts away for minutes, and `make
// soak` leaves the demo alone for an hour.
package e2e
