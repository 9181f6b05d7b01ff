package event

// maxID is the length of the longest id, in bytes.
const maxID = 64

// ValidID reports whether id can name a driver or a rider: 1 to 64 of A-Z a-z
// 0-9 _ and -. Such an id is safe in a URL, a log and a column.
func ValidID(id string) bool {
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}
