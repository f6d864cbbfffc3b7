package organization

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// arena is the lab that all tests share, because a deployment takes half a minute.
var arena *lab.Arena

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	begin := time.Now()
	var err error
	arena, err = lab.Open(ctx, lab.Options{Accounts: lab.MaxAccounts()}, func(step string) {
		fmt.Printf("%4.0fs  %s\n", time.Since(begin).Seconds(), step)
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	code := m.Run()
	if err := arena.Cloud.Close(); err != nil {
		fmt.Println("the lab itself failed:", err)
		return 1
	}
	return code
}

// healTimeout limits the wait for a repair, which takes about a second.
const healTimeout = 45 * time.Second

const (
	flowLogGroup = "relight-flow-logs"
	deliveryRole = "relight-delivery"
	control      = "relight-root-usage" // its filter and its alarm
)

// A state is what relight protects in an account, as text by what it is.
type state map[string]string

// read reads what relight protects in a spoke, as its root user and past the tap.
func read(t *testing.T, who *lab.Spoke) state {
	t.Helper()
	root := arena.Cloud.RootOf(who.Account)
	got := state{}
	for _, region := range []string{lab.Region, lab.SecondRegion} {
		s := root.In(region)
		vpcs, err := s.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
		must(t, err)
		for _, v := range vpcs.Vpcs {
			got["flow log of "+*v.VpcId] = ""
		}
		logs, err := s.EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})
		must(t, err)
		for _, l := range logs.FlowLogs {
			got["flow log of "+*l.ResourceId] += fmt.Sprint(l.TrafficType, " to ", aws.ToString(l.LogGroupName), " with ", aws.ToString(l.DeliverLogsPermissionArn), " ", aws.ToString(l.DeliverLogsStatus))
		}
		groups, err := s.Logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
		must(t, err)
		for _, g := range groups.LogGroups {
			got["log group "+*g.LogGroupName+" in "+region] = fmt.Sprint(aws.ToInt32(g.RetentionInDays), " days, protected: ", aws.ToBool(g.DeletionProtectionEnabled))
		}
	}
	s := root.In(lab.Region)
	role, err := s.IAM.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(deliveryRole)})
	must(t, err)
	got["trust of the role"] = document(t, role.Role.AssumeRolePolicyDocument)
	policies, err := s.IAM.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(deliveryRole)})
	must(t, err)
	for _, name := range policies.PolicyNames {
		p, err := s.IAM.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(deliveryRole), PolicyName: &name})
		must(t, err)
		got["policy "+name+" of the role"] = document(t, p.PolicyDocument)
	}
	if who.TrailLogGroup == "" {
		return got
	}
	trail, err := s.CloudTrail.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: aws.String(lab.TrailName)})
	must(t, err)
	got["trail"] = fmt.Sprint("logging: ", aws.ToBool(trail.IsLogging))
	filters, err := s.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: &who.TrailLogGroup, Limit: aws.Int32(50)})
	must(t, err)
	for _, f := range filters.MetricFilters {
		m := f.MetricTransformations[0]
		got["filter "+*f.FilterName] = fmt.Sprint(aws.ToString(f.FilterPattern), " as ", aws.ToString(m.MetricNamespace), " ", aws.ToString(m.MetricName), " ", aws.ToString(m.MetricValue))
	}
	alarms, err := s.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(100)})
	must(t, err)
	for _, a := range alarms.MetricAlarms {
		got["alarm "+*a.AlarmName] = fmt.Sprint(aws.ToFloat64(a.Threshold), " in ", aws.ToInt32(a.Period), " s, notifies ", a.AlarmActions, ", on: ", aws.ToBool(a.ActionsEnabled))
	}
	return got
}

// document returns a policy without white space. IAM's replies are encoded for URLs.
func document(t *testing.T, encoded *string) string {
	t.Helper()
	text, err := url.QueryUnescape(aws.ToString(encoded))
	must(t, err)
	var v any
	must(t, json.Unmarshal([]byte(text), &v))
	raw, err := json.Marshal(v)
	must(t, err)
	return string(raw)
}

