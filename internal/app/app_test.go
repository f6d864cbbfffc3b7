package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/plan"
)

// These are the accounts and resources in the sample events; see
// events/README.md.
const (
	account      = "111122223333"
	other        = "444455556666"
	home         = "us-east-1"
	second       = "eu-west-1"
	trailGroup   = "aws-cloudtrail-logs-111122223333-0a1b2c3d"
	flowLogGroup = "relight-flow-logs"
	foreignGroup = "/aws/lambda/checkout"
	foreignAlarm = "checkout-latency"
	trailARN     = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"
	rootUsage    = "relight-root-usage"
	topicKey     = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
	keyPolicy    = `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},` +
		`{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}]}`
	oncall    = "arn:aws:sqs:us-east-1:111122223333:oncall"
	role      = "arn:aws:iam::111122223333:role/relight-flow-logs-delivery"
	theirRole = "arn:aws:iam::111122223333:role/network/their-flow-logs" // an owner's role, which can deliver
)

// fewRounds is how many random accounts, orders and configurations a property is
// checked with while working. The Makefile asks for more in make test.
const fewRounds = "20"

// The tests leave thousands of accounts behind; collecting them less often saves a
// fifth of the time.
func TestMain(m *testing.M) {
	must(0, flag.Set("rapid.checks", fewRounds)) // the command line overrules it
	debug.SetGCPercent(1600)
	os.Exit(m.Run())
}

// A world is a customer's account with relight deployed into it.
type world struct {
	*awstest.Account
	t        *testing.T
	config   config.Config
	topic    string // relight's own
	last     string // of last resort; "" for a world without it
	log      lockedBuffer
	now      time.Time // stands still
	runs     bool      // now is the virtual time of a bubble, see timed
	invoked  []string  // functions that other functions invoked
	checks   bool      // functions have the guard checked, as deployed ones do
	crowded  bool      // other functions use up the concurrency of Lambda
	relights []string  // the alarms of relight, for storms
	pace     *awsio.Pace
	org      *awstest.Organization                             // nil for an account alone
	stall    func(ctx context.Context, operation string) error // before each call of a function; nil for none
}

// Functions that run at the same time write to a lockedBuffer.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the buffer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns everything that was written.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// deployed returns an account that relight has not swept yet. It has two VPCs
// in the home region, one in the second, a trail with its log group, relight's
// topic with a subscriber, and resources that relight does not protect.
func deployed(t *testing.T, configuration string) *world {
	t.Helper()
	return copied(t, "deployed", configuration, deploy)
}

// healthy returns a deployed account after its first sweep.
func healthy(t *testing.T, configuration string) *world {
	t.Helper()
	return copied(t, "healthy", configuration, func(t *testing.T, configuration string) *world {
		t.Helper()
		w := deploy(t, configuration)
		w.PageSize(0)
		if s := w.sweep(app.Request{}); s.Unrestored != 0 {
			t.Fatalf("first sweep left %d unrestored: %v", s.Unrestored, unrestored(s))
		}
		w.PageSize(1)
		return w
	})
}

// An original is a world of which tests get copies: to make one anew for each of
// them takes most of their time.
type original struct {
	mu sync.Mutex
	w  *world // nil until the first test needs it
}

var originals sync.Map // by kind and configuration

// copied returns a copy of the world that a function makes of a configuration.
func copied(t *testing.T, kind, configuration string, build func(*testing.T, string) *world) *world {
	t.Helper()
	entry, _ := originals.LoadOrStore([2]string{kind, configuration}, &original{})
	o := entry.(*original)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w == nil {
		o.w = build(t, configuration)
	}
	w := &world{Account: o.w.Clone(), t: t, config: configured(t, configuration), topic: o.w.topic, now: o.w.now, invoked: slices.Clone(o.w.invoked)}
	w.log.buf.WriteString(o.w.log.String())
	w.connect()
	return w
}

// connect connects an account with its world: its clock, and functions that invoke
// each other.
func (w *world) connect() {
	w.Now = w.time
	awstest.Handle(w.Account, w.invoke)
}

// time returns the time in a world.
func (w *world) time() time.Time {
	if w.runs {
		return time.Now()
	}
	return w.now
}

