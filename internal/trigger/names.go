package trigger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lazy"
	"github.com/relight-aws/relight/internal/remedy"
)

// shapes lists the shape of the names of each type. relight does not use a name
// of another shape in a request: as the value of an EC2 filter, "vpc-*" would
// match VPCs that the event did not name. Sources: EC2 API Reference, Filter;
// CloudWatch API Reference, PutMetricAlarm.
var shapes = map[catalog.ResourceType]catalog.Shape{
	catalog.VPC:           catalog.VPCShape,
	catalog.Subnet:        catalog.SubnetShape,
	catalog.Interface:     catalog.IfaceShape,
	catalog.Stream:        catalog.StreamShape,
	catalog.LogGroup:      catalog.LogGroupShape,
	catalog.FilteredGroup: catalog.LogGroupShape,
	catalog.Topic:         catalog.TopicShape,
	catalog.Bucket:        catalog.BucketShape,
	catalog.Key:           catalog.KeyShape,
	catalog.Region:        catalog.RegionShape,
	catalog.Trail:         catalog.TrailShape,
	catalog.Alarm:         catalog.AlarmShape,
	catalog.Filter:        catalog.FilterShape,
	catalog.Role:          catalog.RoleShape,
	catalog.IAMPolicy:     catalog.PolicyShape,
	catalog.Parameter:     catalog.ParamShape,
	catalog.EventRule:     catalog.RuleShape,
	catalog.Lambda:        catalog.LambdaShape,
	catalog.Schedule:      catalog.RuleShape,

	catalog.OwnFunction:  catalog.LambdaShape,
	catalog.SQSQueue:     catalog.QueueShape,
	catalog.StateMachine: catalog.MachineShape,
	catalog.MappedSource: catalog.SourceShape,
	catalog.Stack:        catalog.StackShape,
	catalog.EventBus:     catalog.RuleShape,
	catalog.UsedBus:      catalog.RuleShape,

	catalog.NewTrail:      catalog.TrailShape,
	catalog.AccountPolicy: catalog.FilterShape, // CloudWatch Logs API Reference, PutAccountPolicy
	catalog.Destination:   catalog.FilterShape, // the same characters and length: CloudWatch Logs API Reference, PutDestination

	catalog.MutedAlarm:     catalog.AlarmShape,
	catalog.CompositeAlarm: catalog.AlarmShape,
}

// namesAt returns the names at a path in a detail. It returns none if the event
// has no usable name, if a part is null or oversized, or if the value has a form
// that we have never seen. The forms that we have seen are a string, a list of
// strings, a one-element list of EC2 as an object {"content": …, "tag": 1}, and
// a part of the record as a string of JSON. One unusable name makes namesAt drop
// the others too, because they would cover less than the event harmed.
//
// A list of EC2's {"resourceId": …} may name resources of any type. namesAt
// leaves out names of other types. It returns foreign if all names are of other
// types.
func namesAt(detail json.RawMessage, path string, of catalog.ResourceType) (found remedy.Names, foreign bool) {
	if path == "" {
		return "", false
	}
	names, ok := texts(nodeAt(detail, path))
	for i := range names {
		names[i] = canonical(names[i], of)
	}
	if all := len(names); ok && strings.HasSuffix(path, ".items") {
		names = slices.DeleteFunc(names, func(n string) bool { return resourceID.MatchString(n) && !strings.HasPrefix(n, string(of)+"-") })
		if all > 0 && len(names) == 0 {
			return "", true
		}
	}
	shape, shaped := shapes[of]
	if !ok || !shaped || slices.ContainsFunc(names, func(n string) bool { return !shape.MatchString(n) }) {
		return "", false
	}
	return remedy.NamesOf(names...), false
}

// onRecords returns those of the names that the filter or an alarm of the control on
// the records of flow logs may have, whatever the prefix of relight's names is.
func onRecords(names remedy.Names) remedy.Names {
	return remedy.NamesOf(slices.DeleteFunc(names.List(), func(n string) bool { return !strings.Contains(n, "-"+catalog.RejectedTraffic) })...)
}

// resourceID matches the ID of any EC2 resource. Source: EC2 API
// Reference, "Resource IDs".
var resourceID = lazy.Compile(`^[a-z]+(-[a-z]+)*-[0-9a-f]+$`)

// nodeAt returns the value at a path in a detail. It returns nil if there is
// none. If paths has several paths separated by "|", nodeAt returns the first
// value that it finds.
func nodeAt(detail json.RawMessage, paths string) any {
	var root any
	if json.Unmarshal(detail, &root) != nil {
		return nil
	}
	for path := range strings.SplitSeq(paths, "|") {
		node := root
		for member := range strings.SplitSeq(path, ".") {
			object, _ := unquote(node).(map[string]any)
			node = object[member]
		}
		if node != nil {
			return node
		}
	}
	return nil
}

