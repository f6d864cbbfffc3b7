package awsio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) events() *eventbridge.Client { return client(r, eventbridge.NewFromConfig) }

func (r *region) scheduler() *scheduler.Client { return client(r, scheduler.NewFromConfig) }

func (r *region) cloudformation() *cloudformation.Client {
	return client(r, cloudformation.NewFromConfig)
}

// Guard returns the kind whose plans restore relight's own stack.
func Guard() Kind {
	return kindOf(
		catalog.Guard,
		(*region).observeGuard,
		each((*region).putRule),
		each((*region).putRuleTarget),
		each((*region).putSchedule),
		each((*region).freeFunction),
		each((*region).putMapping),
		each((*region).putQueue),
		each((*region).createLogGroup),
		each((*region).raiseRetention),
		each((*region).putAlarm),
	)
}

// observeGuard reads relight's own stack. An event about somebody else's rule or
// schedule costs no read.
//
// A sweep reads every rule, and the targets of the rules that hear of changes of
// rules: as long as these work, an event says when another target changes. If one
// of these does not work, such an event may have been lost, so the sweep reads all
// targets. It also reads some of the other targets, in turn.
func (r *region) observeGuard(ctx context.Context, s remedy.Scope) (*plan.GuardState, error) {
	if r.Want.Member != "" {
		return r.observeSpoke(ctx, s)
	}
	names := s.Names.List()
	if r.Want.Schedule == "" {
		return &plan.GuardState{Elsewhere: "relight is not deployed, or this is not one of its functions: only those check it"}, nil
	}
	state := &plan.GuardState{}
	rules := r.parts().Rules
	named := func(rule catalog.Rule) bool { return len(names) == 0 || slices.Contains(names, rule.Name) }
	var err error
	switch s.Type {
	case catalog.EventRule:
		if !slices.ContainsFunc(rules, named) {
			return &plan.GuardState{Elsewhere: "the event is about another rule"}, nil
		}
		err = r.guardRules(ctx, state, rules, named)
	case catalog.Lambda:
		if err = r.guardFunctions(ctx, state, func(f catalog.Function) bool {
			return len(names) == 0 || slices.Contains(names, r.Want.FunctionName(f))
		}); err == nil && len(state.Functions) == 0 {
			return &plan.GuardState{Elsewhere: "the event is about another function"}, nil
		}
	case catalog.MappedSource:
		if err = r.guardMappings(ctx, state, names); err == nil && len(state.Mappings) == 0 {
			return &plan.GuardState{Elsewhere: "the event is about another event source"}, nil
		}
	case catalog.LogGroup:
		if err = r.guardLogs(ctx, state, names); err == nil && len(state.Logs) == 0 {
			return &plan.GuardState{Elsewhere: "the event is about another log group"}, nil
		}
	case catalog.OwnFunction, catalog.StateMachine, catalog.Role, catalog.IAMPolicy, catalog.EventBus, catalog.UsedBus, catalog.Stack:
		return r.guardNamed(ctx, s.Type, names) // calls on these are only reported
	case catalog.SQSQueue:
		if state, err = r.guardNamed(ctx, s.Type, names); err != nil || state.Elsewhere != "" {
			return state, err
		}
		if err = r.guardNamedQueues(ctx, state, names); err == nil && len(state.Queues) == 0 {
			return state, nil
		}
	case catalog.Schedule:
		if err = r.guardSchedules(ctx, state, names); err == nil && len(state.Schedules) == 0 {
			return &plan.GuardState{Elsewhere: "the event is about another schedule"}, nil
		}
	default:
		return state, r.guardStack(ctx, state, rules)
	}
	if err != nil {
		return nil, err
	}
	if err := r.guardChange(ctx, state); err != nil { // after the parts, so that no deployment that begins meanwhile looks like somebody else's change
		return nil, err
	}
	if state.Absent { // the call that deleted it is reported, and so does the next sweep
		state.Elsewhere = "the stack of the forwarder does not exist"
	}
	return state, nil
}

// isHome reports whether the region is the home region.
func (r *region) isHome() bool { return r.name == r.Want.HomeRegion }

// guardStack reads relight's stack in the region. A forwarder is small, and an event
// about it may be lost on a way that begins in the forwarder, so all of it is read.
func (r *region) guardStack(ctx context.Context, state *plan.GuardState, rules []catalog.Rule) error {
	if r.isHome() {
		if err := r.guardAll(ctx, state, rules); err != nil {
			return err
		}
		if err := r.guardChange(ctx, state); err != nil || state.Changing != "" {
			return err
		}
		return r.guardKnown(ctx, state)
	}
	if err := r.guardChange(ctx, state); err != nil || state.Absent || state.Unknown || state.Changing != "" {
		return err
	}
	if state.Topic == "" {
		state.Unread = append(state.Unread, plan.NewFinding(plan.GuardUnread, plan.Args{
			"part": "alarm in " + r.name, "error": "the stack " + r.parts().Stack + " has no output " + catalog.OutputTopic + ", the topic that the alarm notifies", "hint": "deploy relight again",
		}))
	}
	state.Deaf = true
	return r.guardAll(ctx, state, rules)
}

