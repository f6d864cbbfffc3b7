package awsio

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) logs() *cloudwatchlogs.Client { return client(r, cloudwatchlogs.NewFromConfig) }

// groupsByName is the largest number of log groups that relight reads one by
// one; for more, one listing of the region costs fewer calls.
const groupsByName = 5

var logGroupKind = kindOf(
	(*region).observeLogGroups,
	each((*region).createLogGroup),
	each((*region).raiseRetention),
	each((*region).protectLogGroup),
	each((*region).encryptLogGroup),
	each((*region).putFilter),
)

// observeLogGroups reads the trail's log group and its filters, or only the
// trail if the scope names another group. It reads what transforms the records
// only if the scope names no group: relight reports a call that transforms
// records when it receives the event.
func (r *region) observeLogGroups(ctx context.Context, s remedy.Scope) (*plan.LogGroupState, error) {
	trail, err := r.trailLogs(ctx)
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
	groups, err := r.describeLogGroups(ctx, []string{trail.LogGroup}, []string{trail.LogGroup})
	if err != nil {
		return nil, err
	}
	if state.Group, state.Exists = groups[trail.LogGroup]; state.Exists {
		if state.Filters, _, err = r.describeFilters(ctx, trail.LogGroup); err != nil {
			return nil, err
		}
	}
	if state.Trail, err = r.confirmTrailLogs(ctx, trail, state.Filters, state.Exists); err != nil || state.Trail.LogGroup == "" || !state.Exists {
		return state, err
	}
	if s.Names == "" && (state.Group.Class == "" || state.Group.Class == catalog.ClassStandard) { // other classes take no transformers
		err = r.describeTransformers(ctx, state)
	}
	return state, err
}

// describeTransformers reads what transforms the records of the trail's log
// group. If nothing does, an error and an empty answer mean the same (belief
// no-transformer-is-an-error, assumed). No repair depends on it, so a permanent
// read error becomes a finding.
func (r *region) describeTransformers(ctx context.Context, state *plan.LogGroupState) error {
	own, err := r.logs().GetTransformer(ctx, &cloudwatchlogs.GetTransformerInput{LogGroupIdentifier: aws.String(state.Group.Name)})
	if gone(err) != nil {
		if state.Unread, err = unread(plan.TransformerUnread, plan.Args{"group": state.Group.Name}, err); err != nil {
			return err
		}
	}
	state.Transformed = own != nil && len(own.TransformerConfig) > 0
	in := &cloudwatchlogs.DescribeAccountPoliciesInput{PolicyType: types.PolicyTypeTransformerPolicy}
	for { // the SDK has no paginator for it
		out, err := r.logs().DescribeAccountPolicies(ctx, in)
		if err != nil {
			unread, err := unread(plan.AccountPoliciesUnread, plan.Args{"group": state.Group.Name}, err)
			state.Unread = append(state.Unread, unread...)
			return err
		}
		for _, p := range out.AccountPolicies {
			state.Account = append(state.Account, plan.GroupRule{Name: aws.ToString(p.PolicyName), Selection: aws.ToString(p.SelectionCriteria)})
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return nil
		}
	}
}

// describeLogGroups returns the named log groups that exist. For those that
// relight protects, it also finds out whether relight made them.
func (r *region) describeLogGroups(ctx context.Context, names, protected []string) (map[string]plan.LogGroup, error) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	prefixes := names
	if len(names) > groupsByName {
		prefixes = []string{""}
	}
	found, arns := map[string]plan.LogGroup{}, map[string]string{}
	for _, prefix := range prefixes {
		if err := r.listLogGroups(ctx, prefix, names, found, arns); err != nil {
			return nil, err
		}
	}
	for _, name := range protected {
		g, exists := found[name]
		if !exists || !r.doubtful(g) {
			continue
		}
		if g.Ours = plan.OwnsGroup(r.Want, name); !g.Ours {
			var err error
			if g.Ours, err = r.ownsGroup(ctx, arns[name]); err != nil {
				return nil, err
			}
		}
		found[name] = g
	}
	return found, nil
}

