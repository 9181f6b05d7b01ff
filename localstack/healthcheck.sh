#!/bin/bash
# The container's health: every script of ready.d has ended well, and SQS and
# Kinesis really answer for what it deployed. LocalStack itself says that it is
# ready before either is so, and it goes on when a script has failed.
#
# Its Kinesis is a process of its own. Where that dies, out of memory say,
# LocalStack starts another, which is empty, and does not run ready.d again. A
# stream that was there and is gone therefore ends LocalStack: docker starts it
# again, and ready.d deploys everything anew.
set -euo pipefail
base=http://127.0.0.1:4566

ask() { # SERVICE TARGET BODY: the answer, whatever its status
    curl -sS -m 5 -X POST "$base/" -d "$3" -H "X-Amz-Target: $2" \
        -H "Content-Type: application/x-amz-json-$([ "$1" = sqs ] && echo 1.0 || echo 1.1)" \
        -H "Authorization: AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/$1/aws4_request, SignedHeaders=host, Signature=0"
}
unhealthy() { echo "$*"; exit 1; }

case $(curl -fsS -m 5 $base/_localstack/init/ready) in
    *'"ERROR"'*) unhealthy "a script of ready.d failed: docker compose logs localstack says why" ;;
    *'"completed": true'*'"SUCCESSFUL"'*) ;;
    *) unhealthy "the scripts of ready.d have not ended yet" ;;
esac
queue=$(ask sqs AmazonSQS.GetQueueUrl '{"QueueName":"ride-requests"}')
stream=$(ask kinesis Kinesis_20131202.DescribeStreamSummary '{"StreamName":"driver-locations"}')
case $stream in
    *'"StreamStatus":'*) ;;
    *ResourceNotFoundException*)
        echo "healthcheck.sh: the stream was lost; LocalStack starts afresh" | tee /proc/1/fd/2 || true # into its log
        kill -TERM 1
        exit 1 ;;
    *) unhealthy "Kinesis answers: $stream" ;;
esac
case $queue in *QueueUrl*) ;; *) unhealthy "SQS answers: $queue" ;; esac
