package awstest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// A rule is an EventBridge rule with its targets.
type rule struct {
	types.Rule
	targets map[string]types.Target // by ID
}

func (r *rule) state() map[string]any {
	return map[string]any{"state": r.State, "pattern": r.EventPattern, "targets": r.targets}
}

func scheduleState(s *scheduler.GetScheduleOutput) map[string]any {
	return map[string]any{
		"state": s.State, "expression": s.ScheduleExpression, "window": s.FlexibleTimeWindow, "target": s.Target, "start": s.StartDate, "end": s.EndDate, "key": s.KmsKeyArn,
		"zone": s.ScheduleExpressionTimezone,
	}
}

// AddBus makes an event bus.
func (a *Account) AddBus(regionName, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[regionName].buses[name] = true
}

// DeleteBus deletes an event bus with its rules, which AWS requires its caller to
// delete first.
func (a *Account) DeleteBus(regionName, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.regions[regionName].buses, name)
	for key := range a.regions[regionName].rules {
		if strings.HasPrefix(key, name+"/") {
			delete(a.regions[regionName].rules, key)
		}
	}
}

// SetStack makes a stack, or changes it.
func (a *Account) SetStack(regionName string, s cftypes.Stack) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[regionName].stacks[*s.StackName] = &s
}

// DeleteStack takes a stack away, and nothing that it made.
func (a *Account) DeleteStack(regionName, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.regions[regionName].stacks, name)
}

const defaultBus = "default"

// on returns the name of a bus, which may be named by its ARN, if it exists.
// Source: EventBridge API Reference, PutRule, EventBusName.
func (c *request) on(bus *string) (string, error) {
	name := aws.ToString(bus)
	name = name[strings.LastIndex(name, "/")+1:]
	if name == "" || name == defaultBus {
		return defaultBus, nil
	}
	if !c.buses[name] {
		return "", refuse("ResourceNotFoundException", "Event bus %s does not exist.", name)
	}
	return name, nil
}

func (c *request) rule(bus, name *string) (*rule, error) {
	on, err := c.on(bus)
	if err != nil {
		return nil, err
	}
	if r := c.rules[on+"/"+*name]; r != nil {
		return r, nil
	}
	return nil, refuse("ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", *name, on)
}

func listRules(c *request, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	bus, err := c.on(in.EventBusName)
	if err != nil {
		return nil, err
	}
	found := map[string]types.Rule{}
	for key, r := range c.rules {
		if strings.HasPrefix(key, bus+"/"+aws.ToString(in.NamePrefix)) {
			found[key] = r.Rule
		}
	}
	out := &eventbridge.ListRulesOutput{}
	out.Rules, out.NextToken, err = paged(c, eventPage(in.NextToken, in.Limit), found)
	return out, err
}

func eventPage(token *string, limit *int32) page {
	return page{token: token, ask: limit, least: 1, most: 100, usual: 100, limit: "ValidationException", bad: "ValidationException"}
}

// putRule creates or replaces a rule; what the request leaves out is not kept.
// Source: EventBridge API Reference, PutRule.
func putRule(c *request, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	bus, err := c.on(in.EventBusName)
	if err != nil {
		return nil, err
	}
	if in.EventPattern != nil && !json.Valid([]byte(*in.EventPattern)) {
		return nil, refuse("InvalidEventPatternException", "Event pattern is not valid.")
	}
	key := bus + "/" + *in.Name
	if c.rules[key] == nil {
		c.rules[key] = &rule{targets: map[string]types.Target{}}
	}
	state := in.State
	if state == "" {
		state = types.RuleStateEnabled
	}
	arn := c.arn("events", c.name, "rule/"+*in.Name)
	if bus != defaultBus {
		arn = c.arn("events", c.name, "rule/"+key)
	}
	c.rules[key].Rule = types.Rule{
		Name: in.Name, Arn: aws.String(arn), EventBusName: aws.String(bus), EventPattern: in.EventPattern, State: state, Description: in.Description,
	}
	c.wrote(arn)
	return &eventbridge.PutRuleOutput{RuleArn: aws.String(arn)}, nil
}

func setRuleState(c *request, bus, name *string, state types.RuleState) error {
	r, err := c.rule(bus, name)
	if err != nil {
		return err
	}
	r.State = state
	c.wrote(*r.Arn)
	return nil
}

func disableRule(c *request, in *eventbridge.DisableRuleInput) error {
	return setRuleState(c, in.EventBusName, in.Name, types.RuleStateDisabled)
}

func enableRule(c *request, in *eventbridge.EnableRuleInput) error {
	return setRuleState(c, in.EventBusName, in.Name, types.RuleStateEnabled)
}

// deleteRule deletes a rule without targets. A rule that does not exist is no
// error. Source: EventBridge API Reference, DeleteRule.
func deleteRule(c *request, in *eventbridge.DeleteRuleInput) error {
	r, err := c.rule(in.EventBusName, in.Name)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if len(r.targets) > 0 {
		return refuse("ValidationException", "Rule can't be deleted since it has targets.")
	}
	delete(c.rules, *r.EventBusName+"/"+*r.Name)
	c.wrote(*r.Arn)
	return nil
}

