package labtest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/catalog"
)

// A topic counts its messages and their deliveries, and takes none while its key does
// not work.
func TestTopicCounts(t *testing.T) {
	cfg := config("eu-west-2")
	topics, metrics := sns.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
	made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("counted")})
	must(t, err)
	queue, err := sqs.NewFromConfig(cfg).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("counted"), Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`,
	}})
	must(t, err)
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:eu-west-2:111122223333:counted")})
	must(t, err)
	publish := func() error {
		_, err := topics.Publish(t.Context(), &sns.PublishInput{TopicArn: made.TopicArn, Message: aws.String("hello")})
		return err
	}
	counts := func() map[string]float64 {
		in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(time.Now().Add(-5 * time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute))}
		for id, name := range map[string]string{"p": "NumberOfMessagesPublished", "d": "NumberOfNotificationsDelivered", "f": "NumberOfNotificationsFailed"} {
			in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: aws.String(id), MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String("AWS/SNS"), MetricName: aws.String(name), Dimensions: []types.Dimension{{Name: aws.String("TopicName"), Value: aws.String("counted")}}},
				Period: aws.Int32(60), Stat: aws.String("Sum"),
			}})
		}
		out, err := metrics.GetMetricData(t.Context(), in)
		must(t, err)
		got := map[string]float64{}
		for _, r := range out.MetricDataResults {
			for _, v := range r.Values {
				got[*r.Id] += v
			}
		}
		return got
	}
	must(t, publish())
	if got := counts(); got["p"] != 1 || got["d"] != 1 || got["f"] != 0 {
		t.Errorf("after one message: %v", got)
	}
	_, err = sqs.NewFromConfig(cfg).DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: queue.QueueUrl})
	must(t, err)
	must(t, publish())
	if got := counts(); got["p"] != 2 || got["d"] != 1 || got["f"] != 1 {
		t.Errorf("after a message without the queue: %v", got)
	}

	keys := kms.NewFromConfig(cfg)
	key, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{})
	must(t, err)
	_, err = topics.SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{TopicArn: made.TopicArn, AttributeName: aws.String("KmsMasterKeyId"), AttributeValue: key.KeyMetadata.Arn})
	must(t, err)
	must(t, publish())
	_, err = keys.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: key.KeyMetadata.Arn})
	must(t, err)
	wantCode(t, publish(), "KMSDisabled")
	if got := counts(); got["p"] != 3 {
		t.Errorf("a refused message counts: %v", got)
	}
}

// The emulator decides by itself that each control's pattern matches its sample.
func TestPatterns(t *testing.T) {
	logs := cloudwatchlogs.NewFromConfig(config("eu-west-2"))
	for _, c := range catalog.Controls() {
		out, err := logs.TestMetricFilter(t.Context(), &cloudwatchlogs.TestMetricFilterInput{FilterPattern: aws.String(c.Pattern), LogEventMessages: []string{`{}`, c.Sample}})
		must(t, err)
		if len(out.Matches) != 1 || out.Matches[0].EventNumber != 2 {
			t.Errorf("%s: %v, want its sample alone", c.ID, out.Matches)
		}
	}
	_, err := logs.TestMetricFilter(t.Context(), &cloudwatchlogs.TestMetricFilterInput{FilterPattern: aws.String("{ $.a = }"), LogEventMessages: []string{`{}`}})
	wantCode(t, err, "InvalidParameterException")
}
