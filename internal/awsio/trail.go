package awsio

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) cloudtrail() *cloudtrail.Client { return client(r, cloudtrail.NewFromConfig) }

// Trails returns the kind whose plans restore the trail, with its log group.
func Trails() Kind {
	return kindOf(
		catalog.Trails,
		(*region).observeTrail,
		append(
			logGroupAppliers(), // a trail is created with its log group
			each((*region).createTrail),
			each((*region).updateTrail),
			each((*region).startLogging),
			each((*region).putSelectors),
			each((*region).rememberTrail),
			each((*region).restoreMemory),
		)...,
	)
}

// observeTrail reads as little as the scope allows:
//
//	buckets or keys                                       every trail, in one call; for keys also
//	                                                      the trails' log groups
//	new trails                                            memory, which says whether relight may have made it
//	roles                                                 every trail; the status and the role of the
//	                                                      one that delivers with such a role
//	managed policies                                      which roles have them; if any does, as above
//	parameters with what relight remembers                nothing
//	another trail than the configured or remembered one   at most what shows that
//	several trails qualify, and none is remembered        what each of them does
//	the trail is gone, or has to be updated               its log group too
//	any other                                             status, selectors
func (r *region) observeTrail(ctx context.Context, s remedy.Scope) (*plan.TrailState, error) {
	state := &plan.TrailState{}
	if s.Type == catalog.Parameter {
		return state, nil
	}
	if s.Type == catalog.Bucket || s.Type == catalog.Key {
		var err error
		if state.Seen, err = r.describeTrails(ctx); err == nil && s.Type == catalog.Key {
			state.GroupKeys, err = r.trailGroupKeys(ctx, state.Seen)
		}
		return state, err
	}
	if s.Type == catalog.NewTrail {
		var err error
		state.Memory, err = r.recallTrail(ctx)
		return state, err
	}
	names := s.Names.List()
	if s.Type == catalog.Role || s.Type == catalog.IAMPolicy {
		return state, r.observeTrailRole(ctx, state, s.Type, names)
	}
	about := func(trail string) bool {
		return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return plan.Called(trail, n) })
	}
	const foreign = "the event is about another trail"
	if name := r.Want.Trail.Name; name != "" && len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return plan.Called(n, name) || plan.Called(name, n) }) {
		state.Foreign = foreign
		return state, nil
	}
	var trails []plan.Trail
	readMemory := func() (err error) {
		state.Memory, err = r.recallTrail(ctx)
		return err
	}
	readTrails := func() (err error) {
		trails, err = r.describeTrails(ctx)
		return err
	}
	another := func() bool {
		m := state.Memory.Trail
		return r.Want.Trail.Name == "" && m != nil && !m.Superseded(r.Want) && !about(m.ARN)
	}
	var err error
	if r.Want.Trail.Name != "" || len(names) == 0 { // then the memory does not show that it is another trail
		err = atOnce(readMemory, readTrails)
	} else if err = readMemory(); err == nil && !another() {
		err = readTrails()
	}
	if err != nil {
		return nil, err
	}
	if another() {
		state.Foreign = foreign
		return state, nil
	}
	if s.Type == "" {
		state.Listed = len(trails)
	}
	does := plan.Healths{}
	choose := func() plan.TrailChoice {
		return plan.ChooseTrail(r.Want, r.account, r.name, trails, state.Memory.Trail, does)
	}
	state.Choice = choose()
	if t := state.Choice.Trail; t != nil && len(state.Choice.Compare) < 2 && !about(t.ARN) {
		state.Foreign = foreign
		return state, nil
	}
	if state.Choice, err = r.chooseTrail(ctx, does, choose); err != nil {
		return nil, err
	}
	switch t := state.Choice.Trail; {
	case t != nil && !about(t.ARN):
		state.Foreign = foreign
		return state, nil
	case t != nil:
		if err := r.readHealth(ctx, does, []plan.Trail{*t}); err != nil {
			return nil, err
		}
		state.Status, state.Selectors = does[t.ARN].Status, does[t.ARN].Selectors
		if state.Status.LogsError != "" || s.Type == "" { // CloudTrail may report a missing role late
			if state.NoRole, err = r.noRole(ctx, t.Role); err != nil {
				return nil, err
			}
		}
		if s.Type == "" {
			if state.OwnGroup, err = r.madeTrailGroup(ctx, *t, state.Memory); err != nil {
				return nil, err
			}
		}
		if s.Type == "" && plan.Moved(r.Want, *state) { // an event itself names its caller
			state.ChangedBy = r.lastUpdate(ctx, *t)
		}
		if s.Type == "" && len(state.Choice.Rivals) > 0 { // only a finding depends on them
			if err := r.readHealth(ctx, does, state.Choice.Rivals); err != nil {
				return nil, err
			}
			state.Choice = choose()
		}
	case !state.Choice.Gone && state.Choice.Elsewhere == "" && state.Memory.Unreadable != "":
		return nil, r.unusable("relight finds no trail that it could protect", state.Memory)
	}
	return state, r.describeTrailGroup(ctx, state)
}

