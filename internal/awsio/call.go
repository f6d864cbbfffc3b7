package awsio

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"

	"github.com/relight-aws/relight/internal/remedy"
)

// clientConfig returns the settings of a region's clients: how the SDK retries,
// and one middleware. The middleware wraps every call, the SDK's retries included;
// it waits until the quota allows the call, tries again what passes by itself, and
// turns the call's error into a *remedy.Error.
func (r *region) clientConfig(cfg aws.Config) aws.Config {
	cfg.Region = r.name
	cfg.Retryer = newRetryer
	around := middleware.InitializeMiddlewareFunc("relight", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
		if n, ok := ctx.Value(countKey{}).(*atomic.Int64); ok {
			n.Add(1)
		}
		service, op := operationOf(ctx)
		target := r.targetOf(ctx, service, in.Parameters)
		renewed := false
		for try := 0; ; try++ {
			if err = r.Pace.wait(ctx, r.account+" "+r.name, op); err != nil {
				break
			}
			if out, meta, err = next.HandleInitialize(ctx, in); err == nil {
				r.noteMade(service, op, target)
				break
			}
			if _, other := errors.AsType[*remedy.Error](err); other { // of the call for the credentials
				return out, meta, bare(err)
			}
			if !renewed && renew(cfg.Credentials, err) {
				renewed = true
				continue
			}
			if p := r.passingOf(service, op, target, err); p == nil || try == len(p.waits) || !r.waits(ctx, p.waits[try]) {
				break
			}
		}
		return out, meta, wrap(op, target, err)
	})
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Initialize.Add(around, middleware.Before)
	})
	return cfg
}

type countKey struct{}

// Counting returns a context whose calls are counted, and what counts them.
func Counting(ctx context.Context) (context.Context, *atomic.Int64) {
	n := &atomic.Int64{}
	return context.WithValue(ctx, countKey{}, n), n
}

// operationOf returns the service and the operation of a call as IAM policies
// spell them; the operation reads "ec2.CreateFlowLogs".
func operationOf(ctx context.Context) (service, op string) {
	service = prefixOf(middleware.GetServiceID(ctx))
	op = service + "." + middleware.GetOperationName(ctx)
	if op == "lambda.Invoke" { // the only call whose IAM action has another name
		op = invokeOp
	}
	return service, op
}

// prefixes are the IAM prefixes of the services of which it is not the first word
// of their ID. Source: AWS Service Authorization Reference.
var prefixes = map[string]string{"CloudWatch Logs": "logs", "EventBridge": "events"}

// prefixOf returns the IAM prefix of a service by its ID in the SDK: "config" of
// "Config Service".
func prefixOf(serviceID string) string {
	first, _, _ := strings.Cut(serviceID, " ")
	return cmp.Or(prefixes[serviceID], strings.ToLower(first))
}

// targets lists, by service, the input members that name the target of a call,
// the most exact first. A call without such a member has many targets; so has
// every call to EC2, which acts on lists. The target of a service without a row is
// the first text of the input: the SDK has required members first.
var targets = map[string][]string{
	"cloudtrail": {"Name", "TrailName"},
	"cloudwatch": {"AlarmName", "AlarmMuteRuleName"},
	"ec2":        {},
	"iam":        {"RoleName", "PolicyArn"},
	"logs":       {"FilterName", "LogGroupName", "LogGroupNamePrefix", "LogGroupIdentifier", "ResourceArn"},
	"sns":        {"SubscriptionArn", "TopicArn"},
}

type targetKey struct{}

// about sets the target of a call that creates a resource: the resource has no
// ARN yet, and the input has only its name.
func about(ctx context.Context, arn string) context.Context {
	return context.WithValue(ctx, targetKey{}, arn)
}

// targetOf returns the target of a call, or the region if the call has many
// targets.
func (r *region) targetOf(ctx context.Context, service string, input any) string {
	if arn, ok := ctx.Value(targetKey{}).(string); ok {
		return arn
	}
	v := reflect.Indirect(reflect.ValueOf(input))
	members, listed := targets[service]
	if !listed {
		for i := range v.NumField() {
			if name := nameIn(v.Field(i)); name != "" {
				return name
			}
		}
	}
	for _, member := range members {
		if name := nameIn(v.FieldByName(member)); name != "" {
			return name
		}
	}
	return r.name
}

// nameIn returns the text of an input's member, or "" if it has none.
func nameIn(member reflect.Value) string {
	if !member.IsValid() || !member.CanInterface() {
		return ""
	}
	name, _ := member.Interface().(*string)
	return aws.ToString(name)
}

// pages returns the pages of a listing. It ends after the first error.
func pages[Out, Options any](ctx context.Context, p interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (*Out, error)
},
) iter.Seq2[*Out, error] {
	return func(yield func(*Out, error) bool) {
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}