// timed lets time pass in a world, as it does in a bubble of testing/synctest.
func (w *world) timed() {
	time.Sleep(time.Until(w.now))
	w.runs = true
}

// configured returns the configuration of a world.
func configured(t *testing.T, configuration string) config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte(configuration))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Regions = append(cfg.Regions, second)
	if cfg.Subscribers == nil {
		cfg.Subscribers = []config.Subscriber{{Protocol: "sqs", Endpoint: oncall}}
	}
	return cfg
}

func deploy(t *testing.T, configuration string) *world {
	t.Helper()
	cfg := configured(t, configuration)
	w := &world{Account: awstest.New(account, home), t: t, config: cfg, now: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)}
	w.connect()
	w.AddRegion(second, "opt-in-not-required")
	w.AddRegion("af-south-1", "not-opted-in")
	w.AddVPC(home, "vpc-1", "vpc-2")
	w.AddVPC(second, "vpc-3")
	w.addDeliveryRole()
	w.AddRole(theirRole, 0)
	w.AddTrailTo("audit", trailGroup)
	for _, key := range cfg.KMSKeys {
		w.AddKey(key)
	}
	w.AddTrail(cloudtrailtypes.Trail{ // a trail of one region that relight does not protect
		TrailARN: aws.String("arn:aws:cloudtrail:us-east-1:111122223333:trail/app-trail"), HomeRegion: aws.String(home), S3BucketName: aws.String("audit-" + account),
		IsMultiRegionTrail: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(false), LogFileValidationEnabled: aws.Bool(true),
	})
	for _, name := range []string{"audit-" + account, "bucket", "flows-" + account} {
		w.OpenBucket(name, false)
	}
	for _, region := range []string{home, second} {
		w.SetStream("arn:aws:firehose:"+region+":"+account+":deliverystream/flow-logs", true)
	}
	w.topic = w.ourTopic()
	for _, s := range cfg.Subscribers {
		w.subscribe(s.Protocol, s.Endpoint)
	}
	w.Confirm(w.topic)
	w.addStackAlarms()
	w.addGuard()
	checkout := w.AddTopic(home, "checkout", 1)
	w.putRetention(home, trailGroup, 365)
	w.createGroup(home, foreignGroup)
	w.putFilter(foreignGroup, logstypes.MetricFilter{
		FilterName: aws.String("checkout-errors"), FilterPattern: aws.String("ERROR"),
		MetricTransformations: []logstypes.MetricTransformation{{
			MetricNamespace: aws.String("checkout"), MetricName: aws.String("errors"), MetricValue: aws.String("1"),
		}},
	})
	w.putAlarm(&cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(foreignAlarm), Namespace: aws.String("checkout"), MetricName: aws.String("latency"),
		Statistic: cloudwatchtypes.StatisticSum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(2),
		ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, AlarmActions: []string{checkout},
	})
	return w
}

// ourTopic creates relight's own topic as the stack does, without subscribers.
func (w *world) ourTopic() string {
	w.t.Helper()
	w.AddKey(topicKey)
	must(w.KMS.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(topicKey), Policy: aws.String(keyPolicy)}))
	return w.stackTopic("relight-alerts", topicKey)
}

// stackTopic creates a topic as the stack does, without subscribers.
func (w *world) stackTopic(name, key string) string {
	w.t.Helper()
	arn := "arn:aws:sns:" + home + ":" + account + ":" + name
	attributes := map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[` +
			`{"Action":"sns:Publish","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":{"AWS":"*"},` +
			`"Resource":"` + arn + `","Sid":"AllowPublishThroughSSLOnly"},` +
			`{"Action":"sns:Publish","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"},` +
			`"StringEquals":{"aws:SourceAccount":"111122223333"}},"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},` +
			`"Resource":"` + arn + `","Sid":"AllowAlarmsOfThisAccount"}]}`,
	}
	if key != "" {
		attributes["KmsMasterKeyId"] = key
	}
	must(w.SNS.CreateTopic(w.t.Context(), &sns.CreateTopicInput{
		Name: aws.String(name), Tags: []snstypes.Tag{{Key: aws.String("relight"), Value: aws.String("relight")}}, Attributes: attributes,
	}))
	return arn
}