// differences returns what differs between two states.
func differences(want, got state) (diff []string) {
	for what, is := range want {
		if got[what] != is {
			diff = append(diff, fmt.Sprintf("%s is %q, want %q", what, got[what], is))
		}
	}
	for what, is := range got {
		if _, known := want[what]; !known {
			diff = append(diff, fmt.Sprintf("%s is %q, want none", what, is))
		}
	}
	slices.Sort(diff)
	return diff
}

// restorations returns the writes in an account since a moment that functions of the hub
// made and AWS accepted.
func restorations(account string, since time.Time) []tap.Call {
	return arena.Cloud.Tap.Calls(func(c tap.Call) bool {
		_, ours := arena.Deployment.By(c.Role, c.Principal)
		return ours && c.Account == account && c.Write && c.ErrorCode == "" && c.Undone == "" && !c.Time.Before(since)
	})
}

// An attack is one on a spoke. adds says what there is afterwards that was not there before:
// something whose state is then that of like.
type attack struct {
	name string
	call func(ctx context.Context, s *lab.Session, who *lab.Spoke) (adds, like string, err error)
	in   string // region; default: the home region
	by   string // the operation with which it is restored
}

// is makes an attack of a call that only harms what is there.
func is(call func(ctx context.Context, s *lab.Session, who *lab.Spoke) error) func(context.Context, *lab.Session, *lab.Spoke) (string, string, error) {
	return func(ctx context.Context, s *lab.Session, who *lab.Spoke) (string, string, error) {
		return "", "", call(ctx, s, who)
	}
}

func createVPC(ctx context.Context, s *lab.Session, who *lab.Spoke) (adds, like string, err error) {
	out, err := s.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.77.0.0/16")})
	if err != nil {
		return "", "", err
	}
	return "flow log of " + *out.Vpc.VpcId, "flow log of " + who.VPCs[s.Region][0], nil
}

func deleteFlowLogs(ctx context.Context, s *lab.Session, who *lab.Spoke) error {
	logs, err := s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{})
	if err != nil {
		return err
	}
	in := &ec2.DeleteFlowLogsInput{}
	for _, l := range logs.FlowLogs {
		in.FlowLogIds = append(in.FlowLogIds, *l.FlowLogId)
	}
	_, err = s.EC2.DeleteFlowLogs(ctx, in)
	return err
}

