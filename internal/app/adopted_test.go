package app_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

const adoptedMemory = "/relight/memory/adopted"

// chain makes a filter that measures root usage, an alarm on its metric, and a topic
// with a subscriber, all of them somebody else's. It returns the topic.
func (w *world) chain(name string) string {
	w.t.Helper()
	topic := w.AddTopic(home, name+"-topic", 1)
	pattern := ""
	for _, c := range catalog.Controls() {
		if c.ID == "root-usage" {
			pattern = c.Pattern
		}
	}
	w.putFilter(trailGroup, filterOf(name, pattern, name, "root"))
	w.putAlarm(alarmOn(name, name, "root", topic))
	return topic
}

func (w *world) hasFilter(name string) bool {
	w.t.Helper()
	out := must(w.Logs.DescribeMetricFilters(w.t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(trailGroup), FilterNamePrefix: aws.String(name)}))
	return len(out.MetricFilters) > 0 && *out.MetricFilters[0].FilterName == name
}

func (w *world) hasAlarm(name string) bool {
	w.t.Helper()
	return len(must(w.CloudWatch.DescribeAlarms(w.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})).MetricAlarms) > 0
}

// An intruder's filter, alarm and topic satisfy nothing: relight's own come back,
// whatever is beside them, and say so.
func TestStrangersChain(t *testing.T) {
	t.Parallel()
	for harm, do := range map[string]func(*world){
		"the filter deleted": func(w *world) {
			must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
		},
		"the alarm deleted": func(w *world) { w.deleteAlarms(rootUsage) },
		"both deleted": func(w *world) {
			must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
			w.deleteAlarms(rootUsage)
		},
		"both deleted, all memories first": func(w *world) {
			w.forget()
			must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
			w.deleteAlarms(rootUsage)
			w.putAs(writers["a user"], adoptedMemory, `{"v":1,"filters":["ops"],"topics":["arn:aws:sns:us-east-1:111122223333:ops-topic"]}`)
		},
	} {
		for _, by := range []string{"event", "sweep"} {
			t.Run(harm+" by "+by, func(t *testing.T) {
				t.Parallel()
				w := healthy(t, few)
				w.chain("ops")
				do(w)
				told := w.mailOf(func() {
					if by == "sweep" {
						w.sweep(app.Request{})
						return
					}
					if strings.Contains(harm, "filter") || strings.Contains(harm, "both") {
						w.send(events.Read("DeleteMetricFilter.ours.json"), true)
					}
					w.send([]byte(strings.ReplaceAll(string(events.Read("DeleteAlarms.one.json")), "relight-cloudtrail-changes", rootUsage)), true)
				})
				if !w.hasFilter(rootUsage) || !w.hasAlarm(rootUsage) {
					t.Errorf("filter %t, alarm %t; people read %q", w.hasFilter(rootUsage), w.hasAlarm(rootUsage), told)
				}
				if !strings.Contains(harm, "alarm") && !strings.Contains(told, "relight accept --filters ops") {
					t.Errorf("people read %q, want what could be adopted", told)
				}
				w.sweep(app.Request{})
				if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
					t.Errorf("afterwards %+v", s)
				}
			})
		}
	}
}

