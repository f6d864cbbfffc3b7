package lab

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// alarmsRule is the rule that hears of calls on alarms, and flowLogsRule one that
// hears of calls on flow logs.
const (
	alarmsRule   = "${prefix}-alarms-monitoring-calls"
	flowLogsRule = "${prefix}-flowlogs-ec2-calls"
)

// guardAttacks are the attacks on relight's own stack. The outside check reads
// only what relight protects. The snapshots show what these attacks cut.
func guardAttacks() []Attack {
	attacks := []Attack{
		heals("events DisableRule, the alarms'", Region, disableTools, cli("events", "DisableRule", input{"Name": alarmsRule})),
		heals("events DeleteRule, the flow logs'", Region, disableTools,
			sdk((*eventbridge.Client).RemoveTargets, input{"Rule": flowLogsRule, "Ids": []string{"Target0"}}),
			sdk((*eventbridge.Client).DeleteRule, input{"Name": flowLogsRule})),
		heals("events PutRule, matching nothing", Region, disableTools,
			cli("events", "PutRule", input{"Name": alarmsRule, "EventPattern": `{"source":["aws.monitoring"],"detail":{"eventName":["NoSuchCall"]}}`})),
		heals("events RemoveTargets, the alarms'", Region, disableTools,
			cli("events", "RemoveTargets", input{"Rule": alarmsRule, "Ids": []string{"Target0"}})),
		heals("events PutTargets, another queue", Region, disableTools,
			sdk((*eventbridge.Client).PutTargets, input{"Rule": alarmsRule, "Targets": []input{{"Id": "Target0", "Arn": MailboxARN}}})),
		heals("scheduler UpdateSchedule, off", Region, disableTools).by(updateSchedule(func(in *scheduler.UpdateScheduleInput) {
			in.State = schedulertypes.ScheduleStateDisabled
		})),
		heals("scheduler DeleteSchedule, the sweep's", Region, disableTools, cli("scheduler", "DeleteSchedule", input{"Name": "${schedule}"})),
		heals("lambda PutFunctionConcurrency, none for the alarms'", Region, disableTools,
			cli("lambda", "PutFunctionConcurrency", input{"FunctionName": "${prefix}-alarms", "ReservedConcurrentExecutions": 0})),
	}
	for i := range attacks {
		attacks[i] = attacks[i].harmless()
	}
	return attacks
}

// updateSchedule changes the schedule of the sweep.
func updateSchedule(change func(*scheduler.UpdateScheduleInput)) doer {
	return func(ctx context.Context, s *Session, t Target) error {
		name, err := s.schedule(ctx, t)
		if err != nil {
			return err
		}
		was, err := s.Scheduler.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name})
		if err != nil {
			return err
		}
		in := &scheduler.UpdateScheduleInput{
			Name: was.Name, ScheduleExpression: was.ScheduleExpression, FlexibleTimeWindow: was.FlexibleTimeWindow, Target: was.Target, State: was.State, Description: was.Description,
		}
		change(in)
		_, err = s.Scheduler.UpdateSchedule(ctx, in)
		return err
	}
}
