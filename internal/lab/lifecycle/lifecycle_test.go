package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// The account's own monitoring, which stood before relight.
const (
	theirs    = "ops-root"     // names filter, alarm, metric and topic
	theirLogs = "ops-vpc-logs" // log group of their flow log
	ours      = "relight-root-usage"
)

// A scene is a lab in which relight is deployed after others made something.
type scene struct {
	*lab.Arena
	t     *testing.T
	root  *lab.Session
	cli   string
	topic string // theirs
	logs  string // ARN of their log group
	vpc   string // with their flow log
}

// The parts share one account, and each begins with what the one before left.
func TestLifecycle(t *testing.T) {
	s := open(t)
	for _, part := range []struct {
		name string
		run  func(*scene)
	}{{"adoption", adopts}, {"redeployment", redeploys}, {"subscribers", chooses}, {"removal", removes}} {
		if !t.Run(part.name, func(t *testing.T) {
			s.t = t
			part.run(s)
		}) {
			return
		}
	}
}

// relight relies on what stood before the deployment, says so before and after it,
// makes its own once that is weakened, and takes a person's word from the command line.
func adopts(s *scene) {
	t := s.t
	s.othersMake()
	flags := []string{"--filters", theirs, "--topics", s.topic, "--flow-logs", s.logs}

	out := s.relight(2, "plan", "--regions", lab.Region)
	for _, want := range []string{
		"relies on what others made: metric filters " + theirs, "relies on what others made: alarms that notify " + s.topic,
		"relies on what others made: flow logs to " + s.logs, "relight is not deployed here: make deploy",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("before the deployment, the plan does not say %q", want)
		}
	}
	if strings.Contains(out, ours) || strings.Contains(out, "create flow-log on "+s.vpc) || !strings.Contains(out, "relight-iam-changes") {
		t.Errorf("before the deployment, the plan has a duplicate, or nothing at all")
	}
	if t.Failed() {
		t.Fatal(out)
	}

	s.deploy()
	s.want("after the first sweep", false, false, 1)
	rely := "rely on these, which others made: metric filters " + theirs + "; alarms that notify " + s.topic + "; flow logs to " + s.logs
	if mail := s.mail(); !strings.Contains(mail, rely) {
		t.Errorf("the first message does not say %q:\n%s", rely, mail)
	}
	s.relight(0, "plan")

	intruder := s.Customer.Intruder.In(lab.Region)
	s.putFilter(intruder, "{ $.nothing = 1 }")
	s.await("their filter is narrowed", func() bool { return s.hasFilter() && s.hasAlarm() })
	if logs := s.flowLogs(); len(logs) == 1 {
		must(intruder.EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: logs}))
	}
	s.await("their flow log is deleted", func() bool { return len(s.flowLogs()) == 1 })
	s.settle()
	s.mail()

	// The owner repairs the filter, but no longer wants relight to rely on it.
	s.putFilter(s.root, rootUsage())
	s.relight(0, append([]string{"accept", "--yes", "--remove"}, flags...)...)
	if mail := s.mail(); !strings.Contains(mail, "no longer rely on metric filters "+theirs) {
		t.Errorf("accept --remove is not reported:\n%s", mail)
	}
	s.relight(1, append([]string{"accept", "--yes", "--remove"}, flags...)...)
	s.deleteOurs(intruder)
	s.await("theirs counts no longer", func() bool { return s.hasFilter() && s.hasAlarm() })
	s.settle()
	s.mail()

	s.relight(0, "accept", "--yes", "--filters", theirs, "--topics", s.topic)
	if mail := s.mail(); !strings.Contains(mail, "rely on these, which others made: metric filters "+theirs) {
		t.Errorf("accept is not reported:\n%s", mail)
	}
	// The owner deletes relight's filter. An event about relight's alarm would restore
	// that one: such a run reads only what the event names.
	s.deleteFilter(s.root)
	s.settle()
	s.relight(0, "backfill")
	s.want("after accept", false, true, 1)
	if t.Failed() {
		t.Log(s.mail())
	}
	s.relight(0, "plan")
}

// open starts a cloud with a customer's account, and builds the command.
func open(t *testing.T) *scene {
	t.Helper()
	dir := must(lab.Checkout())
	cloud := must(lab.Start(context.Background(), lab.Options{Venv: filepath.Join(dir, ".venv")}))
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error("the lab itself failed:", err)
		}
	})
	s := &scene{Arena: &lab.Arena{Cloud: cloud, Prefix: "relight"}, t: t, root: cloud.Root().In(lab.Region), cli: filepath.Join(t.TempDir(), "relight")}
	s.Customer = must(lab.NewCustomer(t.Context(), cloud))
	t.Log("the account is there")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", s.cli, filepath.Join(dir, "cmd", "relight")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

// othersMake makes a filter with its alarm and topic, and a flow log.
func (s *scene) othersMake() {
	s.t.Helper()
	ctx := s.t.Context()
	s.putFilter(s.root, rootUsage())
	s.topic = *must(s.root.SNS.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(theirs)})).TopicArn
	must(s.root.SNS.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &s.topic, Protocol: aws.String("sqs"), Endpoint: aws.String(lab.MailboxARN)}))
	// It takes the largest value: of one that takes the sum, relight asks for the smallest
	// values, and the emulator answers no GetMetricData over CBOR.
	must(s.root.CloudWatch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(theirs), Namespace: aws.String(theirs), MetricName: aws.String(theirs), Statistic: cwtypes.StatisticMaximum,
		Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, AlarmActions: []string{s.topic},
	}))
	must(s.root.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(theirLogs)}))
	must(s.root.Logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(theirLogs), RetentionInDays: aws.Int32(3653)}))
	s.logs = "arn:aws:logs:" + lab.Region + ":" + lab.Account + ":log-group:" + theirLogs
	s.vpc = s.Customer.VPCs[lab.Region][0]
	role := must(s.root.IAM.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(theirLogs), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	)}))
	must(s.root.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(theirLogs), PolicyName: aws.String("deliver"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents","logs:Describe*"],"Resource":"*"}]}`,
	)}))
	must(s.root.EC2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: []string{s.vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogDestinationType: ec2types.LogDestinationTypeCloudWatchLogs, LogGroupName: aws.String(theirLogs),
		DeliverLogsPermissionArn: role.Role.Arn,
	}))
}