// guardChange reads whether CloudFormation is changing relight's stack in the region,
// and whether the stack of a forwarder exists. relight restores nothing of a forwarder
// if it may not read that.
func (r *region) guardChange(ctx context.Context, state *plan.GuardState) error {
	stacks, err := r.stack(ctx)
	if !r.isHome() {
		var why []plan.Finding
		why, err = unread(plan.GuardUnread, plan.Args{"part": "stack " + r.parts().Stack}, err)
		state.Unread, state.Unknown = append(state.Unread, why...), why != nil
		state.Absent = !state.Unknown && !slices.ContainsFunc(stacks, deployedStack)
		state.Topic = topicOfStack(stacks)
	}
	if err != nil || state.Unknown {
		return err
	}
	state.Stack = stackState(stacks)
	state.Changing, err = r.changing(ctx, stacks)
	return err
}

// guardAll reads every part of the stack. What keeps relight from reading one part,
// such as a queue's policy, does not keep it from reading the others: whoever may
// write the policy would otherwise stop every repair.
func (r *region) guardAll(ctx context.Context, state *plan.GuardState, rules []catalog.Rule) error {
	for _, part := range []struct {
		name string
		read func() error
	}{
		{"queues", func() error { return r.guardQueues(ctx, state) }},
		{"guard's function", func() error { return r.guardOwnFunctions(ctx, state) }},
		{"event source mappings", func() error { return r.guardOwnMappings(ctx, state) }},
		{"rules", func() error { return r.guardRules(ctx, state, rules, r.turn(rules)) }},
		{"schedules", func() error { return r.guardSchedules(ctx, state, nil) }},
		{"functions", func() error { return r.guardOtherFunctions(ctx, state) }},
		{"queues in turn", func() error { return r.guardOtherQueues(ctx, state) }},
		{"alarms", func() error { return r.guardAlarms(ctx, state) }},
		{"log groups of functions", func() error { return r.guardLogs(ctx, state, nil) }},
	} {
		why, err := unread(plan.GuardUnread, plan.Args{"part": part.name}, part.read())
		if err != nil {
			return err
		}
		if why != nil {
			state.Unread, state.Deaf = append(state.Unread, why...), true
		}
	}
	return nil
}

// guardNamed returns the state for a call on parts of relight that calls name. A
// change set that is given by its ARN does not say whose it is: it counts as
// relight's while CloudFormation changes relight's stack.
func (r *region) guardNamed(ctx context.Context, of catalog.ResourceType, names []string) (*plan.GuardState, error) {
	state := &plan.GuardState{}
	for _, name := range names {
		ours := r.ours(of, name)
		if of == catalog.Stack && strings.Contains(name, ":changeSet/") && r.Want.Member == "" {
			changing, err := r.stackChanging(ctx)
			if err != nil {
				return nil, err
			}
			ours = changing != ""
		}
		if ours {
			state.Named = append(state.Named, name)
		}
	}
	if len(names) > 0 && len(state.Named) == 0 {
		state.Elsewhere = "the event is about another " + strings.TrimPrefix(string(of), "own-")
	}
	return state, nil
}

// defaultBus is the name of the bus that AWS services send to. Source: EventBridge API
// Reference, UpdateEventBus, Name.
const defaultBus = "default"

// stackSet begins the name of a stack of a stack set, and the name of the set follows. Source:
// AWS CLI Command Reference, describe-stack-instance, whose example has such a name, documented.
const stackSet = "StackSet-"

// ours reports whether a name is one of relight's own stack, or like one. CloudFormation
// begins the names that it makes up with that of the stack. The delivery role is
// another kind's.
func (r *region) ours(of catalog.ResourceType, name string) bool {
	like := strings.HasPrefix(name, r.Want.Name(""))
	switch of {
	case catalog.UsedBus:
		return like || name == r.Want.BusName() || name == defaultBus
	case catalog.IAMPolicy:
		return name == r.Want.Boundary
	case catalog.Stack:
		return like || name == r.Want.StackName() || r.Want.Member != "" && strings.HasPrefix(name, stackSet+r.Want.Name(""))
	case catalog.EventBus:
		return like || name == r.Want.BusName()
	case catalog.Role: // IAM does not distinguish names by case
		like = strings.HasPrefix(strings.ToLower(name), strings.ToLower(r.Want.Name(""))) || r.Want.Member != "" && strings.EqualFold(name, r.Want.Organization.Role)
		return like && !strings.HasSuffix(strings.ToLower(r.Want.DeliveryRole), "/"+strings.ToLower(name))
	}
	return like
}