// trailGroupKeys returns the keys of the log groups of this account and region to
// which some trails deliver.
func (r *region) trailGroupKeys(ctx context.Context, trails []plan.Trail) (keys []string, err error) {
	var names []string
	for _, t := range trails {
		if t.DeliversTo(r.account, r.name) {
			names = append(names, resourceOf(t.LogGroupARN, "log-group:"))
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	groups, err := r.describeLogGroups(ctx, names, nil)
	for _, name := range sortedKeys(groups) {
		if key := groups[name].KMSKey; key != "" {
			keys = append(keys, key)
		}
	}
	return keys, err
}

// observeTrailRole reads whether a trail delivers with one of the roles, or with a
// role that has one of the managed policies, and whether that trail delivers.
func (r *region) observeTrailRole(ctx context.Context, state *plan.TrailState, of catalog.ResourceType, names []string) (err error) {
	if of == catalog.IAMPolicy && len(names) > 0 {
		if state.OnRoles, err = r.rolesWith(ctx, names); err != nil || len(state.OnRoles) == 0 {
			return err
		}
	}
	if state.Seen, err = r.describeTrails(ctx); err != nil {
		return err
	}
	t := state.DeliversWith(r.account, of, names)
	if t == nil {
		return nil
	}
	state.OnTrail = t
	return atOnce(
		func() error {
			status, err := r.cloudtrail().GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(t.ARN)})
			if err == nil {
				state.Status = statusOf(status)
			} else if remedy.ClassOf(err).Retry() {
				return err
			}
			return nil
		},
		func() (err error) {
			state.NoRole, err = r.noRole(ctx, t.Role)
			return err
		},
	)
}

// rolesWith returns the roles that each managed policy is attached to, or is the
// boundary of. It leaves out a policy that no role has.
func (r *region) rolesWith(ctx context.Context, policies []string) (map[string][]string, error) {
	with := map[string][]string{}
	for _, policy := range policies {
		in := &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String(policy), EntityFilter: iamtypes.EntityTypeRole, MaxItems: aws.Int32(iamPage)}
		for page, err := range pages(ctx, iam.NewListEntitiesForPolicyPaginator(r.iam(), in)) {
			if gone(err) != nil {
				return nil, err
			}
			if err != nil {
				break // it does not exist
			}
			for _, role := range page.PolicyRoles {
				with[policy] = append(with[policy], aws.ToString(role.RoleName))
			}
		}
	}
	return with, nil
}

// noRole returns that a role does not exist, or nil if it does or nobody knows. It
// only explains why events do not arrive, so a permanent error stops nothing.
func (r *region) noRole(ctx context.Context, role string) (*plan.NoRole, error) {
	if ownerOf(role) != r.account {
		return nil, nil
	}
	out, err := r.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(role[strings.LastIndex(role, "/")+1:])})
	switch {
	case remedy.ClassOf(err) == remedy.Missing:
		return &plan.NoRole{}, nil
	case err != nil && remedy.ClassOf(err).Retry():
		return nil, err
	case err != nil || aws.ToString(out.Role.Arn) == role:
		return nil, nil //nolint:nilerr // see above
	}
	return &plan.NoRole{Namesake: aws.ToString(out.Role.Arn)}, nil
}

