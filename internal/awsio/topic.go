package awsio

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// topicAPI is what this file needs of *sns.Client, and no more.
type topicAPI interface {
	GetTopicAttributes(context.Context, *sns.GetTopicAttributesInput, ...func(*sns.Options)) (*sns.GetTopicAttributesOutput, error)
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

var _ topicAPI = (*sns.Client)(nil)

// describeTopics reads the health of those topics that are of the scope's
// account and region; relight can vouch for no others.
func (c *Cloud) describeTopics(ctx context.Context, s remedy.Scope, arns []string) (map[string]plan.Topic, error) {
	topics := map[string]plan.Topic{}
	for _, arn := range arns {
		parts := strings.Split(arn, ":")
		if len(parts) != 6 || parts[2] != "sns" || parts[3] != s.Region || parts[4] != s.Account {
			continue
		}
		out, err := call(ctx, c.Pace, place{s.Region, "sns.GetTopicAttributes", arn}, c.Clients.SNS.GetTopicAttributes,
			&sns.GetTopicAttributesInput{TopicArn: aws.String(arn)}, snsIn(s.Region))
		if remedy.ClassOf(err) == remedy.Missing {
			topics[arn] = plan.Topic{}
			continue
		}
		if err != nil {
			return nil, err
		}
		topics[arn] = topicOf(out.Attributes)
	}
	return topics, nil
}

func topicOf(attributes map[string]string) plan.Topic {
	t := plan.Topic{Exists: true, Why: admits(attributes)}
	t.Admits = t.Why == ""
	t.Confirmed, _ = strconv.Atoi(attributes["SubscriptionsConfirmed"]) // absent counts as none
	t.Pending, _ = strconv.Atoi(attributes["SubscriptionsPending"])
	return t
}

// admits returns what keeps CloudWatch from publishing to a topic, or "".
// Sources: AWS re:Post, "Why didn't I receive an SNS notification for my
// CloudWatch alarm trigger" (policy, and the AWS managed key that CloudWatch
// may not use). A policy with conditions is taken at its word: they cannot be
// judged from here.
func admits(attributes map[string]string) string {
	if strings.HasSuffix(attributes["KmsMasterKeyId"], "alias/aws/sns") {
		return "it is encrypted with the key alias/aws/sns, which CloudWatch may not use"
	}
	var policy struct{ Statement statements }
	if err := json.Unmarshal([]byte(attributes["Policy"]), &policy); err != nil {
		return "its policy cannot be read"
	}
	allowed := false
	for _, st := range policy.Statement {
		if !st.publishes() || !st.meansCloudWatch() {
			continue
		}
		if st.Effect == "Deny" && len(st.Condition) == 0 {
			return "its policy denies it"
		}
		allowed = allowed || st.Effect == "Allow"
	}
	if !allowed {
		return "its policy does not name cloudwatch.amazonaws.com"
	}
	return ""
}

// A statement is what matters of one in an IAM policy.
type statement struct {
	Effect    string
	Action    words
	Principal principal
	Condition map[string]any
}

func (s statement) publishes() bool {
	return slices.ContainsFunc(s.Action, func(a string) bool {
		a = strings.ToLower(a)
		return a == "*" || a == "sns:*" || a == "sns:publish"
	})
}

func (s statement) meansCloudWatch() bool {
	return slices.Contains(s.Principal.AWS, "*") || slices.Contains(s.Principal.Service, "cloudwatch.amazonaws.com")
}

// principal is "*" or an object of lists.
type principal struct{ AWS, Service words }

// UnmarshalJSON reads either form of a principal.
func (p *principal) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"*"` {
		p.AWS = words{"*"}
		return nil
	}
	type object principal
	return json.Unmarshal(raw, (*object)(p))
}

// words is a string or a list of them.
type words []string

// UnmarshalJSON reads either form.
func (w *words) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*w = words{""}
		return json.Unmarshal(raw, &(*w)[0])
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

// statements is one statement or a list of them.
type statements []statement

// UnmarshalJSON reads either form.
func (s *statements) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		*s = make(statements, 1)
		return json.Unmarshal(raw, &(*s)[0])
	}
	return json.Unmarshal(raw, (*[]statement)(s))
}

// Publish sends a message to a topic, in the topic's own region.
func (c *Cloud) Publish(ctx context.Context, topic, subject, message string) error {
	parts := strings.Split(topic, ":")
	if len(parts) != 6 {
		return notDeployed("sns.Publish", topic, "topic")
	}
	_, err := call(ctx, c.Pace, place{parts[3], "sns.Publish", topic}, c.Clients.SNS.Publish,
		&sns.PublishInput{TopicArn: aws.String(topic), Subject: aws.String(subject), Message: aws.String(message)}, snsIn(parts[3]))
	return err
}
