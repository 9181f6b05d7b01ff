#!/bin/bash
# Deploys ../messaging.yaml in LocalStack: in the container (docker compose puts
# this folder's parent at /etc/localstack/init) as on a host. LocalStack runs it
# each time that it starts, and each time it starts empty. What goes wrong is
# said on stderr, and the exit code makes the container unhealthy.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
template=$here/../messaging.yaml
made= # a copy of it, where one is needed
trap 'rm -f "$made"' EXIT
stack=tandem # as tandem messaging deploy names it
shards=${TANDEM_SHARDS:-4}
retention=${TANDEM_STREAM_RETENTION_HOURS:-24}
request_visibility=${TANDEM_RIDE_REQUEST_VISIBILITY_SECONDS:-30}
notification_visibility=${TANDEM_NOTIFICATION_VISIBILITY_SECONDS:-30}
deadline=$((SECONDS + 180)) # it takes 5 s on an idle machine

die() { echo "10-messaging.sh: $*" >&2; exit 1; }

status() {
    awslocal cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text
}

# What CloudFormation says of each resource that it could not make.
reasons() {
    awslocal cloudformation describe-stack-events --stack-name "$stack" --output text \
        --query "StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId, ResourceStatus, ResourceStatusReason]" >&2 || true
}

if now=$(status 2>/dev/null) && [ "$now" = CREATE_COMPLETE ]; then
    echo "10-messaging.sh: $stack is there already"
    exit 0
fi

# A LocalStack whose SERVICES leave CloudWatch out gets all but the alarms: each
# is a resource at two spaces, its type on the line after its name.
if curl -sS "${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}/_localstack/health" | grep -q '"cloudwatch": "disabled"'; then
    made=$(mktemp)
    awk '/^[^ ]/ {skip = 0}
        /^  [A-Za-z0-9]+:$/ {name = $0; getline; skip = /AWS::CloudWatch::Alarm/; if (!skip) print name}
        !skip' "$template" >"$made"
    template=$made
    echo "10-messaging.sh: CloudWatch is not among SERVICES: no alarms"
fi

echo "10-messaging.sh: deploying $template: $shards shards, kept $retention h"
awslocal cloudformation create-stack --stack-name "$stack" --template-body "file://$template" --output text --parameters \
    "ParameterKey=Shards,ParameterValue=$shards" \
    "ParameterKey=StreamRetentionHours,ParameterValue=$retention" \
    "ParameterKey=RideRequestVisibilitySeconds,ParameterValue=$request_visibility" \
    "ParameterKey=NotificationVisibilitySeconds,ParameterValue=$notification_visibility" >/dev/null ||
    die "create-stack was refused"

until now=$(status) && [ "$now" = CREATE_COMPLETE ]; do
    case $now in
        CREATE_IN_PROGRESS) ;;
        *) reasons; die "the stack is $now" ;;
    esac
    [ $SECONDS -lt $deadline ] || { reasons; die "the stack is still $now after three minutes"; }
    sleep 0.3
done

# LocalStack 4.14.0 reads RetentionPeriodHours in the template and forgets it.
kept() {
    awslocal kinesis describe-stream-summary --stream-name driver-locations \
        --query StreamDescriptionSummary.RetentionPeriodHours --output text
}
if [ "$retention" -gt "$(kept)" ]; then
    awslocal kinesis increase-stream-retention-period --stream-name driver-locations --retention-period-hours "$retention"
fi
[ "$(kept)" = "$retention" ] || die "the stream keeps records for $(kept) hours, not $retention"
echo "10-messaging.sh: queues, stream and topic are there"