// lastUpdate returns who updated a trail last, and when, ignoring relight's own
// functions. It returns "" if CloudTrail's event history does not contain it.
// The result only explains, so an error here stops nothing. Source: CloudTrail
// API Reference, LookupEvents: 90 days, the latest first.
//
// The history may lack the last minutes, so a caller counts only if the call set
// something that the trail has now.
func (r *region) lastUpdate(ctx context.Context, t plan.Trail) string {
	out, err := r.cloudtrail().LookupEvents(ctx, &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(lookupPage), LookupAttributes: []types.LookupAttribute{
		{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("UpdateTrail")},
	}})
	if err != nil {
		return ""
	}
	for _, e := range out.Events {
		var record struct {
			ErrorCode, EventTime, SourceIPAddress string
			UserIdentity                          struct{ ARN string }
			RequestParameters                     struct {
				Name, S3BucketName, S3KeyPrefix, KmsKeyID, CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn *string
			}
		}
		if json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &record) != nil || record.ErrorCode != "" || !plan.Called(t.ARN, aws.ToString(record.RequestParameters.Name)) {
			continue
		}
		in := record.RequestParameters
		set := func(to *string, now string) bool { return to != nil && strings.TrimSuffix(*to, ":*") == now }
		if !set(in.S3BucketName, t.Bucket) && !set(in.S3KeyPrefix, t.Prefix) && !set(in.KmsKeyID, t.Key) &&
			!set(in.CloudWatchLogsLogGroupArn, t.LogGroupARN) && !set(in.CloudWatchLogsRoleArn, t.Role) {
			continue
		}
		own := slices.ContainsFunc(catalog.Functions(), func(f catalog.Function) bool {
			return strings.HasSuffix(record.UserIdentity.ARN, "/"+r.Want.FunctionName(f))
		})
		if !own {
			return record.UserIdentity.ARN + " from " + record.SourceIPAddress + " at " + record.EventTime
		}
	}
	return ""
}

// chooseTrail reads what trails do until the choice no longer depends on it.
func (r *region) chooseTrail(ctx context.Context, does plan.Healths, choose func() plan.TrailChoice) (plan.TrailChoice, error) {
	for {
		choice := choose()
		if len(choice.Compare) == 0 {
			return choice, nil
		}
		if err := r.readHealth(ctx, does, choice.Compare); err != nil {
			return choice, err
		}
	}
}

// readHealth adds what trails do, unless it was read before. A trail of another
// account may not be readable here.
func (r *region) readHealth(ctx context.Context, does plan.Healths, trails []plan.Trail) error {
	trails = slices.DeleteFunc(slices.Clone(trails), func(t plan.Trail) bool {
		_, known := does[t.ARN]
		return known
	})
	found := make([]plan.TrailHealth, len(trails))
	err := eachAtOnce(trails, func(i int, t plan.Trail) (err error) {
		found[i], err = r.healthOf(ctx, t)
		if err != nil && ownerOf(t.ARN) != r.account && !remedy.ClassOf(err).Retry() {
			found[i], err = plan.TrailHealth{Unread: true}, nil
		}
		return again(err) // it existed a moment ago
	})
	if err != nil {
		return err // what was not read must not be taken for what was
	}
	for i, t := range trails {
		does[t.ARN] = found[i]
	}
	return nil
}

// healthOf reads whether a trail works and what it records. It reads the filters of
// the trail's log group only if the trail seems to have another purpose.
func (r *region) healthOf(ctx context.Context, t plan.Trail) (plan.TrailHealth, error) {
	var h plan.TrailHealth
	err := atOnce(
		func() error {
			out, err := r.cloudtrail().GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(t.ARN)})
			if err == nil {
				h.Status = statusOf(out)
			}
			return err
		},
		func() error {
			out, err := r.cloudtrail().GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(t.ARN)})
			if err == nil {
				h.Selectors = selectorsOf(out)
			}
			return err
		},
	)
	if err != nil {
		return plan.TrailHealth{}, err
	}
	if h.OtherPurpose() && t.DeliversTo(r.account, r.name) {
		out, err := r.logs().DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{
			LogGroupName: aws.String(resourceOf(t.LogGroupARN, "log-group:")), FilterNamePrefix: aws.String(r.Want.Prefix + "-"), Limit: aws.Int32(1),
		})
		if err != nil && remedy.ClassOf(err).Retry() {
			return plan.TrailHealth{}, err
		}
		h.Adopted = err == nil && len(out.MetricFilters) > 0
	}
	return h, nil
}

func statusOf(out *cloudtrail.GetTrailStatusOutput) plan.TrailStatus {
	return plan.TrailStatus{
		Logging:       aws.ToBool(out.IsLogging),
		DeliveryError: aws.ToString(out.LatestDeliveryError),
		LogsError:     aws.ToString(out.LatestCloudWatchLogsDeliveryError),
		TopicError:    aws.ToString(out.LatestNotificationError),
	}
}

