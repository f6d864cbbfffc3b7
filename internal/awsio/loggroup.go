package awsio

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/relight-aws/relight/internal/catalog"
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
	ListTagsForResource(context.Context, *cloudwatchlogs.ListTagsForResourceInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.ListTagsForResourceOutput, error)
	PutLogGroupDeletionProtection(context.Context, *cloudwatchlogs.PutLogGroupDeletionProtectionInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogGroupDeletionProtectionOutput, error)
	AssociateKmsKey(context.Context, *cloudwatchlogs.AssociateKmsKeyInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.AssociateKmsKeyOutput, error)
	GetTransformer(context.Context, *cloudwatchlogs.GetTransformerInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetTransformerOutput, error)
	DescribeAccountPolicies(context.Context, *cloudwatchlogs.DescribeAccountPoliciesInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeAccountPoliciesOutput, error)
}

var _ logGroupAPI = (*cloudwatchlogs.Client)(nil)

// groupsByName is how many log groups are looked up one by one; for more, one
// listing of the region costs fewer calls.
const groupsByName = 5

// observeLogGroups reads the trail's log group and its filters, or only the
// trail where the scope names another group. What transforms the records is
// read where the scope names no group: a call that does it is told by itself.
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
	groups, err := c.describeLogGroups(ctx, s.Region, []string{trail.LogGroup}, []string{trail.LogGroup})
	if err != nil {
		return nil, err
	}
	if state.Group, state.Exists = groups[trail.LogGroup]; !state.Exists {
		state.Trail, err = c.confirmTrailLogs(ctx, s, trail)
		return state, err
	}
	if state.Filters, _, err = c.describeFilters(ctx, s.Region, trail.LogGroup); err != nil {
		return nil, err
	}
	if s.Names == "" && (state.Group.Class == "" || state.Group.Class == catalog.ClassStandard) { // others take no transformers
		err = c.describeTransformers(ctx, s.Region, state)
	}
	return state, err
}

// describeTransformers reads what transforms the records of the trail's log
// group. That there is none may come as an empty answer or as an error: which
// is not documented. Nothing is repaired by it, so what cannot be read for
// good is a finding.
func (c *Cloud) describeTransformers(ctx context.Context, region string, state *plan.LogGroupState) error {
	own, err := call(ctx, c.Pace, place{region, "logs.GetTransformer", state.Group.Name}, c.Clients.Logs.GetTransformer,
		&cloudwatchlogs.GetTransformerInput{LogGroupIdentifier: aws.String(state.Group.Name)}, logsIn(region))
	subject := "log group " + state.Group.Name
	if err != nil && remedy.ClassOf(err) != remedy.Missing {
		f, err := unread(subject, "a transformer rewrites its records", err)
		if err != nil {
			return err
		}
		state.Unread = append(state.Unread, *f)
	}
	state.Transformed = own != nil && len(own.TransformerConfig) > 0
	in := &cloudwatchlogs.DescribeAccountPoliciesInput{PolicyType: types.PolicyTypeTransformerPolicy}
	for {
		out, err := call(ctx, c.Pace, place{region, "logs.DescribeAccountPolicies", ""}, c.Clients.Logs.DescribeAccountPolicies, in, logsIn(region))
		if err != nil {
			f, err := unread(subject, "an account-wide policy rewrites its records", err)
			if err != nil {
				return err
			}
			state.Unread = append(state.Unread, *f)
			return nil
		}
		for _, p := range out.AccountPolicies {
			state.Account = append(state.Account, plan.GroupRule{Name: aws.ToString(p.PolicyName), Selection: aws.ToString(p.SelectionCriteria)})
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
}

// describeLogGroups returns those of the named log groups that exist, and of
// those among them that are to be guarded whether relight made them.
func (c *Cloud) describeLogGroups(ctx context.Context, region string, names, guarded []string) (map[string]plan.LogGroup, error) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	prefixes := names
	if len(names) > groupsByName {
		prefixes = []string{""}
	}
	found, arns := map[string]plan.LogGroup{}, map[string]string{}
	for _, prefix := range prefixes {
		if err := c.listLogGroups(ctx, region, prefix, names, found, arns); err != nil {
			return nil, err
		}
	}
	for _, name := range guarded {
		g, exists := found[name]
		if !exists || !c.doubtful(region, g) {
			continue
		}
		var err error
		if g.Ours, err = c.ownsGroup(ctx, region, name, arns[name]); err != nil {
			return nil, err
		}
		found[name] = g
	}
	return found, nil
}

// doubtful reports whether a log group is in a state that relight would change
// if the group were its own.
func (c *Cloud) doubtful(region string, g plan.LogGroup) bool {
	key := c.Want.KMSKeys[region]
	return c.Want.ProtectGroups && !g.Protected || key != "" && g.KMSKey != key
}

// ownsGroup reports whether a log group carries relight's tag.
func (c *Cloud) ownsGroup(ctx context.Context, region, name, arn string) (bool, error) {
	out, err := call(ctx, c.Pace, place{region, "logs.ListTagsForResource", name}, c.Clients.Logs.ListTagsForResource,
		&cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(arn)}, logsIn(region))
	if remedy.ClassOf(err) == remedy.Missing {
		return false, nil // deleted a moment ago: nothing is left to change
	}
	if err != nil {
		return false, err
	}
	return out.Tags[catalog.OwnerTag] == c.Want.Prefix, nil
}