// canonical returns a name as AWS lists it. Some calls accept the ARN of a log
// group, with or without ":*" at its end, instead of its name. Lambda's accept the
// whole ARN of a function, or its end from the account on, and after it or the name
// a version or an alias. Those of Step Functions take the ARN of a state machine, after it perhaps
// a version or an alias, or that of an execution, which has the name of its state machine. SQS's take the URL of a queue or its ARN, and CloudFormation's and
// EventBridge's the ARN of a stack or a bus. Sources:
// CloudWatch Logs API Reference, LogGroup; AWS Lambda API Reference, GetFunction,
// FunctionName; Amazon SQS Developer Guide, "Amazon SQS queue and message identifiers"; AWS Step
// Functions API Reference, StopExecution and UpdateStateMachine.
func canonical(name string, of catalog.ResourceType) string {
	switch of {
	case catalog.Lambda, catalog.OwnFunction:
		if _, end, found := strings.Cut(name, ":function:"); found {
			name = end
		}
		name, _, _ = strings.Cut(name, ":")
		return name
	case catalog.StateMachine:
		if parsed, err := arn.Parse(name); err == nil {
			name = strings.TrimPrefix(strings.TrimPrefix(parsed.Resource, "stateMachine:"), "execution:")
		}
		if end := strings.IndexAny(name, ":/"); end >= 0 { // a version, or the map of a child execution
			name = name[:end]
		}
		return name
	case catalog.SQSQueue, catalog.EventBus, catalog.UsedBus, catalog.Stream:
		return name[strings.LastIndexAny(name, "/:")+1:]
	case catalog.Stack:
		if _, id, found := strings.Cut(name, ":stack/"); found {
			name, _, _ = strings.Cut(id, "/")
		}
		return name
	}
	at, err := arn.Parse(name)
	if of != catalog.LogGroup && of != catalog.FilteredGroup || err != nil {
		return name
	}
	return strings.TrimPrefix(strings.TrimSuffix(at.Resource, ":*"), "log-group:")
}

// harmless reports whether the detail has the parameter that makes the call
// harmless.
func harmless(c catalog.Call, detail json.RawMessage) bool {
	return c.Harmless.Path != "" && fmt.Sprint(nodeAt(detail, c.Harmless.Path)) == c.Harmless.Text
}

// cloudFormation is how AWS names CloudFormation as a caller. Source: CloudTrail
// User Guide, "CloudTrail record contents", sourceIPAddress, and "CloudTrail
// userIdentity element", invokedBy. AWS sets both, and no caller can.
const cloudFormation = "cloudformation.amazonaws.com"

// deploys reports whether CloudFormation made a call that it makes in deployments.
func deploys(c catalog.Call, detail json.RawMessage) bool {
	return c.Deploys && byCloudFormation(detail)
}

// byCloudFormation reports whether CloudFormation made a call.
func byCloudFormation(detail json.RawMessage) bool {
	return nodeAt(detail, "sourceIPAddress") == cloudFormation || nodeAt(detail, "userIdentity.invokedBy") == cloudFormation
}

// advice returns what a person should do about a call: nothing if its parameters
// make it harmless, or if it belongs to a deployment. The values of the parameters that make it harmful follow, quoted,
// because the caller chose them.
func advice(c catalog.Call, detail json.RawMessage) string {
	if c.Advice == "" || harmless(c, detail) || deploys(c, detail) {
		return ""
	}
	var sets []string
	for _, path := range c.Sets {
		if v := nodeAt(detail, path); v != nil {
			sets = append(sets, fmt.Sprintf("%s to %.200q", path[strings.LastIndex(path, ".")+1:], fmt.Sprint(v)))
		}
	}
	switch {
	case len(c.Sets) == 0:
		return c.Advice
	case len(sets) == 0 && (nodeAt(detail, "requestParameters") == nil || nodeAt(detail, "requestParameters.omitted") != nil):
		return c.Advice // CloudTrail left the parameters out
	case len(sets) == 0:
		return ""
	}
	return "It sets " + strings.Join(sets, ", ") + ". " + c.Advice
}

// texts returns the strings in a node. It returns false if any part of the node
// is something else.
func texts(node any) ([]string, bool) {
	switch node := node.(type) {
	case string:
		return []string{node}, true
	case map[string]any:
		if id, ok := node["resourceId"]; ok {
			return texts(id)
		}
		return texts(node["content"])
	case []any:
		var all []string
		for _, e := range node {
			some, ok := texts(e)
			if !ok {
				return nil, false
			}
			all = append(all, some...)
		}
		return all, len(all) > 0
	}
	return nil, false
}

// unquote returns the value in a string of JSON. It returns any other node
// unchanged.
func unquote(node any) any {
	s, ok := node.(string)
	if !ok {
		return node
	}
	var inner any
	if json.Unmarshal([]byte(s), &inner) != nil {
		return node
	}
	return inner
}
