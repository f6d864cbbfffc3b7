package lab

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
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
		heals("sqs SetQueueAttributes, the alarms' delayed", Region, disableTools,
			sdk((*sqs.Client).SetQueueAttributes, input{"QueueUrl": queueURL + "${prefix}-alarms", "Attributes": input{"DelaySeconds": "900"}})),
		heals("sqs SetQueueAttributes, dropping what is a minute old", Region, disableTools,
			sdk((*sqs.Client).SetQueueAttributes, input{"QueueUrl": queueURL + "${prefix}-alarms-dead-letters", "Attributes": input{"MessageRetentionPeriod": "60"}})),
		heals("sqs SetQueueAttributes, a policy that shuts rules out", Region, disableTools,
			sdk((*sqs.Client).SetQueueAttributes, input{"QueueUrl": queueURL + "${prefix}-alarms", "Attributes": input{"Policy": openQueue}})),
		heals("sqs AddPermission, for another account", Region, changeAccount,
			sdk((*sqs.Client).AddPermission, input{"QueueUrl": queueURL + "${prefix}-alarms", "Label": "partner", "AWSAccountIds": []string{"444455556666"}, "Actions": []string{"*"}})),
		heals("sqs RemovePermission, the rules'", Region, disableTools,
			sdk((*sqs.Client).SetQueueAttributes, input{"QueueUrl": queueURL + "${prefix}-alarms", "Attributes": input{"Policy": openQueue}}),
			sdk((*sqs.Client).RemovePermission, input{"QueueUrl": queueURL + "${prefix}-alarms", "Label": "partner"})),
		heals("lambda UpdateEventSourceMapping, the alarms' off", Region, disableTools,
			cli("lambda", "UpdateEventSourceMapping", input{"UUID": "${mapping}", "Enabled": false})),
		heals("lambda UpdateEventSourceMapping, a filter that no event passes", Region, disableTools,
			cli("lambda", "UpdateEventSourceMapping", input{"UUID": "${mapping}", "FilterCriteria": input{"Filters": []input{{"Pattern": `{"body":{"source":["nothing"]}}`}}}})),
		heals("lambda DeleteEventSourceMapping, the alarms'", Region, disableTools,
			sdk((*lambda.Client).DeleteEventSourceMapping, input{"UUID": "${mapping}"})),
		heals("logs DeleteLogGroup, of the alarms' function", Region, disableTools,
			cli("logs", "DeleteLogGroup", input{"logGroupName": "${alarms-logs}"})),
	}
	for i := range attacks {
		attacks[i] = attacks[i].unseen()
	}
	return append(attacks, ownAttacks()...)
}

