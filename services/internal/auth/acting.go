package auth

import "tandem/services/internal/problem"

// ActingDriver returns the driver that a request of id acts for: a driver is
// itself, and named must be empty or the same; an importer names one, and valid
// reports whether the name can be a driver's id. The error is a *problem.Error.
func ActingDriver(id Identity, named string, valid func(id string) bool) (string, error) {
	switch {
	case id.Role == Importer && !valid(named):
		return "", problem.Field("driver_id", "An importer names the driver: 1 to 64 of A-Z a-z 0-9 _ and -.")
	case id.Role == Importer:
		return named, nil
	case named != "" && named != id.Subject:
		return "", problem.New(problem.Forbidden, "A driver acts for itself alone.")
	}
	return id.Subject, nil
}