// withLastResort adds the topic of last resort as the stack does, with the same
// subscribers, and the alarms that notify it.
func (w *world) withLastResort() {
	w.t.Helper()
	w.last = w.stackTopic("relight-last-resort", "")
	topic := w.topic
	w.topic = w.last
	for _, s := range w.config.LastSubscribers() {
		w.subscribe(s.Protocol, s.Endpoint)
	}
	w.topic = topic
	w.Confirm(w.last)
	w.addStackAlarms()
}

// addStackAlarms creates the alarms on relight itself as the stack does.
func (w *world) addStackAlarms() {
	w.t.Helper()
	want := w.config.Desired(w.deployment(home))
	w.addAlarms(home, want)
}

// addAlarms creates the alarms of a stack.
func (w *world) addAlarms(region string, want catalog.Desired) {
	w.t.Helper()
	for _, row := range want.OwnAlarms() {
		in := &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(want.Name(row.ID)), AlarmDescription: aws.String(row.Description),
			Namespace: aws.String(row.Namespace), MetricName: aws.String(row.Metric), Statistic: cloudwatchtypes.Statistic(row.Statistic),
			Period: aws.Int32(row.Period), EvaluationPeriods: aws.Int32(row.Periods), Threshold: aws.Float64(row.Threshold),
			ComparisonOperator: cloudwatchtypes.ComparisonOperator(row.Comparison), TreatMissingData: aws.String(row.Missing),
			AlarmActions: []string{want.Topic}, DatapointsToAlarm: aws.Int32(row.Periods),
		}
		if row.Both && w.last != "" {
			in.AlarmActions = append(in.AlarmActions, w.last)
		}
		for k, v := range want.Tags {
			in.Tags = append(in.Tags, cloudwatchtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
		}
		for name, value := range row.Dimensions {
			in.Dimensions = append(in.Dimensions, cloudwatchtypes.Dimension{Name: aws.String(name), Value: aws.String(value)})
		}
		must(w.In(region).CloudWatch.PutMetricAlarm(w.t.Context(), in))
	}
}

// subscribe adds a subscriber to relight's topic. A queue or function of the
// account admits the topic.
func (w *world) subscribe(protocol, endpoint string) {
	w.t.Helper()
	switch at, _ := arn.Parse(endpoint); {
	case at.AccountID != account:
	case protocol == "sqs":
		w.AddQueue(at.Region, at.Resource, w.topic)
	case protocol == "lambda":
		w.addFunction(endpoint)
		w.permit(endpoint, w.topic)
	}
	must(w.SNS.Subscribe(w.t.Context(), &sns.SubscribeInput{TopicArn: aws.String(w.topic), Protocol: aws.String(protocol), Endpoint: aws.String(endpoint)}))
}

// unrestored returns why a sweep left something unrestored.
func unrestored(s app.Sweep) []string {
	var why []string
	for _, r := range s.Reports {
		if r.Error != "" {
			why = append(why, r.Scope+": "+r.Error)
		}
		for _, a := range r.Actions {
			if a.Error != "" {
				why = append(why, r.Scope+": "+a.Action+": "+a.Error)
			}
		}
		for _, remaining := range r.Remaining {
			why = append(why, r.Scope+": still to restore: "+remaining)
		}
	}
	return why
}

// app returns a function of the deployment after a cold start.
func (w *world) app(f catalog.Function) *app.App { return w.appAt(home, f) }

// appAt returns a function of a deployment with the given home region.
func (w *world) appAt(home string, f catalog.Function) *app.App {
	return app.NewWith(w.options(home, f))
}

func (w *world) options(home string, f catalog.Function) app.Options {
	aws := w.ConfigOf
	if w.org != nil {
		aws = w.org.ConfigOf
	}
	return app.Options{
		Function: f, Config: w.config,
		Deployment:  w.deploymentOf(home, f),
		Kinds:       kindsOf(f),
		AWS:         w.stalling(aws(sessionOf(f))),
		Spokes:      true,
		Pace:        w.pace,
		HandOver:    f == catalog.Backfill,
		ChecksGuard: w.checks && f.ChecksGuard(),
		Log:         w.logger(),
		Now:         w.time,
	}
}

// kindsOf returns the kinds that a function's binary links.
func kindsOf(f catalog.Function) []awsio.Kind {
	return slices.DeleteFunc(awsio.AllKinds(), func(k awsio.Kind) bool { return !slices.Contains(f.Kinds(), k.Of) })
}

