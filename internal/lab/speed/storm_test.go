package speed

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

const (
	attacks      = 1000
	within       = 54 * time.Second // less than a minute also where a call takes long
	connections  = 4                // of each user
	turn         = 10               // calls of one user, before the next one's
	restoredIn   = time.Minute      // after the last attack
	mostCalls    = 100              // of one function
	mostMessages = 3                // of one function to people
	accomplice   = "accomplice"
)

// A tampering is one call of a storm; i counts them.
type tampering func(ctx context.Context, s *lab.Session, i int) error

// TestStorm has two users make a thousand calls within a minute, against alarms alone and
// then against everything. relight restores all of it with few calls and few messages,
// which name both users and say nothing that is untrue.
func TestStorm(t *testing.T) {
	if !*stormy {
		t.Skip("only with -storm")
	}
	users := []lab.Principal{arena.Customer.Intruder, newAccomplice(t)}
	s := arena.Cloud.Root().In(lab.Region)
	alarms, filters := relightsAlarms(t, s), relightsFilters(t, s)
	deleteAlarm := func(ctx context.Context, s *lab.Session, i int) error {
		_, err := s.CloudWatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{aws.ToString(alarms[i%len(alarms)].AlarmName)}})
		return err
	}
	t.Run("alarms", func(t *testing.T) { storm(t, users, deleteAlarm) })
	simple := slices.DeleteFunc(slices.Clone(alarms), func(a cwtypes.MetricAlarm) bool { return a.MetricName == nil }) // not of an expression
	mixed := mixture(deleteAlarm, simple, filters)
	t.Run("mixed", func(t *testing.T) {
		// Each turn has another kind of call, and each kind goes through its targets.
		storm(t, users, func(ctx context.Context, s *lab.Session, i int) error {
			return mixed[i%len(mixed)](ctx, s, i/len(mixed))
		})
	})
}

// mixture returns calls that delete or weaken what relight protects.
func mixture(deleteAlarm tampering, alarms []cwtypes.MetricAlarm, filters []logtypes.MetricFilter) []tampering {
	retention := func(group string) tampering {
		return func(ctx context.Context, s *lab.Session, _ int) error {
			_, err := s.Logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &group, RetentionInDays: aws.Int32(1)})
			return err
		}
	}
	return []tampering{
		deleteAlarm,
		func(ctx context.Context, s *lab.Session, i int) error {
			f := filters[i%len(filters)]
			_, err := s.Logs.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: f.LogGroupName, FilterName: f.FilterName})
			return err
		},
		func(ctx context.Context, s *lab.Session, i int) error {
			_, err := s.CloudWatch.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{aws.ToString(alarms[i%len(alarms)].AlarmName)}})
			return err
		},
		func(ctx context.Context, s *lab.Session, i int) error {
			f := filters[i%len(filters)]
			_, err := s.Logs.PutMetricFilter(ctx, &cloudwatchlogs.PutMetricFilterInput{
				LogGroupName: f.LogGroupName, FilterName: f.FilterName, FilterPattern: aws.String(`{ $.eventName = "NoSuchCall" }`), MetricTransformations: f.MetricTransformations,
			})
			return err
		},
		func(ctx context.Context, s *lab.Session, i int) error {
			a := alarms[i%len(alarms)]
			_, err := s.CloudWatch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
				AlarmName: a.AlarmName, Namespace: a.Namespace, MetricName: a.MetricName, Statistic: a.Statistic, Period: a.Period,
				ComparisonOperator: a.ComparisonOperator, Threshold: aws.Float64(1e6), EvaluationPeriods: a.EvaluationPeriods,
				TreatMissingData: a.TreatMissingData, AlarmActions: a.AlarmActions, Dimensions: a.Dimensions,
			})
			return err
		},
		retention(arena.Customer.TrailLogGroup),
		deleteFlowLogs,
		retention(arena.Prefix + "-flow-logs"),
	}
}