// listLogGroups adds the wanted groups that begin with a prefix to found. A
// group whose name is the prefix comes first, since the listing is sorted by
// name, so its page is the last one needed.
func (c *Cloud) listLogGroups(ctx context.Context, region, prefix string, wanted []string, found map[string]plan.LogGroup, arns map[string]string) error {
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
				found[name] = logGroupOf(g)
				arns[name] = strings.TrimSuffix(aws.ToString(g.Arn), ":*") // the form that tagging calls take
			}
		}
		if _, done := found[prefix]; done || aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
}

func logGroupOf(g types.LogGroup) plan.LogGroup {
	return plan.LogGroup{
		Name: aws.ToString(g.LogGroupName), Class: string(g.LogGroupClass),
		RetentionDays: aws.ToInt32(g.RetentionInDays), RetentionBy: aws.ToString(g.RetentionPolicyName),
		KMSKey: aws.ToString(g.KmsKeyId), Protected: aws.ToBool(g.DeletionProtectionEnabled),
		Masked:      g.DataProtectionStatus == types.DataProtectionStatusActivated,
		MaskedByAll: slices.Contains(g.InheritedProperties, types.InheritedPropertyAccountDataProtection),
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
	if a.Protected {
		in.DeletionProtectionEnabled = aws.Bool(true)
	}
	_, err := call(ctx, c.Pace, place{region, createGroupOp, a.Name}, c.Clients.Logs.CreateLogGroup, in, logsIn(region))
	if err != nil && remedy.ClassOf(err) != remedy.Present {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // somebody else created it
	}
	return partial(c.putRetention(ctx, region, a.Name, a.RetentionDays))
}

func (c *Cloud) putRetention(ctx context.Context, region, group string, days int32) error {
	_, err := call(ctx, c.Pace, place{region, "logs.PutRetentionPolicy", group}, c.Clients.Logs.PutRetentionPolicy,
		&cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(days)}, logsIn(region))
	return again(err)
}

func (c *Cloud) protectGroup(ctx context.Context, region, group string) error {
	_, err := call(ctx, c.Pace, place{region, "logs.PutLogGroupDeletionProtection", group}, c.Clients.Logs.PutLogGroupDeletionProtection,
		&cloudwatchlogs.PutLogGroupDeletionProtectionInput{LogGroupIdentifier: aws.String(group), DeletionProtectionEnabled: aws.Bool(true)}, logsIn(region))
	return again(err)
}

// encryptGroup puts a key on a log group. CloudWatch Logs uses it in its own
// name, which the key's policy has to admit: the one place for it, as it is
// when a group is created with a key. Source: CloudWatch Logs User Guide,
// "Encrypt log data in CloudWatch Logs using AWS KMS".
func (c *Cloud) encryptGroup(ctx context.Context, region string, a plan.EncryptLogGroup) error {
	_, err := call(ctx, c.Pace, place{region, "logs.AssociateKmsKey", a.LogGroup}, c.Clients.Logs.AssociateKmsKey,
		&cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: aws.String(a.LogGroup), KmsKeyId: aws.String(a.Key)}, logsIn(region))
	return again(err)
}

func (c *Cloud) putFilter(ctx context.Context, region string, a plan.PutFilter) error {
	m := a.Filter.Metrics[0]
	_, err := call(ctx, c.Pace, place{region, putFilterOp, a.Filter.Name}, c.Clients.Logs.PutMetricFilter,
		&cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: aws.String(a.LogGroup), FilterName: aws.String(a.Filter.Name), FilterPattern: aws.String(a.Filter.Pattern),
			MetricTransformations: []types.MetricTransformation{{
				MetricNamespace: aws.String(m.Namespace), MetricName: aws.String(m.Name), MetricValue: aws.String(m.Value),
				DefaultValue: m.Default, Unit: types.StandardUnit(m.Unit),
			}},
		}, logsIn(region))
	return again(err)
}

// partial marks an error of a step that made its target all the same.
func partial(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		e.Partial = true
	}
	return err
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
