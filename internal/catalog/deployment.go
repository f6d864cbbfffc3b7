package catalog

import (
	"strings"

	"github.com/relight-aws/relight/internal/lazy"
)

// The names below depend only on the prefix, so that no stack has to import
// from another. relight finds the resources of the stacks by these names.

// StackName returns the name of the home stack.
func (b Baseline) StackName() string { return b.Prefix }

// ForwarderName returns the name of the stack that forwards a region's events.
func (b Baseline) ForwarderName(region string) string { return b.Name(region) }

// BusName returns the name of the bus in the home region that receives the
// events forwarded from other regions.
func (b Baseline) BusName() string { return b.Prefix }

// FunctionLogs returns what the names of the log groups begin with to which the
// function with that deployed name writes. They end with a part of the stack's ID: the logs outlive
// the stack, and the next deployment makes new ones.
func FunctionLogs(name string) string { return "/aws/lambda/" + name }

// logsEnd matches what the names of a function's log groups end with; that of a group
// which Lambda makes itself ends with nothing.
var logsEnd = lazy.Compile(`^(-[0-9a-f]{8})?$`)

// IsFunctionLogs reports whether a log group is one of the function with that deployed
// name, of this deployment or an earlier one.
func IsFunctionLogs(group, name string) bool {
	rest, its := strings.CutPrefix(group, FunctionLogs(name))
	return its && logsEnd.MatchString(rest)
}

// These are the outputs of the home stack.
const (
	OutputTopic        = "TopicArn"
	OutputLastResort   = "LastResortArn"
	OutputDeliveryRole = "DeliveryRoleArn"
	OutputVersion      = "Version" // of relight; the forwarders have it too
)

// These are keys in the metadata of the home stack's template. Each value of the
// configuration has one, which begins with ConfigKey. ConfigSchemaKey is always there.
const (
	ConfigKey       = "relight:"
	ConfigSchemaKey = "relight.schema"
	ConfigSchema    = "1" // of the keys and values
)

// These are the parameters of the templates that deploy without the CDK.
const (
	ParamBucket = "AssetBucket" // the bucket with the functions' packages
	ParamPrefix = "AssetPrefix" // of their keys
	ParamConfig = "Config"      // changes to the configuration, a JSON object
	ParamHome   = "HomeRegion"  // of a forwarder
	ParamEmail  = "Email"       // of a forwarder: an address that its alarm notifies
)

// These placeholders are in RuntimeGrants, in addition to those of Grants.
const (
	InLogGroup = "${log-group}" // ARN of the function's own log group
	InOwnQueue = "${own-queue}" // ARN of the queue of a kind's events
	InQueue    = "${queue}"     // ARN of the queue that feeds the function; for Backfill, the queue for its failures
)

// RuntimeGrants returns the statements that Lambda itself needs in a function's
// role, and the one with which a function puts off what comes in a storm. They do not
// include logs:CreateLogGroup, because the stack creates the group with its retention.
func RuntimeGrants(f Function) []Grant {
	logs := Grant{
		Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		Resources: []string{InLogGroup + ":*"},
		Why:       "Lambda writes the function's output",
	}
	if f == Auditor { // no queue feeds it, and its failed invocations are counted by an alarm
		return []Grant{logs}
	}
	queue := Grant{
		Actions:   []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
		Resources: []string{InQueue},
		Why:       "Lambda polls the queue. Source: AWS Lambda Developer Guide, Using Lambda with Amazon SQS",
	}
	if f == Backfill {
		queue = Grant{
			Actions:   []string{"sqs:SendMessage"},
			Resources: []string{InQueue},
			Why:       "Lambda sends invocations that failed for good to the queue. Source: AWS Lambda Developer Guide, asynchronous invocation",
		}
		return []Grant{queue, logs}
	}
	later := Grant{
		Actions:   []string{"sqs:SendMessage"},
		Resources: []string{InOwnQueue},
		Why:       "the function puts off what comes in a storm: it sends it to its own queue, with a delay",
	}
	return []Grant{queue, later, logs}
}