// What others made before the first sweep is adopted: relight makes no duplicate,
// says on what it relies, and makes its own once that is weakened.
func TestFirstSweepAdopts(t *testing.T) {
	t.Parallel()
	for harm, do := range map[string]func(*world){
		"the filter narrowed": func(w *world) {
			w.changeFilter("ops", func(f *logstypes.MetricFilter) { f.FilterPattern = aws.String("nothing") })
		},
		"the filter deleted": func(w *world) {
			must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String("ops")}))
		},
		"the alarm muted":   func(w *world) { w.mute("ops") },
		"the alarm deleted": func(w *world) { w.deleteAlarms("ops") },
		"the alarm notifies a stranger's topic": func(w *world) {
			stranger := w.AddTopic(home, "stranger", 1)
			w.changeAlarm("ops", func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{stranger} })
		},
	} {
		t.Run(harm, func(t *testing.T) {
			t.Parallel()
			w := deployed(t, few)
			topic := w.chain("ops")
			told := w.mailOf(func() { w.sweep(app.Request{}) })
			if w.hasFilter(rootUsage) || w.hasAlarm(rootUsage) {
				t.Error("relight made duplicates")
			}
			if !strings.Contains(told, "rely on these, which others made: metric filters ops; alarms that notify "+topic) {
				t.Errorf("people read %q", told)
			}
			if told := w.mailOf(func() { w.sweep(app.Request{}) }); told != "" {
				t.Errorf("the second sweep says %q", told)
			}
			w.chain("late") // a stranger's, beside the adopted one
			do(w)
			told = w.mailOf(func() { w.sweep(app.Request{}) })
			own := w.hasFilter(rootUsage) || w.hasAlarm(rootUsage) || strings.Contains(told, "alarm relight-root-usage")
			if !own || !strings.Contains(told, "Restored") {
				t.Errorf("relight made nothing of its own; people read %q", told)
			}
			if s := w.sweep(app.Request{}); s.Planned != 0 {
				t.Errorf("afterwards %+v", s)
			}
			if gaps := w.gaps(); len(gaps) > 0 {
				for _, g := range gaps {
					if g == "root-usage" {
						t.Errorf("not protected: %v", gaps)
					}
				}
			}
		})
	}
}

// Before the deployment, a plan says on what the first sweep will rely, and plans
// no duplicate of it.
func TestPlanSaysWhatOthersMade(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	topic := w.chain("ops")
	a := app.NewWith(app.Options{
		Function: catalog.Backfill, Kinds: kindsOf(catalog.Backfill), Config: w.config, AWS: w.Config(), Log: w.logger(), Now: w.Now, Silent: true,
		Deployment: catalog.Deployment{Account: account, HomeRegion: home},
	})
	s := must(a.Sweep(t.Context(), app.Request{Mode: "plan"}, nil))
	said := map[string]string{}
	for _, r := range s.Reports {
		if r.ReliesOn != "" {
			said[r.Kind] = r.ReliesOn
		}
		for _, do := range r.Actions {
			if strings.Contains(do.Action, "root-usage") {
				t.Errorf("the plan has the duplicate %s", do.Action)
			}
		}
	}
	if want := map[string]string{"loggroups": "metric filters ops", "alarms": "alarms that notify " + topic}; !maps.Equal(said, want) {
		t.Errorf("the plan relies on %q, want %q", said, want)
	}
}

// A first sweep that could not read a kind adopts it in a later one.
func TestAdoptionWaitsForWhatFailed(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	w.chain("ops")
	w.Deny("DescribeAlarms")
	w.sweep(app.Request{})
	w.Allow("DescribeAlarms")
	told := w.mailOf(func() { w.sweep(app.Request{}) })
	if w.hasAlarm(rootUsage) || w.hasFilter(rootUsage) || !strings.Contains(told, "alarms that notify") {
		t.Errorf("alarm %t, filter %t; people read %q", w.hasAlarm(rootUsage), w.hasFilter(rootUsage), told)
	}
}

// The configuration adopts what came after the first sweep.
func TestConfigurationAdopts(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	topic := w.chain("ops")
	must(w.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
	w.deleteAlarms(rootUsage)
	w.config.Adopt.Filters, w.config.Adopt.Topics = []string{"ops"}, []string{topic}
	if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 || w.hasFilter(rootUsage) {
		t.Errorf("%+v", s)
	}
}

// A plan before the deployment shows on what relight would rely, and writes nothing.
func TestPlanShowsAdoption(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	w.chain("ops")
	w.sweep(app.Request{Mode: "plan"})
	if w.Calls()["PutParameter"] > 0 {
		t.Error("a plan remembers something")
	}
}

// A person adopts what came after the first sweep, and takes that back.
func TestAcceptAdoption(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	topic := w.chain("ops")
	accept := func(remove string) (any, error) {
		return w.app(catalog.Backfill).HandleBackfill(t.Context(), []byte(`{"accept":{"adopt":{"filters":["ops"],"topics":["`+topic+`"]}`+remove+`}}`))
	}
	if _, err := accept(`,"remove":true`); err == nil {
		t.Error("relight stopped relying on what it does not rely on")
	}
	if told := w.mailOf(func() { must(accept("")) }); !strings.Contains(told, "rely on these, which others made: metric filters ops; alarms that notify "+topic) {
		t.Errorf("people read %q", told)
	}
	must(w.Logs.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(rootUsage)}))
	w.deleteAlarms(rootUsage)
	if s := w.sweep(app.Request{}); s.Planned != 0 || s.Findings != 0 {
		t.Errorf("accepted, but %+v", s)
	}
	if told := w.mailOf(func() { must(accept(`,"remove":true`)) }); !strings.Contains(told, "no longer rely on metric filters ops") {
		t.Errorf("people read %q", told)
	}
	w.sweep(app.Request{})
	if !w.hasFilter(rootUsage) || !w.hasAlarm(rootUsage) {
		t.Error("relight did not make its own again")
	}
}

