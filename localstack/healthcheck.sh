#!/bin/bash
# The container's health: every script of ready.d has ended well, and SQS and
# Kinesis really answer for what it deployed. LocalStack itself says that it is
# ready before either is so, and it goes on when a script has failed.
set -euo pipefail
base=http://127.0.0.1:4566

init=$(curl -fsS -m 3 $base/_localstack/init/ready)
case $init in
    *'"ERROR"'*) echo "a script of ready.d failed; docker compose logs localstack says why"; exit 1 ;;
    *'"completed": true'*'"SUCCESSFUL"'*) ;;
    *) echo "the scripts of ready.d have not ended yet"; exit 1 ;;
esac
ask() { # SERVICE TARGET BODY
    curl -fsS -m 3 -o /dev/null -X POST "$base/" -d "$3" -H "X-Amz-Target: $2" \
        -H "Content-Type: application/x-amz-json-$([ "$1" = sqs ] && echo 1.0 || echo 1.1)" \
        -H "Authorization: AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/$1/aws4_request, SignedHeaders=host, Signature=0"
}
ask sqs AmazonSQS.GetQueueUrl '{"QueueName":"ride-requests"}'
ask kinesis Kinesis_20131202.DescribeStreamSummary '{"StreamName":"driver-locations"}'
