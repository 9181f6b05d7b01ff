package awsclient

import (
	"context"
	"errors"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/internal/telemetry"
)

// addSpans makes a call, with all of its retries, a span of the trace in its context.
// A call without a trace, such as a long poll, makes none. The attributes are those of
// https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/; what a message
// says is none of them. No header is sent: AWS reads none, and a message carries its
// own context.
func addSpans(stack *middleware.Stack) error {
	tracer := telemetry.Inherited{}.Tracer("tandem/awsclient")

	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("TandemSpans", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		if !trace.SpanFromContext(ctx).IsRecording() {
			return next.HandleInitialize(ctx, in)
		}

		service, operation := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
		ctx, span := tracer.Start(ctx, service+"/"+operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("rpc.system.name", "aws-api"), attribute.String("rpc.method", service+"/"+operation), attribute.String("cloud.region", awsmiddleware.GetRegion(ctx))))
		defer span.End()

		out, meta, err := next.HandleInitialize(ctx, in)
		if id, ok := awsmiddleware.GetRequestIDMetadata(meta); ok {
			span.SetAttributes(attribute.String("aws.request_id", id))
		}
		if err != nil {
			span.SetStatus(codes.Error, "")
			var api smithy.APIError
			if errors.As(err, &api) {
				span.SetAttributes(attribute.String("error.type", api.ErrorCode())) // its text may quote a phone number
			}
		}
		return out, meta, err
	}), middleware.After)
}
