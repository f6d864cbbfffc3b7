package stack

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

const (
	eventTimeout = catalog.EventSeconds * time.Second
	sweepTimeout = 15 * time.Minute // the maximum that Lambda allows
	memory       = 256              // MB
	batchWindow  = catalog.BatchSeconds * time.Second
)

// lambdas adds functions that share a stack.
type lambdas struct {
	Props
	stack       awscdk.Stack
	packages    awss3.IBucket // nil if the CDK uploads them
	overlay     *string       // changes to the configuration; nil for none
	alerts      alerts
	undelivered awssqs.IQueue
	delivery    awsiam.IRole
	scheduler   awsiam.IRole             // with which the schedules sweep
	sweepRole   awsiam.IRole             // nil while the sweep's own function is added
	dead        map[string]awssqs.IQueue // dead-letter queues by ID
	functions   *[]awslambda.Function
	results     awss3.IBucket // of the sweeps of guarded accounts; nil for none
}

// deadLetters notes a dead-letter queue by the ID of its alarm, and returns it.
func (l lambdas) deadLetters(id string, q awssqs.Queue) awssqs.Queue {
	l.dead[id] = q
	return q
}

// watch adds the alarms on relight itself and names the queues behind them to every
// function, so that relight can restore the alarms.
func (l lambdas) watch() (alarms []constructs.IDependable) {
	var names []string
	for _, id := range slices.Sorted(maps.Keys(l.dead)) {
		names = append(names, id+"="+*l.dead[id].QueueName())
	}
	for _, fn := range *l.functions {
		fn.AddEnvironment(jsii.String(catalog.EnvDeadLetters), jsii.String(strings.Join(names, " ")), nil)
	}
	for _, row := range l.baseline().StackAlarms {
		if row.OfQueue {
			row = row.Of(*l.dead[row.ID].QueueName())
		}
		alarms = append(alarms, l.alerts.on(l.baseline().Name(row.ID), row))
	}
	return alarms
}

// A kindFunction is the function of a kind, with the queues that feed it.
type kindFunction struct {
	scope    constructs.Construct
	fn       awslambda.Function
	target   awsevents.IRuleTarget // its queue
	later    awsevents.IRuleTarget // its queue for delayed events; nil for none
	mappings []constructs.Construct
}

// forKind adds the function that handles a kind's events, its queue and its
// dead-letter queue. If the configuration grants new resources time, forKind
// also adds a queue that delays their events.
//
// Sources of the limits: Lambda API Reference, CreateEventSourceMapping.
func (l lambdas) forKind(k catalog.Kind) kindFunction {
	f := catalog.Function(k)
	scope := constructs.NewConstruct(l.stack, jsii.String(string(f)))
	dead := l.deadLetters(catalog.DeadLetters(k), newDeadLetters(scope, "DeadLetters", l.baseline().Name(catalog.DeadLetters(k))))
	queues := []feed{{id: "", queue: newQueue(scope, "Queue", l.baseline().QueueName(k, false), 0, dead)}}
	if len(l.rules(k, true, false))+len(l.rules(k, true, true)) > 0 {
		delay := time.Duration(l.Config.FlowLogs.GraceSeconds) * time.Second
		queues = append(queues, feed{id: "Later", queue: newQueue(scope, "LaterQueue", l.baseline().QueueName(k, true), delay, dead)})
	}
	var fed []awssqs.IQueue
	for _, q := range queues {
		fed = append(fed, q.queue)
	}
	fn := l.function(scope, f, fed, eventTimeout, "relight: restores "+string(k)+" after events")
	out := kindFunction{scope: scope, fn: fn}
	for _, q := range queues {
		target, mapping := l.feed(scope, k, fn, q)
		out.mappings = append(out.mappings, mapping)
		if q.id == "" {
			out.target = target
		} else {
			out.later = target
		}
	}
	return out
}

// A feed is a queue of a function, and the prefix of its constructs' IDs.
type feed struct {
	id    string // "" for the one whose events do not wait
	queue awssqs.Queue
}

