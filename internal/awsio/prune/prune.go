// Package prune takes away what relight made and the configuration no longer wants. It
// is apart from awsio because no function may make these calls, or link them: a person
// does, with relight apply --prune.
package prune

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// An Applier makes the removals of a plan's Unwanted. Their names say that they are
// relight's; an alarm has to have relight's tag too.
type Applier struct{ Cloud *awsio.Cloud }

// Apply returns one outcome for each action, in order. What is gone already counts as
// removed.
func (a Applier) Apply(ctx context.Context, s remedy.Scope, actions []plan.Action) []remedy.Outcome {
	var outcomes []remedy.Outcome
	for _, action := range actions {
		out := remedy.Outcome{Action: action}
		switch of := action.(type) {
		case plan.DeleteAlarm:
			out.Err = a.deleteAlarm(ctx, s.Region, of.Name)
		case plan.DeleteFilter:
			out.Err = a.deleteFilter(ctx, s.Region, of)
		case plan.DeleteFlowLog:
			out = a.Cloud.Apply(ctx, s, []plan.Action{action})[0]
		default:
			out.Err = fmt.Errorf("no way to prune %T", action)
		}
		outcomes = append(outcomes, out)
	}
	return outcomes
}

func (a Applier) deleteAlarm(ctx context.Context, region, name string) error {
	client := cloudwatch.NewFromConfig(a.Cloud.ClientConfig(region))
	arn := a.Cloud.Want.ARNIn(region, "cloudwatch", "alarm:"+name)
	tags, err := client.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(arn)})
	if err != nil {
		return unlessGone(err)
	}
	for _, t := range tags.Tags {
		if aws.ToString(t.Key) == catalog.OwnerTag && aws.ToString(t.Value) == a.Cloud.Want.Prefix {
			_, err := client.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
			return err
		}
	}
	return fmt.Errorf("the alarm does not have the tag %s=%s, so somebody else may have made it: delete it by hand if nothing needs it", catalog.OwnerTag, a.Cloud.Want.Prefix)
}

func (a Applier) deleteFilter(ctx context.Context, region string, of plan.DeleteFilter) error {
	_, err := cloudwatchlogs.NewFromConfig(a.Cloud.ClientConfig(region)).DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{
		LogGroupName: aws.String(of.LogGroup), FilterName: aws.String(of.Name),
	})
	return unlessGone(err)
}

// unlessGone returns an error, or nil if it says that there is nothing to delete.
func unlessGone(err error) error {
	if remedy.ClassOf(err) == remedy.Missing {
		return nil
	}
	return err
}