// roleOf returns the role of a function, named as in the sample events.
func roleOf(f catalog.Function) string {
	return "arn:aws:iam::" + account + ":role/relight-" + string(f)
}

// sessionOf returns the principal as which a function calls AWS.
func sessionOf(f catalog.Function) string {
	return "arn:aws:sts::" + account + ":assumed-role/relight-" + string(f) + "/relight-" + string(f)
}

// accept does what relight accept does if the person says yes. It returns what the
// person saw.
func (w *world) accept() app.Acceptance {
	w.t.Helper()
	ask := func(payload string) app.Acceptance {
		return must(w.app(catalog.Backfill).HandleBackfill(w.t.Context(), json.RawMessage(payload))).(app.Acceptance)
	}
	seen := ask(`{"accept":{}}`)
	if seen.Accepted {
		w.t.Errorf("accepted unseen: %+v", seen)
	}
	if got := ask(`{"accept":{"seen":"` + seen.Mark + `"}}`); got.Accepted != (len(seen.Changes) > 0) {
		w.t.Errorf("%+v, want it accepted", got)
	}
	return seen
}

func (w *world) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(&w.log, nil)) }

// deployment names what the stack created, with a given home region.
func (w *world) deployment(home string) catalog.Deployment {
	return w.deploymentOf(home, catalog.Backfill)
}

// deploymentOf names what the stack created, as a function of it learns it.
func (w *world) deploymentOf(home string, f catalog.Function) catalog.Deployment {
	d := catalog.Deployment{
		Account: account, HomeRegion: home, Topic: w.topic, TopicKey: topicKey, LastResort: w.last, DeliveryRole: role, DeadLetters: map[string]string{},
		Role: roleOf(f), SweepRole: roleOf(catalog.Backfill), Schedule: sweepSchedule, ScheduleRole: scheduleRole,
	}
	for _, a := range w.config.Baseline().StackAlarms {
		if a.OfQueue {
			d.DeadLetters[a.ID] = "relight-" + a.ID + "-ABCDEFGH"
		}
	}
	return d
}

// invoke runs another function of the deployment, as Lambda does.
func (w *world) invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	name, ours := strings.CutPrefix(aws.ToString(in.FunctionName), w.config.Prefix+"-")
	if !ours {
		return nil, fmt.Errorf("there is no function %s", *in.FunctionName)
	}
	w.invoked = append(w.invoked, name)
	if must(w.Lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: in.FunctionName})).Concurrency != nil {
		return nil, &lambdatypes.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Reason: lambdatypes.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded}
	}
	if w.crowded {
		return nil, &lambdatypes.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Reason: lambdatypes.ThrottleReasonConcurrentInvocationLimitExceeded}
	}
	handle := w.app(catalog.Function(name)).HandleEvent
	if catalog.Function(name) == catalog.Backfill {
		handle = w.app(catalog.Backfill).HandleBackfill
	}
	if _, err := handle(context.WithoutCancel(ctx), in.Payload); err != nil { // a function has a time of its own
		return &lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(err.Error())}, nil //nolint:nilerr // as Lambda answers
	}
	return &lambda.InvokeOutput{}, nil
}

// addDeliveryRole creates the role that flow logs use to deliver, as the stack
// does.
func (w *world) addDeliveryRole() {
	w.t.Helper()
	want := plan.DeliveryRoleOf(w.config.Desired(catalog.Deployment{DeliveryRole: role}))
	in := &iam.CreateRoleInput{
		RoleName: aws.String(want.Name), Path: aws.String(want.Path), Description: aws.String(want.Description),
		AssumeRolePolicyDocument: aws.String(want.Trust),
	}
	for k, v := range want.Tags {
		in.Tags = append(in.Tags, iamtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	must(w.IAM.CreateRole(w.t.Context(), in))
	must(w.IAM.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String(want.Name), PolicyName: aws.String(catalog.DeliveryPolicy), PolicyDocument: aws.String(want.Policy),
	}))
}

