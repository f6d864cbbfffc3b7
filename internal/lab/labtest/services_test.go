package labtest

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	cwltypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/lab"
)

// An alarm reads the same in every protocol, whichever protocol made it.
func TestAlarmsInEveryProtocol(t *testing.T) {
	const region = "eu-west-3"
	cw := cloudwatch.NewFromConfig(config(region))
	_, err := cw.PutMetricAlarm(t.Context(), alarm("cbor"))
	must(t, err)
	cli(t, region, "cloudwatch", "put-metric-alarm", "--alarm-name", "json", "--metric-name", "m", "--namespace", "n", "--statistic", "Sum",
		"--period", "300", "--evaluation-periods", "1", "--threshold", "1", "--comparison-operator", "GreaterThanOrEqualToThreshold",
		"--treat-missing-data", "notBreaching", "--alarm-actions", "arn:aws:sns:us-east-1:111122223333:a",
		"--insufficient-data-actions", "arn:aws:sns:us-east-1:111122223333:b")
	query(t, "monitoring", region, url.Values{
		"Action": {"PutMetricAlarm"}, "Version": {"2010-08-01"}, "AlarmName": {"query"}, "MetricName": {"m"}, "Namespace": {"n"}, "Statistic": {"Sum"},
		"Period": {"300"}, "EvaluationPeriods": {"1"}, "Threshold": {"1.0"}, "ComparisonOperator": {"GreaterThanOrEqualToThreshold"},
		"TreatMissingData": {"notBreaching"}, "AlarmActions.member.1": {"arn:aws:sns:us-east-1:111122223333:a"},
		"InsufficientDataActions.member.1": {"arn:aws:sns:us-east-1:111122223333:b"},
	})
	type stored struct {
		AlarmName, MetricName, Namespace, Statistic, ComparisonOperator, TreatMissingData string
		Period, EvaluationPeriods                                                         int
		Threshold                                                                         float64
		ActionsEnabled                                                                    bool
		AlarmActions                                                                      []string `xml:"AlarmActions>member"`
		InsufficientDataActions                                                           []string `xml:"InsufficientDataActions>member"`
	}
	var want []stored
	for _, name := range []string{"cbor", "json", "query"} {
		want = append(want, stored{
			name, "m", "n", "Sum", "GreaterThanOrEqualToThreshold", "notBreaching", 300, 1, 1, true,
			[]string{"arn:aws:sns:us-east-1:111122223333:a"},
			[]string{"arn:aws:sns:us-east-1:111122223333:b"},
		})
	}
	var viaJSON struct{ MetricAlarms []stored }
	must(t, json.Unmarshal([]byte(cli(t, region, "cloudwatch", "describe-alarms")), &viaJSON))
	if d := cmp.Diff(want, viaJSON.MetricAlarms); d != "" {
		t.Errorf("by JSON (-want +got):\n%s", d)
	}
	var viaQuery struct {
		MetricAlarms []stored `xml:"DescribeAlarmsResult>MetricAlarms>member"`
	}
	must(t, xml.Unmarshal(query(t, "monitoring", region, url.Values{"Action": {"DescribeAlarms"}, "Version": {"2010-08-01"}}), &viaQuery))
	if d := cmp.Diff(want, viaQuery.MetricAlarms); d != "" {
		t.Errorf("by query (-want +got):\n%s", d)
	}
	out, err := cw.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	must(t, err)
	var viaCBOR []stored
	for _, a := range out.MetricAlarms {
		viaCBOR = append(viaCBOR, stored{
			*a.AlarmName, *a.MetricName, *a.Namespace, string(a.Statistic), string(a.ComparisonOperator), *a.TreatMissingData,
			int(*a.Period), int(*a.EvaluationPeriods), *a.Threshold, *a.ActionsEnabled, a.AlarmActions, a.InsufficientDataActions,
		})
	}
	if d := cmp.Diff(want, viaCBOR); d != "" {
		t.Errorf("by CBOR (-want +got):\n%s", d)
	}
}