// deleteFlowLogs deletes what flow logs one of the region's VPCs has.
func deleteFlowLogs(ctx context.Context, s *lab.Session, i int) error {
	vpcs := arena.Customer.VPCs[lab.Region]
	out, err := s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{
		Filter: []ec2types.Filter{{Name: aws.String("resource-id"), Values: []string{vpcs[i%len(vpcs)]}}},
	})
	if err != nil || len(out.FlowLogs) == 0 {
		return err
	}
	var ids []string
	for _, fl := range out.FlowLogs {
		ids = append(ids, aws.ToString(fl.FlowLogId))
	}
	_, err = s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: ids})
	return err
}

// storm makes the calls, waits until the account is as it was, prints what it cost and
// checks that.
func storm(t *testing.T, users []lab.Principal, do tampering) {
	root := arena.Cloud.Root()
	drain(t)
	if _, err := arena.Customer.Mail(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	want, err := arena.Customer.Snapshot(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	refused := rage(t, users, do)
	last := time.Now()
	t.Logf("%d calls in %.0f s, %d of them refused", attacks, last.Sub(since).Seconds(), refused)
	if refused > 0 {
		t.Errorf("%d calls of the storm were refused", refused)
	}

	diff := back(t, want, last.Add(restoredIn))
	if len(diff) > 0 {
		t.Errorf("not restored within %s: %s", restoredIn, strings.Join(diff, "; "))
	}
	drain(t)
	if again := back(t, want, time.Now()); len(again) > len(diff) {
		t.Errorf("restored, and broken afterwards: %s", strings.Join(again, "; "))
	}
	mail, err := arena.Customer.Mail(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	costs(t, since, last)
	said(t, mail)
}

// rage makes the calls at an even pace, of the users in turn and over several connections,
// and returns how many the account refused.
func rage(t *testing.T, users []lab.Principal, do tampering) (refused int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := time.Now()
	turns := make(chan int)
	for range connections {
		var sessions []*lab.Session
		for _, u := range users {
			sessions = append(sessions, u.In(lab.Region))
		}
		all.Go(func() {
			for i := range turns {
				if err := do(t.Context(), sessions[i/turn%len(users)], i); err != nil {
					mu.Lock()
					refused++
					mu.Unlock()
					t.Logf("call %d: %v", i, err)
				}
			}
		})
	}
	for i := range attacks {
		time.Sleep(time.Until(begin.Add(within * time.Duration(i) / attacks)))
		turns <- i
	}
	close(turns)
	all.Wait()
	return refused
}

// back waits until the account is as wanted, and returns the differences that are left at
// the deadline.
func back(t *testing.T, want lab.Snapshot, deadline time.Time) []string {
	t.Helper()
	for {
		got, err := arena.Customer.Snapshot(t.Context(), arena.Cloud.Root())
		if err != nil {
			t.Fatal(err)
		}
		diff := got.Diff(want)
		if len(diff) == 0 || time.Now().After(deadline) {
			return diff
		}
		time.Sleep(time.Second)
	}
}

// costs prints what each function called since the storm began, and limits it.
func costs(t *testing.T, since, last time.Time) {
	t.Helper()
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FUNCTION\tCALLS\tTO SNS, EVENTBRIDGE, SQS, LAMBDA\tLAST WRITE\tBY OPERATION\t")
	byName := func(a, b lab.Function) int { return cmp.Compare(a.Name, b.Name) }
	for _, f := range slices.SortedFunc(maps.Values(arena.Deployment.Functions), byName) {
		calls := arena.Cloud.Tap.Calls(tap.ByRole(f.Role, since))
		if len(calls) == 0 {
			continue
		}
		around, ended := 0, time.Duration(0)
		operations := map[string]int{}
		for _, c := range calls {
			name := c.Operation
			if c.ErrorCode != "" {
				name += " " + c.ErrorCode
			}
			operations[name]++
			switch {
			case slices.Contains([]string{"sns", "events", "sqs", "lambda"}, c.Service):
				around++
			case c.Write:
				ended = c.Time.Add(c.Took).Sub(last)
			}
		}
		n := tap.Invocations(calls)
		fmt.Fprintf(table, "%s\t%d\t%d\t%+.1f s\t%s\t\n", f.Name, n, around, ended.Seconds(), counts(operations))
		if n > mostCalls {
			t.Errorf("%s made %d calls, want at most %d", f.Name, n, mostCalls)
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("the last write is counted from the last attack\n%s", &out)
}

func counts(of map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(of[b]-of[a], strings.Compare(a, b)) })
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s ×%d", k, of[k]))
	}
	return strings.Join(parts, ", ")
}

// said prints the messages to people and checks how many there are and what they say. A
// message that left by two topics is one.
func said(t *testing.T, mail []lab.Message) {
	t.Helper()
	about, named := map[string]int{}, map[string][]string{} // messages and actors, by kind: each function has one
	seen := map[string]bool{}
	for _, m := range mail {
		_, reference, _ := strings.Cut(m.Message, "\nReference: ") // of events; the first lines differ by topic
		if seen[m.Subject+reference] {
			continue
		}
		seen[m.Subject+reference] = true
		kind := strings.Join(m.Document.Kinds, " ")
		t.Logf("message about %s: %s, causes by %s", kind, m.Subject, strings.Join(m.Document.Actors, " "))
		if text := m.Subject + m.Message; strings.Contains(text, "NOT restored") || strings.Contains(text, "Not restored") {
			t.Errorf("a message is untrue, everything is restored: %s\n%s", m.Subject, m.Message)
		}
		about[kind]++
		named[kind] = append(named[kind], m.Document.Actors...)
	}
	if len(about) == 0 {
		t.Error("no message reached the mailbox")
	}
	for kind, n := range about {
		if n > mostMessages {
			t.Errorf("%d messages about %s, want at most %d", n, kind, mostMessages)
		}
		for _, user := range []string{":user/intruder", ":user/" + accomplice} {
			if !slices.ContainsFunc(named[kind], func(a string) bool { return strings.HasSuffix(a, user) }) {
				t.Errorf("no message about %s names %s", kind, user)
			}
		}
		for _, a := range named[kind] {
			if strings.Contains(a, ":assumed-role/"+arena.Prefix) {
				t.Errorf("a message about %s names relight itself: %s", kind, a)
			}
		}
	}
}

// drain waits until every event is delivered, no message is in the functions' queues, not
// even a delayed one, and every function has finished.
func drain(t *testing.T) {
	t.Helper()
	s := arena.Cloud.Root().In(lab.Region)
	all, err := s.SQS.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String(arena.Prefix + "-")})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if err := arena.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		waiting := 0
		for _, url := range all.QueueUrls {
			n, delayed, err := s.Depth(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			waiting += n + delayed
		}
		if waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages are still in the queues", waiting)
		}
	}
}

