package sqs

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
)

// list returns a page of the queues that match, by name.
func (s *Service) list(in listIn, match func(*queue) bool, url func(string) string) (out listOut, err error) {
	limit := pageLimit
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	after, err := base64.StdEncoding.DecodeString(in.NextToken)
	if limit < 1 || limit > pageLimit {
		return out, invalidValue("MaxResults", limit, "MaxResults must be an integer between 1 and %d", pageLimit)
	}
	if err != nil {
		return out, invalidValue("NextToken", in.NextToken, "Invalid or expired next token.")
	}

	s.mu.RLock()
	defer s.mu.RUnlock()

	last := ""
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		q.mu.Lock()
		ok := name > string(after) && match(q)
		q.mu.Unlock()
		if !ok {
			continue
		}

		// There is one more than the page takes: the next begins after the last one here.
		if len(out.QueueUrls) == limit {
			out.NextToken = base64.StdEncoding.EncodeToString([]byte(last))
			break
		}

		out.QueueUrls, last = append(out.QueueUrls, url(name)), name
	}
	return out, nil
}

type attributesIn struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}

func (s *Service) getAttributes(_ context.Context, in attributesIn) (map[string]any, error) {
	out := map[string]string{}
	err := s.withQueue(in.QueueURL, func(q *queue) error {
		all := q.describe()
		for _, name := range in.AttributeNames {
			v, ok := all[name]
			_, isNumber := numberAttributes()[name]
			_, isChoice := choiceAttributes()[name]

			switch {
			case name == "All":
				out = all
				return nil
			case ok:
				out[name] = v
			// What SQS knows, but this queue doesn't have, is left out.
			case !isNumber && !isChoice && checkText(name, "") != nil:
				return badName(name)
			}
		}
		return nil
	})
	return map[string]any{"Attributes": out}, err
}

func (q *queue) describe() map[string]string {
	all := maps.Clone(q.attributes)
	visible, inFlight, delayed := q.counts(now())
	for i, v := range []int64{int64(visible), int64(inFlight), int64(delayed), q.created / 1000, q.modified / 1000} {
		all[readOnly[i]] = strconv.FormatInt(v, 10)
	}

	all["QueueArn"] = q.arn
	if all["KmsMasterKeyId"] != "" && all["KmsDataKeyReusePeriodSeconds"] == "" {
		all["KmsDataKeyReusePeriodSeconds"] = "300"
	}
	return all
}