// ownAttacks are the attacks on relight's own functions and queues that are only
// reported. Those that nobody can undo while relight works are on a function or a
// queue that the intruder makes, with a name like those of relight's.
func ownAttacks() []Attack {
	alarms, spare := input{"FunctionName": "${prefix}-alarms"}, input{"FunctionName": "${prefix}-spare"}
	role := input{"RoleName": "${prefix}-spare"}
	makeRole := sdk((*iam.Client).CreateRole, with(role, input{"AssumeRolePolicyDocument": *document(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
	})}))
	deleteRole := sdk((*iam.Client).DeleteRole, role)
	makeSpare := sdk((*lambda.Client).CreateFunction, with(spare, input{
		"Role": "arn:aws:iam::" + Account + ":role/${prefix}-spare", "Runtime": "python3.12", "Handler": "spare.handler", "Code": input{"ZipFile": emptyZip},
	}))
	deleteSpare := sdk((*lambda.Client).DeleteFunction, spare)
	bus, stack := input{"EventBusName": "${prefix}"}, input{"StackName": "${prefix}-spare"}
	makeStack := sdk((*cloudformation.Client).CreateStack, with(stack, input{"TemplateBody": oneTemplate}))
	deleteStack := sdk((*cloudformation.Client).DeleteStack, stack)
	states := "arn:aws:states:" + Region + ":" + Account + ":"
	machine := input{"stateMachineArn": states + "stateMachine:${prefix}-spare"}
	makeMachine := cli("stepfunctions", "CreateStateMachine", input{
		"name": "${prefix}-spare", "roleArn": "arn:aws:iam::" + Account + ":role/${prefix}-spare",
		"definition": `{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":600,"End":true}}}`,
	})
	deleteMachine := cli("stepfunctions", "DeleteStateMachine", machine)
	reader := input{"FunctionName": "spare", "EventSourceArn": "arn:aws:sqs:" + Region + ":" + Account + ":${prefix}-alarms"}
	makeReader := sdk((*lambda.Client).CreateFunction, input{
		"FunctionName": "spare", "Role": "arn:aws:iam::" + Account + ":role/${prefix}-spare", "Runtime": "python3.12", "Handler": "spare.handler", "Code": input{"ZipFile": emptyZip},
	})
	return []Attack{
		reports("lambda CreateEventSourceMapping, another function reads the alarms' queue", Region, disableTools,
			makeRole, makeReader, sdk((*lambda.Client).CreateEventSourceMapping, reader)).
			undoneBy(sdk((*lambda.Client).DeleteEventSourceMapping, input{"UUID": "${spare-mapping}"}), sdk((*lambda.Client).DeleteFunction, input{"FunctionName": "spare"}), deleteRole),
		reports("lambda UpdateFunctionCode, with a name like relight's", Region, disableTools,
			makeRole, makeSpare, sdk((*lambda.Client).UpdateFunctionCode, with(spare, input{"ZipFile": emptyZip}))).undoneBy(deleteSpare, deleteRole),
		reports("lambda UpdateFunctionConfiguration, the alarms'", Region, disableTools,
			cli("lambda", "UpdateFunctionConfiguration", with(alarms, input{"Description": "nothing to see"}))).
			undoneBy(cli("lambda", "UpdateFunctionConfiguration", with(alarms, input{"Description": "relight: restores alarms after events"}))),
		reports("lambda DeleteFunction, with a name like relight's", Region, disableTools, makeRole, makeSpare, deleteSpare).undoneBy(deleteRole),
		reports("lambda AddPermission, the alarms' for another account", Region, changeAccount,
			cli("lambda", "AddPermission", with(alarms, input{"StatementId": "partner", "Action": "lambda:InvokeFunction", "Principal": "444455556666"}))).
			undoneBy(cli("lambda", "RemovePermission", with(alarms, input{"StatementId": "partner"}))),
		reports("states UpdateStateMachine, with a name like relight's", Region, disableTools,
			makeRole, makeMachine, cli("stepfunctions", "UpdateStateMachine", with(machine, input{"definition": `{"StartAt":"Nothing","States":{"Nothing":{"Type":"Succeed"}}}`}))).
			undoneBy(deleteMachine, deleteRole),
		reports("states DeleteStateMachine, with a name like relight's", Region, disableTools, makeRole, makeMachine, deleteMachine).undoneBy(deleteRole),
		reports("states StopExecution, with a name like relight's", Region, disableTools,
			makeRole, makeMachine, cli("stepfunctions", "StartExecution", with(machine, input{"name": "sweep"})),
			cli("stepfunctions", "StopExecution", input{"executionArn": states + "execution:${prefix}-spare:sweep"})).undoneBy(deleteMachine, deleteRole),
		heals("logs PutRetentionPolicy, of the alarms' function", Region, disableTools,
			cli("logs", "PutRetentionPolicy", input{"logGroupName": "${alarms-logs}", "retentionInDays": 1})).unseen(),
		reports("iam PutRolePolicy, on the role of a function", Region, changeAccount,
			makeRole, sdk((*iam.Client).PutRolePolicy, with(role, input{"PolicyName": "more", "PolicyDocument": *document(map[string]any{
				"Effect": "Allow", "Action": "s3:*", "Resource": "*",
			})}))).undoneBy(sdk((*iam.Client).DeleteRolePolicy, with(role, input{"PolicyName": "more"})), deleteRole),
		reports("cloudformation UpdateStack, with a name like relight's", Region, disableTools,
			makeStack, sdk((*cloudformation.Client).UpdateStack, with(stack, input{"TemplateBody": otherTemplate}))).undoneBy(deleteStack),
		reports("cloudformation ExecuteChangeSet, with a name like relight's", Region, disableTools,
			makeStack, sdk((*cloudformation.Client).CreateChangeSet, with(stack, input{"ChangeSetName": "change", "TemplateBody": otherTemplate})),
			sdk((*cloudformation.Client).ExecuteChangeSet, with(stack, input{"ChangeSetName": "change"}))).undoneBy(deleteStack),
		reports("cloudformation UpdateTerminationProtection, off", Region, disableTools,
			makeStack, sdk((*cloudformation.Client).UpdateTerminationProtection, with(stack, input{"EnableTerminationProtection": false}))).undoneBy(deleteStack),
		reports("cloudformation SetStackPolicy, no more updates", Region, disableTools,
			makeStack, sdk((*cloudformation.Client).SetStackPolicy, with(stack, input{
				"StackPolicyBody": `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"Update:*","Resource":"*"}]}`,
			}))).undoneBy(deleteStack),
		reports("cloudformation DeleteStack, with a name like relight's", Region, disableTools, makeStack, deleteStack),
		reports("events DeleteEventBus, with a name like relight's", Region, disableTools,
			sdk((*eventbridge.Client).CreateEventBus, input{"Name": "${prefix}-spare"}), sdk((*eventbridge.Client).DeleteEventBus, input{"Name": "${prefix}-spare"})),
		reports("events PutPermission, on relight's bus", Region, changeAccount,
			sdk((*eventbridge.Client).PutPermission, with(bus, input{"Action": "events:PutEvents", "Principal": "444455556666", "StatementId": "partner"}))).
			undoneBy(sdk((*eventbridge.Client).RemovePermission, with(bus, input{"StatementId": "partner"}))),
		reports("events RemovePermission, on relight's bus", Region, disableTools,
			sdk((*eventbridge.Client).PutPermission, with(bus, input{"Action": "events:PutEvents", "Principal": "444455556666", "StatementId": "partner"})),
			sdk((*eventbridge.Client).RemovePermission, with(bus, input{"StatementId": "partner"}))),
		reports("events UpdateEventBus, another account's key on the default bus", Region, encryptData,
			cli("events", "UpdateEventBus", input{"Name": "default", "KmsKeyIdentifier": "arn:aws:kms:" + Region + ":444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"})).
			undoneBy(cli("events", "UpdateEventBus", input{"Name": "default", "KmsKeyIdentifier": ""})),
		reports("lambda PutFunctionEventInvokeConfig, with a name like relight's", Region, disableTools,
			makeRole, makeSpare, sdk((*lambda.Client).PutFunctionEventInvokeConfig, with(spare, input{"MaximumRetryAttempts": 0}))).undoneBy(deleteSpare, deleteRole),
		reports("lambda UpdateFunctionEventInvokeConfig, with a name like relight's", Region, disableTools,
			makeRole, makeSpare, sdk((*lambda.Client).PutFunctionEventInvokeConfig, with(spare, input{"MaximumRetryAttempts": 2})),
			sdk((*lambda.Client).UpdateFunctionEventInvokeConfig, with(spare, input{"MaximumRetryAttempts": 0}))).undoneBy(deleteSpare, deleteRole),
		reports("lambda DeleteFunctionEventInvokeConfig, with a name like relight's", Region, disableTools,
			makeRole, makeSpare, sdk((*lambda.Client).PutFunctionEventInvokeConfig, with(spare, input{"MaximumRetryAttempts": 0})),
			sdk((*lambda.Client).DeleteFunctionEventInvokeConfig, spare)).undoneBy(deleteSpare, deleteRole),
		reports("sqs PurgeQueue, the alarms'", Region, disableTools, sdk((*sqs.Client).PurgeQueue, input{"QueueUrl": queueURL + "${prefix}-alarms"})),
		reports("sqs StartMessageMoveTask, what could not be handled", Region, disableTools,
			sdk((*sqs.Client).StartMessageMoveTask, input{
				"SourceArn":      "arn:aws:sqs:" + Region + ":" + Account + ":${prefix}-alarms-dead-letters",
				"DestinationArn": MailboxARN,
			})),
		reports("sqs DeleteQueue, with a name like relight's", Region, disableTools,
			sdk((*sqs.Client).CreateQueue, input{"QueueName": "${prefix}-spare"}),
			sdk((*sqs.Client).DeleteQueue, input{"QueueUrl": queueURL + "${prefix}-spare"})),
	}
}

// queueURL begins the URL of a queue of the account.
const queueURL = "https://sqs." + Region + ".amazonaws.com/" + Account + "/"

// openQueue is a policy that lets everybody of the account use the alarms' queue, and no
// rule.
const openQueue = `{"Version":"2012-10-17","Statement":[{"Sid":"partner","Effect":"Allow","Principal":{"AWS":"` + Account + `"},"Action":"sqs:*","Resource":"arn:aws:sqs:` + Region + ":" + Account + ":${prefix}-alarms\"}]}"

// These are templates of a stack that an intruder makes.
const (
	oneTemplate   = `{"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"DisplayName":"one"}}}}`
	otherTemplate = `{"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"DisplayName":"other"}}}}`
)

// emptyZip is a zip file without files, in base64.
const emptyZip = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="

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
