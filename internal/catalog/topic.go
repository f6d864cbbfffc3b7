package catalog

import (
	"net/url"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/lazy"
)

// AlarmService is the principal that CloudWatch alarms publish as.
const AlarmService = "cloudwatch.amazonaws.com"

// SNS delivers as this principal to queues and functions, except between some
// regions: see Deliverer.
const deliveryService = "sns.amazonaws.com"

// openRegions matches the regions of the commercial partition that every account
// has. Each region since 2019-03-20 has to be enabled first, and to SNS so has
// Osaka. Source: Amazon SNS Developer Guide, "Sending Amazon SNS messages to an
// Amazon SQS queue or AWS Lambda function in a different Region".
var openRegions = lazy.Compile(`^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(west-[123]|central-1|north-1)|ap-(south-1|(northeast|southeast)-[12]))$`)

// Deliverer returns the principal as which SNS delivers the messages of a topic in
// one region to a queue or function in another. Between two regions, the one that
// has to be enabled is in its name, and that of the receiver if both have to be.
// Source: as of openRegions.
func Deliverer(topic, receiver string) string {
	optIn := func(region string) bool {
		p, known := PartitionOf(region)
		return known && p.ID == partitions[0].ID && !openRegions.MatchString(region) // other partitions have no such regions
	}
	switch {
	case topic == receiver:
	case optIn(receiver):
		return "sns." + receiver + ".amazonaws.com"
	case optIn(topic):
		return "sns." + topic + ".amazonaws.com"
	}
	return deliveryService
}

// A Subscriber is one receiver of the topic's notifications.
type Subscriber struct {
	Protocol string // as SNS spells it: "email", "sqs"
	Endpoint string // address, URL, phone number or ARN
	Filter   string // the filter policy of its subscription, as FilterPolicy.String returns it; "" for none
}

// ForPeople reports whether people read what SNS sends by a protocol.
func ForPeople(protocol string) bool {
	return slices.Contains([]string{"email", "email-json", "sms"}, protocol)
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

// Is reports whether a subscription with this protocol and endpoint is the
// subscriber's. SNS may
// return an endpoint in another form than it was given: an email address or URL
// in another case, a phone number without blanks, a URL without its password. It
// is not known to do so (belief endpoints-are-listed-as-given, assumed), but a
// comparison that is too strict would subscribe again for ever.
func (s Subscriber) Is(protocol, endpoint string) bool {
	return s.Protocol == protocol && endpointOf(protocol, s.Endpoint) == endpointOf(protocol, endpoint)
}

func endpointOf(protocol, endpoint string) string {
	switch protocol {
	case "email", "email-json":
		return strings.ToLower(endpoint)
	case "sms":
		return strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, endpoint)
	case "http", "https":
		scheme, rest, _ := strings.Cut(strings.ToLower(endpoint), "://")
		host, path, _ := strings.Cut(rest, "/")
		return scheme + "://" + host[strings.LastIndex(host, "@")+1:] + "/" + path
	}
	return endpoint
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

// TopicKeyGrant is the statement of the policy of the topic's key that lets AlarmService
// use the key, for topics of its account and region.
var TopicKeyGrant = Grant{
	Actions:   []string{"kms:Decrypt", "kms:GenerateDataKey*"},
	Resources: []string{"*"},
	Condition: map[string]map[string]string{"StringLike": {"kms:EncryptionContext:aws:sns:topicArn": arn + "sns:" + InRegion + ":" + InAccount + ":*"}},
	Why:       "the key of a key's policy is that key alone",
}