// A metric filter reads back with everything that can narrow it.
func TestMetricFilterKeepsItsFields(t *testing.T) {
	c := cloudwatchlogs.NewFromConfig(config("eu-west-3"))
	group := aws.String("filters")
	_, err := c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	must(t, err)
	_, err = c.PutTransformer(t.Context(), &cloudwatchlogs.PutTransformerInput{LogGroupIdentifier: group, TransformerConfig: []cwltypes.Processor{{ParseJSON: &cwltypes.ParseJSON{}}}})
	must(t, err)
	in := &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: group, FilterName: aws.String("f"), FilterPattern: aws.String("{ $.a = 1 }"),
		FieldSelectionCriteria: aws.String(`@aws.region = "us-east-1"`), ApplyOnTransformedLogs: true, EmitSystemFieldDimensions: []string{"@aws.account"},
		MetricTransformations: []cwltypes.MetricTransformation{{
			MetricName: aws.String("m"), MetricNamespace: aws.String("n"), MetricValue: aws.String("1"), DefaultValue: aws.Float64(0),
			Unit: cwltypes.StandardUnitCount,
		}},
	}
	_, err = c.PutMetricFilter(t.Context(), in)
	must(t, err)
	describe := func() cwltypes.MetricFilter {
		out, err := c.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: group})
		must(t, err)
		if len(out.MetricFilters) != 1 {
			t.Fatalf("%d filters, want 1", len(out.MetricFilters))
		}
		return out.MetricFilters[0]
	}
	got := describe()
	if aws.ToString(got.FieldSelectionCriteria) != *in.FieldSelectionCriteria || !got.ApplyOnTransformedLogs || len(got.EmitSystemFieldDimensions) != 1 {
		t.Errorf("filter %+v", got)
	}
	if m := got.MetricTransformations[0]; m.DefaultValue == nil || m.Unit != cwltypes.StandardUnitCount {
		t.Errorf("transformation %+v", m)
	}
	in.FieldSelectionCriteria, in.ApplyOnTransformedLogs, in.EmitSystemFieldDimensions = nil, false, nil
	in.MetricTransformations[0].DefaultValue, in.MetricTransformations[0].Dimensions = nil, map[string]string{"d": "$.d"}
	_, err = c.PutMetricFilter(t.Context(), in)
	must(t, err)
	if got := describe(); got.FieldSelectionCriteria != nil || got.ApplyOnTransformedLogs || got.EmitSystemFieldDimensions != nil ||
		got.MetricTransformations[0].Dimensions["d"] != "$.d" || got.MetricTransformations[0].DefaultValue != nil {
		t.Errorf("filter %+v is not as the next call said", got)
	}
}

// A protected log group cannot be deleted; once deleted, its filters are gone
// too.
func TestLogGroupProtection(t *testing.T) {
	c := cloudwatchlogs.NewFromConfig(config("eu-west-3"))
	group := aws.String("protected")
	_, err := c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group, DeletionProtectionEnabled: aws.Bool(true)})
	must(t, err)
	_, err = c.PutMetricFilter(t.Context(), &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: group, FilterName: aws.String("f"), FilterPattern: aws.String(""),
		MetricTransformations: []cwltypes.MetricTransformation{{MetricName: aws.String("m"), MetricNamespace: aws.String("n"), MetricValue: aws.String("1")}},
	})
	must(t, err)
	remove := func() error {
		_, err := c.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group})
		return err
	}
	wantCode(t, remove(), "ValidationException")
	_, err = c.PutLogGroupDeletionProtection(t.Context(), &cloudwatchlogs.PutLogGroupDeletionProtectionInput{LogGroupIdentifier: group, DeletionProtectionEnabled: aws.Bool(false)})
	must(t, err)
	must(t, remove())
	_, err = c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	must(t, err)
	out, err := c.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: group})
	must(t, err)
	if len(out.MetricFilters) != 0 {
		t.Errorf("%d filters survived their log group", len(out.MetricFilters))
	}
}

// A mail address receives nothing before its owner has confirmed the
// subscription; a queue receives at once.
func TestSubscriptions(t *testing.T) {
	const region = "eu-west-3"
	c := sns.NewFromConfig(config(region))
	topic, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("subscriptions")})
	must(t, err)
	subscribe := func(protocol, endpoint string) string {
		out, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: &protocol, Endpoint: &endpoint})
		must(t, err)
		return *out.SubscriptionArn
	}
	if got := subscribe("email", "a@example.com"); got != "pending confirmation" {
		t.Errorf("mail is subscribed as %q", got)
	}
	if got := subscribe("sqs", "arn:aws:sqs:"+region+":"+lab.Account+":q"); !strings.HasPrefix(got, *topic.TopicArn) {
		t.Errorf("the queue is subscribed as %q", got)
	}
	list := func() map[string]string {
		out, err := c.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: topic.TopicArn})
		must(t, err)
		arns := map[string]string{}
		for _, s := range out.Subscriptions {
			arns[*s.Protocol] = *s.SubscriptionArn
		}
		return arns
	}
	if got := list(); got["email"] != "PendingConfirmation" || !strings.HasPrefix(got["sqs"], *topic.TopicArn) {
		t.Errorf("listed as %q", got)
	}
	mail, err := cloud.Emulator.Pending(t.Context(), lab.Account, region)
	must(t, err)
	if len(mail) != 1 || mail[0].Endpoint != "a@example.com" {
		t.Fatalf("mail %+v, want one to the subscriber", mail)
	}
	_, err = c.ConfirmSubscription(t.Context(), &sns.ConfirmSubscriptionInput{TopicArn: &mail[0].TopicARN, Token: &mail[0].Token})
	must(t, err)
	if got := list(); !strings.HasPrefix(got["email"], *topic.TopicArn) {
		t.Errorf("confirmed, and listed as %q", got)
	}
	attrs, err := c.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: topic.TopicArn})
	must(t, err)
	if got := attrs.Attributes["SubscriptionsConfirmed"]; got != "2" {
		t.Errorf("%s confirmed subscriptions, want 2", got)
	}
}
