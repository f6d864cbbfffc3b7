// Package awsio is the edge to AWS: it observes, applies, classifies errors
// and paces calls. It alone turns SDK types into relight's own, once and in
// canonical form, so that desired and observed can meet.
package awsio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// Clients are the AWS services relight calls. Each call names its region.
type Clients struct {
	EC2        ec2API
	Logs       logGroupAPI
	CloudWatch alarmAPI
	CloudTrail trailAPI
	SNS        topicAPI
	KMS        keyAPI
	SSM        memoryAPI
	IAM        roleAPI
	Lambda     invokeAPI
}

type ec2API interface {
	flowLogAPI
	regionAPI
}

// NewClients returns the real clients for a configuration, whose retries are
// replaced by relight's own.
func NewClients(cfg aws.Config) Clients {
	cfg.Retryer = newRetryer
	return Clients{
		EC2:        ec2.NewFromConfig(cfg),
		Logs:       cloudwatchlogs.NewFromConfig(cfg),
		CloudWatch: cloudwatch.NewFromConfig(cfg),
		CloudTrail: cloudtrail.NewFromConfig(cfg),
		SNS:        sns.NewFromConfig(cfg),
		KMS:        kms.NewFromConfig(cfg),
		SSM:        ssm.NewFromConfig(cfg),
		IAM:        iam.NewFromConfig(cfg),
		Lambda:     lambda.NewFromConfig(cfg),
	}
}

// A Cloud is one AWS account, as remedy's Observer and Applier.
type Cloud struct {
	Clients Clients
	Want    catalog.Desired
	Pace    *Pace            // nil for none
	Now     func() time.Time // nil where nobody asks how long an alarm has rung
}

// Observe reads what a scope names. Any failed read is an error.
func (c *Cloud) Observe(ctx context.Context, s remedy.Scope) (plan.Observed, error) {
	got := plan.Observed{Account: s.Account, Region: s.Region, Type: s.Type, Asked: s.Names.List()}
	observe, ok := observers[s.Kind]
	if !ok {
		return got, fmt.Errorf("no observer for kind %q", s.Kind)
	}
	var err error
	got.State, err = observe(c, ctx, s)
	return got, err
}

// observers read what a scope of a kind names.
var observers = map[catalog.Kind]func(*Cloud, context.Context, remedy.Scope) (plan.State, error){
	catalog.DeliveryRoles: observer((*Cloud).observeDeliveryRole),
	catalog.FlowLogs:      observer((*Cloud).observeFlowLogs),
	catalog.Trails:        observer((*Cloud).observeTrail),
	catalog.LogGroups:     observer((*Cloud).observeLogGroups),
	catalog.Topics:        observer((*Cloud).observeTopics),
	catalog.Alarms:        observer((*Cloud).observeAlarms),
}

// observer makes one of a method that returns a kind's own state.
func observer[S plan.State](observe func(*Cloud, context.Context, remedy.Scope) (S, error)) func(*Cloud, context.Context, remedy.Scope) (plan.State, error) {
	return func(c *Cloud, ctx context.Context, s remedy.Scope) (plan.State, error) {
		state, err := observe(c, ctx, s)
		if err != nil {
			return nil, err
		}
		return state, nil
	}
}

// Apply carries out a plan's actions in order, flow logs in as few calls as
// EC2 takes, and returns one outcome per action.
func (c *Cloud) Apply(ctx context.Context, s remedy.Scope, actions []plan.Action) []remedy.Outcome {
	outcomes := make([]remedy.Outcome, len(actions))
	var flowLogs, surplus []*remedy.Outcome
	failed := map[string]error{} // why a step did not make what it makes
	for i, action := range actions {
		out := &outcomes[i]
		out.Action = action
		step := action.Step()
		if err := failed[step.Needs]; err != nil {
			out.Err = err
			continue
		}
		switch a := action.(type) {
		case plan.CreateDeliveryRole:
			out.Err, _ = c.applyToRole(ctx, s.Region, a)
		case plan.PutRolePolicy:
			out.Err, _ = c.applyToRole(ctx, s.Region, a)
		case plan.CreateLogGroup:
			out.Err = c.createLogGroup(ctx, s.Region, a)
		case plan.RaiseRetention:
			out.Err = c.putRetention(ctx, s.Region, a.LogGroup, a.Days)
		case plan.CreateTrail:
			out.Err = c.createTrail(ctx, s.Region, a)
		case plan.UpdateTrail:
			out.Err = c.updateTrail(ctx, s.Region, a)
		case plan.StartLogging:
			out.Err = c.startLogging(ctx, s.Region, a)
		case plan.PutSelectors:
			out.Err = c.putSelectors(ctx, s.Region, a)
		case plan.RememberTrail:
			out.Err = c.Remember(ctx, s.Region, a.Parameter, a.Memory.Encode())
		case plan.ProtectLogGroup:
			out.Err = c.protectGroup(ctx, s.Region, a.LogGroup)
		case plan.EncryptLogGroup:
			out.Err = c.encryptGroup(ctx, s.Region, a)
		case plan.PutFilter:
			out.Err = c.putFilter(ctx, s.Region, a)
		case plan.PutAlarm:
			out.Err = c.putAlarm(ctx, s.Region, a)
		case plan.EnableTopicKey:
			out.Err = c.enableKey(ctx, s.Region, a)
		case plan.CreateTopic:
			out.Err = c.createTopic(ctx, s.Region, a)
		case plan.SetTopicPolicy:
			out.Err = c.setTopic(ctx, s.Region, a.Topic, "Policy", a.Policy)
		case plan.SetTopicKey:
			out.Err = c.setTopic(ctx, s.Region, a.Topic, "KmsMasterKeyId", a.Key)
		case plan.Subscribe:
			out.Err = c.subscribe(ctx, s.Region, a)
		case plan.ClearFilterPolicy:
			out.Err = c.clearFilterPolicy(ctx, s.Region, a)
		case plan.DeleteMuteRule:
			out.Err = c.deleteMute(ctx, s.Region, a.Rule)
		case plan.Unsuppress:
			out.Err = c.unsuppress(ctx, s.Region, a.Alarm)
		case plan.CreateFlowLog:
			flowLogs = append(flowLogs, out)
		case plan.DeleteFlowLog:
			surplus = append(surplus, out)
		default:
			err, ok := c.applyToRole(ctx, s.Region, action)
			if !ok {
				err = fmt.Errorf("no applier for %T", action)
			}
			out.Err = err
		}
		if e, ok := errors.AsType[*remedy.Error](out.Err); step.Makes != "" && out.Err != nil && !(ok && e.Partial) {
			failed[step.Makes] = out.Err
		}
	}
	c.createFlowLogs(ctx, s.Region, flowLogs)
	c.deleteFlowLogs(ctx, s.Region, surplus)
	return outcomes
}

// notDeployed is what an action needs that only a deployment makes.
func notDeployed(op, target, what string) error {
	return &remedy.Error{
		Op: op, Target: target, Class: remedy.Terminal,
		Hint: "deploy relight first: make deploy", Err: fmt.Errorf("there is no %s", what),
	}
}
