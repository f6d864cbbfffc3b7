package awsio

import (
	"cmp"
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

func (r *region) logs() *cloudwatchlogs.Client { return client(r, cloudwatchlogs.NewFromConfig) }

// logsPage is the largest page of DescribeLogGroups and DescribeMetricFilters. Source:
// CloudWatch Logs API Reference.
const logsPage = 50

// groupsByName is the largest number of log groups that relight reads one by
// one; for more, one listing of the region costs fewer calls.
const groupsByName = 5

// LogGroups returns the kind whose plans restore the trail's log group and its filters.
func LogGroups() Kind {
	return kindOf(
		catalog.LogGroups,
		(*region).observeLogGroups,
		append(logGroupAppliers(), each((*region).putFilter))...,
	)
}

// logGroupAppliers returns the appliers of what a log group has to be, whatever needs it.
func logGroupAppliers() []applier {
	return []applier{
		each((*region).createLogGroup),
		each((*region).raiseRetention),
		each((*region).keepForever),
		each((*region).protectLogGroup),
		each((*region).encryptLogGroup),
		each((*region).removeLogGroupKey),
		each((*region).tagLogGroup),
	}
}

// observeLogGroups reads the trail's log group and its filters, or only the
// trail if the scope names another group. It reads what transforms the records
// only if the scope names no group: relight reports a call that transforms
// records when it receives the event. For an event about filters it does not find out
// who made the group.
func (r *region) observeLogGroups(ctx context.Context, s remedy.Scope) (*plan.LogGroupState, error) {
	if s.Type == catalog.Destination { // no call says which log groups of all accounts send to it
		return &plan.LogGroupState{Trail: plan.TrailLogs{Elsewhere: "the event is about a destination"}}, nil
	}
	if before, _ := remedy.Before(ctx).(*plan.LogGroupState); s.Names != "" && before != nil && before.Exists && !before.Group.Untagged {
		return r.repairedLogGroup(ctx, *before)
	}
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
	if s.Type == catalog.FilteredGroup {
		return state, r.readFiltered(ctx, state)
	}
	groups, err := r.describeLogGroups(ctx, []string{trail.LogGroup}, nil)
	if err != nil {
		return nil, err
	}
	state.Group, state.Exists = groups[trail.LogGroup]
	readOwner := func() error {
		if s.Names == "" && r.guards() || r.doubtful(state.Group) {
			return r.ownTrailGroup(ctx, &state.Group)
		}
		return nil
	}
	reads := []func() error{recalling(ctx, plan.NeedsFloors(plan.Observed{Type: s.Type, State: state}))}
	if state.Exists {
		reads = append(reads, func() (err error) {
			state.Filters, _, err = r.describeFilters(ctx, trail.LogGroup)
			return err
		})
	}
	if state.Exists && trail.Certain() {
		reads = append(reads, readOwner)
	}
	if err := atOnce(reads...); err != nil {
		return nil, err
	}
	if state.Trail, err = r.confirmTrailLogs(ctx, trail, state.Filters, state.Exists); err != nil || state.Trail.LogGroup == "" || !state.Exists {
		return state, err
	}
	if !trail.Certain() {
		if err := readOwner(); err != nil {
			return nil, err
		}
	}
	if s.Type == "" { // a sweep
		if err := r.describeWriters(ctx, state); err != nil {
			return nil, err
		}
		missed, err := r.describeGroupKeys(ctx, groups)
		if err != nil {
			return nil, err
		}
		own := state.Group
		state.Unread, state.Group = append(state.Unread, missed...), groups[trail.LogGroup]
		state.Group.Ours, state.Group.Proven, state.Group.Untagged = own.Ours, own.Proven, own.Untagged
	}
	if s.Names == "" && (state.Group.Class == "" || state.Group.Class == catalog.ClassStandard) { // other classes take no transformers
		err = r.describeTransformers(ctx, state)
	}
	return state, err
}

// repairedLogGroup reads what the repair of a log group and its filters can have changed.
func (r *region) repairedLogGroup(ctx context.Context, state plan.LogGroupState) (*plan.LogGroupState, error) {
	before := state.Group
	groups, filters, err := r.groupAndFilters(ctx, before.Name)
	if err != nil {
		return nil, err
	}
	state.Group, state.Exists = groups[before.Name]
	state.Group.Ours, state.Group.Proven = before.Ours, before.Proven
	if state.Filters = filters; !state.Exists {
		state.Filters = nil
	}
	return &state, nil
}

// groupAndFilters reads a log group and its filters at once.
func (r *region) groupAndFilters(ctx context.Context, name string) (groups map[string]plan.LogGroup, filters []plan.Filter, err error) {
	err = atOnce(
		func() (err error) {
			groups, err = r.describeLogGroups(ctx, []string{name}, nil)
			return err
		},
		func() (err error) {
			filters, _, err = r.describeFilters(ctx, name)
			return err
		},
	)
	return groups, filters, err
}

// readFiltered reads the trail's log group and its filters for an event about filters.
func (r *region) readFiltered(ctx context.Context, state *plan.LogGroupState) error {
	groups, filters, err := r.groupAndFilters(ctx, state.Trail.LogGroup)
	if err != nil {
		return err
	}
	state.Filters = filters
	if state.Group, state.Exists = groups[state.Trail.LogGroup]; !state.Exists {
		state.Filters = nil
	}
	state.Trail, err = r.confirmTrailLogs(ctx, state.Trail, state.Filters, state.Exists)
	return err
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
	if state.Account, err = r.transformerPolicies(ctx); err != nil {
		missed, err := unread(plan.AccountPoliciesUnread, plan.Args{"group": state.Group.Name}, err)
		state.Unread = append(state.Unread, missed...)
		return err
	}
	return nil
}

// transformerPolicies returns the account-wide policies of the region that transform
// records.
func (r *region) transformerPolicies(ctx context.Context) (rules []plan.GroupRule, err error) {
	in := &cloudwatchlogs.DescribeAccountPoliciesInput{PolicyType: types.PolicyTypeTransformerPolicy}
	for { // the SDK has no paginator for it
		out, err := r.logs().DescribeAccountPolicies(ctx, in)
		if err != nil {
			return rules, err
		}
		for _, p := range out.AccountPolicies {
			rules = append(rules, plan.GroupRule{Name: aws.ToString(p.PolicyName), Selection: aws.ToString(p.SelectionCriteria)})
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return rules, nil
		}
	}
}

// describeGroupKeys reads the state and the policy of each key of this account that
// encrypts one of some log groups. What it may not read becomes a finding. Other
// accounts' keys are findings anyway.
func (r *region) describeGroupKeys(ctx context.Context, groups map[string]plan.LogGroup) (missed []plan.Finding, err error) {
	type key struct{ state, policy string }
	read := map[string]key{}
	for _, name := range sortedKeys(groups) {
		g := groups[name]
		if g.KMSKey == "" || ownerOf(g.KMSKey) != r.account {
			continue
		}
		if _, known := read[g.KMSKey]; !known {
			var k key
			k.state, err = r.keyState(ctx, g.KMSKey)
			if err == nil && k.state == plan.KeyEnabled {
				k.policy, err = r.keyPolicy(ctx, g.KMSKey)
			}
			if err != nil {
				found, err := unread(plan.LogGroupKeyUnread, plan.Args{"key": g.KMSKey}, err)
				if err != nil {
					return nil, err
				}
				missed = append(missed, found...)
			}
			read[g.KMSKey] = k
		}
		g.KeyState, g.KeyPolicy = read[g.KMSKey].state, read[g.KMSKey].policy
		groups[name] = g
	}
	return missed, nil
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
	listed := make([]map[string]plan.LogGroup, len(prefixes))
	err := eachAtOnce(prefixes, func(i int, prefix string) error {
		listed[i] = map[string]plan.LogGroup{}
		return r.listLogGroups(ctx, prefix, names, listed[i])
	})
	if err != nil {
		return nil, err
	}
	found := map[string]plan.LogGroup{}
	for _, some := range listed {
		maps.Copy(found, some)
	}
	for _, name := range protected {
		g, exists := found[name]
		if !exists || !r.doubtful(g) {
			continue
		}
		g.Ours = plan.OwnsGroup(r.Want, name)
		if g.Proven = g.Ours; !g.Ours {
			var err error
			if g.Ours, err = r.tagged(ctx, g.ARN); err != nil {
				return nil, err
			}
		}
		found[name] = g
	}
	return found, nil
}

// ownTrailGroup finds out whether relight made the trail's log group: its name says
// so, or the memory, also if somebody removed the tag. The tag says so only of a group
// that relight does not remember as its owner's.
func (r *region) ownTrailGroup(ctx context.Context, g *plan.LogGroup) error {
	if g.Ours = plan.OwnsGroup(r.Want, g.Name); g.Ours {
		g.Proven = true
		return nil
	}
	var tagged bool
	var memory plan.Recollection
	readTag := func() (err error) {
		tagged, err = r.tagged(ctx, g.ARN)
		return err
	}
	readMemory := func() (err error) {
		memory, err = r.recallTrail(ctx)
		return err
	}
	var err error
	if r.doubtful(*g) {
		err = atOnce(readTag, readMemory)
	} else if err = readTag(); err == nil && tagged { // then whose it is changes nothing
		g.Ours = true
		return nil
	} else if err == nil {
		err = readMemory()
	}
	if err != nil {
		return err
	}
	g.Proven = memory.Made(g.ARN)
	g.Ours = g.Proven || tagged && !memory.Others(g.ARN, g.Created)
	g.Untagged = g.Ours && !tagged
	return nil
}

// madeTrailGroup reports whether relight made the log group of a trail: it is
// remembered, or the group has relight's tag and is not remembered as its owner's. A
// group without the tag may have lost it, so what is remembered stays until a person
// runs relight accept.
func (r *region) madeTrailGroup(ctx context.Context, t plan.Trail, remembered plan.Recollection) (bool, error) {
	if remembered.Made(t.LogGroupARN) || !r.guards() || !t.DeliversTo(r.account, r.name) {
		return remembered.Made(t.LogGroupARN), nil
	}
	made, err := r.tagged(ctx, t.LogGroupARN)
	if made && remembered.Others(t.LogGroupARN, 0) { // unless it is a new one
		_, name, _ := strings.Cut(t.LogGroupARN, "log-group:")
		var groups map[string]plan.LogGroup
		groups, err = r.describeLogGroups(ctx, []string{name}, nil)
		made = !remembered.Others(t.LogGroupARN, groups[name].Created)
	}
	if remedy.ClassOf(err).Retry() {
		return false, err
	}
	return made && err == nil, nil //nolint:nilerr // without the tag, the group counts as its owner's
}

// guards reports whether it makes a difference who made a log group.
func (r *region) guards() bool { return r.Want.ProtectGroups || r.Want.KMSKeys[r.name] != "" }

// doubtful reports whether relight would change a log group in this state if
// the group were its own.
func (r *region) doubtful(g plan.LogGroup) bool {
	return r.Want.ProtectGroups && !g.Protected || g.KMSKey != r.Want.KMSKeys[r.name]
}

// tagged reports whether a log group has relight's tag.
func (r *region) tagged(ctx context.Context, arn string) (bool, error) {
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
func (r *region) listLogGroups(ctx context.Context, prefix string, wanted []string, found map[string]plan.LogGroup) error {
	in := &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: nonzero(prefix), Limit: aws.Int32(logsPage)}
	for page, err := range pages(ctx, cloudwatchlogs.NewDescribeLogGroupsPaginator(r.logs(), in)) {
		if err != nil {
			return gone(err)
		}
		for _, g := range page.LogGroups {
			if name := aws.ToString(g.LogGroupName); slices.Contains(wanted, name) {
				found[name] = logGroupOf(g)
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
		Name: aws.ToString(g.LogGroupName), ARN: strings.TrimSuffix(aws.ToString(g.Arn), ":*"), Class: string(g.LogGroupClass),
		RetentionDays: aws.ToInt32(g.RetentionInDays), RetentionBy: aws.ToString(g.RetentionPolicyName),
		Created: aws.ToInt64(g.CreationTime), KMSKey: aws.ToString(g.KmsKeyId), Protected: aws.ToBool(g.DeletionProtectionEnabled),
		Masked:      g.DataProtectionStatus == types.DataProtectionStatusActivated,
		MaskedByAll: slices.Contains(g.InheritedProperties, types.InheritedPropertyAccountDataProtection),
	}
}

// describeFilters returns every metric filter of a log group, and whether the
// group exists.
func (r *region) describeFilters(ctx context.Context, group string) (filters []plan.Filter, exists bool, err error) {
	in := &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(group), Limit: aws.Int32(logsPage)}
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

// describeWriters reads the metric filters of all other log groups of the region that
// write into relight's namespace. CloudWatch Logs takes a namespace only together
// with one metric, so one listing of all costs fewer calls than one for each.
func (r *region) describeWriters(ctx context.Context, state *plan.LogGroupState) error {
	for page, err := range pages(ctx, cloudwatchlogs.NewDescribeMetricFiltersPaginator(r.logs(), &cloudwatchlogs.DescribeMetricFiltersInput{Limit: aws.Int32(logsPage)})) {
		if err != nil {
			missed, err := unread(plan.FiltersUnread, plan.Args{}, err)
			state.Unread = append(state.Unread, missed...)
			return err
		}
		for _, f := range page.MetricFilters {
			ours := func(m types.MetricTransformation) bool { return aws.ToString(m.MetricNamespace) == r.Want.Prefix }
			if group := aws.ToString(f.LogGroupName); group != state.Group.Name && slices.ContainsFunc(f.MetricTransformations, ours) {
				state.Writers = append(state.Writers, plan.GroupFilter{LogGroup: group, Filter: filterOf(f)})
			}
		}
	}
	return nil
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
// the next observation decides, and also plans the key and the protection that AWS
// refuses. The class is left to AWS, whose default is the one that takes filters:
// not every partition knows classes. Source: CloudWatch Logs API Reference,
// CreateLogGroup.
func (r *region) createLogGroup(ctx context.Context, a plan.CreateLogGroup) error {
	var parts []string
	if a.KMSKey != "" {
		parts = append(parts, partKey)
	}
	if a.Protected {
		parts = append(parts, partProtection)
	}
	if len(a.Tags) > 0 {
		parts = append(parts, partTags)
	}
	without, refusal, err := createWithout(func(without []string) error {
		in := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(a.Name)}
		if !slices.Contains(without, partKey) {
			in.KmsKeyId = nonzero(a.KMSKey)
		}
		if !slices.Contains(without, partProtection) {
			in.DeletionProtectionEnabled = nonzero(a.Protected)
		}
		if !slices.Contains(without, partTags) {
			in.Tags = a.Tags
		}
		_, err := r.logs().CreateLogGroup(ctx, in)
		return err
	}, blamesPart, parts...)
	if err != nil {
		return settled(err)
	}
	hint := ""
	if slices.Contains(without, partKey) {
		hint = ": " + keyHint(a.KMSKey)
	}
	return cmp.Or(incomplete("the log group", without, refusal, hint), partly(r.putRetention(ctx, a.Name, a.RetentionDays)))
}

func keyHint(key string) string {
	return "enable the key " + key + ", and let CloudWatch Logs use it in its policy, or name another one in kmsKeys of the configuration"
}

func (r *region) raiseRetention(ctx context.Context, a plan.RaiseRetention) error {
	return r.putRetention(ctx, a.LogGroup, a.Days)
}

func (r *region) keepForever(ctx context.Context, a plan.KeepForever) error {
	_, err := r.logs().DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String(a.LogGroup)})
	return again(err)
}

// putRetention sets the retention of a log group. A new group keeps its logs for
// ever, and for that there is nothing to set.
func (r *region) putRetention(ctx context.Context, group string, days int32) error {
	if days == 0 {
		return nil
	}
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

// removeLogGroupKey takes the key off a log group. Records that were written before stay
// encrypted with it. Source: CloudWatch Logs API Reference, DisassociateKmsKey.
func (r *region) removeLogGroupKey(ctx context.Context, a plan.RemoveLogGroupKey) error {
	_, err := r.logs().DisassociateKmsKey(ctx, &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: aws.String(a.LogGroup)})
	return again(err)
}

func (r *region) tagLogGroup(ctx context.Context, a plan.TagLogGroup) error {
	_, err := r.logs().TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: aws.String(a.ARN), Tags: a.Tags})
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
