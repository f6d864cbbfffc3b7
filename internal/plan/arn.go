package plan

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// arnOf returns the parts of an ARN, all of them empty for what is none.
func arnOf(text string) arn.ARN {
	parts, _ := arn.Parse(text)
	return parts
}

// logGroupName returns the name in a log group's ARN, which AWS writes with
// and without a trailing ":*".
func logGroupName(arn string) string {
	return strings.TrimSuffix(strings.TrimPrefix(arnOf(arn).Resource, "log-group:"), ":*")
}

// logGroupARN returns the ARN of an account's log group in the region that
// another ARN is of.
func logGroupARN(near, account, name string) string {
	at := arnOf(near)
	return arn.ARN{Partition: at.Partition, Service: "logs", Region: at.Region, AccountID: account, Resource: "log-group:" + name}.String()
}

// trailName returns the name in a trail's ARN.
func trailName(arn string) string { return strings.TrimPrefix(arnOf(arn).Resource, "trail/") }

// Called reports whether a name or ARN is a trail's.
func Called(arn, name string) bool { return name == arn || name == trailName(arn) }

// IsKey reports whether what an event names, an ID or ARN, is the key of an
// ARN: calls that change a key take no alias. Source: KMS API Reference,
// DisableKey, ScheduleKeyDeletion, PutKeyPolicy.
func IsKey(name, arn string) bool {
	return arn != "" && (name == arn || strings.HasSuffix(arn, ":key/"+name))
}
