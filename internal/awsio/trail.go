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

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// trailAPI is what this file needs of *cloudtrail.Client, and no more.
type trailAPI interface {
	DescribeTrails(context.Context, *cloudtrail.DescribeTrailsInput, ...func(*cloudtrail.Options)) (*cloudtrail.DescribeTrailsOutput, error)
	GetTrailStatus(context.Context, *cloudtrail.GetTrailStatusInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetTrailStatusOutput, error)
	GetEventSelectors(context.Context, *cloudtrail.GetEventSelectorsInput, ...func(*cloudtrail.Options)) (*cloudtrail.GetEventSelectorsOutput, error)
	CreateTrail(context.Context, *cloudtrail.CreateTrailInput, ...func(*cloudtrail.Options)) (*cloudtrail.CreateTrailOutput, error)
	UpdateTrail(context.Context, *cloudtrail.UpdateTrailInput, ...func(*cloudtrail.Options)) (*cloudtrail.UpdateTrailOutput, error)
	StartLogging(context.Context, *cloudtrail.StartLoggingInput, ...func(*cloudtrail.Options)) (*cloudtrail.StartLoggingOutput, error)
	PutEventSelectors(context.Context, *cloudtrail.PutEventSelectorsInput, ...func(*cloudtrail.Options)) (*cloudtrail.PutEventSelectorsOutput, error)
	LookupEvents(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)
}

var _ trailAPI = (*cloudtrail.Client)(nil)

// observeTrail reads as little as the scope allows:
//
//	buckets or keys                                       every trail, in one call
//	another trail than the configured or remembered one   that it is, at most
//	the trail is gone                                     its log group too
//	any other                                             status, selectors
func (c *Cloud) observeTrail(ctx context.Context, s remedy.Scope) (*plan.TrailState, error) {
	state := &plan.TrailState{}
	if s.Type == catalog.Bucket || s.Type == catalog.Key {
		var err error
		state.Seen, err = c.describeTrails(ctx, s.Region)
		return state, err
	}
	names := s.Names.List()
	about := func(arn string) bool {
		return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return calls(arn, n) })
	}
	const foreign = "the event is about another trail"
	if name := c.Want.Trail.Name; name != "" && len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return calls(n, name) || calls(name, n) }) {
		state.Foreign = foreign
		return state, nil
	}
	var err error
	if state.Memory, err = c.recallTrail(ctx, s); err != nil {
		return nil, err
	}
	if m := state.Memory.Trail; c.Want.Trail.Name == "" && m != nil && !about(m.ARN) {
		state.Foreign = foreign
		return state, nil
	}
	trails, err := c.describeTrails(ctx, s.Region)
	if err != nil {
		return nil, err
	}
	state.Choice = plan.ChooseTrail(c.Want, s.Account, s.Region, trails, state.Memory.Trail)
	switch t := state.Choice.Trail; {
	case t != nil && !about(t.ARN):
		state.Foreign = foreign
		return state, nil
	case t != nil:
		if err := c.describeHealth(ctx, s.Region, t.ARN, state); err != nil {
			return nil, err
		}
		if s.Type == "" && plan.Moved(c.Want, *state) { // an event names its caller itself
			state.ChangedBy = c.lastUpdate(ctx, s.Region, t.ARN)
		}
	case !state.Choice.Gone && state.Choice.Elsewhere == "" && state.Memory.Unreadable != "":
		return nil, c.unusable("no trail qualifies", state.Memory)
	}
	return state, c.describeTrailGroup(ctx, s, state)
}

// lastUpdate returns who updated a trail last, relight's own functions aside,
// and when; "" where CloudTrail's event history does not say. It only explains,
// so that what keeps it from being read keeps nothing else. Source: CloudTrail
// API Reference, LookupEvents: 90 days, the latest first.
func (c *Cloud) lastUpdate(ctx context.Context, region, arn string) string {
	out, err := call(ctx, c.Pace, place{region, "cloudtrail.LookupEvents", ""}, c.Clients.CloudTrail.LookupEvents,
		&cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{
			{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("UpdateTrail")},
		}}, cloudTrailIn(region))
	if err != nil {
		return ""
	}
	for _, e := range out.Events {
		var record struct {
			ErrorCode, EventTime, SourceIPAddress string
			UserIdentity                          struct{ ARN string }
			RequestParameters                     struct{ Name string }
		}
		if json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &record) != nil || record.ErrorCode != "" || !calls(arn, record.RequestParameters.Name) {
			continue
		}
		own := slices.ContainsFunc(catalog.Functions(), func(f catalog.Function) bool {
			return strings.HasSuffix(record.UserIdentity.ARN, "/"+c.Want.FunctionName(f))
		})
		if !own {
			return record.UserIdentity.ARN + " from " + record.SourceIPAddress + " at " + record.EventTime
		}
	}
	return ""
}