// guardLogs reads the log groups of relight's functions among those names, or all for
// none.
func (r *region) guardLogs(ctx context.Context, state *plan.GuardState, names []string) error {
	wanted := slices.DeleteFunc(slices.Clone(r.parts().Logs), func(group string) bool { return len(names) > 0 && !slices.Contains(names, group) })
	state.Logs = map[string]*plan.LogGroup{}
	if len(wanted) == 0 {
		return nil
	}
	found := map[string]plan.LogGroup{}
	if err := r.listLogGroups(ctx, catalog.FunctionLogs(r.Want.Name("")), wanted, found); err != nil {
		return err
	}
	for _, group := range wanted {
		state.Logs[group] = nil
		if g, exists := found[group]; exists {
			state.Logs[group] = &g
		}
	}
	return nil
}

// guardAlarms reads the alarms of a forwarder.
func (r *region) guardAlarms(ctx context.Context, state *plan.GuardState) error {
	var names []string
	for _, a := range r.parts().Alarms {
		names = append(names, r.Want.Name(a.ID))
	}
	if len(names) == 0 {
		return nil
	}
	alarms := &plan.AlarmState{Named: names}
	if err := r.describeAlarms(ctx, alarms, names); err != nil {
		return err
	}
	state.Alarms = alarms
	return nil
}

// hears reports whether a rule hears of changes of the rules of the home region.
func hears(rule catalog.Rule) bool {
	return rule.Kind == catalog.Guard && rule.Bus == "" && rule.Pattern.Source[0] == "aws.events"
}

// inTurn is how many targets a sweep reads besides those that it always reads.
const inTurn = 1

// interval returns the number of the interval between sweeps that it is now.
func (r *region) interval() int {
	return int(r.Now().Unix() / int64(max(1, r.Want.Guard.SweepMinutes)*60))
}

// alternate returns which of n functions or queues a sweep reads, and whether it is
// a queue: one interval reads a function, and the next one a queue.
func (r *region) alternate(n int) (i int, queue bool) {
	if r.Now == nil {
		return 0, false
	}
	now := r.interval()
	return now / 2 % max(1, n), now%2 == 1
}

// turn returns which rules' targets a sweep reads.
func (r *region) turn(rules []catalog.Rule) func(catalog.Rule) bool {
	var others []plan.RuleKey
	for _, rule := range rules {
		if !hears(rule) {
			others = append(others, plan.KeyOf(rule))
		}
	}
	chosen := map[plan.RuleKey]bool{}
	if n := len(others); n > 0 && r.Now != nil {
		for i := range inTurn {
			chosen[others[(r.interval()*inTurn+i)%n]] = true
		}
	}
	return func(rule catalog.Rule) bool { return hears(rule) || chosen[plan.KeyOf(rule)] }
}

