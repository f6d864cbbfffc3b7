package remove

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
)

const ownerKey = catalog.OwnerTag

// flowLogs lists the flow logs with two of three marks, and those with the tag alone.
func flowLogs(ctx context.Context, p place) (items []Item, err error) {
	pages := ec2.NewDescribeFlowLogsPaginator(ec2.NewFromConfig(p.aws), &ec2.DescribeFlowLogsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, fl := range page.FlowLogs {
			tagged := slices.ContainsFunc(fl.Tags, func(t ec2types.Tag) bool { return p.owner(t.Key, t.Value) })
			if !tagged && slices.ContainsFunc(fl.Tags, func(t ec2types.Tag) bool { return aws.ToString(t.Key) == ownerKey }) {
				continue // of a deployment with another prefix
			}
			to := cmp.Or(aws.ToString(fl.LogDestination), aws.ToString(fl.LogGroupName))
			role := p.named(lastPart(aws.ToString(fl.DeliverLogsPermissionArn)))
			marks := 0
			for _, mark := range []bool{tagged, p.ourDestination(aws.ToString(fl.ResourceId), to, aws.ToString(fl.LogGroupName)), role} {
				if mark {
					marks++
				}
			}
			i := Item{Name: aws.ToString(fl.FlowLogId) + " of " + aws.ToString(fl.ResourceId), id: aws.ToString(fl.FlowLogId)}
			switch {
			case marks >= 2:
				items = append(items, i)
			case tagged:
				i.Why = "it has relight's tag, and delivers neither where relight does nor with its role"
				items = append(items, i)
			}
		}
	}
	return items, nil
}

// ourDestination reports whether flow logs of relight's on that resource deliver there.
func (p place) ourDestination(resource, to, group string) bool {
	spec := p.want.For(resource, p.region).FlowLogs
	if spec.To.ARN != "" {
		return strings.TrimSuffix(to, "/") == strings.TrimSuffix(spec.To.ARN, "/")
	}
	return group == spec.LogGroup || strings.HasSuffix(strings.TrimSuffix(to, ":*"), ":log-group:"+spec.LogGroup)
}

func deleteFlowLog(ctx context.Context, p place, i Item) error {
	out, err := ec2.NewFromConfig(p.aws).DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{i.id}})
	if err != nil {
		return err
	}
	for _, u := range out.Unsuccessful { // EC2 reports the failure in a successful reply
		if u.Error != nil {
			return &smithy.GenericAPIError{Code: aws.ToString(u.Error.Code), Message: aws.ToString(u.Error.Message)}
		}
	}
	return nil
}

func alarms(ctx context.Context, p place) (items []Item, err error) {
	client := cloudwatch.NewFromConfig(p.aws)
	pages := cloudwatch.NewDescribeAlarmsPaginator(client, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(p.want.Name(""))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, a := range page.MetricAlarms {
			tags, err := client.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: a.AlarmArn})
			if missing(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			tagged := false
			for _, t := range tags.Tags {
				tagged = tagged || p.owner(t.Key, t.Value)
			}
			items = append(items, Item{Name: aws.ToString(a.AlarmName), Why: p.unlessTagged(tagged)})
		}
	}
	return items, nil
}

func deleteAlarm(ctx context.Context, p place, i Item) error {
	_, err := cloudwatch.NewFromConfig(p.aws).DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{i.Name}})
	return err
}

// filters lists the metric filters with relight's name. A filter has no tags.
func filters(ctx context.Context, p place) (items []Item, err error) {
	pages := cloudwatchlogs.NewDescribeMetricFiltersPaginator(cloudwatchlogs.NewFromConfig(p.aws), &cloudwatchlogs.DescribeMetricFiltersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, f := range page.MetricFilters {
			name, group := aws.ToString(f.FilterName), aws.ToString(f.LogGroupName)
			if !p.named(name) {
				continue
			}
			i := Item{Name: name + " of " + group, id: group + "\n" + name}
			if m := f.MetricTransformations; len(m) != 1 || aws.ToString(m[0].MetricName) != name || aws.ToString(m[0].MetricNamespace) != p.want.Prefix {
				i.Why = "it has relight's name and another metric"
			}
			items = append(items, i)
		}
	}
	return items, nil
}

func deleteFilter(ctx context.Context, p place, i Item) error {
	group, name, _ := strings.Cut(i.id, "\n")
	_, err := cloudwatchlogs.NewFromConfig(p.aws).DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(group), FilterName: aws.String(name)})
	return err
}

// logGroups lists the group of relight's flow logs and those of its functions.
func logGroups(ctx context.Context, p place) (items []Item, err error) {
	client := cloudwatchlogs.NewFromConfig(p.aws)
	functions := catalog.FunctionLogs(p.want.Name(""))
	for _, prefix := range []string{p.want.FlowLogs.LogGroup, functions} {
		pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(client, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(prefix)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return items, err
			}
			for _, g := range page.LogGroups {
				name := aws.ToString(g.LogGroupName)
				ofFunction := slices.ContainsFunc(catalog.Binaries(), func(f catalog.Function) bool { return catalog.IsFunctionLogs(name, p.want.FunctionName(f)) })
				if name != p.want.FlowLogs.LogGroup && !ofFunction {
					continue // the prefix of another name
				}
				i := Item{Name: name, id: strings.TrimSuffix(aws.ToString(g.Arn), ":*")}
				if !ofFunction {
					tags, err := client.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(i.id)})
					if missing(err) {
						continue
					}
					if err != nil {
						return items, err
					}
					i.Why = p.unlessTagged(tags.Tags[ownerKey] == p.want.Prefix)
				}
				items = append(items, i)
			}
		}
	}
	return items, nil
}

// deleteLogGroup deletes a log group with its records, after its protection.
func deleteLogGroup(ctx context.Context, p place, i Item) error {
	client := cloudwatchlogs.NewFromConfig(p.aws)
	if _, err := client.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: aws.String(i.Name), DeletionProtectionEnabled: aws.Bool(false),
	}); err != nil {
		return err
	}
	_, err := client.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(i.Name)})
	return err
}

// trails lists the trail of trail.create.
func trails(ctx context.Context, p place) ([]Item, error) {
	out, err := cloudtrail.NewFromConfig(p.aws).DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{TrailNameList: []string{p.want.Prefix}})
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, t := range out.TrailList {
		items = append(items, Item{Name: aws.ToString(t.Name)})
	}
	return items, nil
}
