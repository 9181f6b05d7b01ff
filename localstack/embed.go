// Package localstack holds what exists in AWS, written once.
package localstack

import _ "embed"

// Messaging is messaging.yaml: queues and stream, as CloudFormation.
//
//go:embed messaging.yaml
var Messaging []byte
