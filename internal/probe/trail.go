package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// recordCalls makes a trail, without which an account's calls raise no events,
// and the bucket that it delivers to.
func (r *run) recordCalls(ctx context.Context) error {
	bucket := r.name("bucket")
	if err := r.make(ctx, bucketKind, bucket, func(ctx context.Context) (string, error) {
		in := &s3.CreateBucketInput{Bucket: &bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
			Tags: []s3types.Tag{{Key: aws.String(Tag), Value: &r.tag}},
		}}
		if r.AWS.Region != "us-east-1" { // the default, which must not be named
			in.CreateBucketConfiguration.LocationConstraint = s3types.BucketLocationConstraint(r.AWS.Region)
		}
		_, err := r.s3.CreateBucket(ctx, in)
		return "", err
	}); err != nil {
		return err
	}
	// Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail".
	policy := document(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "cloudtrail.amazonaws.com"}, "Action": []string{"s3:GetBucketAcl", "s3:PutObject"},
		"Resource":  []string{r.arn("s3", bucket), r.arn("s3", bucket+"/AWSLogs/"+r.Account+"/*")},
		"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": r.Account}},
	})
	if _, err := r.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy}); err != nil {
		return err
	}
	if err := r.spread(ctx, func() error { return r.trail(ctx, "trail", &cloudtrail.CreateTrailInput{}) }); err != nil {
		return err
	}
	_, err := r.cloudtrail.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: aws.String(r.name("trail"))})
	return err
}

// firstEvent changes the trail until an event of that arrives: a new trail and
// new rules may miss the first calls.
func (r *run) firstEvent(ctx context.Context) error {
	reads := 0
	_, ok, err := r.until(ctx, min(2*time.Minute, r.Wait), func() (bool, error) {
		if reads++; reads%5 == 1 {
			if err := r.unrelated(ctx, false); err != nil {
				return false, err
			}
		}
		err := r.receive(ctx)
		return slices.ContainsFunc(r.mailbox.events, recordOf("UpdateTrail", r.tag)), err
	})
	if err == nil && !ok {
		err = errors.New("no event arrived so far")
	}
	return err
}

// trail makes a trail of this region that delivers to the run's bucket.
func (r *run) trail(ctx context.Context, suffix string, in *cloudtrail.CreateTrailInput) error {
	in.Name, in.S3BucketName = aws.String(r.name(suffix)), aws.String(r.name("bucket"))
	in.IsMultiRegionTrail = aws.Bool(false)
	in.TagsList = []trailtypes.Tag{{Key: aws.String(Tag), Value: &r.tag}}
	return r.make(ctx, trailKind, *in.Name, func(ctx context.Context) (string, error) {
		_, err := r.cloudtrail.CreateTrail(ctx, in)
		return "", err
	})
}

// update changes the run's trail.
func (r *run) update(ctx context.Context, in *cloudtrail.UpdateTrailInput) error {
	in.Name = aws.String(r.name("trail"))
	_, err := r.cloudtrail.UpdateTrail(ctx, in)
	return err
}

// unrelated is a change of the trail that names none of its destinations.
func (r *run) unrelated(ctx context.Context, on bool) error {
	return r.update(ctx, &cloudtrail.UpdateTrailInput{EnableLogFileValidation: &on})
}

// refusedTrails asks for trails that CloudTrail should refuse.
func (r *run) refusedTrails(ctx context.Context) error {
	group, noKey := r.arn("logs", "log-group:"+r.name("logs")+":*"), r.arn("kms", "key/00000000-0000-4000-8000-000000000000")
	rows := []struct {
		id   string
		in   cloudtrail.CreateTrailInput
		code string
	}{
		{"trail-group-without-role", cloudtrail.CreateTrailInput{CloudWatchLogsLogGroupArn: &group}, "InvalidCloudWatchLogsRoleArnException"},
		{"trail-role-without-group", cloudtrail.CreateTrailInput{CloudWatchLogsRoleArn: &r.roleARN}, "InvalidCloudWatchLogsLogGroupArnException"},
		{"trail-key-missing", cloudtrail.CreateTrailInput{KmsKeyId: &noKey}, "InsufficientEncryptionPolicyException"},
		{"trail-key-malformed", cloudtrail.CreateTrailInput{KmsKeyId: aws.String("no key")}, "KmsKeyNotFoundException"},
		{"trail-topic-missing", cloudtrail.CreateTrailInput{SnsTopicName: aws.String(r.name("absent"))}, "InsufficientSnsTopicPolicyException"},
	}
	for _, row := range rows {
		err := r.trail(ctx, "refused", &row.in)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.refusal(row.id, err, row.code)
		if err == nil { // the name has to be free for the next one
			if err := trailKind.remove(ctx, &r.clients, r.name("refused")); err != nil {
				return err
			}
		}
	}
	return nil
}