// describeTrailGroup reads whether the remembered log group exists, if the
// trail has to deliver to it again.
func (r *region) describeTrailGroup(ctx context.Context, state *plan.TrailState) error {
	group := plan.WantedTrailLogGroup(r.Want, r.account, *state)
	if group == "" {
		return nil
	}
	name := resourceOf(group, "log-group:")
	groups, err := r.describeLogGroups(ctx, []string{name}, nil)
	_, state.GroupExists = groups[name]
	return err
}

// describeTrails returns every trail that is visible from a region, including
// shadow trails. DescribeTrails does not page.
func (r *region) describeTrails(ctx context.Context) ([]plan.Trail, error) {
	out, err := r.cloudtrail().DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	var trails []plan.Trail
	for _, t := range out.TrailList {
		trails = append(trails, trailOf(t))
	}
	return trails, nil
}

func trailOf(t types.Trail) plan.Trail {
	return plan.Trail{
		ARN: aws.ToString(t.TrailARN), HomeRegion: aws.ToString(t.HomeRegion),
		MultiRegion: aws.ToBool(t.IsMultiRegionTrail), GlobalEvents: aws.ToBool(t.IncludeGlobalServiceEvents),
		Selective:  t.HasCustomEventSelectors == nil || *t.HasCustomEventSelectors,
		Validation: aws.ToBool(t.LogFileValidationEnabled), Organization: aws.ToBool(t.IsOrganizationTrail),
		Bucket: aws.ToString(t.S3BucketName), Prefix: aws.ToString(t.S3KeyPrefix), Topic: aws.ToString(t.SnsTopicARN),
		Key: aws.ToString(t.KmsKeyId), LogGroupARN: strings.TrimSuffix(aws.ToString(t.CloudWatchLogsLogGroupArn), ":*"),
		Role: aws.ToString(t.CloudWatchLogsRoleArn),
	}
}

// logGroupARN returns a log group's ARN as CloudTrail expects it. Source:
// CloudTrail User Guide, "Sending events to CloudWatch Logs": it ends in ":*".
func logGroupARN(arn string) *string {
	if arn == "" {
		return nil
	}
	return aws.String(strings.TrimSuffix(arn, ":*") + ":*")
}

// createTrail creates a trail under its old name. If somebody else has created
// the trail since relight read it, createTrail does not change it; the next
// observation finds what it lacks. If CloudTrail refuses an optional part, the
// trail is created without it, and the error is partial. The organisation's flag
// is left out unless it is true: a caller that sets the flag may need permissions
// of AWS Organizations.
func (r *region) createTrail(ctx context.Context, a plan.CreateTrail) error {
	t := a.Trail
	in := &cloudtrail.CreateTrailInput{
		Name: aws.String(resourceOf(t.ARN, "trail/")), S3BucketName: aws.String(t.Bucket), S3KeyPrefix: nonzero(t.Prefix), SnsTopicName: nonzero(t.Topic),
		IncludeGlobalServiceEvents: aws.Bool(t.GlobalEvents), IsMultiRegionTrail: aws.Bool(t.MultiRegion), EnableLogFileValidation: aws.Bool(t.Validation),
		CloudWatchLogsLogGroupArn: logGroupARN(t.LogGroupARN), CloudWatchLogsRoleArn: nonzero(t.Role), KmsKeyId: nonzero(t.Key),
		IsOrganizationTrail: nonzero(t.Organization),
	}
	parts := trailParts{&in.CloudWatchLogsLogGroupArn, &in.CloudWatchLogsRoleArn, &in.SnsTopicName, &in.KmsKeyId, &in.IsOrganizationTrail}
	var refusal error
	for {
		_, err := r.cloudtrail().CreateTrail(about(ctx, t.ARN), in)
		if err == nil || remedy.ClassOf(err) == remedy.Present {
			return partly(refusal)
		}
		what := parts.without(err, plan.Trail{})
		if what == "" {
			return err
		}
		refusal = cmp.Or(refusal, noting(r.explained(ctx, err, t.Role), "relight created the trail without "+what))
	}
}

