package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
	"github.com/relight-aws/relight/internal/plan"
)

const (
	rejected = "relight-rejected-traffic" // the filter, its metric and the alarm
	counting = `{"flowLogs":{"rejectAlarm":{}}}`
)

// rejectFilter returns the filter on rejected traffic of a region, or nil.
func (w *world) rejectFilter(region string) *logstypes.MetricFilter {
	w.t.Helper()
	out, err := w.In(region).Logs.DescribeMetricFilters(w.t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(flowLogGroup), FilterNamePrefix: aws.String(rejected)})
	if err != nil || len(out.MetricFilters) == 0 {
		return nil
	}
	return &out.MetricFilters[0]
}

// rejectAlarm returns the alarm on rejected traffic of a region, or nil.
func (w *world) rejectAlarm(region string) *cloudwatchtypes.MetricAlarm {
	w.t.Helper()
	out := must(w.In(region).CloudWatch.DescribeAlarms(w.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{rejected}}))
	if len(out.MetricAlarms) == 0 {
		return nil
	}
	return &out.MetricAlarms[0]
}

// changeRejectFilter and changeRejectAlarm change them as an attacker would.
func (w *world) changeRejectFilter(region string, change func(*logstypes.MetricFilter)) {
	f := *w.rejectFilter(region)
	f.MetricTransformations = slices.Clone(f.MetricTransformations)
	change(&f)
	must(w.In(region).Logs.PutMetricFilter(w.t.Context(), &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: aws.String(flowLogGroup), FilterName: f.FilterName, FilterPattern: f.FilterPattern,
		MetricTransformations: f.MetricTransformations, FieldSelectionCriteria: f.FieldSelectionCriteria,
	}))
}

func (w *world) changeRejectAlarm(region string, change func(*cloudwatch.PutMetricAlarmInput)) {
	a := w.rejectAlarm(region)
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: a.AlarmName, AlarmDescription: a.AlarmDescription, Namespace: a.Namespace, MetricName: a.MetricName,
		Statistic: a.Statistic, Period: a.Period, EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.DatapointsToAlarm,
		Threshold: a.Threshold, ComparisonOperator: a.ComparisonOperator, TreatMissingData: a.TreatMissingData,
		ActionsEnabled: a.ActionsEnabled, AlarmActions: slices.Clone(a.AlarmActions),
	}
	change(in)
	must(w.In(region).CloudWatch.PutMetricAlarm(w.t.Context(), in))
}

func deleteRejectFilter(w *world, region string) {
	must(w.In(region).Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(flowLogGroup), FilterName: aws.String(rejected)}))
}

func deleteRejectAlarm(w *world, region string) {
	must(w.In(region).CloudWatch.DeleteAlarms(w.t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{rejected}}))
}

func muteRejectAlarm(w *world, region string) {
	must(w.In(region).CloudWatch.DisableAlarmActions(w.t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{rejected}}))
}

func narrowRejectFilter(w *world, region string) {
	w.changeRejectFilter(region, func(f *logstypes.MetricFilter) { f.FilterPattern = aws.String("[version, account, eni = none, ...]") })
}

func numbRejectAlarm(w *world, region string) {
	w.changeRejectAlarm(region, func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(1e6) })
}