// guardRules reads the rules, and the targets of those that are chosen. If a rule
// that hears of changes of rules does not work, it reads the targets of all.
func (r *region) guardRules(ctx context.Context, state *plan.GuardState, rules []catalog.Rule, chosen func(catalog.Rule) bool) error {
	state.Rules = map[plan.RuleKey]*plan.RuleState{}
	buses := map[string]bool{}
	for _, rule := range rules {
		buses[rule.Bus] = true
	}
	listed := map[plan.RuleKey]*plan.RuleState{}
	sorted := slices.Sorted(maps.Keys(buses))
	lists := make([]map[plan.RuleKey]*plan.RuleState, len(sorted))
	err := eachAtOnce(sorted, func(i int, bus string) (err error) {
		lists[i], err = r.listRules(ctx, bus)
		if bus != "" {
			err = gone(err)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, list := range lists {
		if list == nil {
			state.BusGone = true
			buses[sorted[i]] = false
		}
		maps.Copy(listed, list)
	}
	order.By(rules, func(a, b catalog.Rule) int { // those that hear come first
		return cmp.Compare(fmt.Sprint(!hears(a)), fmt.Sprint(!hears(b)))
	})
	deaf := state.Deaf
	for _, rule := range rules {
		key := plan.KeyOf(rule)
		if !buses[rule.Bus] {
			continue
		}
		seen := listed[key]
		state.Rules[key] = seen
		if seen != nil && (deaf || chosen(rule)) {
			var err error
			if seen.Targets, err = r.ruleTargets(ctx, key); err != nil {
				return err
			}
			seen.Read = true
		}
		if hears(rule) && plan.RuleDrift(rule, seen)+plan.TargetDrift(plan.WantedTarget(r.Want, rule), seen) != "" {
			deaf, state.Deaf = true, true
		}
	}
	return nil
}

// eventsPage is the largest page of EventBridge's listings. Source: EventBridge API
// Reference, ListRules, Limit.
const eventsPage = 100

// listRules returns the rules of a bus that have names like those of the stack.
func (r *region) listRules(ctx context.Context, bus string) (map[plan.RuleKey]*plan.RuleState, error) {
	to := map[plan.RuleKey]*plan.RuleState{}
	in := &eventbridge.ListRulesInput{NamePrefix: aws.String(r.Want.Name("")), EventBusName: orNone(bus), Limit: aws.Int32(eventsPage)}
	for {
		out, err := r.events().ListRules(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, one := range out.Rules {
			to[plan.RuleKey{Bus: bus, Name: aws.ToString(one.Name)}] = &plan.RuleState{State: string(one.State), Pattern: aws.ToString(one.EventPattern)}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return to, nil
		}
	}
}

// ruleTargets returns the targets of a rule, none if it was deleted meanwhile.
func (r *region) ruleTargets(ctx context.Context, rule plan.RuleKey) ([]plan.RuleTarget, error) {
	var targets []plan.RuleTarget
	in := &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule.Name), EventBusName: orNone(rule.Bus), Limit: aws.Int32(eventsPage)}
	for {
		out, err := r.events().ListTargetsByRule(ctx, in)
		if err != nil {
			return nil, gone(err)
		}
		for _, t := range out.Targets {
			targets = append(targets, ruleTarget(t))
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return targets, nil
		}
	}
}

func ruleTarget(t ebtypes.Target) plan.RuleTarget {
	target := plan.RuleTarget{
		ID: aws.ToString(t.Id), ARN: aws.ToString(t.Arn), Role: aws.ToString(t.RoleArn), Age: catalog.UsualAge, Retries: catalog.UsualRetries,
		Alters: aws.ToString(t.Input) != "" || aws.ToString(t.InputPath) != "" || t.InputTransformer != nil,
	}
	if t.DeadLetterConfig != nil {
		target.DeadLetters = aws.ToString(t.DeadLetterConfig.Arn)
	}
	if p := t.RetryPolicy; p != nil {
		target.Age, target.Retries = int(aws.ToInt32(p.MaximumEventAgeInSeconds)), int(aws.ToInt32(p.MaximumRetryAttempts))
	}
	return target
}

// guardOwnFunctions reads the guard's own function. If it is not as deployed, events
// may have been lost. Where the sweep's function does not look, as it cannot be relied
// on to find that itself was changed, that one is read too.
func (r *region) guardOwnFunctions(ctx context.Context, state *plan.GuardState) error {
	own := catalog.Function(catalog.Guard)
	if err := r.guardFunctions(ctx, state, func(f catalog.Function) bool { return f == own || f == catalog.Backfill && !r.Want.Sweeps() }); err != nil {
		return err
	}
	seen, read := state.Functions[r.Want.FunctionName(own)]
	state.Deaf = state.Deaf || read && (seen == nil || seen.Reserved != nil)
	return nil
}

// guardOwnMappings reads every mapping. If that of the guard's own function is not as
// deployed, events may have been lost.
func (r *region) guardOwnMappings(ctx context.Context, state *plan.GuardState) error {
	if err := r.guardMappings(ctx, state, nil); err != nil {
		return err
	}
	for _, m := range r.parts().Mappings {
		if m.Function != catalog.Function(catalog.Guard) {
			continue
		}
		_, reason := plan.MappingDrift(plan.WantedMapping(r.Want, m), state.Mappings[m.Queue])
		state.Deaf = state.Deaf || reason != ""
	}
	return nil
}

// guardQueues lists relight's queues, and reads the attributes of the guard's own.
func (r *region) guardQueues(ctx context.Context, state *plan.GuardState) error {
	urls := map[string]string{}
	in := &sqs.ListQueuesInput{QueueNamePrefix: aws.String(r.Want.Name("")), MaxResults: aws.Int32(1000)} // without it, SQS does not page
	for {
		out, err := r.sqs().ListQueues(ctx, in)
		if err != nil {
			return err
		}
		for _, url := range out.QueueUrls {
			urls[url[strings.LastIndex(url, "/")+1:]] = url
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			break
		}
	}
	state.Queues = map[string]*plan.QueueState{}
	for _, q := range r.parts().Queues {
		state.Queues[q.Name] = nil
		if urls[q.Name] == "" {
			continue
		}
		state.Queues[q.Name] = &plan.QueueState{URL: urls[q.Name]}
		if q.Name != r.Want.QueueName(catalog.Guard, false) {
			continue
		}
		if err := r.readQueue(ctx, state, q.Name); err != nil {
			return err
		}
		if seen := state.Queues[q.Name]; seen != nil {
			_, reason := plan.QueueDrift(plan.WantedQueue(r.Want, q), seen.Attributes)
			state.Deaf = state.Deaf || reason != ""
		}
	}
	return nil
}

// guardOtherQueues reads the attributes of one other queue in turn, and of all if
// anything keeps the guard's function from hearing of changes.
func (r *region) guardOtherQueues(ctx context.Context, state *plan.GuardState) error {
	names := slices.Sorted(maps.Keys(state.Queues))
	turn, queues := r.alternate(len(names))
	for i, name := range names {
		seen := state.Queues[name]
		if seen == nil || seen.Attributes != nil || !state.Deaf && (!queues || i != turn) {
			continue
		}
		if err := r.readQueue(ctx, state, name); err != nil {
			return err
		}
	}
	return nil
}

// guardNamedQueues reads relight's queues among those names, or all for none.
func (r *region) guardNamedQueues(ctx context.Context, state *plan.GuardState, names []string) error {
	state.Queues = map[string]*plan.QueueState{}
	for _, q := range r.parts().Queues {
		if len(names) > 0 && !slices.Contains(names, q.Name) {
			continue
		}
		state.Queues[q.Name] = nil
		out, err := r.sqs().GetQueueUrl(about(ctx, q.Name), &sqs.GetQueueUrlInput{QueueName: aws.String(q.Name)})
		if err == nil {
			state.Queues[q.Name] = &plan.QueueState{URL: aws.ToString(out.QueueUrl)}
			err = r.readQueue(ctx, state, q.Name)
		}
		if gone(err) != nil {
			delete(state.Queues, q.Name) // unread is not gone
			return err
		}
	}
	return nil
}

// readQueue reads the attributes of a queue, which may have been deleted meanwhile.
func (r *region) readQueue(ctx context.Context, state *plan.GuardState, name string) error {
	seen := state.Queues[name]
	out, err := r.sqs().GetQueueAttributes(about(ctx, name), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(seen.URL), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	if remedy.ClassOf(err) == remedy.Missing {
		state.Queues[name] = nil
		return nil
	}
	why, err := r.unreadPart("queue "+name, err)
	switch {
	case err != nil:
		return err
	case why != nil: // its policy may shut relight out of reading alone
		state.Unread, seen.Attributes, seen.Shut = append(state.Unread, why...), map[string]string{}, true
	default:
		seen.Attributes = out.Attributes
	}
	return nil
}

func (r *region) putQueue(ctx context.Context, a plan.PutQueue) error {
	_, err := r.sqs().SetQueueAttributes(about(ctx, a.Name), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(a.URL), Attributes: a.Attributes})
	return again(err)
}

// guardMappings reads the mappings of relight's queues among those event sources, or
// of all its queues for none.
func (r *region) guardMappings(ctx context.Context, state *plan.GuardState, sources []string) error {
	queues := map[string]string{} // by ARN
	for _, m := range r.parts().Mappings {
		if arn := r.Want.ARN("sqs", m.Queue); len(sources) == 0 || slices.Contains(sources, arn) {
			queues[arn] = m.Queue
		}
	}
	if len(queues) == 0 {
		return nil
	}
	mappings := map[string][]plan.MappingState{}
	for _, queue := range queues {
		mappings[queue] = nil
	}
	in := &lambda.ListEventSourceMappingsInput{}
	if len(sources) == 1 {
		in.EventSourceArn = aws.String(sources[0])
	}
	for {
		out, err := r.lambda().ListEventSourceMappings(ctx, in)
		if err != nil {
			return err
		}
		for _, m := range out.EventSourceMappings {
			if queue, ours := queues[aws.ToString(m.EventSourceArn)]; ours && aws.ToString(m.State) != "Deleting" {
				mappings[queue] = append(mappings[queue], mappingState(m))
			}
		}
		if in.Marker = out.NextMarker; aws.ToString(in.Marker) == "" {
			state.Mappings = mappings // a part of the list would look like deleted mappings
			return nil
		}
	}
}

// mappingState returns a mapping as the planner sees it. A mapping that is being
// switched off is off. Source of the states: AWS Lambda API Reference,
// EventSourceMappingConfiguration, State.
func mappingState(m lambdatypes.EventSourceMappingConfiguration) plan.MappingState {
	got := plan.MappingState{
		ID: aws.ToString(m.UUID), Function: aws.ToString(m.FunctionArn), On: !strings.HasPrefix(aws.ToString(m.State), "Disabl"),
		Batch: int(aws.ToInt32(m.BatchSize)), Window: int(aws.ToInt32(m.MaximumBatchingWindowInSeconds)),
		Partial:  slices.Contains(m.FunctionResponseTypes, catalog.PartialFailures),
		Filtered: m.FilterCriteria != nil && len(m.FilterCriteria.Filters) > 0,
	}
	if m.ScalingConfig != nil {
		got.AtOnce = int(aws.ToInt32(m.ScalingConfig.MaximumConcurrency))
	}
	return got
}

// putMapping creates or updates a mapping. Lambda takes no change of one that is
// still changing, or of one that is still being deleted.
func (r *region) putMapping(ctx context.Context, a plan.PutMapping) error {
	m := a.Mapping
	scaling := &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(int32(m.AtOnce))}
	partial := []lambdatypes.FunctionResponseType{catalog.PartialFailures}
	if a.ID == "" {
		_, err := r.lambda().CreateEventSourceMapping(about(ctx, a.Queue), &lambda.CreateEventSourceMappingInput{
			EventSourceArn: aws.String(r.Want.ARN("sqs", a.Queue)), FunctionName: aws.String(m.Function), Enabled: aws.Bool(true),
			BatchSize: aws.Int32(int32(m.Batch)), MaximumBatchingWindowInSeconds: aws.Int32(int32(m.Window)),
			ScalingConfig: scaling, FunctionResponseTypes: partial,
		})
		return again(err)
	}
	_, err := r.lambda().UpdateEventSourceMapping(about(ctx, a.Queue), &lambda.UpdateEventSourceMappingInput{
		UUID: aws.String(a.ID), FunctionName: aws.String(m.Function), Enabled: aws.Bool(true),
		BatchSize: aws.Int32(int32(m.Batch)), MaximumBatchingWindowInSeconds: aws.Int32(int32(m.Window)),
		ScalingConfig: scaling, FunctionResponseTypes: partial, FilterCriteria: &lambdatypes.FilterCriteria{},
	})
	return again(err)
}

// guardOtherFunctions reads one other function in turn. If anything keeps the guard's
// function from hearing of changes, it reads all.
func (r *region) guardOtherFunctions(ctx context.Context, state *plan.GuardState) error {
	functions, deaf := catalog.Functions(), state.Deaf
	if r.Want.Audit.On() {
		functions = append(functions, catalog.Auditor)
	}
	turn := catalog.Function(catalog.Guard) // which was read
	if i, queues := r.alternate(len(functions)); !queues {
		turn = functions[i]
	}
	return r.guardFunctions(ctx, state, func(f catalog.Function) bool { return deaf || f == turn })
}

// guardFunctions reads the chosen functions, unless they were read.
func (r *region) guardFunctions(ctx context.Context, state *plan.GuardState, chosen func(catalog.Function) bool) error {
	if state.Functions == nil {
		state.Functions = map[string]*plan.FunctionState{}
	}
	for _, f := range r.parts().Functions {
		name := r.Want.FunctionName(f)
		if _, read := state.Functions[name]; read || !chosen(f) {
			continue
		}
		out, err := r.lambda().GetFunction(about(ctx, name), &lambda.GetFunctionInput{FunctionName: aws.String(name)})
		switch {
		case remedy.ClassOf(err) == remedy.Missing:
			state.Functions[name] = nil
		case err != nil:
			return err
		default:
			state.Functions[name] = functionState(out)
		}
	}
	return nil
}

// functionState returns a function as the planner sees it.
func functionState(out *lambda.GetFunctionOutput) *plan.FunctionState {
	got := &plan.FunctionState{Settings: settings(out.Configuration)}
	if out.Concurrency != nil {
		got.Reserved = out.Concurrency.ReservedConcurrentExecutions
	}
	if out.Configuration != nil {
		if at, err := time.Parse(lambdaTime, aws.ToString(out.Configuration.LastModified)); err == nil {
			got.Modified = at.UnixMilli()
		}
	}
	return got
}

// lambdaTime is how Lambda writes times. Source: AWS Lambda API Reference,
// FunctionConfiguration, LastModified, and the example of GetFunction.
const lambdaTime = "2006-01-02T15:04:05.999-0700"

// notSettings are what Lambda says of a function beside its settings: its names, what
// follows from the others, what it is doing, and the version of the runtime, which AWS
// updates. Source: AWS Lambda API Reference, FunctionConfiguration.
var notSettings = []string{
	"FunctionName", "FunctionArn", "Version", "CodeSize", "ConfigSha256", "LastModified", "RevisionId", "RuntimeVersionConfig",
	"State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode",
}

// mostVariables is how many variables of an environment have a mark of their own. The
// stack sets fewer, and somebody who sets more must not fill relight's memory.
const mostVariables = 30

// settings returns the marks of what a function consists of: of everything that Lambda
// says, so that none is forgotten.
func settings(c *lambdatypes.FunctionConfiguration) plan.Settings {
	marks := plan.Settings{}
	raw, err := json.Marshal(c)
	var all map[string]any
	if err != nil || json.Unmarshal(raw, &all) != nil { // texts, numbers, and lists and structures of them
		return marks
	}
	if c != nil && c.Environment != nil && c.Environment.Error == nil && len(c.Environment.Variables) <= mostVariables {
		delete(all, "Environment")
		for name, value := range c.Environment.Variables {
			marks[plan.EnvSetting(name)] = plan.MarkSetting(value)
		}
	}
	for name, value := range all {
		if value = compact(value); value == nil || slices.Contains(notSettings, name) {
			continue
		}
		raw, err := json.Marshal(value)
		if err == nil { // it was JSON before
			marks[name] = plan.MarkSetting(string(raw))
		}
	}
	return marks
}

// compact returns JSON without empty values, or nil if it is empty: Lambda may leave a
// setting out or show it empty.
func compact(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if v[key] = compact(inner); v[key] == nil {
				delete(v, key)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = compact(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return value
}

// guardKnown prepares to compare the functions with what sweeps have seen. It also
// reads those of which none has seen anything since the stack was deployed, and those
// that were not as remembered. Whatever CloudFormation says is read after the functions:
// a deployment that begins meanwhile must not look like somebody else's change.
func (r *region) guardKnown(ctx context.Context, state *plan.GuardState) error {
	adopted, err := remedy.Recall(ctx)
	if err != nil || adopted.Unreadable != "" { // reported by the sweep, which needs the memory for more; nothing here waits for it
		return nil //nolint:nilerr // see above
	}
	state.Known = adopted.Functions
	before := len(state.Functions)
	why, err := unread(plan.GuardUnread, plan.Args{"part": "functions"}, r.guardFunctions(ctx, state, func(f catalog.Function) bool {
		return !state.Known.Settled(r.Want.FunctionName(f), state.Stack)
	}))
	if err != nil {
		return err
	}
	for _, f := range why {
		if !slices.Contains(state.Unread, f) {
			state.Unread = append(state.Unread, f)
		}
	}
	state.Compared = true
	if len(state.Functions) > before {
		was := state.Stack
		err = r.guardChange(ctx, state)
		state.Compared = state.Stack == was
	}
	return err
}

func (r *region) freeFunction(ctx context.Context, a plan.FreeFunction) error {
	_, err := r.lambda().DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String(a.Name)})
	return gone(err)
}

// guardSchedules reads relight's schedules among those names, or all for no names.
func (r *region) guardSchedules(ctx context.Context, state *plan.GuardState, names []string) error {
	state.Schedules = map[string]*plan.ScheduleState{}
	if !r.parts().Sweeps {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(plan.WantedSchedules(r.Want))) {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		seen, err := r.schedule(ctx, name)
		if err != nil {
			return err
		}
		state.Schedules[name] = seen
	}
	return nil
}

// utc is the time zone of a schedule for which none is set. Source: EventBridge
// Scheduler API Reference, CreateSchedule, ScheduleExpressionTimezone.
const utc = "UTC"

// schedule returns a schedule, or nil if it does not exist.
func (r *region) schedule(ctx context.Context, name string) (*plan.ScheduleState, error) {
	out, err := r.scheduler().GetSchedule(ctx, &scheduler.GetScheduleInput{Name: aws.String(name)})
	if err != nil {
		return nil, gone(err)
	}
	got := &plan.ScheduleState{State: string(out.State), Expression: aws.ToString(out.ScheduleExpression), Bounded: out.StartDate != nil || out.EndDate != nil, Key: aws.ToString(out.KmsKeyArn)}
	if zone := aws.ToString(out.ScheduleExpressionTimezone); zone != utc {
		got.Zone = zone
	}
	if w := out.FlexibleTimeWindow; w != nil && w.Mode == schedulertypes.FlexibleTimeWindowModeFlexible {
		got.Window = int(aws.ToInt32(w.MaximumWindowInMinutes))
	}
	if t := out.Target; t != nil {
		got.Target, got.Role, got.Input = aws.ToString(t.Arn), aws.ToString(t.RoleArn), aws.ToString(t.Input)
		if t.DeadLetterConfig != nil {
			got.DeadLetters = aws.ToString(t.DeadLetterConfig.Arn)
		}
		if p := t.RetryPolicy; p != nil {
			got.Age, got.Retries = int(aws.ToInt32(p.MaximumEventAgeInSeconds)), int(aws.ToInt32(p.MaximumRetryAttempts))
		}
	}
	return got, nil
}

// longestChange is how long a change of the stack keeps relight from restoring
// it. Whoever may change the stack could otherwise hold one open for ever.
const longestChange = time.Hour

// CloudFormation answers the code noStack with a message that ends in noStackSays if a
// stack does not exist. The code alone may mean anything about the request. Source: AWS
// CloudFormation API Reference, DescribeStacks; belief missing-stack-says-so, recorded.
const (
	noStack     = "ValidationError"
	noStackSays = "does not exist"
)

// stackChanging returns what CloudFormation is doing to the stack, or "".
func (r *region) stackChanging(ctx context.Context) (string, error) {
	stacks, err := r.stack(ctx)
	if err != nil {
		return "", err
	}
	return r.changing(ctx, stacks)
}

// changing returns what CloudFormation is doing to a stack, or "". A deployment
// changes the home stack first, and the forwarders after it: until then a forwarder
// is as the last deployment left it, and what relight put there would be in
// CloudFormation's way.
func (r *region) changing(ctx context.Context, stacks []cftypes.Stack) (string, error) {
	if r.Now == nil {
		return "", nil
	}
	var last time.Time
	for _, stack := range stacks {
		last = changed(stack)
		if strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS") && r.Now().Sub(last) < longestChange {
			return "CloudFormation is changing the stack: " + string(stack.StackStatus), nil
		}
	}
	if r.isHome() {
		return "", nil
	}
	first, err := r.home(r.Want.HomeRegion).stack(ctx)
	for _, stack := range first {
		if at := changed(stack); at.After(last) && r.Now().Sub(at) < longestChange {
			return "CloudFormation has changed the home stack, and may be about to change this one", nil
		}
	}
	return "", err
}

