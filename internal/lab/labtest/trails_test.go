package labtest

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relight-aws/relight/internal/lab"
)

// bucket makes a bucket that a trail may deliver to.
func bucket(t *testing.T, region, name string) {
	t.Helper()
	cli(t, region, "s3", "mb", "s3://"+name)
	cli(t, region, "s3api", "put-bucket-policy", "--bucket", name, "--policy", *lab.TrailBucketPolicy(name))
}

// A trailOwner is the CloudTrail client of a region with the resources that a
// trail needs there.
type trailOwner struct {
	*cloudtrail.Client
	t           *testing.T
	logs        *cloudwatchlogs.Client
	name, group string
	in          *cloudtrail.CreateTrailInput
}

// newTrailOwner makes a bucket, a log group and a role with the same name.
func newTrailOwner(t *testing.T, region, name string) *trailOwner {
	t.Helper()
	o := &trailOwner{
		Client: cloudtrail.NewFromConfig(config(region)), logs: cloudwatchlogs.NewFromConfig(config(region)), t: t, name: name,
		group: "arn:aws:logs:" + region + ":" + lab.Account + ":log-group:" + name + ":*",
	}
	bucket(t, region, name)
	_, err := o.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name})
	must(t, err)
	arn := role(t, name, "cloudtrail.amazonaws.com", "logs:*")
	o.in = &cloudtrail.CreateTrailInput{Name: &name, S3BucketName: &name, CloudWatchLogsLogGroupArn: &o.group, CloudWatchLogsRoleArn: &arn}
	return o
}

func (o *trailOwner) create() {
	o.t.Helper()
	_, err := o.CreateTrail(o.t.Context(), o.in)
	must(o.t, err)
	_, err = o.StartLogging(o.t.Context(), &cloudtrail.StartLoggingInput{Name: &o.name})
	must(o.t, err)
	o.t.Cleanup(func() { o.DeleteTrail(o.t.Context(), &cloudtrail.DeleteTrailInput{Name: &o.name}) })
}

func (o *trailOwner) trail() types.Trail {
	o.t.Helper()
	out, err := o.DescribeTrails(o.t.Context(), &cloudtrail.DescribeTrailsInput{TrailNameList: []string{o.name}})
	must(o.t, err)
	if len(out.TrailList) != 1 {
		o.t.Fatalf("%d trails, want 1", len(out.TrailList))
	}
	return out.TrailList[0]
}

// A trail reports whether it delivers to its bucket and to its log group, and when it
// last did.
func TestTrailDelivery(t *testing.T) {
	const region, name = "eu-south-1", "trail-delivery"
	o := newTrailOwner(t, region, name)
	status := func() *cloudtrail.GetTrailStatusOutput {
		out, err := o.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String(name)})
		must(t, err)
		return out
	}
	_, err := o.CreateTrail(t.Context(), o.in)
	must(t, err)
	if s := status(); *s.IsLogging || s.LatestDeliveryTime != nil || s.LatestCloudWatchLogsDeliveryTime != nil {
		t.Errorf("before it logs: %+v", s)
	}
	_, err = o.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: aws.String(name)})
	must(t, err)
	deny := `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::` + name + `/*"},` +
		(*lab.TrailBucketPolicy(name))[len(`{"Statement":[`):]
	steps := []struct {
		name         string
		do           func()
		bucket, logs string // errors
	}{
		{name: "all it needs", do: func() {}},
		{name: "a role without rights", do: func() { allow(t, name, "") }, logs: "Access denied. Check the permissions for your role."},
		{name: "a role with rights", do: func() { allow(t, name, "logs:*") }},
		{name: "no log group", do: func() {
			_, err := o.logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(name)})
			must(t, err)
		}, logs: "The specified log group does not exist."},
		{name: "a log group again", do: func() {
			_, err := o.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(name)})
			must(t, err)
		}},
		{name: "a bucket that denies", do: func() { cli(t, region, "s3api", "put-bucket-policy", "--bucket", name, "--policy", deny) }, bucket: "AccessDenied"},
		{name: "a bucket without policy", do: func() { cli(t, region, "s3api", "delete-bucket-policy", "--bucket", name) }, bucket: "AccessDenied"},
		{name: "no bucket", do: func() { cli(t, region, "s3", "rb", "s3://"+name) }, bucket: "NoSuchBucket"},
		{name: "a bucket again", do: func() { bucket(t, region, name) }},
		{name: "nothing logged", do: func() {
			_, err := o.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(name)})
			must(t, err)
		}},
		{name: "no delivery to a log group", do: func() {
			_, err := o.UpdateTrail(t.Context(), &cloudtrail.UpdateTrailInput{Name: aws.String(name), CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String("")})
			must(t, err)
		}},
	}
	for _, step := range steps {
		step.do()
		s := status()
		if got := aws.ToString(s.LatestDeliveryError); got != step.bucket {
			t.Errorf("with %s: bucket %q, want %q", step.name, got, step.bucket)
		}
		if got := aws.ToString(s.LatestCloudWatchLogsDeliveryError); got != step.logs {
			t.Errorf("with %s: log group %q, want %q", step.name, got, step.logs)
		}
		if s.LatestDeliveryTime == nil || s.LatestCloudWatchLogsDeliveryTime == nil {
			t.Errorf("with %s, the time of the last delivery is gone: %+v", step.name, s)
		}
	}
	_, err = o.DeleteTrail(t.Context(), &cloudtrail.DeleteTrailInput{Name: aws.String(name)})
	must(t, err)
	_, err = o.CreateTrail(t.Context(), o.in)
	must(t, err)
	if s := status(); s.LatestDeliveryTime != nil || s.LatestCloudWatchLogsDeliveryTime != nil {
		t.Errorf("a new trail of the same name: %+v", s)
	}
	_, err = o.DeleteTrail(t.Context(), &cloudtrail.DeleteTrailInput{Name: aws.String(name)})
	must(t, err)
}