// rejectHarms are the ways to make the alarm on rejected traffic useless, each with the
// sample whose call does it.
func rejectHarms() map[string]struct {
	event string
	do    func(*world, string)
} {
	type harm = struct {
		event string
		do    func(*world, string)
	}
	filter := func(change func(*logstypes.MetricFilter)) harm {
		return harm{"PutMetricFilter.rejected-traffic.json", func(w *world, region string) { w.changeRejectFilter(region, change) }}
	}
	metric := func(change func(*logstypes.MetricTransformation)) harm {
		return filter(func(f *logstypes.MetricFilter) { change(&f.MetricTransformations[0]) })
	}
	alarm := func(change func(*cloudwatch.PutMetricAlarmInput)) harm {
		return harm{"PutMetricAlarm.rejected-traffic.json", func(w *world, region string) { w.changeRejectAlarm(region, change) }}
	}
	return map[string]harm{
		"filter deleted":  {"DeleteMetricFilter.rejected-traffic.json", deleteRejectFilter},
		"alarm deleted":   {"DeleteAlarms.rejected-traffic.json", deleteRejectAlarm},
		"alarm muted":     {"DisableAlarmActions.rejected-traffic.json", muteRejectAlarm},
		"filter narrowed": {"PutMetricFilter.rejected-traffic.json", narrowRejectFilter},
		"filter of accepted traffic": filter(func(f *logstypes.MetricFilter) {
			f.FilterPattern = aws.String(strings.ReplaceAll(*f.FilterPattern, "REJECT", "ACCEPT"))
		}),
		"filter for another format": filter(func(f *logstypes.MetricFilter) {
			f.FilterPattern = aws.String(strings.ReplaceAll(*f.FilterPattern, ", log_status", ""))
		}),
		"filter of selected fields": filter(func(f *logstypes.MetricFilter) {
			f.FieldSelectionCriteria = aws.String(`@aws.account != "111122223333"`)
		}),
		"metric renamed":         metric(func(m *logstypes.MetricTransformation) { m.MetricName = aws.String("unused") }),
		"metric elsewhere":       metric(func(m *logstypes.MetricTransformation) { m.MetricNamespace = aws.String("scratch") }),
		"metric without value":   metric(func(m *logstypes.MetricTransformation) { m.MetricValue = aws.String("0") }),
		"metric split":           metric(func(m *logstypes.MetricTransformation) { m.Dimensions = map[string]string{"eni": "$interface_id"} }),
		"metric in another unit": metric(func(m *logstypes.MetricTransformation) { m.Unit = logstypes.StandardUnitBytes }),
		"metric with a default":  metric(func(m *logstypes.MetricTransformation) { m.DefaultValue = aws.Float64(-1) }),
		"threshold out of reach": {"PutMetricAlarm.rejected-traffic.json", numbRejectAlarm},
		"threshold too low":      alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(1) }),
		"period shorter":         alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(60) }),
		"statistic":              alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = cloudwatchtypes.StatisticMaximum }),
		"comparison": alarm(func(in *cloudwatch.PutMetricAlarmInput) {
			in.ComparisonOperator = cloudwatchtypes.ComparisonOperatorLessThanThreshold
		}),
		"more periods": alarm(func(in *cloudwatch.PutMetricAlarmInput) {
			in.EvaluationPeriods, in.DatapointsToAlarm = aws.Int32(3), aws.Int32(3)
		}),
		"missing data": alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("ignore") }),
		"a dimension": alarm(func(in *cloudwatch.PutMetricAlarmInput) { // as the published guide for this alarm has it
			in.Dimensions = []cloudwatchtypes.Dimension{{Name: aws.String("LogGroupName"), Value: aws.String(flowLogGroup)}}
		}),
		"a unit":         alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Unit = cloudwatchtypes.StandardUnitCount }),
		"another metric": alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = aws.String("unused") }),
		"no action":      alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = nil }),
		"another topic": alarm(func(in *cloudwatch.PutMetricAlarmInput) {
			in.AlarmActions = []string{strings.Replace(in.AlarmActions[0], "alerts", "theirs", 1)}
		}),
	}
}

// Every change that makes the alarm on rejected traffic useless is undone, in the home
// region and in that of a forwarder, by its event and by a sweep. What others added to
// its actions stays.
func TestRejectAlarmRestored(t *testing.T) {
	t.Parallel()
	for name, harm := range rejectHarms() {
		for _, region := range []string{home, second} {
			for _, by := range []string{"an event", "a sweep"} {
				t.Run(name+" in "+region+", by "+by, func(t *testing.T) {
					t.Parallel()
					w := healthy(t, counting)
					w.PageSize(0)
					before := w.State()
					harm.do(w, region)
					if cmp.Equal(before, w.State()) {
						t.Fatal("the attack does no harm")
					}
					if by == "a sweep" {
						w.sweep(app.Request{})
					} else if again, errs := w.send([]byte(strings.ReplaceAll(string(events.Read(harm.event)), home, region)), true); len(again)+len(errs) > 0 {
						t.Errorf("failed: %v, %v", again, errs)
					}
					after := w.State()
					if name == "another topic" { // it stays beside relight's
						a := w.rejectAlarm(region)
						if len(a.AlarmActions) != 2 {
							t.Errorf("actions %v", a.AlarmActions)
						}
						delete(before, region+" alarm "+rejected)
						delete(after, region+" alarm "+rejected)
					}
					if diff := cmp.Diff(before, after); diff != "" {
						t.Errorf("not restored (-before +after):\n%s", diff)
					}
					writes := len(w.Writes())
					if s := w.sweep(app.Request{}); s.Planned+s.Findings+s.Unrestored > 0 || len(w.changes(writes)) > 0 {
						t.Errorf("not converged: %+v, writes %v", s, w.changes(writes))
					}
				})
			}
		}
	}
}