// attacks are those on any spoke, and then those on one that owns a trail.
var attacks, onOwners = []attack{
	{name: "ec2 DeleteFlowLogs", call: is(deleteFlowLogs), by: "CreateFlowLogs"},
	{name: "ec2 DeleteFlowLogs, in the second region", in: lab.SecondRegion, call: is(deleteFlowLogs), by: "CreateFlowLogs"},
	{name: "ec2 CreateVpc", call: createVPC, by: "CreateFlowLogs"},
	{name: "ec2 CreateVpc, in the second region", in: lab.SecondRegion, call: createVPC, by: "CreateFlowLogs"},
	{name: "logs PutRetentionPolicy, a day for flow logs", call: is(func(ctx context.Context, s *lab.Session, _ *lab.Spoke) error {
		_, err := s.Logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(flowLogGroup), RetentionInDays: aws.Int32(1)})
		return err
	}), by: "PutRetentionPolicy"},
	{name: "logs DeleteLogGroup, of the flow logs", call: is(func(ctx context.Context, s *lab.Session, _ *lab.Spoke) error {
		_, err := s.Logs.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{LogGroupIdentifier: aws.String(flowLogGroup), DeletionProtectionEnabled: aws.Bool(false)})
		if err == nil {
			_, err = s.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(flowLogGroup)})
		}
		return err
	}), by: "CreateLogGroup"},
	{name: "iam DeleteRolePolicy, of the delivery role", call: is(func(ctx context.Context, s *lab.Session, _ *lab.Spoke) error {
		_, err := s.IAM.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(deliveryRole), PolicyName: aws.String("deliver")})
		return err
	}), by: "PutRolePolicy"},
	{name: "iam UpdateAssumeRolePolicy, of the delivery role", call: is(func(ctx context.Context, s *lab.Session, _ *lab.Spoke) error {
		_, err := s.IAM.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(deliveryRole), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
		return err
	}), by: "UpdateAssumeRolePolicy"},
}, []attack{
	{name: "monitoring DeleteAlarms", call: is(func(ctx context.Context, s *lab.Session, _ *lab.Spoke) error {
		_, err := s.CloudWatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{control, "relight-iam-changes"}})
		return err
	}), by: "PutMetricAlarm"},
	{name: "monitoring DisableAlarmActions", call: is(func(ctx context.Context, s *lab.Session, _ *lab.Spoke) error {
		_, err := s.CloudWatch.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{control}})
		return err
	}), by: "PutMetricAlarm"},
	{name: "logs DeleteMetricFilter", call: is(func(ctx context.Context, s *lab.Session, who *lab.Spoke) error {
		_, err := s.Logs.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: &who.TrailLogGroup, FilterName: aws.String(control)})
		return err
	}), by: "PutMetricFilter"},
	{name: "logs PutMetricFilter, a narrowed pattern", call: is(func(ctx context.Context, s *lab.Session, who *lab.Spoke) error {
		out, err := s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: &who.TrailLogGroup, FilterNamePrefix: aws.String(control)})
		if err != nil {
			return err
		}
		_, err = s.Logs.PutMetricFilter(ctx, &cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: &who.TrailLogGroup, FilterName: aws.String(control), MetricTransformations: out.MetricFilters[0].MetricTransformations,
			FilterPattern: aws.String(`{ $.userIdentity.type = "Root" && $.eventName = "Nothing" }`),
		})
		return err
	}), by: "PutMetricFilter"},
	{name: "logs PutRetentionPolicy, a day for the trail", call: is(func(ctx context.Context, s *lab.Session, who *lab.Spoke) error {
		_, err := s.Logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &who.TrailLogGroup, RetentionInDays: aws.Int32(1)})
		return err
	}), by: "PutRetentionPolicy"},
	{name: "cloudtrail StopLogging", call: is(func(ctx context.Context, s *lab.Session, _ *lab.Spoke) error {
		_, err := s.CloudTrail.StopLogging(ctx, &cloudtrail.StopLoggingInput{Name: aws.String(lab.TrailName)})
		return err
	}), by: "StartLogging"},
}

// Every attack of a spoke's intruder is healed from the hub, by a function in a session of
// the role there, and none of the functions writes in another spoke.
func TestAttacks(t *testing.T) {
	for _, who := range arena.Spokes {
		t.Run(who.Account, func(t *testing.T) {
			all := slices.Clone(attacks)
			if who.TrailLogGroup != "" {
				all = append(all, onOwners...)
			}
			for _, at := range all {
				t.Run(at.name, func(t *testing.T) { carryOut(t, who, at) })
			}
		})
	}
}

func carryOut(t *testing.T, who *lab.Spoke, at attack) {
	must(t, arena.Settle(t.Context()))
	want, since := read(t, who), time.Now()
	region := at.in
	if region == "" {
		region = lab.Region
	}
	adds, like, err := at.call(t.Context(), who.Intruder.In(region), who)
	must(t, err)
	if adds != "" {
		want[adds] = want[like]
	}
	deadline := time.Now().Add(healTimeout)
	for diff := differences(want, read(t, who)); len(diff) > 0; diff = differences(want, read(t, who)) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s:\n%s\nthe functions logged:\n%s", healTimeout, strings.Join(diff, "\n"), strings.Join(arena.Complaints(t.Context()), "\n"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	made := restorations(who.Account, since)
	if !slices.ContainsFunc(made, func(c tap.Call) bool { return c.Operation == at.by }) {
		t.Errorf("no %s of a function's is among %v", at.by, operations(made))
	}
	must(t, arena.Settle(t.Context()))
	for _, other := range arena.Spokes {
		if made := restorations(other.Account, since); other != who && len(made) > 0 {
			t.Errorf("writes in another account: %v", operations(made))
		}
	}
	if diff := differences(want, read(t, who)); len(diff) > 0 {
		t.Errorf("afterwards:\n%s", strings.Join(diff, "\n"))
	}
}

func operations(calls []tap.Call) (out []string) {
	for _, c := range calls {
		out = append(out, c.Account+" "+c.Service+" "+c.Operation)
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
