package stack

import (
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// longestAge is the longest time that Lambda keeps an asynchronous event.
// Source: Lambda API Reference, PutFunctionEventInvokeConfig.
const longestAge = 6 * time.Hour

// sweep adds the backfill function. It returns the role of the function, and a
// function that adds the schedule that invokes it: CloudFormation creates the
// schedule after everything in after.
//
// That also adds the alarms on relight itself, before the restorers and the schedule.
// So CloudFormation deletes the alarms after those: relight restores no alarm that a
// deletion of the stack takes away.
func (l lambdas) sweep() (role awsiam.IRole, scheduled func(after []constructs.IDependable, restorers []constructs.Construct)) {
	scope := constructs.NewConstruct(l.stack, jsii.String(string(catalog.Backfill)))
	interval := time.Duration(l.Config.SweepMinutes) * time.Minute
	failed := l.deadLetters(catalog.SweepFailed, newDeadLetters(scope, "Failed", l.baseline().Name(catalog.SweepFailed)))
	fn := l.function(scope, catalog.Backfill, []awssqs.IQueue{failed}, sweepTimeout, "relight: sweeps the account")
	// A sweep that is still waiting when the next is due is not worth running.
	onFailure := awslambda.NewCfnEventInvokeConfig(scope, jsii.String("Async"), &awslambda.CfnEventInvokeConfigProps{
		FunctionName:             fn.FunctionName(),
		Qualifier:                jsii.String("$LATEST"),
		MaximumEventAgeInSeconds: jsii.Number(min(interval, longestAge).Seconds()),
		MaximumRetryAttempts:     jsii.Number(2),
		DestinationConfig: awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			OnFailure: awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: failed.QueueArn()},
		},
	})
	return fn.Role(), func(after []constructs.IDependable, restorers []constructs.Construct) {
		alarms := l.watch()
		for _, r := range restorers {
			r.Node().AddDependency(alarms...)
		}
		after = slices.Concat(after, alarms, []constructs.IDependable{onFailure})
		target := fn.FunctionArn()
		if l.baseline().Organization.On() {
			machine := l.machine(fn)
			target, after = machine.AttrArn(), append(after, machine)
		}
		l.schedule(scope, target, after)
	}
}

// schedule adds the schedule of the sweep. The schedule also starts the first
// sweep after a deployment: a rate-based schedule without a start date invokes
// its target at once. The schedule's name changes with the code and
// configuration of the function, so CloudFormation replaces the schedule
// whenever they change. No deployment waits for the sweep or fails with it.
// Source: EventBridge Scheduler User Guide, "Schedule types", rate-based
// schedules.
func (l lambdas) schedule(scope constructs.Construct, target *string, after []constructs.IDependable) {
	props := &awsscheduler.CfnScheduleProps{
		Name:               jsii.String(l.scheduleName()),
		Description:        jsii.String(catalog.ScheduleDescription),
		ScheduleExpression: jsii.String(l.baseline().Guard.ScheduleExpression()),
		FlexibleTimeWindow: awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: awsscheduler.CfnSchedule_TargetProperty{
			Arn:     target,
			RoleArn: l.scheduler.RoleArn(),
			Input:   jsii.String(l.baseline().Guard.SweepInput()),
			RetryPolicy: awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(l.baseline().Guard.ScheduleAge()),
				MaximumRetryAttempts:     jsii.Number(catalog.EventRetries),
			},
			DeadLetterConfig: awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: l.undelivered.QueueArn()},
		},
	}
	awsscheduler.NewCfnSchedule(scope, jsii.String("Schedule"), props).Node().AddDependency(after...)
	l.unannounced(scope, *props, after)
	l.digest(scope, *props, after)
}

// digest adds the schedule of the daily digest: a sweep once a day that notifies people
// of everything that still needs them.
func (l lambdas) digest(scope constructs.Construct, props awsscheduler.CfnScheduleProps, after []constructs.IDependable) {
	props.Name = jsii.String(l.baseline().DigestName())
	props.Description = jsii.String(catalog.DigestDescription)
	props.ScheduleExpression = jsii.String(catalog.DigestExpression)
	target := props.Target.(awsscheduler.CfnSchedule_TargetProperty)
	target.Input = jsii.String(l.baseline().Guard.DigestInput())
	target.RetryPolicy = awsscheduler.CfnSchedule_RetryPolicyProperty{
		MaximumEventAgeInSeconds: jsii.Number(catalog.EventAge), MaximumRetryAttempts: jsii.Number(catalog.EventRetries),
	}
	props.Target = target
	awsscheduler.NewCfnSchedule(scope, jsii.String("Digest"), &props).Node().AddDependency(after...)
}

// unannounced adds a schedule that sweeps once more in each interval, at a time
// that nobody knows before: whoever undoes a protection right after a sweep and
// restores it right before the next would otherwise never be seen by one. The
// other schedule keeps its time, because it limits how long a sweep can be away.
// Source: EventBridge Scheduler User Guide, "Configuring flexible time windows":
// Scheduler invokes the target within the window after the scheduled time.
func (l lambdas) unannounced(scope constructs.Construct, props awsscheduler.CfnScheduleProps, after []constructs.IDependable) {
	props.Name = jsii.String(l.baseline().UnannouncedName())
	props.Description = jsii.String(catalog.UnannouncedDescription)
	props.FlexibleTimeWindow = awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{
		Mode: jsii.String("FLEXIBLE"), MaximumWindowInMinutes: jsii.Number(float64(l.Config.SweepMinutes)),
	}
	awsscheduler.NewCfnSchedule(scope, jsii.String("Unannounced"), &props).Node().AddDependency(after...)
}

// newScheduleRole adds the role with which the schedules invoke functions, and start the state
// machine of that name, if there is one. The
// role names the functions by their names: functions refer to the role.
func newScheduleRole(s awscdk.Stack, functions []string, machine string, undelivered awssqs.IQueue) awsiam.Role {
	var arns []string
	for _, name := range functions {
		arns = append(arns, arn(s, "lambda", *s.Region(), "function:"+name))
	}
	var may []awsiam.PolicyStatement
	if len(arns) > 0 {
		may = append(may, allow([]string{"lambda:InvokeFunction"}, arns, nil))
	}
	if machine != "" {
		may = append(may, allow([]string{"states:StartExecution"}, []string{arn(s, "states", *s.Region(), "stateMachine:"+machine)}, nil))
	}
	may = append(may, allow([]string{"sqs:SendMessage"}, []string{*undelivered.QueueArn()}, nil))
	scope := constructs.NewConstruct(s, jsii.String("schedule"))
	return awsiam.NewRole(scope, jsii.String("ScheduleRole"), &awsiam.RoleProps{
		// The guide asks for the ARN of the schedule group, not of the
		// schedule. Source: EventBridge Scheduler User Guide, "Confused deputy
		// prevention".
		AssumedBy: service("scheduler.amazonaws.com", conditions{"StringEquals": {
			"aws:SourceAccount": *s.Account(),
			"aws:SourceArn":     arn(s, "scheduler", *s.Region(), "schedule-group/default"),
		}}),
		InlinePolicies: inline("sweep", may...),
	})
}

// scheduleName returns the name of the schedule that keeps its time.
func (l lambdas) scheduleName() string {
	code := *awscdk.FileSystem_Fingerprint(jsii.String(l.code(catalog.Backfill)), nil)
	return l.baseline().SchedulePrefix() + code[:8]
}
