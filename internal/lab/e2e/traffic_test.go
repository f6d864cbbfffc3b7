package e2e

import (
	"context"
	"fmt"
	"os"
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

	"github.com/relight-aws/relight/internal/lab"
)

// TestRejectedTraffic applies a configuration with the alarm on rejected traffic, and
// writes flow log records to the log group: the alarm goes to ALARM at its threshold
// and not before, and people receive its message. An alarm with the dimension
// LogGroupName, as the published guide has it, says nothing.
func TestRejectedTraffic(t *testing.T) {
	s := shared
	s.drain(t)
	const threshold, guide = 20, "guide-rejected-traffic"
	name, group := s.Prefix+"-rejected-traffic", s.Prefix+"-flow-logs"
	file := filepath.Join(t.TempDir(), "config.json")
	text := fmt.Sprintf(`{"prefix":%q,"regions":[%q],"flowLogs":{"rejectAlarm":{"threshold":%d}}}`, s.Prefix, lab.SecondRegion, threshold)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cli := build(t)
	apply := func() string {
		return s.relight(t, cli, s.Cloud.Root(), 0, "apply", "--yes", "--config", file, "--kinds", "flowlogs", "--regions", lab.Region+","+lab.SecondRegion)
	}
	regions := map[string]*lab.Session{lab.Region: s.root, lab.SecondRegion: s.Cloud.Root().In(lab.SecondRegion)}
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		for _, in := range regions {
			_, err := in.CloudWatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name, guide}})
			if _, filter := in.Logs.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(group), FilterName: aws.String(name)}); err != nil || filter != nil {
				t.Error(err, filter)
			}
		}
	})
	out := apply()
	for _, want := range []string{"put metric-filter " + name + " on " + group, "put alarm " + name + " on " + s.Prefix + "/" + name, "4 restored"} {
		if !strings.Contains(out, want) {
			t.Errorf("apply does not say %q:\n%s", want, out)
		}
	}
	if out := apply(); !strings.Contains(out, "0 restored") {
		t.Errorf("apply restores again:\n%s", out)
	}
	for region, in := range regions {
		if _, err := in.CloudWatch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(guide), Namespace: aws.String(s.Prefix), MetricName: aws.String(name), Dimensions: []cwtypes.Dimension{{Name: aws.String("LogGroupName"), Value: aws.String(group)}},
			Statistic: cwtypes.StatisticSum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(group), LogStreamName: aws.String("eni-0a1b2c3d4e5f60001-reject")}); err != nil {
			t.Fatal(err)
		}
		write := func(n int, record string) {
			in2 := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String(group), LogStreamName: aws.String("eni-0a1b2c3d4e5f60001-reject")}
			for i := range n {
				at := time.Now().Add(-time.Minute)
				in2.LogEvents = append(in2.LogEvents, logstypes.InputLogEvent{Timestamp: aws.Int64(at.UnixMilli()), Message: aws.String(fmt.Sprintf(record, 1024+i, at.Unix()))})
			}
			if _, err := in.Logs.PutLogEvents(t.Context(), in2); err != nil {
				t.Fatal(err)
			}
		}
		alarm := func(name string) cwtypes.MetricAlarm {
			got, err := in.CloudWatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
			if err != nil || len(got.MetricAlarms) != 1 {
				t.Fatal(got, err)
			}
			return got.MetricAlarms[0]
		}
		const record = "2 111122223333 eni-0a1b2c3d4e5f60001 198.51.100.7 10.0.0.5 40000 %d 6 1 40 %d 1767225600 REJECT OK"
		write(2*threshold, strings.Replace(record, "REJECT", "ACCEPT", 1))
		write(2*threshold, record+" vpc-0a1b2c3d4e5f60001") // another format
		write(threshold-1, record)
		if a := alarm(name); a.StateValue == cwtypes.StateValueAlarm {
			t.Errorf("%s: the alarm rings below its threshold: %s", region, aws.ToString(a.StateReason))
		}
		write(1, record)
		for end := time.Now().Add(10 * time.Second); alarm(name).StateValue != cwtypes.StateValueAlarm; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: the alarm does not ring: %+v", region, alarm(name))
			}
		}
		if a := alarm(guide); a.StateValue == cwtypes.StateValueAlarm {
			t.Errorf("%s: an alarm with a dimension rings: %+v", region, a)
		}
		topic := alarm(name).AlarmActions
		if len(topic) != 1 || !strings.Contains(topic[0], ":"+region+":") {
			t.Errorf("%s: the alarm notifies %v", region, topic)
		}
		var mail []lab.Message
		rings := func(m lab.Message) bool {
			return m.Topic == topic[0] && strings.HasPrefix(m.Subject, `ALARM: "`+name+`"`)
		}
		for end := time.Now().Add(10 * time.Second); !slices.ContainsFunc(mail, rings); time.Sleep(200 * time.Millisecond) {
			more, err := s.Customer.Mail(t.Context(), s.Cloud.Root())
			if mail = append(mail, more...); err != nil || time.Now().After(end) {
				t.Fatalf("%s: no message of the alarm in %+v, %v", region, mail, err)
			}
		}
	}
}