// describeHealth reads how the chosen trail fares and what it records.
func (c *Cloud) describeHealth(ctx context.Context, region, arn string, state *plan.TrailState) error {
	status, err := call(ctx, c.Pace, place{region, "cloudtrail.GetTrailStatus", arn}, c.Clients.CloudTrail.GetTrailStatus,
		&cloudtrail.GetTrailStatusInput{Name: aws.String(arn)}, cloudTrailIn(region))
	if err != nil {
		return again(err) // it was there a moment ago
	}
	state.Status = plan.TrailStatus{
		Logging:       aws.ToBool(status.IsLogging),
		DeliveryError: aws.ToString(status.LatestDeliveryError),
		LogsError:     aws.ToString(status.LatestCloudWatchLogsDeliveryError),
	}
	selectors, err := call(ctx, c.Pace, place{region, "cloudtrail.GetEventSelectors", arn}, c.Clients.CloudTrail.GetEventSelectors,
		&cloudtrail.GetEventSelectorsInput{TrailName: aws.String(arn)}, cloudTrailIn(region))
	if err != nil {
		return again(err)
	}
	state.Selectors = selectorsOf(selectors)
	return nil
}

// describeTrailGroup reads the remembered log group where the trail has to be
// pointed at it.
func (c *Cloud) describeTrailGroup(ctx context.Context, s remedy.Scope, state *plan.TrailState) error {
	arn := plan.WantedTrailLogGroup(c.Want, s.Account, *state)
	if arn == "" {
		return nil
	}
	_, name, _ := strings.Cut(strings.TrimSuffix(arn, ":*"), ":log-group:")
	groups, err := c.describeLogGroups(ctx, s.Region, []string{name}, nil)
	_, state.GroupExists = groups[name]
	return err
}

// calls reports whether a name or ARN is that of a trail with an ARN; where
// the first is a name too, whether they are equal.
func calls(arn, name string) bool { return arn == name || strings.HasSuffix(arn, ":trail/"+name) }

// describeTrails returns every trail that is seen from a region, shadows too.
// DescribeTrails does not page.
func (c *Cloud) describeTrails(ctx context.Context, region string) ([]plan.Trail, error) {
	out, err := call(ctx, c.Pace, place{region, "cloudtrail.DescribeTrails", ""}, c.Clients.CloudTrail.DescribeTrails,
		&cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)}, cloudTrailIn(region))
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
		Validation: aws.ToBool(t.LogFileValidationEnabled), Organization: aws.ToBool(t.IsOrganizationTrail),
		Bucket: aws.ToString(t.S3BucketName), Prefix: aws.ToString(t.S3KeyPrefix), Topic: aws.ToString(t.SnsTopicARN),
		Key: aws.ToString(t.KmsKeyId), LogGroupARN: strings.TrimSuffix(aws.ToString(t.CloudWatchLogsLogGroupArn), ":*"),
		Role: aws.ToString(t.CloudWatchLogsRoleArn),
	}
}

// some returns a text for a parameter, nil for an empty one, which CloudTrail
// would take for a name.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// logGroupARN returns a log group's ARN as CloudTrail takes it. Source:
// CloudTrail User Guide, "Sending events to CloudWatch Logs": it ends in ":*".
func logGroupARN(arn string) *string {
	if arn == "" {
		return nil
	}
	return aws.String(strings.TrimSuffix(arn, ":*") + ":*")
}

