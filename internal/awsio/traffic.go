package awsio

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// counts reports whether the controls on the records of flow logs are wanted in the
// region: nothing of them is read elsewhere.
func (r *region) counts() bool { return len(r.Want.FlowLogControls) > 0 && r.Want.HasTopic(r.name) }

// observeCounters reads the controls on the records of flow logs for an event about a
// metric filter or an alarm: nothing if the event is about another one, or if flow
// logs do not deliver to relight's log group.
func (r *region) observeCounters(ctx context.Context, s remedy.Scope) (*plan.FlowLogState, error) {
	state := &plan.FlowLogState{}
	names := s.Names.List()
	ours := func(name string) bool {
		return slices.ContainsFunc(r.Want.FlowLogControls, func(c catalog.Control) bool { return strings.HasPrefix(name, r.Want.Name(c.ID)) })
	}
	if !r.counts() || len(names) > 0 && !slices.ContainsFunc(names, ours) {
		return state, nil
	}
	networks, err := r.loggedTo(ctx, r.ownGroups())
	if err != nil || len(networks) == 0 {
		return state, err
	}
	exists, err := r.readRecords(ctx, state)
	if state.Records != nil {
		state.Records.Flow = exists // an event about the log group restores that
	}
	return state, err
}

// readRecords reads the filters of relight's own log group, the alarms on their
// metrics and the topic that these notify, and returns whether the group exists. No
// flow log depends on that, so a permanent error is a finding.
func (r *region) readRecords(ctx context.Context, state *plan.FlowLogState) (exists bool, err error) {
	got := &plan.Records{Topic: r.Want.Topic, Alarms: &plan.AlarmState{}}
	for _, c := range r.Want.FlowLogControls {
		got.Alarms.Named = append(got.Alarms.Named, r.Want.Name(c.ID))
	}
	err = atOnce(
		func() (err error) {
			got.Filters, exists, err = r.describeFilters(ctx, r.Want.FlowLogs.LogGroup)
			return err
		},
		func() error {
			err := r.describeAlarms(ctx, got.Alarms, got.Alarms.Named)
			if err == nil && len(got.Alarms.Taken) > 0 { // then relight's has another name
				err = r.describeAlarms(ctx, got.Alarms, nil)
			}
			return err
		},
		func() error {
			if r.isHome() {
				return nil
			}
			stacks, err := r.stack(ctx)
			got.Topic = topicOfStack(stacks)
			return err
		},
	)
	if err != nil {
		missed, err := unread(plan.FlowLogControlsUnread, plan.Args{"region": r.name}, err)
		state.Unread = append(state.Unread, missed...)
		return false, err
	}
	state.Records = got
	return exists, nil
}

// topicOfStack returns the ARN of the topic of relight's stack in a region.
func topicOfStack(stacks []cftypes.Stack) (topic string) {
	for _, stack := range stacks {
		for _, out := range stack.Outputs {
			if aws.ToString(out.OutputKey) == catalog.OutputTopic {
				topic = aws.ToString(out.OutputValue)
			}
		}
	}
	return topic
}