// deploy deploys relight and waits for the first sweep.
func (s *scene) deploy() {
	s.t.Helper()
	s.deployWith(nil)
}

// deployWith is deploy with changes of the lab's configuration.
func (s *scene) deployWith(changes map[string]any) {
	s.t.Helper()
	s.change(changes)
	s.await("the first sweep", func() bool {
		_, err := s.root.SSM.GetParameter(s.t.Context(), &ssm.GetParameterInput{Name: aws.String("/relight/memory/adopted")})
		return err == nil
	})
	s.settle()
}

// change deploys the lab's configuration with changes.
func (s *scene) change(changes map[string]any) {
	s.t.Helper()
	log := must(os.Create(filepath.Join(s.Cloud.Emulator.Dir, "cdk.log")))
	defer log.Close()
	s.Deployment = must(s.Cloud.Deploy(s.t.Context(), must(lab.Checkout()), changes, log))
}

// await waits until a condition holds.
func (s *scene) await(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(250 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: nothing happened within a minute; the functions logged: %q", what, s.Complaints(s.t.Context()))
		}
	}
}

func (s *scene) settle() {
	s.t.Helper()
	if err := s.Settle(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// want compares what relight made of its own, and how many flow logs the VPC has.
func (s *scene) want(when string, filter, alarm bool, flowLogs int) {
	s.t.Helper()
	if f, a, n := s.hasFilter(), s.hasAlarm(), len(s.flowLogs()); f != filter || a != alarm || n != flowLogs {
		s.t.Errorf("%s: filter %t, alarm %t and %d flow logs; want %t, %t and %d", when, f, a, n, filter, alarm, flowLogs)
	}
}

// mail returns what people were notified of since the last time.
func (s *scene) mail() string {
	s.t.Helper()
	s.settle()
	var all []string
	for _, m := range must(s.Customer.Mail(s.t.Context(), s.Cloud.Root())) {
		all = append(all, m.Subject+"\n"+m.Message)
	}
	return strings.Join(all, "\n\n")
}

func (s *scene) putFilter(by *lab.Session, pattern string) {
	s.t.Helper()
	must(by.Logs.PutMetricFilter(s.t.Context(), &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: aws.String(s.Customer.TrailLogGroup), FilterName: aws.String(theirs), FilterPattern: aws.String(pattern),
		MetricTransformations: []logstypes.MetricTransformation{{MetricNamespace: aws.String(theirs), MetricName: aws.String(theirs), MetricValue: aws.String("1")}},
	}))
}

func (s *scene) deleteFilter(by *lab.Session) {
	s.t.Helper()
	must(by.Logs.DeleteMetricFilter(s.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(s.Customer.TrailLogGroup), FilterName: aws.String(ours)}))
}

// deleteOurs deletes relight's filter and alarm.
func (s *scene) deleteOurs(by *lab.Session) {
	s.t.Helper()
	s.deleteFilter(by)
	must(by.CloudWatch.DeleteAlarms(s.t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{ours}}))
}

func (s *scene) hasFilter() bool {
	s.t.Helper()
	out := must(s.root.Logs.DescribeMetricFilters(s.t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(s.Customer.TrailLogGroup), FilterNamePrefix: aws.String(ours)}))
	return slices.ContainsFunc(out.MetricFilters, func(f logstypes.MetricFilter) bool { return *f.FilterName == ours })
}

func (s *scene) hasAlarm() bool { return s.exists(ours) }

func (s *scene) exists(alarm string) bool {
	s.t.Helper()
	return len(must(s.root.CloudWatch.DescribeAlarms(s.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{alarm}})).MetricAlarms) > 0
}

// flowLogs returns the IDs of the flow logs of the VPC.
func (s *scene) flowLogs() []string {
	s.t.Helper()
	var ids []string
	for _, f := range must(s.root.EC2.DescribeFlowLogs(s.t.Context(), &ec2.DescribeFlowLogsInput{})).FlowLogs {
		if aws.ToString(f.ResourceId) == s.vpc {
			ids = append(ids, *f.FlowLogId)
		}
	}
	return ids
}

// relight runs the command as the root user, with the default configuration, and returns
// its complete output.
func (s *scene) relight(want int, args ...string) string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "defaults.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.deployed(want, append(slices.Clone(args), "--config", file)...)
}

// deployed is relight with the deployed configuration.
func (s *scene) deployed(want int, args ...string) string {
	s.t.Helper()
	return s.as(s.Cloud.Root(), want, args...)
}

// as is deployed for another principal than the root user.
func (s *scene) as(who lab.Principal, want int, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.cli, args...)
	cmd.Dir = s.t.TempDir()
	cmd.Env = who.Environ(lab.Region)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	code := 0
	if err := cmd.Run(); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			s.t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		s.t.Errorf("relight %s ended with %d, want %d:\n%s", strings.Join(args, " "), code, want, out.String())
	}
	return out.String()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// rootUsage returns the pattern of the control.
func rootUsage() string {
	controls := catalog.Controls()
	return controls[slices.IndexFunc(controls, func(c catalog.Control) bool { return c.ID == "root-usage" })].Pattern
}