// The first sweep makes the filter and the alarm where relight's own flow logs deliver
// and an alarm can notify somebody, with the pattern of the configured format. Without
// the option, it makes and reads nothing of them.
func TestRejectAlarm(t *testing.T) {
	t.Parallel()
	const third = "eu-central-1"
	record := func(format, action string) string {
		var words []string
		for _, f := range catalog.FormatFields(format) {
			words = append(words, map[bool]string{true: action, false: "7"}[f == "action"])
		}
		return strings.Join(words, " ")
	}
	for name, tt := range map[string]struct {
		config    string
		format    string
		threshold float64
		period    int32
		statistic cloudwatchtypes.Statistic
	}{
		"off":               {config: `{}`},
		"default format":    {counting, catalog.DefaultFlowLogFormat, 10000, 900, "Sum"},
		"custom format":     {`{"flowLogs":{"rejectAlarm":{"threshold":250,"periodSeconds":3600},"format":"` + richFormat + `"}}`, richFormat, 250, 3600, "Sum"},
		"action first":      {`{"flowLogs":{"trafficType":"ALL","rejectAlarm":{},"format":"${action} ${pkt-srcaddr} ${vpc-id}"}}`, "${action} ${pkt-srcaddr} ${vpc-id}", 10000, 900, "Sum"},
		"every single one":  {`{"flowLogs":{"rejectAlarm":{"threshold":1}}}`, catalog.DefaultFlowLogFormat, 1, 900, "Maximum"},
		"kind switched off": {config: `{"modes":{"flowlogs":"off"},"flowLogs":{"rejectAlarm":{}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := deployed(t, tt.config)
			w.AddRegion(third, "opt-in-not-required")
			w.AddVPC(third, "vpc-9")
			w.PageSize(0)
			s := w.sweep(app.Request{})
			skipped := 0
			for _, r := range s.Reports {
				for _, skip := range r.Skipped {
					if strings.HasPrefix(skip, "alarm on rejected traffic: relight has no topic in "+third) {
						skipped++
					}
				}
			}
			if got := skipped == 1; got != (tt.format != "") || s.Unrestored > 0 {
				t.Errorf("%d skips, %d unrestored", skipped, s.Unrestored)
			}
			for region, topic := range map[string]string{home: w.topic, second: forwarderTopic, third: ""} {
				f, a := w.rejectFilter(region), w.rejectAlarm(region)
				if tt.format == "" || topic == "" {
					if f != nil || a != nil {
						t.Errorf("%s has filter %v and alarm %v", region, f, a)
					}
					continue
				}
				if f == nil || a == nil {
					t.Errorf("%s has filter %v and alarm %v", region, f, a)
					continue
				}
				p := must(pattern.Parse(*f.FilterPattern))
				if m := f.MetricTransformations[0]; !p.Matches(record(tt.format, "REJECT")) || p.Matches(record(tt.format, "ACCEPT")) || p.Matches(record(tt.format, "REJECT")+" 7") ||
					len(m.Dimensions) > 0 || *m.MetricValue != "1" || *m.MetricName != *a.MetricName || *m.MetricNamespace != *a.Namespace {
					t.Errorf("%s: filter %s, %+v", region, *f.FilterPattern, m)
				}
				if len(a.Dimensions) > 0 || a.Statistic != tt.statistic || *a.Threshold != tt.threshold || *a.Period != tt.period || !*a.ActionsEnabled || !slices.Equal(a.AlarmActions, []string{topic}) {
					t.Errorf("%s: alarm %+v", region, a)
				}
			}
			writes := len(w.Writes())
			if s := w.sweep(app.Request{}); s.Planned+s.Findings+s.Unrestored > 0 || len(w.changes(writes)) > 0 {
				t.Errorf("not converged: %+v, writes %v", s, w.changes(writes))
			}
			if name == "off" {
				for _, e := range []string{"DeleteMetricFilter", "PutMetricFilter", "PutMetricAlarm", "DeleteAlarms", "DisableAlarmActions"} {
					calls := w.Calls()
					if _, err := w.app(catalog.Function(catalog.FlowLogs)).HandleEvent(t.Context(), events.Read(e+".rejected-traffic.json")); err != nil || w.Calls().Since(calls).Total() > 0 {
						t.Errorf("%s: %v, calls %v", e, err, w.Calls().Since(calls))
					}
				}
			}
		})
	}
}

// A deleted log group comes back with its filter, and a region's first VPC brings the
// log group, the filter and the alarm, without a sweep.
func TestRejectAlarmWithItsGroup(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event, region string
		do            func(*world, string)
	}{
		"group deleted at home":   {"DeleteLogGroup.flow-logs.json", home, func(w *world, r string) { w.deleteGroup(r, flowLogGroup) }},
		"group deleted elsewhere": {"DeleteLogGroup.second-region.json", second, func(w *world, r string) { w.deleteGroup(r, flowLogGroup) }},
		"group and alarm deleted": {"DeleteLogGroup.flow-logs.json", home, func(w *world, r string) { deleteRejectAlarm(w, r); w.deleteGroup(r, flowLogGroup) }},
		"first VPC, with the group": {"CreateVpc.default.json", home, func(w *world, r string) {
			deleteRejectAlarm(w, r)
			w.deleteGroup(r, flowLogGroup)
			w.AddVPC(r, "vpc-0a1b2c3d4e5f60001")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, counting)
			w.PageSize(0)
			alarm := w.State()[tt.region+" alarm "+rejected]
			tt.do(w, tt.region)
			if again, errs := w.send(events.Read(tt.event), true); len(again)+len(errs) > 0 {
				t.Errorf("failed: %v, %v", again, errs)
			}
			if got := w.State()[tt.region+" alarm "+rejected]; w.rejectFilter(tt.region) == nil || alarm == "" || got != alarm {
				t.Errorf("filter %v, alarm %s, want %s", w.rejectFilter(tt.region), got, alarm)
			}
		})
	}
}

// What keeps the alarm from counting, or relight from restoring it, is a finding, and
// keeps relight from restoring nothing else.
func TestRejectAlarmFindings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(*world)
		want []plan.Code
	}{
		"another format": {func(w *world) {
			w.deleteFlowLogs(home, "vpc-1")
			w.intrude("vpc-1", func(in *ec2.CreateFlowLogsInput) { in.LogFormat = aws.String(richFormat) })
		}, []plan.Code{plan.FlowLogUncounted}},
		"alarms unread":  {func(w *world) { w.Deny(second + " DescribeAlarms") }, []plan.Code{plan.FlowLogControlsUnread}},
		"filters unread": {func(w *world) { w.Deny(second + " DescribeMetricFilters") }, []plan.Code{plan.FlowLogControlsUnread}},
		"stack unread":   {func(w *world) { w.Deny(second + " DescribeStacks") }, []plan.Code{plan.FlowLogControlsUnread}},
		"stack without topic": {func(w *world) {
			w.SetStack(second, cftypes.Stack{StackName: aws.String(forwarder), StackStatus: cftypes.StackStatusUpdateComplete, CreationTime: aws.Time(w.now)})
		}, nil},
		"another writer": {func(w *world) {
			w.putFilter(flowLogGroup, logstypes.MetricFilter{FilterName: aws.String("theirs"), FilterPattern: aws.String(""), MetricTransformations: []logstypes.MetricTransformation{
				{MetricNamespace: aws.String("relight"), MetricName: aws.String(rejected), MetricValue: aws.String("-1")},
			}})
		}, []plan.Code{plan.MetricForeignWriter}},
		"name taken": {func(w *world) {
			deleteRejectAlarm(w, home)
			must(w.CloudWatch.PutCompositeAlarm(w.t.Context(), &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String(rejected), AlarmRule: aws.String("FALSE")}))
		}, []plan.Code{plan.AlarmNameTaken}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, counting)
			w.PageSize(0)
			tt.do(w)
			w.deleteFlowLogs(second, "vpc-3")
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.FlowLogs}})
			var codes []plan.Code
			for _, r := range s.Reports {
				for _, f := range r.Findings {
					codes = append(codes, plan.Code(f.Code))
				}
			}
			if diff := cmp.Diff(tt.want, codes); diff != "" || s.Unrestored > 0 || len(w.FlowLogs(second, "vpc-3")) != 1 {
				t.Errorf("%d unrestored, flow logs %v, findings (-want +got):\n%s", s.Unrestored, w.FlowLogs(second, "vpc-3"), diff)
			}
			if w.rejectFilter(home) == nil || (w.rejectAlarm(home) == nil) != (name == "name taken") {
				t.Errorf("filter %v, alarm %v", w.rejectFilter(home), w.rejectAlarm(home))
			}
			if name == "name taken" {
				found := slices.ContainsFunc(w.Alarms(home), func(n string) bool { return strings.HasPrefix(n, rejected+"-") })
				writes := len(w.Writes())
				if s := w.sweep(app.Request{}); !found || s.Planned > 0 || len(w.changes(writes)) > 0 {
					t.Errorf("alarms %v; %d planned, writes %v", w.Alarms(home), s.Planned, w.changes(writes))
				}
			}
		})
	}
}

// A mute rule on the alarm in the home region is reported, by its event and by a sweep,
// and neither the alarm nor its filter passes for one that no control needs.
func TestRejectAlarmMuted(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"an event", "a sweep"} {
		t.Run("by "+by, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, counting)
			w.PageSize(0)
			w.muteRule("maintenance", rejected)
			told := len(w.Messages())
			if by == "an event" {
				w.send([]byte(strings.ReplaceAll(string(events.Read("PutAlarmMuteRule.guarded.json")), rootUsage, rejected)), true)
			} else {
				for _, r := range w.sweep(app.Request{}).Reports {
					if i := slices.IndexFunc(r.Skipped, func(s string) bool { return strings.Contains(s, rejected) }); i >= 0 {
						t.Errorf("skipped %s", r.Skipped[i])
					}
				}
			}
			if text := w.told(told); !strings.Contains(text, "alarm-muted") || !strings.Contains(text, rejected) {
				t.Errorf("people read %q", text)
			}
		})
	}
}
