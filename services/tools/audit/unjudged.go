package audit

// Unjudged is what an audit says nothing about: a guarantee, or a part of one.
type Unjudged struct {
	Guarantee int    `json:"guarantee"` // its number in docs/guarantees.md
	Why       string `json:"why"`
}

// unjudged returns what an audit of cfg does not judge, so that nobody takes its
// verdict for more than it is.
func unjudged(cfg Config) []Unjudged {
	var out []Unjudged
	say := func(guarantee int, why string) { out = append(out, Unjudged{guarantee, why}) }

	if cfg.LedgerPath == "" {
		say(1, "whether a promised ride is lost: no ledger tells what clients were promised (--ledger)")
		say(3, "what clients got for a key: likewise")
		say(4, "whether a promised point is lost: likewise")
	}
	if cfg.NoStream {
		say(5, "the order on the stream: it was not read (--no-stream)")
		say(6, "whether a checkpoint is ahead of its rows: likewise")
	}
	say(7, "that reading again writes the same rows: nothing is read again here; tandem replay history and heatmap, with --dry-run, compare a span")
	say(8, "that who is slow delays nobody else: rows do not tell when they might have come; the tests that docs/guarantees.md names do")
	if !cfg.AtRest {
		say(9, "whether the queues are empty: on a running system they need not be (--at-rest)")
	}
	if cfg.AWS.Endpoint == "" {
		say(9, "the reasons of dead letters on AWS: a look there is a receive, which hides a message for a while")
	}
	return out
}