// updateTrail sets every parameter of the trail. CloudTrail keeps what a request
// leaves out, and checks it again, so a part that no longer works has to be taken
// off before anything else of the trail can be restored. If CloudTrail refuses an
// optional part, updateTrail restores the others, if there are any, and returns the
// refusal. Source: replies of UpdateTrail, stackd, recorded 2026-09-13 to 2026-09-20.
func (r *region) updateTrail(ctx context.Context, a plan.UpdateTrail) error {
	t := a.Trail
	in := &cloudtrail.UpdateTrailInput{
		Name: aws.String(t.ARN), S3BucketName: nonzero(t.Bucket), S3KeyPrefix: nonzero(t.Prefix), SnsTopicName: nonzero(t.Topic),
		IncludeGlobalServiceEvents: aws.Bool(t.GlobalEvents), IsMultiRegionTrail: aws.Bool(t.MultiRegion), EnableLogFileValidation: aws.Bool(t.Validation),
		CloudWatchLogsLogGroupArn: logGroupARN(t.LogGroupARN), CloudWatchLogsRoleArn: nonzero(t.Role), KmsKeyId: nonzero(t.Key),
		IsOrganizationTrail: nonzero(t.Organization),
	}
	parts := trailParts{&in.CloudWatchLogsLogGroupArn, &in.CloudWatchLogsRoleArn, &in.SnsTopicName, &in.KmsKeyId, &in.IsOrganizationTrail}
	var refusal error
	for {
		_, err := r.cloudtrail().UpdateTrail(ctx, in)
		if err == nil {
			return again(partly(refusal))
		}
		what := parts.without(err, a.Was)
		if what == "" {
			return again(cmp.Or(refusal, r.explained(ctx, err, t.Role)))
		}
		if refusal == nil {
			refusal = noting(r.explained(ctx, err, t.Role), "relight restores the rest of the trail without "+what)
		}
		if !restores(in, a.Was) {
			return again(refusal)
		}
	}
}

// explained adds to CloudTrail's refusal of a role that the role does not exist.
func (r *region) explained(ctx context.Context, refusal error, role string) error {
	if !strings.HasPrefix(codeOf(refusal), blamesLogs) {
		return refusal
	}
	if none, err := r.noRole(ctx, role); err == nil && none != nil {
		return noting(refusal, "its role "+role+" does not exist"+none.And())
	}
	return refusal
}

// blamesLogs begins the codes of CloudTrail that are about a trail's log group or
// its role.
const blamesLogs = "InvalidCloudWatchLogs"

// restores reports whether a request still changes anything, other than taking a
// part off.
func restores(in *cloudtrail.UpdateTrailInput, was plan.Trail) bool {
	sets := func(to *string, was string) bool {
		return aws.ToString(to) != "" && strings.TrimSuffix(*to, ":*") != strings.TrimSuffix(was, ":*")
	}
	return sets(in.S3BucketName, was.Bucket) || sets(in.S3KeyPrefix, was.Prefix) || sets(in.SnsTopicName, was.Topic) || sets(in.KmsKeyId, was.Key) ||
		sets(in.CloudWatchLogsLogGroupArn, was.LogGroupARN) || sets(in.CloudWatchLogsRoleArn, was.Role) ||
		*in.IncludeGlobalServiceEvents != was.GlobalEvents || *in.IsMultiRegionTrail != was.MultiRegion || *in.EnableLogFileValidation != was.Validation ||
		in.IsOrganizationTrail != nil && *in.IsOrganizationTrail != was.Organization
}

// trailParts are the optional parts of a request. A trail without them still
// records, and the next observation finds what it lacks.
type trailParts struct {
	group, role, topic, key **string
	organization            **bool
}