// stackState returns what tells one deployment of the stack from another. Its deletion is
// none.
func stackState(stacks []cftypes.Stack) (now plan.StackState) {
	for _, stack := range stacks {
		stack.DeletionTime = nil
		at := changed(stack)
		now = plan.StackState{Mark: plan.MarkSetting(aws.ToString(stack.StackId) + " " + at.UTC().String()), Changed: at.UnixMilli()}
	}
	return now
}

// changed returns when CloudFormation last began to change a stack.
func changed(stack cftypes.Stack) time.Time {
	since := aws.ToTime(stack.LastUpdatedTime)
	if since.IsZero() {
		since = aws.ToTime(stack.CreationTime)
	}
	if deleted := aws.ToTime(stack.DeletionTime); deleted.After(since) {
		since = deleted
	}
	return since
}

// deployedStack reports whether a stack has been created. One whose creation failed
// has no parts. Source: AWS CloudFormation User Guide, "Understand CloudFormation
// stack creation events", stack status codes.
func deployedStack(stack cftypes.Stack) bool {
	return stack.StackStatus != cftypes.StackStatusRollbackComplete && stack.StackStatus != cftypes.StackStatusReviewInProgress
}

// stack returns relight's stack in the region, or none if it does not exist.
func (r *region) stack(ctx context.Context) ([]cftypes.Stack, error) {
	out, err := r.cloudformation().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(cmp.Or(r.parts().Stack, r.Want.StackName()))})
	switch {
	case codeOf(err) == noStack && strings.Contains(err.Error(), noStackSays):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return out.Stacks, nil
}