func listTargets(c *request, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	r, err := c.rule(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListTargetsByRuleOutput{}
	out.Targets, out.NextToken, err = paged(c, eventPage(in.NextToken, in.Limit), r.targets)
	return out, err
}

// targetsPerRule is a quota. Source: EventBridge User Guide, "EventBridge quotas".
const targetsPerRule = 5

// putTargets adds targets or replaces those with the same IDs.
func putTargets(c *request, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	r, err := c.rule(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Targets {
		if _, has := r.targets[*t.Id]; !has && len(r.targets) == targetsPerRule {
			return nil, refuse("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
		}
		r.targets[*t.Id] = t
	}
	c.wrote(*r.Arn)
	return &eventbridge.PutTargetsOutput{}, nil
}

func removeTargets(c *request, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	r, err := c.rule(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	for _, id := range in.Ids {
		delete(r.targets, id)
	}
	c.wrote(*r.Arn)
	return &eventbridge.RemoveTargetsOutput{}, nil
}

func noSchedule(name string) error {
	return refuse("ResourceNotFoundException", "Schedule %s does not exist.", name)
}

func getSchedule(c *request, in *scheduler.GetScheduleInput) (*scheduler.GetScheduleOutput, error) {
	if s := c.schedules[*in.Name]; s != nil {
		return s, nil
	}
	return nil, noSchedule(*in.Name)
}

func createSchedule(c *request, in *scheduler.CreateScheduleInput) (*scheduler.CreateScheduleOutput, error) {
	if c.schedules[*in.Name] != nil {
		return nil, refuse("ConflictException", "Schedule %s already exists.", *in.Name)
	}
	c.putSchedule(&scheduler.GetScheduleOutput{
		Name: in.Name, State: in.State, ScheduleExpression: in.ScheduleExpression, FlexibleTimeWindow: in.FlexibleTimeWindow, Target: in.Target, KmsKeyArn: in.KmsKeyArn,
		StartDate: in.StartDate, EndDate: in.EndDate, Description: in.Description,
		ScheduleExpressionTimezone: aws.String(cmp.Or(aws.ToString(in.ScheduleExpressionTimezone), "UTC")), // the default: API Reference, CreateSchedule
	})
	return &scheduler.CreateScheduleOutput{ScheduleArn: c.schedules[*in.Name].Arn}, nil
}

// updateSchedule replaces every setting. Source: EventBridge Scheduler API
// Reference, UpdateSchedule.
func updateSchedule(c *request, in *scheduler.UpdateScheduleInput) (*scheduler.UpdateScheduleOutput, error) {
	if c.schedules[*in.Name] == nil {
		return nil, noSchedule(*in.Name)
	}
	c.putSchedule(&scheduler.GetScheduleOutput{
		Name: in.Name, State: in.State, ScheduleExpression: in.ScheduleExpression, FlexibleTimeWindow: in.FlexibleTimeWindow, Target: in.Target, KmsKeyArn: in.KmsKeyArn,
		StartDate: in.StartDate, EndDate: in.EndDate, Description: in.Description,
		ScheduleExpressionTimezone: aws.String(cmp.Or(aws.ToString(in.ScheduleExpressionTimezone), "UTC")), // the default: API Reference, CreateSchedule
	})
	return &scheduler.UpdateScheduleOutput{ScheduleArn: c.schedules[*in.Name].Arn}, nil
}

func (c *request) putSchedule(s *scheduler.GetScheduleOutput) {
	if s.State == "" {
		s.State = schedulertypes.ScheduleStateEnabled
	}
	s.Arn = aws.String(c.arn("scheduler", c.name, "schedule/default/"+*s.Name))
	c.schedules[*s.Name] = s
	c.wrote(*s.Arn)
}

func deleteSchedule(c *request, in *scheduler.DeleteScheduleInput) error {
	if c.schedules[*in.Name] == nil {
		return noSchedule(*in.Name)
	}
	delete(c.schedules, *in.Name)
	c.wrote(*in.Name)
	return nil
}

// describeStacks returns a stack by its name. Source: AWS CloudFormation API
// Reference, DescribeStacks: "If the stack doesn't exist, a ValidationError is
// returned".
func describeStacks(c *request, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	var found []cftypes.Stack
	for name, s := range c.stacks {
		if in.StackName == nil || *in.StackName == name {
			found = append(found, *s)
		}
	}
	if in.StackName != nil && len(found) == 0 {
		return nil, refuse("ValidationError", "Stack with id %s does not exist", *in.StackName)
	}
	slices.SortFunc(found, func(a, b cftypes.Stack) int { return strings.Compare(*a.StackName, *b.StackName) })
	return &cloudformation.DescribeStacksOutput{Stacks: found}, nil
}

// guardOperations are the operations that this file answers.
var guardOperations = []operation{
	handle(listRules),
	handle(putRule),
	act[eventbridge.DisableRuleOutput](disableRule),
	act[eventbridge.EnableRuleOutput](enableRule),
	act[eventbridge.DeleteRuleOutput](deleteRule),
	handle(listTargets),
	handle(putTargets),
	handle(removeTargets),
	handle(getSchedule),
	handle(createSchedule),
	handle(updateSchedule),
	act[scheduler.DeleteScheduleOutput](deleteSchedule),
	handle(describeStacks),
}
