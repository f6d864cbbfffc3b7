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

func (r *region) cloudtrail() *cloudtrail.Client { return client(r, cloudtrail.NewFromConfig) }

var trailKind = kindOf(
	(*region).observeTrail,
	each((*region).createTrail),
	each((*region).updateTrail),
	each((*region).startLogging),
	each((*region).putSelectors),
	each((*region).rememberTrail),
)

// observeTrail reads as little as the scope allows:
//
//	buckets or keys                                       every trail, in one call
//	another trail than the configured or remembered one   at most what shows that
//	the trail is gone                                     its log group too
//	any other                                             status, selectors
func (r *region) observeTrail(ctx context.Context, s remedy.Scope) (*plan.TrailState, error) {
	state := &plan.TrailState{}
	if s.Type == catalog.Bucket || s.Type == catalog.Key {
		var err error
		state.Seen, err = r.describeTrails(ctx)
		return state, err
	}
	names := s.Names.List()
	about := func(arn string) bool {
		return len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return plan.Called(arn, n) })
	}
	const foreign = "the event is about another trail"
	if name := r.Want.Trail.Name; name != "" && len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return plan.Called(n, name) || plan.Called(name, n) }) {
		state.Foreign = foreign
		return state, nil
	}
	var err error
	if state.Memory, err = r.recallTrail(ctx); err != nil {
		return nil, err
	}
	if m := state.Memory.Trail; r.Want.Trail.Name == "" && m != nil && !about(m.ARN) {
		state.Foreign = foreign
		return state, nil
	}
	trails, err := r.describeTrails(ctx)
	if err != nil {
		return nil, err
	}
	state.Choice = plan.ChooseTrail(r.Want, r.account, r.name, trails, state.Memory.Trail)
	switch t := state.Choice.Trail; {
	case t != nil && !about(t.ARN):
		state.Foreign = foreign
		return state, nil
	case t != nil:
		if err := r.describeHealth(ctx, t.ARN, state); err != nil {
			return nil, err
		}
		if s.Type == "" && plan.Moved(r.Want, *state) { // an event itself names its caller
			state.ChangedBy = r.lastUpdate(ctx, t.ARN)
		}
	case !state.Choice.Gone && state.Choice.Elsewhere == "" && state.Memory.Unreadable != "":
		return nil, r.unusable("relight finds no trail that it could protect", state.Memory)
	}
	return state, r.describeTrailGroup(ctx, state)
}

// lastUpdate returns who updated a trail last, and when, ignoring relight's own
// functions. It returns "" if CloudTrail's event history does not contain it.
// The result only explains, so an error here stops nothing. Source: CloudTrail
// API Reference, LookupEvents: 90 days, the latest first.
func (r *region) lastUpdate(ctx context.Context, arn string) string {
	out, err := r.cloudtrail().LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{
		{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("UpdateTrail")},
	}})
	if err != nil {
		return ""
	}
	for _, e := range out.Events {
		var record struct {
			ErrorCode, EventTime, SourceIPAddress string
			UserIdentity                          struct{ ARN string }
			RequestParameters                     struct{ Name string }
		}
		if json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &record) != nil || record.ErrorCode != "" || !plan.Called(arn, record.RequestParameters.Name) {
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

// describeHealth reads whether the chosen trail works and what it records.
func (r *region) describeHealth(ctx context.Context, arn string, state *plan.TrailState) error {
	status, err := r.cloudtrail().GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(arn)})
	if err != nil {
		return again(err) // it existed a moment ago
	}
	state.Status = plan.TrailStatus{
		Logging:       aws.ToBool(status.IsLogging),
		DeliveryError: aws.ToString(status.LatestDeliveryError),
		LogsError:     aws.ToString(status.LatestCloudWatchLogsDeliveryError),
	}
	selectors, err := r.cloudtrail().GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(arn)})
	if err != nil {
		return again(err)
	}
	state.Selectors = selectorsOf(selectors)
	return nil
}

// describeTrailGroup reads whether the remembered log group exists, if the
// trail has to deliver to it again.
func (r *region) describeTrailGroup(ctx context.Context, state *plan.TrailState) error {
	arn := plan.WantedTrailLogGroup(r.Want, r.account, *state)
	if arn == "" {
		return nil
	}
	name := resourceOf(arn, "log-group:")
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
	refusal, err := shortened(func() error {
		_, err := r.cloudtrail().CreateTrail(about(ctx, t.ARN), in)
		return settled(err)
	}, &in.CloudWatchLogsLogGroupArn, &in.CloudWatchLogsRoleArn, &in.SnsTopicName, &in.KmsKeyId)
	return cmp.Or(err, partly(refusal))
}

// shortened repeats a call while CloudTrail refuses one of these parts, each
// time without the part that CloudTrail blames. A trail without its log group,
// topic or key still records, and the next observation finds what it lacks.
// shortened returns the first refusal, and the error of the last call.
func shortened(call func() error, group, role, topic, key **string) (refusal, err error) {
	for {
		if err = call(); err == nil || !without(err, group, role, topic, key) {
			return refusal, err
		}
		refusal = cmp.Or(refusal, err)
	}
}

// without removes from a request the part that a refusal blames, and reports
// whether there was such a part.
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

// updateTrail sets every parameter of the trail: the API reference gives
// defaults for some parameters of UpdateTrail, and does not say that an omitted
// parameter keeps its value. If CloudTrail refuses a part, updateTrail still
// restores the others, and returns the refusal.
func (r *region) updateTrail(ctx context.Context, a plan.UpdateTrail) error {
	t := a.Trail
	in := &cloudtrail.UpdateTrailInput{
		Name: aws.String(t.ARN), S3BucketName: nonzero(t.Bucket), S3KeyPrefix: nonzero(t.Prefix), SnsTopicName: nonzero(t.Topic),
		IncludeGlobalServiceEvents: aws.Bool(t.GlobalEvents), IsMultiRegionTrail: aws.Bool(t.MultiRegion), EnableLogFileValidation: aws.Bool(t.Validation),
		CloudWatchLogsLogGroupArn: logGroupARN(t.LogGroupARN), CloudWatchLogsRoleArn: nonzero(t.Role), KmsKeyId: nonzero(t.Key),
		IsOrganizationTrail: nonzero(t.Organization),
	}
	refusal, err := shortened(func() error {
		_, err := r.cloudtrail().UpdateTrail(ctx, in)
		return err
	}, &in.CloudWatchLogsLogGroupArn, &in.CloudWatchLogsRoleArn, &in.SnsTopicName, &in.KmsKeyId)
	return again(cmp.Or(refusal, err))
}

func (r *region) startLogging(ctx context.Context, a plan.StartLogging) error {
	_, err := r.cloudtrail().StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: aws.String(a.Trail)})
	return again(err)
}

func (r *region) putSelectors(ctx context.Context, a plan.PutSelectors) error {
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