// onlyTrue leaves a false flag out: that a trail is not an organisation's need
// not be said, and who says it may need permissions of AWS Organizations.
func onlyTrue(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// createTrail creates a trail under its old name. One that somebody else
// created meanwhile is left as it is; the next look plans it. If CloudTrail
// refuses an optional part, the trail is created without it, and the error is
// partial.
func (c *Cloud) createTrail(ctx context.Context, region string, a plan.CreateTrail) error {
	t := a.Trail
	_, name, _ := strings.Cut(t.ARN, ":trail/")
	in := &cloudtrail.CreateTrailInput{
		Name: aws.String(name), S3BucketName: aws.String(t.Bucket), S3KeyPrefix: some(t.Prefix), SnsTopicName: some(t.Topic),
		IncludeGlobalServiceEvents: aws.Bool(t.GlobalEvents), IsMultiRegionTrail: aws.Bool(t.MultiRegion), EnableLogFileValidation: aws.Bool(t.Validation),
		CloudWatchLogsLogGroupArn: logGroupARN(t.LogGroupARN), CloudWatchLogsRoleArn: some(t.Role), KmsKeyId: some(t.Key),
		IsOrganizationTrail: onlyTrue(t.Organization),
	}
	var refusal error
	for {
		_, err := call(ctx, c.Pace, place{region, "cloudtrail.CreateTrail", t.ARN}, c.Clients.CloudTrail.CreateTrail, in, cloudTrailIn(region))
		switch {
		case err == nil, remedy.ClassOf(err) == remedy.Present:
			return partial(refusal)
		case !without(err, &in.CloudWatchLogsLogGroupArn, &in.CloudWatchLogsRoleArn, &in.SnsTopicName, &in.KmsKeyId):
			return err
		}
		refusal = cmp.Or(refusal, err)
	}
}

// without takes what a refusal blames out of a request, and reports whether
// there was anything: a trail without its log group, topic or key still
// records, and the next look says what it lacks.
func without(refusal error, group, role, topic, key **string) bool {
	for _, blamed := range []struct {
		prefix string // of the error code
		parts  []**string
	}{
		{"InvalidCloudWatchLogs", []**string{group, role}},
		{"CloudWatchLogsDelivery", []**string{group, role}},
		{"InsufficientSnsTopic", []**string{topic}},
		{"InvalidSnsTopic", []**string{topic}},
		{"Kms", []**string{key}},
		{"InvalidKms", []**string{key}},
		{"InsufficientEncryption", []**string{key}},
	} {
		if !strings.HasPrefix(codeOf(refusal), blamed.prefix) || *blamed.parts[0] == nil {
			continue
		}
		for _, part := range blamed.parts {
			*part = nil
		}
		return true
	}
	return false
}

// updateTrail says the whole of what the trail should be: the API reference
// gives defaults for some parameters of UpdateTrail, and does not say that one
// left out stays as it is. Where it is refused for one part, the others are
// mended all the same, and the refusal is told.
func (c *Cloud) updateTrail(ctx context.Context, region string, a plan.UpdateTrail) error {
	t := a.Trail
	in := &cloudtrail.UpdateTrailInput{
		Name: aws.String(t.ARN), S3BucketName: some(t.Bucket), S3KeyPrefix: some(t.Prefix), SnsTopicName: some(t.Topic),
		IncludeGlobalServiceEvents: aws.Bool(t.GlobalEvents), IsMultiRegionTrail: aws.Bool(t.MultiRegion), EnableLogFileValidation: aws.Bool(t.Validation),
		CloudWatchLogsLogGroupArn: logGroupARN(t.LogGroupARN), CloudWatchLogsRoleArn: some(t.Role), KmsKeyId: some(t.Key),
		IsOrganizationTrail: onlyTrue(t.Organization),
	}
	var first error // of what could not be mended
	for {
		_, err := call(ctx, c.Pace, place{region, "cloudtrail.UpdateTrail", t.ARN}, c.Clients.CloudTrail.UpdateTrail, in, cloudTrailIn(region))
		if err == nil || !without(err, &in.CloudWatchLogsLogGroupArn, &in.CloudWatchLogsRoleArn, &in.SnsTopicName, &in.KmsKeyId) {
			return again(cmp.Or(first, err))
		}
		first = cmp.Or(first, err)
	}
}

func (c *Cloud) startLogging(ctx context.Context, region string, a plan.StartLogging) error {
	_, err := call(ctx, c.Pace, place{region, "cloudtrail.StartLogging", a.Trail}, c.Clients.CloudTrail.StartLogging,
		&cloudtrail.StartLoggingInput{Name: aws.String(a.Trail)}, cloudTrailIn(region))
	return again(err)
}

func (c *Cloud) putSelectors(ctx context.Context, region string, a plan.PutSelectors) error {
	in := &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(a.Trail)}
	for _, s := range a.Selectors.Basic {
		sel := types.EventSelector{
			IncludeManagementEvents: aws.Bool(s.Management), ReadWriteType: types.ReadWriteType(s.ReadWrite), ExcludeManagementEventSources: s.Exclude,
		}
		for _, d := range s.Data {
			sel.DataResources = append(sel.DataResources, types.DataResource{Type: aws.String(d.Type), Values: d.Values})
		}
		in.EventSelectors = append(in.EventSelectors, sel)
	}
	for _, s := range a.Selectors.Advanced {
		sel := types.AdvancedEventSelector{Name: some(s.Name)}
		for _, f := range s.Fields {
			sel.FieldSelectors = append(sel.FieldSelectors, types.AdvancedFieldSelector{
				Field: aws.String(f.Field), Equals: f.Equals, NotEquals: f.NotEquals, StartsWith: f.StartsWith, NotStartsWith: f.NotStartsWith,
				EndsWith: f.EndsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		in.AdvancedEventSelectors = append(in.AdvancedEventSelectors, sel)
	}
	_, err := call(ctx, c.Pace, place{region, "cloudtrail.PutEventSelectors", a.Trail}, c.Clients.CloudTrail.PutEventSelectors, in, cloudTrailIn(region))
	return again(err)
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