// feed lets the stack's rules send to a queue and lets a function read it.
func (l lambdas) feed(scope constructs.Construct, k catalog.Kind, fn awslambda.Function, f feed) (awsevents.IRuleTarget, constructs.Construct) {
	bus := ""
	later := f.id != ""
	if len(l.rules(k, later, true)) > 0 {
		bus = l.baseline().BusName()
	}
	admitRules(f.queue, l.stack, l.Config.Prefix, len(l.rules(k, later, false)) > 0, bus)
	mapping := awslambda.NewEventSourceMapping(scope, jsii.String(f.id+"Mapping"), &awslambda.EventSourceMappingProps{
		Target: fn, EventSourceArn: f.queue.QueueArn(),
		BatchSize: jsii.Number(catalog.BatchSize), MaxBatchingWindow: seconds(batchWindow),
		MaxConcurrency: jsii.Number(catalog.BatchesAtOnce), ReportBatchItemFailures: jsii.Bool(true),
	})
	// The target refers to the queue by its ARN. Otherwise the CDK would add a
	// statement to the queue's policy for each rule.
	named := awssqs.Queue_FromQueueArn(scope, jsii.String(f.id+"Named"), f.queue.QueueArn())
	target := awseventstargets.NewSqsQueue(named, &awseventstargets.SqsQueueProps{
		MaxEventAge: awscdk.Duration_Seconds(jsii.Number(catalog.EventAge)), RetryAttempts: jsii.Number(catalog.EventRetries),
	})
	return target, mapping
}

// function adds a function with its role and log group. The queues are
// those that the function reads. For the sweep, it is the queue that receives
// failed invocations. The auditor has none.
//
// The function reserves no concurrency: a new account has a concurrency of ten,
// and Lambda requires all of it to stay unreserved. Source: AWS Lambda
// Developer Guide, "Configuring reserved concurrency".
func (l lambdas) function(scope constructs.Construct, f catalog.Function, queues []awssqs.IQueue, timeout time.Duration, description string) awslambda.Function {
	name := l.baseline().FunctionName(f)
	logs := awslogs.NewLogGroup(scope, jsii.String("Logs"), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String(l.logGroup(name)),
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
	})
	grants := append(catalog.Grants(f, l.Config.GrantKeys(l.Home)...), catalog.RuntimeGrants(f)...)
	values := l.values(name)
	if len(queues) > 0 {
		values[catalog.InQueue], values[catalog.InOwnQueue] = *queues[0].QueueArn(), *queues[0].QueueArn()
	}
	var further []catalog.Grant
	if f == catalog.Backfill { // with these, its inline policies could be longer than IAM accepts
		of := func(g catalog.Grant) bool { return g.If == catalog.KeyOrganization }
		further = slices.DeleteFunc(slices.Clone(grants), func(g catalog.Grant) bool { return !of(g) })
		grants = slices.DeleteFunc(grants, of)
	}
	may := statements(grants, values)
	for i := 1; i < len(queues); i++ {
		more := slices.DeleteFunc(catalog.RuntimeGrants(f), func(g catalog.Grant) bool { return !slices.Contains(g.Resources, catalog.InQueue) })
		values[catalog.InQueue] = *queues[i].QueueArn()
		may = append(may, statements(more, values)...)
	}
	props := &awsiam.RoleProps{
		AssumedBy:      service("lambda.amazonaws.com", nil),
		InlinePolicies: inline("grants", may...),
	}
	if len(further) > 0 {
		also := statements(further, values)
		props.ManagedPolicies = &[]awsiam.IManagedPolicy{awsiam.NewManagedPolicy(scope, jsii.String("Organization"), &awsiam.ManagedPolicyProps{Statements: &also})}
	}
	if l.baseline().Organization.On() && slices.Contains(l.baseline().Hubs(), f) {
		props.RoleName = jsii.String(l.baseline().FunctionRole(f)) // which guarded accounts trust
	}
	role := awsiam.NewRole(scope, jsii.String("Role"), props)
	sweepRole := l.sweepRole
	if f == catalog.Backfill {
		sweepRole = role
	}
	fn := awslambda.NewFunction(scope, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName: jsii.String(name),
		Description:  jsii.String(description),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: l.Arch.lambda(),
		Handler:      jsii.String("bootstrap"),
		Code:         l.source(f),
		MemorySize:   jsii.Number(memory),
		Timeout:      seconds(timeout),
		Role:         role.WithoutPolicyUpdates(nil),
		LogGroup:     logs,
		Environment: &map[string]*string{
			catalog.EnvAccount:      l.stack.Account(),
			catalog.EnvHomeRegion:   l.stack.Region(),
			catalog.EnvTopic:        l.alerts.topic.TopicArn(),
			catalog.EnvTopicKey:     l.alerts.key.KeyArn(),
			catalog.EnvLastResort:   l.alerts.last.TopicArn(),
			catalog.EnvDeliveryRole: l.delivery.RoleArn(),
			catalog.EnvSchedule:     jsii.String(l.scheduleName()),
			catalog.EnvScheduleRole: l.scheduler.RoleArn(),
			catalog.EnvLogs:         jsii.String(l.logs()),
			catalog.EnvRole:         role.RoleArn(),
			catalog.EnvSweepRole:    sweepRole.RoleArn(),
		},
	})
	if f != catalog.Backfill && len(queues) > 0 {
		fn.AddEnvironment(jsii.String(catalog.EnvQueue), queues[0].QueueUrl(), nil)
	}
	if l.overlay != nil {
		fn.AddEnvironment(jsii.String(catalog.EnvConfig), l.overlay, nil)
	}
	*l.functions = append(*l.functions, fn)
	return fn
}