// A trail stopped before anybody asked for its status has delivered too.
func TestStoppedTrailHasDelivered(t *testing.T) {
	const name = "trail-stopped"
	o := newTrailOwner(t, "eu-south-1", name)
	o.create()
	_, err := o.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(name)})
	must(t, err)
	if s, err := o.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String(name)}); err != nil || s.LatestCloudWatchLogsDeliveryTime == nil || s.LatestDeliveryTime == nil {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = o.GetInsightSelectors(t.Context(), &cloudtrail.GetInsightSelectorsInput{TrailName: aws.String(name)})
	wantCode(t, err, "InsightNotEnabledException")
	_, err = o.GetInsightSelectors(t.Context(), &cloudtrail.GetInsightSelectorsInput{TrailName: aws.String("none")})
	wantCode(t, err, "TrailNotFoundException")
}

// UpdateTrail changes what the request names, and refuses a trail that could
// not deliver.
func TestUpdateTrail(t *testing.T) {
	const region, name = "eu-south-2", "trail-update"
	o := newTrailOwner(t, region, name)
	_, err := sns.NewFromConfig(config(region)).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(name)})
	must(t, err)
	cli(t, region, "s3", "mb", "s3://"+name+"-closed")
	o.create()
	if got := o.trail(); aws.ToString(got.CloudWatchLogsLogGroupArn) != o.group || aws.ToString(got.CloudWatchLogsRoleArn) != *o.in.CloudWatchLogsRoleArn {
		t.Errorf("made %+v", got)
	}
	stranger := role(t, name+"-stranger", "ec2.amazonaws.com", "logs:*")
	tests := []struct {
		name string
		in   cloudtrail.UpdateTrailInput
		code string
	}{
		{"group alone", cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: &o.group}, "InvalidCloudWatchLogsRoleArnException"},
		{"unknown group", cloudtrail.UpdateTrailInput{
			CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:" + region + ":" + lab.Account + ":log-group:none:*"), CloudWatchLogsRoleArn: o.in.CloudWatchLogsRoleArn,
		}, "InvalidCloudWatchLogsLogGroupArnException"},
		{"role of another service", cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: &o.group, CloudWatchLogsRoleArn: &stranger}, "InvalidCloudWatchLogsRoleArnException"},
		{"unknown bucket", cloudtrail.UpdateTrailInput{S3BucketName: aws.String("none")}, "S3BucketDoesNotExistException"},
		{"closed bucket", cloudtrail.UpdateTrailInput{S3BucketName: aws.String(name + "-closed")}, "InsufficientS3BucketPolicyException"},
		{"unknown topic", cloudtrail.UpdateTrailInput{SnsTopicName: aws.String("none")}, "InsufficientSnsTopicPolicyException"},
	}
	before := o.trail()
	for _, tt := range tests {
		tt.in.Name = aws.String(name)
		_, err := o.UpdateTrail(t.Context(), &tt.in)
		t.Run(tt.name, func(t *testing.T) { wantCode(t, err, tt.code) })
	}
	if d := cmp.Diff(before, o.trail(), cmpopts.IgnoreUnexported(types.Trail{})); d != "" {
		t.Errorf("after refused updates (-want +got):\n%s", d)
	}
	_, err = o.UpdateTrail(t.Context(), &cloudtrail.UpdateTrailInput{
		Name: aws.String(name), CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String(""),
		EnableLogFileValidation: aws.Bool(true), IsMultiRegionTrail: aws.Bool(true), SnsTopicName: aws.String(name),
	})
	must(t, err)
	if got := o.trail(); got.CloudWatchLogsLogGroupArn != nil || got.CloudWatchLogsRoleArn != nil || !*got.LogFileValidationEnabled || !*got.IsMultiRegionTrail ||
		aws.ToString(got.SnsTopicARN) != "arn:aws:sns:"+region+":"+lab.Account+":"+name || aws.ToString(got.S3BucketName) != name {
		t.Errorf("updated %+v", got)
	}
}

