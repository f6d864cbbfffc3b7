package plan

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// arnOf returns the parts of an ARN; they are all empty if the text is no ARN.
func arnOf(text string) arn.ARN {
	parts, _ := arn.Parse(text)
	return parts
}

// logGroupName returns the name in a log group's ARN, which AWS writes with
// and without a trailing ":*".
func logGroupName(arn string) string {
	return strings.TrimSuffix(strings.TrimPrefix(arnOf(arn).Resource, "log-group:"), ":*")
}

// logGroupARN returns the ARN of an account's log group in the region of another
// ARN.
func logGroupARN(near, account, name string) string {
	at := arnOf(near)
	return arn.ARN{Partition: at.Partition, Service: "logs", Region: at.Region, AccountID: account, Resource: "log-group:" + name}.String()
}

// trailName returns the name in a trail's ARN.
func trailName(arn string) string { return strings.TrimPrefix(arnOf(arn).Resource, "trail/") }

// Called reports whether a name or ARN means a trail.
func Called(arn, name string) bool { return name == arn || name == trailName(arn) }

// IsKey reports whether an ID or ARN, as an event names it, is the key of an ARN.
// Calls that change a key take no alias. Source: KMS API Reference,
// DisableKey, ScheduleKeyDeletion, PutKeyPolicy.
func IsKey(name, arn string) bool {
	return arn != "" && (name == arn || strings.HasSuffix(arn, ":key/"+name))
}

// roleName returns the name in a role's ARN, without its path.
func roleName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
