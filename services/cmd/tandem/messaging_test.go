package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/localstack"
)

func TestWithoutAlarmsTheRestStays(t *testing.T) {
	got := string(withoutAlarms(localstack.Messaging))
	require.NotContains(t, got, "AWS::CloudWatch::Alarm")
	require.NotContains(t, got, "MetricName")
	for _, kept := range []string{"QueueName: ride-requests\n", "Name: driver-locations\n", "ConsumerName: nearby-2\n", "TopicName: tandem-alarms\n", "\nOutputs:\n", "AlarmsArn:\n"} {
		require.Contains(t, got, kept)
	}
}