func (w *world) sweep(req app.Request) app.Sweep {
	w.t.Helper()
	s, err := w.app(catalog.Backfill).Sweep(w.t.Context(), req, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// send passes an event to the functions of all kinds, as one raw event or as a
// batch. It returns their errors and the IDs of the messages to deliver again.
func (w *world) send(raw []byte, asBatch bool) (again []string, errs []error) {
	w.t.Helper()
	if asBatch {
		raw = batch(raw)
	}
	for _, k := range catalog.Kinds() {
		res, err := w.app(catalog.Function(k)).HandleEvent(w.t.Context(), raw)
		if err != nil {
			errs = append(errs, err)
		}
		if r, ok := res.(events.SQSEventResponse); ok {
			for _, f := range r.BatchItemFailures {
				again = append(again, f.ItemIdentifier)
			}
		}
	}
	return again, errs
}

// batch returns an SQS event of the given bodies, with messages "m-0", "m-1"
// and so on.
func batch(bodies ...[]byte) json.RawMessage {
	var e events.SQSEvent
	for i, b := range bodies {
		e.Records = append(e.Records, events.SQSMessage{MessageId: "m-" + string(rune('0'+i)), Body: string(b)})
	}
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err) // text marshals
	}
	return raw
}

// gaps returns what is not protected. It checks the account as an auditor who
// does not know relight's plans would: it finds VPCs without a working flow
// log, and controls without a filter, without an alarm on the filter's metric,
// or without a subscriber whom the alarm notifies.
func (w *world) gaps() []string {
	w.t.Helper()
	w.PageSize(0)
	defer w.PageSize(1)
	var gaps []string
	for _, r := range []string{home, second} {
		in := w.In(r)
		vpcs := must(in.EC2.DescribeVpcs(w.t.Context(), &ec2.DescribeVpcsInput{}))
		logs := must(in.EC2.DescribeFlowLogs(w.t.Context(), &ec2.DescribeFlowLogsInput{}))
		for _, v := range vpcs.Vpcs {
			covered := false
			for _, fl := range logs.FlowLogs {
				covered = covered || aws.ToString(fl.ResourceId) == *v.VpcId && fl.TrafficType != "ACCEPT" && aws.ToString(fl.DeliverLogsStatus) != "FAILED"
			}
			if !covered && *v.OwnerId == account {
				gaps = append(gaps, *v.VpcId)
			}
		}
	}
	if !w.recording(trailARN) {
		gaps = append(gaps, "audit")
	}
	filters, err := w.Logs.DescribeMetricFilters(w.t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(trailGroup)})
	if err != nil {
		return append(gaps, trailGroup)
	}
	alarms := must(w.CloudWatch.DescribeAlarms(w.t.Context(), &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(100)}))
	for _, c := range catalog.Controls() {
		heard := false
		for _, f := range filters.MetricFilters {
			m := f.MetricTransformations[0]
			if strings.Join(strings.Fields(*f.FilterPattern), "") != strings.Join(strings.Fields(c.Pattern), "") || len(m.Dimensions) > 0 ||
				f.ApplyOnTransformedLogs || f.FieldSelectionCriteria != nil || *m.MetricValue != "1" {
				continue
			}
			for _, a := range alarms.MetricAlarms {
				heard = heard || aws.ToString(a.MetricName) == *m.MetricName && aws.ToString(a.Namespace) == *m.MetricNamespace &&
					aws.ToFloat64(a.Threshold) <= 1 && *a.ActionsEnabled && slices.ContainsFunc(a.AlarmActions, w.reaches)
			}
		}
		if !heard {
			gaps = append(gaps, c.ID)
		}
	}
	return gaps
}

// recording reports whether a trail logs the management events of every region
// to a log group.
func (w *world) recording(arn string) bool {
	status, err := w.CloudTrail.GetTrailStatus(w.t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String(arn)})
	if err != nil || !*status.IsLogging {
		return false
	}
	t := must(w.CloudTrail.DescribeTrails(w.t.Context(), &cloudtrail.DescribeTrailsInput{TrailNameList: []string{arn}})).TrailList[0]
	records := false
	out := must(w.CloudTrail.GetEventSelectors(w.t.Context(), &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(arn)}))
	for _, s := range out.EventSelectors {
		records = records || *s.IncludeManagementEvents && s.ReadWriteType == "All" && len(s.ExcludeManagementEventSources) == 0
	}
	for _, s := range out.AdvancedEventSelectors {
		records = records || len(s.FieldSelectors) == 1 && slices.Equal(s.FieldSelectors[0].Equals, []string{"Management"})
	}
	return records && *t.IsMultiRegionTrail && *t.IncludeGlobalServiceEvents && *t.LogFileValidationEnabled && t.CloudWatchLogsLogGroupArn != nil
}

