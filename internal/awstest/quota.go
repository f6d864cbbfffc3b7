package awstest

import (
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// A quota is a token bucket: a call takes a token, and a call without one is throttled.
type quota struct {
	rate float64 // tokens a second
	most float64 // tokens that a bucket has when nobody has called for a while
}

// perSecond returns the quota of calls per second. AWS does not say how it counts
// within a second; the account lets a second's calls come at once (assumed).
func perSecond(n float64) quota { return quota{n, n} }

// ec2Read is the quota of EC2's calls that change nothing. Source: Amazon EC2 Developer
// Guide, "Request throttling for the Amazon EC2 API", token bucket sizes and refill rates.
var ec2Read = quota{rate: 20, most: 100}

// quotas are what AWS documents, per account and region. Sources: Amazon CloudWatch
// Logs User Guide, "CloudWatch Logs quotas"; Amazon CloudWatch User Guide, "CloudWatch
// service quotas"; CloudTrail API Reference, LookupEvents; Amazon SNS endpoints and quotas. That
// of PutParameter is what AWS Support says: terraform-aws-github-runner, issue 2944.
var quotas = map[string]quota{
	cloudwatchlogs.ServiceID + " AssociateKmsKey":       perSecond(5),
	cloudwatchlogs.ServiceID + " CreateLogGroup":        perSecond(10),
	cloudwatchlogs.ServiceID + " DescribeLogGroups":     perSecond(10),
	cloudwatchlogs.ServiceID + " DescribeMetricFilters": perSecond(5),
	cloudwatchlogs.ServiceID + " PutMetricFilter":       perSecond(5),
	cloudwatchlogs.ServiceID + " PutRetentionPolicy":    perSecond(5),
	cloudwatchlogs.ServiceID + " TagResource":           perSecond(5),
	cloudwatchlogs.ServiceID + " TestMetricFilter":      perSecond(5),
	cloudwatch.ServiceID + " DeleteAlarms":              perSecond(3),
	cloudwatch.ServiceID + " DescribeAlarms":            perSecond(9),
	cloudwatch.ServiceID + " DisableAlarmActions":       perSecond(3),
	cloudwatch.ServiceID + " EnableAlarmActions":        perSecond(3),
	cloudwatch.ServiceID + " PutMetricAlarm":            perSecond(3),
	cloudtrail.ServiceID + " LookupEvents":              perSecond(2),
	ec2.ServiceID + " DescribeFlowLogs":                 ec2Read,
	ec2.ServiceID + " DescribeVpcs":                     ec2Read,
	sns.ServiceID + " ListSubscriptionsByTopic":         perSecond(30),
	ssm.ServiceID + " PutParameter":                     perSecond(3),
}

// tokens are what is left of one quota in one region.
type tokens struct {
	left float64
	at   time.Time // when left was right
}

// overQuota takes a token for a call, and returns an error if there is none.
func (c *request) overQuota() error {
	q, limited := quotas[c.service+" "+c.op]
	if c.Throttles == nil || !limited || !c.Throttles(c.caller) {
		return nil
	}
	key, now := c.name+" "+c.service+" "+c.op, time.Now()
	b, known := c.spent[key]
	if !known {
		b = tokens{q.most, now}
	}
	b = tokens{min(q.most, b.left+q.rate*now.Sub(b.at).Seconds()), now}
	throttled := b.left < 1-rounding
	if throttled {
		c.throttled[c.op]++
	} else {
		b.left--
	}
	c.spent[key] = b
	if throttled {
		return refuse(throttledCode(c.service), "Rate exceeded")
	}
	return nil
}

// rounding is how far a bucket may be from a whole token because of the arithmetic.
const rounding = 1e-6

// throttledCode returns a service's code for a call over its quota. Sources: "Error codes
// for the Amazon EC2 API"; "Common errors" of the API references of CloudWatch, CloudWatch
// Logs, CloudTrail and IAM; Amazon SNS API Reference, Throttled.
func throttledCode(service string) string {
	switch service {
	case ec2.ServiceID:
		return "RequestLimitExceeded"
	case cloudwatch.ServiceID, iam.ServiceID:
		return "Throttling"
	case sns.ServiceID:
		return "Throttled"
	}
	return "ThrottlingException"
}

// Throttled returns how often calls of each operation were over their quota.
func (a *Account) Throttled() Calls {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.throttled)
}
