package stack

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// resultDays is how long the results of the sweeps of guarded accounts are kept.
const resultDays = 30

// newResults adds the bucket to which Step Functions writes what the sweeps of guarded accounts
// came to. It outlives the stack: CloudFormation deletes no bucket that has files, and the files
// expire by themselves.
func newResults(s awscdk.Stack) awss3.IBucket {
	scope := constructs.NewConstruct(s, jsii.String("results"))
	return awss3.NewBucket(scope, jsii.String("Bucket"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(resultDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
	})
}

// mostWhy is the most of a reason that is passed on for each of 1,000 accounts. Source: AWS Step
// Functions Developer Guide, "Step Functions service quotas", maximum input or output size, 256
// KiB, documented.
const mostWhy = 150

// A state is one state of a state machine, in Amazon States Language.
type state = map[string]any

// These limit the sweep of one account. A child that is an Express execution has 300 seconds
// for everything, so the function gets less: what is left is for the tries that Lambda refuses
// before. Sources: AWS Step Functions Developer Guide, "Step Functions service quotas", maximum
// execution time of Express workflows, documented; AWS Lambda Developer Guide, "Lambda quotas".
const (
	cellSeconds = 240 // in which the function answers
	cellTimeout = 260 // after which nobody waits for the answer
	hubTimeout  = 900
)

// refusals are the errors of an invocation that say nothing about what was to be done: Lambda
// was throttled or failed itself. What the function says itself is not among them, nor is that
// an invocation took too long. Source: AWS Step Functions Developer Guide, "Best practices for
// Step Functions", handle transient Lambda service exceptions; AWS Lambda API Reference, Invoke,
// errors.
var refusals = []string{"Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"}

// retry returns a retrier with jitter, so that children that were refused together do not come
// again together.
func retry(attempts int, errors ...string) []any {
	return []any{state{"ErrorEquals": errors, "IntervalSeconds": 1, "MaxAttempts": attempts, "BackoffRate": 2, "MaxDelaySeconds": 10, "JitterStrategy": "FULL"}}
}

// The expressions of the state machine are JSONata but for the map, whose fields are paths.
const jsonata = "JSONata"

// call returns the ARN of a call that a state makes.
func (l lambdas) call(what string) string { return "arn:" + *l.stack.Partition() + ":states:::" + what }

// invoke returns a state that invokes the sweep's function and answers with what it says.
func (l lambdas) invoke(fn *string, payload any, timeout int, next string) state {
	s := state{
		"Type": "Task", "QueryLanguage": jsonata, "Resource": l.call("lambda:invoke"),
		"Arguments": state{"FunctionName": fn, "Payload": payload}, "Output": "{% $states.result.Payload %}",
		"TimeoutSeconds": timeout, "Retry": retry(5, refusals...),
	}
	return then(s, next)
}

// then ends a state, or has it lead to another one.
func then(s state, next string) state {
	if next == "" {
		s["End"] = true
	} else {
		s["Next"] = next
	}
	return s
}

// caught has a state that fails lead to another one, with why in its input.
func caught(s state, next string) state {
	s["Catch"] = []any{state{"ErrorEquals": []string{"States.ALL"}, "Next": next, "Output": "{% $merge([$states.input, {'failed': $states.errorOutput.Error & ': ' & $states.errorOutput.Cause}]) %}"}}
	return s
}

// sum asks the sweep's function what cells came to.
func sum(fields string) state {
	return state{"gather": "{% $merge([" + fields + "]) %}"}
}

// machine adds the state machine that sweeps an organisation: the deployment's own account, and
// beside it every other one, each as a cell that is a child execution of a distributed map. What
// a cell has no time for is a cell of the next round. A failed cell is in the
// results, which the sweep's function reads, and does not stop the others.
//
// Its input is that of the function, as far as it is about a sweep, and may have the accounts to
// sweep in addition: whoever may start it must not get everything that the function does.
func (l lambdas) machine(fn awslambda.Function) awsstepfunctions.CfnStateMachine {
	scope := constructs.NewConstruct(l.stack, jsii.String("organization"))
	name := l.baseline().SweepMachine()
	role := l.machineRole(scope, fn, name)
	machine := awsstepfunctions.NewCfnStateMachine(scope, jsii.String("Sweep"), &awsstepfunctions.CfnStateMachineProps{
		StateMachineName: jsii.String(name),
		StateMachineType: jsii.String("STANDARD"),
		RoleArn:          role.RoleArn(),
		DefinitionString: l.stack.ToJsonString(l.definition(fn.FunctionArn()), nil),
	})
	machine.Node().AddDependency(role)
	return machine
}

// definition returns what the state machine does.
func (l lambdas) definition(fn *string) state {
	own := *l.stack.Account()
	last := "$states.input[0], {'before': $states.input[1], 'last': true}"
	return state{
		"Comment": "relight: sweeps the accounts of the organisation",
		"StartAt": "Request",
		"States": state{
			"Request": state{
				"Type": "Pass", "QueryLanguage": jsonata, "Next": "Accounts and hub",
				"Output": state{
					"request":  "{% $merge([{}, $sift($states.input, function($v, $k) { $k in ['kinds', 'regions', 'mode', 'digest'] })]) %}", // of nothing, $sift returns nothing
					"accounts": "{% $exists($states.input.accounts) ? $states.input.accounts : [] %}",
					"listed":   "{% $exists($states.input.accounts) %}",
				},
			},
			"Accounts and hub": state{
				"Type": "Parallel", "Branches": []any{l.hubBranch(fn, own), l.accountsBranch(fn, own)}, "Next": "Summary",
			},
			"Summary": l.invoke(fn, sum(last), hubTimeout, ""),
		},
	}
}

// hubBranch sweeps the deployment's own account, unless the input says which accounts to sweep.
func (l lambdas) hubBranch(fn *string, own string) state {
	done := "{% $merge([{'request': $states.input.request, 'listed': $states.input.listed, 'hub': $exists($states.input.failed) ? $states.input.failed : ''}, " +
		"$exists($states.input.own) ? {'own': $states.input.own} : {}]) %}"
	hub := l.invoke(fn, "{% $merge([$states.input.request, {'account': '"+own+"', 'short': true}]) %}", hubTimeout, "Hub done")
	hub["Output"] = "{% $merge([$states.input, {'own': $states.result.Payload}]) %}"
	return state{
		"StartAt": "Whole",
		"States": state{
			"Whole": state{
				"Type": "Choice", "QueryLanguage": jsonata, "Default": "Hub",
				"Choices": []any{state{"Condition": "{% $states.input.listed %}", "Next": "Hub done"}},
			},
			"Hub":      caught(hub, "Hub done"),
			"Hub done": state{"Type": "Pass", "QueryLanguage": jsonata, "Output": done, "End": true},
		},
	}
}

// accountsBranch finds the accounts, and sweeps them in rounds until nothing is left.
func (l lambdas) accountsBranch(fn *string, own string) state {
	org := l.baseline().Organization
	states := state{
		"Named": state{
			"Type": "Choice", "QueryLanguage": jsonata, "Default": "List",
			"Choices": []any{state{"Condition": "{% $states.input.listed %}", "Next": "Cells"}},
		},
		"Cells": state{
			"Type": "Pass", "QueryLanguage": jsonata, "Next": "Any",
			"Output": "{% {'request': $states.input.request, 'cells': [$distinct($states.input.accounts).{'account': $string($)}], 'sum': $merge([{'cells': []}, $states.input.suspended > 0 ? {'suspended': $states.input.suspended} : {}])} %}", // what somebody has typed may be a number
		},
		"Any": state{
			"Type": "Choice", "QueryLanguage": jsonata, "Default": "None",
			"Choices": []any{state{"Condition": "{% $count($states.input.cells) > 0 %}", "Next": "Sweep"}},
		},
		"Sweep": l.cells(fn),
		"Sum":   l.invoke(fn, sum("{'bucket': '"+*l.results.BucketName()+"', 'key': $states.input.map.ResultWriterDetails.Key, 'cells': $states.input.cells, 'before': $states.input.sum}"), hubTimeout, "Left"),
		"Left": state{
			"Type": "Choice", "QueryLanguage": jsonata, "Default": "None",
			"Choices": []any{state{"Condition": "{% $count($states.input.sum.cells) > 0 %}", "Next": "Again"}},
		},
		"Again": state{
			"Type": "Pass", "QueryLanguage": jsonata, "Next": "Sweep",
			"Output": "{% {'request': $states.input.request, 'cells': $states.input.sum.cells, 'sum': $states.input.sum} %}",
		},
		"Map failed": state{
			"Type": "Pass", "QueryLanguage": jsonata, "Next": "Failed",
			"Output": "{% $merge([$states.input, {'failed': $states.input.error.Error & ': ' & $states.input.error.Cause}]) %}",
		},
		"None": state{"Type": "Pass", "QueryLanguage": jsonata, "Output": "{% $states.input.sum %}", "End": true},
		"Failed": state{
			"Type": "Pass", "QueryLanguage": jsonata, "End": true,
			"Output": "{% ($why := $substring($states.input.failed, 0, " + strconv.Itoa(mostWhy) + "); $merge([$exists($states.input.sum) ? $states.input.sum : {}, {'cells': [], 'failed': $why}, " +
				"{'unswept': $append($exists($states.input.sum.unswept) ? $states.input.sum.unswept : [], [$states.input.cells.{'account': account, 'error': $why}])}])) %}",
		},
	}
	summed := states["Sum"].(state)
	summed["Output"] = "{% $merge([$states.input, {'sum': $states.result.Payload}]) %}"
	states["Sum"] = caught(summed, "Failed")
	maps.Copy(states, l.listing(own))
	if org.Listed() {
		states["List"] = state{
			"Type": "Pass", "QueryLanguage": jsonata, "Next": "Cells",
			"Output": state{"request": "{% $states.input.request %}", "accounts": slices.Sorted(slices.Values(org.Accounts))},
		}
	}
	return state{"StartAt": "Named", "States": states}
}

// listing returns the states that list the accounts of the organisation, page after page. An
// account that is suspended or closed lets nobody in. Source: AWS Organizations API Reference,
// ListAccounts and Account, whose State replaces Status.
func (l lambdas) listing(own string) state {
	gone := "State in ['SUSPENDED', 'PENDING_CLOSURE', 'CLOSED', 'PENDING_ACTIVATION'] or Status in ['SUSPENDED', 'PENDING_CLOSURE']"
	ids := "$append($states.input.accounts, [$states.result.Accounts[Id != '" + own + "' and $not(" + gone + ")].Id])"
	suspended := "$sum([$states.input.suspended, $count($states.result.Accounts[" + gone + "])])"
	list := state{
		"Type": "Task", "QueryLanguage": jsonata, "Resource": l.call("aws-sdk:organizations:listAccounts"), "Next": "More",
		"Arguments": "{% $exists($states.input.next) ? {'NextToken': $states.input.next} : {} %}",
		"Output":    "{% $merge([{'request': $states.input.request, 'accounts': " + ids + ", 'suspended': " + suspended + "}, $exists($states.result.NextToken) ? {'next': $states.result.NextToken} : {}]) %}",
		"Retry":     retry(6, "Organizations.TooManyRequestsException", "Organizations.ServiceException", "Organizations.SdkClientException"),
	}
	return state{
		"List": caught(list, "Failed"),
		"More": state{
			"Type": "Choice", "QueryLanguage": jsonata, "Default": "Cells",
			"Choices": []any{state{"Condition": "{% $exists($states.input.next) %}", "Next": "List"}},
		},
	}
}

// cells returns the distributed map. It tolerates every failure: one account must not keep the
// others from being swept.
func (l lambdas) cells(fn *string) state {
	child := state{"Sweep account": l.invoke(fn, "{% $merge([$states.input.request, $states.input.cell, {'short': true, 'seconds': "+strconv.Itoa(cellSeconds)+"}]) %}", cellTimeout, "")}
	start := "Sweep account"
	if l.baseline().Organization.ByUnits() {
		start = "Account"
		maps.Copy(child, l.parents())
		child["Sweep account"].(state)["Arguments"].(state)["Payload"] = "{% $merge([$states.input.request, $states.input.cell, {'short': true, 'seconds': " + strconv.Itoa(cellSeconds) + ", 'parents': $states.input.parents}]) %}"
	}
	return state{
		"Type": "Map", "Label": "Accounts", "ItemsPath": "$.cells", "ResultPath": "$.map", "Next": "Sum",
		"ItemSelector":   state{"request.$": "$.request", "cell.$": "$$.Map.Item.Value"},
		"MaxConcurrency": l.baseline().Organization.Concurrency, "ToleratedFailurePercentage": 100,
		"ItemProcessor": state{
			"ProcessorConfig": state{"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
			"StartAt":         start, "States": child,
		},
		"ResultWriter": state{"Resource": l.call("s3:putObject"), "Parameters": state{"Bucket": l.results.BucketName(), "Prefix": "sweeps"}},
		"Catch":        []any{state{"ErrorEquals": []string{"States.ALL"}, "Next": "Map failed", "ResultPath": "$.error"}},
	}
}

// parents returns the states that find what is above an account, up to the root. Source: AWS
// Organizations API Reference, ListParents: an account or unit has one parent.
func (l lambdas) parents() state {
	up := state{
		"Type": "Task", "QueryLanguage": jsonata, "Resource": l.call("aws-sdk:organizations:listParents"), "Next": "Root",
		"Arguments": state{"ChildId": "{% $states.input.child %}"},
		"Output": "{% $merge([$states.input, {'child': $states.result.Parents[0].Id, 'top': $states.result.Parents[0].Type = 'ROOT', " +
			"'parents': $append($states.input.parents, [$states.result.Parents[0].Id])}]) %}",
		"Retry": retry(6, "Organizations.TooManyRequestsException", "Organizations.ServiceException", "Organizations.SdkClientException"),
	}
	return state{
		"Account": state{
			"Type": "Pass", "QueryLanguage": jsonata, "Next": "Parent",
			"Output": "{% $merge([$states.input, {'child': $states.input.cell.account, 'parents': []}]) %}",
		},
		"Parent": up,
		"Root": state{
			"Type": "Choice", "QueryLanguage": jsonata, "Default": "Parent",
			"Choices": []any{state{"Condition": "{% $states.input.top %}", "Next": "Sweep account"}},
		},
	}
}

// machineRole adds the role of the state machine. Sources: AWS Step Functions Developer Guide,
// "IAM policies for using Distributed Map states" and "Prevent cross-service confused deputy
// issue"; AWS Service Authorization Reference, AWS Organizations.
func (l lambdas) machineRole(scope constructs.Construct, fn awslambda.Function, name string) awsiam.Role {
	s, org := l.stack, l.baseline().Organization
	machine := arn(s, "states", *s.Region(), "stateMachine:"+name)
	may := []awsiam.PolicyStatement{
		allow([]string{"lambda:InvokeFunction"}, []string{*fn.FunctionArn()}, nil),
		allow([]string{"states:StartExecution"}, []string{machine}, nil),
		allow([]string{"states:DescribeExecution", "states:StopExecution"}, []string{arn(s, "states", *s.Region(), "execution:"+name+"/*")}, nil),
		allow([]string{"s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"}, []string{*l.results.BucketArn() + "/*"}, nil),
	}
	if !org.Listed() {
		may = append(may, allow([]string{"organizations:ListAccounts"}, []string{"*"}, nil))
	}
	if org.ByUnits() {
		of := "arn:" + *s.Partition() + ":organizations::*:"
		may = append(may, allow([]string{"organizations:ListParents"}, []string{of + "account/" + org.ID + "/*", of + "ou/" + org.ID + "/*"}, nil))
	}
	return awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: service("states.amazonaws.com", conditions{
			"StringEquals": {"aws:SourceAccount": *s.Account()}, "ArnLike": {"aws:SourceArn": machine},
		}),
		InlinePolicies: inline("sweep", may...),
	})
}