func (w *world) reaches(topic string) bool {
	out, err := w.SNS.GetTopicAttributes(w.t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String(topic)})
	return err == nil && out.Attributes["SubscriptionsConfirmed"] != "0"
}

// must returns the result of a call that cannot fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// stripped is everything that one call can remove from a trail without deleting
// it.
var stripped = cloudtrail.UpdateTrailInput{
	IsMultiRegionTrail: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(false), EnableLogFileValidation: aws.Bool(false),
	CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String(""), KmsKeyId: aws.String(""),
}

func (w *world) stopLogging(name string) {
	w.t.Helper()
	must(w.CloudTrail.StopLogging(w.t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(name)}))
}

func (w *world) updateTrail(in cloudtrail.UpdateTrailInput) {
	w.t.Helper()
	if in.Name == nil {
		in.Name = aws.String(trailARN)
	}
	must(w.CloudTrail.UpdateTrail(w.t.Context(), &in))
}

func (w *world) deleteTrail(name string) {
	w.t.Helper()
	must(w.CloudTrail.DeleteTrail(w.t.Context(), &cloudtrail.DeleteTrailInput{Name: aws.String(name)}))
}

func (w *world) putSelectors(name string, selectors ...cloudtrailtypes.EventSelector) {
	w.t.Helper()
	must(w.CloudTrail.PutEventSelectors(w.t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(name), EventSelectors: selectors}))
}

// forget deletes what relight remembers of the trail.
func (w *world) forget() {
	w.t.Helper()
	must(w.SSM.DeleteParameter(w.t.Context(), &ssm.DeleteParameterInput{Name: aws.String("/relight/memory/trail")}))
}

func (w *world) createGroup(region, name string) {
	w.t.Helper()
	must(w.In(region).Logs.CreateLogGroup(w.t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(name)}))
}

func (w *world) deleteGroup(region, name string) {
	w.t.Helper()
	w.protect(region, name, false)
	must(w.In(region).Logs.DeleteLogGroup(w.t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(name)}))
}

func (w *world) protect(region, name string, on bool) {
	w.t.Helper()
	must(w.In(region).Logs.PutLogGroupDeletionProtection(w.t.Context(), &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: aws.String(name), DeletionProtectionEnabled: aws.Bool(on),
	}))
}

func (w *world) putRetention(region, name string, days int32) {
	w.t.Helper()
	must(w.In(region).Logs.PutRetentionPolicy(w.t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{
		LogGroupName: aws.String(name), RetentionInDays: aws.Int32(days),
	}))
}

func (w *world) putFilter(group string, f logstypes.MetricFilter) {
	w.t.Helper()
	must(w.Logs.PutMetricFilter(w.t.Context(), &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: aws.String(group), FilterName: f.FilterName, FilterPattern: f.FilterPattern,
		MetricTransformations: f.MetricTransformations, ApplyOnTransformedLogs: f.ApplyOnTransformedLogs,
		EmitSystemFieldDimensions: f.EmitSystemFieldDimensions, FieldSelectionCriteria: f.FieldSelectionCriteria,
	}))
}

func (w *world) putAlarm(in *cloudwatch.PutMetricAlarmInput) {
	w.t.Helper()
	must(w.CloudWatch.PutMetricAlarm(w.t.Context(), in))
}

// changeFilter changes a filter of the trail's log group as an attacker or an
// owner would.
func (w *world) changeFilter(name string, change func(*logstypes.MetricFilter)) {
	w.t.Helper()
	out := must(w.Logs.DescribeMetricFilters(w.t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{
		LogGroupName: aws.String(trailGroup), FilterNamePrefix: aws.String(name),
	}))
	f := out.MetricFilters[0]
	f.MetricTransformations = slices.Clone(f.MetricTransformations)
	change(&f)
	w.putFilter(trailGroup, f)
}