// trailTopic takes the topic away from under the trail.
func (r *run) trailTopic(ctx context.Context) error {
	name := r.name("notify")
	arn := r.arn("sns", name)
	if err := r.make(ctx, topicKind, arn, func(ctx context.Context) (string, error) {
		policy := `{"Version":"2012-10-17","Statement":[{"Sid":"trail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},` +
			`"Action":"SNS:Publish","Resource":"` + arn + `"}]}`
		_, err := r.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Attributes: map[string]string{"Policy": policy}, Tags: snsTags(r.tag)})
		return "", err
	}); err != nil {
		return err
	}
	if err := r.spread(ctx, func() error { return r.update(ctx, &cloudtrail.UpdateTrailInput{SnsTopicName: &arn}) }); err != nil {
		return err
	}
	if _, err := r.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &arn}); err != nil {
		return err
	}
	r.refusal("update-checks-the-kept-topic", r.refused(ctx, func() error { return r.unrelated(ctx, true) }), "InsufficientSnsTopicPolicyException")
	r.accepted("empty-topic-removes-it", r.update(ctx, &cloudtrail.UpdateTrailInput{SnsTopicName: aws.String("")}))
	return ctx.Err()
}

// refused repeats a call until AWS refuses it, because what it took away may
// not have spread yet. It returns nil if AWS still accepts the call.
func (r *run) refused(ctx context.Context, call func() error) error {
	var last error
	_, _, err := r.until(ctx, min(propagation, r.Wait), func() (bool, error) {
		last = call()
		return last != nil, nil
	})
	return errors.Join(last, err)
}

// trailGroup takes the rights of the role away from under the trail.
func (r *run) trailGroup(ctx context.Context) error {
	group := r.arn("logs", "log-group:"+r.name("logs")+":*")
	absent := r.arn("iam", "role/"+r.name("absent"))
	r.refusal("trail-role-missing", r.update(ctx, &cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: &group, CloudWatchLogsRoleArn: &absent}),
		"InvalidCloudWatchLogsRoleArnException")
	if err := r.spread(ctx, func() error {
		return r.update(ctx, &cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: &group, CloudWatchLogsRoleArn: &r.roleARN})
	}); err != nil {
		return err
	}
	if _, err := r.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(r.name("role")), PolicyName: aws.String(rights)}); err != nil {
		return err
	}
	err := r.refused(ctx, func() error { return r.unrelated(ctx, false) })
	r.refusal("update-checks-the-kept-role", err, "InvalidCloudWatchLogsLogGroupArnException", "InvalidCloudWatchLogsRoleArnException")
	r.refusal("trail-role-without-rights", r.trail(ctx, "powerless", &cloudtrail.CreateTrailInput{
		CloudWatchLogsLogGroupArn: &group, CloudWatchLogsRoleArn: &r.roleARN,
	}), "InvalidCloudWatchLogsLogGroupArnException")
	r.accepted("empty-group-and-role-remove-them", r.update(ctx, &cloudtrail.UpdateTrailInput{
		CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String(""),
	}))
	return ctx.Err()
}

// trailKey disables the key of the trail.
func (r *run) trailKey(ctx context.Context) error {
	if r.keyARN == "" {
		return errors.New("there is no key")
	}
	if err := r.spread(ctx, func() error { return r.update(ctx, &cloudtrail.UpdateTrailInput{KmsKeyId: &r.keyARN}) }); err != nil {
		return err
	}
	if _, err := r.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &r.keyARN}); err != nil {
		return err
	}
	r.refusal("update-checks-the-kept-key", r.refused(ctx, func() error { return r.unrelated(ctx, true) }), "KmsException")
	r.accepted("empty-key-removes-it", r.update(ctx, &cloudtrail.UpdateTrailInput{KmsKeyId: aws.String("")}))
	r.refusal("trail-key-disabled", r.trail(ctx, "disabled", &cloudtrail.CreateTrailInput{KmsKeyId: &r.keyARN}), "KmsException")
	r.refusal("group-with-disabled-key", r.group(ctx, "sealed", logstypes.LogGroupClassStandard, r.keyARN), "InvalidParameterException")
	return ctx.Err()
}