// doubtful reports whether relight would change a log group in this state if
// the group were its own.
func (r *region) doubtful(g plan.LogGroup) bool {
	key := r.Want.KMSKeys[r.name]
	return r.Want.ProtectGroups && !g.Protected || key != "" && g.KMSKey != key
}

// ownsGroup reports whether a log group carries relight's tag.
func (r *region) ownsGroup(ctx context.Context, arn string) (bool, error) {
	out, err := r.logs().ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(arn)})
	if err != nil {
		return false, gone(err) // deleted a moment ago: there is nothing left to change
	}
	return out.Tags[catalog.OwnerTag] == r.Want.Prefix, nil
}

// listLogGroups adds the wanted groups that begin with a prefix to found. The
// listing is sorted by name, so a group whose name is the prefix comes first,
// and its page is the last one needed. Whether a listing without a match is an
// error or empty makes no difference (belief listing-without-match, assumed).
func (r *region) listLogGroups(ctx context.Context, prefix string, wanted []string, found map[string]plan.LogGroup, arns map[string]string) error {
	in := &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: nonzero(prefix)}
	for page, err := range pages(ctx, cloudwatchlogs.NewDescribeLogGroupsPaginator(r.logs(), in)) {
		if err != nil {
			return gone(err)
		}
		for _, g := range page.LogGroups {
			if name := aws.ToString(g.LogGroupName); slices.Contains(wanted, name) {
				found[name] = logGroupOf(g)
				arns[name] = strings.TrimSuffix(aws.ToString(g.Arn), ":*") // the form that tagging calls require
			}
		}
		if _, done := found[prefix]; done {
			break
		}
	}
	return nil
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
func (r *region) describeFilters(ctx context.Context, group string) (filters []plan.Filter, exists bool, err error) {
	in := &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(group)}
	for page, err := range pages(ctx, cloudwatchlogs.NewDescribeMetricFiltersPaginator(r.logs(), in)) {
		if err != nil {
			return nil, false, gone(err)
		}
		for _, f := range page.MetricFilters {
			filters = append(filters, filterOf(f))
		}
	}
	return filters, true, nil
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

// createLogGroup creates a log group and sets its retention, in two calls. If
// somebody else has created the group since relight read it, createLogGroup
// does not change it: its retention is unknown and must not be shortened, so
// the next observation decides. A refusal for an optional part, such as a key
// that is disabled, must not keep the group and its filters from coming back:
// createLogGroup then leaves out as few parts as it can, and returns the refusal.
func (r *region) createLogGroup(ctx context.Context, a plan.CreateLogGroup) error {
	var refusal error
	for _, without := range [][]string{nil, {partKey}, {partProtection}, {partTags}, {partKey, partProtection}, {partKey, partTags}, {partProtection, partTags}, {partKey, partProtection, partTags}} {
		in := &cloudwatchlogs.CreateLogGroupInput{
			LogGroupName: aws.String(a.Name), Tags: a.Tags, LogGroupClass: types.LogGroupClassStandard,
			KmsKeyId: nonzero(a.KMSKey), DeletionProtectionEnabled: nonzero(a.Protected),
		}
		if !leaveOut(in, without) {
			continue
		}
		_, err := r.logs().CreateLogGroup(ctx, in)
		switch {
		case err == nil:
			return cmp.Or(incomplete(a, without, refusal), partly(r.putRetention(ctx, a.Name, a.RetentionDays)))
		case remedy.ClassOf(err) == remedy.Present:
			return nil
		case !blamesPart(err):
			return err
		}
		refusal = cmp.Or(refusal, err)
	}
	return refusal
}

// These are the parts of a log group that it can do without, as people read them.
const (
	partKey        = "its key"
	partProtection = "deletion protection"
	partTags       = "tags"
)