// source returns where Lambda finds the package of f.
func (l lambdas) source(f catalog.Function) awslambda.Code {
	if l.packages == nil {
		return awslambda.Code_FromAsset(jsii.String(l.code(f)), nil)
	}
	key := awscdk.Fn_Sub(jsii.String("${"+catalog.ParamPrefix+"}"+l.Plain.Keys[f]), nil)
	return awslambda.Code_FromBucketV2(l.packages, key, nil)
}

// logGroup returns the name of the log group of the function with that deployed name. The
// logs outlive the stack. CloudFormation could not make a log group of the same name
// for the next one, so the name ends with a part of the stack's ID.
func (l lambdas) logGroup(name string) string { return catalog.FunctionLogs(name) + "-" + l.logs() }

// logs returns the first eight digits of the UUID in the stack's ID. Source: AWS
// CloudFormation User Guide, "Get AWS values using pseudo parameters", AWS::StackId.
func (l lambdas) logs() string {
	uuid := awscdk.Fn_Select(jsii.Number(2), awscdk.Fn_Split(jsii.String("/"), l.stack.StackId(), nil))
	return *awscdk.Fn_Select(jsii.Number(0), awscdk.Fn_Split(jsii.String("-"), uuid, nil))
}

// code returns the directory with the files that are deployed as f.
func (l lambdas) code(f catalog.Function) string { return filepath.Join(l.Code, string(f)) }

// values returns the values of the placeholders in the catalog's grants.
func (l lambdas) values(name string) map[string]string {
	values := map[string]string{
		catalog.InPartition:     *l.stack.Partition(),
		catalog.InAccount:       *l.stack.Account(),
		catalog.InRegion:        *l.stack.Region(),
		catalog.InPrefix:        l.Config.Prefix,
		catalog.InTrailLogGroup: cmp.Or(l.Config.TrailLogs.LogGroup, "*"),
		catalog.InTrailRole:     cmp.Or(l.Config.Trail.RoleARN, "arn:"+*l.stack.Partition()+":iam::"+*l.stack.Account()+":role/*"),
		catalog.InFlowLogGroup:  l.Config.FlowLogs.LogGroup,
		catalog.InDeliveryRole:  *l.delivery.RoleArn(),
		catalog.InDeliveryName:  *l.delivery.RoleName(),
		catalog.InScheduleRole:  *l.scheduler.RoleArn(),
		catalog.InTopic:         *l.alerts.topic.TopicArn(),
		catalog.InKey:           *l.alerts.key.KeyArn(),
		catalog.InLastResort:    *l.alerts.last.TopicArn(),
		catalog.InFarTopic:      l.Config.LastResort.Topic,
		catalog.InSpokeRole:     l.baseline().Organization.Role,
		catalog.InOrganization:  l.baseline().Organization.ID,
		catalog.InLogGroup:      arn(l.stack, "logs", *l.stack.Region(), "log-group:"+l.logGroup(name)),
	}
	if l.results != nil {
		values[catalog.InSweepResults] = *l.results.BucketArn()
	}
	for _, placeholder := range []string{catalog.InFlowLogBuckets, catalog.InFlowLogStreams, catalog.InFlowLogRoles} {
		values[placeholder] = strings.Join(l.Config.Baseline().FlowLogResources(placeholder), "\n")
	}
	return values
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