// changeAlarm changes an alarm as an attacker or an owner would.
func (w *world) changeAlarm(name string, change func(*cloudwatch.PutMetricAlarmInput)) {
	w.t.Helper()
	out := must(w.CloudWatch.DescribeAlarms(w.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}}))
	in := inputOf(out.MetricAlarms[0])
	change(in)
	w.putAlarm(in)
}

// inputOf returns the input that puts an alarm as it is.
func inputOf(a cloudwatchtypes.MetricAlarm) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: a.AlarmName, AlarmDescription: a.AlarmDescription, Namespace: a.Namespace, MetricName: a.MetricName,
		Statistic: a.Statistic, Period: a.Period, EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.DatapointsToAlarm,
		Threshold: a.Threshold, ComparisonOperator: a.ComparisonOperator, TreatMissingData: a.TreatMissingData,
		ActionsEnabled: a.ActionsEnabled, AlarmActions: slices.Clone(a.AlarmActions), OKActions: a.OKActions,
	}
}

func (w *world) deleteAlarms(names ...string) {
	w.t.Helper()
	must(w.CloudWatch.DeleteAlarms(w.t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: names}))
}

func (w *world) mute(names ...string) {
	w.t.Helper()
	must(w.CloudWatch.DisableAlarmActions(w.t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: names}))
}

func (w *world) deleteFlowLogs(region string, vpcs ...string) {
	w.t.Helper()
	var ids []string
	for _, v := range vpcs {
		ids = append(ids, w.FlowLogs(region, v)...)
	}
	if len(ids) == 0 { // EC2 rejects an empty list
		return
	}
	must(w.In(region).EC2.DeleteFlowLogs(w.t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: ids}))
}

// ours returns the names of all of relight's alarms, which are also those of
// its filters.
func ours() []string {
	var names []string
	for _, c := range catalog.Controls() {
		names = append(names, "relight-"+c.ID)
	}
	return names
}

// without returns a copy of a state without the given resources.
func without(state map[string]string, keys ...string) map[string]string {
	state = maps.Clone(state)
	for _, k := range keys {
		delete(state, k)
	}
	return state
}

func filterOf(name, pattern, namespace, metric string) logstypes.MetricFilter {
	return logstypes.MetricFilter{
		FilterName: aws.String(name), FilterPattern: aws.String(pattern),
		MetricTransformations: []logstypes.MetricTransformation{{
			MetricNamespace: aws.String(namespace), MetricName: aws.String(metric), MetricValue: aws.String("1"),
		}},
	}
}

func alarmOn(name, namespace, metric string, actions ...string) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(name), Namespace: aws.String(namespace), MetricName: aws.String(metric),
		Statistic: cloudwatchtypes.StatisticSum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, AlarmActions: actions,
	}
}

// anHour lets an hour pass: after that, a flow log has shown whether it delivers.
func (w *world) anHour() { w.now = w.now.Add(time.Hour) }

// createFlowLog creates a flow log that is not relight's and delivers to a log
// group.
func (w *world) createFlowLog(region, vpc, traffic, group string) {
	w.t.Helper()
	out := must(w.In(region).EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficType(traffic),
		LogGroupName: aws.String(group), DeliverLogsPermissionArn: aws.String(theirRole),
	}))
	if len(out.Unsuccessful) > 0 {
		w.t.Fatal(*out.Unsuccessful[0].Error.Message)
	}
}

// tag gives a VPC of the home region the exempting tag with a value.
func (w *world) tag(vpc, value string) {
	w.t.Helper()
	must(w.EC2.CreateTags(w.t.Context(), &ec2.CreateTagsInput{
		Resources: []string{vpc}, Tags: []ec2types.Tag{{Key: aws.String(catalog.ExemptTag), Value: aws.String(value)}},
	}))
}

// createOurs creates a flow log as relight creates it.
func (w *world) createOurs(vpc, traffic string) {
	w.t.Helper()
	out := must(w.EC2.CreateFlowLogs(w.t.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficType(traffic),
		LogGroupName: aws.String(flowLogGroup), DeliverLogsPermissionArn: aws.String(role),
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeVpcFlowLog,
			Tags:         []ec2types.Tag{{Key: aws.String(catalog.OwnerTag), Value: aws.String("relight")}},
		}},
	}))
	if len(out.Unsuccessful) > 0 {
		w.t.Fatal(*out.Unsuccessful[0].Error.Message)
	}
}