// selectors puts an advanced selector with its fields out of order.
func (r *run) selectors(ctx context.Context) error {
	name := aws.String(r.name("trail"))
	field := func(name string, values ...string) trailtypes.AdvancedFieldSelector {
		return trailtypes.AdvancedFieldSelector{Field: &name, Equals: values}
	}
	given := []trailtypes.AdvancedFieldSelector{
		field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object"), field("resources.ARN", r.arn("s3", r.name("bucket")+"/none")),
	}
	if _, err := r.cloudtrail.PutEventSelectors(ctx, &cloudtrail.PutEventSelectorsInput{
		TrailName: name, AdvancedEventSelectors: []trailtypes.AdvancedEventSelector{
			{FieldSelectors: []trailtypes.AdvancedFieldSelector{field("eventCategory", "Management")}},
			{FieldSelectors: given},
		},
	}); err != nil {
		return err
	}
	out, err := r.cloudtrail.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: name})
	if err != nil {
		return err
	}
	for _, s := range out.AdvancedEventSelectors {
		var fields []string
		for _, f := range s.FieldSelectors {
			fields = append(fields, aws.ToString(f.Field))
		}
		if len(fields) == len(given) {
			r.saw("selector-fields-are-sorted", slices.IsSorted(fields), "put eventCategory, resources.type, resources.ARN; got %s", strings.Join(fields, ", "))
		}
	}
	return nil
}

// stopTrail stops the trail and waits for the event and for the history.
func (r *run) stopTrail(ctx context.Context) error {
	name := r.name("trail")
	others, err := r.otherTrails(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	if _, err := r.cloudtrail.StopLogging(ctx, &cloudtrail.StopLoggingInput{Name: &name}); err != nil {
		return err
	}
	_, _ = r.logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{ // another event, for the latency
		LogGroupName: aws.String(r.name("logs")), RetentionInDays: aws.Int32(1),
	})
	// LookupEvents allows 2 calls a second.
	_, shown, err := r.until(ctx, r.Wait, func() (bool, error) {
		out, err := r.cloudtrail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{
			LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String("StopLogging")}},
		})
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(out.Events, func(e trailtypes.Event) bool { return strings.Contains(aws.ToString(e.CloudTrailEvent), name) }), nil
	})
	took := time.Since(begin)
	switch {
	case err != nil:
		r.unseen("history-shows-stop-logging", said(err))
	case shown:
		r.saw("history-shows-stop-logging", took <= time.Minute, "shown after %s", round(took))
		r.measured("history-shows-stop-logging", took)
	case took > time.Minute:
		r.saw("history-shows-stop-logging", false, "not shown after %s", round(took))
	default:
		r.unseen("history-shows-stop-logging", fmt.Sprintf("not shown after %s; the run waits no longer", round(took)))
	}
	_, ok, err := r.arrived(ctx, max(0, r.Wait-time.Since(begin)), recordOf("StopLogging", name))
	switch {
	case err != nil:
		return err
	case others > 0:
		r.unseen("stop-logging-reaches-eventbridge", fmt.Sprintf("%d other trails log management events or may; its event arrived: %t", others, ok))
	default:
		r.saw("stop-logging-reaches-eventbridge", ok, "the event arrived: %t", ok)
	}
	return nil
}

// otherTrails returns how many trails beside the run's own log in this region.
func (r *run) otherTrails(ctx context.Context) (int, error) {
	out, err := r.cloudtrail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, t := range out.TrailList {
		if aws.ToString(t.Name) == r.name("trail") {
			continue
		}
		status, err := r.cloudtrail.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: t.TrailARN})
		if err != nil || aws.ToBool(status.IsLogging) { // an unread one may log
			n++
		}
	}
	return n, nil
}

func snsTags(tag string) []snstypes.Tag { return []snstypes.Tag{{Key: aws.String(Tag), Value: &tag}} }
