package lifecycle

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// A subscriber with a minimum hears only what is as bad, whatever somebody makes of its
// filter policy, while another one hears everything.
func chooses(s *scene) {
	t := s.t
	const pager = "pager"
	const arn = "arn:aws:sqs:" + lab.Region + ":" + lab.Account + ":" + pager
	queue := must(s.root.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(pager), Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`,
	}}))
	everything := map[string]any{"protocol": "sqs", "endpoint": lab.MailboxARN}
	s.change(map[string]any{
		"subscribers": []any{everything, map[string]any{"protocol": "sqs", "endpoint": arn, "minimum": "high"}},
		"lastResort":  map[string]any{"subscribers": []any{everything}},
	})
	const filter = `{"severity":["critical","high",{"exists":false}]}`
	sub := ""
	filtered := func() bool {
		subs := must(s.root.SNS.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(s.ourTopic())}))
		for _, one := range subs.Subscriptions {
			if aws.ToString(one.Endpoint) == arn {
				sub = aws.ToString(one.SubscriptionArn)
				return must(s.root.SNS.GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})).Attributes["FilterPolicy"] == filter
			}
		}
		return false
	}
	s.await("the filter policy is set", filtered)
	s.settle()
	paged := func() (subjects string) {
		for {
			out := must(s.root.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10}))
			for _, m := range out.Messages {
				var sent struct{ Subject string }
				if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &sent); err != nil {
					t.Fatal(err)
				}
				subjects += sent.Subject + "\n"
				must(s.root.SQS.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: m.ReceiptHandle}))
			}
			if len(out.Messages) == 0 {
				return subjects
			}
		}
	}
	paged()
	s.mail()

	intruder := s.Customer.Intruder.In(lab.Region)
	must(intruder.CloudWatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"relight-iam-changes"}}))
	s.await("the alarm is restored", func() bool { return s.threshold("relight-iam-changes") > 0 })
	if mail := s.mail(); !strings.Contains(mail, "[relight LOW]") {
		t.Errorf("the mailbox has no message about the alarm: %s", mail)
	}
	if subjects := paged(); subjects != "" {
		t.Errorf("the pager heard %s", subjects)
	}
	must(intruder.CloudTrail.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(lab.TrailName)}))
	s.await("the trail is restored", func() bool {
		return aws.ToBool(must(s.root.CloudTrail.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String(lab.TrailName)})).IsLogging)
	})
	if mail := s.mail(); !strings.Contains(mail, "[relight HIGH]") {
		t.Errorf("the mailbox has no message about the trail: %s", mail)
	}
	if subjects := paged(); !strings.Contains(subjects, "[relight HIGH]") || strings.Contains(subjects, "LOW") {
		t.Errorf("the pager heard %q", subjects)
	}
	must(intruder.SNS.SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: &sub, AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"severity":["none"]}`),
	}))
	s.await("the filter policy is restored", filtered)
}

// ourTopic returns the ARN of relight's topic.
func (s *scene) ourTopic() string {
	s.t.Helper()
	out := must(s.root.Lambda.GetFunctionConfiguration(s.t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("relight-topics")}))
	return out.Environment.Variables[catalog.EnvTopic]
}
