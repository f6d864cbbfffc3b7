package awstest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Clients are the SDK's clients of the services that an Account provides.
type Clients struct {
	EC2         *ec2.Client
	Logs        *cloudwatchlogs.Client
	CloudWatch  *cloudwatch.Client
	CloudTrail  *cloudtrail.Client
	SNS         *sns.Client
	KMS         *kms.Client
	SSM         *ssm.Client
	IAM         *iam.Client
	SQS         *sqs.Client
	Lambda      *lambda.Client
	EventBridge *eventbridge.Client
	Scheduler   *scheduler.Client
	Stacks      *cloudformation.Client
}

// NewClients returns the clients of a configuration.
func NewClients(cfg aws.Config) Clients {
	return Clients{
		EC2: ec2.NewFromConfig(cfg), Logs: cloudwatchlogs.NewFromConfig(cfg), CloudWatch: cloudwatch.NewFromConfig(cfg),
		CloudTrail: cloudtrail.NewFromConfig(cfg), SNS: sns.NewFromConfig(cfg), KMS: kms.NewFromConfig(cfg),
		SSM: ssm.NewFromConfig(cfg), IAM: iam.NewFromConfig(cfg),
		SQS: sqs.NewFromConfig(cfg), Lambda: lambda.NewFromConfig(cfg),
		EventBridge: eventbridge.NewFromConfig(cfg), Scheduler: scheduler.NewFromConfig(cfg), Stacks: cloudformation.NewFromConfig(cfg),
	}
}

// Config returns a configuration whose clients, of any service and region, call
// this account. The account answers as the last step of the SDK's Initialize
// stage: the SDK's later stages (serialise, sign, retry) never run, and a
// middleware that a caller adds to Initialize has to come before the account.
func (a *Account) Config() aws.Config { return a.ConfigOf(a.arn("iam", "", "root")) }

// ConfigOf returns a configuration whose clients call the account as a principal,
// given by its ARN.
func (a *Account) ConfigOf(caller string) aws.Config {
	return aws.Config{
		Region: a.Home, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awstest.Account", a.answer(caller)), middleware.After)
		}},
	}
}

// In returns clients of a region.
func (a *Account) In(region string) Clients {
	if made, ok := a.near.Load(region); ok {
		return made.(Clients) //nolint:forcetypeassert // nothing else is in it
	}
	cfg := a.Config()
	cfg.Region = region
	made := NewClients(cfg)
	a.near.Store(region, made)
	return made
}

// Handle makes f answer an operation that the account does not answer itself. f
// runs without the account's lock, so it may call the account. Calls does not
// count such calls, and Fail and Deny do not apply to them.
func Handle[I, O any](a *Account, f func(context.Context, *I) (*O, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.others[reflect.TypeFor[*I]()] = func(ctx context.Context, in any) (any, error) { return f(ctx, in.(*I)) } //nolint:forcetypeassert // the key is its type
}

// A request is one call of an operation. The account is locked while it answers
// a request.
type request struct {
	*Account
	*region
	service, op string
	caller      string // ARN
}

// wrote records a write.
func (c *request) wrote(targets ...string) {
	c.writes = append(c.writes, Write{c.op, c.name, strings.Join(targets, ",")})
}

// An operation answers the calls whose input has its type.
type operation struct {
	input  reflect.Type
	answer func(*request, any) (any, error)
}

// handle returns the operation that a function answers.
func handle[I, O any](f func(*request, *I) (*O, error)) operation {
	return operation{reflect.TypeFor[*I](), func(c *request, in any) (any, error) { return f(c, in.(*I)) }} //nolint:forcetypeassert // the key is its type
}

// act returns the operation that a function answers whose output is empty.
func act[O, I any](f func(*request, *I) error) operation {
	return handle(func(c *request, in *I) (*O, error) { return new(O), f(c, in) })
}

// operations are the operations that an account answers, by the type of their
// input.
var operations = func() map[reflect.Type]operation {
	all := map[reflect.Type]operation{}
	for _, op := range slices.Concat(
		regionOperations, flowLogOperations, networkOperations, bucketOperations, logGroupOperations, alarmOperations, metricOperations, trailOperations, topicOperations, keyOperations,
		memoryOperations, deliveryRoleOperations, queueOperations, functionOperations, eventOperations, guardOperations, securityHubOperations, listingOperations, organizationOperations,
	) {
		all[op.input] = op
	}
	return all
}()

// answer is the middleware of a caller.
func (a *Account) answer(caller string) func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	return func(ctx context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		return a.answerTo(ctx, caller, in)
	}
}

func (a *Account) answerTo(ctx context.Context, caller string, in middleware.InitializeInput) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
	call := Call{
		Caller: caller, Region: awsmiddleware.GetRegion(ctx), Service: middleware.GetServiceID(ctx), Op: middleware.GetOperationName(ctx),
		In: in.Parameters, Began: time.Now(),
	}
	a.mu.Lock()
	other := a.others[reflect.TypeOf(in.Parameters)]
	a.arrived++
	latency := a.Latency + a.Drift*time.Duration(a.arrived*drifts%1009)/1009
	a.mu.Unlock()
	if other != nil {
		out.Result, err = other(ctx, in.Parameters)
		return out, meta, err
	}
	if latency > 0 {
		select {
		case <-ctx.Done(): // answered below
		case <-time.After(latency):
		}
	}
	a.reply(ctx, &call)
	if a.Watch != nil {
		a.Watch(call)
	}
	out.Result = call.Out
	return out, meta, call.Err
}

// drifts makes neighbouring calls drift differently.
const drifts = 619

// reply counts a call, refuses it if a test, a quota or the region's status requires
// that, and otherwise lets its operation answer.
func (a *Account) reply(ctx context.Context, call *Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &request{a, a.regions[call.Region], call.Service, call.Op, call.Caller}
	op, known := operations[reflect.TypeOf(call.In)]
	if !known {
		call.Err = fmt.Errorf("awstest: the account does not answer %s of %s", c.op, c.service)
		return
	}
	a.calls[c.op]++
	if err := ctx.Err(); err != nil {
		call.Err = &smithy.CanceledError{Err: err}
		return
	}
	if c.region == nil || c.status == notOptedIn {
		call.Err = refuse(a.closedCode(c.service), "the security token included in the request is invalid")
		return
	}
	if call.Err = c.overQuota(); call.Err != nil {
		return
	}
	if call.Err = c.fault(); call.Err != nil {
		return
	}
	before := len(a.writes)
	call.Out, call.Err = op.answer(c, call.In)
	call.Writes = slices.Clone(a.writes[before:])
}

// refuse returns an error of a service.
func refuse(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}
