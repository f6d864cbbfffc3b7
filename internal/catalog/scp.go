package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/lazy"
)

// SCPLimit is the longest service control policy, in characters. Source: AWS
// Organizations User Guide, "Quotas for AWS Organizations".
const SCPLimit = 5120

// guarded says which resources of relight's the watched calls of a type act on, as
// the ends of ARNs, which begin with the partition. A type that is absent is of
// resources whose names relight does not choose.
var guarded = map[ResourceType][]string{
	EventRule:    {"events:*:*:rule/" + InPrefix + "-*", "events:*:*:rule/" + InPrefix + "/*"},
	Lambda:       {"lambda:*:*:function:" + InPrefix + "-*"},
	OwnFunction:  {"lambda:*:*:function:" + InPrefix + "-*"},
	Stack:        {"cloudformation:*:*:stack/" + InPrefix + "*"},
	EventBus:     {"events:*:*:event-bus/" + InPrefix + "*"},
	UsedBus:      {"events:*:*:event-bus/" + InPrefix + "*"},
	SQSQueue:     {"sqs:*:*:" + InPrefix + "-*"},
	StateMachine: {"states:*:*:stateMachine:" + InPrefix + "-*", "states:*:*:execution:" + InPrefix + "-*"},
	Schedule:     {"scheduler:*:*:schedule/*/" + InPrefix + "-*"},
	Topic:        {"sns:*:*:" + InPrefix + "-*"},
	Alarm:        {"cloudwatch:*:*:alarm:" + InPrefix + "-*"},
	Parameter:    {"ssm:*:*:parameter/" + InPrefix + "/memory/*"},
	Role:         {"iam::*:role/" + InPrefix + "-*"},
}

// alsoGuarded are calls that cut relight and that relight does not watch.
var alsoGuarded = []struct {
	actions   []string
	resources []string
}{
	{[]string{"iam:CreateRole"}, nil}, // a role with the name of an exempt one would be exempt
	{[]string{"iam:PassRole"}, nil},   // a function with an exempt role would be exempt
	{[]string{"sqs:ReceiveMessage", "sqs:DeleteMessage"}, nil},
	{[]string{"sns:PutDataProtectionPolicy"}, nil},
	{[]string{"logs:DeleteLogGroup", "logs:PutRetentionPolicy"}, []string{"logs:*:*:log-group:" + InPrefix + "-*", "logs:*:*:log-group:/aws/lambda/" + InPrefix + "-*"}},
}

// unnamed are calls whose resources SNS and KMS do not let a policy name by
// relight's prefix: denying them would deny them on everything of the account.
var unnamed = []string{"sns:Unsubscribe", "sns:SetSubscriptionAttributes"}

// apiDate is the end of the names that Lambda's calls have in records.
var apiDate = lazy.Compile(`\d{8}(v\d)?$`)

// Permission returns the IAM action of the call.
func (c Call) Permission() string {
	service := strings.TrimPrefix(c.Source, "aws.")
	if service == "monitoring" {
		service = "cloudwatch"
	}
	return service + ":" + apiDate.ReplaceAllString(c.Name, "")
}

// An SCPStatement is a statement of a service control policy.
type SCPStatement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  any                       // a list, or "*"
	Condition map[string]map[string]any `json:",omitempty"`
}

// SCP returns the service control policy that denies the calls that cut relight, on
// resources whose names begin with its prefix and on its permissions boundary, to every principal but relight's own
// roles and those whose ARNs match one of the patterns. Nobody else may change the
// roles that match, either, nor those that may pause relight. Only the latter, and the users that may, may write what pauses it.
func (b Baseline) SCP(partition string, allow []string) ([]SCPStatement, error) {
	arn := func(end string) string { return "arn:" + partition + ":" + strings.ReplaceAll(end, InPrefix, b.Prefix) }
	var actions, resources, onMappings []string
	add := func(action string, ends []string) {
		if !slices.Contains(actions, action) {
			actions = append(actions, action)
		}
		for _, end := range ends {
			if !slices.Contains(resources, arn(end)) {
				resources = append(resources, arn(end))
			}
		}
	}
	for _, c := range Calls {
		if c.Type == MappedSource && !slices.Contains(onMappings, c.Permission()) { // its ARN names no function, but a condition can
			onMappings = append(onMappings, c.Permission())
		}
		if c.Type == IAMPolicy && b.Boundary != "" {
			add(c.Permission(), nil)
			if !slices.Contains(resources, b.Boundary) {
				resources = append(resources, b.Boundary)
			}
		}
		if ends := guarded[c.Type]; ends != nil && c.DetailType == APICall && !slices.Contains(unnamed, c.Permission()) {
			add(c.Permission(), ends)
		}
	}
	for _, more := range alsoGuarded {
		for _, action := range more.actions {
			add(action, more.resources)
		}
	}
	exempt := append([]string{arn("iam::*:role/" + InPrefix + "-*")}, allow...)
	for _, role := range slices.Concat(allow, b.pausers()) {
		if !slices.Contains(resources, role) {
			resources = append(resources, role)
		}
	}
	slices.Sort(actions)
	slices.Sort(resources)
	but := func() map[string]map[string]any {
		return map[string]map[string]any{"ArnNotLike": {"aws:PrincipalArn": exempt}}
	}
	mappings := but() // Source of the key: Service Authorization Reference, AWS Lambda
	mappings["ArnLike"] = map[string]any{"lambda:FunctionArn": arn("lambda:*:*:function:" + InPrefix + "-*")}
	pausing := SCPStatement{Sid: "GuardPause", Effect: "Deny", Resource: arn("ssm:*:*:parameter" + b.PauseParameter())}
	for _, c := range Calls {
		if action := c.Permission(); c.Type == Parameter && !slices.Contains(pausing.Action, action) {
			pausing.Action = append(pausing.Action, action)
		}
	}
	if len(b.PauseBy) > 0 { // otherwise nobody may pause
		pausing.Condition = map[string]map[string]any{"ArnNotLike": {"aws:PrincipalArn": b.PauseBy}}
	}
	policy := []SCPStatement{
		{Sid: "GuardRelight", Effect: "Deny", Action: actions, Resource: resources, Condition: but()},
		{Sid: "GuardMappings", Effect: "Deny", Action: onMappings, Resource: "*", Condition: mappings},
		pausing,
	}
	if n := len(SCPText(policy)); n > SCPLimit {
		return policy, fmt.Errorf("the policy has %d characters, and AWS accepts %d: allow fewer roles", n, SCPLimit)
	}
	return policy, nil
}

// pausers returns those of PauseBy that are roles.
func (b Baseline) pausers() []string {
	return slices.DeleteFunc(slices.Clone(b.PauseBy), func(arn string) bool { return !strings.Contains(arn, ":role/") })
}

// SCPText returns the policy as the JSON that AWS Organizations accepts.
func SCPText(policy []SCPStatement) string {
	raw, err := json.Marshal(struct {
		Version   string
		Statement []SCPStatement
	}{"2012-10-17", policy})
	if err != nil { // strings, and lists and maps of strings, always marshal
		panic(err)
	}
	return string(raw)
}