// StackCreated returns when relight's stack was created, or no time if it does not
// exist.
func (c *Cloud) StackCreated(ctx context.Context, region string) (time.Time, error) {
	stacks, err := c.home(region).stack(ctx)
	for _, stack := range stacks {
		return aws.ToTime(stack.CreationTime), nil
	}
	return time.Time{}, bare(err)
}

func (r *region) putRule(ctx context.Context, a plan.PutRule) error {
	in := &eventbridge.PutRuleInput{
		Name: aws.String(a.Rule.Name), EventBusName: orNone(a.Rule.Bus), EventPattern: aws.String(a.Rule.Pattern.String()),
		Description: aws.String(a.Rule.Description()), State: ebtypes.RuleStateEnabled,
	}
	_, err := r.events().PutRule(ctx, in)
	return again(err)
}

func (r *region) putRuleTarget(ctx context.Context, a plan.PutRuleTarget) error {
	target := ebtypes.Target{
		Id: aws.String(a.Target.ID), Arn: aws.String(a.Target.ARN), RoleArn: orNone(a.Target.Role), DeadLetterConfig: &ebtypes.DeadLetterConfig{Arn: aws.String(a.Target.DeadLetters)},
	}
	if a.Target.Age != catalog.UsualAge || a.Target.Retries != catalog.UsualRetries {
		target.RetryPolicy = &ebtypes.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(int32(a.Target.Age)), MaximumRetryAttempts: aws.Int32(int32(a.Target.Retries))}
	}
	out, err := r.events().PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String(a.Rule.Name), EventBusName: orNone(a.Rule.Bus), Targets: []ebtypes.Target{target}})
	if err != nil {
		return again(err)
	}
	for _, failed := range out.FailedEntries { // inside a successful reply
		return &remedy.Error{
			Op: "events.PutTargets", Target: a.Rule.String(), Class: remedy.Unknown,
			Err: fmt.Errorf("%s: %s", aws.ToString(failed.ErrorCode), aws.ToString(failed.ErrorMessage)),
		}
	}
	return nil
}

