#!/bin/bash
# Deploys ../messaging.yaml in LocalStack. It runs in the container (docker compose
# mounts this folder's parent at /etc/localstack/init) and also on a host.
# LocalStack runs it each time that it starts, and each time it starts empty. Errors
# go to stderr, and the exit code makes the container unhealthy.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
template=$here/../messaging.yaml
copy= # of the template, if one is needed
trap 'rm -f "$copy"' EXIT
stack=tandem # the name that tandem messaging deploy uses as well
shards=${TANDEM_SHARDS:-4}
retention=${TANDEM_STREAM_RETENTION_HOURS:-24}
request_visibility=${TANDEM_RIDE_REQUEST_VISIBILITY_SECONDS:-30}
notification_visibility=${TANDEM_NOTIFICATION_VISIBILITY_SECONDS:-6}
deadline=$((SECONDS + 180)) # it takes 5 s on an idle machine

die() { echo "10-messaging.sh: $*" >&2; exit 1; }

status() {
    awslocal cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text
}

# Prints why each resource that failed could not be created.
reasons() {
    awslocal cloudformation describe-stack-events --stack-name "$stack" --output text \
        --query "StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId, ResourceStatus, ResourceStatusReason]" >&2 || true
}

if now=$(status 2>/dev/null) && [ "$now" = CREATE_COMPLETE ]; then
    echo "10-messaging.sh: $stack exists already"
    exit 0
fi

# If CloudWatch is not one of LocalStack's SERVICES, everything but the alarms is
# deployed. In the template a resource's name is indented by two spaces, and the
# next line has its type.
if curl -sS "${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}/_localstack/health" | grep -q '"cloudwatch": "disabled"'; then
    copy=$(mktemp)
    awk '/^[^ ]/ {skip = 0}
        /^  [A-Za-z0-9]+:$/ {name = $0; getline; skip = /AWS::CloudWatch::Alarm/; if (!skip) print name}
        !skip' "$template" >"$copy"
    template=$copy
    echo "10-messaging.sh: CloudWatch is not one of SERVICES, so there are no alarms"
fi

echo "10-messaging.sh: deploying $template with $shards shards and a retention of $retention hours"
awslocal cloudformation create-stack --stack-name "$stack" --template-body "file://$template" --output text --parameters \
    "ParameterKey=Shards,ParameterValue=$shards" \
    "ParameterKey=StreamRetentionHours,ParameterValue=$retention" \
    "ParameterKey=RideRequestVisibilitySeconds,ParameterValue=$request_visibility" \
    "ParameterKey=NotificationVisibilitySeconds,ParameterValue=$notification_visibility" >/dev/null ||
    die "LocalStack refused create-stack"

# CloudFormation creates the resources one after the other, so wait for the last.
until now=$(status) && [ "$now" = CREATE_COMPLETE ]; do
    case $now in
        CREATE_IN_PROGRESS) ;;
        *) reasons; die "the stack is $now" ;;
    esac
    [ $SECONDS -lt $deadline ] || { reasons; die "the stack is still $now after three minutes"; }
    sleep 0.3
done

# LocalStack 4.14.0 ignores the template's RetentionPeriodHours, so set it by a call.
kept() {
    awslocal kinesis describe-stream-summary --stream-name driver-locations \
        --query StreamDescriptionSummary.RetentionPeriodHours --output text
}
if [ "$retention" -gt "$(kept)" ]; then
    awslocal kinesis increase-stream-retention-period --stream-name driver-locations --retention-period-hours "$retention"
fi

[ "$(kept)" = "$retention" ] || die "the stream keeps records for $(kept) hours, not $retention"
echo "10-messaging.sh: queues, stream and topic exist"
