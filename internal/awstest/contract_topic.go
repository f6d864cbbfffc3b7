package awstest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// topic makes a topic with these attributes.
func (p *party) topic(attributes map[string]string) (arn string, err error) {
	made, err := p.SNS.CreateTopic(p.ctx, &sns.CreateTopicInput{Name: aws.String(p.id), Attributes: attributes})
	if err != nil {
		return "", err
	}
	p.later(func() { _, _ = p.SNS.DeleteTopic(p.ctx, &sns.DeleteTopicInput{TopicArn: made.TopicArn}) })
	return *made.TopicArn, nil
}

// attributes returns a topic's attributes.
func (p *party) attributes(topic string) (map[string]string, error) {
	out, err := p.SNS.GetTopicAttributes(p.ctx, &sns.GetTopicAttributesInput{TopicArn: &topic})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// subscribe subscribes the queue with the clause's name, or the mailbox.
func (p *party) subscribe(topic, protocol string) (arn string, err error) {
	endpoint := "person@example.com"
	if protocol == "sqs" {
		endpoint = p.arn("sqs", p.id)
	}
	out, err := p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SubscriptionArn), nil
}

// subscriptions lists all pages of a topic's subscriptions.
func (p *party) subscriptions(topic string) (all []types.Subscription, err error) {
	in := &sns.ListSubscriptionsByTopicInput{TopicArn: &topic}
	all, _, err = listed(p, sns.NewListSubscriptionsByTopicPaginator(p.SNS, in),
		func(out *sns.ListSubscriptionsByTopicOutput) []types.Subscription { return out.Subscriptions })
	return all, err
}

// subscribed makes a topic to which the queue is subscribed.
func (p *party) subscribed() (topic, subscription string, err error) {
	if topic, err = p.topic(nil); err != nil {
		return "", "", err
	}
	subscription, err = p.subscribe(topic, "sqs")
	return topic, subscription, err
}

// filterPolicy sets the filter policy of a subscription and returns what a read
// then shows.
func (p *party) filterPolicy(subscription, policy string) (string, error) {
	_, err := p.SNS.SetSubscriptionAttributes(p.ctx, &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: &subscription, AttributeName: aws.String("FilterPolicy"), AttributeValue: &policy,
	})
	if err != nil {
		return "", err
	}
	out, err := p.SNS.GetSubscriptionAttributes(p.ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &subscription})
	if err != nil {
		return "", err
	}
	return out.Attributes["FilterPolicy"], nil
}

