package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// audits adds the function that publishes audits, and the schedule that invokes it. What
// the schedule cannot deliver becomes a dead letter, and alarms of the catalog are about
// audits that fail and that do not start. Lambda tries a failed audit twice more.
//
// The schedule has a flexible time window: without one, the first audit would begin
// together with the first sweep, and Security Hub would show for an interval what that
// sweep restores. Source: EventBridge Scheduler User Guide, "Configuring flexible time
// windows".
func (l lambdas) audits() {
	scope := constructs.NewConstruct(l.stack, jsii.String(string(catalog.Auditor)))
	fn := l.function(scope, catalog.Auditor, nil, sweepTimeout, "relight: audits the account and publishes the findings in Security Hub")
	awsscheduler.NewCfnSchedule(scope, jsii.String("Schedule"), &awsscheduler.CfnScheduleProps{
		Name:               jsii.String(l.baseline().AuditName()),
		Description:        jsii.String(catalog.AuditDescription),
		ScheduleExpression: jsii.String(l.baseline().Audit.ScheduleExpression()),
		FlexibleTimeWindow: awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{
			Mode: jsii.String("FLEXIBLE"), MaximumWindowInMinutes: jsii.Number(catalog.AuditWindow),
		},
		Target: awsscheduler.CfnSchedule_TargetProperty{
			Arn:     fn.FunctionArn(),
			RoleArn: l.scheduler.RoleArn(),
			RetryPolicy: awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(catalog.EventAge), MaximumRetryAttempts: jsii.Number(catalog.EventRetries),
			},
			DeadLetterConfig: awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: l.undelivered.QueueArn()},
		},
	})
}

// scheduled returns the names of the functions that schedules invoke, and of the state machine
// that they start instead of the sweep's function; "" for none.
func (p Props) scheduled() (functions []string, machine string) {
	if p.baseline().Organization.On() {
		machine = p.baseline().SweepMachine()
	} else {
		functions = append(functions, p.baseline().FunctionName(catalog.Backfill))
	}
	if p.baseline().Audit.On() {
		functions = append(functions, p.baseline().FunctionName(catalog.Auditor))
	}
	return functions, machine
}
