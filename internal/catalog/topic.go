package catalog

import "net/url"

// AlarmService is the principal that CloudWatch alarms publish as.
const AlarmService = "cloudwatch.amazonaws.com"

// A Subscriber is one receiver of the topic's notifications.
type Subscriber struct {
	Protocol string // as SNS spells it: "email", "sqs"
	Endpoint string // address, URL, phone number or ARN
}

// String returns the subscriber as findings name it, without the password that
// the URL of an HTTPS endpoint can have. Source: Amazon SNS Developer Guide,
// "Fanout Amazon SNS notifications to HTTPS endpoints".
func (s Subscriber) String() string {
	endpoint := s.Endpoint
	if u, err := url.Parse(endpoint); err == nil && u.User != nil {
		endpoint = u.Redacted()
	}
	return s.Protocol + " " + endpoint
}

// A TopicStatement is one statement of the topic's policy. The stack writes it
// and the planner restores it.
type TopicStatement struct {
	Sid     string // unique in the policy; relight owns the statement with this ID
	Effect  string // "Allow" or "Deny"
	Service string // the principal; "" means everybody
	Grant
}

// TopicPolicy lists the statements that the policy of relight's topic must
// have: alarms of this account and region may publish, and nobody may publish
// without TLS. Owners may add statements.
//
// Source: Amazon SNS Developer Guide, "Example cases for Amazon SNS access
// control" (alarms), "Amazon SNS security best practices" (TLS) and "Amazon
// SNS API permissions" (one resource, unique statement IDs).
var TopicPolicy = []TopicStatement{
	{
		Sid: "AllowPublishThroughSSLOnly", Effect: "Deny",
		Grant: Grant{
			Actions: []string{"sns:Publish"}, Resources: []string{InTopic},
			Condition: map[string]map[string]string{"Bool": {"aws:SecureTransport": "false"}},
		},
	},
	{
		Sid: "AllowAlarmsOfThisAccount", Effect: "Allow", Service: AlarmService,
		Grant: Grant{
			Actions: []string{"sns:Publish"}, Resources: []string{InTopic},
			Condition: map[string]map[string]string{
				"StringEquals": {"aws:SourceAccount": InAccount},
				"ArnLike":      {"aws:SourceArn": arn + "cloudwatch:" + InRegion + ":" + InAccount + ":alarm:*"},
			},
		},
	},
}