// CreateTrail refuses a trail that could not deliver, and a sixth trail in a
// region.
func TestCreateTrailRefusals(t *testing.T) {
	const region, name = "eu-central-2", "trail-create"
	o := newTrailOwner(t, region, name)
	in := *o.in
	in.S3BucketName = aws.String("none")
	_, err := o.CreateTrail(t.Context(), &in)
	wantCode(t, err, "S3BucketDoesNotExistException")
	in = *o.in
	in.CloudWatchLogsLogGroupArn = aws.String("arn:aws:logs:" + region + ":" + lab.Account + ":log-group:none:*")
	_, err = o.CreateTrail(t.Context(), &in)
	wantCode(t, err, "InvalidCloudWatchLogsLogGroupArnException")

	others, err := o.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{}) // shadows of other tests' trails
	must(t, err)
	for i := len(others.TrailList); i <= 5; i++ {
		in := cloudtrail.CreateTrailInput{Name: aws.String(fmt.Sprint(name, i)), S3BucketName: aws.String(name)}
		_, err := o.CreateTrail(t.Context(), &in)
		if i < 5 {
			must(t, err)
			t.Cleanup(func() { o.DeleteTrail(t.Context(), &cloudtrail.DeleteTrailInput{Name: in.Name}) })
		} else {
			wantCode(t, err, "MaximumNumberOfTrailsExceededException")
		}
	}
}

// Event selectors of either kind read back completely.
func TestEventSelectors(t *testing.T) {
	const name = "trail-selectors"
	o := newTrailOwner(t, "eu-south-1", name)
	o.create()
	basic := []types.EventSelector{{
		IncludeManagementEvents: aws.Bool(false), ReadWriteType: types.ReadWriteTypeWriteOnly, ExcludeManagementEventSources: []string{"kms.amazonaws.com"},
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3"}}},
	}}
	advanced := []types.AdvancedEventSelector{{Name: aws.String("writes"), FieldSelectors: []types.AdvancedFieldSelector{
		{Field: aws.String("eventCategory"), Equals: []string{"Management"}},
		{Field: aws.String("eventSource"), NotEquals: []string{"kms.amazonaws.com"}},
		{Field: aws.String("readOnly"), Equals: []string{"false"}}, // the fields sorted by name, as CloudTrail returns them
	}}}
	for _, in := range []*cloudtrail.PutEventSelectorsInput{{EventSelectors: basic}, {AdvancedEventSelectors: advanced}} {
		in.TrailName = aws.String(name)
		_, err := o.PutEventSelectors(t.Context(), in)
		must(t, err)
		got, err := o.GetEventSelectors(t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(name)})
		must(t, err)
		ignore := cmpopts.IgnoreUnexported(types.EventSelector{}, types.DataResource{}, types.AdvancedEventSelector{}, types.AdvancedFieldSelector{})
		if d := cmp.Diff(in.EventSelectors, got.EventSelectors, ignore); d != "" {
			t.Errorf("basic (-want +got):\n%s", d)
		}
		if d := cmp.Diff(in.AdvancedEventSelectors, got.AdvancedEventSelectors, ignore); d != "" {
			t.Errorf("advanced (-want +got):\n%s", d)
		}
	}
}
