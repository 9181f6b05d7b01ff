// Package localstack embeds the description of Tandem's queues and stream.
package localstack

import _ "embed"

// Messaging is messaging.yaml: a CloudFormation template.
//
//go:embed messaging.yaml
var Messaging []byte
