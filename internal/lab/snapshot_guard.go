package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// guard reads what starts functions: the rules of every bus with their targets, the
// schedules, and the concurrency that functions reserve.
func (s Snapshot) guard(ctx context.Context, at *Session) error {
	buses, err := at.Events.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{})
	if err != nil {
		return err
	}
	for _, bus := range buses.EventBuses {
		in := &eventbridge.ListRulesInput{EventBusName: bus.Name}
		for {
			page, err := at.Events.ListRules(ctx, in)
			if err != nil {
				return err
			}
			for _, r := range page.Rules {
				targets, err := at.Events.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: r.Name, EventBusName: bus.Name})
				if err != nil {
					continue // it was deleted between the two reads
				}
				var lines []string
				for _, t := range targets.Targets {
					undelivered := ""
					if t.DeadLetterConfig != nil {
						undelivered = " " + aws.ToString(t.DeadLetterConfig.Arn)
					}
					lines = append(lines, fmt.Sprint(aws.ToString(t.Id), " ", aws.ToString(t.Arn), " ", aws.ToString(t.RoleArn), " ", aws.ToString(t.Input), aws.ToString(t.InputPath), t.InputTransformer != nil, undelivered))
				}
				slices.Sort(lines)
				s.add("rule", at.Region+" "+aws.ToString(bus.Name)+"/"+aws.ToString(r.Name), string(r.State), plainDocument(r.EventPattern), lines)
			}
			if in.NextToken = page.NextToken; aws.ToString(in.NextToken) == "" {
				break
			}
		}
	}
	schedules, err := at.Scheduler.ListSchedules(ctx, &scheduler.ListSchedulesInput{})
	if err != nil {
		return err
	}
	for _, one := range schedules.Schedules {
		got, err := at.Scheduler.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: one.Name, GroupName: one.GroupName})
		if err != nil {
			continue // it was deleted between the two reads
		}
		s.add("schedule", aws.ToString(got.Name), string(got.State), aws.ToString(got.ScheduleExpression), aws.ToString(got.Target.Arn), aws.ToString(got.Target.Input))
	}
	queues := sqs.NewListQueuesPaginator(at.SQS, &sqs.ListQueuesInput{MaxResults: aws.Int32(100)})
	for queues.HasMorePages() {
		page, err := queues.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, url := range page.QueueUrls {
			got, err := at.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{
				"DelaySeconds", "KmsMasterKeyId", "MessageRetentionPeriod", "Policy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout",
			}})
			if err != nil {
				continue // it was deleted between the two reads
			}
			got.Attributes["Policy"] = plainDocument(aws.String(got.Attributes["Policy"]))
			s.add("queue", at.Region+" "+url, got.Attributes)
		}
	}
	mappings := lambda.NewListEventSourceMappingsPaginator(at.Lambda, &lambda.ListEventSourceMappingsInput{})
	for mappings.HasMorePages() {
		page, err := mappings.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, m := range page.EventSourceMappings {
			s.add("event source mapping", aws.ToString(m.EventSourceArn)+" "+aws.ToString(m.FunctionArn), aws.ToString(m.State),
				aws.ToInt32(m.BatchSize), aws.ToInt32(m.MaximumBatchingWindowInSeconds), m.ScalingConfig, m.FunctionResponseTypes, m.FilterCriteria != nil && len(m.FilterCriteria.Filters) > 0)
		}
	}
	functions := lambda.NewListFunctionsPaginator(at.Lambda, &lambda.ListFunctionsInput{})
	for functions.HasMorePages() {
		page, err := functions.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, f := range page.Functions {
			got, err := at.Lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: f.FunctionName})
			if err != nil {
				continue // it was deleted between the two reads
			}
			if n := got.ReservedConcurrentExecutions; n != nil {
				s.add("reserved concurrency", aws.ToString(f.FunctionName), *n)
			}
		}
	}
	return nil
}

// mapping returns the ID of the mapping of a queue and a function.
func (s *Session) mapping(ctx context.Context, queue, function string) (string, error) {
	out, err := s.Lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{
		EventSourceArn: aws.String("arn:aws:sqs:" + s.Region + ":" + Account + ":" + queue), FunctionName: aws.String(function),
	})
	if err != nil {
		return "", err
	}
	for _, m := range out.EventSourceMappings {
		return aws.ToString(m.UUID), nil
	}
	return "", fmt.Errorf("%s has no mapping to %s", queue, function)
}

// schedule returns the name of the schedule that sweeps.
func (s *Session) schedule(ctx context.Context, t Target) (string, error) {
	out, err := s.Scheduler.ListSchedules(ctx, &scheduler.ListSchedulesInput{NamePrefix: aws.String(t.Prefix + "-sweep-")})
	if err != nil {
		return "", err
	}
	for _, one := range out.Schedules {
		if strings.HasPrefix(aws.ToString(one.Name), t.Prefix+"-sweep-") {
			return aws.ToString(one.Name), nil
		}
	}
	return "", fmt.Errorf("there is no schedule %s-sweep-*", t.Prefix)
}