// leaveOut takes parts out of a request. It returns false if the request does
// not have them all.
func leaveOut(in *cloudwatchlogs.CreateLogGroupInput, parts []string) bool {
	for _, part := range parts {
		switch {
		case part == partKey && in.KmsKeyId != nil:
			in.KmsKeyId = nil
		case part == partProtection && in.DeletionProtectionEnabled != nil:
			in.DeletionProtectionEnabled = nil
		case part == partTags && len(in.Tags) > 0:
			in.Tags = nil
		default:
			return false
		}
	}
	return true
}

// blamesPart reports whether a refusal may be about an optional part of the
// request. Two codes are known for a key: InvalidParameterException if it is
// disabled (CloudWatch Logs API Reference, CreateLogGroup) and
// AccessDeniedException if its policy does not admit CloudWatch Logs
// (hashicorp/terraform-provider-aws issue 29282). Any other code may turn up too;
// only a quota and what passes by itself are about something else.
func blamesPart(err error) bool {
	class := remedy.ClassOf(err)
	return (class == remedy.Terminal || class == remedy.Unknown || strings.HasPrefix(codeOf(err), "KMS")) && codeOf(err) != limitCode
}

// incomplete returns the error of a log group that was created without some
// parts, or nil if it has them all. The next observation plans the key and the
// protection again.
func incomplete(a plan.CreateLogGroup, without []string, refusal error) error {
	if len(without) == 0 {
		return nil
	}
	hint := "the log group was created without " + strings.Join(without, ", ")
	if slices.Contains(without, partKey) {
		hint += ": " + keyHint(a.KMSKey)
	}
	return &remedy.Error{Op: "logs.CreateLogGroup", Target: a.Name, Class: remedy.Terminal, Hint: hint, Err: bareCause(refusal), Partial: true}
}

func keyHint(key string) string {
	return "enable the key " + key + ", and let CloudWatch Logs use it in its policy, or name another one in kmsKeys of the configuration"
}

// bareCause returns the answer of AWS inside the error of a call.
func bareCause(err error) error {
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		return e.Err
	}
	return err
}

func (r *region) raiseRetention(ctx context.Context, a plan.RaiseRetention) error {
	return r.putRetention(ctx, a.LogGroup, a.Days)
}

func (r *region) putRetention(ctx context.Context, group string, days int32) error {
	_, err := r.logs().PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(days)})
	return again(err)
}

func (r *region) protectLogGroup(ctx context.Context, a plan.ProtectLogGroup) error {
	_, err := r.logs().PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: aws.String(a.LogGroup), DeletionProtectionEnabled: aws.Bool(true),
	})
	return again(err)
}

// encryptLogGroup assigns a key to a log group. CloudWatch Logs uses the key
// under its own name, which the key's policy has to allow. relight therefore
// needs no permission on the key, neither here nor when it creates a group with
// a key. Source: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch
// Logs using AWS KMS".
func (r *region) encryptLogGroup(ctx context.Context, a plan.EncryptLogGroup) error {
	_, err := r.logs().AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: aws.String(a.LogGroup), KmsKeyId: aws.String(a.Key)})
	if e, ok := errors.AsType[*remedy.Error](err); ok && e.Class == remedy.Terminal {
		e.Hint = strings.TrimPrefix(e.Hint+"; ", "; ") + keyHint(a.Key)
	}
	return again(err)
}

func (r *region) putFilter(ctx context.Context, a plan.PutFilter) error {
	m := a.Filter.Metrics[0]
	_, err := r.logs().PutMetricFilter(ctx, &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: aws.String(a.LogGroup), FilterName: aws.String(a.Filter.Name), FilterPattern: aws.String(a.Filter.Pattern),
		MetricTransformations: []types.MetricTransformation{{
			MetricNamespace: aws.String(m.Namespace), MetricName: aws.String(m.Name), MetricValue: aws.String(m.Value),
			DefaultValue: m.Default, Unit: types.StandardUnit(m.Unit),
		}},
	})
	return again(err)
}
