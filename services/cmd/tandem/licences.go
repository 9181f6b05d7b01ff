package main

import (
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"

	"tandem/web"
)

// thirdParty is what `make licences` wrote.
//
//go:embed THIRD_PARTY.txt
var thirdParty string

// licencesCmd prints the licences that travel with the binary.
type licencesCmd struct{}

func (licencesCmd) Run() error { return writeLicences(os.Stdout, web.App()) }

// writeLicences writes the licences of the Go modules, and of what is bundled in
// the web app, as its build has listed them.
func writeLicences(w io.Writer, app fs.FS) error {
	bundled, err := fs.ReadFile(app, "licences.txt")
	if err != nil {
		bundled = []byte("This binary has no web app.\n")
	}
	_, err = fmt.Fprintf(w, "%s\nThe web app\n===========\n\n%s", thirdParty, bundled)
	return err
}