// A stranger's flow log into a log group of the stranger's satisfies nothing: relight
// keeps its own, and makes it again if it is deleted.
func TestStrangersFlowLog(t *testing.T) {
	t.Parallel()
	for _, region := range []string{home, second} {
		vpc := map[string]string{home: "vpc-1", second: "vpc-3"}[region]
		t.Run(region, func(t *testing.T) {
			w := healthy(t, few)
			w.createGroup(region, "ops-logs")
			w.createFlowLog(region, vpc, "ALL", "ops-logs")
			for range 3 {
				w.anHour()
				w.sweep(app.Request{})
			}
			own := func() []string { return w.FlowLogs(region, vpc) }
			if len(own()) != 2 {
				t.Fatalf("flow logs %v, want relight's and the stranger's", own())
			}
			told := w.mailOf(func() {
				w.deleteOwnFlowLog(region, vpc)
				if region == home {
					w.send(events.Read("DeleteFlowLogs.one.json"), true)
				} else {
					w.sweep(app.Request{})
				}
			})
			if len(own()) != 2 || !strings.Contains(told, "relight accept --flow-logs arn:aws:logs:"+region+":111122223333:log-group:ops-logs") {
				t.Errorf("flow logs %v; people read %q", own(), told)
			}
		})
	}
}

// Flow logs of others that stood before the first sweep are adopted by where they
// go, and relight makes its own once one is gone.
func TestFirstSweepAdoptsFlowLogs(t *testing.T) {
	t.Parallel()
	w := deployed(t, few)
	w.createGroup(home, "vpc-logs")
	w.createFlowLog(home, "vpc-1", "ALL", "vpc-logs")
	told := w.mailOf(func() { w.sweep(app.Request{}) })
	if n := len(w.FlowLogs(home, "vpc-1")); n != 1 || !strings.Contains(told, "rely on these, which others made: flow logs to arn:aws:logs:us-east-1:111122223333:log-group:vpc-logs") {
		t.Errorf("%d flow logs; people read %q", n, told)
	}
	w.createGroup(home, "ops-logs")
	w.createFlowLog(home, "vpc-1", "ALL", "ops-logs")
	must(w.EC2.DeleteFlowLogs(t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: w.FlowLogs(home, "vpc-1")[:1]}))
	w.send(events.Read("DeleteFlowLogs.one.json"), true)
	if n := len(w.FlowLogs(home, "vpc-1")); n != 2 {
		t.Errorf("%d flow logs, want the stranger's and relight's", n)
	}
}

// deleteOwnFlowLog deletes the flow logs of a VPC that go to relight's log group.
func (w *world) deleteOwnFlowLog(region, vpc string) {
	w.t.Helper()
	out := must(w.In(region).EC2.DescribeFlowLogs(w.t.Context(), &ec2.DescribeFlowLogsInput{MaxResults: aws.Int32(1000)}))
	for _, fl := range out.FlowLogs {
		if aws.ToString(fl.ResourceId) == vpc && aws.ToString(fl.LogGroupName) == flowLogGroup {
			must(w.In(region).EC2.DeleteFlowLogs(w.t.Context(), &ec2.DeleteFlowLogsInput{FlowLogIds: []string{*fl.FlowLogId}}))
		}
	}
}
