package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// The dashboard queries the log of every function of the stack and shows every alarm on
// relight itself. Its queries name fields of the log lines.
func TestDashboard(t *testing.T) {
	if found := custom()["acme"].of("AWS::CloudWatch::Dashboard"); len(found) != 0 {
		t.Errorf("switched off, there is %v", found)
	}
	s := defaults()["relight"].template
	_, dashboard := s.only(t, "AWS::CloudWatch::Dashboard")
	var body struct {
		Widgets []struct {
			Type                string
			X, Y, Width, Height int
			Properties          struct {
				Query, Region string
				Alarms        []string
				Metrics       [][]any
			}
		}
	}
	raw := text(dashboard.Properties["DashboardBody"])
	if err := json.Unmarshal([]byte(raw), &body); err != nil || dashboard.Properties["DashboardName"] != "relight" || dashboard.DeletionPolicy != "" && dashboard.DeletionPolicy != "Delete" {
		t.Fatalf("%v: %s", err, raw)
	}
	var alarms, queries []string
	types := map[string]int{}
	for _, w := range body.Widgets {
		types[w.Type]++
		if w.X+w.Width > 24 || w.Width < 1 || w.Height < 1 {
			t.Errorf("a widget is at %d, %d", w.X, w.Width)
		}
		if (w.Type == "metric" || w.Type == "log") && w.Properties.Region != home {
			t.Errorf("a widget is of region %q", w.Properties.Region)
		}
		alarms = append(alarms, w.Properties.Alarms...)
		if w.Properties.Query != "" {
			queries = append(queries, w.Properties.Query)
		}
	}
	if types["metric"] != 5 || types["log"] != 2 || types["alarm"] != 1 || types["text"] != 3 {
		t.Errorf("widgets %v", types)
	}
	for _, a := range s.of("AWS::CloudWatch::Alarm") {
		if name := text(a.Properties["AlarmName"]); !slices.ContainsFunc(alarms, func(arn string) bool { return strings.HasSuffix(arn, ":alarm:"+name) }) {
			t.Errorf("it does not show the alarm %s", name)
		}
	}
	for _, q := range queries {
		for _, g := range s.of("AWS::Logs::LogGroup") {
			if name := text(g.Properties["LogGroupName"]); !strings.Contains(q, "SOURCE '"+name+"' | ") {
				t.Errorf("a query does not read %s: %s", name, q)
			}
		}
	}
	for _, metric := range []string{catalog.MetricUnrestored, catalog.MetricFindings, catalog.MetricSweeps, "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible", "Errors"} {
		if !strings.Contains(raw, `"`+metric+`"`) {
			t.Errorf("it does not show %s", metric)
		}
	}
}
