package awsio

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// logGroupAPI is what this file needs of *cloudwatchlogs.Client, and no more.
type logGroupAPI interface {
	DescribeLogGroups(context.Context, *cloudwatchlogs.DescribeLogGroupsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeLogGroupsOutput, error)
	DescribeMetricFilters(context.Context, *cloudwatchlogs.DescribeMetricFiltersInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeMetricFiltersOutput, error)
	CreateLogGroup(context.Context, *cloudwatchlogs.CreateLogGroupInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.CreateLogGroupOutput, error)
	PutRetentionPolicy(context.Context, *cloudwatchlogs.PutRetentionPolicyInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutRetentionPolicyOutput, error)
	PutMetricFilter(context.Context, *cloudwatchlogs.PutMetricFilterInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutMetricFilterOutput, error)
}

var _ logGroupAPI = (*cloudwatchlogs.Client)(nil)

// groupsByName is how many log groups are looked up one by one; for more, one
// listing of the region costs fewer calls.
const groupsByName = 5

// observeLogGroups reads the trail's log group and its filters, or only the
// trail where the scope names another group.
func (c *Cloud) observeLogGroups(ctx context.Context, s remedy.Scope) (*plan.LogGroupState, error) {
	trail, err := c.trailLogs(ctx, s)
	if err != nil {
		return nil, err
	}
	state := &plan.LogGroupState{Trail: trail}
	if trail.LogGroup == "" {
		return state, nil
	}
	if names := s.Names.List(); len(names) > 0 && !slices.Contains(names, trail.LogGroup) {
		state.Trail = plan.TrailLogs{Elsewhere: "the event is about another log group"}
		return state, nil
	}
	groups, err := c.describeLogGroups(ctx, s.Region, []string{trail.LogGroup})
	if err != nil {
		return nil, err
	}
	if state.Group, state.Exists = groups[trail.LogGroup]; !state.Exists {
		state.Trail, err = c.confirmTrailLogs(ctx, s, trail)
		return state, err
	}
	state.Filters, _, err = c.describeFilters(ctx, s.Region, trail.LogGroup)
	return state, err
}

// describeLogGroups returns those of the named log groups that exist.
func (c *Cloud) describeLogGroups(ctx context.Context, region string, names []string) (map[string]plan.LogGroup, error) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	prefixes := names
	if len(names) > groupsByName {
		prefixes = []string{""}
	}
	found := map[string]plan.LogGroup{}
	for _, prefix := range prefixes {
		if err := c.listLogGroups(ctx, region, prefix, names, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// listLogGroups adds the wanted groups that begin with a prefix to found. A
// group whose name is the prefix comes first, since the listing is sorted by
// name, so its page is the last one needed.
func (c *Cloud) listLogGroups(ctx context.Context, region, prefix string, wanted []string, found map[string]plan.LogGroup) error {
	in := &cloudwatchlogs.DescribeLogGroupsInput{}
	if prefix != "" {
		in.LogGroupNamePrefix = aws.String(prefix)
	}
	for {
		out, err := call(ctx, c.Pace, place{region, "logs.DescribeLogGroups", prefix}, c.Clients.Logs.DescribeLogGroups, in, logsIn(region))
		if err != nil {
			return err
		}
		for _, g := range out.LogGroups {
			if name := aws.ToString(g.LogGroupName); slices.Contains(wanted, name) {
				found[name] = plan.LogGroup{Name: name, Class: string(g.LogGroupClass), RetentionDays: aws.ToInt32(g.RetentionInDays), KMSKey: aws.ToString(g.KmsKeyId)}
			}
		}
		if _, done := found[prefix]; done || aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
}

// describeFilters returns every metric filter of a log group, and whether the
// group exists.
func (c *Cloud) describeFilters(ctx context.Context, region, group string) (filters []plan.Filter, exists bool, err error) {
	in := &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(group)}
	for {
		out, err := call(ctx, c.Pace, place{region, "logs.DescribeMetricFilters", group}, c.Clients.Logs.DescribeMetricFilters, in, logsIn(region))
		if remedy.ClassOf(err) == remedy.Missing {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		for _, f := range out.MetricFilters {
			filters = append(filters, filterOf(f))
		}
		if aws.ToString(out.NextToken) == "" {
			return filters, true, nil
		}
		in.NextToken = out.NextToken
	}
}

func filterOf(f types.MetricFilter) plan.Filter {
	got := plan.Filter{
		Name:           aws.ToString(f.FilterName),
		Pattern:        aws.ToString(f.FilterPattern),
		OnTransformed:  f.ApplyOnTransformedLogs,
		FieldSelection: aws.ToString(f.FieldSelectionCriteria),
		SystemFields:   f.EmitSystemFieldDimensions,
	}
	for _, m := range f.MetricTransformations {
		got.Metrics = append(got.Metrics, plan.Metric{
			Namespace: aws.ToString(m.MetricNamespace), Name: aws.ToString(m.MetricName), Value: aws.ToString(m.MetricValue),
			Default: m.DefaultValue, Dimensions: m.Dimensions, Unit: string(m.Unit),
		})
	}
	return got
}

const createGroupOp = "logs.CreateLogGroup"

// createLogGroup creates a log group and sets its retention, which are two
// calls. One that somebody else created meanwhile is left as it is: its
// retention is not known and must not be shortened, so the next look plans it.
func (c *Cloud) createLogGroup(ctx context.Context, region string, a plan.CreateLogGroup) error {
	in := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(a.Name), Tags: a.Tags, LogGroupClass: types.LogGroupClassStandard}
	if a.KMSKey != "" {
		in.KmsKeyId = aws.String(a.KMSKey)
	}
	_, err := call(ctx, c.Pace, place{region, createGroupOp, a.Name}, c.Clients.Logs.CreateLogGroup, in, logsIn(region))
	if err != nil && remedy.ClassOf(err) != remedy.Present {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // somebody else created it
	}
	return c.putRetention(ctx, region, a.Name, a.RetentionDays)
}

func (c *Cloud) putRetention(ctx context.Context, region, group string, days int32) error {
	_, err := call(ctx, c.Pace, place{region, "logs.PutRetentionPolicy", group}, c.Clients.Logs.PutRetentionPolicy,
		&cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(days)}, logsIn(region))
	return again(err)
}

func (c *Cloud) putFilter(ctx context.Context, region string, a plan.PutFilter) error {
	m := a.Filter.Metrics[0]
	_, err := call(ctx, c.Pace, place{region, "logs.PutMetricFilter", a.Filter.Name}, c.Clients.Logs.PutMetricFilter,
		&cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: aws.String(a.LogGroup), FilterName: aws.String(a.Filter.Name), FilterPattern: aws.String(a.Filter.Pattern),
			MetricTransformations: []types.MetricTransformation{{
				MetricNamespace: aws.String(m.Namespace), MetricName: aws.String(m.Name), MetricValue: aws.String(m.Value),
				DefaultValue: m.Default, Unit: types.StandardUnit(m.Unit),
			}},
		}, logsIn(region))
	return again(err)
}

// again makes an error about a missing log group worth another run: it was
// there when the run looked, or the run has just created it.
func again(err error) error {
	if e, ok := err.(*remedy.Error); ok && e.Class == remedy.Missing { //nolint:errorlint // call returns it bare
		e.Class = remedy.Transient
	}
	return err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