// newAccomplice makes a second user with too many rights.
func newAccomplice(t *testing.T) lab.Principal {
	t.Helper()
	s := arena.Cloud.Root().In(lab.Region)
	if _, err := s.IAM.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(accomplice)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.IAM.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String(accomplice), PolicyName: aws.String("everything"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	}); err != nil {
		t.Fatal(err)
	}
	key, err := s.IAM.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String(accomplice)})
	if err != nil {
		t.Fatal(err)
	}
	p := arena.Customer.Intruder
	p.AccessKey, p.Secret = aws.ToString(key.AccessKey.AccessKeyId), aws.ToString(key.AccessKey.SecretAccessKey)
	return p
}

// relightsAlarms returns every alarm with relight's prefix: those of the controls, and
// those of the stack.
func relightsAlarms(t *testing.T, s *lab.Session) []cwtypes.MetricAlarm {
	t.Helper()
	out, err := s.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(arena.Prefix + "-"), MaxRecords: aws.Int32(100)})
	if err != nil || len(out.MetricAlarms) == 0 || out.NextToken != nil {
		t.Fatalf("list relight's alarms: %d, %v", len(out.MetricAlarms), err)
	}
	return out.MetricAlarms
}

func relightsFilters(t *testing.T, s *lab.Session) []logtypes.MetricFilter {
	t.Helper()
	out, err := s.Logs.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{
		LogGroupName: aws.String(arena.Customer.TrailLogGroup), FilterNamePrefix: aws.String(arena.Prefix + "-"),
	})
	if err != nil || len(out.MetricFilters) == 0 || out.NextToken != nil {
		t.Fatalf("list relight's filters: %v", err)
	}
	return out.MetricFilters
}