var subscriptionClauses = []clause{
	{
		name: "topic keeps the policy and key it is given", source: "Amazon SNS API Reference, CreateTopic and SetTopicAttributes", grade: Recorded, record: stackd + "2026-09-14",
		check: func(p *party) error {
			arn := p.topicARN(p.id)
			statement := `{"Sid":"%s","Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"` + arn + `"}`
			policy := func(sids ...string) string {
				var all []string
				for _, sid := range sids {
					all = append(all, fmt.Sprintf(statement, sid))
				}
				return `{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`
			}
			topic, err := p.topic(map[string]string{"Policy": policy("first"), "KmsMasterKeyId": "alias/one"})
			if err != nil {
				return err
			}
			first, err := p.attributes(topic)
			if err != nil {
				return err
			}
			for name, value := range map[string]string{"Policy": policy("first", "second"), "KmsMasterKeyId": "alias/two"} {
				if _, err := p.SNS.SetTopicAttributes(p.ctx, &sns.SetTopicAttributesInput{TopicArn: &topic, AttributeName: &name, AttributeValue: &value}); err != nil {
					return err
				}
			}
			second, err := p.attributes(topic)
			if err != nil {
				return err
			}
			_, err = p.SNS.RemovePermission(p.ctx, &sns.RemovePermissionInput{TopicArn: &topic, Label: aws.String("first")})
			if err != nil {
				return err
			}
			third, err := p.attributes(topic)
			has := func(a map[string]string) string {
				return fmt.Sprint(strings.Contains(a["Policy"], `"first"`), strings.Contains(a["Policy"], `"second"`), " ", a["KmsMasterKeyId"])
			}
			return errors.Join(
				err, want("created", has(first), "true false alias/one"), want("set", has(second), "true true alias/two"),
				want("after RemovePermission", has(third), "false true alias/two"),
			)
		},
	},
	{
		name: "subscriptions are listed, pending ones without an ARN", source: "Amazon SNS API Reference, Subscribe and ListSubscriptionsByTopic", grade: Recorded, record: stackd + "2026-09-23",
		check: func(p *party) error {
			topic, queue, err := p.subscribed()
			if err != nil {
				return err
			}
			mail, err := p.subscribe(topic, "email")
			if err != nil {
				return err
			}
			again, err := p.subscribe(topic, "sqs")
			if err != nil {
				return err
			}
			subs, err := p.subscriptions(topic)
			listed, owners := map[string]string{}, map[string]bool{}
			for _, s := range subs {
				listed[aws.ToString(s.Protocol)] = aws.ToString(s.SubscriptionArn)
				owners[aws.ToString(s.Owner)] = true
			}
			return errors.Join(
				err, want("subscriptions", len(subs), 2), want("ARN of the queue's", strings.HasPrefix(queue, topic+":"), true),
				want("subscribed again", again, queue), want("listed", listed["sqs"], queue),
				want("mail", mail, "pending confirmation"), want("mail, listed", listed["email"], "PendingConfirmation"),
				want("owners", owners, map[string]bool{p.Account: true}),
			)
		},
	},
	{
		name: "an empty filter policy removes the filter policy", source: `Amazon SNS Developer Guide, "Use SetSubscriptionAttributes with an AWS SDK or CLI"`, grade: Recorded, record: localstack + "2023 to 2026",
		check: func(p *party) error {
			_, sub, err := p.subscribed()
			if err != nil {
				return err
			}
			set, err := p.filterPolicy(sub, `{"a":["b"]}`)
			if err != nil {
				return err
			}
			cleared, err := p.filterPolicy(sub, "{}")
			return errors.Join(err, want("set", strings.Contains(set, `"b"`), true), want("cleared", strings.TrimSpace(strings.Trim(cleared, "{}")), ""))
		},
	},
	{
		name: "a filter policy over attributes has lists alone, and its scope shows with it", source: `Amazon SNS Developer Guide, "Filter policy constraints in Amazon SNS"`, grade: Recorded, record: localstack + "2024-05-14",
		check: func(p *party) error {
			_, sub, err := p.subscribed()
			if err != nil {
				return err
			}
			scope := func(value string) (string, error) {
				if value != "" {
					_, err := p.SNS.SetSubscriptionAttributes(p.ctx, &sns.SetSubscriptionAttributesInput{
						SubscriptionArn: &sub, AttributeName: aws.String("FilterPolicyScope"), AttributeValue: &value,
					})
					if err != nil {
						return "", err
					}
				}
				out, err := p.SNS.GetSubscriptionAttributes(p.ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
				if err != nil {
					return "", err
				}
				return out.Attributes["FilterPolicyScope"], nil
			}
			without, err := scope("")
			if err != nil {
				return err
			}
			_, nested := p.filterPolicy(sub, `{"a":{"b":["c"]}}`)
			if _, err := p.filterPolicy(sub, `{"a":["b"]}`); err != nil {
				return err
			}
			usual, err := scope("")
			if err != nil {
				return err
			}
			body, err := scope("MessageBody")
			if err != nil {
				return err
			}
			_, deep := p.filterPolicy(sub, `{"a":{"b":["c"]}}`)
			return errors.Join(
				want("scope without a filter policy", without, ""), refused("a nested one over attributes", nested, "InvalidParameter"),
				want("scope", usual, "MessageAttributes"), want("scope, set", body, "MessageBody"), deep,
			)
		},
	},
	{
		name: "unsubscribing deletes the subscription", source: "Amazon SNS API Reference, Unsubscribe and GetSubscriptionAttributes", grade: Recorded, record: stackd + "2026-09-14, of a subscription of the topic's own account",
		check: func(p *party) error {
			topic, sub, err := p.subscribed()
			if err != nil {
				return err
			}
			if _, err := p.SNS.Unsubscribe(p.ctx, &sns.UnsubscribeInput{SubscriptionArn: &sub}); err != nil {
				return err
			}
			subs, err := p.subscriptions(topic)
			_, gone := p.SNS.GetSubscriptionAttributes(p.ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
			return errors.Join(err, want("subscriptions", len(subs), 0), refused("GetSubscriptionAttributes", gone, "NotFound", "NotFoundException"))
		},
	},
	{
		name: "a topic that is made again lists no subscriptions", source: "Amazon SNS API Reference, DeleteTopic", grade: Recorded, record: stackd + "2026-09-14",
		check: func(p *party) error {
			topic, _, err := p.subscribed()
			if err != nil {
				return err
			}
			if _, err := p.SNS.DeleteTopic(p.ctx, &sns.DeleteTopicInput{TopicArn: &topic}); err != nil {
				return err
			}
			_, gone := p.subscriptions(topic)
			again, err := p.topic(nil)
			if err != nil {
				return err
			}
			subs, err := p.subscriptions(again)
			return errors.Join(
				err, refused("ListSubscriptionsByTopic", gone, "NotFound", "NotFoundException"), want("ARN", again, topic), want("subscriptions", len(subs), 0),
			)
		},
	},
	{
		name: "a subscription outlives its deleted topic until it is unsubscribed", source: "Amazon SNS API Reference, DeleteTopic",
		grade: Recorded, record: localstack + "2026-01-12; " + stackd + "2026-09-14",
		check: func(p *party) error {
			topic, old, err := p.subscribed()
			if err != nil {
				return err
			}
			if _, err := p.SNS.DeleteTopic(p.ctx, &sns.DeleteTopicInput{TopicArn: &topic}); err != nil {
				return err
			}
			read := func() error {
				_, err := p.SNS.GetSubscriptionAttributes(p.ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &old})
				return err
			}
			if err := read(); err != nil {
				return err
			}
			if _, err := p.topic(nil); err != nil {
				return err
			}
			again, err := p.subscribe(topic, "sqs")
			if err != nil {
				return err
			}
			_, err = p.SNS.Unsubscribe(p.ctx, &sns.UnsubscribeInput{SubscriptionArn: &old})
			return errors.Join(err, want("the same ARN", again == old, false), refused("GetSubscriptionAttributes", read(), "NotFound", "NotFoundException"))
		},
	},
	{
		name: "unsubscribing what does not exist succeeds", source: "Amazon SNS API Reference, Unsubscribe",
		grade: Recorded, record: localstack + "2025-10-06; " + stackd + "2026-09-14",
		check: func(p *party) error {
			_, sub, err := p.subscribed()
			for range 2 {
				if err == nil {
					_, err = p.SNS.Unsubscribe(p.ctx, &sns.UnsubscribeInput{SubscriptionArn: &sub})
				}
			}
			return err
		},
	},
}