// scheduleExists is the code of CreateSchedule for a name that is taken. Source:
// EventBridge Scheduler API Reference, CreateSchedule.
const scheduleExists = "ConflictException"

// putSchedule creates or updates the schedule. An update replaces every setting.
// Source: EventBridge Scheduler API Reference, UpdateSchedule.
func (r *region) putSchedule(ctx context.Context, a plan.PutSchedule) error {
	s := a.Schedule
	if s.Role == "" {
		return notDeployed("scheduler.UpdateSchedule", a.Name, "role for the schedule")
	}
	window := &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff}
	if s.Window > 0 {
		window = &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(int32(s.Window))}
	}
	target := &schedulertypes.Target{
		Arn: aws.String(s.Target), RoleArn: aws.String(s.Role), Input: aws.String(s.Input),
		DeadLetterConfig: &schedulertypes.DeadLetterConfig{Arn: aws.String(s.DeadLetters)},
		RetryPolicy: &schedulertypes.RetryPolicy{
			MaximumEventAgeInSeconds: aws.Int32(int32(s.Age)), MaximumRetryAttempts: aws.Int32(int32(s.Retries)),
		},
	}
	if a.New {
		_, err := r.scheduler().CreateSchedule(ctx, &scheduler.CreateScheduleInput{
			Name: aws.String(a.Name), ScheduleExpression: aws.String(s.Expression), Description: aws.String(s.Description),
			State: schedulertypes.ScheduleStateEnabled, FlexibleTimeWindow: window, Target: target,
		})
		if codeOf(err) != scheduleExists {
			return err
		}
		// Another run, or somebody else, has just created it.
	}
	_, err := r.scheduler().UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{
		Name: aws.String(a.Name), ScheduleExpression: aws.String(s.Expression), Description: aws.String(s.Description),
		State: schedulertypes.ScheduleStateEnabled, FlexibleTimeWindow: window, Target: target,
	})
	return again(err)
}

// orNone returns a text, or nil for "".
func orNone(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