// without changes the part that a refusal blames, and names it; "" if there is no
// such part, or nothing more to try:
//
//	the trail has no such part      the part is left out
//	the topic                       an empty text takes it off; recorded: left out, it is checked again
//	log group and role, or the key  left out, and taken off if CloudTrail then blames them again
//	the organisation                left out: the trail is this account's alone
//
// A log group and its role go together: either alone is refused.
func (p trailParts) without(refusal error, was plan.Trail) string {
	for _, blamed := range []struct {
		prefixes []string // of the error code
		parts    []**string
		was      string // what the trail has now; "" for nothing
		what     string
	}{
		{[]string{blamesLogs, "CloudWatchLogsDelivery"}, []**string{p.group, p.role}, was.LogGroupARN, "its log group and role"},
		{[]string{"InsufficientSnsTopic", "InvalidSnsTopic"}, []**string{p.topic}, was.Topic, "its topic"},
		{[]string{"Kms", "InvalidKms", "InsufficientEncryption"}, []**string{p.key}, was.Key, "its key"},
	} {
		if !slices.ContainsFunc(blamed.prefixes, func(prefix string) bool { return strings.HasPrefix(codeOf(refusal), prefix) }) {
			continue
		}
		now := *blamed.parts[0]
		var next *string
		switch {
		case now == nil && blamed.was == "", now != nil && *now == "":
			return ""
		case now == nil, blamed.was != "" && blamed.parts[0] == p.topic:
			next = aws.String("")
		}
		for _, part := range blamed.parts {
			*part = next
		}
		return strings.TrimSpace(blamed.what + " " + blamed.was)
	}
	organization := slices.ContainsFunc([]string{"NotOrganization", "Organization", "CloudTrailAccessNotEnabled", "InsufficientDependencyService", "NoManagementAccount"},
		func(prefix string) bool { return strings.HasPrefix(codeOf(refusal), prefix) })
	if !organization || *p.organization == nil {
		return ""
	}
	*p.organization = nil
	return "the organisation: it records this account alone"
}

func (r *region) startLogging(ctx context.Context, a plan.StartLogging) error {
	_, err := r.cloudtrail().StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: aws.String(a.Trail)})
	return again(err)
}

func (r *region) putSelectors(ctx context.Context, a plan.PutSelectors) error {
	err := r.setSelectors(ctx, a.Trail, a.Selectors)
	refusal := err
	for _, instead := range a.Instead {
		if codeOf(err) != "InvalidEventSelectorsException" {
			break
		}
		if err = r.setSelectors(ctx, a.Trail, instead); err == nil {
			return partly(noting(refusal, "relight left out "+cmp.Or(plan.Lost(a.Selectors, instead), "nothing")))
		}
	}
	return again(cmp.Or(refusal, err))
}

func (r *region) setSelectors(ctx context.Context, trail string, selectors plan.Selectors) error {
	in := &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(trail)}
	for _, s := range selectors.Basic {
		sel := types.EventSelector{
			IncludeManagementEvents: aws.Bool(s.Management), ReadWriteType: types.ReadWriteType(s.ReadWrite), ExcludeManagementEventSources: s.Exclude,
		}
		for _, d := range s.Data {
			sel.DataResources = append(sel.DataResources, types.DataResource{Type: aws.String(d.Type), Values: d.Values})
		}
		in.EventSelectors = append(in.EventSelectors, sel)
	}
	for _, s := range selectors.Advanced {
		sel := types.AdvancedEventSelector{Name: nonzero(s.Name)}
		for _, f := range s.Fields {
			sel.FieldSelectors = append(sel.FieldSelectors, types.AdvancedFieldSelector{
				Field: aws.String(f.Field), Equals: f.Equals, NotEquals: f.NotEquals, StartsWith: f.StartsWith, NotStartsWith: f.NotStartsWith,
				EndsWith: f.EndsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		in.AdvancedEventSelectors = append(in.AdvancedEventSelectors, sel)
	}
	_, err := r.cloudtrail().PutEventSelectors(ctx, in)
	return err
}

func selectorsOf(out *cloudtrail.GetEventSelectorsOutput) plan.Selectors {
	var got plan.Selectors
	for _, s := range out.EventSelectors {
		sel := plan.Selector{
			Management: s.IncludeManagementEvents == nil || *s.IncludeManagementEvents, // "By default, the value is true": EventSelector
			ReadWrite:  string(s.ReadWriteType), Exclude: s.ExcludeManagementEventSources,
		}
		for _, d := range s.DataResources {
			sel.Data = append(sel.Data, plan.DataResource{Type: aws.ToString(d.Type), Values: d.Values})
		}
		got.Basic = append(got.Basic, sel)
	}
	for _, s := range out.AdvancedEventSelectors {
		sel := plan.AdvancedSelector{Name: aws.ToString(s.Name)}
		for _, f := range s.FieldSelectors {
			sel.Fields = append(sel.Fields, plan.FieldSelector{
				Field: aws.ToString(f.Field), Equals: f.Equals, NotEquals: f.NotEquals, StartsWith: f.StartsWith, NotStartsWith: f.NotStartsWith,
				EndsWith: f.EndsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		got.Advanced = append(got.Advanced, sel)
	}
	return got
}
