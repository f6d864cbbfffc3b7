package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// A filter of somebody else's that writes into the metric of a control is reported,
// whatever it writes, on the trail's log group and on any other. One that counts the
// same events, or writes into another metric, is not.
func TestForeignWriters(t *testing.T) {
	t.Parallel()
	pattern := ""
	for _, c := range catalog.Controls() {
		if "relight-"+c.ID == rootUsage {
			pattern = c.Pattern
		}
	}
	writer := func(namespace, metric, pattern, value string, none *float64) logstypes.MetricFilter {
		return logstypes.MetricFilter{FilterName: aws.String("perf"), FilterPattern: aws.String(pattern), MetricTransformations: []logstypes.MetricTransformation{{
			MetricNamespace: aws.String(namespace), MetricName: aws.String(metric), MetricValue: aws.String(value), DefaultValue: none,
		}}}
	}
	for name, tt := range map[string]struct {
		group  string
		filter logstypes.MetricFilter
		told   bool
	}{
		"negative for no match":        {foreignGroup, writer("relight", rootUsage, `"x"`, "1", aws.Float64(-1e9)), true},
		"negative for a match":         {foreignGroup, writer("relight", rootUsage, "", "-1", nil), true},
		"a field of the event":         {foreignGroup, writer("relight", rootUsage, "{ $.latency = * }", "$.latency", nil), true},
		"positive":                     {foreignGroup, writer("relight", "relight-iam-changes", "", "1", nil), true},
		"on the trail's group":         {trailGroup, writer("relight", rootUsage, `"x"`, "1", aws.Float64(-1)), true},
		"on relight's other group":     {flowLogGroup, writer("relight", rootUsage, "", "-5", nil), true},
		"the same events":              {foreignGroup, writer("relight", rootUsage, pattern, "1", nil), false},
		"another namespace":            {foreignGroup, writer("checkout", rootUsage, "", "-1", nil), false},
		"another one's, there":         {trailGroup, writer("checkout", rootUsage, "", "-1", nil), false},
		"a near one's, there":          {trailGroup, writer("relight2", rootUsage, "", "-1", nil), false},
		"another metric of relight's":  {foreignGroup, writer("relight", "Repaired", "", "-1", nil), false},
		"the same in a namespace near": {foreignGroup, writer("relight2", rootUsage, "", "-1", nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, "")
			w.putFilter(tt.group, tt.filter)
			for range 2 { // it stays: it is not relight's
				got := findings(w.sweep(app.Request{}))
				if strings.Contains(got, "metric filter perf of log group "+tt.group) != tt.told {
					t.Errorf("findings %q, want one: %t", got, tt.told)
				}
			}
		})
	}
}

// A filter that somebody puts on the trail's log group is reported after the event.
func TestForeignWriterByEvent(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.putFilter(trailGroup, logstypes.MetricFilter{FilterName: aws.String("perf"), FilterPattern: aws.String(`"x"`), MetricTransformations: []logstypes.MetricTransformation{{
		MetricNamespace: aws.String("relight"), MetricName: aws.String(rootUsage), MetricValue: aws.String("-1"),
	}}})
	told := len(w.Messages())
	w.send(events.Read("PutMetricFilter.narrowed.json"), false)
	if said := w.told(told); !strings.Contains(said, "metric filter perf") || !strings.Contains(said, "delete-metric-filter") {
		t.Errorf("messages %q", said)
	}
}

// relight restores the rest although it may not list the filters of other groups.
func TestWritersUnread(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	must(w.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
	w.PageSize(0)
	w.Fail("DescribeMetricFilters", "", "AccessDeniedException: no") // the trail's group first
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups}})
	if got := findings(s); s.Repaired != 1 || !strings.Contains(got, "write into its metrics") {
		t.Errorf("%d repaired, findings %q", s.Repaired, got)
	}
}

// A negative value is reported where an alarm of relight's adds values up: one with a
// threshold above one. The largest value needs no look.
func TestNegativeValues(t *testing.T) {
	t.Parallel()
	const three = `{"controls":{"root-usage":{"threshold":3}}}`
	for name, tt := range map[string]struct {
		config string
		metric string
		value  float64
		ago    time.Duration
		told   bool
	}{
		"a threshold of three":       {three, rootUsage, -1e9, 10 * time.Minute, true},
		"a little below nothing":     {three, rootUsage, -0.5, time.Minute, true},
		"shortly before the sweep":   {three, rootUsage, -3, 29 * time.Minute, true},
		"a control with one":         {three, "relight-iam-changes", -1, time.Minute, false},
		"long ago":                   {three, rootUsage, -1, 2 * time.Hour, false},
		"nothing":                    {three, rootUsage, 0, time.Minute, false},
		"two":                        {three, rootUsage, 2, time.Minute, false},
		"no alarm adds values up":    {`{}`, rootUsage, -1, time.Minute, false},
		"no control has this metric": {three, "Repaired", -1, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, tt.config)
			must(w.CloudWatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("relight"), MetricData: []cloudwatchtypes.MetricDatum{
				{MetricName: aws.String(tt.metric), Value: aws.Float64(tt.value), Timestamp: aws.Time(w.now.Add(-tt.ago))},
				{MetricName: aws.String(tt.metric), Value: aws.Float64(4), Timestamp: aws.Time(w.now.Add(-tt.ago))},
			}}))
			before := w.Calls()
			if got := findings(w.sweep(app.Request{})); strings.Contains(got, "the alarm "+tt.metric+" takes the sum") != tt.told {
				t.Errorf("findings %q, want one: %t", got, tt.told)
			}
			if n, few := w.Calls().Since(before)["GetMetricData"], tt.config == `{}`; n > 1 || few && n > 0 {
				t.Errorf("%d calls of GetMetricData", n)
			}
		})
	}
}

// Of somebody else's alarm that satisfies a control, too, a negative value is reported
// where it adds values up.
func TestNegativeValuesOfOthers(t *testing.T) {
	t.Parallel()
	for statistic, told := range map[cloudwatchtypes.Statistic]bool{cloudwatchtypes.StatisticSum: true, cloudwatchtypes.StatisticMaximum: false} {
		w := deployed(t, few)
		w.putFilter(trailGroup, filterOf("theirs", catalog.Controls()[0].Pattern, "theirs", "calls"))
		alarm := alarmOn("their-alarm", "theirs", "calls", w.topic)
		alarm.Statistic = statistic
		w.putAlarm(alarm)
		w.sweep(app.Request{})
		must(w.CloudWatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("theirs"), MetricData: []cloudwatchtypes.MetricDatum{
			{MetricName: aws.String("calls"), Value: aws.Float64(-1), Timestamp: aws.Time(w.now.Add(-time.Minute))},
		}}))
		if got := findings(w.sweep(app.Request{})); strings.Contains(got, "the alarm their-alarm takes the sum") != told {
			t.Errorf("%s: findings %q, want one: %t", statistic, got, told)
		}
	}
}
