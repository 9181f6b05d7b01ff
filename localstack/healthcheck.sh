#!/bin/bash
# Checks the container's health: every script of ready.d has succeeded, and SQS
# and Kinesis answer for what the scripts have deployed. LocalStack itself reports
# that it is ready before that, and it keeps running after a script has failed.
#
# LocalStack's Kinesis is a process of its own. If it dies (it may run out of
# memory, for example), LocalStack starts an empty one, and does not run ready.d
# again. So if the stream no longer exists, this script ends LocalStack. Docker
# then starts it again, and ready.d deploys everything again.
set -euo pipefail
base=http://127.0.0.1:4566

ask() { # SERVICE TARGET BODY: prints the response, whatever its status
    curl -sS -m 5 -X POST "$base/" -d "$3" -H "X-Amz-Target: $2" \
        -H "Content-Type: application/x-amz-json-$([ "$1" = sqs ] && echo 1.0 || echo 1.1)" \
        -H "Authorization: AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/$1/aws4_request, SignedHeaders=host, Signature=0"
}
unhealthy() { echo "$*"; exit 1; }

case $(curl -fsS -m 5 $base/_localstack/init/ready) in
    *'"ERROR"'*) unhealthy "a script of ready.d failed: docker compose logs localstack shows why" ;;
    *'"completed": true'*'"SUCCESSFUL"'*) ;;
    *) unhealthy "the scripts of ready.d have not ended yet" ;;
esac

queue=$(ask sqs AmazonSQS.GetQueueUrl '{"QueueName":"ride-requests"}')
stream=$(ask kinesis Kinesis_20131202.DescribeStreamSummary '{"StreamName":"driver-locations"}')
case $stream in
    *'"StreamStatus":'*) ;;
    *ResourceNotFoundException*)
        # To the log of process 1 as well, so that docker compose logs shows the reason.
        echo "healthcheck.sh: the stream no longer exists; LocalStack restarts" | tee /proc/1/fd/2 || true
        kill -TERM 1
        exit 1 ;;
    *) unhealthy "Kinesis answers: $stream" ;;
esac
case $queue in *QueueUrl*) ;; *) unhealthy "SQS answers: $queue" ;; esac
